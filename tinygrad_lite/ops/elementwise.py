"""Operations on each element, with broadcasting. Sources of the conventions at kinks: torch's, as stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arguments import real_dtype
from ..graph import primitive
from ..op import Array, Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "absolute",
    "add",
    "copy",
    "divide",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "sign",
    "sqrt",
    "subtract",
    "tanh",
    "where",
]

POSITIVE = Interval(low=0.0)


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
    vjp={"x": lambda g, y: g / y, "y": lambda g, x, y: -g * x / (y * y)},
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


@primitive(
    np.power,
    vjp={"x": _power_x, "y": _power_y},
    domain={"x": Interval(0.0, why="a negative base has no derivative in y, and no value unless y is an integer")},
)
def power(x: ArrayLike, y: ArrayLike) -> Array:
    """x ** y.

    The gradient of x is 0 where y is 0, also at x = 0; that of y is 0 where x is 0 and y >= 0, and nan where x is
    negative: torch's conventions. Integers to negative integer powers are refused.
    """
    if y.__class__ is int and y == 3:
        return np.multiply(np.multiply(x, x), x)  # np.power takes a hundred times as long
    return x**y  # type: ignore[operator]  # the operator has short cuts for 2, 0.5 and -1; np.power has not


@primitive(np.negative, vjp=lambda g: -g)
def negative(x: ArrayLike) -> Array:
    """-x."""
    return np.negative(x)


@primitive(np.exp, vjp=lambda g, out: g * out, floats=True)
def exp(x: ArrayLike) -> Array:
    """e to the power of x."""
    return np.exp(x)


@primitive(np.log, vjp=lambda g, x: g / x, floats=True, domain={"x": POSITIVE})
def log(x: ArrayLike) -> Array:
    """Natural logarithm."""
    return np.log(x)


@primitive(np.sqrt, vjp=lambda g, out: g / (2 * out), floats=True, domain={"x": POSITIVE})
def sqrt(x: ArrayLike) -> Array:
    """Square root. Its derivative at 0 is inf."""
    return np.sqrt(x)


@primitive(np.tanh, vjp=lambda g, out: g * (1 - out * out), floats=True)
def tanh(x: ArrayLike) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(x)


@primitive(vjp=lambda g, out: g * (out * (1 - out)), floats=True)
def sigmoid(x: ArrayLike) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * np.tanh(np.multiply(x, 0.5)) + 0.5


@primitive(vjp=lambda g, out: g * (out > 0), domain={"x": Interval(kinks=(0.0,))})
def relu(x: ArrayLike) -> Array:
    """x where it is positive, else 0. Its derivative at 0 is 0."""
    return np.maximum(x, 0)


@primitive(np.absolute, vjp=lambda g, x: g * np.sign(x), domain={"x": Interval(kinks=(0.0,))})
def absolute(x: ArrayLike) -> Array:
    """|x|. Its derivative at 0 is 0."""
    return np.absolute(x)


@primitive(np.sign, vjp=lambda g: g * 0.0, domain={"x": Interval(kinks=(0.0,))})
def sign(x: ArrayLike) -> Array:
    """-1, 0 or 1, as the sign of x. Its derivative is 0."""
    return np.sign(x)


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
    np.where,
    vjp={
        "x": lambda g, condition: np.where(condition, g, 0.0),
        "y": lambda g, condition: np.where(condition, 0.0, g),
    },
)
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Array:
    """x where the condition holds, else y."""
    if np.asarray(condition).dtype.kind not in "biuf":
        raise TypeError(f"where: the condition must be bools, got {condition!r:.40}")
    return np.where(condition, x, y)


@primitive(vjp=lambda g, x_shape: g, promotes=())
def astype(x: ArrayLike, dtype: type) -> Array:
    """A copy in another dtype: float, int or bool. The gradient comes back in the dtype of x; only floats carry one."""
    return np.asarray(x).astype(real_dtype("astype", dtype))


@primitive(np.copy, vjp=lambda g: g, promotes=())
def copy(x: ArrayLike) -> Array:
    """The same numbers in memory of their own."""
    return np.array(x)


# Without a derivative.


@primitive(np.equal, vjp=None, promotes=("x", "y"))
def equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x == y, as bools."""
    return np.equal(x, y)


@primitive(np.not_equal, vjp=None, promotes=("x", "y"))
def not_equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x != y, as bools."""
    return np.not_equal(x, y)


@primitive(np.less, vjp=None, promotes=("x", "y"))
def less(x: ArrayLike, y: ArrayLike) -> Array:
    """x < y, as bools."""
    return np.less(x, y)


@primitive(np.less_equal, vjp=None, promotes=("x", "y"))
def less_equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x <= y, as bools."""
    return np.less_equal(x, y)


@primitive(np.greater, vjp=None, promotes=("x", "y"))
def greater(x: ArrayLike, y: ArrayLike) -> Array:
    """x > y, as bools."""
    return np.greater(x, y)


@primitive(np.greater_equal, vjp=None, promotes=("x", "y"))
def greater_equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x >= y, as bools."""
    return np.greater_equal(x, y)


@primitive(np.logical_and, vjp=None, promotes=("x", "y"))
def logical_and(x: ArrayLike, y: ArrayLike) -> Array:
    """x and y, as bools."""
    return np.logical_and(x, y)


@primitive(np.logical_or, vjp=None, promotes=("x", "y"))
def logical_or(x: ArrayLike, y: ArrayLike) -> Array:
    """x or y, as bools."""
    return np.logical_or(x, y)


@primitive(np.logical_not, vjp=None, promotes=())
def logical_not(x: ArrayLike) -> Array:
    """not x, as bools."""
    return np.logical_not(x)


@primitive(np.isnan, vjp=None, promotes=())
def isnan(x: ArrayLike) -> Array:
    """Whether x is nan."""
    return np.isnan(x)


@primitive(np.isinf, vjp=None, promotes=())
def isinf(x: ArrayLike) -> Array:
    """Whether x is inf or -inf."""
    return np.isinf(x)


@primitive(np.isfinite, vjp=None, promotes=())
def isfinite(x: ArrayLike) -> Array:
    """Whether x is neither nan nor infinite."""
    return np.isfinite(x)
