"""Reading and writing by index, and the scattering that is the gradient of reading."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import real_dtype
from ..declare import composite, primitive
from ..op import Array, Index
from ..variable import Variable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Shape = tuple[int, ...]

__all__ = [
    "argwhere",
    "choose",
    "compress",
    "extract",
    "flatnonzero",
    "nonzero",
    "select",
    "take",
    "take_along_axis",
]


# By brackets.


def as_is(indices: Any) -> Any:
    """An array, or a Tensor as it is."""
    return indices if isinstance(indices, Variable) else np.asarray(indices)


def may_repeat(index: Any) -> bool:
    """Whether an index can meet an element more than once: only one with an array or a list of integers can."""
    return not all(
        part is None or isinstance(part, (int, slice, np.integer, EllipsisType)) or as_is(part).dtype.kind == "b"
        for part in (index if isinstance(index, tuple) else (index,))
    )


def _getitem_rule(g: Array, index: Index, a_shape: Shape) -> Array:
    return scatter_add(g, index, a_shape)


@primitive(vjp=_getitem_rule, promotes=(), view=True)
def getitem(a: ArrayLike, index: Index) -> Array:
    """a[index], by any index that NumPy takes. Elements that are read twice add up their gradients.

    By integers, slices, None and ... it is a view; so is a single element, other than in NumPy.
    """
    array = np.asarray(a)
    found = array[index]
    if found.__class__ is np.ndarray:
        return found
    return array[(*index, ...) if isinstance(index, tuple) else (index, ...)]


@primitive(vjp=lambda g, index: getitem(g, index), promotes=())
def scatter_add(values: ArrayLike, index: Index, shape: Shape) -> Array:
    """Zeros of the given shape, with the values added at the index; what meets there adds up."""
    values = np.asarray(values)
    result = np.zeros(shape, values.dtype)
    if not may_repeat(index):
        result[index] = values
        return result
    flat = result.reshape(-1)  # along one axis np.add.at is fast, and it does not repeat values as it should (2.4)
    if isinstance(index, np.ndarray) and len(shape) == 1:
        places = index
    elif isinstance(index, np.ndarray) and flat.size > 4096:  # a table of all places would take longer than the sum
        rows, size = np.arange(shape[0])[index], prod(shape[1:])
        places = (rows[..., None] * size + np.arange(size)).reshape(*rows.shape, *shape[1:])
    else:
        places = np.arange(flat.size).reshape(shape)[index]
    if values.shape != places.shape:
        values = np.broadcast_to(values, places.shape)
    np.add.at(flat, places.reshape(-1), values.reshape(-1))
    return result


def _kept_value(g: Array, value_shape: Shape, index: Any, a_shape: Shape) -> Array:
    """The cotangent of what was written, without what was overwritten by a later element of the same write."""
    read = getitem(g, index)
    if not may_repeat(index):
        return read
    order = np.arange(prod(np.shape(read))).reshape(np.shape(read))
    last = setitem(np.zeros(a_shape, np.intp), order, index)
    return np.where(np.equal(getitem(last, index), order), read, 0.0)


def _untouched(g: Array, index: Index) -> Array:
    return setitem(g, 0.0, index)


@primitive(vjp={"a": _untouched, "value": _kept_value}, promotes=())
def setitem(a: ArrayLike, value: ArrayLike, index: Index) -> Array:
    """A copy of a in which a[index] is value. Where an index names an element twice, the last one stays."""
    result = np.array(a)
    result[index] = value
    return result


# Along an axis.


def as_places(name: str, indices: ArrayLike) -> Array:
    """Indices as an array of intp; TypeError in one line where they are no integers."""
    places = as_is(indices)
    if places.size and places.dtype.kind not in "iub":
        raise TypeError(f"{name}: the indices must be integers, got {places.dtype}")
    return places.astype(np.intp, copy=False)


def within(indices: ArrayLike, size: int, mode: str) -> Array:
    """The places from -size to size - 1 that indices mean to `take` and `choose`, by their mode."""
    places = as_places("take", indices)
    if mode == "wrap":
        return places % size if size else places
    return np.clip(places, 0, size - 1) if mode == "clip" else places


def _take_rule(g: Array, indices: ArrayLike, a_shape: Shape, axis: int | None, mode: str) -> Array:
    if axis is None or not a_shape:  # NumPy lets the axis of a number be 0 or -1
        size = prod(a_shape)
        return scatter_add(g, within(indices, size, mode), (size,)).reshape(a_shape)
    places = within(indices, a_shape[axis], mode)
    return scatter_add(g, (slice(None),) * (axis % len(a_shape)) + (places,), a_shape)


@primitive(np.take, vjp={"a": _take_rule})
def take(a: ArrayLike, indices: ArrayLike, axis: int | None = None, mode: str = "raise") -> Array:
    """The elements of a, or its slices along an axis, that the integers name: a[:, :, indices, ...].

    (A, N, B), indices (...) -> (A, ..., B); without an axis, of the flattened array: (...). An index that is out of
    range raises IndexError; mode "wrap" counts it round and round, "clip" takes the nearest, 0 for negative ones.
    """
    return np.take(a, as_places("take", indices), axis, mode=mode)  # type: ignore[call-overload]


def along(indices: Any, axis: int, shape: Shape) -> tuple[Any, ...]:
    """The index by which `take_along_axis` reads an array of the given shape."""
    ndim = len(shape)
    sides = [np.arange(n).reshape((n,) + (1,) * (ndim - 1 - i)) for i, n in enumerate(shape)]
    return (*sides[: axis % ndim], indices, *sides[axis % ndim + 1 :])


def _take_along_axis_rule(g: Array, indices: Array, arr_shape: Shape, axis: int | None) -> Array:
    if axis is None:
        return scatter_add(g, as_is(indices), (prod(arr_shape),)).reshape(arr_shape)
    return scatter_add(g, along(indices, axis, arr_shape), arr_shape)


@primitive(np.take_along_axis, vjp={"arr": _take_along_axis_rule})
def take_along_axis(arr: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Array:
    """For each line along an axis, the elements that its own indices name, as argsort and argmax(keepdims) give them.

    (A, N, B), indices (A, K, B) -> (A, K, B), where A and B broadcast; flattened first, if axis is None.
    """
    arr, places = np.asarray(arr), as_places("take_along_axis", indices)
    if axis is not None and arr.ndim != places.ndim:
        raise ValueError(f"take_along_axis: takes indices of as many axes as arr, {arr.ndim}, got {places.ndim}")
    return np.take_along_axis(arr, places, axis)


@primitive(vjp={"x": lambda g: g, "source": lambda g, index, axis: np.take(g, index, axis)})
def index_add(x: ArrayLike, axis: int, index: ArrayLike, source: ArrayLike) -> Array:
    """A copy of x, with the slices of source added to those that the integers name; what meets there adds up.

    x (A, N, B), index (K,), source (A, K, B) -> (A, N, B), as torch's index_add. Raises TypeError where the index is
    not of integers, IndexError where one is out of range, ValueError where the shapes do not fit.
    """
    x, source = np.asarray(x), np.asarray(source)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"index_add: x {x.shape} has no axis {axis}")
    before = x.shape[: axis % x.ndim]
    places = check_indices("index_add", index, x.shape[axis])
    if places.ndim != 1 or source.shape != (*before, places.size, *x.shape[len(before) + 1 :]):
        raise ValueError(
            f"index_add: takes x (A, N, B), index (K,) and source (A, K, B), got {x.shape}, {places.shape} and "
            f"{source.shape} along axis {axis}"
        )
    return x + np.asarray(scatter_add(source, (slice(None),) * len(before) + (places,), x.shape))


# By conditions.


def _select_choices(g: Array, condlist: list[Array]) -> list[Array]:
    grads = []
    for condition in condlist:
        grads.append(np.where(condition, g, 0.0))
        g = np.where(condition, 0.0, g)
    return grads


def _select_default(g: Array, condlist: list[Array]) -> Array:
    for condition in condlist:
        g = np.where(condition, 0.0, g)
    return g


@primitive(np.select, vjp={"choicelist": _select_choices, "default": _select_default})
def select(condlist: Sequence[ArrayLike], choicelist: Sequence[ArrayLike], default: ArrayLike = 0) -> Array:
    """Elementwise, the choice whose condition is the first that holds; the default where none does."""
    return np.select([np.asarray(condition) for condition in condlist], list(choicelist), default)


def _choose_rule(g: Array, a: ArrayLike, choices_shape: tuple[Shape, ...], mode: str) -> list[Array]:
    places = within(a, len(choices_shape), mode)
    return [np.where(places == i, g, 0.0) for i in range(len(choices_shape))]


@primitive(np.choose, vjp={"choices": _choose_rule})
def choose(a: ArrayLike, choices: Sequence[ArrayLike], mode: str = "raise") -> Array:
    """Elementwise, the choice that the integer in a names; all are broadcast together.

    An integer that names none raises ValueError; mode "wrap" counts it round and round, "clip" takes the nearest.
    """
    return np.choose(a, choices, mode=mode)  # type: ignore[call-overload]


@composite(np.compress, promotes=("a",))
def compress(condition: ArrayLike, a: ArrayLike, axis: int | None = None) -> Tensor:
    """The slices along an axis for which the condition (N,) holds; of the flattened array, if axis is None."""
    if np.ndim(condition) != 1:
        raise ValueError(f"compress: takes a condition of one axis, got {np.shape(condition)}")
    return take(a, flatnonzero(condition), axis)


@composite(np.extract, promotes=("arr",))
def extract(condition: ArrayLike, arr: ArrayLike) -> Tensor:
    """The elements for which the condition holds, both flattened first -> (K,)."""
    return take(arr, flatnonzero(condition))


@primitive(np.argwhere, vjp=None, promotes=())
def argwhere(a: ArrayLike) -> Array:
    """Where the elements are that are not 0: a row of indices for each -> (K, ndim)."""
    return np.argwhere(_numbers("argwhere", a))


@primitive(np.flatnonzero, vjp=None, promotes=())
def flatnonzero(a: ArrayLike) -> Array:
    """Where in the flattened array the elements are that are not 0 -> (K,)."""
    return np.flatnonzero(_numbers("flatnonzero", a))


def _numbers(name: str, a: ArrayLike) -> Array:
    array = np.asarray(a)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: takes numbers, got {array.dtype}")
    return array


@composite(np.nonzero, promotes=())
def nonzero(a: ArrayLike) -> tuple[Tensor, ...]:
    """Where the elements are that are not 0: for each axis an array of indices (K,), so that a[nonzero(a)] has them.

    Raises ValueError for a number, which has no axes.
    """
    if not np.ndim(a):
        raise ValueError("nonzero: a number has no axes to give indices for; reshape it to (1,)")
    return tuple(argwhere(a).T)


# Classes.


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
    if not are_indices(array, size):
        if array.dtype not in UNSIGNED:
            raise TypeError(f"{name}: the indices must be integers, got {array.dtype}")
        bad = array.min() if array.min() < 0 else array.max()
        raise IndexError(f"{name}: index {bad} is out of range: there are {size}, from 0 to {size - 1}")
    return array


def are_indices(array: Array, size: int) -> bool:
    """Whether an array holds integers from 0 to size - 1 only."""
    unsigned, most = UNSIGNED.get(array.dtype, (None, 0))
    if unsigned is None:
        return False
    end = size if size < most else most  # a negative one, seen as unsigned, is `most` or more
    seen = array.view(unsigned)
    return not seen.size or seen.item(seen.argmax()) < end  # argmax takes a quarter of the time that max does


UNSIGNED = {
    np.dtype(f"{kind}{size}"): (np.dtype(f"u{size}"), 2 ** (8 * size - (kind == "i")))
    for kind in "iu"
    for size in (1, 2, 4, 8)
}
