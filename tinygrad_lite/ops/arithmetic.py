"""Arithmetic of two arrays, with broadcasting."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from ..declare import primitive
from ..op import Array, Interval
from .activations import sigmoid

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


__all__ = [
    "add",
    "arctan2",
    "atan2",
    "divide",
    "float_power",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "multiply",
    "pow",
    "power",
    "subtract",
    "true_divide",
]


@primitive(np.add, vjp={"x": lambda g: g, "y": lambda g: g})
def add(x: ArrayLike, y: ArrayLike) -> Array:
    """x + y."""
    return np.add(x, y)


@primitive(np.subtract, vjp={"x": lambda g: g, "y": lambda g: -g})
def subtract(x: ArrayLike, y: ArrayLike) -> Array:
    """x - y."""
    return np.subtract(x, y)


@primitive(np.multiply, vjp={"x": lambda g, y: g * y, "y": lambda g, x: g * x})
def multiply(x: ArrayLike, y: ArrayLike) -> Array:
    """x * y."""
    return np.multiply(x, y)


@primitive(
    np.divide,
    vjp={"x": lambda g, y: g / y, "y": lambda g, x, y: -g * (x / y / y)},
    floats=True,
    domain={"y": Interval(kinks=(0.0,))},
)
def divide(x: ArrayLike, y: ArrayLike) -> Array:
    """x / y. Integers give float32."""
    return np.divide(x, y)


def _power_x(g: Array, x: Array, y: Array) -> Array:
    if isinstance(y, (int, float)):
        return g * (y * x ** (y - 1)) if y != 0 else g * 0.0
    return g * (y * np.where(np.logical_and(x == 0, y == 0), 1.0, x) ** (y - 1))


def _power_y(g: Array, x: Array, y: Array, out: Array) -> Array:
    zero = np.logical_and(x == 0, y >= 0)
    return g * np.where(zero, 0.0, out * np.log(np.where(zero, np.ones_like(out), x)))


BASES = Interval(0.0, why="a negative base has no derivative in y, and no value unless y is an integer")


@primitive(np.power, vjp={"x": _power_x, "y": _power_y}, domain={"x": BASES})
def power(x: ArrayLike, y: ArrayLike) -> Array:
    """x ** y.

    The gradient of x is 0 where y is 0, also at x = 0; that of y is 0 where x is 0 and y >= 0, and nan where x is
    negative: torch's conventions. Integers to negative integer powers are refused.
    """
    if y.__class__ is int and y == 3:
        return np.multiply(np.multiply(x, x), x)  # np.power takes a hundred times as long
    return x**y  # type: ignore[operator]  # the operator has short cuts for 2, 0.5 and -1; np.power has not


@primitive(np.float_power, vjp={"x": _power_x, "y": _power_y}, floats=True, domain={"x": BASES})
def float_power(x: ArrayLike, y: ArrayLike) -> Array:
    """x ** y in floats, so that integers may have negative powers. Float32 stays float32; else as `power`."""
    return np.power(x, y, dtype=np.result_type(x, y, np.float16))


def _unless_zero(radius: Array) -> Array:
    """What to divide by, so that a quotient at the origin is 0."""
    return np.where(radius == 0, np.inf, radius)


@primitive(
    np.hypot,
    vjp={"x": lambda g, x, out: g * (x / _unless_zero(out)), "y": lambda g, y, out: g * (y / _unless_zero(out))},
    floats=True,
    domain={"x": Interval(kinks=(0.0,))},
)
def hypot(x: ArrayLike, y: ArrayLike) -> Array:
    """sqrt(x * x + y * y), without overflow. Its gradient at the origin is 0, as of a norm (torch's hypot: nan)."""
    return np.hypot(x, y)


def _arctan2_y(g: Array, y: Array, x: Array) -> Array:
    radius = _unless_zero(np.hypot(x, y))
    return g * (x / radius / radius)


def _arctan2_x(g: Array, y: Array, x: Array) -> Array:
    radius = _unless_zero(np.hypot(x, y))
    return g * (-y / radius / radius)


@primitive(np.arctan2, vjp={"y": _arctan2_y, "x": _arctan2_x}, floats=True, domain={"y": Interval(kinks=(0.0,))})
def arctan2(y: ArrayLike, x: ArrayLike) -> Array:
    """The angle from the positive x axis to the point (x, y), from -pi to pi. Its gradient at the origin is 0."""
    return np.arctan2(y, x)


@primitive(
    np.logaddexp,
    vjp={"x": lambda g, x, y: g * sigmoid(x - y), "y": lambda g, x, y: g * sigmoid(y - x)},
    floats=True,
    wide=True,
)
def logaddexp(x: ArrayLike, y: ArrayLike) -> Array:
    """log(exp(x) + exp(y)), without overflow. The gradient is nan where both are the same infinity, as in torch."""
    return np.logaddexp(x, y)


LOG_2 = log(2)


@primitive(
    np.logaddexp2,
    vjp={"x": lambda g, x, y: g * sigmoid((x - y) * LOG_2), "y": lambda g, x, y: g * sigmoid((y - x) * LOG_2)},
    floats=True,
    wide=True,
)
def logaddexp2(x: ArrayLike, y: ArrayLike) -> Array:
    """log2(2**x + 2**y), without overflow. The gradient is nan where both are the same infinity, as in torch."""
    return np.logaddexp2(x, y)


# NumPy's other names.

atan2 = arctan2
pow = power
true_divide = divide
