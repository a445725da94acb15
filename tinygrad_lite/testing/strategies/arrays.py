"""Shapes, numbers and layouts.

Arrays are drawn as a string of bytes, two for each number: one draw, however many numbers, that shrinks to simple ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import DTypeLike, NDArray

from ...creation import from_numpy
from ...op import REAL, Interval
from ...tensor import Tensor

Shape: TypeAlias = tuple[int, ...]

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


def small_integers(shape: Shape) -> SearchStrategy[NDArray[np.uint8]]:
    """Arrays of integers from 0 to 255."""
    size = prod(shape)
    return st.binary(min_size=size, max_size=size).map(lambda drawn: np.frombuffer(drawn, np.uint8).reshape(shape))


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
    return arrays(shape, dtype, domain, distinct).map(lambda array: _tensor(array, requires_grad))


@st.composite
def broadcastable_arrays(
    draw: DrawFn,
    count: int = 2,
    dtype: DTypeLike = np.float64,
    domain: Interval | Sequence[Interval] = REAL,
    distinct: bool = False,
) -> tuple[NDArray[Any], ...]:
    """`count` arrays that broadcast together, in any layout, each within its domain and away from its kinks.

    domain: one for all of them, or one for each. distinct: no two numbers, in all of the arrays, are near each other.
    """
    domains = [domain] * count if isinstance(domain, Interval) else list(domain)
    drawn = draw(numbers(draw(broadcasting(count)), domains, distinct))
    return tuple(draw(layouts(array.astype(dtype), broadcast=not distinct)) for array in drawn)


def broadcastable_tensors(
    count: int = 2,
    dtype: DTypeLike = np.float64,
    domain: Interval | Sequence[Interval] = REAL,
    distinct: bool = False,
    requires_grad: bool = True,
) -> SearchStrategy[tuple[Tensor, ...]]:
    """As `broadcastable_arrays`, but Tensors."""
    drawn = broadcastable_arrays(count, dtype, domain, distinct)
    return drawn.map(lambda arrays: tuple(_tensor(array, requires_grad) for array in arrays))


def _tensor(array: NDArray[Any], requires_grad: bool) -> Tensor:
    tensor = from_numpy(array)
    tensor.requires_grad = requires_grad
    return tensor
