"""What the tests know of the operations in ops/scan.py."""

import numpy as np

ZEROS = np.array([[2.0, 0.0, 3.0, 4.0], [0.0, 0.0, 5.0, 1.0], [1.0, 2.0, 4.0, 0.0]])


def _recurrence(factors, terms):
    y = terms.copy()
    for i in range(1, y.shape[-1]):
        y[..., i] += factors[..., i - 1] * y[..., i - 1]
    return y


REFERENCES = {
    "recurrence": _recurrence,
}

CASES = {
    "cumprod": [(ZEROS, axis) for axis in (None, 0, 1, -2)],
    "nancumprod": [(np.where(ZEROS == 5, np.nan, ZEROS), axis) for axis in (None, 0, 1)],
    "nancumsum": [(np.where(ZEROS == 5, np.nan, ZEROS), axis) for axis in (None, 0, 1)],
}

FOUND = {
    "cumprod": [(ZEROS, None), (ZEROS, 0), (np.array(2.0), 0)],
    "cumsum": [(np.array(2.0), 0), (np.array(2.0), -1)],
}
