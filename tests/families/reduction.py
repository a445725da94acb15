"""What the tests know of the operations in ops/reduction.py."""

import numpy as np

REFERENCES = {}

CASES = {
    "max": [(np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]), axis, False) for axis in (None, 0, 1, -1, (0, 1), ())],
    "min": [(np.array([[2.0, 1.0, 1.0], [3.0, 3.0, 3.0]]), axis, True) for axis in (None, 0, 1, -1, (0, 1), ())],
    "std": [(np.array([[0.1, 0.2, 0.3], [1.0, 1.0, 2.0]]), 1, 1, False)],
}

FOUND = {
    "max": [(np.array(3.0), 0, False), (np.array(3.0), -1, True)],
    "sum": [(np.array(3.0), 0, False), (np.array(3.0), -1, True)],
}
