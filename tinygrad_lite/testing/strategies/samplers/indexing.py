"""Arguments for the operations of ops/indexing.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike, NDArray

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import Shape, layouts, narrowings, shapes, small_integers
from ..indices import indices


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


@sampler("one_hot")
def _one_hot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    count = draw(st.integers(1, 4))
    return draw(classes(draw(shapes()), count)), count, dtype


@st.composite
def classes(draw: DrawFn, shape: Shape, count: int) -> NDArray[Any]:
    """Integers from 0 to count - 1."""
    integers = draw(small_integers(shape)) % count
    return draw(layouts(integers.astype(draw(st.sampled_from([np.int64, np.int32, np.uint8])))))
