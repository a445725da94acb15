"""Automatic differentiation in plain NumPy: a scalar engine to read, and a vectorised one that trains models.

    import tinygrad_lite as tg

What NumPy has under a name is `tg.<name>`, what is neural is in `tg.functional`.
"""

from . import functional, linalg, optim, testing
from . import writing as _writing
from .anomaly import detect_anomaly
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
from .declare import composite, primitive
from .drawing import draw_dot
from .engine import Value
from .mode import no_grad
from .ops import arithmetic as _arithmetic
from .ops import contraction as _contraction
from .ops import elementwise as _elementwise
from .ops import indexing as _indexing
from .ops import joining as _joining
from .ops import linalg as _linalg
from .ops import logic as _logic
from .ops import ordering as _ordering
from .ops import partial as _partial
from .ops import reduction as _reduction
from .ops import rounding as _rounding
from .ops import sampled as _sampled
from .ops import scan as _scan
from .ops import selection as _selection
from .ops import shape as _shape
from .ops import sorting as _sorting
from .ops.arithmetic import *
from .ops.contraction import *
from .ops.elementwise import *
from .ops.elementwise import absolute as abs
from .ops.indexing import *
from .ops.joining import *
from .ops.linalg import *
from .ops.logic import *
from .ops.ordering import *
from .ops.partial import *
from .ops.reduction import *
from .ops.rounding import *
from .ops.sampled import *
from .ops.scan import *
from .ops.selection import *
from .ops.shape import *
from .ops.sorting import *
from .page import explore
from .program import JitError, jit
from .random import Generator
from .recompute import checkpoint
from .tensor import Tensor
from .transforms import elementwise_grad, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .writing import *

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "JitError",
    "Tensor",
    "Value",
    "abs",
    "arange",
    "checkpoint",
    "composite",
    "detect_anomaly",
    "draw_dot",
    "elementwise_grad",
    "explore",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "functional",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jit",
    "jvp",
    "linalg",
    "linspace",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "primitive",
    "tensor",
    "testing",
    "value_and_grad",
    "vjp",
    "zeros",
    "zeros_like",
]
__all__ += _arithmetic.__all__
__all__ += _contraction.__all__
__all__ += _elementwise.__all__
__all__ += _indexing.__all__
__all__ += _joining.__all__
__all__ += _linalg.__all__
__all__ += _logic.__all__
__all__ += _reduction.__all__
__all__ += _rounding.__all__
__all__ += _selection.__all__
__all__ += _sampled.__all__
__all__ += _ordering.__all__
__all__ += _partial.__all__
__all__ += _scan.__all__
__all__ += _shape.__all__
__all__ += _sorting.__all__
__all__ += _writing.__all__
