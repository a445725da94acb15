"""What each thread has for itself: whether it records, and who watches it."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

    from .graph import Node
    from .op import Op, Rule
    from .random import Generator

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
    """Sees all that a thread does with Tensors. This one only tells the watch that was there before."""

    def __init__(self) -> None:
        self.outer = thread.mode.watch

    def __enter__(self) -> None:
        thread.mode.watch = self

    def __exit__(self, *error: object) -> None:
        thread.mode.watch = self.outer

    def ran(self, op: Op, args: tuple[Any, ...], results: Any) -> None:
        """An operation was run on `args`, of which one at least is a Tensor, and recorded where that was due."""
        if self.outer is not None:
            self.outer.ran(op, args, results)

    def pull(self, node: Node, target: int | tuple[int, ...], rule: Rule, g: Any, reads: list[Any]) -> Any:
        """Run the rule of a node for the input(s) at `target`."""
        return rule(g, *reads) if self.outer is None else self.outer.pull(node, target, rule, g, reads)

    def draws(self, generator: Generator) -> None:
        """A generator is about to draw numbers."""
        if self.outer is not None:
            self.outer.draws(generator)


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
