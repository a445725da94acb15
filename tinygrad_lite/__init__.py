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
from .graph import composite, no_grad, primitive
from .ops import elementwise as _elementwise
from .ops import joining as _joining
from .ops import linalg as _linalg
from .ops import ordering as _ordering
from .ops import partial as _partial
from .ops import reduction as _reduction
from .ops import scan as _scan
from .ops import shape as _shape
from .ops.elementwise import *
from .ops.elementwise import absolute as abs
from .ops.joining import *
from .ops.linalg import *
from .ops.ordering import *
from .ops.partial import *
from .ops.reduction import *
from .ops.scan import *
from .ops.shape import *
from .random import Generator
from .tensor import Tensor

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "Tensor",
    "Value",
    "abs",
    "arange",
    "composite",
    "draw_dot",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "functional",
    "linspace",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "primitive",
    "tensor",
    "testing",
    "zeros",
    "zeros_like",
]
__all__ += _elementwise.__all__
__all__ += _joining.__all__
__all__ += _linalg.__all__
__all__ += _ordering.__all__
__all__ += _partial.__all__
__all__ += _reduction.__all__
__all__ += _scan.__all__
__all__ += _shape.__all__
