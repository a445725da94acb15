"""Hypothesis strategies: shapes, arrays, layouts, axes and indices, and whole sets of arguments for every operation.

    from hypothesis import given
    from tinygrad_lite.testing import gradcheck, strategies

    @given(strategies.arguments(op.table["matmul"]))
    def test_gradient(args):
        assert gradcheck(op.table["matmul"].function, *args, argnums=(0, 1))

Arrays are drawn as a string of bytes, two for each number: one draw, however many numbers, that shrinks to simple ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations, permutations, product
from math import prod
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import DTypeLike, NDArray

from ..creation import from_numpy
from ..op import ONE, REAL, Interval, Op
from ..tensor import Tensor

Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | tuple[int, ...] | None

SPAN = 3.0  # numbers are drawn from -SPAN to SPAN, or over a length of SPAN from where their domain begins
MARGIN = 0.05  # how near they come to the ends of their domain, and to kinks
SIMPLE = (1.0, 2.0, -1.0, 0.0, 0.5, -2.0, 3.0, -0.5, 1.5, -3.0, 0.25, 2.5)
LAYOUTS = ("contiguous", "transposed", "strided", "reversed")


# Shapes.


@lru_cache
def _all_shapes(min_dims: int, max_dims: int, min_side: int, max_side: int) -> list[Shape]:
    sides = range(max(1, min_side), max_side + 1)
    full = [shape for n in range(min_dims, max_dims + 1) for shape in product(sides, repeat=n)]
    small = [shape for shape in full if min_side == 0 and max(shape, default=0) < 3]
    empty = [(*shape[:i], 0, *shape[i + 1 :]) for shape in small for i in range(len(shape))]
    return sorted(full, key=lambda shape: (prod(shape), len(shape))) + empty


def shapes(max_dims: int = 3, max_side: int = 3, min_dims: int = 0, min_side: int = 0) -> SearchStrategy[Shape]:
    """Shapes of up to `max_dims` axes, 0-d and size 0 among them unless `min_dims` or `min_side` forbids."""
    return st.sampled_from(_all_shapes(min_dims, max_dims, min_side, max_side))


@lru_cache
def _narrowings(shape: Shape) -> list[Shape]:
    """Shapes that broadcast to `shape`: the first axes left out, others of length 1."""
    found = [
        tuple(1 if one else n for n, one in zip(shape[k:], ones, strict=True))
        for k in range(len(shape) + 1)
        for ones in product((False, True), repeat=len(shape) - k)
    ]
    return list(dict.fromkeys(found))


def narrowings(shape: Shape) -> SearchStrategy[Shape]:
    """Shapes that broadcast to the given one."""
    return st.sampled_from(_narrowings(shape))


@st.composite
def broadcasting(draw: DrawFn, count: int, max_dims: int = 3, max_side: int = 3) -> tuple[Shape, ...]:
    """`count` shapes that broadcast together, each of them short of any of the axes."""
    shape = draw(shapes(max_dims, max_side))
    return tuple(draw(narrowings(shape)) for _ in range(count))


# Numbers.


def _intervals(domain: Interval) -> list[tuple[float, float]]:
    """The parts of a domain that numbers are drawn from: of limited length, away from ends and kinks."""
    low = domain.low + MARGIN if domain.low > -np.inf else min(-SPAN, domain.high - SPAN)
    high = domain.high - MARGIN if domain.high < np.inf else max(SPAN, domain.low + SPAN)
    parts = []
    for kink in sorted(kink for kink in domain.kinks if low < kink + MARGIN and kink - MARGIN < high):
        parts.append((low, kink - MARGIN))
        low = kink + MARGIN
    return [(a, b) for a, b in [*parts, (low, high)] if a < b]


def _place(fractions: NDArray[Any], domain: Interval) -> NDArray[Any]:
    """Fractions from 0 to 1 as numbers of the domain, in the same order."""
    starts, ends = np.transpose(_intervals(domain))
    lengths = np.concatenate([[0.0], np.cumsum(ends - starts)])
    position = fractions * lengths[-1]
    part = np.clip(np.searchsorted(lengths, position, side="right") - 1, 0, len(starts) - 1)
    return np.asarray(starts[part] + position - lengths[part])


def _simple(domain: Interval) -> NDArray[Any]:
    """The simple numbers of a domain, 1 before all others."""
    parts = _intervals(domain)
    found = [x for x in SIMPLE if any(a <= x <= b for a, b in parts)]
    return np.array(found or [(a + b) / 2 for a, b in parts])


@st.composite
def numbers(draw: DrawFn, shapes: Sequence[Shape], domains: Sequence[Interval], distinct: bool) -> list[NDArray[Any]]:
    """Arrays of the given shapes, each within its domain and away from its kinks.

    distinct: no two numbers, in all of the arrays, are near each other; else there are often equal ones.
    """
    sizes = [prod(shape) for shape in shapes]
    drawn = np.frombuffer(draw(st.binary(min_size=2 * sum(sizes) + 1, max_size=2 * sum(sizes) + 1)), np.uint8)
    codes = drawn[1:].view(np.uint16)
    fractions = (codes + 0.5) / 65536
    if distinct:
        ranks = np.argsort(np.argsort(codes, kind="stable"))
        fractions = (ranks + 0.25 + 0.5 * fractions) / max(1, len(codes))
    few = not distinct and drawn[0] < 96
    arrays, start = [], 0
    for shape, size, domain in zip(shapes, sizes, domains, strict=True):
        here = slice(start, start + size)
        simple = _simple(domain)
        values = simple[codes[here] % len(simple)] if few else _place(fractions[here], domain)
        arrays.append(values.reshape(shape))
        start += size
    return arrays


def lay_out(array: NDArray[Any], layout: str) -> NDArray[Any]:
    """An equal array that lies otherwise in memory: one of LAYOUTS, or "broadcast", which repeats its first column."""
    array = np.asarray(array)
    if layout == "broadcast":
        return np.broadcast_to(array[..., :1], array.shape) if array.ndim else array
    if layout == "transposed":
        return array.T.copy().T
    if layout == "strided":
        wide = np.full((*array.shape, 2), 99, array.dtype)
        wide[..., 0] = array
        return wide[..., 0]
    if layout == "reversed":
        return np.asarray(np.flip(np.flip(array).copy()))
    return array


def layouts(array: NDArray[Any], broadcast: bool = False) -> SearchStrategy[NDArray[Any]]:
    """Arrays equal to the given one: contiguous, transposed, strided or reversed in memory.

    broadcast: also one that repeats the first column of the given one, without a copy, and so can't be written to.
    """
    return st.sampled_from((*LAYOUTS, "broadcast") if broadcast else LAYOUTS).map(lambda each: lay_out(array, each))


@st.composite
def arrays(
    draw: DrawFn,
    shape: Shape | SearchStrategy[Shape] | None = None,
    dtype: DTypeLike = np.float64,
    domain: Interval = REAL,
    distinct: bool = False,
) -> NDArray[Any]:
    """An array within a domain and away from its kinks, in any layout; its shape is drawn, too, unless it is given."""
    shape = draw(shapes()) if shape is None else shape if isinstance(shape, tuple) else draw(shape)
    (array,) = draw(numbers([shape], [domain], distinct))
    return draw(layouts(array.astype(dtype), broadcast=not distinct))


def tensors(
    shape: Shape | SearchStrategy[Shape] | None = None,
    dtype: DTypeLike = np.float64,
    domain: Interval = REAL,
    distinct: bool = False,
    requires_grad: bool = True,
) -> SearchStrategy[Tensor]:
    """As `arrays`, but Tensors."""

    def tensor(array: NDArray[Any]) -> Tensor:
        result = from_numpy(array)
        result.requires_grad = requires_grad
        return result

    return arrays(shape, dtype, domain, distinct).map(tensor)


# Axes and indices.


@lru_cache
def _all_axes(ndim: int, none: bool, several: bool) -> list[Axis]:
    found: list[Axis] = [None] if none else []
    found += [*range(ndim), *range(-1, -ndim - 1, -1)]
    if several:
        found += [axes for n in range(ndim + 1) for axes in combinations(range(ndim), n)]
        found += [tuple(axis - ndim * (i % 2) for i, axis in enumerate(axes)) for axes in permutations(range(ndim), 2)]
    return found


def axes(ndim: int, none: bool = True, several: bool = True) -> SearchStrategy[Axis]:
    """An axis of an array, counted from the front or from the back; or None, or a tuple of several, or of none."""
    return st.sampled_from(_all_axes(ndim, none, several))


ENDS = (
    (None,),
    (1, None),
    (-1,),
    (0, 1),
    (-2, None),
    (None, None, -1),
    (None, None, 2),
    (2, None, -1),
    (1, 1),
    (-9, 9, 3),
)
SLICES = [slice(*ends) for ends in ENDS]
TOGETHER: list[Shape] = [(2,), (3,), (1,), (), (2, 2), (3, 1), (0,)]


def _bytes(shape: Shape) -> SearchStrategy[NDArray[np.uint8]]:
    size = prod(shape)
    return st.binary(min_size=size, max_size=size).map(lambda drawn: np.frombuffer(drawn, np.uint8).reshape(shape))


@st.composite
def _integers(draw: DrawFn, length: int, shape: Shape) -> NDArray[np.intp]:
    """Indices into an axis, negative ones and repetitions among them."""
    return draw(_bytes(shape)).astype(np.intp) % (2 * length) - length


def _mask(shape: Shape) -> SearchStrategy[NDArray[np.bool_]]:
    return _bytes(shape).map(lambda array: np.asarray(array % 2 == 1))


@st.composite
def _part(draw: DrawFn, length: int, kinds: tuple[str, ...], together: Shape) -> Any:
    """What stands between two commas of an index."""
    kind = draw(st.sampled_from(kinds if length else ("slice",)))
    if kind == "slice":
        return draw(st.sampled_from(SLICES))
    if kind == "number":
        number = draw(st.integers(-length, length - 1))
        return draw(st.sampled_from([number, np.int64(number), np.array(number)]))
    if kind == "mask":  # with as many elements as the arrays that it stands beside
        mask = np.zeros(length, bool)
        mask[: together[-1] if together and together[-1] <= length else 1] = True
        return mask[::-1]
    array = draw(_integers(length, together))
    return array.tolist() if kind == "list" else array


@st.composite
def indices(draw: DrawFn, shape: Shape) -> Any:
    """An index of any of NumPy's kinds into an array of the given shape.

    Integers, slices, ellipsis and newaxis; arrays and lists of integers, with repetitions; boolean masks; NumPy's
    scalars; and all of these mixed.
    """
    kind = draw(st.sampled_from(["basic", "array", "mask", "mixed", "alone"]))
    ndim = len(shape)
    if kind == "mask":
        start = draw(st.integers(0, ndim))
        stop = draw(st.integers(start, ndim))
        mask = draw(_mask(shape[start:stop]))
        return mask if not start else (*[slice(None)] * start, mask)
    if kind == "alone":
        if not ndim:
            return draw(st.sampled_from([(), Ellipsis, None]))
        return draw(_part(shape[0], ("number", "slice", "list", "array"), draw(st.sampled_from(TOGETHER))))
    together = draw(st.sampled_from(TOGETHER))
    kinds = {
        "basic": ("slice", "number"),
        "array": ("array",),
        "mixed": ("slice", "number", "array", "list", "mask"),
    }[kind]
    front = draw(st.integers(0, ndim))
    index = [draw(_part(n, kinds, together)) for n in shape[:front]]
    if draw(st.booleans()):
        back = draw(st.integers(0, ndim - front))
        index += [Ellipsis, *[draw(_part(n, kinds, together)) for n in shape[ndim - back :]]]
    if kind != "array" and draw(st.booleans()):
        index.insert(draw(st.integers(0, len(index))), None)
    return tuple(index)


# Arguments of operations.

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
    return draw(_mask(mask)), *[draw(layouts(array.astype(dtype), broadcast=True)) for array in drawn]


@sampler("astype")
def _astype(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), np.dtype(dtype)


def _count(shape: Shape, axis: Axis) -> int:
    """How many elements are reduced to one."""
    return prod(shape[i] for i in (range(len(shape)) if axis is None else np.atleast_1d(axis).astype(int)))


@st.composite
def _reduced(draw: DrawFn, op: Op, dtype: DTypeLike, empty: bool, several: bool = True) -> tuple[Any, ...]:
    shape = draw(shapes())
    allowed = [axis for axis in _all_axes(len(shape), True, several) if empty or _count(shape, axis)]
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
    allowed = [axis for axis in _all_axes(len(shape), True, True) if axis is None or _count(shape, axis) == 1]
    allowed = [axis for axis in allowed if axis is None or all(shape[i] == 1 for i in np.atleast_1d(axis).astype(int))]
    return *draw(inputs(op, [shape], dtype)), draw(st.sampled_from(allowed))


@sampler("expand_dims")
def _expand_dims(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(max_dims=2))
    several: list[Axis] = [(0, 1), (0, -1), (-1, -2), ()]
    allowed = _all_axes(len(shape) + 1, False, False) + several
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
    integers = draw(_bytes(shape)) % count
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
