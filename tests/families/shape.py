"""What the tests know of the operations in ops/shape.py."""

import numpy as np


def _scatter_diagonal(values, shape, offset, axis1, axis2):
    array = np.zeros(shape, values.dtype)
    np.einsum("...ii->...i", _plane(array, offset, axis1, axis2))[...] = values
    return array


def _plane(array, offset, axis1, axis2):
    """The square that a diagonal goes through, of the last two axes."""
    plane = np.moveaxis(array, (axis1, axis2), (-2, -1))[..., max(0, -offset) :, max(0, offset) :]
    side = min(plane.shape[-2:])
    return plane[..., :side, :side]


def _add_windows(values, shape, window_shape, axis):
    array = np.zeros(shape, values.dtype)
    places = np.arange(array.size).reshape(shape)
    np.add.at(array.reshape(-1), np.lib.stride_tricks.sliding_window_view(places, window_shape, axis), values)
    return array


REFERENCES = {
    "add_windows": _add_windows,
    "scatter_diagonal": _scatter_diagonal,
}

CASES = {}

FOUND = {}
