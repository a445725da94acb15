"""Activations of neural networks. All of them are stable far out."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval
from .indexing import getitem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor


KINK = Interval(kinks=(0.0,))


@primitive(vjp=lambda g, out: g * (out * (1 - out)), floats=True, wide=True)
def sigmoid(x: ArrayLike) -> Array:
    """1 / (1 + exp(-x)), exact far out too."""
    with np.errstate(over="ignore"):  # exp(-x) may become inf: 1 / inf is right
        return 1 / (1 + np.exp(np.multiply(x, -1.0)))


@primitive(vjp=lambda g, out: g * (out != 0), domain={"x": KINK})
def relu(x: ArrayLike) -> Array:
    """x where it is positive, else 0. Its derivative at 0 is 0, and that of nan is 1 (torch's relu)."""
    return np.maximum(x, 0)


@primitive(vjp=lambda g, x, negative_slope: np.where(x > 0, g, negative_slope * g), floats=True, domain={"x": KINK})
def leaky_relu(x: ArrayLike, negative_slope: float = 0.01) -> Array:
    """x where it is positive, else negative_slope * x. Its derivative at 0 is negative_slope.

    Source: Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """
    x = np.asarray(x)
    return np.where(x > 0, x, negative_slope * x)


def _elu_rule(g: Array, x: Array, alpha: float) -> Array:
    return np.where(x > 0, g, g * (alpha * np.exp(np.where(x < 0, x, 0.0))))


@primitive(vjp=_elu_rule, floats=True, domain={"x": KINK})
def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """x where it is positive, else alpha * (exp(x) - 1). Its derivative at 0 is alpha, its second 0 (torch's elu).

    Source: Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2015.
    """
    return np.where(np.greater(x, 0), x, alpha * np.expm1(np.minimum(x, 0)))


ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def _selu_rule(g: Array, x: Array) -> Array:
    return np.where(x > 0, SCALE * g, g * (SCALE * ALPHA * np.exp(np.where(x < 0, x, 0.0))))


@primitive(vjp=_selu_rule, floats=True, domain={"x": KINK})
def selu(x: ArrayLike) -> Array:
    """SCALE * elu(x, ALPHA), which keeps mean 0 and variance 1 from layer to layer.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """
    return np.where(np.greater(x, 0), np.multiply(x, SCALE), SCALE * ALPHA * np.expm1(np.minimum(x, 0)))


def _gelu_rule(g: tuple[Array, Array], x: Array, tanh: Array) -> Array:
    g_out, g_tanh = g
    slope = (1 - tanh * tanh) * (GELU_1 + 3 * GELU_3 * np.minimum(x * x, FAR))  # of tanh
    grad = 0.0 if g_out is None else g_out * (0.5 * (1 + tanh) + 0.5 * x * slope)
    return grad if g_tanh is None else grad + g_tanh * slope  # the way of the second derivative


GELU_1, GELU_3 = sqrt(2 / pi), sqrt(2 / pi) * 0.044715
FAR = 400.0  # the tanh of 20 and more is 1, and so is left alone by what overflows


@primitive(vjp=_gelu_rule, outputs=("out", "tanh"), hidden=1, floats=True)
def gelu(x: ArrayLike) -> Array:
    """x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2: near x times the normal distribution function at x.

    It is torch's gelu(approximate="tanh"). `tanh` serves the rule.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    x = np.asarray(x)
    tanh = np.tanh(x * (GELU_1 + GELU_3 * np.minimum(x * x, FAR)))
    return 0.5 * x * (1 + tanh), tanh


def _silu_rule(g: tuple[Array, Array], out: Array, gate: Array) -> Array:
    g_out, g_gate = g
    grad = 0.0 if g_out is None else g_out * (gate + out * (1 - gate))
    return grad if g_gate is None else grad + g_gate * (gate * (1 - gate))  # the way of the second derivative


@primitive(vjp=_silu_rule, outputs=("out", "gate"), hidden=1, floats=True, wide=True)
def silu(x: ArrayLike) -> Array:
    """x * sigmoid(x), also known as swish. `gate`, the sigmoid, serves the rule.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    gate = sigmoid(x)
    return np.multiply(x, gate), gate


@primitive(vjp=lambda g, x, beta: g * sigmoid(beta * x), floats=True, wide=True)
def softplus(x: ArrayLike, beta: float = 1.0) -> Array:
    """log(1 + exp(beta * x)) / beta, without overflow."""
    return np.logaddexp(np.multiply(x, beta), 0) / beta


@primitive(
    vjp=lambda g, x, min_val, max_val: np.where(np.logical_and(x > min_val, x < max_val), g, 0.0),
    floats=True,
    domain={"x": Interval(kinks=(-1.0, 1.0))},
)
def hardtanh(x: ArrayLike, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """x within the limits. Its derivative at the limits is 0, unlike that of clip."""
    return np.clip(x, min_val, max_val)


@primitive(vjp=lambda g, x: g / np.square(1 + np.abs(x)), floats=True, domain={"x": KINK}, wide=True)
def softsign(x: ArrayLike) -> Array:
    """x / (1 + |x|)."""
    return np.divide(x, 1 + np.abs(x))


@composite(floats=True)
def glu(x: ArrayLike, axis: int = -1) -> Tensor:
    """a * sigmoid(b), with a and b the first and the second half of x along an axis: (..., 2 N) -> (..., N).

    Raises ValueError where the length of the axis is odd.
    Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2016.
    """
    shape = np.shape(x)
    if not -len(shape) <= axis < len(shape) or shape[axis] % 2:
        raise ValueError(f"glu: takes an axis of even length, got axis {axis} of {shape}")
    before, half = (slice(None),) * (axis % len(shape)), shape[axis] // 2
    return getitem(x, (*before, slice(half))) * sigmoid(getitem(x, (*before, slice(half, None))))
