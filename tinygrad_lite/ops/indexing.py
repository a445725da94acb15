"""Reading and writing by index, and the scattering that is the gradient of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import real_dtype
from ..graph import primitive
from ..op import Array, Index

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Shape = tuple[int, ...]


def is_basic(index: Any) -> bool:
    """Whether an index has no arrays in it, so that it meets each element at most once, and reading it gives a view."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or (isinstance(part, (slice, int, np.integer)) and not isinstance(part, bool))
        for part in parts
    )


def _getitem_rule(g: Array, index: Index, a_shape: Shape) -> Array:
    return scatter_add(g, index, a_shape)


@primitive(vjp=_getitem_rule, promotes=(), view=True)
def getitem(a: ArrayLike, index: Index) -> Array:
    """a[index], by any index that NumPy takes. Elements that are read twice add up their gradients."""
    return np.asarray(a)[index]


@primitive(vjp=lambda g, index: getitem(g, index), promotes=())
def scatter_add(values: ArrayLike, index: Index, shape: Shape) -> Array:
    """Zeros of the given shape, with the values added at the index; what meets there adds up."""
    values = np.asarray(values)
    result = np.zeros(shape, values.dtype)
    if is_basic(index):
        result[index] = values
    else:
        if result.ndim == values.ndim == 1:  # np.add.at (2.4) forgets to repeat a row for an index of several axes
            values = np.broadcast_to(values, result[index].shape)
        np.add.at(result, index, values)
    return result


def _kept_value(g: Array, value_shape: Shape, index: Any, a_shape: Shape) -> Array:
    """The cotangent of what was written, without what was overwritten by a later element of the same write."""
    read = getitem(g, index)
    if is_basic(index):
        return read
    size = int(np.prod(np.shape(read)))
    order = np.arange(size).reshape(np.shape(read))
    last = np.zeros(a_shape, np.intp)
    last[index] = order
    return np.where(last[index] == order, read, 0.0)


@primitive(
    vjp={"a": lambda g, index, a_shape: np.where(_untouched(index, a_shape), g, 0.0), "value": _kept_value},
    promotes=(),
)
def setitem(a: ArrayLike, value: ArrayLike, index: Index) -> Array:
    """A copy of a in which a[index] is value. Where an index names an element twice, the last one stays."""
    result = np.array(a)
    result[index] = value
    return result


def _untouched(index: Any, shape: Shape) -> Array:
    untouched = np.ones(shape, bool)
    untouched[index] = False
    return untouched


@primitive(vjp=None, promotes=())
def one_hot(indices: ArrayLike, num_classes: int, dtype: type = np.float32) -> Array:
    """(...) integers from 0 to num_classes - 1 -> (..., num_classes), 1 at the index and 0 elsewhere.

    Raises TypeError where the indices are no integers, IndexError where one is out of range.
    """
    if not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise ValueError(f"one_hot: num_classes must be an integer of 1 or more, got {num_classes!r:.40}")
    array = check_indices("one_hot", indices, num_classes)
    return np.equal(array[..., None], np.arange(num_classes)).astype(real_dtype("one_hot", dtype))


def check_indices(name: str, indices: ArrayLike, size: int) -> Array:
    """The indices as an array of integers from 0 to size - 1, or an error in one line."""
    array = np.asarray(indices)
    unsigned = UNSIGNED.get(array.dtype)
    if unsigned is None:
        raise TypeError(f"{name}: the indices must be integers, got {array.dtype}")
    if array.size and np.maximum.reduce(array.view(unsigned), axis=None) >= size:  # a negative one is a huge one
        bad = array.min() if array.min() < 0 else array.max()
        raise IndexError(f"{name}: index {bad} is out of range: there are {size}, from 0 to {size - 1}")
    return array


UNSIGNED = {np.dtype(f"{kind}{size}"): np.dtype(f"u{size}") for kind in "iu" for size in (1, 2, 4, 8)}
