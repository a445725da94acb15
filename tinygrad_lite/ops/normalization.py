"""Normalizations, fused. What their rules use again is a hidden output."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import primitive
from ..op import Array
from .axes import count
from .neural import total

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Axis = int | tuple[int, ...]


def _batch_norm_rule(
    g: tuple[Array, ...], normal: Array, gain: Array, var: Array, axis: Axis, eps: float, ddof: int
) -> Any:
    g_out, g_mean, g_var, g_normal = g
    n = count(normal.shape, axis)
    std = np.sqrt(var + eps)
    grad: Any = 0.0
    g_gain = g_bias = None
    if g_out is not None:
        g_bias = total(g_out, axis)
        g_gain = total(g_out * normal, axis)
        grad = (g_out - g_bias / n - normal * (g_gain / (n - ddof))) * (gain / std)
    if g_normal is not None:  # the way of the second derivative
        of_std = total(g_normal * normal, axis) / (n - ddof)
        grad = grad + (g_normal - total(g_normal, axis) / n - normal * of_std) / std
    if g_mean is not None:
        grad = grad + np.broadcast_to(g_mean / n, normal.shape)
    if g_var is not None:
        grad = grad + normal * (std * g_var * (2 / (n - ddof)))
    return grad, g_gain, g_bias


@primitive(vjp=_batch_norm_rule, outputs=("out", "mean", "var", "normal"), hidden=1, floats=True, wide=True)
def batch_norm(
    x: ArrayLike, gain: ArrayLike, bias: ArrayLike, axis: Axis = 0, eps: float = 1e-5, ddof: int = 0
) -> Array:
    """gain * (x - mean) / sqrt(var + eps) + bias, with the mean and variance of x over `axis`.

    x (N, C), gain and bias (C,) or (1, C) -> out (N, C), mean (1, C), var (1, C), the latter divided by N - ddof.
    `normal`, out before gain and bias, serves the rule.
    Source: Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    x = np.asarray(x)
    sums = total(x, axis)
    n = count(x.shape, axis)
    if n <= ddof:
        raise ValueError(f"batch_norm: the variance of {n} rows with ddof={ddof} is undefined; take a larger batch")
    mean = sums / n
    normal = x - mean
    var = total(normal * normal, axis) / (n - ddof)
    normal /= np.sqrt(var + eps)
    out = normal * gain
    if out.shape != x.shape or np.size(gain) > var.size or np.size(bias) > var.size:
        raise ValueError(f"batch_norm: gain {np.shape(gain)} and bias {np.shape(bias)} must broadcast to {var.shape}")
    out += bias
    return out, mean, var, normal


def _trailing(normalized_shape: Any) -> tuple[tuple[int, ...], int]:
    """The last axes, as many as the shape has, and how many elements they hold."""
    shape = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    return tuple(range(-len(shape), 0)), prod(shape)


def _normalized_x(
    g: tuple[Array, ...], normal: Array, scale: Array, weight: Array | None, normalized_shape: Any, centre: bool
) -> Array:
    """The gradient of x, where normal is x * scale, or (x - mean) * scale, and scale is 1 / sqrt(mean square + eps)."""
    g_out, g_normal, g_scale = g
    axes, n = _trailing(normalized_shape)
    if g_out is not None and weight is not None:
        g_out = g_out * weight
    grad = g_out if g_normal is None else g_normal if g_out is None else g_out + g_normal
    if grad is None:
        return normal * (g_scale * scale * scale / -n)
    along = total(grad * normal, axes) / n
    if g_scale is not None:  # as g_normal, the way of the second derivative
        along = along + g_scale * scale / n
    if centre:
        grad = grad - total(grad, axes) / n
    return (grad - normal * along) * scale


def _layer_norm_x(
    g: tuple[Array, ...], normal: Array, scale: Array, weight: Array | None, normalized_shape: Any
) -> Array:
    return _normalized_x(g, normal, scale, weight, normalized_shape, centre=True)


def _rms_norm_x(
    g: tuple[Array, ...], normal: Array, scale: Array, weight: Array | None, normalized_shape: Any
) -> Array:
    return _normalized_x(g, normal, scale, weight, normalized_shape, centre=False)


def _weight(g: tuple[Array, ...], normal: Array) -> Array | None:
    return None if g[0] is None else g[0] * normal


@primitive(
    vjp={"x": _layer_norm_x, "weight": _weight, "bias": lambda g: g[0]},
    outputs=("out", "normal", "scale"),
    hidden=2,
    floats=True,
    wide=True,
)
def layer_norm(
    x: ArrayLike,
    normalized_shape: int | tuple[int, ...],
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> Array:
    """(x - mean) / sqrt(var + eps) * weight + bias, with the mean and variance of x over its last axes.

    x (..., *normalized_shape), weight and bias (*normalized_shape) -> (..., *normalized_shape); the variance is divided
    by the number of elements. `normal`, out before weight and bias, and `scale`, 1 / sqrt(var + eps), serve the rules.
    Raises ValueError where the shapes do not fit.
    Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
    """
    x = np.asarray(x)
    axes, n = _check("layer_norm", x, normalized_shape, weight, bias)
    normal = x - total(x, axes) / n
    scale = 1 / np.sqrt(total(normal * normal, axes) / n + eps)
    normal *= scale
    out = normal * (1 if weight is None else weight)
    if bias is not None:
        out += bias
    return out, normal, scale


@primitive(
    vjp={"x": _rms_norm_x, "weight": _weight},
    outputs=("out", "normal", "scale"),
    hidden=2,
    floats=True,
    wide=True,
)
def rms_norm(
    x: ArrayLike, normalized_shape: int | tuple[int, ...], weight: ArrayLike | None = None, eps: float | None = None
) -> Array:
    """x / sqrt(mean(x * x) + eps) * weight, with the mean over the last axes; eps is that of the dtype if it is None.

    x (..., *normalized_shape), weight (*normalized_shape) -> (..., *normalized_shape).
    `normal`, out before weight, and `scale`, 1 / sqrt(mean(x * x) + eps), serve the rules.
    Raises ValueError where the shapes do not fit.
    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
    """
    x = np.asarray(x)
    axes, n = _check("rms_norm", x, normalized_shape, weight)
    square = total(x * x, axes) / n
    scale = 1 / np.sqrt(square + (float(np.finfo(square.dtype).eps) if eps is None else eps))
    normal = x * scale
    return normal * (1 if weight is None else weight), normal, scale


def _check(name: str, x: Array, normalized_shape: Any, *parameters: Any) -> tuple[tuple[int, ...], int]:
    """What `_trailing` gives; ValueError where x does not end in that shape, or a parameter has another."""
    axes, n = _trailing(normalized_shape)
    shape = x.shape[-len(axes) :]
    if not axes or not n or shape != tuple(np.atleast_1d(normalized_shape)):
        raise ValueError(
            f"{name}: takes x (..., *normalized_shape) with 1 element or more to normalize over, "
            f"got x {x.shape} and normalized_shape {normalized_shape}"
        )
    for parameter in parameters:
        if parameter is not None and np.shape(parameter) != shape:
            raise ValueError(f"{name}: weight and bias have the normalized shape {shape}, got {np.shape(parameter)}")
    return axes, n
