"""What the tests know of the operations in ops/neural.py, normalization.py and attention.py."""

import numpy as np

from .indexing import add_at


def log_softmax(x, axis):
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def softmax(x, axis):
    return np.exp(log_softmax(x, axis))


def _dropout(x, p, generator):
    return x * (generator.rand(*x.shape, dtype=np.float64).numpy() < 1 - p) / max(1 - p, 0.01)


def _attention(query, key, value, mask, is_causal, scale):
    scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    visible = np.ones(scores.shape, bool)
    if is_causal:
        visible = np.tril(visible)
    elif mask is not None and mask.dtype == bool:
        visible = visible & mask
    elif mask is not None:
        scores = scores + mask
    powers = np.exp(scores - scores.max(initial=0)) * visible
    sums = powers.sum(-1, keepdims=True)
    return powers / np.where(sums == 0, 1, sums).astype(powers.dtype) @ value


def _last(shape):
    return tuple(range(-np.size(shape), 0))


def _layer_norm(x, shape, weight, bias, eps):
    axes = _last(shape)
    normal = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return normal * (1 if weight is None else weight) + (0 if bias is None else bias)


def _rms_norm(x, shape, weight, eps):
    eps = np.finfo(x.dtype).eps if eps is None else x.dtype.type(eps)
    normal = x / np.sqrt((x * x).mean(_last(shape), keepdims=True) + eps)
    return normal * (1 if weight is None else weight)


def _batch_norm(x, gain, bias, axis, eps, ddof):
    mean, var = x.mean(axis, keepdims=True), x.var(axis, ddof=ddof, keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gain + bias, mean, var


REFERENCES = {
    "batch_norm": _batch_norm,
    "dropout": _dropout,
    "embedding": lambda indices, weight: weight[indices],
    "layer_norm": _layer_norm,
    "linear": lambda x, weight, bias: x @ weight + (0 if bias is None else bias),
    "log_softmax": log_softmax,
    "rms_norm": _rms_norm,
    "scaled_dot_product_attention": _attention,
    "scatter_rows": lambda values, indices, rows: add_at(values, indices, (rows, values.shape[-1])),
    "softmax": softmax,
}

FAR = np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]])
QUERIES, KEYS = np.array([[1e4, 0.0], [1.0, 2.0], [-1.0, 0.5]]), np.array([[1.0, 0.0], [0.5, 1.0], [0.0, -1.0]])
ROWS = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # the second query sees no key

CASES = {
    "softmax": [(FAR, axis) for axis in (0, 1)],
    "scaled_dot_product_attention": [
        (QUERIES, KEYS, KEYS, None),
        (QUERIES, KEYS, KEYS, ROWS == 1),
        (QUERIES, KEYS, KEYS, np.where(ROWS == 1, 0.5, -np.inf)),
    ],
    "layer_norm": [(np.array([[1e4, 0.0, -1e4], [-1e4, 2e4, 0.0]]), 3, None, None)],
    "rms_norm": [(np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]]), 3, None)],
    "log_softmax": [(FAR, axis) for axis in (0, 1)],
}

FOUND = {
    "linear": [(np.zeros((2, 2, 0)), np.zeros((0, 3)), np.zeros(3))],
    "scatter_rows": [(np.zeros(0), np.int64(0), 1)],
}
