"""Arguments for the operations of ops/reduction.py."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import Shape, shapes
from ..indices import Axis, all_axes


def count(shape: Shape, axis: Axis) -> int:
    """How many elements are reduced to one."""
    return prod(shape[i] for i in (range(len(shape)) if axis is None else np.atleast_1d(axis).astype(int)))


@st.composite
def _reduced(draw: DrawFn, op: Op, dtype: DTypeLike, empty: bool, several: bool = True) -> tuple[Any, ...]:
    shape = draw(shapes())
    allowed = [axis for axis in all_axes(len(shape), True, several) if empty or count(shape, axis)]
    if not allowed:
        shape, allowed = (2,), [0, None]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed)), draw(st.booleans())


@sampler("sum")
def _sum(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_reduced(op, dtype, empty=True))


@sampler("mean", "max", "min")
def _reduction(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_reduced(op, dtype, empty=False))


@sampler("argmax")
def _argmax(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_reduced(op, dtype, empty=False, several=False))


@sampler("var", "std")
def _variance(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    a, axis, keepdims = draw(_reduced(op, dtype, empty=False))
    return a, axis, draw(st.integers(0, min(2, count(a.shape, axis) - 1))), keepdims
