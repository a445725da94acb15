"""Arguments for the operations of ops/shape.py."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import broadcasting, narrowings, shapes
from ..indices import Axis, all_axes, axes
from .reduction import count


@sampler("reshape")
def _reshape(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    size = prod(shape)
    targets: list[Any] = [size, -1, (-1,), (size,), shape[::-1], (1, *shape), (*shape, 1), (size, 1)]
    targets += [(*shape[:i], -1, *shape[i + 1 :]) for i in range(len(shape)) if size]
    targets += [(n, size // n) for n in (2, 3) if size % n == 0]
    copy = draw(st.sampled_from([None, True]))
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(targets)), draw(st.sampled_from("CF")), copy


@sampler("ravel")
def _ravel(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), draw(st.sampled_from("CF"))


@sampler("transpose")
def _transpose(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    order = draw(st.permutations(range(len(shape))))
    negative = draw(st.booleans())
    axes = draw(st.sampled_from([None, tuple(axis - len(shape) * negative for axis in order)]))
    return *draw(inputs(op, [shape], dtype)), axes


@sampler("swapaxes")
def _swapaxes(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis = axes(len(shape), none=False, several=False)
    return *draw(inputs(op, [shape], dtype)), draw(axis), draw(axis)


@sampler("matrix_transpose", "fliplr")
def _matrices(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return tuple(draw(inputs(op, [draw(shapes(min_dims=2))], dtype)))


@sampler("flipud")
def _flipud(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return tuple(draw(inputs(op, [draw(shapes(min_dims=1))], dtype)))


@sampler("moveaxis")
def _moveaxis(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    ndim = len(shape)
    if draw(st.booleans()):
        axis = axes(ndim, none=False, several=False)
        return *draw(inputs(op, [shape], dtype)), draw(axis), draw(axis)
    count = draw(st.integers(0, ndim))
    source = tuple(i - ndim * (i % 2) for i in draw(st.permutations(range(ndim)))[:count])
    return *draw(inputs(op, [shape], dtype)), source, tuple(draw(st.permutations(range(ndim)))[:count])


@sampler("rollaxis")
def _rollaxis(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    ndim = len(shape)
    axis = draw(axes(ndim, none=False, several=False))
    return *draw(inputs(op, [shape], dtype)), axis, draw(st.integers(-ndim, ndim))


@sampler("flip")
def _flip(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    return *draw(inputs(op, [shape], dtype)), draw(axes(len(shape)))


@sampler("rot90")
def _rot90(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=2))
    plane = draw(st.permutations(range(len(shape))))[:2]
    return *draw(inputs(op, [shape], dtype)), draw(st.integers(-5, 5)), (plane[0], plane[1] - len(shape))


@sampler("roll")
def _roll(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    axis = draw(axes(len(shape))) if shape else None  # NumPy does not roll a number along no axes
    if draw(st.booleans()) and shape:
        axis = tuple(draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=3)))  # also twice
    shifts: Any = st.integers(-5, 5)
    if isinstance(axis, tuple) and axis and draw(st.booleans()):
        shifts = st.tuples(*[shifts] * len(axis))
    elif not isinstance(axis, tuple) and draw(st.booleans()):
        shifts = st.tuples(shifts, shifts)
    return *draw(inputs(op, [shape], dtype)), draw(shifts), axis


@sampler("squeeze")
def _squeeze(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(st.sampled_from([(1,), (), (1, 1), (2, 1), (1, 3), (1, 2, 1), (1, 1, 1), (2, 3), (0, 1)]))
    allowed = [axis for axis in all_axes(len(shape), True, True) if axis is None or count(shape, axis) == 1]
    allowed = [axis for axis in allowed if axis is None or all(shape[i] == 1 for i in np.atleast_1d(axis).astype(int))]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed))


@sampler("expand_dims")
def _expand_dims(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_dims=2))
    several: list[Axis] = [(0, 1), (0, -1), (-1, -2), ()]
    allowed = all_axes(len(shape) + 1, False, False) + several
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed))


@sampler("broadcast_to")
def _broadcast_to(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    target = draw(st.sampled_from([shape, shape[0]] if len(shape) == 1 else [shape]))
    return *draw(inputs(op, [draw(narrowings(shape))], dtype)), target


@sampler("broadcast_arrays")
def _broadcast_arrays(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return (draw(inputs(op, draw(broadcasting(draw(st.integers(1, 3)))), dtype)),)


@sampler("atleast_1d", "atleast_2d", "atleast_3d")
def _at_least(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    count = draw(st.integers(1, 3))
    return (draw(inputs(op, [draw(shapes(max_dims=4, max_side=2)) for _ in range(count)], dtype)),)


@sampler("meshgrid")
def _meshgrid(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    sides = st.sampled_from([(2,), (3,), (1,), (), (0,)])
    vectors = draw(inputs(op, [draw(sides) for _ in range(draw(st.integers(1, 3)))], dtype))
    return vectors, draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from(["xy", "ij"]))


@st.composite
def _windows(draw: DrawFn) -> tuple[Any, ...]:
    """A shape, and a window that slides over some of its axes, perhaps twice over the same."""
    shape = draw(shapes(min_dims=1))
    axis = draw(axes(len(shape)))
    if draw(st.booleans()):
        axis = (draw(st.integers(0, len(shape) - 1)),) * 2
    chosen = range(len(shape)) if axis is None else [int(i) for i in np.atleast_1d(axis)]
    lengths, window = list(shape), []
    for i in chosen:
        window.append(draw(st.integers(0, min(3, lengths[i]))))
        lengths[i] -= window[-1] - 1
    return shape, window[0] if isinstance(axis, int) and draw(st.booleans()) else tuple(window), axis


@sampler("sliding_window_view")
def _sliding_window_view(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, window, axis = draw(_windows())
    return *draw(inputs(op, [shape], dtype)), window, axis


@sampler("add_windows")
def _add_windows(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, window, axis = draw(_windows())
    windows = np.lib.stride_tricks.sliding_window_view(np.empty(shape), window, axis)
    return *draw(inputs(op, [windows.shape], dtype)), shape, window, axis


@st.composite
def _planes(draw: DrawFn) -> tuple[Any, ...]:
    """A shape, and a diagonal of two of its axes, perhaps one outside of it."""
    shape = draw(shapes(min_dims=2))
    axis1, axis2 = draw(st.permutations(range(len(shape))))[:2]
    return shape, draw(st.integers(-4, 4)), axis1, axis2 - len(shape)


@sampler("diagonal")
def _diagonal(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, *diagonal = draw(_planes())
    return *draw(inputs(op, [shape], dtype)), *diagonal


@sampler("scatter_diagonal")
def _scatter_diagonal(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, *diagonal = draw(_planes())
    return *draw(inputs(op, [np.diagonal(np.empty(shape), *diagonal).shape], dtype)), shape, *diagonal


@sampler("diag")
def _diag(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes(min_dims=1, max_dims=2))], dtype)), draw(st.integers(-3, 3))


@sampler("diagflat")
def _diagflat(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes(max_dims=2, max_side=2))], dtype)), draw(st.integers(-2, 2))


@sampler("tril", "triu")
def _triangle(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes(min_dims=1))], dtype)), draw(st.integers(-3, 3))
