"""Operations that reduce axes: axis is an int, a tuple of ints, or None for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import Array
from .axes import (
    Axis,
    Shape,
    add_reduce,
    and_reduce,
    checked,
    count,
    expand,
    flip,
    maximum_reduce,
    minimum_reduce,
    multiply_reduce,
    or_reduce,
    reduced,
    rows,
    unrows,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "trace",
    "var",
]


# Sums and means.


def _sum_rule(g: Array, a_shape: Shape, axis: Axis, keepdims: bool) -> Array:
    return np.broadcast_to(expand(g, a_shape, axis, keepdims), a_shape)


@primitive(np.sum, vjp=_sum_rule)
def sum(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum."""
    return add_reduce(a, axis, None, None, keepdims)


def _mean_rule(g: Array, a_shape: Shape, axis: Axis, keepdims: bool) -> Array:
    share = 1 / (count(a_shape, axis) or 1)  # multiplied by: in float16 a divisor could be too large
    return np.broadcast_to(expand(g, a_shape, axis, keepdims) * share, a_shape)


@primitive(np.mean, vjp=_mean_rule, floats=True)
def mean(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean. Integers give float32."""
    a = np.asarray(a)
    if a.dtype.kind != "f" or a.dtype.itemsize < 4 or not a.size or not a.ndim:
        return np.mean(a, axis=axis, keepdims=keepdims)
    total = add_reduce(a, axis, None, None, keepdims)  # so does np.mean, in twice the time
    return total / (a.size // total.size)


def _var_rule(g: Array, a: Array, a_shape: Shape, axis: Axis, ddof: int, keepdims: bool) -> Array:
    n = count(a_shape, axis) - ddof
    scale = 2 / n if n else np.inf  # then the variance is nan, and its gradient with it
    return expand(g, a_shape, axis, keepdims) * scale * (a - np.mean(a, axis=axis, keepdims=True))


@primitive(np.var, vjp=_var_rule, floats=True, wide=True)
def var(a: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    """Variance: squared deviations from the mean, summed and divided by n - ddof (0 as in NumPy; torch takes 1)."""
    return np.var(np.asarray(a), axis=axis, ddof=ddof, keepdims=keepdims)


def _std_rule(g: Array, a: Array, out: Array, a_shape: Shape, axis: Axis, ddof: int, keepdims: bool) -> Array:
    if not count(a_shape, axis):
        return np.broadcast_to(expand(g, a_shape, axis, keepdims), a_shape)  # of no elements
    # where all elements are equal the gradient is 0; out need not be: the mean is rounded
    equal = np.max(a, axis=axis, keepdims=True) == np.min(a, axis=axis, keepdims=True)
    divisor = np.where(equal, np.inf, expand(out, a_shape, axis, keepdims) * (count(a_shape, axis) - ddof))
    return expand(g, a_shape, axis, keepdims) / divisor * (a - np.mean(a, axis=axis, keepdims=True))


@primitive(np.std, vjp=_std_rule, floats=True, wide=True, ties=True)
def std(a: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Array:
    """Standard deviation, the root of `var`. Its gradient is 0 where all elements are equal."""
    return np.std(np.asarray(a), axis=axis, ddof=ddof, keepdims=keepdims)


@composite(np.average, floats=True)
def average(
    a: ArrayLike, axis: Axis = None, weights: ArrayLike | None = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """Mean with weights, sum(a * weights) / sum(weights); with `returned` also the sum of the weights, in its shape.

    The weights have the shape of a, or that of the axes that are named. Raises ZeroDivisionError where they add up
    to 0.
    """
    shape = np.shape(a)
    if axis is not None:
        axis = checked(shape, axis)
    if weights is None:
        result: Any = mean(a, axis, keepdims)
        return (result, np.full_like(result, count(shape, axis))) if returned else result
    given = np.shape(weights)
    if given != shape:
        if axis is None:
            raise TypeError(f"average: weights {given} for a {shape}: name the axis that they weigh")
        if given != tuple([shape[i] for i in axis]):
            raise ValueError(f"average: weights {given} do not fit the axes {axis} of a {shape}")
        ordered = tuple(sorted(range(len(axis)), key=axis.__getitem__))
        sides = tuple([n if i in axis else 1 for i, n in enumerate(shape)])
        weights = np.reshape(np.transpose(weights, ordered), sides)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if np.any(total == 0):
        raise ZeroDivisionError("average: the weights add up to 0")
    result = np.sum(np.multiply(a, weights), axis=axis, keepdims=keepdims) / total
    return (result, total + np.zeros_like(result)) if returned else result


def _trace_rule(g: Array, a_shape: Shape, offset: int, axis1: int, axis2: int) -> Array:
    ones = np.eye(a_shape[axis1], a_shape[axis2], offset, dtype=g.dtype)
    return unrows(g[..., None, None] * ones, a_shape, (axis1, axis2))


@primitive(np.trace, vjp=_trace_rule)
def trace(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """Sum along a diagonal: of (N, M), the elements [i, i + offset]; of more axes, along the two that are named."""
    if np.ndim(a) < 2:
        raise ValueError(f"trace: takes an array of two axes or more, got {np.shape(a)}")
    return np.trace(a, offset, axis1, axis2)


# Products.


def _others(a: Array, axis: Axis) -> Array:
    """For each element the product of all others: of those before it by those after it, so that zeros do no harm.

    In float64, for each of both may be large where their product is not.
    """
    elements = rows(a, axis).astype(np.float64)
    one = np.ones_like(elements[..., :1])
    before = np.concatenate([one, np.cumprod(elements[..., :-1], axis=-1)], axis=-1)
    after = np.concatenate([one, np.cumprod(flip(elements[..., 1:]), axis=-1)], axis=-1)
    return unrows(before * flip(after), np.shape(a), axis)


def _prod_rule(g: Array, a: Array, axis: Axis, keepdims: bool) -> Array:
    return expand(g, np.shape(a), axis, keepdims) * _others(a, axis)


@primitive(np.prod, vjp=_prod_rule)
def prod(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product. Its derivatives of all orders are exact, and finite, also where elements are 0.

    They take the products of the elements before and after each one, in float64: there those must not overflow.
    """
    return multiply_reduce(a, axis, None, None, keepdims)


def _logsumexp_rule(g: Array, a: Array, out: Array, a_shape: Shape, axis: Axis, keepdims: bool) -> Array:
    finite = np.where(out == -np.inf, 0.0, out)
    return expand(g, a_shape, axis, keepdims) * np.exp(a - expand(finite, a_shape, axis, keepdims))


@primitive(vjp=_logsumexp_rule, floats=True)
def logsumexp(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """log(sum(exp(a))), without overflow. Where all elements are -inf it is -inf, and its gradient 0 (torch: nan)."""
    a = np.asarray(a)
    if a.dtype.kind != "f":
        a = a.astype(float)
    largest = maximum_reduce(a, axis, None, None, True, -np.inf)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        out = np.log(add_reduce(np.exp(a - largest), axis, None, None, True)) + largest
    return out if keepdims else np.squeeze(out, reduced(a.shape, axis))


# The largest and the smallest.


def shares(g: Array, ties: Array, axis: Axis) -> Array:
    """The cotangent, with its axes as ones, in equal shares to the elements that are marked."""
    count = np.maximum(np.sum(ties, axis=axis, keepdims=True), 1)  # none where the result is nan
    return np.where(ties, g / count.astype(g.dtype), 0.0)


def _extreme_rule(g: Array, a: Array, out: Array, a_shape: Shape, axis: Axis, keepdims: bool) -> Array:
    return shares(expand(g, a_shape, axis, keepdims), a == expand(out, a_shape, axis, keepdims), axis)


@primitive(np.max, np.amax, vjp=_extreme_rule, ties=True, wide=True)
def max(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest element. Where several are the largest, each gets an equal share of the gradient (torch's amax).

    Where the result is nan none gets any (in torch it is nan for all).
    """
    return maximum_reduce(a, axis, None, None, keepdims)


@primitive(np.min, np.amin, vjp=_extreme_rule, ties=True, wide=True)
def min(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest element. Where several are the smallest, each gets an equal share of the gradient (torch's amin).

    Where the result is nan none gets any (in torch it is nan for all).
    """
    return minimum_reduce(a, axis, None, None, keepdims)


amax, amin = max, min


@composite(np.ptp, ties=True)
def ptp(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Peak to peak: the largest element less the smallest. Ties share the gradient as those of `max` and `min` do."""
    return max(a, axis, keepdims) - min(a, axis, keepdims)


# Without a derivative.


@primitive(np.argmax, vjp=None, promotes=())
def argmax(a: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the largest element, the first among equals."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


@primitive(np.argmin, vjp=None, promotes=())
def argmin(a: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the smallest element, the first among equals."""
    return np.argmin(a, axis=axis, keepdims=keepdims)


@primitive(np.all, vjp=None, promotes=())
def all(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether no element is 0."""
    return and_reduce(a, axis, None, None, keepdims)


@primitive(np.any, vjp=None, promotes=())
def any(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether some element is not 0."""
    return or_reduce(a, axis, None, None, keepdims)


@primitive(np.count_nonzero, vjp=None, promotes=())
def count_nonzero(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """How many elements are not 0."""
    return add_reduce(np.not_equal(a, 0), axis, None, None, keepdims)
