"""Operations that run along an axis: sums and products so far, and differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..declare import composite, primitive
from ..op import Array
from ..variable import Variable, make, variables_in
from .axes import Axis, Shape, along, checked, flip

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "gradient",
    "nancumprod",
    "nancumsum",
]


def _last(a: Array, axis: int | None) -> Array:
    """The axis of a scan as the last one; None is the only axis of all elements in a row."""
    return np.reshape(a, -1) if axis is None or not np.ndim(a) else np.swapaxes(a, axis, -1)


def _back(a: Array, shape: Shape, axis: int | None) -> Array:
    """The array of which `_last` made this one, in its shape."""
    return np.reshape(a, shape) if axis is None or not shape else np.swapaxes(a, axis, -1)


def _cumsum_rule(g: Array, a_shape: Shape, axis: int | None) -> Array:
    return _back(flip(np.cumsum(flip(_last(g, axis)), axis=-1)), a_shape, axis)


@primitive(np.cumsum, vjp=_cumsum_rule)
def cumsum(a: ArrayLike, axis: int | None = None) -> Array:
    """Sum of all elements up to each one, along an axis; of all elements in a row, if axis is None."""
    return np.cumsum(np.asarray(a), axis)


def _cumprod_rule(g: Array, a: Array, a_shape: Shape, axis: int | None) -> Array:
    x, y_grad = [_last(each, axis).astype(np.float64) for each in (a, g)]
    before = np.concatenate([np.ones_like(x[..., :1]), np.cumprod(x[..., :-1], axis=-1)], axis=-1)
    after = flip(recurrence(flip(x[..., 1:]), flip(y_grad)))  # sums of g by the products from x to there
    return _back(before * after, a_shape, axis)


@primitive(np.cumprod, vjp=_cumprod_rule)
def cumprod(a: ArrayLike, axis: int | None = None) -> Array:
    """Product of all elements up to each one, along an axis; of all elements in a row, if axis is None.

    Its derivatives of all orders are exact, and finite, also where elements are 0: nothing is divided by them. They
    take the products of all elements between any two, in float64: there those must not overflow.
    """
    return np.cumprod(np.asarray(a), axis)


def _recurrence_rule(g: Array, factors: Array, out: Array) -> Any:
    of_terms = flip(recurrence(flip(factors), flip(g)))
    return out[..., :-1] * of_terms[..., 1:], of_terms


@primitive(vjp=_recurrence_rule)
def recurrence(factors: ArrayLike, terms: ArrayLike) -> Array:
    """y[i] = factors[i - 1] * y[i - 1] + terms[i], along the last axis: (..., N - 1), (..., N) -> (..., N).

    It takes log2(N) steps on whole arrays: each lets every element reach twice as far back. Its gradient is again a
    recurrence, that runs backwards. Source: Hillis and Steele, "Data parallel algorithms", 1986.
    """
    factors, terms = np.asarray(factors), np.asarray(terms)
    if not terms.ndim or factors.shape != (*terms.shape[:-1], max(terms.shape[-1] - 1, 0)):
        raise ValueError(
            f"recurrence: takes factors (..., N - 1) and terms (..., N), got {factors.shape} and {terms.shape}"
        )
    y = terms.copy()
    reach = np.concatenate([np.zeros_like(terms[..., :1]), factors], axis=-1)
    step = 1
    while step < y.shape[-1]:
        y[..., step:] += reach[..., step:] * y[..., :-step]
        reach[..., step:] *= reach[..., :-step]
        step *= 2
    return y


@composite(getattr(np, "cumulative_sum", None))
def cumulative_sum(x: ArrayLike, axis: int | None = None, include_initial: bool = False) -> Any:
    """As `cumsum`; with the 0 before the first element, if `include_initial`. Only a vector needs no axis."""
    return _cumulative("cumulative_sum", np.cumsum, np.zeros_like, x, axis, include_initial)


@composite(getattr(np, "cumulative_prod", None))
def cumulative_prod(x: ArrayLike, axis: int | None = None, include_initial: bool = False) -> Any:
    """As `cumprod`; with the 1 before the first element, if `include_initial`. Only a vector needs no axis."""
    return _cumulative("cumulative_prod", np.cumprod, np.ones_like, x, axis, include_initial)


def _cumulative(name: str, scan: Any, first: Any, x: Any, axis: int | None, include_initial: bool) -> Any:
    if axis is None and np.ndim(x) != 1:
        raise ValueError(f"{name}: takes axis= for an array that is no vector, got {np.shape(x)}")
    i = normalize_axis_index(axis or 0, np.ndim(x))
    result = scan(x, axis=i)
    if not include_initial:
        return result
    shape = (*np.shape(x)[:i], 1, *np.shape(x)[i + 1 :])
    return np.concatenate([np.broadcast_to(first(result, shape=()), shape), result], axis=i)


@composite(np.nancumsum)
def nancumsum(a: ArrayLike, axis: int | None = None) -> Tensor:
    """As `cumsum`, with nan counted as 0."""
    return cumsum(np.where(np.isnan(a), 0, a), axis)


@composite(np.nancumprod)
def nancumprod(a: ArrayLike, axis: int | None = None) -> Tensor:
    """As `cumprod`, with nan counted as 1."""
    return cumprod(np.where(np.isnan(a), 1, a), axis)


@composite(np.diff)
def diff(
    a: ArrayLike, n: int = 1, axis: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None
) -> Any:
    """Each element less the one before it, n times over; of bools, whether they differ.

    prepend, append: what comes before and after a along the axis, first of all. Numbers stand for one element.
    """
    if n < 0:
        raise ValueError(f"diff: n must be 0 or more, got {n}")
    shape = np.shape(a)
    if not shape:
        raise ValueError("diff: takes an array of one axis or more, got a number")
    if not n:
        return a
    i = normalize_axis_index(axis, len(shape))
    one = (*shape[:i], 1, *shape[i + 1 :])
    parts = [part if np.ndim(part) else np.broadcast_to(part, one) for part in (prepend, a, append) if part is not None]
    result: Any = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=i)
    minus = np.not_equal if result.dtype == bool else np.subtract
    for _ in range(n):
        result = minus(result[along(i, slice(1, None))], result[along(i, slice(None, -1))])
    return result


@composite(np.gradient, floats=True)
def gradient(f: ArrayLike, *varargs: ArrayLike, axis: Axis = None, edge_order: int = 1) -> Any:
    """Slopes of samples by differences: one array for the only axis, or a tuple with one for each axis.

    varargs: the distance of the samples, or for each axis a distance or the places (N,) of the samples; 1 if there
    are none. Within, the slope is that of the parabola through three neighbours; at the ends that of the line through
    two, or with edge_order=2 that of the parabola.
    """
    shape = np.shape(f)
    axes = checked(shape, axis)
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 < len(axes) and np.ndim(varargs[0])):
        raise TypeError(f"gradient: takes no spacing, one number, or one spacing for each of {len(axes)} axes")
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order must be 1 or 2, got {edge_order!r:.40}")
    given = next(variables_in((f, *varargs)), None)
    if given is not None and not isinstance(f, Variable):  # for each of the results to be a Tensor
        f = make(given._result, np.array(f))
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    slopes = tuple([_slopes(f, spacing, i, edge_order) for spacing, i in zip(spacings, axes, strict=True)])
    return slopes[0] if len(axes) == 1 else slopes


def _slopes(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    n = np.shape(f)[axis]
    if n <= edge_order:
        raise ValueError(f"gradient: edge_order={edge_order} takes {edge_order + 1} samples or more, got {n}")
    if np.ndim(spacing) > 1 or np.shape(spacing) not in ((), (n,)):
        raise ValueError(f"gradient: the places of {n} samples must be ({n},), got {np.shape(spacing)}")
    steps: Any = diff(spacing) if np.ndim(spacing) else np.broadcast_to(spacing, (n - 1,))
    if steps.dtype != f.dtype and f.dtype.kind == "f":
        steps = steps.astype(f.dtype)
    rises = diff(np.swapaxes(f, axis, -1)) / steps
    before, after = rises[..., :-1], rises[..., 1:]
    left = steps[1:] / (steps[:-1] + steps[1:])  # the weight of the slope before
    within = left * before + (1 - left) * after
    first, last = rises[..., :1], rises[..., -1:]
    if edge_order == 2:  # the slope of a parabola grows evenly
        first, last = 2 * first - within[..., :1], 2 * last - within[..., -1:]
    return np.swapaxes(np.concatenate([first, within, last], axis=-1), axis, -1)
