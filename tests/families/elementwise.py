"""What the tests know of the elementwise operations.

These are in ops/arithmetic.py, elementwise.py, rounding.py, selection.py, logic.py and activations.py.
"""

import numpy as np

inf, nan = np.inf, np.nan
ZEROS = np.array([0.0, -0.0, 1.0, -1.0])
PAIRS = (np.array([[1.0], [2.0], [-0.0]]), np.array([1.0, 0.0, 2.0]))
FAR = np.array([1000.0, -1000.0, 0.0, inf, -inf])
UNIT = np.array([0.0, 1.0, -1.0, 2.0])
HALVES = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.0, 2.0, inf, -inf])
ALONE = np.array([1.0, nan, 1.0, nan]), np.array([1.0, 1.0, nan, nan])
QUOTIENTS = (np.array([5.0, -5.0, 5.0, -5.0, 1.0, 0.0]), np.array([3.0, 3.0, -3.0, -3.0, inf, 2.0]))
BESIDES = (np.array([0.0, 1.0, 1.5, 2.0, 3.0, nan, inf, -inf]), np.array(1.0), np.array(2.0))
CROSSED = (np.array([0.0, 1.0, 1.5, 2.0, 3.0]), np.array(2.0), np.array(1.0))


def _gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x**3)))


def _sinc_derivative(x, order):
    """The integral that sinc is, differentiated under the integral, by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    t = (nodes + 1) / 2
    values = (np.pi * t) ** order * np.cos(np.pi * x[..., None] * t + order * np.pi / 2)
    return np.sum(values * weights / 2, axis=-1).astype(x.dtype)


def _glu(x, axis):
    first, second = np.split(x, 2, axis)
    return first / (1 + np.exp(-second))


REFERENCES = {
    "check_finite": lambda x, name: +x,
    "astype": lambda x, dtype: x.astype(dtype),
    "clamp": lambda x, low, high: np.clip(x, low, high),
    "elu": lambda x, alpha: np.maximum(x, 0) + alpha * (np.exp(np.minimum(x, 0)) - 1),
    "gelu": _gelu,
    "glu": _glu,
    "hardtanh": np.clip,
    "leaky_relu": lambda x, slope: np.maximum(x, 0) + slope * np.minimum(x, 0),
    "relu": lambda x: x * (x > 0),
    "selu": lambda x: 1.0507009873554805 * (np.maximum(x, 0) + 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "sinc_derivative": _sinc_derivative,
    "softplus": lambda x, beta: np.log(1 + np.exp(beta * x)) / beta,
    "softsign": lambda x: x / (1 + np.abs(x)),
}

CASES = {
    "absolute": [(ZEROS,)],
    "arccos": [(UNIT,)],
    "arccosh": [(np.array([1.0, 0.0, inf, 1e10]),)],
    "arcsin": [(UNIT,)],
    "arcsinh": [(np.array([0.0, 1e10, -1e10, inf, -inf]),)],
    "arctan": [(FAR,)],
    "arctan2": [
        (np.array([0.0, 0.0, 0.0, -0.0, 1.0, -1.0]), np.array([0.0, 1.0, -1.0, -1.0, 0.0, 0.0])),
        (np.array([inf, 1.0, inf]), np.array([1.0, inf, inf])),
    ],
    "arctanh": [(UNIT,)],
    "cbrt": [(np.array([0.0, 8.0, -8.0, inf]),)],
    "ceil": [(HALVES,)],
    "clamp": [BESIDES, CROSSED, (*BESIDES[:2], None), (BESIDES[0], None, BESIDES[2]), (BESIDES[0], None, None)],
    "clip": [(*BESIDES, None, None), (*CROSSED, None, None), (BESIDES[0], None, None, None, BESIDES[2])],
    "copysign": [(np.array([0.0, -0.0, 1.0, -2.0, 3.0]), np.array([1.0, -1.0, -0.0, 3.0, 0.0]))],
    "cosh": [(FAR,)],
    "divide": [(np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, -0.0, 0.0, 2.0]))],
    "elu": [(np.array([*ZEROS, *FAR]), 1.0), (ZEROS, 0.5)],
    "exp": [(np.array([1000.0, -1000.0, inf, -inf, 0.0]),)],
    "exp2": [(np.array([2000.0, -2000.0, inf, -inf, 0.0]),)],
    "expm1": [(np.array([1000.0, -1000.0, inf, -inf, 0.0, 1e-20]),)],
    "fabs": [(ZEROS,)],
    "float_power": [(np.array([0.0, 0.0, 0.0, -2.0]), np.array([0.0, 2.0, 0.5, 3.0]))],
    "floor": [(HALVES,)],
    "floor_divide": [QUOTIENTS],
    "fmax": [(ZEROS, ZEROS), PAIRS, ALONE],
    "fmin": [(ZEROS, ZEROS), PAIRS, ALONE],
    "fmod": [QUOTIENTS],
    "gelu": [(np.array([0.0, -0.0, 1.0, 50.0, -50.0, 1e5, -1e5]),)],
    "hardtanh": [(ZEROS, -1.0, 1.0), (FAR, 0.0, 6.0)],
    "heaviside": [(np.array([0.0, -0.0, 1.0, -1.0, inf, -inf]), np.array([0.5, 2.0, 3.0, 4.0, 5.0, 6.0]))],
    "hypot": [(np.array([0.0, 0.0, 3.0, -0.0]), np.array([0.0, -2.0, 0.0, 1e-10]))],
    "leaky_relu": [(ZEROS, 0.01), (FAR, 0.5), (ZEROS, 2.0)],
    "log": [(np.array([0.0, -1.0, inf, 5e-324]),)],
    "log10": [(np.array([0.0, -1.0, inf, 1e-30]),)],
    "log1p": [(np.array([0.0, -1.0, -2.0, inf, 1e-30]),)],
    "log2": [(np.array([0.0, -1.0, inf, 1e-30]),)],
    "logaddexp": [
        (np.array([1000.0, -1000.0, inf, -inf, inf, -inf]), np.array([0.0, 0.0, -inf, inf, 1.0, 1.0])),
        (np.array([inf, -inf, nan, 1e10]), np.array([inf, -inf, 1.0, 1e10])),
    ],
    "logaddexp2": [
        (np.array([1000.0, -1000.0, inf, -inf, inf, -inf]), np.array([0.0, 0.0, -inf, inf, 1.0, 1.0])),
        (np.array([inf, -inf, nan, 1e10]), np.array([inf, -inf, 1.0, 1e10])),
    ],
    "maximum": [(ZEROS, ZEROS), PAIRS, (np.array([inf, -inf]), np.array([inf, 1.0])), ALONE],
    "minimum": [(ZEROS, ZEROS), PAIRS, (np.array([inf, -inf]), np.array([inf, 1.0])), ALONE],
    "nan_to_num": [
        (np.array([inf, -inf, nan, 1.0, -0.0]), True, 0.0, None, None),
        (np.array([inf, -inf, nan, 1.0]), True, 2.0, 1.0, -3.0),
    ],
    "power": [
        (np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 2.0, 3.0, 0.5, -1.0])),
        (np.array([-2.0, -2.0, -2.0, -2.0, -2.0, -2.0]), np.array([0.0, 1.0, 2.0, 3.0, -1.0, 0.5])),
        (np.array([2.0, inf, 1e30, 1.0]), np.array([0.0, 0.0, 1e30, inf])),
    ],
    "reciprocal": [(np.array([0.0, -0.0, inf, -inf, 2.0]),)],
    "relu": [(ZEROS,), (np.array([inf, -inf]),)],
    "remainder": [QUOTIENTS],
    "rint": [(HALVES,)],
    "round": [(HALVES, 0), (np.array([0.25, 0.75, -0.25, 0.125]), 1), (np.array([5.0, 15.0, 25.0, -15.0]), -1)],
    "selu": [(np.array([*ZEROS, *FAR]),)],
    "sigmoid": [(FAR,), (np.array([-30.0, -50.0, -80.0, 30.0]),)],
    "sign": [(ZEROS,)],
    "silu": [(np.array([0.0, 80.0, -80.0, 1000.0, -1000.0]),)],
    "sinh": [(FAR,)],
    "softplus": [(FAR, 1.0), (np.array([-30.0, -50.0, 30.0, 0.0]), 2.0)],
    "softsign": [(np.array([*ZEROS, 1e10, -1e10]),)],
    "sqrt": [(np.array([0.0, -1.0, inf, 5e-324]),)],
    "tan": [(np.array([np.pi / 2, -np.pi / 2, 0.0]),)],
    "tanh": [(FAR,)],
    "trunc": [(HALVES,)],
}

FOUND = {
    "power": [(np.ones(2), np.array([0.0, 1.0]))],
}
