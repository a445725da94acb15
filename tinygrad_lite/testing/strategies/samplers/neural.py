"""Arguments for the operations of ops/neural.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import REAL, Op
from ..arguments import inputs, sampler
from ..arrays import Shape, layouts, narrowings, numbers, shapes
from ..indices import axes
from .indexing import classes


@sampler("softmax", "log_softmax")
def _softmax(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    return *draw(inputs(op, [shape], dtype)), draw(axes(len(shape), none=False, several=False))


@sampler("cross_entropy")
def _cross_entropy(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    return *draw(inputs(op, [shape], dtype)), draw(classes(shape[:-1], shape[-1]))


@sampler("linear")
def _linear(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from([(2, 3), (3, 1), (1, 2), (1, 1), (0, 2), (2, 0)]))
    x, weight, bias = draw(inputs(op, [(*draw(shapes(max_dims=2)), n), (n, m), (m,)], dtype))
    return x, weight, draw(st.sampled_from([bias, None]))


@sampler("scatter_rows")
def _scatter_rows(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, rows = draw(shapes(max_dims=2)), draw(st.integers(1, 4))
    return *draw(inputs(op, [(*shape, draw(st.integers(0, 3)))], dtype)), draw(classes(shape, rows)), rows


@sampler("embedding")
def _embedding(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    rows, width = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    (weight,) = draw(numbers([(rows, width)], [REAL], False))
    return draw(classes(draw(shapes(max_dims=2)), rows)), draw(layouts(weight.astype(dtype), broadcast=True))


BATCHES: list[tuple[Shape, int | tuple[int, ...]]] = [
    ((3, 2), 0),
    ((2, 3), 0),
    ((4, 1), 0),
    ((2, 3), 1),
    ((2, 2, 3), (0, 1)),
    ((3, 2, 2), (0, -1)),
]


@sampler("batch_norm")
def _batch_norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, axis = draw(st.sampled_from(BATCHES))
    kept = np.empty(shape).sum(axis, keepdims=True).shape
    shapes = [shape, draw(narrowings(kept)), draw(narrowings(kept))]
    drawn = draw(numbers(shapes, [REAL] * 3, True))  # a constant column is steep: its variance is near eps
    arrays = [draw(layouts(array.astype(dtype))) for array in drawn]
    return *arrays, axis, draw(st.sampled_from([1e-5, 0.1])), draw(st.integers(0, 1))
