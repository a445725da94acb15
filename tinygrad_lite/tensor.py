"""Tensor: an array that remembers how it was computed. It adds nothing: all is done by operations of the table."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import as_array, refuse_gradients
from .backward import backward
from .graph import Output
from .hooks import Handle, add_hook, is_keeper
from .mode import thread
from .ops import elementwise
from .reductions import Reductions
from .variable import Memory, Variable, data_of, make, parts, refuse_stale, restore

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Axis = int | tuple[int, ...] | None


class Tensor(Reductions):
    """An n-dimensional array of numbers with a gradient.

    Tensor(data) copies; see `tensor` for the arguments. Everything that NumPy computes of it is a Tensor again, and
    `backward()` fills the `grad` of every leaf with `requires_grad` that took part.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        if isinstance(data, (list, tuple)):
            refuse_gradients("tensor", data)
        fresh = make(type(self), as_array(data, dtype, copy=True))
        for name in Variable.__slots__[1:]:
            setattr(self, name, getattr(fresh, name))
        if thread.mode.watch is not None:
            thread.mode.watch.made(self, data)
        self.requires_grad = requires_grad

    # What it is.

    @property
    def data(self) -> NDArray[Any]:
        """The array itself. Writing to it is outside of the graph."""
        return self._shown("data")

    @data.setter
    def data(self, value: ArrayLike) -> None:
        self._shown("data")
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
        self._grading(reads=True)
        return self._grad  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (
            not isinstance(value, Tensor) or (value.shape, value.dtype) != (self.shape, self.dtype)
        ):
            got = f"{value.dtype}{list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"grad: takes None or a Tensor {self.dtype}{list(self.shape)}, got {got}")
        self._grading(reads=False)
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
            ones: Tensor = make(Tensor, np.ones(self.shape, self.dtype))
            gradient = ones
            if thread.mode.watch is not None:
                thread.mode.watch.made(ones, None)
        weights: Any = gradient
        if not isinstance(gradient, Tensor):
            weights = make(Tensor, as_array(gradient, None, False, "backward: gradient=", self.dtype))
        if weights.shape != self.shape:
            raise ValueError(f"backward: gradient= has shape {weights.shape}, the tensor has {self.shape}")
        if weights.dtype != self.dtype:
            weights = weights.astype(self.dtype)
        backward(self, weights, retain_graph, create_graph)

    def zero_grad(self) -> None:
        """Forget the gradient: `grad` is None again."""
        self._grading(reads=False)
        self._grad = None

    def retain_grad(self) -> None:
        """Keep the gradient here too, as leaves do. Raises RuntimeError where it requires none."""
        if not self._requires_grad:
            raise RuntimeError("retain_grad: this tensor requires no gradient")
        if self._node is None:
            return
        refuse_stale("retain_grad", self)
        node, index = (self._node.node, self._node.index) if isinstance(self._node, Output) else (self._node, 0)
        node.hooks = node.hooks or []
        if not any(is_keeper(each, self) for each in node.hooks):
            add_hook(node.hooks, (index, weakref.ref(self)))

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call a function with the gradient of this tensor whenever a backward has it complete; `remove()` ends that.

        Where the function returns a Tensor, of the same shape and dtype, it takes the place of the gradient. Several
        are called in order. A tensor that is changed in place later keeps its hooks for what it was.

        Raises RuntimeError where the tensor requires no gradient; the backward raises TypeError or ValueError where
        the function returns something else.
        """
        if not callable(hook):
            raise TypeError(f"register_hook: takes a function of the gradient, got {type(hook).__name__}")
        if not self._requires_grad:
            raise RuntimeError("register_hook: this tensor requires no gradient")
        refuse_stale("register_hook", self)
        if self._node is None:
            self._hooks = self._hooks or []
            return add_hook(self._hooks, (0, hook))
        node, index = (self._node.node, self._node.index) if isinstance(self._node, Output) else (self._node, 0)
        node.hooks = node.hooks or []
        return add_hook(node.hooks, (index, hook))

    def detach(self) -> Tensor:
        """The same array outside of the graph; they share memory."""
        detached: Tensor = make(self._result, self._data)
        detached._memory = self._memory
        return detached

    def clone(self) -> Tensor:
        """A copy that gradients flow through."""
        return elementwise.copy(self)

    def copy(self, order: str = "C") -> Tensor:
        """NumPy's name for `clone`."""
        return elementwise.copy(self, order)

    # Python's protocols.

    def item(self, *place: int) -> float | int | bool:
        """Its one element as a Python number, or that at a place. Raises ValueError where there are more."""
        return self._shown("item").item(*place) if place else self._only("item")  # type: ignore[no-any-return]

    def _only(self, asked: str) -> Any:
        if self.size != 1:
            raise ValueError(f"{asked}: a tensor of shape {self.shape} has {self.size} elements, not one")
        return self._shown(asked).item()

    def _grading(self, reads: bool) -> None:
        watch = thread.mode.watch
        if watch is not None:
            watch.grading(self, reads)

    def numpy(self) -> NDArray[Any]:
        """The array itself, outside of the graph; they share memory."""
        return self._shown("numpy()")

    def tolist(self) -> Any:
        """Its elements as nested lists of Python numbers."""
        return self._shown("tolist()").tolist()

    def __repr__(self) -> str:
        numbers = np.array2string(self._shown("its repr"), separator=", ", prefix="tensor(")
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
        return format(self._only("format"), spec)

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
        return parts(self[i] for i in range(len(self)))

    def __contains__(self, value: object) -> bool:
        return bool(np.any(self._shown("in") == data_of(value)))

    def __copy__(self) -> Tensor:
        if self._node is not None:
            raise RuntimeError("tensor: only leaves can be copied or pickled; use clone() or detach()")
        alias = self.detach()
        alias._requires_grad, alias._grad = self._requires_grad, self._grad
        return alias

    def __reduce__(self) -> Any:
        if self._node is not None:
            raise RuntimeError("tensor: only leaves can be copied or pickled; use clone() or detach()")
        return restore, (type(self), self._shown("a copy"), self._requires_grad, self._grad)

    __hash__ = object.__hash__


Tensor._result = Tensor
