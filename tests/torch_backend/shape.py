"""What torch has for the operations of ops/shape.py."""

import numpy as np
import torch


def _shape(shape):
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


def _axes(axis, ndim):
    return tuple(range(ndim)) if axis is None else _shape(axis)


def _reshape(a, shape, order, copy=None):
    if order == "F":
        reverse = a.permute(tuple(range(a.ndim))[::-1]).reshape(_shape(shape)[::-1])
        return reverse.permute(tuple(range(reverse.ndim))[::-1])
    return torch.reshape(a, _shape(shape))


def _roll(a, shift, axis):
    if axis is None:
        return torch.roll(a.reshape(-1), sum(_shape(shift)), 0).reshape(a.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for each, i in zip(shifts.reshape(-1).tolist(), axes.reshape(-1).tolist(), strict=True):
        a = torch.roll(a, each, i)
    return a


def _several(function):
    def each(arrays):
        return function(*arrays)

    return each


def _meshgrid(xi, copy, sparse, indexing):
    order = [1, 0, *range(2, len(xi))] if indexing == "xy" and len(xi) > 1 else range(len(xi))
    grid = [x.reshape([-1 if i == place else 1 for i in range(len(xi))]) for x, place in zip(xi, order, strict=True)]
    return grid if sparse else torch.broadcast_tensors(*grid)


def _rollaxis(a, axis, start):
    order = list(range(a.ndim))
    moved = order[axis]
    order.insert(start % (a.ndim + 1) if start >= 0 else start + a.ndim, "here")
    order.remove(moved)
    return a.permute([moved if each == "here" else each for each in order])


def _windows(x, window_shape, axis):
    axes = [i % x.ndim for i in _axes(axis, x.ndim)]
    for size, i in zip(_shape(window_shape), axes, strict=True):
        x = x.unfold(i, size, 1)
    return x


def _diagonal_places(shape, *diagonal):
    return torch.from_numpy(np.diagonal(np.arange(int(np.prod(shape))).reshape(shape), *diagonal).copy())


def _scatter(values, places, shape):
    flat = torch.zeros(int(np.prod(shape)), dtype=values.dtype)
    return flat.index_add(0, places.reshape(-1), values.reshape(-1)).reshape(shape)


def _add_windows(values, shape, window_shape, axis):
    places = np.arange(int(np.prod(shape))).reshape(shape)
    places = np.lib.stride_tricks.sliding_window_view(places, window_shape, axis)
    return _scatter(values, torch.from_numpy(places.copy()), shape)


def _triangle(function):
    """A vector stands for equal rows."""
    return lambda m, k: function(m.expand(len(m), len(m)) if m.ndim == 1 else m, k)


OPERATIONS = {
    "add_windows": _add_windows,
    "atleast_1d": _several(torch.atleast_1d),
    "atleast_2d": _several(torch.atleast_2d),
    "atleast_3d": _several(torch.atleast_3d),
    "broadcast_arrays": _several(torch.broadcast_tensors),
    "broadcast_to": lambda a, shape: torch.broadcast_to(a, _shape(shape)),
    "diag": torch.diag,
    "diagflat": torch.diagflat,
    "diagonal": torch.diagonal,
    "expand_dims": lambda a, axis: a.reshape(np.expand_dims(np.empty(a.shape), axis).shape),
    "flip": lambda m, axis: torch.flip(m, _axes(axis, m.ndim)),
    "fliplr": torch.fliplr,
    "flipud": torch.flipud,
    "matrix_transpose": lambda x: x.mT,
    "meshgrid": _meshgrid,
    "moveaxis": torch.moveaxis,
    "ravel": lambda a, order: _reshape(a, -1, order),
    "reshape": _reshape,
    "roll": _roll,
    "rollaxis": _rollaxis,
    "rot90": torch.rot90,
    "scatter_diagonal": lambda values, shape, *diagonal: _scatter(values, _diagonal_places(shape, *diagonal), shape),
    "sliding_window_view": _windows,
    "squeeze": lambda a, axis: torch.squeeze(a) if axis is None else torch.squeeze(a, axis),
    "swapaxes": torch.swapaxes,
    "transpose": lambda a, axes: a.permute(tuple(range(a.ndim))[::-1] if axes is None else axes),
    "tril": _triangle(torch.tril),
    "triu": _triangle(torch.triu),
}

WITHOUT: dict[str, str] = {}
