"""Linear algebra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..graph import primitive
from ..op import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Shape = tuple[int, ...]

__all__ = [
    "matmul",
]


def matmul_x(g: Array, y: Array, x_shape: Shape) -> Array:
    """The gradient of x in x @ y; sums over what was broadcast are left to the engine."""
    if y.ndim == 1:
        return (g if len(x_shape) == 1 else np.expand_dims(g, -1)) * y
    if len(x_shape) == 1:
        return np.matmul(y, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, y.mT)


def matmul_y(g: Array, x: Array, y_shape: Shape) -> Array:
    """The gradient of y in x @ y; sums over what was broadcast are left to the engine."""
    if x.ndim == 1:
        return g * x if len(y_shape) == 1 else np.expand_dims(x, -1) * np.expand_dims(g, -2)
    if len(y_shape) == 1:
        return np.matmul(np.expand_dims(g, -2), x)[..., 0, :]
    if (
        len(y_shape) == 2 and x.ndim > 2 and x.size and g.size
    ):  # one product in place of a batch of them that is summed afterwards
        x, g = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
    return np.matmul(x.mT, g)


@primitive(np.matmul, vjp={"x": matmul_x, "y": matmul_y})
def matmul(x: ArrayLike, y: ArrayLike) -> Array:
    """Matrix product: (..., n, k) @ (..., k, m) -> (..., n, m), leading axes broadcast; vectors as in NumPy."""
    try:
        return np.matmul(x, y)
    except ValueError:
        raise ValueError(f"matmul: {mismatch(np.shape(x), np.shape(y))}") from None


def mismatch(x: Shape, y: Shape) -> str:
    """Why x @ y is impossible."""
    if not x or not y:
        return f"takes no scalars: {x} @ {y}; multiply with *"
    inner = y[-2] if len(y) > 1 else y[0]
    if x[-1] != inner:
        return f"inner dimensions differ: {x} @ {y}, {x[-1]} != {inner}"
    return f"leading dimensions do not broadcast: {x} @ {y}"
