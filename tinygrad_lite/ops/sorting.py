"""Sorting, searching in what is sorted, and counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import primitive
from ..op import Array
from .indexing import along, getitem, scatter_add, take_along_axis

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "argpartition",
    "argsort",
    "bincount",
    "digitize",
    "partition",
    "searchsorted",
    "sort",
]


def _sort_rule(g: Array, a: Array, a_shape: tuple[int, ...], axis: int | None) -> Array:
    places = argsort(a, axis, stable=True)
    if axis is None:
        return scatter_add(g, places, g.shape).reshape(a_shape)
    return scatter_add(g, along(places, axis, a_shape), a_shape)


def _partition_rule(g: Array, a: Array, out: Array, a_shape: tuple[int, ...], axis: int | None) -> Array:
    in_order = take_along_axis(g, argsort(out, axis, stable=True), -1 if axis is None else axis)
    return _sort_rule(in_order, a, a_shape, axis)


@primitive(np.argsort, vjp=None, promotes=())
def argsort(
    a: ArrayLike, axis: int | None = -1, kind: Any = None, order: None = None, stable: bool | None = None
) -> Array:
    """The indices that sort along an axis, so that take_along_axis(a, argsort(a)) is sorted; nan comes last.

    Equal elements keep their order where `stable` is True or `kind` is "stable"; else they may come in any.
    """
    return np.argsort(a, axis, kind, order, stable=stable)


@primitive(np.argpartition, vjp=None, promotes=())
def argpartition(
    a: ArrayLike, kth: int | Sequence[int], axis: int | None = -1, kind: Any = "introselect", order: None = None
) -> Array:
    """The indices that bring element number kth to its place along an axis, the smaller ones before it."""
    return np.argpartition(a, kth, axis, kind, order)


@primitive(np.sort, vjp=_sort_rule, ties=True)
def sort(
    a: ArrayLike, axis: int | None = -1, kind: Any = None, order: None = None, stable: bool | None = None
) -> Array:
    """A sorted copy along an axis; flattened first, if axis is None; nan comes last.

    Each element gets the gradient of the place where it goes; equal ones go there in the order in which they are
    (torch's, with stable=True), whatever the kind.
    """
    return np.sort(a, axis, kind, order, stable=stable)


@primitive(np.partition, vjp=_partition_rule, ties=True)
def partition(
    a: ArrayLike, kth: int | Sequence[int], axis: int | None = -1, kind: Any = "introselect", order: None = None
) -> Array:
    """A copy with element number kth, or several such, where it would be if sorted along an axis.

    The smaller ones come before it, the others behind, both in any order. Each element gets the gradient of the place
    where it goes; equal ones go there in the order in which they are.
    """
    return np.partition(a, kth, axis, kind, order)


@primitive(np.searchsorted, vjp=None, promotes=("a", "v"))
def searchsorted(a: ArrayLike, v: ArrayLike, side: Any = "left", sorter: ArrayLike | None = None) -> Array:
    """Where to put the elements v (...) into the sorted a (N,) to keep it sorted -> (...) integers from 0 to N.

    side: before ("left") or behind ("right") what is equal. sorter: argsort(a), where a is not sorted.
    """
    if np.ndim(a) != 1:
        raise ValueError(f"searchsorted: takes a sorted array of one axis, got {np.shape(a)}")
    return np.searchsorted(a, v, side, sorter)  # type: ignore[arg-type]


@primitive(np.digitize, vjp=None, promotes=("x", "bins"))
def digitize(x: ArrayLike, bins: ArrayLike, right: bool = False) -> Array:
    """The number of the bin that each element is in: i where bins[i - 1] <= x < bins[i].

    bins: (N,), increasing or decreasing. right: whether bins hold their upper end, and not the lower one.
    """
    return np.digitize(x, bins, right)  # type: ignore[arg-type]


@primitive(np.bincount, vjp={"weights": lambda g, x: getitem(g, x)}, floats=True)
def bincount(x: ArrayLike, weights: ArrayLike | None = None, minlength: int = 0) -> Array:
    """How often each integer occurs in x (N,); or the sum of its weights (N,), floats.

    The result has as many elements as the largest integer needs, and `minlength` at least. Raises TypeError where x
    is not of integers, ValueError where one is negative or where the shapes do not fit.
    """
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"bincount: takes integers of one axis, got {x.shape}")
    if x.size and x.dtype.kind not in "iub":
        raise TypeError(f"bincount: takes integers, got {x.dtype}")
    counts = np.bincount(x.astype(np.intp, copy=False), weights, minlength)
    dtype = np.result_type(counts if weights is None else weights)
    return counts.astype(dtype, copy=False) if dtype.kind == "f" else counts
