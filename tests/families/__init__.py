"""What the tests know of each family of the table.

REFERENCES: what an operation computes that answers for no function of NumPy, by NumPy. CASES: arguments at its kinks,
at ties, at the ends of its domain and far out, where it is to do what torch does. FOUND: arguments with which something
was wrong once; they are tried in each test.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

FAMILIES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
REFERENCES: dict[str, Any] = {name: each for family in FAMILIES for name, each in family.REFERENCES.items()}
CASES: dict[str, list[tuple[Any, ...]]] = {name: each for family in FAMILIES for name, each in family.CASES.items()}
FOUND: dict[str, list[tuple[Any, ...]]] = {name: each for family in FAMILIES for name, each in family.FOUND.items()}
