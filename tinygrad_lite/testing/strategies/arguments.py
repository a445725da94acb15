"""Whole sets of arguments for the operations of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import DTypeLike, NDArray

from ...op import ONE, REAL, Op
from .arrays import Shape, broadcasting, layouts, narrowings, numbers, shapes, small_integers
from .indices import Axis, all_axes, axes, indices, masks

SAMPLERS: dict[str, Callable[[Op, Any], SearchStrategy[tuple[Any, ...]]]] = {}
"""For each operation that is not elementwise, what draws its arguments: a function of the operation and a dtype."""


def sampler(*names: str) -> Callable[[Callable[..., tuple[Any, ...]]], Callable[..., Any]]:
    """Declare how the arguments of some operations are drawn, by a function of `draw`, the operation and a dtype."""

    def declare(function: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
        strategy = st.composite(function)
        SAMPLERS.update(dict.fromkeys(names, strategy))
        return strategy

    return declare


def is_elementwise(op: Op) -> bool:
    """Whether all that an operation takes are arrays; if it has no sampler, then they broadcast together."""
    return op.name not in SAMPLERS and all(kind is ONE for kind in op.kinds)


def arguments(op: Op, dtype: DTypeLike = np.float64) -> SearchStrategy[tuple[Any, ...]]:
    """All arguments of an operation, in order: arrays in any layout, floats among them of the given dtype.

    Numbers lie in the domain that the operation states, away from kinks; all of them are different where ties are
    kinks. Raises LookupError where the operation is not elementwise and SAMPLERS has nothing for it.
    """
    if op.name in SAMPLERS:
        return SAMPLERS[op.name](op, dtype)
    if not is_elementwise(op):
        raise LookupError(f"{op.name}: no sampler draws its arguments; declare one by strategies.sampler")
    return elementwise(op, dtype)


@st.composite
def inputs(draw: DrawFn, op: Op, shapes: Sequence[Shape], dtype: DTypeLike) -> list[NDArray[Any]]:
    """Arrays of the given shapes for the first inputs of an operation, or for the elements of its only one."""
    names = [op.inputs[0]] * len(shapes) if len(op.inputs) < len(shapes) else op.inputs[: len(shapes)]
    drawn = draw(numbers(shapes, [op.domain.get(name, REAL) for name in names], op.ties))
    return [draw(layouts(array.astype(dtype), broadcast=not op.ties)) for array in drawn]


@st.composite
def elementwise(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    """Arrays that broadcast together."""
    return tuple(draw(inputs(op, draw(broadcasting(len(op.parameters))), dtype)))


@sampler("where")
def _where(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    mask, x, y = draw(broadcasting(3))
    drawn = draw(numbers([x, y], [REAL, REAL], False))
    return draw(masks(mask)), *[draw(layouts(array.astype(dtype), broadcast=True)) for array in drawn]


@sampler("astype")
def _astype(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), np.dtype(dtype)


def _count(shape: Shape, axis: Axis) -> int:
    """How many elements are reduced to one."""
    return prod(shape[i] for i in (range(len(shape)) if axis is None else np.atleast_1d(axis).astype(int)))


@st.composite
def _reduced(draw: DrawFn, op: Op, dtype: DTypeLike, empty: bool, several: bool = True) -> tuple[Any, ...]:
    shape = draw(shapes())
    allowed = [axis for axis in all_axes(len(shape), True, several) if empty or _count(shape, axis)]
    if not allowed:
        shape, allowed = (2,), [0, None]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed)), draw(st.booleans())


@sampler("sum")
def _sum(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_reduced(op, dtype, empty=True))


@sampler("mean", "max", "min")
def _reduction(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_reduced(op, dtype, empty=False))


@sampler("argmax")
def _argmax(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_reduced(op, dtype, empty=False, several=False))


@sampler("var", "std")
def _variance(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    a, axis, keepdims = draw(_reduced(op, dtype, empty=False))
    return a, axis, draw(st.integers(0, min(2, _count(a.shape, axis) - 1))), keepdims


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
    allowed = [axis for axis in all_axes(len(shape), True, True) if axis is None or _count(shape, axis) == 1]
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
    classes = draw(st.integers(1, 4))
    return draw(_classes(draw(shapes()), classes)), classes, dtype


@st.composite
def _classes(draw: DrawFn, shape: Shape, count: int) -> NDArray[Any]:
    """Integers from 0 to count - 1."""
    integers = draw(small_integers(shape)) % count
    return draw(layouts(integers.astype(draw(st.sampled_from([np.int64, np.int32, np.uint8])))))


@sampler("softmax", "log_softmax")
def _softmax(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    return *draw(inputs(op, [shape], dtype)), draw(axes(len(shape), none=False, several=False))


@sampler("cross_entropy")
def _cross_entropy(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    return *draw(inputs(op, [shape], dtype)), draw(_classes(shape[:-1], shape[-1]))


@sampler("matmul")
def _matmul(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, k, m = draw(st.sampled_from([(2, 3, 2), (1, 2, 3), (2, 1, 2), (3, 2, 1), (1, 1, 1), (2, 0, 3), (0, 2, 2)]))
    batch_x, batch_y = draw(broadcasting(2, max_dims=2))
    x = draw(st.sampled_from([(n, k), (k,), (*batch_x, n, k)]))
    y = draw(st.sampled_from([(k, m), (k,), (*batch_y, k, m)]))
    return tuple(draw(inputs(op, [x, y], dtype)))


@sampler("linear")
def _linear(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from([(2, 3), (3, 1), (1, 2), (1, 1), (0, 2), (2, 0)]))
    x, weight, bias = draw(inputs(op, [(*draw(shapes(max_dims=2)), n), (n, m), (m,)], dtype))
    return x, weight, draw(st.sampled_from([bias, None]))


@sampler("scatter_rows")
def _scatter_rows(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, rows = draw(shapes(max_dims=2)), draw(st.integers(1, 4))
    return *draw(inputs(op, [(*shape, draw(st.integers(0, 3)))], dtype)), draw(_classes(shape, rows)), rows


@sampler("embedding")
def _embedding(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    rows, width = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    (weight,) = draw(numbers([(rows, width)], [REAL], False))
    return draw(_classes(draw(shapes(max_dims=2)), rows)), draw(layouts(weight.astype(dtype), broadcast=True))


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
