"""Operations that reduce axes: axis is an int, a tuple of ints, or None for all."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..graph import primitive
from ..op import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Axis = int | tuple[int, ...] | None

__all__ = [
    "argmax",
    "max",
    "mean",
    "min",
    "std",
    "sum",
    "var",
]


def _expand(reduced: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """What was reduced, with its axes back as ones, so that it broadcasts against `shape`."""
    return reduced if keepdims else np.reshape(reduced, _kept(shape, axis))


def _kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    reduced = _axes(shape, axis)
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


def _axes(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(len(shape)))
    if not shape:  # NumPy lets the axis of a number be 0 or -1
        return ()
    return tuple([i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))])


def count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements go into each result."""
    return prod([shape[i] for i in _axes(shape, axis)])


def _sum_rule(g: Array, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    return np.broadcast_to(_expand(g, a_shape, axis, keepdims), a_shape)


def _mean_rule(g: Array, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    return np.broadcast_to(_expand(g, a_shape, axis, keepdims) / count(a_shape, axis), a_shape)


def _var_rule(g: Array, a: Array, a_shape: tuple[int, ...], axis: Axis, ddof: int, keepdims: bool) -> Array:
    scale = 2 / (count(a_shape, axis) - ddof)
    return _expand(g, a_shape, axis, keepdims) * scale * (a - np.mean(a, axis=axis, keepdims=True))


def _std_rule(g: Array, a: Array, out: Array, a_shape: tuple[int, ...], axis: Axis, ddof: int, keepdims: bool) -> Array:
    if not count(a_shape, axis):
        return np.broadcast_to(_expand(g, a_shape, axis, keepdims), a_shape)  # of no elements
    # where all elements are equal the gradient is 0; out need not be: the mean is rounded
    equal = np.max(a, axis=axis, keepdims=True) == np.min(a, axis=axis, keepdims=True)
    divisor = np.where(equal, np.inf, _expand(out, a_shape, axis, keepdims) * (count(a_shape, axis) - ddof))
    return _expand(g, a_shape, axis, keepdims) / divisor * (a - np.mean(a, axis=axis, keepdims=True))


def _extreme_rule(g: Array, a: Array, out: Array, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    ties = a == _expand(out, a_shape, axis, keepdims)
    share = _expand(g, a_shape, axis, keepdims) / np.sum(ties, axis=axis, keepdims=True)
    return np.where(ties, share, 0.0)


@primitive(np.sum, vjp=_sum_rule)
def sum(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum."""
    return np.asarray(a).sum(axis=axis, keepdims=keepdims)


@primitive(np.mean, vjp=_mean_rule, floats=True)
def mean(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean. Integers give float32."""
    return np.mean(np.asarray(a), axis=axis, keepdims=keepdims)


@primitive(np.var, vjp=_var_rule, floats=True)
def var(a: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    """Variance: squared deviations from the mean, summed and divided by n - ddof (0 as in NumPy; torch takes 1)."""
    return np.var(np.asarray(a), axis=axis, ddof=ddof, keepdims=keepdims)


@primitive(np.std, vjp=_std_rule, floats=True, ties=True)
def std(a: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    """Standard deviation, the root of `var`. Its gradient is 0 where all elements are equal."""
    return np.std(np.asarray(a), axis=axis, ddof=ddof, keepdims=keepdims)


@primitive(np.max, np.amax, vjp=_extreme_rule, ties=True)
def max(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest element. Where several are the largest, each gets an equal share of the gradient (torch's amax)."""
    return np.max(a, axis=axis, keepdims=keepdims)


@primitive(np.min, np.amin, vjp=_extreme_rule, ties=True)
def min(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest element. Where several are the smallest, each gets an equal share of the gradient (torch's amin)."""
    return np.min(a, axis=axis, keepdims=keepdims)


@primitive(np.argmax, vjp=None, promotes=())
def argmax(a: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the largest element, the first among equals."""
    return np.argmax(a, axis=axis, keepdims=keepdims)
