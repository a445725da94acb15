"""What the graph knows of a tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from .mode import thread

V = TypeVar("V")

ndarray = np.ndarray
SMALL = 64  # elements of an array that is kept to be shown


class Memory:
    """What all tensors that share memory have in common: how often it was written to.

    The backward compares that with what it was when an array was kept.
    """

    writes = 0


class Family:
    """What a tensor and its views have in common: how often one of them was written to with a gradient.

    Each such write makes the nodes of all others stale.
    """

    recorded = 0


class Frozen(Family):
    """The family of a view that nothing may write to with a gradient, and that any write to its memory makes stale.

    As in torch, these are the parts of what was iterated over or unstacked, and views taken within no_grad().
    """

    def __init__(self, view: Variable) -> None:
        assert view._family is not None
        assert view._base is not None
        self.family, self.base, self.writes = view._family, view._base, view._memory.writes

    @property
    def recorded(self) -> int:  # type: ignore[override]
        """How often one of the family was written to; without a gradient, too, where the memory carries one."""
        carries = self.base._requires_grad or is_stale(self.base)  # then a view of it was written to with one
        return self.family.recorded + (self.base._memory.writes - self.writes if carries else 0)


class Variable:
    """An array and its place in the graph. `Tensor` adds all that a user sees."""

    __slots__ = (
        "__weakref__",
        "_base",  # the tensor that this one is a view of
        "_data",
        "_family",  # None as long as it has no views and is none
        "_grad",
        "_hooks",  # of a leaf; None without any
        "_memory",
        "_node",  # where it comes from; None for a leaf
        "_requires_grad",
        "_seen",  # _family.recorded when _node was set
    )
    _base: Variable | None
    _data: Any
    _family: Family | None
    _grad: Any
    _hooks: list[Any] | None
    _memory: Memory
    _node: Any
    _requires_grad: bool
    _seen: int

    _result: type[Variable]  # the class of what is computed from it


Variable._result = Variable


new = object.__new__


def make(cls: type[Variable], data: Any) -> Any:
    """A leaf of class `cls` around `data`, an ndarray or a NumPy scalar."""
    variable = new(cls)
    variable._data = data if data.__class__ is ndarray else np.asarray(data)
    variable._requires_grad = False
    variable._grad = variable._node = variable._base = variable._family = variable._hooks = None
    variable._memory = Memory()
    variable._seen = 0
    return variable


def restore(cls: type[Variable], data: Any, requires_grad: bool, grad: Any) -> Any:
    """A leaf as it was; what the pickle of one calls."""
    variable = make(cls, data)
    variable._requires_grad, variable._grad = requires_grad, grad
    return variable


def is_stale(variable: Variable) -> bool:
    """Whether its memory was written to, with a gradient, through another tensor: its own node is out of date."""
    return variable._family is not None and variable._seen != variable._family.recorded


def refuse_stale(what: str, variable: Variable) -> None:
    """Raise RuntimeError where a tensor is stale: its gradient would be that of an earlier value."""
    if is_stale(variable):
        raise RuntimeError(
            f"{what}: the tensor shares memory with one that was since written to, so its own gradient can't be "
            "followed; take the view again after the write, write to the tensor itself, or clone() before it"
        )


def shares_memory(view: Any, array: Any) -> bool:
    """Whether `view`, which was made of `array`, lies in its memory."""
    return view.base is array or owner(view) is owner(array)


def owner(array: Any) -> Any:
    """What is at the end of a chain of views, whose memory it is: an array, or what one was made of."""
    while (base := getattr(array, "base", None)) is not None:  # as_strided puts an object between two arrays
        array = base
    return array


def share(source: Variable, view: Variable) -> None:
    """Tell that `view` lies in the memory of `source`."""
    if source._family is None:
        source._family = Family()
    view._memory, view._family, view._seen = source._memory, source._family, source._seen
    view._base = source if source._base is None else source._base
    if not thread.mode.grad:
        freeze(view)


def freeze(view: Variable) -> None:
    """Let no write with a gradient go to a view."""
    if not isinstance(view._family, Frozen):
        view._family = Frozen(view)


def parts(views: Iterable[V]) -> Iterator[V]:
    """The views that a Tensor is taken apart into."""
    for view in views:
        if isinstance(view, Variable) and view._base is not None:
            freeze(view)
        yield view


def variables_in(arg: Any) -> Iterator[Variable]:
    """The Tensors in an argument, however nested in lists and tuples."""
    if isinstance(arg, Variable):
        yield arg
    elif isinstance(arg, (list, tuple)):
        for each in arg:
            yield from variables_in(each)


def data_of(arg: Any) -> Any:
    """The argument with its array in place of each Tensor, however nested."""
    if isinstance(arg, Variable):
        return arg._data
    if isinstance(arg, list):
        return [data_of(each) for each in arg]
    return tuple([data_of(each) for each in arg]) if isinstance(arg, tuple) else arg


def owned(value: Any) -> Any:
    """The value with every ndarray copied: nobody would notice if the caller wrote to his own."""
    if isinstance(value, ndarray):
        return value.copy()
    if isinstance(value, list):
        return [owned(each) for each in value]
    return tuple([owned(each) for each in value]) if isinstance(value, tuple) else value


class Seen(ref[Any]):
    """An array that is not kept alive: a reference to it, and what it was like."""

    __slots__ = ("dtype", "shape")

    def __init__(self, array: Any) -> None:
        self.shape, self.dtype = array.shape, array.dtype


def noted(value: Any) -> Any:
    """What the graph remembers of a constant, to show it: the value, but of a large array only what it was like."""
    if isinstance(value, Variable):
        value = value._data
    if value.__class__ is ndarray:
        return value if value.size <= SMALL else Seen(value)
    if isinstance(value, (list, tuple)):
        carry = [isinstance(each, Variable) and each._requires_grad for each in value]
        parts = [None if carries else noted(each) for each, carries in zip(value, carry, strict=True)]
        return parts if isinstance(value, list) else tuple(parts)  # as indices they are not the same
    return value
