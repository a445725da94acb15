"""Functions of one variable, for each element. Sources of the conventions at kinks: torch's, as stated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import real_dtype
from ..declare import primitive
from ..op import Array, Interval
from ..variable import data_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


__all__ = [
    "absolute",
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cbrt",
    "check_finite",
    "copy",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "log",
    "log1p",
    "log2",
    "log10",
    "negative",
    "positive",
    "rad2deg",
    "radians",
    "reciprocal",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


POSITIVE = Interval(low=0.0)
KINK = Interval(kinks=(0.0,))
POLES = Interval(kinks=(-math.pi / 2, math.pi / 2))
LOG_2, LOG_10, DEGREE = math.log(2), math.log(10), 180 / math.pi


@primitive(np.negative, vjp=lambda g: -g)
def negative(x: ArrayLike) -> Array:
    """-x."""
    return np.negative(x)


@primitive(np.positive, vjp=lambda g: g)
def positive(x: ArrayLike) -> Array:
    """+x, a copy."""
    return np.positive(x)


def refuse_infinite(x: Any, name: str) -> None:
    """Raise FloatingPointError where there is a nan or an inf."""
    if np.ndim(x) == 0:
        if not math.isfinite(x):
            raise FloatingPointError(f"{name} is {float(x)}")
    elif not np.isfinite(x).all():
        raise FloatingPointError(f"{name} holds nan or inf")


def _checked(x: Any, name: str) -> tuple[Any, str]:
    array = np.asarray(data_of(x))
    if array.dtype.kind == "f":
        refuse_infinite(array, name)
    return x, name


@primitive(vjp=lambda g: g, prepare=_checked)
def check_finite(x: ArrayLike, name: str = "check_finite: x") -> Array:
    """+x, a copy; FloatingPointError where there is a nan or an inf: `{name} holds nan or inf`, or `{name} is nan`.

    In a program of the jit it is checked each time, in its place, so that nothing is updated with what is not finite.
    """
    return np.positive(x)


@primitive(np.absolute, vjp=lambda g, x: g * np.sign(x), domain={"x": KINK})
def absolute(x: ArrayLike) -> Array:
    """|x|. Its derivative at 0 is 0."""
    return np.absolute(x)


@primitive(np.fabs, vjp=lambda g, x: g * np.sign(x), floats=True, domain={"x": KINK})
def fabs(x: ArrayLike) -> Array:
    """|x|, in floats. Its derivative at 0 is 0."""
    return np.fabs(x)


@primitive(np.sign, vjp=lambda g: g * 0.0, domain={"x": KINK})
def sign(x: ArrayLike) -> Array:
    """-1, 0 or 1, as the sign of x. Its derivative is 0."""
    return np.sign(x)


@primitive(np.reciprocal, vjp=lambda g, out: -g * (out * out), floats=True, domain={"x": KINK})
def reciprocal(x: ArrayLike) -> Array:
    """1 / x. Integer Tensors give float32."""
    return np.reciprocal(x)


# Powers, exponentials and logarithms.


@primitive(np.square, vjp=lambda g, x: g * (2 * x))
def square(x: ArrayLike) -> Array:
    """x * x."""
    return np.square(x)


@primitive(np.sqrt, vjp=lambda g, out: g / (2 * out), floats=True, domain={"x": POSITIVE})
def sqrt(x: ArrayLike) -> Array:
    """Square root. Its derivative at 0 is inf."""
    return np.sqrt(x)


@primitive(np.cbrt, vjp=lambda g, out: g / (3 * (out * out)), floats=True, domain={"x": KINK})
def cbrt(x: ArrayLike) -> Array:
    """Cube root, also of negative numbers. Its derivative at 0 is inf."""
    return np.cbrt(x)


@primitive(np.exp, vjp=lambda g, out: g * out, floats=True)
def exp(x: ArrayLike) -> Array:
    """e to the power of x."""
    return np.exp(x)


@primitive(np.exp2, vjp=lambda g, out: g * (out * LOG_2), floats=True)
def exp2(x: ArrayLike) -> Array:
    """2 to the power of x."""
    return np.exp2(x)


@primitive(np.expm1, vjp=lambda g, out: g * (out + 1), floats=True)
def expm1(x: ArrayLike) -> Array:
    """exp(x) - 1, exact for small x."""
    return np.expm1(x)


@primitive(np.log, vjp=lambda g, x: g / x, floats=True, domain={"x": POSITIVE})
def log(x: ArrayLike) -> Array:
    """Natural logarithm."""
    return np.log(x)


@primitive(np.log2, vjp=lambda g, x: g / LOG_2 / x, floats=True, domain={"x": POSITIVE})
def log2(x: ArrayLike) -> Array:
    """Logarithm to base 2."""
    return np.log2(x)


@primitive(np.log10, vjp=lambda g, x: g / LOG_10 / x, floats=True, domain={"x": POSITIVE})
def log10(x: ArrayLike) -> Array:
    """Logarithm to base 10."""
    return np.log10(x)


@primitive(np.log1p, vjp=lambda g, x: g / (1 + x), floats=True, domain={"x": Interval(-1.0)})
def log1p(x: ArrayLike) -> Array:
    """log(1 + x), exact for small x."""
    return np.log1p(x)


# Angles are in radians.


@primitive(np.sin, vjp=lambda g, x: g * np.cos(x), floats=True)
def sin(x: ArrayLike) -> Array:
    """Sine."""
    return np.sin(x)


@primitive(np.cos, vjp=lambda g, x: -g * np.sin(x), floats=True)
def cos(x: ArrayLike) -> Array:
    """Cosine."""
    return np.cos(x)


@primitive(np.tan, vjp=lambda g, out: g * (1 + out * out), floats=True, domain={"x": POLES})
def tan(x: ArrayLike) -> Array:
    """Tangent."""
    return np.tan(x)


@primitive(np.arcsin, vjp=lambda g, x: g / np.sqrt((1 - x) * (1 + x)), floats=True, domain={"x": Interval(-1.0, 1.0)})
def arcsin(x: ArrayLike) -> Array:
    """The angle from -pi/2 to pi/2 whose sine is x. Its derivative at -1 and 1 is inf."""
    return np.arcsin(x)


@primitive(np.arccos, vjp=lambda g, x: -g / np.sqrt((1 - x) * (1 + x)), floats=True, domain={"x": Interval(-1.0, 1.0)})
def arccos(x: ArrayLike) -> Array:
    """The angle from 0 to pi whose cosine is x. Its derivative at -1 and 1 is -inf."""
    return np.arccos(x)


@primitive(np.arctan, vjp=lambda g, x: g / (1 + x * x), floats=True, wide=True)
def arctan(x: ArrayLike) -> Array:
    """The angle from -pi/2 to pi/2 whose tangent is x."""
    return np.arctan(x)


@primitive(np.degrees, np.rad2deg, vjp=lambda g: g * DEGREE, floats=True)
def degrees(x: ArrayLike) -> Array:
    """An angle in degrees, from radians."""
    return np.degrees(x)


@primitive(np.radians, np.deg2rad, vjp=lambda g: g / DEGREE, floats=True)
def radians(x: ArrayLike) -> Array:
    """An angle in radians, from degrees."""
    return np.radians(x)


def _sinc_derivative_rule(g: Array, x: Array, order: int) -> Array:
    return g * sinc_derivative(x, order + 1)


@primitive(vjp=_sinc_derivative_rule, floats=True)
def sinc_derivative(x: ArrayLike, order: int) -> Array:
    """The derivative of sinc of any order n: pi**n times the integral over t, from 0 to 1, of t**n cos(ut + n pi/2).

    There u = pi x. By parts, the integral is (sin(u + n pi/2) - n (the integral for n - 1)) / u. Where |u| < n + 1
    that loses digits, and the power series of the cosine is integrated.
    """
    u = np.multiply(x, math.pi)
    near = np.abs(u) < order + 1
    squares, divisor = np.where(near, u * u, 0.0), np.where(near, np.inf, u)
    turned = np.sin(u), np.cos(u)  # sin(u + n pi/2) is one of them, but for its sign
    series, far = 0.0, turned[0] / divisor
    for k in range(20 + 5 * order, -1, -2):
        series = series * squares + (-1) ** ((order + k) // 2) / (math.factorial(k) * (order + k + 1))
    for n in range(1, order + 1):
        far = ((-1) ** (n // 2) * turned[n % 2] - n * far) / divisor
    return np.where(near, series * u if order % 2 else series, far) * math.pi**order


@primitive(np.sinc, vjp=lambda g, x: g * sinc_derivative(x, 1), floats=True)
def sinc(x: ArrayLike) -> Array:
    """sin(pi x) / (pi x), and 1 at 0. Derivatives of any order are exact at 0, and near it."""
    return np.sinc(np.asarray(x))


# Hyperbolic functions.


@primitive(np.sinh, vjp=lambda g, x: g * np.cosh(x), floats=True)
def sinh(x: ArrayLike) -> Array:
    """Hyperbolic sine."""
    return np.sinh(x)


@primitive(np.cosh, vjp=lambda g, x: g * np.sinh(x), floats=True)
def cosh(x: ArrayLike) -> Array:
    """Hyperbolic cosine."""
    return np.cosh(x)


@primitive(np.tanh, vjp=lambda g, out: g * (1 - out * out), floats=True)
def tanh(x: ArrayLike) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(x)


@primitive(np.arcsinh, vjp=lambda g, x: g / np.hypot(x, 1.0), floats=True)
def arcsinh(x: ArrayLike) -> Array:
    """The number whose hyperbolic sine is x."""
    return np.arcsinh(x)


@primitive(np.arccosh, vjp=lambda g, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)), floats=True, domain={"x": Interval(1.0)})
def arccosh(x: ArrayLike) -> Array:
    """The number, 0 or more, whose hyperbolic cosine is x. Its derivative at 1 is inf."""
    return np.arccosh(x)


@primitive(np.arctanh, vjp=lambda g, x: g / ((1 - x) * (1 + x)), floats=True, domain={"x": Interval(-1.0, 1.0)})
def arctanh(x: ArrayLike) -> Array:
    """The number whose hyperbolic tangent is x. Its derivative at -1 and 1 is inf."""
    return np.arctanh(x)


# Copies.


@primitive(vjp=lambda g, x_shape: g, promotes=())
def astype(x: ArrayLike, dtype: type) -> Array:
    """A copy in another dtype: float, int or bool. The gradient comes back in the dtype of x; only floats carry one."""
    return np.asarray(x).astype(real_dtype("astype", dtype))


@primitive(np.copy, vjp=lambda g: g, promotes=())
def copy(x: ArrayLike, order: str = "K") -> Array:
    """The same numbers in memory of their own."""
    return np.array(x, order=order)  # type: ignore[call-overload]


# NumPy's other names.

acos, acosh, asin, asinh, atan, atanh = arccos, arccosh, arcsin, arcsinh, arctan, arctanh
deg2rad, rad2deg = radians, degrees
