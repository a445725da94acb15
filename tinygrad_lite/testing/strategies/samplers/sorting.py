"""Arguments for the operations of ops/sorting.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike, NDArray

from ....op import REAL, Op
from ..arguments import sampler
from ..arrays import arrays, layouts, numbers, shapes
from ..indices import axes
from .indexing import classes

# Equal elements are not drawn where their order, or that of their gradients, is anybody's.
KINDS: list[tuple[str | None, bool | None]] = [
    (None, None),
    ("stable", None),
    (None, True),
    (None, False),
    ("heapsort", None),
]


@st.composite
def _lines(draw: DrawFn, dtype: DTypeLike, distinct: bool) -> tuple[NDArray[Any], int | None]:
    """An array, and an axis of it or None."""
    shape = draw(shapes())
    axis: Any = draw(axes(len(shape), several=False))
    return draw(arrays(shape, dtype, distinct=distinct)), axis


@sampler("sort", "argsort")
def _sort(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    kind, stable = draw(st.sampled_from(KINDS))
    is_stable = kind == "stable" or stable is True
    a, axis = draw(_lines(dtype, op.ties or not is_stable))
    return a, axis, kind, None, stable


@sampler("partition", "argpartition")
def _partition(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_side=1))
    axis: Any = draw(axes(len(shape), several=False))
    length = int(np.prod(shape)) if axis is None else shape[axis]
    place = st.integers(-length, length - 1)
    kth = draw(st.one_of(place, st.lists(place, min_size=1, max_size=2)))
    return draw(arrays(shape, dtype, distinct=True)), kth, axis, "introselect", None


@sampler("searchsorted")
def _searchsorted(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    a, v = draw(numbers([(draw(st.integers(0, 4)),), draw(shapes(max_dims=2))], [REAL, REAL], False))
    a = a.astype(dtype)
    sorter = draw(st.sampled_from([None, np.argsort(a, kind="stable")]))
    a = np.sort(a) if sorter is None else a
    return draw(layouts(a)), draw(layouts(v.astype(dtype))), draw(st.sampled_from(["left", "right"])), sorter


@sampler("digitize")
def _digitize(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x, bins = draw(numbers([draw(shapes(max_dims=2)), (draw(st.integers(1, 4)),)], [REAL, REAL], False))
    bins = np.sort(bins.astype(dtype))[:: draw(st.sampled_from([1, -1]))]
    return draw(layouts(x.astype(dtype))), bins, draw(st.booleans())


@sampler("bincount")
def _bincount(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    count = draw(st.integers(0, 4))
    weights = draw(st.one_of(arrays((count,), dtype), st.none())) if count else None  # NumPy's dtype then is int64
    return draw(classes((count,), 3)), weights, draw(st.integers(0, 4))
