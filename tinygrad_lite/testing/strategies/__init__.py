"""Hypothesis strategies: arrays and Tensors, axes and indices, whole sets of arguments, random expressions.

    from hypothesis import given
    from tinygrad_lite.op import table
    from tinygrad_lite.testing import gradcheck, strategies

    matmul = table["matmul"]

    @given(strategies.arguments(matmul))
    def test_gradient(args):
        assert gradcheck(matmul.function, *args, argnums=(0, 1))

- `shapes`, `broadcasting`, `narrowings`: shapes; several that broadcast together; those that broadcast to a given one
- `arrays`, `tensors`: numbers within a domain and away from kinks, in all layouts; 0-d and of size 0, too
- `broadcastable_arrays`, `broadcastable_tensors`: pairs, triples and so on that broadcast together
- `numbers`, `layouts`: what the former are made of
- `axes`, `indices`, `masks`, `einsums`: an axis or several; an index of any kind; bools; subscripts and operands
- `arguments`: all arguments of an operation of the table; `sampler` declares how those of another one are drawn
- `expressions`: graphs of many operations, with a repr that is a program

All of them shrink to simple examples. This folder and `testing/properties.py` are all that imports Hypothesis.
"""

from . import samplers
from .arguments import SAMPLERS, arguments, can_be_drawn, inputs, is_elementwise, sampler
from .arrays import (
    LAYOUTS,
    arrays,
    broadcastable_arrays,
    broadcastable_tensors,
    broadcasting,
    lay_out,
    layouts,
    narrowings,
    numbers,
    shapes,
    tensors,
)
from .einsum import einsums
from .expressions import expressions
from .indices import axes, indices, masks
from .programs import Backend, Call, Expression, Write
from .samplers.neural import Repeating

__all__ = [
    "LAYOUTS",
    "SAMPLERS",
    "Backend",
    "Call",
    "Expression",
    "Repeating",
    "Write",
    "arguments",
    "arrays",
    "axes",
    "broadcastable_arrays",
    "broadcastable_tensors",
    "broadcasting",
    "can_be_drawn",
    "einsums",
    "expressions",
    "indices",
    "inputs",
    "is_elementwise",
    "lay_out",
    "layouts",
    "masks",
    "narrowings",
    "numbers",
    "sampler",
    "samplers",
    "shapes",
    "tensors",
]
