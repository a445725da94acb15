"""What the tests know of the operations in ops/indexing.py."""

import numpy as np


def _set(array, index, value):
    array[index] = value
    return array


def add_at(values, index, shape):
    array = np.zeros(shape, values.dtype)
    np.add.at(array, index, np.broadcast_to(values, array[index].shape))
    return array


def _index_add(x, axis, index, source):
    result = x.copy()
    np.add.at(np.moveaxis(result, axis, 0), index, np.moveaxis(source, axis, 0))
    return result


REFERENCES = {
    "getitem": lambda a, index: a[index],
    "index_add": _index_add,
    "one_hot": lambda indices, classes, dtype: np.eye(classes, dtype=dtype)[indices],
    "scatter_add": add_at,
    "setitem": lambda a, value, index: _set(a.copy(), index, value),
}

CASES = {}

FOUND = {
    "getitem": [(np.ones(1), []), (np.ones(2), np.array([0, 0, 1]))],
    "scatter_add": [(np.ones(2), np.zeros((2, 2), int), (1,))],
    "setitem": [(np.ones(1), np.ones(0), []), (np.ones(2), np.arange(3.0), np.array([0, 0, 1]))],
    "take": [(np.arange(3.0), np.array([True, False]), None, "raise")],
}
