"""What draws the arguments of the operations that are not elementwise, by family. Importing it declares them."""

from . import convolution, elementwise, indexing, joining, linalg, neural, norms, reduction, scan, shape

__all__ = [
    "convolution",
    "elementwise",
    "indexing",
    "joining",
    "linalg",
    "neural",
    "norms",
    "reduction",
    "scan",
    "shape",
]
