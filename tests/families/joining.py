"""What the tests know of the operations in ops/joining.py."""

import numpy as np


def _sum_repeats(values, repeats, axis):
    array = np.zeros((*np.moveaxis(values, axis, 0).shape[1:], len(repeats)), values.dtype)
    np.add.at(np.moveaxis(array, -1, 0), np.repeat(np.arange(len(repeats)), repeats), np.moveaxis(values, axis, 0))
    return np.moveaxis(array, -1, axis)


REFERENCES = {
    "pad_constant": lambda array, widths, constants: np.pad(array, widths or 0, constant_values=constants),
    "sum_repeats": _sum_repeats,
}

CASES = {}

FOUND = {
    "repeat": [(np.zeros(0), [], None)],
}
