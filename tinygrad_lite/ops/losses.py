"""Losses of numbers, with torch's meaning and names of arguments; those of classes have a room of their own.

`reduction` is "none" for the loss of each element or row, "mean", or "sum".
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval
from .activations import sigmoid, softplus

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ..tensor import Tensor

    Shape = tuple[int, ...]


def _reduced(name: str, losses: Array, reduction: str) -> Array:
    """The losses as they are, their sum, or their mean."""
    check_reduction(name, reduction, losses.shape)
    return losses if reduction == "none" else np.add.reduce(losses, axis=None) / divisor_of(losses.shape, reduction)


def _spread(g: Array, shape: Shape, reduction: str) -> Array:
    """The cotangent of each of the losses that were reduced; what it lacks in shape broadcasts."""
    return g / divisor_of(shape, reduction)


def divisor_of(shape: Shape, reduction: str) -> int:
    return prod(shape) if reduction == "mean" else shape[0] if reduction == "batchmean" and shape else 1


def check_reduction(name: str, reduction: str, shape: Shape) -> None:
    known = ("none", "mean", "sum", "batchmean") if name == "kl_div" else ("none", "mean", "sum")
    if reduction not in known:
        raise ValueError(f"{name}: reduction must be {', '.join(map(repr, known))}, got {reduction!r:.40}")
    if "mean" in reduction and not prod(shape):
        raise ValueError(f"{name}: the mean of no elements is undefined, got the shape {shape}")


def _pair(name: str, input: ArrayLike, target: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as arrays, or ValueError where their shapes differ."""
    _alike(name, input, target)
    return np.asarray(input), np.asarray(target)


def _alike(name: str, input: ArrayLike, target: ArrayLike) -> None:
    if np.shape(input) != np.shape(target):
        raise ValueError(f"{name}: input and target must have one shape, got {np.shape(input)} and {np.shape(target)}")


def _mse_rule(g: Array, input: Array, target: Array, reduction: str) -> Array:
    return _spread(g, input.shape, reduction) * 2 * (input - target)


@primitive(
    vjp={
        "input": _mse_rule,
        "target": lambda g, input, target, reduction: _mse_rule(g, target, input, reduction),
    },
    floats=True,
    wide=True,
)
def mse_loss(input: ArrayLike, target: ArrayLike, reduction: str = "mean") -> Array:
    """(input - target)**2, reduced. Raises ValueError where the shapes differ."""
    input, target = _pair("mse_loss", input, target)
    difference = input - target
    return _reduced("mse_loss", difference * difference, reduction)


def _l1_rule(g: Array, input: Array, target: Array, reduction: str) -> Array:
    return _spread(g, input.shape, reduction) * np.sign(input - target)


@primitive(
    vjp={
        "input": _l1_rule,
        "target": lambda g, input, target, reduction: _l1_rule(g, target, input, reduction),
    },
    floats=True,
    ties=True,
    wide=True,
)
def l1_loss(input: ArrayLike, target: ArrayLike, reduction: str = "mean") -> Array:
    """|input - target|, reduced. Its derivative is 0 where both are equal.

    Raises ValueError where the shapes differ.
    """
    input, target = _pair("l1_loss", input, target)
    return _reduced("l1_loss", np.abs(input - target), reduction)


def _huber_rule(g: Array, input: Array, target: Array, reduction: str, delta: float) -> Array:
    difference = input - target
    slope = np.where(np.abs(difference) < delta, difference, np.sign(difference) * delta)
    return _spread(g, input.shape, reduction) * slope


@primitive(
    vjp={
        "input": _huber_rule,
        "target": lambda g, input, target, reduction, delta: _huber_rule(g, target, input, reduction, delta),
    },
    floats=True,
    wide=True,
)
def huber_loss(input: ArrayLike, target: ArrayLike, reduction: str = "mean", delta: float = 1.0) -> Array:
    """d * d / 2 where d = |input - target| is below delta, else delta * (d - delta / 2), reduced.

    The second derivative at delta is 0. Raises ValueError where the shapes differ or delta is not positive.
    Source: Huber, "Robust Estimation of a Location Parameter", 1964.
    """
    input, target = _pair("huber_loss", input, target)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    distance = np.abs(input - target)
    near = np.minimum(distance, delta)
    return _reduced("huber_loss", near * (distance - near * 0.5), reduction)


def _weigh(g: Array, weight: Array | None) -> Array:
    return g if weight is None else g * weight


def _bce_input(
    g: Array, input: Array, target: Array, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Array:
    p = sigmoid(input)
    slope = p - target if pos_weight is None else p * (1 - target) - (1 - p) * (target * pos_weight)
    return _weigh(_spread(g, input.shape, reduction), weight) * slope


def _bce_target(g: Array, input: Array, weight: Array | None, pos_weight: Array | None, reduction: str) -> Array:
    slope = -input if pos_weight is None else softplus(-input) * (pos_weight - 1) - input
    return _weigh(_spread(g, input.shape, reduction), weight) * slope


@primitive(
    vjp={"input": _bce_input, "target": _bce_target, "weight": None, "pos_weight": None},
    floats=True,
    wide=True,
)
def binary_cross_entropy_with_logits(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    reduction: str = "mean",
    pos_weight: ArrayLike | None = None,
) -> Array:
    """-weight * (pos_weight * target * log(p) + (1 - target) * log(1 - p)), p = sigmoid(input), reduced.

    Without overflow or log of 0. The weights broadcast to the shape that input and target have; the mean is over the
    elements, whatever they weigh. Raises ValueError where the shapes do not fit.
    """
    name = "binary_cross_entropy_with_logits"
    input, target = _pair(name, input, target)
    minus_log_p = np.maximum(-input, 0) + np.log1p(np.exp(-np.abs(input)))
    if pos_weight is not None:
        minus_log_p = minus_log_p * (1 + (np.asarray(pos_weight) - 1) * target)
    losses = _weigh((1 - target) * input + minus_log_p, weight)
    if losses.shape != input.shape:
        given = " and ".join(str(np.shape(each)) for each in (weight, pos_weight) if each is not None)
        raise ValueError(f"{name}: weight and pos_weight must broadcast to {input.shape}, got {given}")
    return _reduced(name, losses, reduction)


def _kl_input(g: Array, input_shape: Shape, target: Array, reduction: str, log_target: bool) -> Array:
    return _spread(g, input_shape, reduction) * -(np.exp(target) if log_target else target)


def _kl_target(g: Array, input: Array, target: Array, reduction: str, log_target: bool) -> Array:
    g = _spread(g, input.shape, reduction)
    if log_target:
        return g * np.exp(target) * (target - input + 1)
    return g * (np.log(target) - input + 1)


@primitive(
    vjp={"input": _kl_input, "target": _kl_target},
    floats=True,
    domain={"target": Interval(0.0, why="probabilities, unless they are given by their logarithms")},
    wide=True,
)
def kl_div(input: ArrayLike, target: ArrayLike, reduction: str = "mean", log_target: bool = False) -> Array:
    """target * (log(target) - input), reduced: the divergence of probabilities from those with the logarithms `input`.

    log_target: the target is given by its logarithms, too. Where the target is 0 so is the loss, and its derivative by
    the target is -inf (torch's is nan). The reduction "batchmean", the sum divided by the length of the first axis, is
    the divergence as it is defined. Raises ValueError where the shapes differ.
    Source: Kullback and Leibler, "On Information and Sufficiency", 1951.
    """
    input, target = _pair("kl_div", input, target)
    if log_target:
        return _reduced("kl_div", np.exp(target) * (target - input), reduction)
    return _reduced("kl_div", target * (np.log(np.where(target == 0, 1, target)) - input), reduction)


@composite(floats=True, ties=True)
def margin_ranking_loss(
    input1: ArrayLike, input2: ArrayLike, target: ArrayLike, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - target * (input1 - input2)), reduced; target is 1 where input1 is to be larger, else -1.

    Where both are equal the derivative is that of the second.
    """
    _alike("margin_ranking_loss", input1, input2)
    _alike("margin_ranking_loss", input1, target)
    hinge = margin - np.multiply(target, np.subtract(input1, input2))
    result: Tensor = _reduced("margin_ranking_loss", np.where(hinge >= 0, hinge, 0.0), reduction)
    return result
