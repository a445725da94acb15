"""Arguments for the operations of ops/reduction.py, ops/partial.py and ops/ordering.py."""

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
from ..indices import Axis, all_axes, axes


def count(shape: Shape, axis: Axis) -> int:
    """How many elements are reduced to one."""
    return prod(shape[i] for i in (range(len(shape)) if axis is None else np.atleast_1d(axis).astype(int)))


@st.composite
def reduced(draw: DrawFn, op: Op, dtype: DTypeLike, empty: bool, several: bool = True) -> tuple[Any, ...]:
    """An array, an axis (or several), and keepdims; empty: also where no elements are reduced to one."""
    shape = draw(shapes())
    allowed = [axis for axis in all_axes(len(shape), True, several) if empty or count(shape, axis)]
    if not allowed:
        shape, allowed = (2,), [0, None]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed)), draw(st.booleans())


@sampler("sum", "prod", "nansum", "nanprod", "all", "any", "count_nonzero")
def _sum(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(reduced(op, dtype, empty=True))


@sampler("mean", "max", "min", "ptp", "logsumexp", "nanmean", "nanmax", "nanmin")
def _reduction(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(reduced(op, dtype, empty=False))


@sampler("argmax", "argmin", "nanargmax", "nanargmin")
def _argmax(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(reduced(op, dtype, empty=False, several=False))


@sampler("var", "std", "nanvar", "nanstd")
def _variance(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    a, axis, keepdims = draw(reduced(op, dtype, empty=False))
    return a, axis, draw(st.integers(0, min(2, count(a.shape, axis) - 1))), keepdims


@sampler("average")
def _average(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_side=1))
    axis = draw(st.sampled_from(all_axes(len(shape), True, True)))
    sides = [shape] if axis in (None, ()) else [shape, tuple(shape[i] for i in np.atleast_1d(axis))]
    a, weights = draw(inputs(op, [shape, draw(st.sampled_from(sides))], dtype))
    weights = draw(st.sampled_from([abs(weights) + np.asarray(0.125, dtype), None]))
    return a, axis, weights, draw(st.booleans()), draw(st.booleans())


@sampler("trace")
def _trace(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=2))
    axis1, axis2 = draw(st.permutations(range(len(shape))))[:2]
    negative = len(shape) * draw(st.booleans())
    return *draw(inputs(op, [shape], dtype)), draw(st.integers(-3, 3)), axis1, axis2 - negative


# np.median and its kin fail on no rows of one element, so there is at least one.


@sampler("median")
def _median(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_side=1))
    return *draw(inputs(op, [shape], dtype)), draw(axes(len(shape))), draw(st.booleans())


@sampler("order_statistics")
def _order_statistics(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_side=1))
    axis = draw(axes(len(shape)))
    ranks = draw(st.lists(st.integers(0, count(shape, axis) - 1), min_size=1, max_size=3))
    return *draw(inputs(op, [shape], dtype)), tuple(ranks), axis


@sampler("quantile", "percentile")
def _quantile(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_side=1))
    q = np.asarray(draw(st.sampled_from([0.0, 1.0, 0.5, 0.25, (0.75, 0.125), ((0.5,), (1.0,)), ()])))
    whole = 100 if op.name == "percentile" else 1
    method = draw(st.sampled_from(["linear", "lower", "higher", "midpoint"]))
    return *draw(inputs(op, [shape], dtype)), whole * q, draw(axes(len(shape))), method, draw(st.booleans())
