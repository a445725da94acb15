"""Reductions to what stands at some place when all elements are in order: median, quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import refuse_unknown_gradient
from ..declare import composite, primitive
from ..op import Array
from .axes import Axis, Shape, checked, count, kept, reduced, rows
from .reduction import shares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "median",
    "percentile",
    "quantile",
]


def _order_statistics_rule(g: Array, a: Array, out: Array, a_shape: Shape, axis: Axis) -> Array:
    axes = tuple([i + 1 for i in reduced(a_shape, axis)])
    return np.sum(shares(g, a == out, axes), axis=0)


@primitive(vjp=_order_statistics_rule, ties=True)
def order_statistics(a: ArrayLike, ranks: tuple[int, ...], axis: Axis = None) -> Array:
    """The elements of the given ranks, 0 for the smallest: (...) -> (R, ...), with ones for the axes reduced.

    Each of them shares its gradient equally with its equals, as torch.median does. All of them are nan where one of
    the elements is, or where there are none.
    """
    a = np.asarray(a)
    elements = rows(a, checked(a.shape, axis))
    n = elements.shape[-1]
    if not n:
        return np.full((len(ranks), *kept(a.shape, axis)), np.nan, a.dtype)
    ordered = np.partition(elements, (*ranks, n - 1), axis=-1)
    found = np.where(np.isnan(ordered[..., -1:]), np.nan, ordered[..., list(ranks)])  # nan comes last
    return np.moveaxis(found, -1, 0).reshape(len(ranks), *kept(a.shape, axis))


def _without(result: Any, front: Shape, shape: Shape, axes: Shape, keepdims: bool) -> Any:
    """What was found, with other axes in front, and without those that are reduced unless they are kept."""
    sides = [1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes]
    return np.reshape(result, (*front, *sides))


@composite(np.median, floats=True, ties=True)
def median(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """The element in the middle of all in order; of an even number, the mean of the two in the middle.

    Each of these two gets half of the gradient, and shares it with its equals (as torch.median does). nan where one of
    the elements is nan, or where there are none.
    """
    shape = np.shape(a)
    axes = checked(shape, axis)
    n = count(shape, axes)
    found = order_statistics(a, ((n - 1) // 2, n // 2), axes)
    return _without(0.5 * found[0] + 0.5 * found[1], (), shape, axes, keepdims)


WEIGHTS: dict[str, Any] = {  # of the upper one of two neighbours, from how far it is to go from the lower one
    "linear": lambda part: part,
    "lower": lambda part: 0.0 * part,
    "higher": lambda part: np.ceil(part),
    "midpoint": lambda part: 0.5 * np.ceil(part),
}


@composite(np.quantile, floats=True, promotes=("a",), ties=True)
def quantile(a: ArrayLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """What a fraction q of the elements is below, between its neighbours: q (Q...) -> (Q..., ...).

    method: 'linear' between the two neighbours, the 'lower' or 'higher' one of them, or the 'midpoint'. Ties share
    the gradient as those of `median` do. q is a number, or numbers, from 0 to 1; it has no gradient.
    """
    return _quantile("quantile", a, q, 1, axis, method, keepdims)


@composite(np.percentile, floats=True, promotes=("a",), ties=True)
def percentile(a: ArrayLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As `quantile`, with q from 0 to 100."""
    return _quantile("percentile", a, q, 100, axis, method, keepdims)


def _quantile(name: str, a: Any, q: Any, whole: int, axis: Axis, method: str, keepdims: bool) -> Any:
    refuse_unknown_gradient(name, "q", q)
    if method not in WEIGHTS:
        raise ValueError(f"{name}: method {method!r} is not supported; give one of {', '.join(WEIGHTS)}")
    fractions = np.asarray(q, float)
    if not ((fractions >= 0) & (fractions <= whole)).all():
        raise ValueError(f"{name}: q must lie from 0 to {whole}, got {q!r:.60}")
    shape = np.shape(a)
    axes = checked(shape, axis)
    last = max(count(shape, axes) - 1, 0)
    places = (fractions / whole * last).reshape(-1)
    low = np.floor(places).astype(int)
    found = order_statistics(a, (*low.tolist(), *np.minimum(low + 1, last).tolist()), axes)
    lower, upper = found[: low.size], found[low.size :]
    weight = WEIGHTS[method](places - low).reshape(-1, *[1] * len(shape)).astype(found.dtype)
    return _without(lower * (1 - weight) + upper * weight, fractions.shape, shape, axes, keepdims)
