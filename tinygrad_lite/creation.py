"""Making tensors. Floats are float32 unless `dtype` says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .tensor import Tensor, as_array
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
    return make(Tensor, as_array(array, None, copy=False))  # type: ignore[no-any-return]


def _made(array: NDArray[Any], requires_grad: bool) -> Tensor:
    result = from_numpy(array)
    result.requires_grad = requires_grad
    return result


def zeros(shape: Shape, dtype: DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """All 0."""
    return _made(np.zeros(shape, dtype), requires_grad)


def ones(shape: Shape, dtype: DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """All 1."""
    return _made(np.ones(shape, dtype), requires_grad)


def full(shape: Shape, value: float, dtype: DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """All `value`."""
    return _made(np.full(shape, value, dtype), requires_grad)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from start (or 0) up to stop, without it. Integers give int64."""
    numbers: Any = (0, start, step) if stop is None else (start, stop, step)
    if dtype is None:
        dtype = np.int64 if all(isinstance(n, (int, np.integer)) for n in numbers) else np.float32
    return _made(np.arange(*numbers, dtype=dtype), requires_grad)


def linspace(
    start: float, stop: float, num: int = 50, dtype: DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """`num` numbers at equal distances, from start to stop with both."""
    return _made(np.linspace(start, stop, num, dtype=dtype), requires_grad)


def eye(n: int, m: int | None = None, dtype: DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """(n, m), 1 on the diagonal and 0 elsewhere; m is n unless given."""
    return _made(np.eye(n, m, dtype=dtype), requires_grad)


def zeros_like(a: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All 0, in the shape and dtype of `a`."""
    return _made(np.zeros_like(np.asarray(a), dtype), requires_grad)


def ones_like(a: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All 1, in the shape and dtype of `a`."""
    return _made(np.ones_like(np.asarray(a), dtype), requires_grad)


def full_like(a: ArrayLike, value: float, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """All `value`, in the shape and dtype of `a`."""
    return _made(np.full_like(np.asarray(a), value, dtype), requires_grad)
