"""What torch has for the operations of ops/neural.py."""

import torch


def _batch_norm(x, gain, bias, axis, eps, ddof):
    var, mean = torch.var_mean(x, axis, correction=ddof, keepdim=True)
    return gain * (x - mean) / torch.sqrt(var + eps) + bias, mean, var


OPERATIONS = {
    "batch_norm": _batch_norm,
    "cross_entropy": lambda logits, targets: torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1).long()
    ),
    "embedding": lambda indices, weight: torch.nn.functional.embedding(indices.long(), weight),
    "linear": lambda x, weight, bias: x @ weight if bias is None else torch.nn.functional.linear(x, weight.mT, bias),
    "log_softmax": torch.log_softmax,
    "scatter_rows": lambda values, indices, rows: torch.zeros(rows, values.shape[-1], dtype=values.dtype).index_add(
        0, indices.reshape(-1).long(), values.reshape(indices.numel(), values.shape[-1])
    ),
    "softmax": torch.softmax,
}

WITHOUT: dict[str, str] = {}
