"""Arguments for the operations of ops/indexing.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike, NDArray

from ....op import REAL, Op
from ..arguments import inputs, sampler
from ..arrays import Shape, arrays, layouts, narrowings, numbers, shapes, small_integers
from ..indices import axes, indices, masks


@sampler("getitem")
def _getitem(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    return *draw(inputs(op, [shape], dtype)), draw(indices(shape))


@sampler("scatter_add")
def _scatter_add(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    index = draw(indices(shape))
    place = draw(narrowings(np.empty(shape)[index].shape))
    return *draw(inputs(op, [place], dtype)), index, shape


@sampler("setitem")
def _setitem(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    index = draw(indices(shape))
    place = draw(narrowings(np.empty(shape)[index].shape))
    return *draw(inputs(op, [shape, place], dtype)), index


@st.composite
def places(draw: DrawFn, shape: Shape, length: int, mode: str = "raise") -> NDArray[Any]:
    """Integers from -length to length - 1; if the mode allows, from twice as far."""
    reach = length if mode == "raise" else 2 * length + 1
    integers = draw(small_integers(shape)).astype(draw(st.sampled_from([np.int64, np.int16]))) % (2 * reach) - reach
    return draw(layouts(integers))


MODES = st.sampled_from(["raise", "wrap", "clip"])


@sampler("take")
def _take(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, mode = draw(shapes(min_side=1)), draw(MODES)
    axis: Any = draw(axes(len(shape), several=False) if shape else st.sampled_from([None, 0, -1]))
    length = shape[axis] if axis is not None and shape else int(np.prod(shape))
    return *draw(inputs(op, [shape], dtype)), draw(places(draw(shapes(max_dims=2)), length, mode)), axis, mode


@sampler("take_along_axis")
def _take_along_axis(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    axis: Any = draw(axes(len(shape), several=False))
    count = draw(st.integers(0, 3))
    if axis is None:
        return *draw(inputs(op, [shape], dtype)), draw(places((count,), int(np.prod(shape)))), None
    i, sides = axis % len(shape), st.sampled_from([(n, n) for n in (1, 2, 3)] + [(1, 2), (3, 1)])
    pairs = [(n, count) if k == i else draw(sides) for k, n in enumerate(shape)]  # of arr and of the indices
    arr, index = (tuple(pair[k] for pair in pairs) for k in (0, 1))
    return *draw(inputs(op, [arr], dtype)), draw(places(index, arr[i])), axis


@sampler("index_add")
def _index_add(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, count = draw(shapes(min_dims=1, min_side=1)), draw(st.integers(0, 3))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    i = axis % len(shape)
    x, source = draw(numbers([shape, (*shape[:i], count, *shape[i + 1 :])], [REAL, REAL], False))
    index = draw(classes((count,), shape[i]))
    return draw(layouts(x.astype(dtype), broadcast=True)), axis, index, draw(layouts(source.astype(dtype)))


@sampler("select")
def _select(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, count = draw(shapes(max_dims=2)), draw(st.integers(1, 3))
    conditions = [draw(masks(draw(narrowings(shape)))) for _ in range(count)]
    choices = [draw(arrays(draw(narrowings(shape)), dtype)) for _ in range(count)]
    return conditions, choices, draw(arrays((), dtype))


@sampler("choose")
def _choose(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, count, mode = draw(shapes(max_dims=2)), draw(st.integers(1, 3)), draw(MODES)
    place = draw(narrowings(shape))
    which = draw(classes(place, count) if mode == "raise" else places(place, count, mode))
    return which, [draw(arrays(draw(narrowings(shape)), dtype)) for _ in range(count)], mode


@sampler("compress")
def _compress(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis: Any = draw(axes(len(shape), several=False))
    length = int(np.prod(shape)) if axis is None else shape[axis]
    return draw(masks((draw(st.integers(0, length)),))), draw(arrays(shape, dtype)), axis


@sampler("extract")
def _extract(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    return draw(masks(shape)), draw(arrays(shape, dtype))


@sampler("argwhere", "flatnonzero")
def _zeros(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    return (draw(arrays(shape, dtype)) * draw(masks(shape)).astype(dtype),)


@sampler("nonzero")
def _nonzero(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    return (draw(arrays(shape, dtype)) * draw(masks(shape)).astype(dtype),)


@sampler("one_hot")
def _one_hot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    count = draw(st.integers(1, 4))
    return draw(classes(draw(shapes()), count)), count, dtype


@st.composite
def classes(draw: DrawFn, shape: Shape, count: int) -> NDArray[Any]:
    """Integers from 0 to count - 1."""
    integers = draw(small_integers(shape)) % count
    return draw(layouts(integers.astype(draw(st.sampled_from([np.int64, np.int32, np.uint8])))))
