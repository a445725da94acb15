"""What draws the arguments of the operations that are not elementwise, by family. Importing it declares them."""

from importlib import import_module
from pkgutil import iter_modules

for family in iter_modules(__path__):
    import_module(f"{__name__}.{family.name}")
