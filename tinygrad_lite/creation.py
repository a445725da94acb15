"""Making tensors. Floats are float32 unless `dtype` says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import EXPLAINED, as_array, real_dtype, refuse_gradients
from .mode import thread
from .tensor import Tensor
from .variable import make

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Shape = int | tuple[int, ...]


def tensor(data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """A copy of data: a number, nested lists, an array or a Tensor.

    Python's floats become float32 and its ints int64; an array keeps its dtype. Raises TypeError or ValueError where
    that is no array of float, int or bool, and where something else than floats should require a gradient.
    """
    return Tensor(data, requires_grad, dtype)


def from_numpy(array: NDArray[Any]) -> Tensor:
    """A Tensor that shares the memory of the array. Raises TypeError where it is no array of float, int or bool."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: takes an ndarray, got {type(array).__name__}; tensor() takes anything")
    return make(Tensor, as_array(array, None, False, "from_numpy"))  # type: ignore[no-any-return]


def _made(name: str, function: Callable[..., Any], *args: Any, dtype: Any, requires_grad: bool) -> Tensor:
    """function(*args, dtype=dtype) as a Tensor; what NumPy says of bad arguments gets the name before it."""
    if name in SHAPED and not isinstance(args[0], (tuple, list)) and isinstance(dtype, int):
        raise TypeError(f"{name}: several axes are given as a tuple: {name}(({args[0]}, {dtype}))")
    refuse_gradients(name, args)
    args = tuple(arg.numpy() if isinstance(arg, Tensor) else arg for arg in args)
    dtype = real_dtype(name, np.float32 if dtype is None else dtype)
    try:
        if any(np.asarray(arg).dtype.kind not in "fiub" for arg in args if arg is not None or function is np.full):
            raise TypeError("takes real numbers")
        array = function(*args, dtype=dtype)
    except (*EXPLAINED, MemoryError) as error:
        kind = next(kind for kind in (*EXPLAINED, MemoryError) if isinstance(error, kind))
        given = ", ".join(f"{arg!r:.30}" for arg in args if arg is not None)
        raise kind(f"{name}: {str(error).splitlines()[0]} (given {given})") from None
    result = from_numpy(array)
    if thread.mode.watch is not None:
        thread.mode.watch.made(result, None)
    result.requires_grad = requires_grad
    return result


SHAPED = {"zeros", "ones"}


def zeros(shape: Shape, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All 0."""
    return _made("zeros", np.zeros, shape, dtype=dtype, requires_grad=requires_grad)


def ones(shape: Shape, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All 1."""
    return _made("ones", np.ones, shape, dtype=dtype, requires_grad=requires_grad)


def full(shape: Shape, value: float | Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All `value`."""
    return _made("full", np.full, shape, value, dtype=dtype, requires_grad=requires_grad)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from start (or 0) up to stop, without it. Integers give int64."""
    numbers: Any = (0, start, step) if stop is None else (start, stop, step)
    if dtype is None and all(np.asarray(n).dtype.kind in "iu" for n in numbers):
        dtype = np.int64
    return _made("arange", np.arange, *numbers, dtype=dtype, requires_grad=requires_grad)


def linspace(
    start: float, stop: float, num: int = 50, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """`num` numbers at equal distances, from start to stop with both."""
    return _made("linspace", np.linspace, start, stop, num, dtype=dtype, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """(n, m), 1 on the diagonal and 0 elsewhere; m is n unless given."""
    return _made("eye", np.eye, n, m, dtype=dtype, requires_grad=requires_grad)


def zeros_like(a: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All 0, in the shape and dtype of `a`."""
    return _like("zeros_like", a, 0, dtype, requires_grad)


def ones_like(a: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All 1, in the shape and dtype of `a`."""
    return _like("ones_like", a, 1, dtype, requires_grad)


def full_like(
    a: ArrayLike, value: float | Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """All `value`, in the shape and dtype of `a`."""
    return _like("full_like", a, value, dtype, requires_grad)


def _like(name: str, a: ArrayLike, value: float | Tensor, dtype: DTypeLike | None, requires_grad: bool) -> Tensor:
    like = as_array(a, None, False, name)
    dtype = like.dtype if dtype is None else dtype
    return _made(name, np.full, like.shape, value, dtype=dtype, requires_grad=requires_grad)
