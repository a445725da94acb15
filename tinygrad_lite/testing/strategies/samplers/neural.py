"""Arguments for the operations of ops/neural.py, normalization.py and attention.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import REAL, Interval, Op
from ....random import Generator
from ....tensor import Tensor
from ..arguments import inputs, sampler
from ..arrays import Shape, layouts, narrowings, numbers, shapes
from ..indices import axes, masks
from .indexing import classes


@sampler("softmax", "log_softmax")
def _softmax(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    return *draw(inputs(op, [shape], dtype)), draw(axes(len(shape), none=False, several=False))


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


TRAILING: list[tuple[Shape, Shape]] = [
    ((2, 3), ()),
    ((3,), ()),
    ((2,), (2,)),
    ((3,), (2, 2)),
    ((2, 2), (2,)),
    ((1,), (3,)),
    ((2,), (0,)),
    ((2, 1, 3), ()),
]


@st.composite
def _over_last_axes(draw: DrawFn, dtype: DTypeLike) -> tuple[Any, ...]:
    """What is normalized, over which shape, and parameters of that shape or None."""
    last, front = draw(st.sampled_from(TRAILING))
    domains = [Interval(kinks=(0.0,)), REAL, REAL]  # rows of zeros, and constant ones, are steep
    x, *parameters = [each.astype(dtype) for each in draw(numbers([(*front, *last), last, last], domains, True))]
    shape = draw(st.sampled_from([last, last[0]])) if len(last) == 1 else last
    return draw(layouts(x)), shape, *[draw(st.one_of(st.none(), layouts(each))) for each in parameters]


@sampler("layer_norm")
def _layer_norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(_over_last_axes(dtype)), draw(st.sampled_from([1e-5, 0.1]))


@sampler("rms_norm")
def _rms_norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(_over_last_axes(dtype))[:3], draw(st.sampled_from([None, 1e-5, 0.1]))


class Repeating:
    """A generator whose draws are always the same, since the tests call an operation many times."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __repr__(self) -> str:
        return f"Repeating({self.seed})"

    def rand(self, *size: Any, dtype: DTypeLike | None = None) -> Tensor:
        return Generator().manual_seed(self.seed).rand(*size, dtype=dtype)


@sampler("dropout")
def _dropout(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x = draw(inputs(op, [draw(shapes())], dtype))
    return *x, draw(st.sampled_from([0.5, 0.25, 0.9, 1.0])), Repeating(draw(st.integers(0, 9)))


SIDES = [(2, 3, 2, 1), (3, 2, 1, 2), (3, 3, 2, 2), (2, 2, 2, 1), (1, 3, 1, 1), (2, 2, 3, 2), (1, 1, 2, 3), (2, 0, 1, 2)]
BATCHES_OF_THREE: list[tuple[Shape, Shape, Shape]] = [
    ((), (), ()),
    ((2,), (2,), (2,)),
    ((2,), (), (1,)),
    ((), (2,), ()),
    ((1, 2), (2, 1), (2,)),
    ((), (1,), (2, 2)),
    ((0,), (1,), ()),
]


@sampler("scaled_dot_product_attention")
def _attention(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    rows, seen, inner, width = draw(st.sampled_from(SIDES))
    first, second, third = draw(st.sampled_from(BATCHES_OF_THREE))
    drawn = draw(numbers([(*first, rows, inner), (*second, seen, inner), (*third, seen, width)], [REAL] * 3, True))
    arrays = [draw(layouts(array.astype(dtype))) for array in drawn]  # all different: what is equal needs no attention
    full = (*np.broadcast_shapes(first, second), rows, seen)
    kind = draw(st.sampled_from(["none", "causal", "bools", *["floats"] * 4]))  # the mask has a rule to be tested
    shape = draw(st.sampled_from([full, full[-2:], full[-1:], (1, seen), (rows, 1)]))
    mask: Any = None
    if kind == "bools":
        mask = draw(masks(shape))
    if kind == "floats":
        (mask,) = draw(numbers([shape], [REAL], False))
        mask = draw(layouts(mask.astype(dtype), broadcast=True))
    return *arrays, mask, kind == "causal", draw(st.sampled_from([None, 0.5, -1.5]))
