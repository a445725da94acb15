"""Automatic differentiation in plain NumPy: a scalar engine to read, and a vectorised one that trains models.

    import tinygrad_lite as tg

What NumPy has under a name is `tg.<name>`, what is neural is in `tg.functional`.
"""

from . import functional, optim, testing
from .creation import (
    arange,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .drawing import draw_dot
from .engine import Value
from .graph import no_grad, primitive
from .ops.elementwise import (
    absolute,
    add,
    copy,
    divide,
    equal,
    exp,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    sign,
    sqrt,
    subtract,
    tanh,
    where,
)
from .ops.elementwise import absolute as abs
from .ops.linalg import matmul
from .ops.reduction import argmax, max, mean, min, std, sum, var
from .ops.shape import broadcast_to, concatenate, expand_dims, reshape, squeeze, stack, swapaxes, transpose
from .random import Generator
from .tensor import Tensor

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "Tensor",
    "Value",
    "abs",
    "absolute",
    "add",
    "arange",
    "argmax",
    "broadcast_to",
    "concatenate",
    "copy",
    "divide",
    "draw_dot",
    "equal",
    "exp",
    "expand_dims",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "functional",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "linspace",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multiply",
    "negative",
    "no_grad",
    "not_equal",
    "ones",
    "ones_like",
    "optim",
    "power",
    "primitive",
    "reshape",
    "sign",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "tanh",
    "tensor",
    "testing",
    "transpose",
    "var",
    "where",
    "zeros",
    "zeros_like",
]
