"""What torch has for the operations of ops/sorting.py."""

import numpy as np
import torch


def _sort(a, axis):
    """The sorted elements and their places."""
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return torch.sort(a, dim=axis, stable=True)


def _partition(a, kth, axis, kind, order):
    """What NumPy puts where, by torch: the places of equal elements in the order in which they are."""
    out = torch.from_numpy(np.partition(a.detach().numpy(), kth, axis))
    places = _sort(_sort(out, axis).indices, axis).indices
    return torch.take_along_dim(_sort(a, axis).values, places, 0 if axis is None else axis)


def _digitize(x, bins, right):
    if len(bins) < 2 or bins[0] <= bins[-1]:
        return torch.bucketize(x.contiguous(), bins.contiguous(), right=not right)
    return len(bins) - torch.bucketize(x.contiguous(), bins.flip(0), right=not right)


def _bincount(x, weights, minlength):
    x, weights = x.long(), torch.ones(len(x), dtype=torch.long) if weights is None else weights
    length = max(minlength, int(x.max()) + 1 if len(x) else 0)
    return torch.zeros(length, dtype=weights.dtype).index_add(0, x, weights)


def _searchsorted(a, v, side, sorter):
    return torch.searchsorted(a.contiguous(), v.contiguous(), side=side, sorter=sorter)


OPERATIONS = {
    "argsort": lambda a, axis, kind, order, stable: _sort(a, axis).indices,
    "bincount": _bincount,
    "digitize": _digitize,
    "partition": _partition,
    "searchsorted": lambda a, v, side, sorter: torch.searchsorted(
        a.contiguous(), v.contiguous(), side=side, sorter=sorter
    ),
    "sort": lambda a, axis, kind, order, stable: _sort(a, axis).values,
}

WITHOUT = {
    "argpartition": "torch does not partition, and in which order NumPy leaves the elements is its own affair",
}
