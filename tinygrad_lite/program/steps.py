"""What a recording is made of: values, and the steps that computed them, in the order in which they ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..op import Op
from ..variable import Variable


class JitError(RuntimeError):
    """What a function does can't be a program."""


@dataclass(eq=False)
class Value:
    """An array of the program, as it was when it was recorded.

    label: what the user calls it, where that is known. of: what it is the gradient of. base: whose memory it lies in,
    where it is a view.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    contiguous: bool = True  # in C order
    dense: bool = True  # in C order or Fortran's
    base: Value | None = None
    label: str | None = None
    of: Value | None = None

    @property
    def root(self) -> Value:
        """The value that owns the memory."""
        value = self
        while value.base is not None:
            value = value.base
        return value

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False)
class Step:
    """Something that was done. phase: in which part of the function. line: where in the user's code."""

    phase: str = field(default="", init=False)
    line: tuple[str, int] | None = field(default=None, init=False)


@dataclass(eq=False)
class Run(Step):
    """An operation: its arguments, with values in place of arrays, and its outputs, with the hidden ones."""

    op: Op
    args: tuple[Any, ...]
    outputs: tuple[Value, ...]


@dataclass(eq=False)
class SetItem(Step):
    """`target[index] = value`."""

    target: Value
    index: Any
    value: Any


@dataclass(eq=False)
class Write(Step):
    """A value copied to the memory of another."""

    target: Value
    value: Value


@dataclass(eq=False)
class Cast(Step):
    """A copy of an array, in the dtype of `output`. Without a source, of one that is always the same."""

    source: Value | np.ndarray[Any, Any]
    output: Value


@dataclass(eq=False)
class Draw(Step):
    """A draw of a generator."""

    generator: Any
    draw: Callable[..., Any]
    arguments: tuple[Any, ...]
    output: Value


@dataclass(eq=False)
class Read(Step):
    """A number that may be another one each time: an attribute of an object."""

    owner: Any
    attribute: str
    output: Value


@dataclass(eq=False)
class Captured:
    """A Tensor that the function knows from outside; whether its array is still the same is looked up each time."""

    tensor: Variable
    value: Value

    def __post_init__(self) -> None:
        self.requires_grad, self.node = self.tensor._requires_grad, self.tensor._node
        self.strides = self.tensor._data.strides


@dataclass(eq=False)
class Recording:
    """All that a function did.

    inputs: the arrays among its arguments, in their order. references: ndarrays from outside.
    grads_before: Tensors whose gradient was looked at, and what it was. grads_after: what it is in the end, where it
    was touched; None for none. result: what it returned, with values in place of Tensors. reads: the attributes that
    are read anew each time, as (id of the object, name).
    """

    inputs: list[Value] = field(default_factory=list)
    captured: list[Captured] = field(default_factory=list)
    references: list[tuple[Any, Value]] = field(default_factory=list)
    grads_before: list[tuple[Variable, Value | None]] = field(default_factory=list)
    grads_after: list[tuple[Variable, Value | None]] = field(default_factory=list)
    zeroed: list[tuple[Variable, int]] = field(default_factory=list)  # whose gradient was dropped, before which step
    steps: list[Step] = field(default_factory=list)
    reads: set[tuple[int, str]] = field(default_factory=set)
    checks: list[tuple[Callable[[], Any], Any]] = field(default_factory=list)  # what is looked up, and was found
    result: Any = None
    carries: list[bool] = field(default_factory=list)  # whether each Tensor of the result required a gradient


def values_in(arg: Any) -> Iterator[Value]:
    """The values in an argument or a result, however nested."""
    if isinstance(arg, Value):
        yield arg
    elif isinstance(arg, (list, tuple)):
        for each in arg:
            yield from values_in(each)
    elif isinstance(arg, dict):
        yield from values_in(list(arg.values()))
    elif isinstance(arg, slice):
        yield from values_in([arg.start, arg.stop, arg.step])


def replaced(arg: Any, new: dict[Value, Value]) -> Any:
    """An argument with other values in place of some."""
    if isinstance(arg, Value):
        return new.get(arg, arg)
    if isinstance(arg, (list, tuple)):
        return type(arg)([replaced(each, new) for each in arg])
    return arg
