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


def _places(indices, length, mode):
    indices = indices.long()
    return torch.clamp(indices, 0, length - 1) if mode == "clip" else indices % max(1, length)


def _take(a, indices, axis, mode):
    if axis is None or not a.ndim:
        return torch.take(a, _places(indices, a.numel(), mode))
    places, axis = _places(indices, a.shape[axis], mode), axis % a.ndim
    return torch.index_select(a, axis, places.reshape(-1)).reshape(a.shape[:axis] + places.shape + a.shape[axis + 1 :])


def _take_along_axis(arr, indices, axis):
    arr, axis = (arr.reshape(-1), 0) if axis is None else (arr, axis)
    return torch.take_along_dim(arr, indices.long() % arr.shape[axis], axis)


def _select(condlist, choicelist, default):
    result = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        result = torch.where(condition, choice, result)
    shape = torch.broadcast_shapes(*[each.shape for each in (*condlist, *choicelist)])
    return result.broadcast_to(shape)


def _choose(a, choices, mode):
    a, *choices = torch.broadcast_tensors(a, *choices)
    return torch.take_along_dim(torch.stack(choices), _places(a, len(choices), mode)[None], 0)[0]


def _compress(condition, a, axis):
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return torch.index_select(a, axis, torch.nonzero(condition)[:, 0])


OPERATIONS = {
    "argwhere": torch.argwhere,
    "choose": _choose,
    "compress": _compress,
    "extract": lambda condition, arr: torch.masked_select(arr, condition),
    "flatnonzero": lambda a: torch.nonzero(a.reshape(-1))[:, 0],
    "getitem": _getitem,
    "index_add": lambda x, axis, index, source: torch.index_add(x, axis, index.long(), source),
    "nonzero": lambda a: torch.nonzero(a, as_tuple=True),
    "one_hot": lambda indices, classes, dtype: torch.nn.functional.one_hot(indices.long(), classes).to(to_dtype(dtype)),
    "scatter_add": _scatter_add,
    "select": _select,
    "setitem": _setitem,
    "take": _take,
    "take_along_axis": _take_along_axis,
}

WITHOUT: dict[str, str] = {}
