"""Operations that rearrange the elements of an array and compute nothing. Most of them are views."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..declare import composite, primitive
from ..op import Array
from ..variable import data_of, shares_memory
from .elementwise import copy as duplicate
from .indexing import getitem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Shape = int | tuple[int, ...]
    Axis = int | tuple[int, ...]

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "diag",
    "diagflat",
    "diagonal",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "matrix_transpose",
    "meshgrid",
    "moveaxis",
    "permute_dims",
    "ravel",
    "reshape",
    "roll",
    "rollaxis",
    "rot90",
    "sliding_window_view",
    "squeeze",
    "swapaxes",
    "transpose",
    "tril",
    "triu",
]


def integers(value: Any) -> tuple[int, ...]:
    """One integer, or several, as a tuple."""
    return tuple([index(each) for each in value]) if np.ndim(value) else (index(value),)


# Another shape.


def _in_order(a: ArrayLike, order: str) -> tuple[Any, str]:
    """An array and an order, "C" or "F", in which its elements come as `order`, "A" or "K", says of its memory."""
    array = np.asarray(data_of(a))
    if order == "A":
        return a, "F" if np.isfortran(array) else "C"
    if order == "K":
        axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        return transpose(a, tuple(axes)), "C"
    return a, order


def _reshaped(name: str, a: ArrayLike, shape: Shape, order: str, copy: bool | None) -> Array:
    array = np.asarray(a)
    if order not in ("C", "F"):
        others = "'C', 'F', 'A' or 'K'" if name == "ravel" else "'C', 'F' or 'A'"
        raise ValueError(f"{name}: order= must be {others}; got {order!r}")
    result = array.reshape(shape, order=order)  # type: ignore[call-overload]
    if copy is None:
        return result
    shared = shares_memory(result, array)
    if not copy and not shared:
        raise ValueError(f"{name}: there is no view of shape {shape}; leave out copy=False")
    return result.copy() if shared and copy else result


def _reshape_as(a: ArrayLike, shape: Shape, order: str, copy: bool | None) -> tuple[Any, ...]:
    a, order = _in_order(a, order) if order == "A" else (a, order)
    return a, shape, order, copy


@primitive(np.reshape, vjp=lambda g, a_shape, order: g.reshape(a_shape, order=order), view=True, prepare=_reshape_as)
def reshape(a: ArrayLike, shape: Shape, order: str = "C", copy: bool | None = None) -> Array:
    """The same elements in another shape; one of its numbers may be -1. A view where there can be one.

    order: whether the last index changes fastest ("C") or the first ("F"), both in reading and in writing; or "A", the
    first where the array lies in memory like that, and in no other way.
    copy: True for a copy in any case, False for a view or else a ValueError.
    """
    return _reshaped("reshape", a, shape, order, copy)


@primitive(np.ravel, vjp=lambda g, a_shape, order: g.reshape(a_shape, order=order), view=True, prepare=_in_order)
def ravel(a: ArrayLike, order: str = "C") -> Array:
    """All elements in one axis, in the order of `reshape` or, "K", of memory. A view where there can be one."""
    return _reshaped("ravel", a, -1, order, None)


@primitive(np.squeeze, vjp=lambda g, a_shape: g.reshape(a_shape), view=True)
def squeeze(a: ArrayLike, axis: Axis | None = None) -> Array:
    """Without its axes of length 1, or without those named."""
    return np.squeeze(a, axis)


@primitive(np.expand_dims, vjp=lambda g, a_shape: g.reshape(a_shape), view=True)
def expand_dims(a: ArrayLike, axis: Axis) -> Array:
    """With new axes of length 1."""
    return np.expand_dims(a, axis)


def _at_least(arrays: tuple[Any, ...], shape_for: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Any:
    views = tuple([reshape(each, shape_for(np.shape(each))) for each in arrays])
    return views[0] if len(views) == 1 else views


@composite(np.atleast_1d, together=False)
def atleast_1d(*arys: ArrayLike) -> Any:
    """A number as a vector (1,), all else as it is. Views; a tuple of them for several arrays."""
    return _at_least(arys, lambda shape: shape or (1,))


@composite(np.atleast_2d, together=False)
def atleast_2d(*arys: ArrayLike) -> Any:
    """() -> (1, 1), (N,) -> (1, N), all else as it is. Views; a tuple of them for several arrays."""
    return _at_least(arys, lambda shape: (1,) * (2 - len(shape)) + shape)


@composite(np.atleast_3d, together=False)
def atleast_3d(*arys: ArrayLike) -> Any:
    """() -> (1, 1, 1), (N,) -> (1, N, 1), (M, N) -> (M, N, 1), all else as it is. Views; a tuple of several."""
    return _at_least(arys, lambda shape: shape if len(shape) > 2 else ((1,) * (2 - len(shape)) + shape + (1,))[:3])


# Axes in another order.


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


permute_dims = transpose


@primitive(np.matrix_transpose, np.linalg.matrix_transpose, vjp=lambda g: g.mT, view=True)
def matrix_transpose(x: ArrayLike) -> Array:
    """(..., N, M) -> (..., M, N): the last two axes exchanged."""
    array = np.asarray(x)
    if array.ndim < 2:
        raise ValueError(f"matrix_transpose: takes matrices (..., N, M), got shape {array.shape}")
    return array.mT


@primitive(np.swapaxes, vjp=lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2), view=True)
def swapaxes(a: ArrayLike, axis1: int, axis2: int) -> Array:
    """Two axes exchanged."""
    return np.swapaxes(a, axis1, axis2)


@primitive(np.moveaxis, vjp=lambda g, source, destination: np.moveaxis(g, destination, source), view=True)
def moveaxis(a: ArrayLike, source: Axis, destination: Axis) -> Array:
    """Some axes moved to other places; the others keep their order."""
    return np.moveaxis(np.asarray(a), source, destination)


@composite(np.rollaxis)
def rollaxis(a: ArrayLike, axis: int, start: int = 0) -> Tensor:
    """An axis moved to stand before another one, `start`, as that is counted before the move."""
    ndim = np.ndim(a)
    axis = normalize_axis_index(axis, ndim)
    if not -ndim <= start <= ndim:
        raise IndexError(f"rollaxis: start must be from {-ndim} to {ndim} for {ndim} axes, got {start}")
    start += ndim * (start < 0)
    return moveaxis(a, axis, start - (axis < start))


# Elements in another order.


@primitive(np.flip, vjp=lambda g, axis: np.flip(g, axis), view=True)
def flip(m: ArrayLike, axis: Axis | None = None) -> Array:
    """The elements along an axis, several, or all, in reversed order."""
    return np.flip(np.asarray(m), axis)


@primitive(np.fliplr, vjp=lambda g: np.fliplr(g), view=True)
def fliplr(m: ArrayLike) -> Array:
    """The second axis reversed: left and right exchanged."""
    return np.fliplr(np.asarray(m))


@primitive(np.flipud, vjp=lambda g: np.flipud(g), view=True)
def flipud(m: ArrayLike) -> Array:
    """The first axis reversed: up and down exchanged."""
    return np.flipud(np.asarray(m))


@primitive(np.rot90, vjp=lambda g, k, axes: np.rot90(g, -k, axes), view=True)
def rot90(m: ArrayLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """A quarter turn, k times, from the first of two axes towards the second."""
    return np.rot90(np.asarray(m), k, axes)


@primitive(np.roll, vjp=lambda g, shift, axis: np.roll(g, -np.asarray(shift).astype(int), axis))
def roll(a: ArrayLike, shift: Axis, axis: Axis | None = None) -> Array:
    """The elements shifted along one axis or several, what falls out at the end coming in at the start.

    Without an axis the array is shifted as if flattened. Of several shifts along one axis all count.
    """
    return np.roll(np.asarray(a), shift, axis)


# Elements repeated without a copy.


@primitive(np.broadcast_to, vjp=lambda g: g, view=True)
def broadcast_to(array: ArrayLike, shape: Shape) -> Array:
    """Repeated along axes of length 1, without a copy: the result can't be written to."""
    return np.broadcast_to(array, shape)


@composite(np.broadcast_arrays, together=False)
def broadcast_arrays(*args: ArrayLike) -> tuple[Tensor, ...]:
    """Each array in the shape that all of them broadcast to; what had to be repeated can't be written to."""
    shape = np.broadcast_shapes(*[np.shape(each) for each in args])
    return tuple([getitem(each, ...) if np.shape(each) == shape else broadcast_to(each, shape) for each in args])


@composite(np.meshgrid, together=False)
def meshgrid(*xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]:
    """The coordinates of a grid: for vectors of lengths N, M, ... arrays (M, N, ...), or (N, M, ...) by "ij".

    sparse: without repetition, (1, N, ...), (M, 1, ...) and so on. copy: False for views that can't be written to.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing= must be 'xy' or 'ij', got {indexing!r}")
    places = list(range(len(xi)))
    if indexing == "xy":
        places[:2] = places[1::-1]
    axes = [tuple(-1 if i == place else 1 for i in range(len(xi))) for place in places]
    grid = tuple([reshape(x, shape) for x, shape in zip(xi, axes, strict=True)])
    if not sparse:
        grid = broadcast_arrays(*grid)
    return tuple([duplicate(each) for each in grid]) if copy else grid


def _add_windows_rule(g: Array, window_shape: Shape, axis: Axis | None) -> Array:
    return sliding_window_view(g, window_shape, axis)


@primitive(vjp=_add_windows_rule)
def add_windows(values: ArrayLike, shape: tuple[int, ...], window_shape: Shape, axis: Axis | None) -> Array:
    """Zeros of the given shape, with each window added where `sliding_window_view` takes it; overlaps add up."""
    values = np.asarray(values)
    result = np.zeros(shape, values.dtype)
    axes = normalize_axis_tuple(range(len(shape)) if axis is None else axis, len(shape), allow_duplicate=True)
    for offset in np.ndindex(integers(window_shape)):
        start = [0] * len(shape)
        for i, step in zip(axes, offset, strict=True):
            start[i] += step
        place = tuple([slice(first, first + count) for first, count in zip(start, values.shape, strict=False)])
        result[place] += values[(..., *offset)]
    return result


def _sliding_window_rule(g: Array, x_shape: tuple[int, ...], window_shape: Shape, axis: Axis | None) -> Array:
    return add_windows(g, x_shape, window_shape, axis)


@primitive(np.lib.stride_tricks.sliding_window_view, vjp=_sliding_window_rule, view=True)
def sliding_window_view(x: ArrayLike, window_shape: Shape, axis: Axis | None = None) -> Array:
    """All windows of a given shape, sliding over some axes or all: (N,) -> (N - W + 1, W).

    The axes of the window come last. A view that can't be written to: the windows overlap.
    """
    return np.lib.stride_tricks.sliding_window_view(np.asarray(x), window_shape, axis)


# Diagonals and triangles.


@primitive(vjp=lambda g, offset, axis1, axis2: np.diagonal(g, offset, axis1, axis2))
def scatter_diagonal(values: ArrayLike, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Array:
    """Zeros of the given shape, with the values on the diagonal that `diagonal` reads."""
    result = np.zeros(shape, np.asarray(values).dtype)
    place = np.diagonal(result, offset, axis1, axis2)
    place.flags.writeable = True
    place[...] = values
    return result


def _diagonal_rule(g: Array, a_shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Array:
    return scatter_diagonal(g, a_shape, offset, axis1, axis2)


@primitive(np.diagonal, vjp=_diagonal_rule, view=True)
def diagonal(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The diagonal of two axes, or the one `offset` above it, as the last axis. A view that can't be written to."""
    return np.diagonal(np.asarray(a), offset, axis1, axis2)


@composite(np.diag)
def diag(v: ArrayLike, k: int = 0) -> Tensor:
    """(N,) -> (N + |k|, N + |k|), a matrix with v on its k-th diagonal; (N, M) -> its k-th diagonal, as a view."""
    shape = np.shape(v)
    if len(shape) == 2:
        return diagonal(v, k)
    if len(shape) != 1:
        raise ValueError(f"diag: takes a vector or a matrix, got shape {shape}")
    side = shape[0] + abs(k)
    return scatter_diagonal(v, (side, side), k, 0, 1)


@composite(np.diagflat)
def diagflat(v: ArrayLike, k: int = 0) -> Tensor:
    """A matrix with all elements of v on its k-th diagonal, and 0 elsewhere."""
    return diag(ravel(v), k)


def _rows(name: str, m: ArrayLike) -> Array:
    if not np.ndim(m):
        raise ValueError(f"{name}: takes matrices (..., N, M), got a single number")
    return np.asarray(m)


@primitive(np.tril, vjp=lambda g, k: np.tril(g, k))
def tril(m: ArrayLike, k: int = 0) -> Array:
    """The lower triangle of matrices (..., N, M): 0 above the k-th diagonal. A vector stands for equal rows."""
    return np.tril(_rows("tril", m), k)


@primitive(np.triu, vjp=lambda g, k: np.triu(g, k))
def triu(m: ArrayLike, k: int = 0) -> Array:
    """The upper triangle of matrices (..., N, M): 0 below the k-th diagonal. A vector stands for equal rows."""
    return np.triu(_rows("triu", m), k)
