"""Operations that move elements and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import composite, primitive
from ..op import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Shape = int | tuple[int, ...]

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "hstack",
    "reshape",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
]


@primitive(np.reshape, vjp=lambda g, a_shape: g.reshape(a_shape), view=True)
def reshape(a: ArrayLike, shape: Shape) -> Array:
    """The same elements in another shape; one of its numbers may be -1."""
    return np.reshape(a, shape)


def _transpose_rule(g: Array, axes: tuple[int, ...] | None) -> Array:
    if axes is None:
        return np.transpose(g)
    inverse = [0] * len(axes)
    for i, axis in enumerate(axes):
        inverse[axis] = i
    return np.transpose(g, tuple(inverse))


@primitive(np.transpose, vjp=_transpose_rule, view=True)
def transpose(a: ArrayLike, axes: tuple[int, ...] | None = None) -> Array:
    """The axes in another order; reversed, if none is given."""
    return np.transpose(a, axes)


@primitive(np.swapaxes, vjp=lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2), view=True)
def swapaxes(a: ArrayLike, axis1: int, axis2: int) -> Array:
    """Two axes exchanged."""
    return np.swapaxes(a, axis1, axis2)


@primitive(np.squeeze, vjp=lambda g, a_shape: g.reshape(a_shape), view=True)
def squeeze(a: ArrayLike, axis: int | tuple[int, ...] | None = None) -> Array:
    """Without its axes of length 1, or without those named."""
    return np.squeeze(a, axis)


@primitive(np.expand_dims, vjp=lambda g, a_shape: g.reshape(a_shape), view=True)
def expand_dims(a: ArrayLike, axis: int | tuple[int, ...]) -> Array:
    """With new axes of length 1."""
    return np.expand_dims(a, axis)


@primitive(np.broadcast_to, vjp=lambda g: g, view=True)
def broadcast_to(array: ArrayLike, shape: Shape) -> Array:
    """Repeated along axes of length 1, without a copy: the result can't be written to."""
    return np.broadcast_to(array, shape)


def _concatenate_rule(g: Array, arrays_shape: tuple[tuple[int, ...], ...], axis: int | None) -> list[Any]:
    if axis is None:
        sizes, g, axis = [int(np.prod(shape)) for shape in arrays_shape], np.reshape(g, -1), 0
    else:
        sizes = [shape[axis] for shape in arrays_shape]
    parts, start = [], 0
    for size, shape in zip(sizes, arrays_shape, strict=True):
        index = (slice(None),) * (axis % g.ndim) + (slice(start, start + size),)
        parts.append(np.reshape(g[index], shape))
        start += size
    return parts


@primitive(np.concatenate, vjp=_concatenate_rule)
def concatenate(arrays: Sequence[ArrayLike], axis: int | None = 0) -> Array:
    """One after the other along an axis; each flattened first, if axis is None."""
    return np.concatenate(arrays, axis)


@primitive(
    np.stack,
    vjp=lambda g, arrays_shape, axis: [g[(slice(None),) * (axis % g.ndim) + (i,)] for i in range(len(arrays_shape))],
)
def stack(arrays: Sequence[ArrayLike], axis: int = 0) -> Array:
    """Beside each other along a new axis."""
    return np.stack(arrays, axis)


@composite(np.hstack)
def hstack(tup: Sequence[ArrayLike]) -> Tensor:
    """One after the other along the second axis; vectors and numbers along the first."""
    arrays = [np.reshape(each, -1) if not np.ndim(each) else each for each in tup]
    return concatenate(arrays, 0 if np.ndim(arrays[0]) == 1 else 1)
