"""The names of neural networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .ops import neural, normalization
from .ops.activations import elu, gelu, glu, hardtanh, leaky_relu, relu, selu, sigmoid, silu, softplus, softsign
from .ops.attention import scaled_dot_product_attention
from .ops.class_losses import cross_entropy, focal_loss, nll_loss, softmax_focal_loss
from .ops.convolution import avg_pool1d, avg_pool2d, conv1d, conv2d, max_pool1d, max_pool2d
from .ops.elementwise import tanh
from .ops.indexing import index_add, one_hot
from .ops.losses import (
    binary_cross_entropy_with_logits,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
)
from .ops.neural import embedding, linear, log_softmax, softmax
from .ops.normalization import layer_norm, rms_norm
from .ops.reduction import logsumexp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .random import Generator
    from .tensor import Tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "focal_loss",
    "gelu",
    "glu",
    "hardtanh",
    "huber_loss",
    "index_add",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "rms_norm",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_focal_loss",
    "softplus",
    "softsign",
    "tanh",
]


def batch_norm(
    x: ArrayLike,
    gain: ArrayLike,
    bias: ArrayLike,
    axis: int | tuple[int, ...] = 0,
    eps: float = 1e-5,
    ddof: int = 0,
    mean: ArrayLike | None = None,
    var: ArrayLike | None = None,
) -> tuple[Tensor, ...]:
    """(out, mean, var), where out is gain * (x - mean) / sqrt(var + eps) + bias.

    x (N, C), gain and bias (C,) or (1, C) -> out (N, C), mean and var (1, C). In training the mean and the variance,
    divided by N - ddof, are those of x over `axis`; in evaluation they are given, and returned as they are.

    Raises ValueError where N <= ddof, where gain or bias do not fit, where only one of mean and var is given.
    Source: Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    if mean is None and var is None:
        return normalization.batch_norm(x, gain, bias, axis, eps, ddof)  # type: ignore[return-value]
    if mean is None or var is None:
        raise ValueError("batch_norm: give both mean and var for evaluation, or neither for training")
    given_mean, given_var = _floats(mean, x), _floats(var, x)
    out: Any = np.subtract(x, given_mean) * (_floats(gain, x) / np.sqrt(given_var + eps)) + bias
    return out, given_mean, given_var


def _floats(value: Any, like: Any) -> Any:
    """A Tensor or an array of floats as it is, all else as an array of the dtype that `like` has."""
    if getattr(getattr(value, "dtype", None), "kind", None) == "f":
        return value
    dtype = np.result_type(like)
    return np.asarray(value, dtype if dtype.kind == "f" else np.float32)


def dropout(x: Any, p: float = 0.5, training: bool = True, *, generator: Generator) -> Tensor:
    """x with each element set to 0 with probability p, and the others divided by 1 - p; x itself in evaluation.

    The draws are torch's: after `manual_seed` of the same seed the same elements are 0. Nothing is drawn in evaluation,
    nor where p is 0 or 1. Raises ValueError where p is not from 0 to 1.
    Source: Srivastava et al., "Dropout", 2014.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, from 0 to 1, got {p}")
    if not hasattr(generator, "rand"):
        raise TypeError(f"dropout: generator must be a tg.Generator, got {generator!r:.60}")
    return neural.dropout(x, p, generator) if training and p else x
