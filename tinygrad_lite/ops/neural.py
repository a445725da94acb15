"""Operations of neural networks, fused: each has a closed-form rule in place of a graph of small steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import primitive
from ..op import Array
from .axes import count
from .indexing import check_indices, one_hot
from .linalg import matmul_x, matmul_y, mismatch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Axis = int | tuple[int, ...]


def _total(x: Array, axis: Axis) -> Array:
    return np.add.reduce(x, axis=axis, keepdims=True)


@primitive(vjp=lambda g, out, axis: out * (g - _total(g * out, axis)), floats=True)
def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    powers = np.exp(np.subtract(x, np.max(x, axis=axis, keepdims=True)))
    return powers / _total(powers, axis)


@primitive(vjp=lambda g, out, axis: g - np.exp(out) * _total(g, axis), floats=True)
def log_softmax(x: ArrayLike, axis: int = -1) -> Array:
    """log(softmax(x)) along an axis, without overflow or log of 0."""
    shifted = np.subtract(x, np.max(x, axis=axis, keepdims=True))
    return shifted - np.log(_total(np.exp(shifted), axis))


def _cross_entropy_rule(g: tuple[Array, Array], residual: Array, targets: Array) -> Any:
    g_loss, g_residual = g
    classes = residual.shape[-1]
    grad = 0.0 if g_loss is None else residual * (g_loss / (residual.size // classes))
    if g_residual is not None:  # the way of the second derivative
        probabilities = residual + one_hot(targets, classes, residual.dtype)
        grad = grad + probabilities * (g_residual - _total(g_residual * probabilities, -1))
    return grad, None


@primitive(vjp=_cross_entropy_rule, outputs=("loss", "residual"), hidden=1, promotes=("logits",), floats=True)
def cross_entropy(logits: ArrayLike, targets: ArrayLike) -> Array:
    """Mean over the rows of -log(softmax(logits)[target]): logits (N, C), targets (N,) integers -> ().

    Raises TypeError where the targets are no integers, IndexError where one is no class, ValueError where the
    shapes do not fit or there are no rows. `residual`, softmax(logits) - one_hot(targets), serves the rule.
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    if logits.ndim < 1 or targets.shape != logits.shape[:-1] or not logits.size:
        raise ValueError(
            f"cross_entropy: takes logits (N, C) and targets (N,) with N, C > 0, got {logits.shape} and {targets.shape}"
        )
    rows, classes = targets.size, logits.shape[-1]
    at_target = check_indices("cross_entropy", targets, classes).reshape(-1) + np.arange(0, logits.size, classes)
    shifted = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), order="C")
    residual = np.exp(shifted)
    total = _total(residual, -1)
    loss = (np.add.reduce(np.log(total), axis=None) - np.add.reduce(shifted.take(at_target))) / rows
    residual /= total
    residual.reshape(-1)[at_target] -= 1
    return loss, residual


@primitive(
    vjp={
        "x": lambda g, weight, x_shape: matmul_x(g, weight, x_shape),
        "weight": lambda g, x, weight_shape: matmul_y(g, x, weight_shape),
        "bias": lambda g: g,
    }
)
def linear(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    """x @ weight + bias: x (..., I), weight (I, O), bias (O,) -> (..., O). (torch keeps weight as (O, I).)"""
    try:
        out = np.matmul(x, weight)
    except ValueError:
        raise ValueError(f"linear: {mismatch(np.shape(x), np.shape(weight))}") from None
    if bias is not None:
        if np.shape(bias) != out.shape[-1:]:
            raise ValueError(f"linear: weight {np.shape(weight)} takes a bias {out.shape[-1:]}, got {np.shape(bias)}")
        out += bias
    return out


def _scatter_rows_rule(g: Array, indices: Array) -> Array:
    return embedding(indices, g)


@primitive(vjp={"values": _scatter_rows_rule}, promotes=())
def scatter_rows(values: ArrayLike, indices: ArrayLike, rows: int) -> Array:
    """(..., D) values and (...) integers -> (rows, D): each value added to the row that its index names."""
    values, indices = np.asarray(values), np.asarray(indices).reshape(-1)
    values = values.reshape(indices.size, values.shape[-1])
    if rows * indices.size <= 1 << 20:  # a product with a one-hot matrix is the faster way while that is small
        one_hots = np.zeros((rows, indices.size), values.dtype)
        one_hots[indices, np.arange(indices.size)] = 1
        return one_hots @ values
    result = np.zeros((rows, values.shape[-1]), values.dtype)
    np.add.at(result, indices, values)
    return result


@primitive(vjp={"weight": lambda g, indices, weight_shape: scatter_rows(g, indices, weight_shape[0])})
def embedding(indices: ArrayLike, weight: ArrayLike) -> Array:
    """The rows of weight (C, D) that the integers name: (...) -> (..., D).

    Raises TypeError where the indices are no integers, IndexError where one is negative or too large.
    """
    weight = np.asarray(weight)
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight must be (C, D), got {weight.shape}")
    return weight.take(check_indices("embedding", indices, len(weight)), 0)


def _batch_norm_rule(
    g: tuple[Array, ...], normal: Array, gain: Array, var: Array, axis: Axis, eps: float, ddof: int
) -> Any:
    g_out, g_mean, g_var, g_normal = g
    n = count(normal.shape, axis)
    std = np.sqrt(var + eps)
    grad: Any = 0.0
    g_gain = g_bias = None
    if g_out is not None:
        g_bias = _total(g_out, axis)
        g_gain = _total(g_out * normal, axis)
        grad = (g_out - g_bias / n - normal * (g_gain / (n - ddof))) * (gain / std)
    if g_normal is not None:  # the way of the second derivative
        of_std = _total(g_normal * normal, axis) / (n - ddof)
        grad = grad + (g_normal - _total(g_normal, axis) / n - normal * of_std) / std
    if g_mean is not None:
        grad = grad + np.broadcast_to(g_mean / n, normal.shape)
    if g_var is not None:
        grad = grad + normal * (std * g_var * (2 / (n - ddof)))
    return grad, g_gain, g_bias


@primitive(vjp=_batch_norm_rule, outputs=("out", "mean", "var", "normal"), hidden=1, floats=True)
def batch_norm(
    x: ArrayLike, gain: ArrayLike, bias: ArrayLike, axis: Axis = 0, eps: float = 1e-5, ddof: int = 0
) -> Array:
    """gain * (x - mean) / sqrt(var + eps) + bias, with the mean and variance of x over `axis`.

    x (N, C), gain and bias (C,) or (1, C) -> out (N, C), mean (1, C), var (1, C), the latter divided by N - ddof.
    `normal`, out before gain and bias, serves the rule.
    Source: Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    x = np.asarray(x)
    total = _total(x, axis)
    n = count(x.shape, axis)
    if n <= ddof:
        raise ValueError(f"batch_norm: the variance of {n} rows with ddof={ddof} is undefined; take a larger batch")
    mean = total / n
    normal = x - mean
    var = _total(normal * normal, axis) / (n - ddof)
    normal /= np.sqrt(var + eps)
    out = normal * gain
    if out.shape != x.shape or np.size(gain) > var.size or np.size(bias) > var.size:
        raise ValueError(f"batch_norm: gain {np.shape(gain)} and bias {np.shape(bias)} must broadcast to {var.shape}")
    out += bias
    return out, mean, var, normal
