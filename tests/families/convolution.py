"""What the tests know of the operations in ops/convolution.py."""

from itertools import product

import numpy as np


def _patches(x, kernel, stride, padding, dilation, fill=0.0):
    """Element by element."""
    padded = np.pad(x, [(0, 0), (0, 0), *padding], constant_values=fill)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    out = [(n - span) // s + 1 for n, span, s in zip(padded.shape[2:], spans, stride, strict=True)]
    result = np.empty((*x.shape[:2], *kernel, *out), x.dtype)
    for offset in product(*map(range, kernel)):
        for place in product(*map(range, out)):
            at = [p * s + o * d for p, s, o, d in zip(place, stride, offset, dilation, strict=True)]
            result[(..., *offset, *place)] = padded[(..., *at)]
    return result


def _add_patches(values, size, stride, padding, dilation):
    kernel, out = values.shape[2 : 2 + len(size)], values.shape[2 + len(size) :]
    total = [n + a + b for n, (a, b) in zip(size, padding, strict=True)]
    result = np.zeros((*values.shape[:2], *total), values.dtype)
    for offset in product(*map(range, kernel)):
        for place in product(*map(range, out)):
            at = [p * s + o * d for p, s, o, d in zip(place, stride, offset, dilation, strict=True)]
            result[(..., *at)] += values[(..., *offset, *place)]
    return result[(..., *[slice(a, a + n) for n, (a, _) in zip(size, padding, strict=True)])]


def _tuple(value, dims):
    return (value,) * dims if isinstance(value, int) else tuple(value)


def _conv(dims):
    def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        stride, dilation = _tuple(stride, dims), _tuple(dilation, dims)
        kernel = weight.shape[2:]
        if padding == "same":
            missing = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
            sides = [(m // 2, m - m // 2) for m in missing]
        else:
            sides = [(p, p) for p in _tuple(0 if padding == "valid" else padding, dims)]
        found = _patches(x if x.ndim == dims + 2 else x[None], kernel, stride, sides, dilation)
        n, channels, *rest = found.shape
        parts = np.split(found.reshape(n, channels, -1, *rest[dims:]), groups, 1)
        flat = weight.reshape(*weight.shape[:2], -1)
        results = [np.einsum("ock,nck...->no...", w, p) for w, p in zip(np.split(flat, groups), parts, strict=True)]
        result = np.concatenate(results, 1)
        if bias is not None:
            result = result + bias.reshape(-1, *[1] * dims)
        return result if x.ndim == dims + 2 else result[0]

    return conv


def _pool(dims, reduce, fill):
    def pool(x, kernel_size, stride=None, padding=0, *count_include_pad):
        kernel = _tuple(kernel_size, dims)
        stride = kernel if stride is None else _tuple(stride, dims)
        sides, ones = [(p, p) for p in _tuple(padding, dims)], (1,) * dims
        images = x if x.ndim == dims + 2 else x[None]
        axes = tuple(range(2, 2 + dims))
        result = reduce(_patches(images, kernel, stride, sides, ones, fill), axis=axes)
        if count_include_pad == (False,):
            counted = _patches(np.ones_like(images), kernel, stride, sides, ones).mean(axes)
            result = result / counted
        return result if x.ndim == dims + 2 else result[0]

    return pool


REFERENCES = {
    "add_patches": _add_patches,
    "avg_pool1d": _pool(1, np.mean, 0.0),
    "avg_pool2d": _pool(2, np.mean, 0.0),
    "conv1d": _conv(1),
    "conv2d": _conv(2),
    "max_pool1d": _pool(1, np.max, -np.inf),
    "max_pool2d": _pool(2, np.max, -np.inf),
    "patches": _patches,
}

EQUALS = np.array([[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 0.0, 2.0], [0.0, 0.0, -1.0, -2.0]]]])

CASES = {
    "max_pool1d": [(EQUALS[0], 2, 1, 1), (EQUALS[0], 2, 2, 0), (EQUALS[0], 3, 2, 1)],
    "max_pool2d": [(EQUALS, 2, 1, 1), (EQUALS, (3, 2), None, (1, 1)), (EQUALS, 3, 1, 0)],
}

FOUND = {}
