"""Reductions of some of the elements: those that `where=` chooses, with `initial=` among them, and those not nan."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import table
from ..variable import data_of
from .axes import Axis, count, kept, reduced
from .norms import p_norm
from .reduction import max, min, prod, sum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

__all__ = [
    "nanargmax",
    "nanargmin",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _chosen(name: str, a: Any, where: Any, other: Any) -> Any:
    """The elements that are chosen, and another in place of the rest."""
    if where is True:
        return a
    try:
        np.broadcast_to(data_of(where), np.shape(a))
    except ValueError:
        raise ValueError(f"{name}: where= of shape {np.shape(where)} does not broadcast to {np.shape(a)}") from None
    return np.where(where, a, other)


def _number(a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many elements are chosen, in the dtype of a."""
    if where is True:
        return count(np.shape(a), axis)
    return np.sum(np.where(where, np.ones_like(a), 0), axis=axis, keepdims=keepdims)


def _lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else dtype.kind != "b" and int(np.iinfo(dtype).min)


def _highest(dtype: np.dtype[Any]) -> Any:
    return np.inf if dtype.kind == "f" else dtype.kind == "b" or int(np.iinfo(dtype).max)


def _reduction(name: str, combine: Any, identity: Callable[[np.dtype[Any]], Any]) -> Callable[..., Any]:
    """A reduction that can begin with a number, and pass over elements: they count as its identity."""
    reduce = table[name].function

    def reduction(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
        if initial is None and name in ("max", "min") and where is not True:
            raise ValueError(f"{name}: where= takes initial= beside it: what {name} is of no elements")
        chosen = _chosen(name, a, where, identity(a.dtype))
        if initial is None:
            return reduce(chosen, axis, keepdims)
        shape = np.shape(a)
        if not count(shape, axis):  # max and min have no value of their own there
            sides = [n for i, n in enumerate(kept(shape, axis)) if keepdims or i not in reduced(shape, axis)]
            return np.copy(np.broadcast_to(initial, tuple(sides))).astype(a.dtype)
        return combine(reduce(chosen, axis, keepdims), initial)

    return reduction


def _truth(name: str, identity: bool) -> Callable[..., Any]:
    reduce = table[name].function

    def reduction(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
        return reduce(_chosen(name, np.not_equal(a, 0), where, identity), axis, keepdims)

    return reduction


def _in_float32(reduction: Callable[..., Any]) -> Callable[..., Any]:
    """The same, computed in float32 for an array of float16: its sums are larger than its result."""

    @wraps(reduction)
    def run(a: Any, *args: Any, **keywords: Any) -> Any:
        if getattr(a, "dtype", None) != np.float16:  # it may be a list
            return reduction(a, *args, **keywords)
        return reduction(a.astype(np.float32), *args, **keywords).astype(np.float16)

    return run


@_in_float32
def _mean(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
    return np.sum(_chosen("mean", a, where, 0), axis=axis, keepdims=keepdims) / _number(a, axis, keepdims, where)


def _deviations(a: Any, axis: Axis, where: Any, mean: Any) -> Any:
    return _chosen("var", a - (_mean(a, axis, True, where) if mean is None else mean), where, 0.0)


@_in_float32
def _var(
    a: Any,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    deviations = _deviations(a, axis, where, mean)
    divisor = _number(a, axis, keepdims, where) - (ddof if correction is None else correction)
    return np.sum(deviations * deviations, axis=axis, keepdims=keepdims) / divisor


@_in_float32
def _std(
    a: Any,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    deviations = _deviations(a, axis, where, mean)
    if mean is None and count(np.shape(a), axis):  # as in std: of equal elements it is 0, and so is its gradient
        largest = np.max(_chosen("std", a, where, -np.inf), axis=axis, keepdims=True)
        equal = largest <= np.min(_chosen("std", a, where, np.inf), axis=axis, keepdims=True)
        deviations = np.where(equal, 0.0, deviations)
    divisor = _number(a, axis, keepdims, where) - (ddof if correction is None else correction)
    return p_norm(deviations, 2.0, axis, keepdims) / np.sqrt(divisor)


def _present(a: Any, where: Any = True) -> Any:
    return np.logical_and(np.logical_not(np.isnan(a)), where)


def _of_those_present(name: str) -> Callable[..., Any]:
    """A reduction that passes over what is nan, too."""
    reduction = REDUCTIONS[name]

    def of_those(a: Any, *args: Any, where: Any = True, **keywords: Any) -> Any:
        _chosen(f"nan{name}", a, where, 0)  # says what is wrong with where=
        return reduction(a, *args, where=_present(a, where), **keywords)

    of_those.__signature__ = inspect.signature(reduction)  # type: ignore[attr-defined]
    return of_those


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "all": _truth("all", True),
    "any": _truth("any", False),
    "max": _reduction("max", np.maximum, _lowest),
    "mean": _mean,
    "min": _reduction("min", np.minimum, _highest),
    "prod": _reduction("prod", np.multiply, lambda dtype: 1),
    "std": _std,
    "sum": _reduction("sum", np.add, lambda dtype: 0),
    "var": _var,
}
"""What answers, by the operation's name, where NumPy's function is given keywords that the operation has not."""

REDUCTIONS |= {f"nan{name}": _of_those_present(name) for name in ("max", "mean", "min", "prod", "std", "sum", "var")}


@composite(np.nansum)
def nansum(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum of the elements that are not nan."""
    return sum(np.where(np.isnan(a), 0, a), axis, keepdims)


@composite(np.nanprod)
def nanprod(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product of the elements that are not nan."""
    return prod(np.where(np.isnan(a), 1, a), axis, keepdims)


@composite(np.nanmean, floats=True)
def nanmean(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean of the elements that are not nan; nan where there is none."""
    return _mean(a, axis, keepdims, _present(a))


@composite(np.nanvar, floats=True)
def nanvar(a: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Variance of the elements that are not nan; nan where there are none."""
    return _var(a, axis, ddof, keepdims, _present(a))


@composite(np.nanstd, floats=True, ties=True)
def nanstd(a: ArrayLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Standard deviation of the elements that are not nan. Its gradient is 0 where all of them are equal."""
    return _std(a, axis, ddof, keepdims, _present(a))


@composite(np.nanmax, ties=True)
def nanmax(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element that is not nan; nan where all are. Ties share the gradient as those of `max` do."""
    return _of_present(max, -np.inf, a, axis, keepdims)


@composite(np.nanmin, ties=True)
def nanmin(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element that is not nan; nan where all are. Ties share the gradient as those of `min` do."""
    return _of_present(min, np.inf, a, axis, keepdims)


def _of_present(extreme: Any, worst: float, a: Any, axis: Axis, keepdims: bool) -> Any:
    missing = np.isnan(a)
    if a.dtype.kind != "f":
        return extreme(a, axis, keepdims)
    result = extreme(np.where(missing, worst, a), axis, keepdims)
    return np.where(np.all(missing, axis=axis, keepdims=keepdims), np.nan, result)


@primitive(np.nanargmax, vjp=None, promotes=())
def nanargmax(a: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the largest element that is not nan, the first among equals. Raises ValueError where all are nan."""
    return np.nanargmax(a, axis=axis, keepdims=keepdims)


@primitive(np.nanargmin, vjp=None, promotes=())
def nanargmin(a: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the smallest element that is not nan, the first among equals. Raises ValueError where all are nan."""
    return np.nanargmin(a, axis=axis, keepdims=keepdims)
