"""What torch has for the operations of ops/joining.py."""

import numpy as np
import torch

from .convert import to_dtype
from .shape import _shape


def _as(function):
    """With a dtype and a casting rule for the result."""

    def run(arrays, *arguments):
        *arguments, dtype, _ = arguments
        result = function(arrays, *arguments)
        return result if dtype is None else result.to(to_dtype(dtype))

    return run


def _concatenate(arrays, axis):
    return torch.cat([a.reshape(-1) for a in arrays]) if axis is None else torch.cat(arrays, axis)


def _places(points):
    return points if isinstance(points, int) else [int(each) for each in points]


def _taken(a, axis, index):
    return a.index_select(axis, torch.from_numpy(np.array(index, np.int64)))


def _delete(arr, obj, axis):
    arr, axis = (arr.reshape(-1), 0) if axis is None else (arr, axis)
    return _taken(arr, axis, np.delete(np.arange(arr.shape[axis]), obj))


def _repeat(a, repeats, axis):
    if not isinstance(repeats, int):
        length = a.numel() if axis is None else a.shape[axis]
        repeats = torch.from_numpy(np.array(np.broadcast_to(repeats, length), np.int64))
    return torch.repeat_interleave(a, repeats, axis)


def _sum_repeats(values, repeats, axis):
    shape = list(values.shape)
    shape[axis] = len(repeats)
    owners = torch.from_numpy(np.repeat(np.arange(len(repeats)), repeats))
    return torch.zeros(shape, dtype=values.dtype).index_add(axis, owners, values)


def _resize(a, new_shape):
    size = int(np.prod(new_shape))
    if not a.numel():
        return torch.zeros(_shape(new_shape), dtype=a.dtype)
    return _taken(a.reshape(-1), 0, np.resize(np.arange(a.numel()), size)).reshape(_shape(new_shape))


def _pad(array, pad_width, mode, constant_values, reflect_type):
    if mode == "constant":
        places = np.pad(np.arange(array.numel()).reshape(array.shape), pad_width, constant_values=-1)
        constants = np.pad(np.zeros(array.shape), pad_width, constant_values=constant_values or 0)
        return _fill(array, places, torch.from_numpy(constants).to(array.dtype))
    how = {"reflect_type": reflect_type} if mode in ("reflect", "symmetric") else {}
    basis = np.eye(array.numel()).reshape(-1, *array.shape)
    padded = np.stack([np.pad(each, pad_width, mode, **how) for each in basis])  # as linear as it is
    return torch.tensordot(array.reshape(-1), torch.from_numpy(padded).to(array.dtype), 1)


def _fill(array, places, constants):
    """Elements of an array, by their place in it; constants where that is negative."""
    places = torch.from_numpy(places)
    if not array.numel():
        return constants
    return torch.where(places >= 0, torch.take(array, places.clamp(min=0)), constants)


def _pad_constant(array, widths, constants):
    widths = widths or 0
    numbers = np.pad(
        np.full(array.shape, -1), widths, constant_values=np.arange(constants.numel()).reshape(constants.shape)
    )
    places = np.pad(np.arange(array.numel()).reshape(array.shape), widths, constant_values=-1)
    return _fill(array, places, _fill(constants, numbers, torch.zeros(numbers.shape, dtype=array.dtype)))


OPERATIONS = {
    "append": lambda arr, values, axis: _concatenate([arr, values], axis),
    "array_split": lambda ary, where, axis: torch.tensor_split(ary, _places(where), axis),
    "column_stack": torch.column_stack,
    "concatenate": _as(_concatenate),
    "delete": _delete,
    "dsplit": lambda ary, where: torch.dsplit(ary, _places(where)),
    "dstack": torch.dstack,
    "hsplit": lambda ary, where: torch.hsplit(ary, _places(where)),
    "hstack": _as(torch.hstack),
    "pad": _pad,
    "pad_constant": _pad_constant,
    "repeat": _repeat,
    "resize": _resize,
    "split": lambda ary, where, axis: torch.tensor_split(ary, _places(where), axis),
    "stack": _as(torch.stack),
    "sum_repeats": _sum_repeats,
    "tile": lambda a, reps: torch.tile(a, _shape(reps)),
    "unstack": torch.unbind,
    "vsplit": lambda ary, where: torch.vsplit(ary, _places(where)),
    "vstack": _as(torch.vstack),
}

WITHOUT: dict[str, str] = {}
