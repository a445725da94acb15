"""What the tests know of the operations in ops/elementwise.py."""

import numpy as np

ZEROS = np.array([0.0, -0.0, 1.0, -1.0])
PAIRS = (np.array([[1.0], [2.0], [-0.0]]), np.array([1.0, 0.0, 2.0]))

REFERENCES = {
    "astype": lambda x, dtype: x.astype(dtype),
    "relu": lambda x: x * (x > 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}

CASES = {
    "absolute": [(ZEROS,)],
    "divide": [(np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, -0.0, 0.0, 2.0]))],
    "exp": [(np.array([1000.0, -1000.0, np.inf, -np.inf, 0.0]),)],
    "log": [(np.array([0.0, -1.0, np.inf, 5e-324]),)],
    "maximum": [(ZEROS, ZEROS), PAIRS, (np.array([np.inf, -np.inf]), np.array([np.inf, 1.0]))],
    "minimum": [(ZEROS, ZEROS), PAIRS, (np.array([np.inf, -np.inf]), np.array([np.inf, 1.0]))],
    "power": [
        (np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 2.0, 3.0, 0.5, -1.0])),
        (np.array([-2.0, -2.0, -2.0, -2.0, -2.0, -2.0]), np.array([0.0, 1.0, 2.0, 3.0, -1.0, 0.5])),
        (np.array([2.0, np.inf, 1e30, 1.0]), np.array([0.0, 0.0, 1e30, np.inf])),
    ],
    "relu": [(ZEROS,), (np.array([np.inf, -np.inf]),)],
    "sigmoid": [(np.array([1000.0, -1000.0, 0.0, np.inf, -np.inf]),)],
    "sign": [(ZEROS,)],
    "sqrt": [(np.array([0.0, -1.0, np.inf, 5e-324]),)],
    "tanh": [(np.array([1000.0, -1000.0, 0.0, np.inf, -np.inf]),)],
}

FOUND = {
    "power": [(np.ones(2), np.array([0.0, 1.0]))],
}
