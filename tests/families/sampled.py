"""What the tests know of the operations in ops/sampled.py."""

from typing import Any

import numpy as np

REFERENCES: dict[str, Any] = {}

POINTS = np.array([0.0, 1.0, 1.0, 3.0]), np.array([2.0, 0.0, 4.0, -2.0])

CASES = {
    "interp": [(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]), *POINTS, None, None)],
}

FOUND: dict[str, Any] = {}
