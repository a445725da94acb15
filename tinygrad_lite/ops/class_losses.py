"""Losses of classes, which are on the last axis. (torch has them on axis 1.) `reduction` is as in losses.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval
from .indexing import are_indices, check_indices, one_hot
from .losses import check_reduction, divisor_of
from .neural import log_softmax, softmax, total

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor


def _cross_entropy_logits(g: tuple[Array, ...], slope: Array, logits: Array, scale: Array) -> Any:
    g_loss, g_slope, _ = g  # scale does not depend on the logits
    grad = None
    if g_loss is not None:
        grad = slope * (np.expand_dims(g_loss, -1) if g_loss.ndim else g_loss)
    if g_slope is not None:  # the way of the second derivative
        probabilities = softmax(logits)
        of_slope = probabilities * (scale * (g_slope - total(g_slope * probabilities, -1)))
        grad = of_slope if grad is None else grad + of_slope
    return grad


def _cross_entropy_targets(
    g: tuple[Array, ...], logits: Array, weight: Array | None, reduction: str, label_smoothing: float
) -> Any:
    g_loss, g_slope, g_scale = g
    grad: Any = 0.0 if g_scale is None else np.broadcast_to(g_scale, logits.shape)
    if g_loss is not None:
        grad = grad - log_softmax(logits) * np.expand_dims(g_loss, -1)
    if g_slope is not None:
        grad = grad + total(g_slope * softmax(logits), -1) - g_slope
    grad = grad * ((1 - label_smoothing) / divisor_of(logits.shape[:-1], reduction))
    return grad if weight is None else grad * weight


@primitive(
    vjp={"logits": _cross_entropy_logits, "targets": _cross_entropy_targets, "weight": None},
    outputs=("loss", "slope", "scale"),
    hidden=2,
    promotes=("logits", "weight"),
    floats=True,
    wide=True,
)
def cross_entropy(
    logits: ArrayLike,
    targets: ArrayLike,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """-log(softmax(logits)) at the targets, or weighted by them: logits (..., C) -> (), or (...) without reduction.

    Targets (...) are integers, classes, or (..., C) floats, the probability of each class. A row counts as much as the
    weight (C,) of its class; the mean is over what they count, or the rows where targets are probabilities. Rows with
    the class ignore_index do not count: where none does, the mean is nan, with the gradient 0. label_smoothing moves
    that part of the probability to all classes alike.
    `slope`, the derivative of each row's loss, and `scale`, how much the row counts in it, serve the rules.

    Raises TypeError where the targets are neither, IndexError where one is no class, ValueError where the shapes do not
    fit or there are no rows to take a mean of.
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    classes = logits.shape[-1] if logits.ndim else 0
    if (
        weight is None
        and reduction == "mean"
        and not label_smoothing
        and ignore_index < 0 < logits.size
        and targets.shape == logits.shape[:-1]
        and are_indices(targets, classes)
    ):  # the usual way, without an array that tells how much each element counts
        if not logits.flags.c_contiguous:
            logits = np.ascontiguousarray(logits)
        rows = targets.size
        at_target = targets.reshape(-1).astype(np.intp, copy=False) + np.arange(0, logits.size, classes)
        shifted = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
        slope = np.exp(shifted)
        sums = total(slope, -1)
        loss = np.add.reduce(np.log(sums.reshape(-1)) - shifted.take(at_target)) / rows
        scale = np.array(1 / rows, slope.dtype)  # as an array: NumPy takes its time over Python's numbers
        sums /= scale
        slope /= sums
        slope.reshape(-1)[at_target] -= scale
        return loss, slope, scale
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing}")
    logs = log_softmax(logits) if logits.size else logits
    loss, counts = _counted("cross_entropy", logs, targets, weight, ignore_index, reduction, label_smoothing)
    scale = total(counts, -1)
    return loss, np.exp(logs) * scale - counts, scale


@primitive(
    vjp={"input": lambda g, slope: None if g[0] is None else slope * np.expand_dims(g[0], -1), "weight": None},
    outputs=("loss", "slope"),
    hidden=1,
    promotes=("input", "weight"),
    floats=True,
    wide=True,
)
def nll_loss(
    input: ArrayLike,
    targets: ArrayLike,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Array:
    """Minus the log-probability of the targets: input (..., C), targets (...) integers -> (), or (...) unreduced.

    Weight, ignore_index and errors are those of `cross_entropy`. `slope`, the derivative, serves the rule.
    """
    input, targets = np.asarray(input), np.asarray(targets)
    loss, counts = _counted("nll_loss", input, targets, weight, ignore_index, reduction)
    return loss, -counts


def _counted(
    name: str,
    logs: Array,
    targets: Array,
    weight: Array | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float = 0.0,
) -> tuple[Array, Array]:
    """The loss, and how much each log-probability counts in it: loss = -sum(counts * logs)."""
    likely = name == "cross_entropy" and targets.dtype.kind == "f" and targets.shape == logs.shape
    if not logs.ndim or not logs.shape[-1] or not (likely or targets.shape == logs.shape[:-1]):
        raise ValueError(_misfit(name, logs, targets))
    if reduction == "mean" and not logs.size:
        raise ValueError(_misfit(name, logs, targets))
    check_reduction(name, reduction, targets.shape)
    classes = logs.shape[-1]
    if weight is not None and np.shape(weight) != (classes,):
        raise ValueError(f"{name}: weight must have the shape ({classes},), one for each class, got {np.shape(weight)}")
    weights = np.ones(classes, logs.dtype) if weight is None else weight
    if likely:
        if ignore_index >= 0:
            raise ValueError(f"{name}: ignore_index is for targets that are classes, these are probabilities")
        counts = targets.astype(logs.dtype)
        divisor: Any = divisor_of(logs.shape[:-1], reduction)
    else:
        if targets.dtype.kind not in "iu":
            raise TypeError(f"{name}: targets that are classes must be integers, got {targets.dtype}")
        kept = targets != ignore_index
        targets = check_indices(name, np.where(kept, targets, 0), classes)
        counts = one_hot(targets, classes, logs.dtype)
        divisor = np.sum(weights[targets] * kept) if reduction == "mean" else 1
        weights = weights * np.expand_dims(kept, -1)
    if label_smoothing:
        counts = counts * (1 - label_smoothing) + label_smoothing / classes
    counts = counts * weights
    losses = np.multiply(-counts, logs, out=np.zeros_like(counts), where=counts != 0)  # 0 of a log of 0 is 0
    loss = np.add.reduce(losses, axis=-1 if reduction == "none" else None) / divisor
    return loss, counts / (divisor or 1)


def _misfit(name: str, logs: Array, targets: Array) -> str:
    input = "logits" if name == "cross_entropy" else "input"
    return f"{name}: takes {input} (N, C) and targets (N,) with N, C > 0, got {logs.shape} and {targets.shape}"


@composite(promotes=("logits",), floats=True)
def softmax_focal_loss(logits: ArrayLike, targets: ArrayLike, alpha: float = 1.0, gamma: float = 0.0) -> Tensor:
    """-alpha * (1 - p)**gamma * log(p), p the softmax at the target: logits (..., C), targets (...) integers -> (...).

    Errors are those of `cross_entropy`, which it is where alpha is 1 and gamma 0, without reduction.
    Source: Lin et al., "Focal Loss for Dense Object Detection", 2017.
    """
    _check_gamma("softmax_focal_loss", gamma)
    loss = cross_entropy(logits, targets, reduction="none")
    return loss * alpha * (-np.expm1(-loss)) ** gamma


@composite(promotes=("class_probs",), floats=True, domain={"class_probs": Interval(0.0, 1.0, why="probabilities")})
def focal_loss(class_probs: ArrayLike, targets: ArrayLike, alpha: float = 1.0, gamma: float = 0.0) -> Tensor:
    """-alpha * (1 - p)**gamma * log(p), p the probability at the target: (..., C), (...) integers -> (...).

    Errors are those of `nll_loss`. Source: Lin et al., "Focal Loss for Dense Object Detection", 2017.
    """
    _check_gamma("focal_loss", gamma)
    p = -nll_loss(class_probs, targets, reduction="none")
    return -alpha * (1 - p) ** gamma * np.log(p)


def _check_gamma(name: str, gamma: float) -> None:
    if not gamma >= 0:
        raise ValueError(f"{name}: gamma must be 0 or more, got {gamma}")
