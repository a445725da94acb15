"""What can be computed of a Tensor: NumPy's protocols, Python's operators, and the methods that NumPy's arrays have.

They add nothing: each of them calls an operation of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, SupportsIndex

import numpy as np

from . import protocols, writing
from .inplace import inplace, setitem
from .mode import thread
from .op import table
from .ops import (
    activations,
    arithmetic,
    elementwise,
    indexing,
    joining,
    linalg,
    logic,
    neural,
    rounding,
    selection,
    shape,
    sorting,
)
from .variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .tensor import Tensor

    Axis = int | tuple[int, ...] | None
    Out = NDArray[Any] | None


def _written(name: str, result: Tensor, out: Out) -> Tensor:
    """The result, or `out` with the result in it."""
    written: Tensor = protocols.written(name, result, out)
    return written


class Methods(Variable):
    """The operators and methods of Tensor."""

    __slots__ = ()

    # NumPy's protocols.

    def _shown(self, asked: str) -> NDArray[Any]:
        """The array, for those outside."""
        watch = thread.mode.watch
        if watch is not None:
            watch.asks(f"{asked} asks for numbers")
        return self._data  # type: ignore[no-any-return]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False and dtype is not None and self._data.dtype != dtype:
            raise ValueError(
                f"array: {self._data.dtype} can't become {np.dtype(dtype)} without a copy; leave out copy=False"
            )
        return np.array(self._shown("an array"), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        return protocols.call_ufunc(ufunc, method, inputs, keywords)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        return protocols.call_function(function, args, keywords)

    # Operators.

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        setitem(self, index, value)

    def __add__(self, other: ArrayLike) -> Tensor:
        return arithmetic.add(self, other)

    def __radd__(self, other: ArrayLike) -> Tensor:
        return arithmetic.add(other, self)

    def __iadd__(self, other: ArrayLike) -> Self:
        return inplace(table["add"], self, other)

    def __sub__(self, other: ArrayLike) -> Tensor:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return arithmetic.subtract(other, self)

    def __isub__(self, other: ArrayLike) -> Self:
        return inplace(table["subtract"], self, other)

    def __mul__(self, other: ArrayLike) -> Tensor:
        return arithmetic.multiply(self, other)

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return arithmetic.multiply(other, self)

    def __imul__(self, other: ArrayLike) -> Self:
        return inplace(table["multiply"], self, other)

    def __truediv__(self, other: ArrayLike) -> Tensor:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return arithmetic.divide(other, self)

    def __itruediv__(self, other: ArrayLike) -> Self:
        return inplace(table["divide"], self, other)

    def __floordiv__(self, other: ArrayLike) -> Tensor:
        return rounding.floor_divide(self, other)

    def __rfloordiv__(self, other: ArrayLike) -> Tensor:
        return rounding.floor_divide(other, self)

    def __ifloordiv__(self, other: ArrayLike) -> Self:
        return inplace(table["floor_divide"], self, other)

    def __mod__(self, other: ArrayLike) -> Tensor:
        return rounding.remainder(self, other)

    def __rmod__(self, other: ArrayLike) -> Tensor:
        return rounding.remainder(other, self)

    def __imod__(self, other: ArrayLike) -> Self:
        return inplace(table["remainder"], self, other)

    def __divmod__(self, other: ArrayLike) -> tuple[Tensor, Tensor]:
        return rounding.divmod(self, other)

    def __rdivmod__(self, other: ArrayLike) -> tuple[Tensor, Tensor]:
        return rounding.divmod(other, self)

    def __pow__(self, other: ArrayLike) -> Tensor:
        return arithmetic.power(self, other)

    def __rpow__(self, other: ArrayLike) -> Tensor:
        return arithmetic.power(other, self)

    def __ipow__(self, other: ArrayLike) -> Self:
        return inplace(table["power"], self, other)

    def __matmul__(self, other: ArrayLike) -> Tensor:
        return linalg.matmul(self, other)

    def __rmatmul__(self, other: ArrayLike) -> Tensor:
        return linalg.matmul(other, self)

    def __neg__(self) -> Tensor:
        return elementwise.negative(self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Tensor:
        return elementwise.absolute(self)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return rounding.round(self, ndigits or 0)

    def __and__(self, other: ArrayLike) -> Tensor:
        return logic.bitwise_and(self, other)

    def __rand__(self, other: ArrayLike) -> Tensor:
        return logic.bitwise_and(other, self)

    def __iand__(self, other: ArrayLike) -> Self:
        return inplace(table["bitwise_and"], self, other)

    def __or__(self, other: ArrayLike) -> Tensor:
        return logic.bitwise_or(self, other)

    def __ror__(self, other: ArrayLike) -> Tensor:
        return logic.bitwise_or(other, self)

    def __ior__(self, other: ArrayLike) -> Self:
        return inplace(table["bitwise_or"], self, other)

    def __xor__(self, other: ArrayLike) -> Tensor:
        return logic.bitwise_xor(self, other)

    def __rxor__(self, other: ArrayLike) -> Tensor:
        return logic.bitwise_xor(other, self)

    def __ixor__(self, other: ArrayLike) -> Self:
        return inplace(table["bitwise_xor"], self, other)

    def __invert__(self) -> Tensor:
        return logic.invert(self)

    def __eq__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else logic.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else logic.not_equal(self, other)

    def __lt__(self, other: ArrayLike) -> Tensor:
        return logic.less(self, other)

    def __le__(self, other: ArrayLike) -> Tensor:
        return logic.less_equal(self, other)

    def __gt__(self, other: ArrayLike) -> Tensor:
        return logic.greater(self, other)

    def __ge__(self, other: ArrayLike) -> Tensor:
        return logic.greater_equal(self, other)

    # Methods.

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return elementwise.exp(self)

    def log(self) -> Tensor:
        """Natural logarithm."""
        return elementwise.log(self)

    def sqrt(self) -> Tensor:
        """Square root."""
        return elementwise.sqrt(self)

    def tanh(self) -> Tensor:
        """Hyperbolic tangent."""
        return elementwise.tanh(self)

    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x))."""
        return activations.sigmoid(self)

    def relu(self) -> Tensor:
        """The element where it is positive, else 0."""
        return activations.relu(self)

    def abs(self) -> Tensor:
        """Absolute value."""
        return elementwise.absolute(self)

    def clip(self, min: ArrayLike | None = None, max: ArrayLike | None = None, out: Out = None) -> Tensor:
        """The element within limits; None sets no limit."""
        return _written("clip", selection.clamp(self, min, max), out)

    def round(self, decimals: int = 0, out: Out = None) -> Tensor:
        """The nearest number of so many decimals; halves go to the even one."""
        return _written("round", rounding.round(self, decimals), out)

    def astype(self, dtype: DTypeLike, copy: bool = True) -> Tensor:
        """A copy in another dtype; with copy=False the tensor itself, where it has that dtype."""
        return self if not copy and self._data.dtype == dtype else elementwise.astype(self, dtype)  # type: ignore

    def softmax(self, axis: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along an axis."""
        return neural.softmax(self, axis)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """log(softmax(x)) along an axis."""
        return neural.log_softmax(self, axis)

    def dot(self, b: ArrayLike, out: Out = None) -> Tensor:
        """Product with a vector, a matrix or a number, as in NumPy."""
        return _written("dot", linalg.dot(self, b), out)

    def reshape(self, *shape_: int | tuple[int, ...], order: str = "C", copy: bool | None = None) -> Tensor:
        """The same elements in another shape: `t.reshape(2, -1)` or `t.reshape((2, -1))`."""
        return shape.reshape(self, shape_[0] if len(shape_) == 1 else shape_, order, copy)  # type: ignore[arg-type]

    def ravel(self, order: str = "C") -> Tensor:
        """All elements in one axis; a view where there can be one."""
        return shape.ravel(self, order)

    def flatten(self, order: str = "C") -> Tensor:
        """All elements in one axis, always as a copy."""
        flat = shape.ravel(self, order)
        return flat if flat._base is None else elementwise.copy(flat)

    def transpose(self, *axes: SupportsIndex | tuple[int, ...] | None) -> Tensor:
        """The axes in another order: `t.transpose(2, 0, 1)`; reversed, if none is given."""
        return shape.transpose(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)  # type: ignore[arg-type]

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
        return shape.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Without its axes of length 1, or without those named."""
        return shape.squeeze(self, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Each element several times, along an axis or of all in one. (torch's `repeat` is `tg.tile`.)"""
        return joining.repeat(self, repeats, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The diagonal of two axes, as the last one: a view that can't be written to."""
        return shape.diagonal(self, offset, axis1, axis2)

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return shape.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return shape.matrix_transpose(self)

    def take(self, indices: ArrayLike, axis: int | None = None, out: Out = None, mode: str = "raise") -> Tensor:
        """The elements, or the slices along an axis, that the integers name."""
        return _written("take", indexing.take(self, indices, axis, mode), out)

    def compress(self, condition: ArrayLike, axis: int | None = None, out: Out = None) -> Tensor:
        """The slices along an axis for which the condition holds."""
        return _written("compress", indexing.compress(condition, self, axis), out)

    def choose(self, choices: Sequence[ArrayLike], out: Out = None, mode: str = "raise") -> Tensor:
        """Elementwise, the choice that the integer in this tensor names."""
        return _written("choose", indexing.choose(self, choices, mode), out)

    def nonzero(self) -> tuple[Tensor, ...]:
        """Where the elements are that are not 0: an array of indices for each axis."""
        return indexing.nonzero(self)

    def argsort(
        self, axis: int | None = -1, kind: Any = None, order: None = None, stable: bool | None = None
    ) -> Tensor:
        """The indices that sort along an axis."""
        return sorting.argsort(self, axis, kind, order, stable)

    def argpartition(
        self, kth: int | Sequence[int], axis: int | None = -1, kind: Any = "introselect", order: None = None
    ) -> Tensor:
        """The indices that bring element number kth to its place along an axis, the smaller ones before it."""
        return sorting.argpartition(self, kth, axis, kind, order)

    def searchsorted(self, v: ArrayLike, side: Any = "left", sorter: ArrayLike | None = None) -> Tensor:
        """Where to put the elements v into this sorted tensor to keep it sorted."""
        return sorting.searchsorted(self, v, side, sorter)

    # Methods that write in place and return nothing, as those of NumPy's arrays.

    def sort(self, axis: int = -1, kind: Any = None, order: None = None, stable: bool | None = None) -> None:
        """Sort this tensor in place along an axis. `tg.sort(t)` gives a copy."""
        setitem(self, ..., sorting.sort(elementwise.copy(self), axis, kind, order, stable))

    def partition(
        self, kth: int | Sequence[int], axis: int = -1, kind: Any = "introselect", order: None = None
    ) -> None:
        """Bring element number kth to its place in place, the smaller ones before it. `tg.partition` gives a copy."""
        setitem(self, ..., sorting.partition(elementwise.copy(self), kth, axis, kind, order))

    def put(self, indices: ArrayLike, values: ArrayLike, mode: str = "raise") -> None:
        """Write to the places of the flattened tensor that the integers name; the values are repeated."""
        writing.put(self, indices, values, mode)

    def fill(self, value: ArrayLike) -> None:
        """Write one number to all elements."""
        if np.size(value) != 1:
            raise ValueError(f"fill: takes one number, got {np.shape(value)}; write t[...] = values")
        setitem(self, ..., value)
