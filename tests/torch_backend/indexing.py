"""What torch has for the operations of ops/indexing.py."""

import numpy as np
import torch

from .convert import to_dtype


def _place(index, shape):
    """The positions that an index names, in the flat array."""
    return torch.from_numpy(np.array(np.arange(int(np.prod(shape))).reshape(shape)[index], order="C"))


def _getitem(a, index):
    return torch.take(a, _place(index, a.shape))


def _scatter_add(values, index, shape):
    place = _place(index, shape)
    flat = torch.zeros(int(np.prod(shape)), dtype=values.dtype)
    return flat.index_add(0, place.reshape(-1), values.expand(place.shape).reshape(-1)).reshape(shape)


def _setitem(a, value, index):
    place = _place(index, a.shape)
    writer = np.full(a.numel(), -1)
    writer[place.numpy().reshape(-1)] = np.arange(place.numel())
    writer = torch.from_numpy(writer.reshape(a.shape))
    if not place.numel():
        return a.clone()
    return torch.where(writer >= 0, torch.take(value.expand(place.shape), writer.clamp(min=0)), a)


OPERATIONS = {
    "getitem": _getitem,
    "one_hot": lambda indices, classes, dtype: torch.nn.functional.one_hot(indices.long(), classes).to(to_dtype(dtype)),
    "scatter_add": _scatter_add,
    "setitem": _setitem,
}

WITHOUT: dict[str, str] = {}
