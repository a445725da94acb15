"""What can be computed of a Tensor: NumPy's protocols, Python's operators, and the methods that NumPy's arrays have.

They add nothing: each of them calls an operation of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, SupportsIndex

import numpy as np

from . import protocols
from .inplace import inplace, setitem
from .op import table
from .ops import elementwise, indexing, joining, linalg, neural, shape
from .variable import Variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .tensor import Tensor

    Axis = int | tuple[int, ...] | None


class Methods(Variable):
    """The operators and methods of Tensor."""

    __slots__ = ()

    # NumPy's protocols.

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False and dtype is not None and self._data.dtype != dtype:
            raise ValueError(
                f"array: {self._data.dtype} can't become {np.dtype(dtype)} without a copy; leave out copy=False"
            )
        return np.array(self._data, dtype=dtype, copy=copy)

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
        return elementwise.add(self, other)

    def __radd__(self, other: ArrayLike) -> Tensor:
        return elementwise.add(other, self)

    def __iadd__(self, other: ArrayLike) -> Self:
        return inplace(table["add"], self, other)

    def __sub__(self, other: ArrayLike) -> Tensor:
        return elementwise.subtract(self, other)

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return elementwise.subtract(other, self)

    def __isub__(self, other: ArrayLike) -> Self:
        return inplace(table["subtract"], self, other)

    def __mul__(self, other: ArrayLike) -> Tensor:
        return elementwise.multiply(self, other)

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return elementwise.multiply(other, self)

    def __imul__(self, other: ArrayLike) -> Self:
        return inplace(table["multiply"], self, other)

    def __truediv__(self, other: ArrayLike) -> Tensor:
        return elementwise.divide(self, other)

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return elementwise.divide(other, self)

    def __itruediv__(self, other: ArrayLike) -> Self:
        return inplace(table["divide"], self, other)

    def __pow__(self, other: ArrayLike) -> Tensor:
        return elementwise.power(self, other)

    def __rpow__(self, other: ArrayLike) -> Tensor:
        return elementwise.power(other, self)

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

    def __eq__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else elementwise.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else elementwise.not_equal(self, other)

    def __lt__(self, other: ArrayLike) -> Tensor:
        return elementwise.less(self, other)

    def __le__(self, other: ArrayLike) -> Tensor:
        return elementwise.less_equal(self, other)

    def __gt__(self, other: ArrayLike) -> Tensor:
        return elementwise.greater(self, other)

    def __ge__(self, other: ArrayLike) -> Tensor:
        return elementwise.greater_equal(self, other)

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
        return elementwise.sigmoid(self)

    def relu(self) -> Tensor:
        """The element where it is positive, else 0."""
        return elementwise.relu(self)

    def abs(self) -> Tensor:
        """Absolute value."""
        return elementwise.absolute(self)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """A copy in another dtype."""
        return elementwise.astype(self, dtype)  # type: ignore[arg-type]

    def softmax(self, axis: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along an axis."""
        return neural.softmax(self, axis)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """log(softmax(x)) along an axis."""
        return neural.log_softmax(self, axis)

    def reshape(self, *shape_: int | tuple[int, ...], order: str = "C", copy: bool | None = None) -> Tensor:
        """The same elements in another shape: `t.reshape(2, -1)` or `t.reshape((2, -1))`."""
        return shape.reshape(self, shape_[0] if len(shape_) == 1 else shape_, order, copy)  # type: ignore[arg-type]

    def ravel(self, order: str = "C") -> Tensor:
        """All elements in one axis; a view where there can be one."""
        return shape.ravel(self, order)

    def flatten(self, order: str = "C") -> Tensor:
        """All elements in one axis, always as a copy."""
        return shape.reshape(self, -1, order, True)

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
