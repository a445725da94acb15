"""What each thread has for itself: whether it records, and who watches it."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

    from .graph import Node
    from .op import Op, Rule
    from .random import Generator
    from .variable import Variable

P = ParamSpec("P")
R = TypeVar("R")


class Mode:
    """How a thread runs operations. It is looked up once per operation."""

    __slots__ = ("before", "grad", "watch")

    def __init__(self) -> None:
        self.grad = True  # whether operations are recorded
        self.before: list[bool] = []  # `grad` outside of each no_grad
        self.watch: Watch | None = None


class Thread(threading.local):
    """Holds the mode of each thread."""

    def __init__(self) -> None:
        self.mode = Mode()


thread = Thread()


class Watch:
    """Sees all that a thread does with Tensors. This one only tells the watch that was there before.

    traces: whether the rules of a backward are run on Tensors, so that it sees what they do, too.
    """

    def __init__(self) -> None:
        self.outer = thread.mode.watch
        self.traces: bool = self.outer is not None and self.outer.traces

    def __enter__(self) -> None:
        thread.mode.watch = self

    def __exit__(self, *error: object) -> None:
        thread.mode.watch = self.outer

    def ran(self, op: Op, given: tuple[Any, ...], args: tuple[Any, ...], results: Any, outputs: Any) -> None:
        """An operation was run, and recorded where that was due.

        given, args: its arguments, one at least a Tensor, before and after they were brought to one dtype.
        results, outputs: Tensors of what is visible, and the arrays of all outputs.
        """
        if self.outer is not None:
            self.outer.ran(op, given, args, results, outputs)

    def took(self, given: Any, taken: Any) -> None:
        """A Tensor was made of an operand, in the dtype that the others have; or a copy, for a rule to read."""
        if self.outer is not None:
            self.outer.took(given, taken)

    def wrote(self, target: Variable, value: Variable) -> None:
        """A value was copied into the memory of a Tensor."""
        if self.outer is not None:
            self.outer.wrote(target, value)

    def made(self, tensor: Variable, source: Any) -> None:
        """A Tensor was made of data, of a copy of an array or a Tensor, or of nothing but numbers."""
        if self.outer is not None:
            self.outer.made(tensor, source)

    def meets(self, variable: Variable) -> None:
        """Another Tensor is about to be made of the array of this one."""
        if self.outer is not None:
            self.outer.meets(variable)

    def grading(self, variable: Variable, reads: bool) -> None:
        """The `_grad` of a Tensor is about to be read, or replaced."""
        if self.outer is not None:
            self.outer.grading(variable, reads)

    def asks(self, what: str, way: str = "compute with Tensors, or do it") -> None:
        """Numbers are about to leave a Tensor, or a generator is about to be looked at or seeded.

        what: that, in words. way: what to do outside of the function.
        """
        if self.outer is not None:
            self.outer.asks(what, way)

    def folds(self, value: Any) -> None:
        """An argument is taken as it is now, such as an array of one element as a number."""
        if self.outer is not None:
            self.outer.folds(value)

    def reads(self, owner: Any, name: str, dtype: Any) -> Any:
        """A number that may be another one each time, an attribute of `owner`, as an array or a Tensor."""
        if self.outer is not None:
            return self.outer.reads(owner, name, dtype)
        return np.array(getattr(owner, name), dtype)

    def walks(self, begins: bool) -> None:
        """A backward begins, or ends."""
        if self.outer is not None:
            self.outer.walks(begins)

    def pull(self, node: Node, target: int | tuple[int, ...], rule: Rule, g: Any, reads: list[Any]) -> Any:
        """Run the rule of a node for the input(s) at `target`."""
        return rule(g, *reads) if self.outer is None else self.outer.pull(node, target, rule, g, reads)

    def draws(self, generator: Generator) -> None:
        """A generator is about to draw numbers."""
        if self.outer is not None:
            self.outer.draws(generator)

    def drew(self, generator: Generator, draw: Callable[..., Any], arguments: tuple[Any, ...], drawn: Variable) -> None:
        """A generator has drawn: `draw(its source, *arguments)`."""
        if self.outer is not None:
            self.outer.drew(generator, draw, arguments, drawn)


def traces() -> bool:
    """Whether this thread writes down what the rules of a backward do."""
    watch = thread.mode.watch
    return watch is not None and watch.traces


class recording:
    """Within it, this thread records, or does not."""

    __slots__ = ("before", "grad")

    def __init__(self, grad: bool) -> None:
        self.grad = grad

    def __enter__(self) -> None:
        mode = thread.mode
        self.before, mode.grad = mode.grad, self.grad

    def __exit__(self, *error: object) -> None:
        thread.mode.grad = self.before


class no_grad:
    """Within it, this thread records nothing: `with no_grad(): ...`, or `@no_grad()` above a function."""

    def __init__(self, *misused: object) -> None:
        if misused:
            raise TypeError("no_grad: takes no arguments; a decorator is written @no_grad(), with parentheses")

    def __enter__(self) -> None:
        mode = thread.mode
        mode.before.append(mode.grad)
        mode.grad = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        mode = thread.mode
        mode.grad = mode.before.pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            raise TypeError("no_grad: can't decorate a generator or coroutine; write `with no_grad():` inside it")

        @wraps(function)
        def without_grad(*args: P.args, **keywords: P.kwargs) -> R:
            with no_grad():
                return function(*args, **keywords)

        return without_grad
