"""Axes, and indices of every kind."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray

from .arrays import Shape, small_integers

Axis: TypeAlias = int | tuple[int, ...] | None


@lru_cache
def all_axes(ndim: int, none: bool, several: bool) -> list[Axis]:
    """All that `axes` may give."""
    found: list[Axis] = [None] if none else []
    found += [*range(ndim), *range(-1, -ndim - 1, -1)]
    if several:
        found += [axes for n in range(ndim + 1) for axes in combinations(range(ndim), n)]
        found += [tuple(axis - ndim * (i % 2) for i, axis in enumerate(axes)) for axes in permutations(range(ndim), 2)]
    return found


def axes(ndim: int, none: bool = True, several: bool = True) -> SearchStrategy[Axis]:
    """An axis of an array, counted from the front or from the back; or None, or a tuple of several, or of none."""
    return st.sampled_from(all_axes(ndim, none, several))


SLICES = [
    slice(None),
    slice(1, None),
    slice(-1),
    slice(0, 1),
    slice(-2, None),
    slice(None, None, -1),
    slice(None, None, 2),
    slice(2, None, -1),
    slice(1, 1),
    slice(-9, 9, 3),
]
TOGETHER: list[Shape] = [(2,), (3,), (1,), (), (2, 2), (3, 1), (0,)]


@st.composite
def _integers(draw: DrawFn, length: int, shape: Shape) -> NDArray[np.intp]:
    """Indices into an axis, negative ones and repetitions among them."""
    return draw(small_integers(shape)).astype(np.intp) % (2 * length) - length


def masks(shape: Shape) -> SearchStrategy[NDArray[np.bool_]]:
    """Arrays of bools."""
    return small_integers(shape).map(lambda array: np.asarray(array % 2 == 1))


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
        mask = draw(masks(shape[start:stop]))
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
