"""What torch has for the elementwise operations."""

import numpy as np
import torch
from torch.nn import functional as F

from .convert import from_numpy, to_dtype


def _cbrt(x):
    root = torch.where(x < 0, -x, x) ** (1 / 3)
    return torch.where(x < 0, -root, root)


def _clamp(x, low, high):
    if low is None and high is None:
        return x.clone()
    given = iter(torch.broadcast_tensors(*[each for each in (x, low, high) if each is not None]))  # for its own rule
    return torch.clamp(*[None if each is None else next(given) for each in (x, low, high)])


def _divmod(x, y):
    return torch.div(x, y, rounding_mode="floor"), torch.remainder(x, y)


def _heaviside(x, y):
    return torch.where(x == 0, y, (x > 0).to(y.dtype))  # torch's own has no derivative


def _hypot(x, y):
    """The norm, which has a derivative at 0 as well."""
    return torch.linalg.vector_norm(torch.stack(torch.broadcast_tensors(x, y)), dim=0)


def _sinc_derivative(x, order=0):
    """The integral of the derivatives of cos(pi x t), by Gauss and Legendre: torch's own sinc loses digits near 0."""
    nodes, weights = (from_numpy(each) / 2 for each in np.polynomial.legendre.leggauss(40))
    t = nodes + 0.5
    values = (torch.pi * t) ** order * torch.cos(torch.pi * x[..., None] * t + order * torch.pi / 2)
    return torch.sum(values * weights, -1).to(x.dtype)


OPERATIONS = {
    "absolute": torch.abs,
    "add": torch.add,
    "arccos": torch.arccos,
    "arccosh": torch.arccosh,
    "arcsin": torch.arcsin,
    "arcsinh": torch.arcsinh,
    "arctan": torch.arctan,
    "arctan2": torch.arctan2,
    "arctanh": torch.arctanh,
    "astype": lambda x, dtype: x.to(to_dtype(dtype), copy=True),
    "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or,
    "bitwise_xor": torch.bitwise_xor,
    "cbrt": _cbrt,
    "ceil": torch.ceil,
    "clamp": _clamp,
    "clip": lambda a, a_min, a_max, low, high: _clamp(a, low, high) if a_min is a_max else _clamp(a, a_min, a_max),
    "copy": lambda x, order="K": torch.clone(x),
    "copysign": torch.copysign,
    "cos": torch.cos,
    "cosh": torch.cosh,
    "degrees": torch.rad2deg,
    "divide": torch.divide,
    "divmod": _divmod,
    "elu": F.elu,
    "equal": torch.eq,
    "exp": torch.exp,
    "exp2": torch.exp2,
    "expm1": torch.expm1,
    "fabs": torch.abs,
    "float_power": torch.pow,
    "floor": torch.floor,
    "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "fmax": torch.fmax,
    "fmin": torch.fmin,
    "fmod": torch.fmod,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "glu": F.glu,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "hardtanh": F.hardtanh,
    "heaviside": _heaviside,
    "hypot": _hypot,
    "invert": torch.bitwise_not,
    "isfinite": torch.isfinite,
    "isinf": torch.isinf,
    "isnan": torch.isnan,
    "isneginf": torch.isneginf,
    "isposinf": torch.isposinf,
    "leaky_relu": F.leaky_relu,
    "less": torch.lt,
    "less_equal": torch.le,
    "log": torch.log,
    "log10": torch.log10,
    "log1p": torch.log1p,
    "log2": torch.log2,
    "logaddexp": torch.logaddexp,
    "logaddexp2": torch.logaddexp2,
    "logical_and": torch.logical_and,
    "logical_not": torch.logical_not,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "multiply": torch.multiply,
    "nan_to_num": lambda x, copy, nan, posinf, neginf: torch.nan_to_num(x, nan, posinf, neginf),
    "negative": torch.negative,
    "not_equal": torch.ne,
    "positive": torch.clone,
    "check_finite": lambda x, name: x.clone(),
    "power": torch.pow,
    "radians": torch.deg2rad,
    "reciprocal": torch.reciprocal,
    "relu": torch.relu,
    "remainder": torch.remainder,
    "rint": torch.round,
    "round": lambda a, decimals: torch.round(a, decimals=decimals),
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "sign": torch.sign,
    "signbit": torch.signbit,
    "silu": F.silu,
    "sin": torch.sin,
    "sinc": _sinc_derivative,
    "sinc_derivative": _sinc_derivative,
    "sinh": torch.sinh,
    "softplus": lambda x, beta: F.softplus(x, beta, threshold=100),
    "softsign": F.softsign,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "subtract": torch.subtract,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "trunc": torch.trunc,
    "where": torch.where,
}

WITHOUT: dict[str, str] = {}
