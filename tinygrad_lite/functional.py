"""The names of neural networks."""

from .ops.elementwise import relu, sigmoid, tanh
from .ops.indexing import one_hot
from .ops.neural import batch_norm, cross_entropy, embedding, linear, log_softmax, softmax

__all__ = [
    "batch_norm",
    "cross_entropy",
    "embedding",
    "linear",
    "log_softmax",
    "one_hot",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
