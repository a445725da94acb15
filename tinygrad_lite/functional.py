"""The names of neural networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .ops import neural
from .ops.activations import elu, gelu, glu, hardtanh, leaky_relu, relu, selu, sigmoid, silu, softplus, softsign
from .ops.convolution import avg_pool1d, avg_pool2d, conv1d, conv2d, max_pool1d, max_pool2d
from .ops.elementwise import tanh
from .ops.indexing import index_add, one_hot
from .ops.neural import cross_entropy, embedding, linear, log_softmax, softmax
from .ops.reduction import logsumexp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .tensor import Tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "elu",
    "embedding",
    "gelu",
    "glu",
    "hardtanh",
    "index_add",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "max_pool1d",
    "max_pool2d",
    "one_hot",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
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
        return neural.batch_norm(x, gain, bias, axis, eps, ddof)  # type: ignore[return-value]
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
