"""What the tests know of the operations in ops/norms.py."""

import numpy as np

VECTORS = np.array([[0.0, 0.0], [0.0, 2.0], [-3.0, 3.0]])
MATRICES = np.array([[[0.0, 0.0], [0.0, 0.0]], [[1.0, -1.0], [0.0, 2.0]], [[-3.0, 3.0], [3.0, 3.0]]])
POWERS = (2.0, 3.0, 1.5, 0.5, -1.0, -2.0)
ORDERS = (None, 0, 1, 2, np.inf, -np.inf, 3, 1.5, 0.5, -1)

REFERENCES = {
    "p_norm": lambda x, p, axis, keepdims: np.sum(np.abs(x) ** p, axis, keepdims=keepdims) ** (1 / p),
}

CASES = {
    "matrix_norm": [(MATRICES, keepdims, o) for o in ("fro", 1, -1, np.inf, -np.inf) for keepdims in (False, True)],
    "norm": [
        *[(VECTORS, order, 1, False) for order in ORDERS],
        *[(MATRICES, order, (2, 0), True) for order in (None, "fro", 1, -1, np.inf, -np.inf)],
        *[(array, None, None, False) for array in (VECTORS[0], VECTORS, np.array(0.0))],
    ],
    "p_norm": [(VECTORS, p, axis, False) for p in POWERS for axis in (0, 1)],
    "vector_norm": [(VECTORS, axis, True, order) for order in ORDERS[1:] for axis in (None, 0)],
}

FOUND = {}
