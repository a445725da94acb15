"""Arguments for the operations of ops/scan.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import Shape, shapes
from ..indices import axes
from .reduction import reduced


@sampler("cumsum", "cumprod", "nancumsum", "nancumprod")
def _scan(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(reduced(op, dtype, empty=True, several=False))[:2]


@sampler("cumulative_sum", "cumulative_prod")
def _cumulative(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis = draw(axes(len(shape), none=len(shape) == 1, several=False))
    return *draw(inputs(op, [shape], dtype)), axis, draw(st.booleans())


@sampler("recurrence")
def _recurrence(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, n = draw(shapes(max_dims=2)), draw(st.integers(0, 6))
    return tuple(draw(inputs(op, [(*shape, max(n - 1, 0)), (*shape, n)], dtype)))


@sampler("diff")
def _diff(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis = draw(axes(len(shape), none=False, several=False))
    assert isinstance(axis, int)
    i = axis % len(shape)
    ends = [draw(st.sampled_from([(), (*shape[:i], draw(st.integers(0, 2)), *shape[i + 1 :])])) for _ in range(2)]
    a, prepend, append = draw(inputs(op, [shape, *ends], dtype))
    n = draw(st.integers(0, 3))
    given = [(None, None), (prepend, None), (None, append), (prepend, append)] if n else [(None, None)]
    return a, n, axis, *draw(st.sampled_from(given))


@sampler("gradient")
def _gradient(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    edge_order = draw(st.integers(1, 2))
    shape = draw(shapes(min_dims=1, min_side=edge_order + 1))
    axis = draw(axes(len(shape)).filter(lambda axis: axis != ()))
    order = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    sides = [shape[i] for i in order]
    each: list[Shape] = [draw(st.sampled_from([(), (n,)])) for n in sides]
    given: list[list[Shape]] = [[], [()], each]
    f, *steps = draw(inputs(op, [shape, *draw(st.sampled_from(given))], dtype))
    spacings = [np.cumsum(0.5 + abs(step)).reshape(step.shape).astype(dtype) for step in steps]
    return f, spacings, axis, edge_order
