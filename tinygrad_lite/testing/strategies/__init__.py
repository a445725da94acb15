"""Hypothesis strategies: shapes, arrays, layouts, axes and indices, and whole sets of arguments for every operation.

    from hypothesis import given
    from tinygrad_lite.op import table
    from tinygrad_lite.testing import gradcheck, strategies

    matmul = table["matmul"]

    @given(strategies.arguments(matmul))
    def test_gradient(args):
        assert gradcheck(matmul.function, *args, argnums=(0, 1))

This folder is the only place that imports Hypothesis.
"""

from . import samplers
from .arguments import SAMPLERS, arguments, can_be_drawn, inputs, is_elementwise, sampler
from .arrays import LAYOUTS, arrays, broadcasting, lay_out, layouts, narrowings, numbers, shapes, tensors
from .expressions import Backend, Call, Expression, Write, expressions
from .indices import axes, indices

__all__ = [
    "LAYOUTS",
    "SAMPLERS",
    "Backend",
    "Call",
    "Expression",
    "Write",
    "arguments",
    "arrays",
    "axes",
    "broadcasting",
    "can_be_drawn",
    "expressions",
    "indices",
    "inputs",
    "is_elementwise",
    "lay_out",
    "layouts",
    "narrowings",
    "numbers",
    "sampler",
    "samplers",
    "shapes",
    "tensors",
]
