"""The operations of Value, each with its judge on complex numbers, and the region where it is smooth."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable

from tinygrad_lite.engine import Value


def anywhere(*_: float) -> bool:
    return True


def off_kink(x: float) -> bool:
    return abs(x) > 1e-9  # further than a complex step leads


# Each operation three times: on Values, on complex numbers (the judge), and the region where it is smooth.
OPERATIONS: dict[str, tuple[Callable[..., Value], Callable[..., complex], Callable[..., bool]]] = {
    "x + y": (operator.add, operator.add, anywhere),
    "x - y": (operator.sub, operator.sub, anywhere),
    "x * y": (operator.mul, operator.mul, anywhere),
    "x / y": (operator.truediv, operator.truediv, lambda x, y: abs(y) > 0.1),
    "x ** y": (operator.pow, lambda x, y: cmath.exp(y * cmath.log(x)), lambda x, y: x > 0.1),
    "x + 2": (lambda x: x + 2, lambda x: x + 2, anywhere),
    "2 + x": (lambda x: 2 + x, lambda x: x + 2, anywhere),
    "x - 2": (lambda x: x - 2, lambda x: x - 2, anywhere),
    "2 - x": (lambda x: 2 - x, lambda x: 2 - x, anywhere),
    "x * 3": (lambda x: x * 3, lambda x: x * 3, anywhere),
    "3 * x": (lambda x: 3 * x, lambda x: x * 3, anywhere),
    "x / 3": (lambda x: x / 3, lambda x: x / 3, anywhere),
    "3 / x": (lambda x: 3 / x, lambda x: 3 / x, lambda x: abs(x) > 0.1),
    "x ** 2": (lambda x: x**2, lambda x: x * x, anywhere),
    "x ** 3": (lambda x: x**3, lambda x: x * x * x, anywhere),
    "x ** -2": (lambda x: x**-2, lambda x: 1 / (x * x), lambda x: abs(x) > 0.1),
    "x ** 1.5": (lambda x: x**1.5, lambda x: x * cmath.sqrt(x), lambda x: x > 0.1),
    "x ** 0": (lambda x: x**0, lambda x: 1 + 0 * x, anywhere),
    "2 ** x": (lambda x: 2**x, lambda x: cmath.exp(x * math.log(2)), lambda x: x < 9),
    "0.5 ** x": (lambda x: 0.5**x, lambda x: cmath.exp(-x * math.log(2)), lambda x: x > -9),
    "-x": (operator.neg, operator.neg, anywhere),
    "exp": (Value.exp, cmath.exp, lambda x: x < 6),
    "log": (Value.log, cmath.log, lambda x: x > 0.1),
    "sqrt": (Value.sqrt, cmath.sqrt, lambda x: x > 0.1),
    "sin": (Value.sin, cmath.sin, anywhere),
    "cos": (Value.cos, cmath.cos, anywhere),
    "tanh": (Value.tanh, cmath.tanh, anywhere),
    "sigmoid": (Value.sigmoid, lambda x: 1 / (1 + cmath.exp(-x)), anywhere),
    "relu": (Value.relu, lambda x: x if x.real > 0 else 0 * x, off_kink),
    "abs": (Value.abs, lambda x: x if x.real > 0 else -x, off_kink),
    "abs()": (abs, lambda x: x if x.real > 0 else -x, off_kink),
}
BINARY = [name for name in OPERATIONS if "y" in name]
