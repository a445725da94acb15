"""Rounding, and the division that rounds. What is constant between jumps has the derivative 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor


__all__ = [
    "around",
    "ceil",
    "divmod",
    "fix",
    "floor",
    "floor_divide",
    "fmod",
    "mod",
    "remainder",
    "rint",
    "round",
    "trunc",
]


# Where they jump, as far as numbers are drawn by the tests.
INTEGERS = Interval(kinks=(-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0))
NONZERO_INTEGERS = Interval(kinks=(-3.0, -2.0, -1.0, 1.0, 2.0, 3.0))
HALVES = Interval(kinks=(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5))


@primitive(np.floor, vjp=lambda g: g * 0.0, domain={"x": INTEGERS})
def floor(x: ArrayLike) -> Array:
    """The largest integer that is not above x. Its derivative is 0."""
    return np.floor(x)


@primitive(np.ceil, vjp=lambda g: g * 0.0, domain={"x": INTEGERS})
def ceil(x: ArrayLike) -> Array:
    """The smallest integer that is not below x. Its derivative is 0."""
    return np.ceil(x)


@primitive(np.trunc, np.fix, vjp=lambda g: g * 0.0, domain={"x": NONZERO_INTEGERS})
def trunc(x: ArrayLike) -> Array:
    """The nearest integer on the way from x to 0. Its derivative is 0."""
    return np.trunc(x)


@primitive(np.rint, vjp=lambda g: g * 0.0, floats=True, domain={"x": HALVES})
def rint(x: ArrayLike) -> Array:
    """The nearest integer, as a float; halves go to the even one. Its derivative is 0."""
    return np.rint(x)


@primitive(np.round, np.around, vjp=lambda g: g * 0.0, domain={"a": HALVES})
def round(a: ArrayLike, decimals: int = 0) -> Array:
    """The nearest number of so many decimals, negative ones count tens; halves go to the even one.

    Its derivative is 0.
    """
    return np.round(np.asarray(a), decimals)


@primitive(np.floor_divide, vjp={"x": lambda g: g * 0.0, "y": lambda g: g * 0.0})
def floor_divide(x: ArrayLike, y: ArrayLike) -> Array:
    """The largest integer that is not above x / y. Its derivative is 0."""
    return np.floor_divide(x, y)


@primitive(np.remainder, vjp={"x": lambda g: g, "y": lambda g, x, y: -g * np.floor_divide(x, y)})
def remainder(x: ArrayLike, y: ArrayLike) -> Array:
    """x - floor(x / y) * y: the remainder that has the sign of y."""
    return np.remainder(x, y)


@primitive(np.fmod, vjp={"x": lambda g: g, "y": lambda g, x, y: -g * np.trunc(x / y)})
def fmod(x: ArrayLike, y: ArrayLike) -> Array:
    """x - trunc(x / y) * y: the remainder that has the sign of x."""
    return np.fmod(x, y)


@composite(np.divmod)
def divmod(x: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    """(floor_divide(x, y), remainder(x, y))."""
    return floor_divide(x, y), remainder(x, y)


# NumPy's other names.

around = round
fix = trunc
mod = remainder
