"""Norms of vectors and matrices."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import refuse_unknown_gradient
from ..declare import composite, primitive
from ..op import Array, Interval
from .axes import Axis, Shape, add_reduce, checked, count, expand, kept

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Order = float | str | None


def _p_norm_rule(g: Array, x: Array, out: Array, x_shape: Shape, p: float, axis: Axis, keepdims: bool) -> Array:
    g, out = expand(g, x_shape, axis, keepdims), expand(out, x_shape, axis, keepdims)
    if p == 2:
        return g * (x / np.where(out == 0, inf, out))
    zero = np.logical_or(x == 0, out == 0)
    ratio = np.where(zero, 1.0, np.abs(x)) / np.where(zero, 1.0, out)
    return g * np.where(zero, 0.0, np.sign(x) * ratio ** (p - 1))


@primitive(vjp=_p_norm_rule, floats=True, domain={"x": Interval(kinks=(0.0,))}, wide=True)
def p_norm(x: ArrayLike, p: float, axis: Axis = None, keepdims: bool = False) -> Array:
    """sum(|x| ** p) ** (1 / p). The gradient is 0 where the norm is 0, and for elements that are 0 (as in torch)."""
    if p == 2:
        return np.sqrt(add_reduce(np.square(x), axis, None, None, keepdims))
    return add_reduce(np.abs(x) ** p, axis, None, None, keepdims) ** (1 / p)


ORDERS = "None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"


def _of_vectors(name: str, x: Any, order: Order, axis: Axis, keepdims: bool) -> Any:
    refuse_unknown_gradient(name, "ord", order)
    if isinstance(order, str):
        raise ValueError(f"{name}: {order!r} is an order for matrices; a vector takes a number")
    order = 2.0 if order is None else float(order)
    if order == 0:
        return np.sum(np.where(np.isnan(x), 1.0, np.sign(np.abs(x))), axis=axis, keepdims=keepdims)
    if order == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if order == inf:
        return _largest(np.abs(x), axis, keepdims)
    if order == -inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    return p_norm(x, order, axis, keepdims)


def _largest(x: Any, axis: Axis, keepdims: bool) -> Any:
    """The largest of numbers that are not negative: 0 of none."""
    return (np.max if count(np.shape(x), axis) else np.sum)(x, axis=axis, keepdims=keepdims)


def _of_matrices(name: str, x: Any, order: Order, axis: tuple[int, ...], keepdims: bool) -> Any:
    refuse_unknown_gradient(name, "ord", order)
    shape = np.shape(x)
    row, column = checked(shape, axis)
    if order in (None, "fro", "f"):
        return p_norm(x, 2.0, (row, column), keepdims)
    if order in (1, -1, inf, -inf):
        summed, compared = (row, column) if order in (1, -1) else (column, row)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        result = _largest(sums, compared, True) if order in (1, inf) else np.min(sums, axis=compared, keepdims=True)
    elif order in (2, -2, "nuc"):
        others = tuple([i for i in range(len(shape)) if i not in (row, column)])
        values = np.linalg.svd(np.transpose(x, (*others, row, column)), compute_uv=False)
        result = _largest(values, -1, False) if order == 2 else (np.min if order == -2 else np.sum)(values, axis=-1)
    else:
        raise ValueError(f"{name}: {order!r} is no order of a matrix norm; give {ORDERS}")
    sides = kept(shape, axis)
    return np.reshape(result, sides if keepdims else tuple([n for i, n in enumerate(sides) if i not in (row, column)]))


@composite(np.linalg.norm, floats=True, domain={"x": Interval(kinks=(0.0,))}, ties=True)
def norm(x: ArrayLike, ord: Order = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """Norm of the vectors along an axis, or of the matrices that lie in two axes.

    Without an axis: of a vector, of a matrix, or with ord=None the root of the sum of all squares. Vectors take any
    number for `ord`: sum(|x| ** ord) ** (1 / ord), the largest |x| for inf, the smallest for -inf, how many are not 0
    for 0. Matrices take None, 'fro', 'nuc' (sum of the singular values), 2 and -2 (the largest and the smallest of
    them), 1 and -1 (of the sums of |x| in the columns), inf and -inf (in the rows).

    The gradient is 0 where the norm is 0, and ties share it, as in torch.
    """
    if ord is None and axis is None:
        return p_norm(x, 2.0, None, keepdims)
    axes = tuple(range(np.ndim(x))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _of_vectors("norm", x, ord, axes, keepdims)
    if len(axes) == 2:
        return _of_matrices("norm", x, ord, axes, keepdims)
    raise ValueError(f"norm: takes one axis (of vectors) or two (of matrices), got {axes}")


@composite(getattr(np.linalg, "vector_norm", None), floats=True, domain={"x": Interval(kinks=(0.0,))}, ties=True)
def vector_norm(x: ArrayLike, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """`norm` of all elements along any number of axes, as of one vector."""
    return _of_vectors("vector_norm", x, ord, axis, keepdims)


@composite(getattr(np.linalg, "matrix_norm", None), floats=True, domain={"x": Interval(kinks=(0.0,))}, ties=True)
def matrix_norm(x: ArrayLike, keepdims: bool = False, ord: float | str = "fro") -> Any:
    """`norm` of the matrices in the last two axes."""
    if np.ndim(x) < 2:
        raise ValueError(f"matrix_norm: takes matrices (..., N, M), got {np.shape(x)}")
    return _of_matrices("matrix_norm", x, ord, (-2, -1), keepdims)
