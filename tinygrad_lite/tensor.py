"""Tensor: an array that remembers how it was computed. It adds nothing: all is done by operations of the table."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from . import protocols
from .arguments import as_array
from .backward import backward
from .graph import Output
from .inplace import inplace, setitem
from .op import table
from .ops import elementwise, indexing, linalg, neural, reduction, shape
from .variable import Memory, Variable, data_of, make, refuse_stale, restore

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Axis = int | tuple[int, ...] | None


class Tensor(Variable):
    """An n-dimensional array of numbers with a gradient.

    Tensor(data) copies; see `tensor` for the arguments. Everything that NumPy computes of it is a Tensor again, and
    `backward()` fills the `grad` of every leaf with `requires_grad` that took part.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        fresh = make(type(self), as_array(data, dtype, copy=True))
        for name in Variable.__slots__[1:]:
            setattr(self, name, getattr(fresh, name))
        self.requires_grad = requires_grad

    # What it is.

    @property
    def data(self) -> NDArray[Any]:
        """The array itself. Writing to it is outside of the graph."""
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: ArrayLike) -> None:
        array = as_array(value, None, False, "data", self.dtype)
        bound = self._requires_grad or self._grad is not None
        if bound and (array.shape, array.dtype) != (self.shape, self.dtype):
            raise TypeError(
                f"data: a tensor with a gradient keeps its shape and dtype, {self.dtype}{list(self.shape)}; "
                f"got {array.dtype}{list(array.shape)}"
            )
        if array is not self._data:
            self._data, self._memory = array, Memory()
            self._base, self._family, self._seen = None, None, 0

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` has added up here, of the same shape and dtype; or None."""
        return self._grad  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (
            not isinstance(value, Tensor) or (value.shape, value.dtype) != (self.shape, self.dtype)
        ):
            got = f"{value.dtype}{list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"grad: takes None or a Tensor {self.dtype}{list(self.shape)}, got {got}")
        self._grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded, and a gradient flows back to it."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self._data.dtype.kind != "f":
            raise TypeError(f"requires_grad: only floats have gradients, got {self._data.dtype}; use dtype=np.float32")
        if not value and self._node is not None:
            raise RuntimeError("requires_grad: only a leaf can stop requiring a gradient; use detach()")
        self._requires_grad = bool(value)

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user and not by a recorded operation. Leaves keep their gradient."""
        return self._node is None

    @property
    def shape(self) -> tuple[int, ...]:
        """Its lengths along each axis."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Its number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Its number of elements."""
        return self._data.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of its elements."""
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return shape.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return shape.swapaxes(self, -1, -2)

    # The graph.

    def backward(
        self, gradient: ArrayLike | None = None, retain_graph: bool = False, create_graph: bool = False
    ) -> None:
        """Add the gradient of this tensor to the `grad` of every leaf that it was computed from.

        gradient: the weights of its elements, of its shape; may be left out where it has one element.
        retain_graph: keep the arrays for another backward. create_graph: record the backward itself, so that the
        gradients can be differentiated in turn.

        Raises RuntimeError where it requires no gradient, where the arrays were freed by an earlier backward or
        changed in place; ValueError where the gradient is missing or of another shape.
        """
        refuse_stale("backward", self)
        if not self._requires_grad:
            raise RuntimeError(
                "backward: this tensor requires no gradient, nor does anything that it was computed from"
            )
        if gradient is None:
            if self.size != 1:
                raise ValueError(
                    f"backward: a tensor of shape {self.shape} needs gradient=, the weights of its elements"
                )
            gradient = np.ones(self.shape, self.dtype)
        weights: Any = gradient
        if not isinstance(gradient, Tensor):
            weights = make(Tensor, as_array(gradient, None, False, "backward: gradient=", self.dtype))
        if weights.shape != self.shape:
            raise ValueError(f"backward: gradient= has shape {weights.shape}, the tensor has {self.shape}")
        if weights.dtype != self.dtype:
            weights = weights.astype(self.dtype)
        backward(self, weights if create_graph else weights._data, retain_graph, create_graph)

    def zero_grad(self) -> None:
        """Forget the gradient: `grad` is None again."""
        self._grad = None

    def retain_grad(self) -> None:
        """Keep the gradient here too, as leaves do. Raises RuntimeError where it requires none."""
        if not self._requires_grad:
            raise RuntimeError("retain_grad: this tensor requires no gradient")
        if self._node is None:
            return
        refuse_stale("retain_grad", self)
        node, index = (self._node.node, self._node.index) if isinstance(self._node, Output) else (self._node, 0)
        entry = index, weakref.ref(self)
        node.kept = [*(each for each in node.kept or [] if each != entry), entry]

    def detach(self) -> Tensor:
        """The same array outside of the graph; they share memory."""
        detached: Tensor = make(self._result, self._data)
        detached._memory = self._memory
        return detached

    def clone(self) -> Tensor:
        """A copy that gradients flow through."""
        return elementwise.copy(self)

    # Python's and NumPy's protocols.

    def item(self) -> float | int | bool:
        """Its one element as a Python number. Raises ValueError where there are more."""
        return self._only("item")  # type: ignore[no-any-return]

    def _only(self, asked: str) -> Any:
        if self.size != 1:
            raise ValueError(f"{asked}: a tensor of shape {self.shape} has {self.size} elements, not one")
        return self._data.item()

    def numpy(self) -> NDArray[Any]:
        """The array itself, outside of the graph; they share memory."""
        return self._data  # type: ignore[no-any-return]

    def tolist(self) -> Any:
        """Its elements as nested lists of Python numbers."""
        return self._data.tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False and dtype is not None and self.dtype != dtype:
            raise ValueError(f"array: {self.dtype} can't become {np.dtype(dtype)} without a copy; leave out copy=False")
        return np.array(self._data, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        return protocols.call_ufunc(ufunc, method, inputs, keywords)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        return protocols.call_function(function, args, keywords)

    def __repr__(self) -> str:
        numbers = np.array2string(self._data, separator=", ", prefix="tensor(")
        dtype = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        if self._node is not None:
            node = self._node.node if isinstance(self._node, Output) else self._node
            return f"tensor({numbers}{dtype}, op={node.op.name})"
        return f"tensor({numbers}{dtype}{', requires_grad=True' if self._requires_grad else ''})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        if self.size != 1:
            raise ValueError(f"format: {spec!r} is for one number; a tensor of shape {self.shape} has {self.size}")
        return format(self._data.item(), spec)

    def __float__(self) -> float:
        return float(self._only("float"))

    def __int__(self) -> int:
        return int(self._only("int"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.size != 1:
            raise TypeError(f"only a tensor of one integer is an index, not {self.dtype}{list(self.shape)}")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(f"the truth of a tensor of shape {self.shape} is ambiguous; compare single elements")
        return bool(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a tensor without axes")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a tensor without axes")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: object) -> bool:
        return bool(np.any(self._data == data_of(value)))

    def __copy__(self) -> Tensor:
        if self._node is not None:
            raise RuntimeError("tensor: only leaves can be copied or pickled; use clone() or detach()")
        alias = self.detach()
        alias._requires_grad, alias._grad = self._requires_grad, self._grad
        return alias

    def __reduce__(self) -> Any:
        if self._node is not None:
            raise RuntimeError("tensor: only leaves can be copied or pickled; use clone() or detach()")
        return restore, (type(self), self._data, self._requires_grad, self._grad)

    __hash__ = object.__hash__

    # Operators.

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        setitem(self, index, value)

    def __add__(self, other: ArrayLike) -> Tensor:
        return elementwise.add(self, other)

    def __radd__(self, other: ArrayLike) -> Tensor:
        return elementwise.add(other, self)

    def __iadd__(self, other: ArrayLike) -> Tensor:
        return inplace(table["add"], self, other)

    def __sub__(self, other: ArrayLike) -> Tensor:
        return elementwise.subtract(self, other)

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return elementwise.subtract(other, self)

    def __isub__(self, other: ArrayLike) -> Tensor:
        return inplace(table["subtract"], self, other)

    def __mul__(self, other: ArrayLike) -> Tensor:
        return elementwise.multiply(self, other)

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return elementwise.multiply(other, self)

    def __imul__(self, other: ArrayLike) -> Tensor:
        return inplace(table["multiply"], self, other)

    def __truediv__(self, other: ArrayLike) -> Tensor:
        return elementwise.divide(self, other)

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return elementwise.divide(other, self)

    def __itruediv__(self, other: ArrayLike) -> Tensor:
        return inplace(table["divide"], self, other)

    def __pow__(self, other: ArrayLike) -> Tensor:
        return elementwise.power(self, other)

    def __rpow__(self, other: ArrayLike) -> Tensor:
        return elementwise.power(other, self)

    def __ipow__(self, other: ArrayLike) -> Tensor:
        return inplace(table["power"], self, other)

    def __matmul__(self, other: ArrayLike) -> Tensor:
        return linalg.matmul(self, other)

    def __rmatmul__(self, other: ArrayLike) -> Tensor:
        return linalg.matmul(other, self)

    def __neg__(self) -> Tensor:
        return elementwise.negative(self)

    def __pos__(self) -> Tensor:
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

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum over an axis, several, or all."""
        return reduction.sum(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean over an axis, several, or all."""
        return reduction.mean(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest element over an axis, several, or all."""
        return reduction.max(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Smallest element over an axis, several, or all."""
        return reduction.min(self, axis, keepdims)

    def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        """Variance, divided by n - ddof."""
        return reduction.var(self, axis, ddof, keepdims)

    def std(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        """Standard deviation, the root of `var`."""
        return reduction.std(self, axis, ddof, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Index of the largest element, the first among equals."""
        return reduction.argmax(self, axis, keepdims)

    def reshape(self, *shape_: int | tuple[int, ...]) -> Tensor:
        """The same elements in another shape: `t.reshape(2, -1)` or `t.reshape((2, -1))`."""
        return shape.reshape(self, shape_[0] if len(shape_) == 1 else shape_)  # type: ignore[arg-type]

    def transpose(self, *axes: SupportsIndex | tuple[int, ...] | None) -> Tensor:
        """The axes in another order: `t.transpose(2, 0, 1)`; reversed, if none is given."""
        return shape.transpose(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)  # type: ignore[arg-type]

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
        return shape.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Without its axes of length 1, or without those named."""
        return shape.squeeze(self, axis)


Tensor._result = Tensor
