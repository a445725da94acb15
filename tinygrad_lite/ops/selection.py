"""Operations that choose, for each element, one of several values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor


__all__ = [
    "clip",
    "copysign",
    "fmax",
    "fmin",
    "heaviside",
    "maximum",
    "minimum",
    "nan_to_num",
    "where",
]


@primitive(
    np.maximum,
    vjp={
        "x": lambda g, x, y: np.where(x == y, 0.5 * g, np.where(x < y, 0.0, g)),
        "y": lambda g, x, y: np.where(x == y, 0.5 * g, np.where(y < x, 0.0, g)),
    },
    ties=True,
)
def maximum(x: ArrayLike, y: ArrayLike) -> Array:
    """The larger of x and y. Where they are equal, each gets half of the gradient."""
    return np.maximum(x, y)


@primitive(
    np.minimum,
    vjp={
        "x": lambda g, x, y: np.where(x == y, 0.5 * g, np.where(x > y, 0.0, g)),
        "y": lambda g, x, y: np.where(x == y, 0.5 * g, np.where(y > x, 0.0, g)),
    },
    ties=True,
)
def minimum(x: ArrayLike, y: ArrayLike) -> Array:
    """The smaller of x and y. Where they are equal, each gets half of the gradient."""
    return np.minimum(x, y)


@primitive(
    np.fmax,
    vjp={
        "x": lambda g, x, y: np.where(np.logical_or(x >= y, np.isnan(y)), g, 0.0),
        "y": lambda g, x, y: np.where(np.logical_or(x >= y, np.isnan(y)), 0.0, g),
    },
    ties=True,
)
def fmax(x: ArrayLike, y: ArrayLike) -> Array:
    """The larger of x and y; where one is nan, the other. Where they are equal, x gets the gradient (torch's fmax)."""
    return np.fmax(x, y)


@primitive(
    np.fmin,
    vjp={
        "x": lambda g, x, y: np.where(np.logical_or(x <= y, np.isnan(y)), g, 0.0),
        "y": lambda g, x, y: np.where(np.logical_or(x <= y, np.isnan(y)), 0.0, g),
    },
    ties=True,
)
def fmin(x: ArrayLike, y: ArrayLike) -> Array:
    """The smaller of x and y; where one is nan, the other. Where they are equal, x gets the gradient (torch's fmin)."""
    return np.fmin(x, y)


def _within(g: Array, x: Array, low: Array | None, high: Array | None) -> Array:
    if low is None or high is None:
        return g if low is high else np.where(x <= high if low is None else x >= low, g, 0.0)
    return np.where(np.logical_and(x >= low, x <= high), g, 0.0)


def _below(g: Array, x: Array, low: Array, high: Array | None) -> Array:
    return np.where(x < low if high is None else np.logical_and(x < low, low < high), g, 0.0)


def _above(g: Array, x: Array, low: Array | None, high: Array) -> Array:
    return np.where(x > high if low is None else np.logical_or(x > high, high < low), g, 0.0)


@primitive(vjp={"x": _within, "low": _below, "high": _above}, ties=True)
def clamp(x: ArrayLike, low: ArrayLike | None = None, high: ArrayLike | None = None) -> Array:
    """x, but low where it is below, and high where it is above, or low is. What is None sets no limit.

    At the limits x gets the gradient; a nan gets none (torch's clamp).
    """
    return np.clip(x, low, high)


@composite(np.clip, ties=True)
def clip(
    a: ArrayLike,
    a_min: ArrayLike | None = None,
    a_max: ArrayLike | None = None,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
) -> Tensor:
    """a within the limits a_min and a_max, or min and max, as NumPy names them too; None sets no limit.

    At the limits a gets the gradient; a nan gets none (torch's clamp). Raises TypeError where a limit is given twice.
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise TypeError("clip: a limit is given twice; min is another name of a_min, and max of a_max")
    return clamp(a, min if a_min is None else a_min, max if a_max is None else a_max)


@primitive(
    np.where,
    vjp={
        "x": lambda g, condition: np.where(condition, g, 0.0),
        "y": lambda g, condition: np.where(condition, 0.0, g),
    },
)
def where(condition: ArrayLike, x: ArrayLike | None = None, y: ArrayLike | None = None) -> Array:
    """x where the condition holds, else y. Raises TypeError where one of them is left out."""
    if x is None or y is None:
        raise TypeError("where: takes a condition, x and y; the indices where a condition holds are its nonzero()")
    if np.asarray(condition).dtype.kind not in "biuf":
        raise TypeError(f"where: the condition must be bools, got {condition!r:.40}")
    return np.where(condition, x, y)


@primitive(
    np.copysign,
    vjp={"x": lambda g, x, out: g * (np.sign(x) * np.sign(out)), "y": lambda g: g * 0.0},
    floats=True,
    domain={"x": Interval(kinks=(0.0,)), "y": Interval(kinks=(0.0,))},
)
def copysign(x: ArrayLike, y: ArrayLike) -> Array:
    """|x| with the sign of y. The derivative by x at 0 is 0, that by y is 0 everywhere."""
    return np.copysign(x, y)


@primitive(
    np.heaviside,
    vjp={"x": lambda g: g * 0.0, "y": lambda g, x: np.where(x == 0, g, 0.0)},
    floats=True,
    domain={"x": Interval(kinks=(0.0,))},
)
def heaviside(x: ArrayLike, y: ArrayLike) -> Array:
    """0 where x is negative, y where it is 0, 1 where it is positive. The derivative by x is 0."""
    return np.heaviside(x, y)


@primitive(np.nan_to_num, vjp=lambda g, x: np.where(np.isfinite(x), g, 0.0))
def nan_to_num(
    x: ArrayLike, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """x with numbers for nan and the infinities; for these, unless given, the largest and smallest of the dtype.

    What was replaced gets no gradient. Raises ValueError for copy=False: nothing is written in place.
    """
    if not copy:
        raise ValueError("nan_to_num: copy=False is not supported; write t[...] = nan_to_num(t)")
    return np.nan_to_num(x, True, nan, posinf, neginf)
