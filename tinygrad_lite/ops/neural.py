"""Operations of neural networks, fused: each has a closed-form rule in place of a graph of small steps.

Losses, normalizations and attention have rooms of their own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import Array
from ..variable import Variable
from .indexing import are_indices, check_indices, scatter_add
from .linalg import matmul_x, matmul_y, mismatch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Axis = int | tuple[int, ...]


def total(x: Array, axis: Axis) -> Array:
    """The sum over an axis, which stays as one of length 1."""
    return np.add.reduce(x, axis=axis, keepdims=True)


@primitive(vjp=lambda g, out, axis: out * (g - total(g * out, axis)), floats=True, wide=True)
def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    if not np.size(x):
        return np.array(x)
    powers = np.exp(np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True)))
    return powers / total(powers, axis)


@primitive(vjp=lambda g, out, axis: g - np.exp(out) * total(g, axis), floats=True, wide=True)
def log_softmax(x: ArrayLike, axis: int = -1) -> Array:
    """log(softmax(x)) along an axis, without overflow or log of 0."""
    if not np.size(x):
        return np.array(x)
    shifted = np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True))
    return shifted - np.log(total(np.exp(shifted), axis))


@primitive(
    vjp={
        "x": lambda g, weight, x_shape: matmul_x(g, weight, x_shape),
        "weight": lambda g, x, weight_shape: matmul_y(g, x, weight_shape),
        "bias": lambda g: g,
    }
)
def linear(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    """x @ weight + bias: x (..., I), weight (I, O), bias (O,) -> (..., O). (torch keeps weight as (O, I).)"""
    try:
        out = np.matmul(x, weight)
    except ValueError:
        raise ValueError(f"linear: {mismatch(np.shape(x), np.shape(weight))}") from None
    if bias is not None:
        if np.shape(bias) != out.shape[-1:]:
            raise ValueError(f"linear: weight {np.shape(weight)} takes a bias {out.shape[-1:]}, got {np.shape(bias)}")
        out += bias
    return out


def _scatter_rows_rule(g: Array, indices: Array) -> Array:
    return embedding(indices, g)


@cache
def unit_rows(n: int, dtype: Any) -> Array:
    """The identity matrix, read-only: its rows are one-hot."""
    eye = np.eye(n, dtype=dtype)
    eye.flags.writeable = False
    return eye


@primitive(vjp={"values": _scatter_rows_rule}, promotes=())
def scatter_rows(values: ArrayLike, indices: ArrayLike, rows: int) -> Array:
    """(..., D) values and (...) integers -> (rows, D): each value added to the row that its index names."""
    values, indices = np.asarray(values), np.asarray(indices).reshape(-1)
    values = values.reshape(indices.size, values.shape[-1])
    if rows <= 64 and np.isfinite(np.vdot(values, values)):  # then a one-hot matrix is faster; 0 times inf is nan
        return unit_rows(rows, values.dtype).take(indices, 0).T @ values
    return scatter_add(values, indices, (rows, values.shape[-1]))


@primitive(vjp={"weight": lambda g, indices, weight_shape: scatter_rows(g, indices, weight_shape[0])})
def embedding(indices: ArrayLike, weight: ArrayLike) -> Array:
    """The rows of weight (C, D) that the integers name: (...) -> (..., D).

    Raises TypeError where the indices are no integers, IndexError where one is negative or too large.
    """
    weight = np.asarray(weight)
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight must be (C, D), got {weight.shape}")
    indices = np.asarray(indices)
    if not are_indices(indices, len(weight)):
        check_indices("embedding", indices, len(weight))  # says what is wrong
    return weight.take(indices, 0)


@composite(floats=True)
def dropout(x: ArrayLike, p: float, generator: Any) -> Tensor:
    """x with each element set to 0 with probability p, and the others divided by 1 - p.

    What stays is where `generator.rand`, in float64 and of the shape of x, is below 1 - p: that is torch's stream.
    Nothing is drawn where p is 1.
    Source: Srivastava et al., "Dropout", 2014.
    """
    if p == 1:
        return np.multiply(x, np.zeros_like(x))  # type: ignore[no-any-return]
    drawn = generator.rand(*np.shape(x), dtype=np.float64)
    kept = np.less(drawn if isinstance(x, Variable) else drawn.numpy(), 1 - p)
    dtype = x.dtype  # type: ignore[union-attr]
    return np.multiply(x, kept.astype(dtype) / (1 - p))  # type: ignore[no-any-return]
