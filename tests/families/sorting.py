"""What the tests know of the operations in ops/sorting.py."""

from typing import Any

import numpy as np

TIES = np.array([[2.0, 1.0, 2.0, 1.0], [0.0, -0.0, 0.0, 3.0]])

REFERENCES: dict[str, Any] = {}

CASES = {
    "sort": [(TIES, axis, None, None, stable) for axis in (None, 0, -1) for stable in (None, True)]
    + [(np.array([np.inf, -np.inf, 0.0, -0.0, 5e-324]), -1, None, None, None)],
    "partition": [(TIES, 1, axis, "introselect", None) for axis in (None, 0, -1)],
}

FOUND = {  # so long that NumPy does not sort all of it
    "partition": [(np.arange(100.0) * 37 % 100, 50, 0, "introselect", None)],
}
