"""What torch has for the operations of ops/neural.py, normalization.py and attention.py."""

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel


def _batch_norm(x, gain, bias, axis, eps, ddof):
    var, mean = torch.var_mean(x, axis, correction=ddof, keepdim=True)
    return gain * (x - mean) / torch.sqrt(var + eps) + bias, mean, var


def _dropout(x, p, generator):
    with torch.random.fork_rng():
        torch.manual_seed(generator.seed)
        return functional.dropout(x, p)


def _embedding(indices, weight):
    if indices.numel() == 0:  # torch has no second derivative for that
        return weight[indices.long()]
    return functional.embedding(indices.long(), weight)


def _attention(query, key, value, mask=None, is_causal=False, scale=None):
    batch = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    query, key, value = [each.expand(*batch, *each.shape[-2:]) for each in (query, key, value)]
    mask = None if mask is None else torch.atleast_2d(mask)
    with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivative
        return functional.scaled_dot_product_attention(query, key, value, mask, is_causal=is_causal, scale=scale)


def _over(shape):
    return (shape,) if isinstance(shape, int) else shape


def _layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    if weight is None and bias is not None:  # torch has no second derivative for that
        return functional.layer_norm(x, _over(shape), None, None, eps) + bias
    return functional.layer_norm(x, _over(shape), weight, bias, eps)


OPERATIONS = {
    "batch_norm": _batch_norm,
    "dropout": _dropout,
    "embedding": _embedding,
    "layer_norm": _layer_norm,
    "linear": lambda x, weight, bias: x @ weight if bias is None else functional.linear(x, weight.mT, bias),
    "log_softmax": torch.log_softmax,
    "rms_norm": lambda x, shape, *arguments: functional.rms_norm(x, _over(shape), *arguments),
    "scaled_dot_product_attention": _attention,
    "scatter_rows": lambda values, indices, rows: torch.zeros(rows, values.shape[-1], dtype=values.dtype).index_add(
        0, indices.reshape(-1).long(), values.reshape(indices.numel(), values.shape[-1])
    ),
    "softmax": torch.softmax,
}

WITHOUT: dict[str, str] = {}
