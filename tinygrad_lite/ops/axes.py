"""What axes are left, taken together, and put back by operations that reduce them: an int, a tuple, or None for all."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import Array

Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]

add_reduce: Any = np.add.reduce  # all of their arguments may stand by position: (a, axis, dtype, out, keepdims)
multiply_reduce: Any = np.multiply.reduce
maximum_reduce: Any = np.maximum.reduce
minimum_reduce: Any = np.minimum.reduce
and_reduce: Any = np.logical_and.reduce
or_reduce: Any = np.logical_or.reduce


def reduced(shape: Shape, axis: Axis) -> Shape:
    """The axes that are reduced, counted from the front; they are known to exist."""
    if axis is None:
        return tuple(range(len(shape)))
    if not shape:  # NumPy lets the axis of a number be 0 or -1
        return ()
    return tuple([i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))])


def checked(shape: Shape, axis: Axis) -> Shape:
    """As `reduced`. Raises IndexError for an axis that there is not, ValueError for one that is named twice."""
    axes: Shape = reduced(shape, None) if axis is None else normalize_axis_tuple(axis, len(shape))
    return axes


def kept(shape: Shape, axis: Axis) -> Shape:
    """The shape with ones for the axes that are reduced."""
    axes = reduced(shape, axis)
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


def count(shape: Shape, axis: Axis) -> int:
    """How many elements go into each result."""
    return prod([shape[i] for i in reduced(shape, axis)])


def expand(result: Array, shape: Shape, axis: Axis, keepdims: bool) -> Array:
    """What was reduced, with its axes back as ones, so that it broadcasts against `shape`."""
    return result if keepdims else np.reshape(result, kept(shape, axis))


def rows(a: Array, axis: Axis) -> Array:
    """The reduced axes as one axis, the last."""
    shape = np.shape(a)
    axes = reduced(shape, axis)
    others = tuple([i for i in range(len(shape)) if i not in axes])
    return np.reshape(np.transpose(a, others + axes), (*[shape[i] for i in others], count(shape, axis)))


def unrows(a: Array, shape: Shape, axis: Axis) -> Array:
    """The array of which `rows` made this one, in its shape."""
    axes = reduced(shape, axis)
    order = (*[i for i in range(len(shape)) if i not in axes], *axes)
    parted = np.reshape(a, tuple([shape[i] for i in order]))
    return np.transpose(parted, tuple([order.index(i) for i in range(len(shape))]))


def along(axis: int, *index: int | slice) -> tuple[int | slice, ...]:
    """An index into one axis, counted from the front."""
    return (slice(None),) * axis + index


def flip(a: Array) -> Array:
    """The last axis backwards."""
    return a[..., ::-1]
