"""Arguments for the operations of ops/joining.py."""

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
from ..indices import SLICES, all_axes, axes, masks

DTYPES: list[tuple[Any, str]] = [(None, "same_kind"), (None, "same_kind"), (None, "no")]


@st.composite
def _casts(draw: DrawFn, dtype: DTypeLike) -> tuple[Any, str]:
    """A dtype for the result, or none, and a casting rule that allows it."""
    choices = [*DTYPES, (np.dtype(dtype), "safe"), (np.dtype(dtype), "unsafe")]
    return choices[draw(st.integers(0, len(choices) - 1))]


@st.composite
def _along(draw: DrawFn, shape: Shape, axis: int, least: int = 0) -> list[Shape]:
    """Several shapes that differ only along one axis."""
    sides = draw(st.lists(st.integers(least, 3), min_size=1, max_size=3))
    return [(*shape[:axis], side, *shape[axis + 1 :]) for side in sides]


@sampler("concatenate")
def _concatenate(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_dims=2, min_dims=1))
    axis = draw(axes(len(shape), several=False))
    if axis is None:
        parts = [draw(shapes(max_dims=2)) for _ in range(draw(st.integers(1, 3)))]
    else:
        assert isinstance(axis, int)
        parts = draw(_along(shape, axis % len(shape)))
    return draw(inputs(op, parts, dtype)), axis, *draw(_casts(dtype))


@sampler("stack")
def _stack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_dims=2))
    axis = draw(axes(len(shape) + 1, none=False, several=False))
    return draw(inputs(op, [shape] * draw(st.integers(1, 3)), dtype)), axis, *draw(_casts(dtype))


@sampler("hstack")
def _hstack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    parts: list[Shape] = draw(_along(shape, int(len(shape) > 1)))
    if len(shape) == 1:
        parts = [draw(st.sampled_from([part, ()])) for part in parts]
    return draw(inputs(op, parts, dtype)), *draw(_casts(dtype))


@sampler("vstack")
def _vstack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=2))
    parts: list[Shape] = draw(_along(shape, 0))
    if len(shape) == 2:
        parts = [draw(st.sampled_from([part, part[1:], *[()] * (part[1:] == (1,))])) for part in parts]
    return draw(inputs(op, parts, dtype)), *draw(_casts(dtype))


@sampler("dstack")
def _dstack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    m, n = draw(st.sampled_from([(2, 3), (1, 2), (1, 1), (3, 1), (0, 2)]))
    parts: list[Shape] = draw(_along((m, n, 1), 2))
    narrow: list[Shape] = [(m, n), *[(n,)] * (m == 1), *[()] * (m == n == 1)]
    return (draw(inputs(op, [draw(st.sampled_from([part, *narrow])) for part in parts], dtype)),)


@sampler("column_stack")
def _column_stack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=2))
    parts: list[Shape] = draw(_along(shape, 1))
    if len(shape) == 2:
        parts = [draw(st.sampled_from([part, part[:1], *[()] * (part[0] == 1)])) for part in parts]
    return (draw(inputs(op, parts, dtype)),)


@sampler("append")
def _append(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis = draw(axes(len(shape), several=False))
    other = draw(shapes(max_dims=2)) if axis is None else draw(_along(shape, int(axis) % len(shape)))[0]  # type: ignore[arg-type]
    return *draw(inputs(op, [shape, other], dtype)), axis


@st.composite
def _points(draw: DrawFn, length: int, equal: bool) -> Any:
    """Where to split an axis: a number of parts, or indices, in order; not always within its length."""
    if draw(st.booleans()):
        counts = [n for n in range(1, 5) if not equal or length % n == 0]
        return draw(st.sampled_from(counts))
    points = sorted(draw(st.lists(st.integers(0, length + 1), max_size=3)))
    return draw(st.sampled_from([points, tuple(points), np.array(points, int)]))


@sampler("split", "array_split")
def _split(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, max_side=4, max_dims=2))
    axis: Any = draw(axes(len(shape), none=False, several=False))
    return *draw(inputs(op, [shape], dtype)), draw(_points(shape[axis], op.name == "split")), axis


@sampler("vsplit", "hsplit", "dsplit")
def _split_along(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    least = {"vsplit": 2, "hsplit": 1, "dsplit": 3}[op.name]
    shape = draw(shapes(min_dims=least))
    axis = {"vsplit": 0, "hsplit": int(len(shape) > 1), "dsplit": 2}[op.name]
    return *draw(inputs(op, [shape], dtype)), draw(_points(shape[axis], True))


@sampler("unstack")
def _unstack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    allowed = [axis for axis in all_axes(len(shape), False, False) if shape[axis]]  # type: ignore[index]
    if not allowed:
        shape, allowed = (2, 0), [0]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed))


@sampler("delete")
def _delete(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis: Any = draw(axes(len(shape), several=False))
    length = prod(shape) if axis is None else shape[axis]
    named: list[Any] = [st.sampled_from(SLICES), masks((length,)), st.just([])]
    if length:
        one = st.integers(-length, length - 1)
        named += [one, st.lists(one, min_size=1, max_size=3), st.lists(one, min_size=2, max_size=3).map(np.array)]
    return *draw(inputs(op, [shape], dtype)), draw(st.one_of(*named)), axis


@st.composite
def _repeats(draw: DrawFn, length: int) -> Any:
    """How often each element of an axis is repeated: one number, or as many as it is long."""
    several = draw(st.lists(st.integers(0, 3), min_size=length, max_size=length))
    return draw(st.sampled_from([draw(st.integers(0, 3)), [2], several, np.array(several, int)]))


@sampler("repeat")
def _repeat(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    axis: Any = draw(axes(len(shape), several=False))
    return *draw(inputs(op, [shape], dtype)), draw(_repeats(prod(shape) if axis is None else shape[axis])), axis


@sampler("sum_repeats")
def _sum_repeats(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis: Any = draw(axes(len(shape), none=False, several=False))
    repeats = np.array(draw(st.lists(st.integers(0, 3), min_size=shape[axis], max_size=shape[axis])), int)
    repeated = np.repeat(np.empty(shape), repeats, axis).shape
    return *draw(inputs(op, [repeated], dtype)), repeats, axis


@sampler("tile")
def _tile(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    few = st.integers(0, 2)
    reps = draw(st.one_of(few, st.lists(few, max_size=3).map(tuple), st.lists(few, max_size=2)))
    return *draw(inputs(op, [draw(shapes(max_dims=2))], dtype)), reps


@sampler("resize")
def _resize(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes(max_dims=2))], dtype)), draw(st.one_of(st.integers(0, 7), shapes(max_dims=2)))


@st.composite
def _pairs(draw: DrawFn, numbers: Any, ndim: int) -> Any:
    """A pair for each axis, in one of the forms in which NumPy takes them."""
    if ndim and draw(st.booleans()):
        return [[draw(numbers), draw(numbers)] for _ in range(ndim)]
    forms = [draw(numbers), (draw(numbers),), (draw(numbers), draw(numbers)), [(draw(numbers), draw(numbers))]]
    return draw(st.sampled_from([*forms, *[[(draw(numbers),) for _ in range(ndim)]] * (ndim > 1)]))


@sampler("pad")
def _pad(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    mode = draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    shape = draw(shapes(min_side=int(mode != "constant")))
    width: Any = draw(_pairs(st.integers(0, 4 if len(shape) < 2 else 2), len(shape)))
    width = draw(st.sampled_from([width, np.array(width)]))
    if draw(st.booleans()) and shape:
        width = draw(st.sampled_from([{0: 1, -1: (0, 2)}, {-1: (1, 0)}, {}]))
    constants = None
    if mode == "constant" and draw(st.booleans()):
        constants = draw(_pairs(st.integers(-3, 3).map(float), len(shape)))
    kind = draw(st.sampled_from(["even", "odd"])) if mode in ("reflect", "symmetric") else "even"
    return *draw(inputs(op, [shape], dtype)), width, mode, constants, kind


@sampler("pad_constant")
def _pad_constant(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_side=2))
    widths = tuple([(draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in shape])
    array, constants = draw(inputs(op, [shape, draw(st.sampled_from([(len(shape), 2), ()]))], dtype))
    return array, widths, constants
