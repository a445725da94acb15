"""What the tests know of the operations in ops/neural.py."""

import numpy as np

from .indexing import add_at


def _log_softmax(x, axis):
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def _batch_norm(x, gain, bias, axis, eps, ddof):
    mean, var = x.mean(axis, keepdims=True), x.var(axis, ddof=ddof, keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gain + bias, mean, var


REFERENCES = {
    "batch_norm": _batch_norm,
    "cross_entropy": lambda logits, targets: (
        -np.mean(np.take_along_axis(_log_softmax(logits, -1), targets[..., None].astype(int), -1), dtype=logits.dtype)
    ),
    "embedding": lambda indices, weight: weight[indices],
    "linear": lambda x, weight, bias: x @ weight + (0 if bias is None else bias),
    "log_softmax": _log_softmax,
    "scatter_rows": lambda values, indices, rows: add_at(values, indices, (rows, values.shape[-1])),
    "softmax": lambda x, axis: np.exp(_log_softmax(x, axis)),
}

CASES = {
    "softmax": [(np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]]), axis) for axis in (0, 1)],
    "log_softmax": [(np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]]), axis) for axis in (0, 1)],
    "cross_entropy": [(np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]]), np.array([target, 2])) for target in (0, 1, 2)],
}

FOUND = {
    "cross_entropy": [(np.ones((2, 3)).T, np.array([0, 0, 1])), (np.ones((2, 3))[::-1, ::-1], np.array([0, 2]))],
    "linear": [(np.zeros((2, 2, 0)), np.zeros((0, 3)), np.zeros(3))],
    "scatter_rows": [(np.zeros(0), np.int64(0), 1)],
}
