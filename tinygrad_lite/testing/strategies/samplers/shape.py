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
from ..arrays import narrowings, shapes
from ..indices import Axis, all_axes, axes
from .reduction import count


@sampler("reshape")
def _reshape(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes())
    size = prod(shape)
    targets: list[Any] = [size, -1, (-1,), (size,), shape[::-1], (1, *shape), (*shape, 1), (size, 1)]
    targets += [(*shape[:i], -1, *shape[i + 1 :]) for i in range(len(shape)) if size]
    targets += [(n, size // n) for n in (2, 3) if size % n == 0]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(targets))


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


@sampler("concatenate")
def _concatenate(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_dims=2, min_dims=1))
    axis = draw(axes(len(shape), several=False))
    count = draw(st.integers(1, 3))
    if axis is None:
        parts = [draw(shapes(max_dims=2)) for _ in range(count)]
    else:
        assert isinstance(axis, int)
        i = axis % len(shape)
        parts = [(*shape[:i], draw(st.integers(0, 3)), *shape[i + 1 :]) for _ in range(count)]
    return draw(inputs(op, parts, dtype)), axis


@sampler("stack")
def _stack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_dims=2))
    count = draw(st.integers(1, 3))
    return draw(inputs(op, [shape] * count, dtype)), draw(axes(len(shape) + 1, none=False, several=False))


@sampler("hstack")
def _hstack(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    sides = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    parts = [(side,) for side in sides] if len(shape) == 1 else [(shape[0], side, *shape[2:]) for side in sides]
    return (draw(inputs(op, parts, dtype)),)
