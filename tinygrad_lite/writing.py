"""NumPy's functions that write to their first argument: `np.put(t, ...)`, `np.copyto(t, ...)` and the like.

Each is an assignment `t[index] = value`: it changes the Tensor in place, and the value that was written carries its
gradient, as in `inplace.py`. An ndarray takes only values that carry none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from math import prod
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from .arguments import EXPLAINED
from .inplace import setitem
from .mode import thread
from .op import table
from .ops.indexing import along, flatnonzero, take
from .variable import Variable, data_of, variables_in

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "copyto",
    "fill_diagonal",
    "place",
    "put",
    "put_along_axis",
    "putmask",
]

P = ParamSpec("P")

WRITES: dict[Any, Callable[..., None]] = {}
"""What answers for a function of NumPy that writes."""


def writes(numpy: Any) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Let a function answer for one of NumPy's, which writes to its first parameter."""

    def declare(function: Callable[P, None]) -> Callable[P, None]:
        signature = inspect.signature(function)
        name = function.__name__

        @wraps(function)
        def write(*args: P.args, **keywords: P.kwargs) -> None:
            try:
                bound = signature.bind(*args, **keywords)
                bound.apply_defaults()
                target, *others = bound.args
                is_tensor = isinstance(target, Variable)
                if not is_tensor and thread.mode.grad and any(each._requires_grad for each in variables_in(others)):
                    raise TypeError(f"{type(target).__name__} can't carry the gradient of what is written to it")
                scratch = np.empty_like(target._data) if is_tensor else target
                if is_tensor:
                    numpy(scratch, *data_of(others))  # it says what does not fit
                else:
                    numpy(scratch, *[np.asarray(each) if isinstance(each, Variable) else each for each in others])
                if is_tensor:
                    function(*args, **keywords)
            except (*EXPLAINED, AttributeError) as error:  # such as that a list is no array
                kind = next((kind for kind in EXPLAINED if isinstance(error, kind)), TypeError)
                raise kind(f"{name}: {str(error).splitlines()[0].removeprefix(f'{name}: ')}") from None

        WRITES[numpy] = write
        return write

    return declare


@writes(np.put)
def put(a: Any, ind: ArrayLike, v: ArrayLike, mode: str = "raise") -> None:
    """Write to the places of the flattened Tensor that the integers name: a.flat[ind] = v, with v repeated.

    An index that is out of range raises IndexError; mode "wrap" counts it round and round, "clip" takes the nearest.
    Where a place is named twice, the last value stays.
    """
    count, shape = np.size(ind), np.shape(a)
    if not count or not np.size(v):
        return
    values = take(v, np.arange(count), mode="wrap")
    if not shape:
        setitem(a, (), values[-1])
        return
    values = values.reshape(np.shape(ind))
    coordinates = np.unravel_index(np.arange(prod(shape)), shape)
    setitem(a, tuple([take(each, ind, mode=mode) for each in coordinates]), values)


@writes(np.put_along_axis)
def put_along_axis(arr: Any, indices: ArrayLike, values: ArrayLike, axis: int | None) -> None:
    """Write where `take_along_axis` with these indices reads; values broadcast to their shape.

    Of the flattened Tensor, and with the values repeated, if axis is None.
    """
    if axis is None:
        put(arr, indices, values)
        return
    setitem(arr, along(indices, axis, np.shape(arr)), values)


@writes(np.place)
def place(arr: Any, mask: ArrayLike, vals: ArrayLike) -> None:
    """Write one value after the other to where the mask, in the shape of the Tensor, is True; they are repeated."""
    mask = np.not_equal(mask, 0).reshape(np.shape(arr))
    count = flatnonzero(mask).size
    if count:
        setitem(arr, mask, take(vals, np.arange(count), mode="wrap"))


@writes(np.putmask)
def putmask(a: Any, mask: ArrayLike, values: ArrayLike) -> None:
    """Write to where the mask is True what values, repeated to the shape of the Tensor, have at the same place."""
    shape = np.shape(a)
    if np.size(values):
        repeated = take(values, np.arange(prod(shape)), mode="wrap").reshape(shape)
        setitem(a, ..., table["where"].function(np.not_equal(mask, 0).reshape(shape), repeated, a))


@writes(np.copyto)
def copyto(dst: Any, src: ArrayLike, casting: Any = "same_kind", where: ArrayLike = True) -> None:
    """Write src, broadcast, to where the mask `where`, broadcast too, is True.

    Raises TypeError where `casting` does not allow the dtype of src in that of the Tensor.
    """
    setitem(dst, ..., src if where is True else table["where"].function(where, src, dst))


@writes(np.fill_diagonal)
def fill_diagonal(a: Any, val: ArrayLike, wrap: bool = False) -> None:
    """Write to the main diagonal, of all axes, one value after the other; they are repeated.

    wrap: go on with a new diagonal, a row below the end of the first, in a matrix with more rows than columns.
    """
    places = np.zeros(np.shape(a), np.intp)
    np.fill_diagonal(places, 1, wrap)
    put(a, np.flatnonzero(places), val)
