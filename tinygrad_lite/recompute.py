"""checkpoint: less memory for more time, by computing again what the backward needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from .backward import Edge, Paths, edge_of, place_of, reach
from .graph import Node, Output, new_number
from .mode import Watch, recording, thread
from .op import Array, Op
from .transforms import alias, leaf_of, leaves, rebuild
from .variable import Memory, Variable, make, refuse_stale, variables_in

if TYPE_CHECKING:
    from .random import Generator

P = ParamSpec("P")
R = TypeVar("R")

SAMPLES = 64


def checkpoint(f: Callable[P, R]) -> Callable[P, R]:
    """The same function, of which the graph keeps the inputs only: the backward computes the rest again.

    All derivatives, of any order, and those of parameters that the function reads, are as without it. What the function
    draws from a Generator is drawn again, and does not move the stream. It must do the same both times: it may not
    change in place what it did not make, nor may what it reads be changed before the backward.

    Raises RuntimeError where it does; the backward raises it where the inputs, or another Tensor that the function
    reads, were changed in place since, and where the function returns something else than before.
    """
    if not callable(f):
        raise TypeError(f"checkpoint: takes a function, got {type(f).__name__}")

    @wraps(f)
    def checkpointed(*args: P.args, **keywords: P.kwargs) -> R:
        if not thread.mode.grad:
            return f(*args, **keywords)
        return Run(f, args, keywords).first()  # type: ignore[no-any-return]

    return checkpointed


class Notes(Watch):
    """Which memory a function reads, how often it had been written to then, and from which generators it draws."""

    def __init__(self) -> None:
        super().__init__()
        self.read: WeakKeyDictionary[Memory, int] = WeakKeyDictionary()  # what the function made itself goes with it
        self.drawn: dict[Generator, Any] = {}  # their states before

    def ran(self, op: Op, given: tuple[Any, ...], args: tuple[Any, ...], results: Any, outputs: Any) -> None:
        super().ran(op, given, args, results, outputs)
        for variable in variables_in(args):
            self.read.setdefault(variable._memory, variable._memory.writes)

    def draws(self, generator: Generator) -> None:
        super().draws(generator)
        if self.traces:
            self.asks("checkpoint() draws again from a generator", "draw")
        if generator not in self.drawn:
            self.drawn[generator] = generator.get_state()


class Run:
    """One call of a checkpointed function: what it takes to make it again."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.f, self.name = f, getattr(f, "__name__", "the function")
        self.values = [each for _, each in leaves((args, keywords))]
        self.tree = rebuild((args, keywords), iter(range(len(self.values))))  # its structure only
        self.places = [i for i, each in enumerate(self.values) if isinstance(each, Variable) and each._requires_grad]
        self.drawn: dict[Generator, Any] = {}
        self.captured: list[Edge] = []
        self.samples: list[Any] = []

    def call(self, inputs: Sequence[Variable]) -> Any:
        """What the function returns, recorded, for these in place of the inputs that require a gradient."""
        values = list(self.values)
        for i, each in zip(self.places, inputs, strict=True):
            values[i] = each
        args, keywords = rebuild(self.tree, iter(values))
        with recording(True):
            return self.f(*args, **keywords)

    def first(self) -> Any:
        """What the function returns, as the outputs of one node."""
        inputs = [self.values[i] for i in self.places]
        for i, each in zip(self.places, inputs, strict=True):
            refuse_stale("checkpoint", each)
            self.values[i] = None  # its array is kept by the node
        since, notes = new_number(), Notes()
        aliases = [leaf_of(each) for each in inputs]
        with notes:
            result = self.call(aliases)
        outputs = carriers(result)
        beyond = reach([edge_of(each) for each in outputs], since)[1]
        self.drawn, self.captured = notes.drawn, [edge for edge in beyond if edge not in set(aliases)]
        self.samples = [sample(each._data) for each in outputs]
        made = {each: make(each._result, array) for each, array in zip(outputs, apart(outputs, since), strict=True)}
        returned = [made.get(each, each) if isinstance(each, Variable) else each for _, each in leaves(result)]
        ours = {each._memory for _, each in leaves(result) if isinstance(each, Variable)}
        result = rebuild(result, iter(returned))
        results = list(made.values())
        del outputs, made, aliases  # and with them the graph, and what only the function knew
        read = [(memory, writes) for memory, writes in notes.read.items() if memory not in ours]
        if any(memory.writes != writes for memory, writes in read):
            raise RuntimeError(
                f"checkpoint: {self.name} changes a tensor in place that it did not make, "
                "and would change it again when it is computed again; do that outside of it"
            )
        if results:
            self.record(inputs, results, read)
        return result

    def record(self, inputs: list[Variable], results: list[Variable], read: list[tuple[Memory, int]]) -> None:
        """Make the node."""
        node = Node()
        node.op, node.number, node.hooks = operation(len(results)), new_number(), None
        node.plan = node.op.plan(0b11)
        node.edges = [tuple([edge_of(each) for each in inputs]), tuple(self.captured), None]
        node.saved = [[each._data for each in inputs], self]
        node.checks = [(0, i, each._memory, each._memory.writes) for i, each in enumerate(inputs)]
        node.checks += [(1, i, memory, writes) for i, (memory, writes) in enumerate(read)]
        node.arguments = (self.name,)
        node.shape, node.dtype = (results[0]._data.shape, results[0]._data.dtype) if len(results) == 1 else (None, None)
        for i, each in enumerate(results):
            each._node, each._requires_grad = node if len(results) == 1 else Output(node, i, each._data), True

    def again(self, g: Any, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The gradients of the inputs and of what was captured, by another run of the function."""
        recorded, since = thread.mode.grad, new_number()
        aliases = [alias(each) if recorded else leaf_of(each) for each in inputs]
        outputs = carriers(self.redrawn(aliases))
        samples = [sample(each._data) for each in outputs]
        if len(samples) != len(self.samples) or not all(map(alike, self.samples, samples)):
            raise RuntimeError(
                f"checkpoint: {self.name} returned something else when it was run again for the backward; does it read "
                "what has changed since, or random numbers that are no Generator's?"
            )
        paths = Paths([edge_of(each) for each in outputs], [*map(edge_of, aliases), *self.captured], since)
        cls, cotangents = outputs[0]._result, g if isinstance(g, tuple) else (g,)
        del outputs
        grads = paths.pull(cotangents, cls, recorded, recorded, hooks=False)
        return grads[: len(aliases)], grads[len(aliases) :]

    def redrawn(self, inputs: Sequence[Variable]) -> Any:
        """What the function returns when its generators draw what they drew the first time."""
        now = {}
        for generator, state in self.drawn.items():
            if thread.mode.watch is not None:
                thread.mode.watch.draws(generator)
            now[generator] = generator.get_state()
            generator.set_state(state)
        try:
            return self.call(inputs)
        finally:
            for generator, state in now.items():
                generator.set_state(state)


def _checkpoint(inputs: Sequence[Array], captured: Sequence[Array], run: Run) -> Array:
    raise NotImplementedError


_checkpoint.__annotations__.update(inputs="Sequence[ArrayLike]", captured="Sequence[ArrayLike]")


@cache
def operation(outputs: int) -> Op:
    """The operation whose node stands for a checkpointed function with so many outputs; it is in no table."""
    names = ("out",) if outputs == 1 else tuple([f"out{i}" for i in range(outputs)])
    return Op(_checkpoint, lambda g, inputs, run: run.again(g, inputs), outputs=names)


def carriers(result: Any) -> list[Variable]:
    """The different Tensors in a result that carry a gradient."""
    return list(dict.fromkeys(v for _, v in leaves(result) if isinstance(v, Variable) and v._requires_grad))


def apart(outputs: list[Variable], since: int) -> list[Any]:
    """The arrays of outputs; copied where they lie in the memory of each other, or of what was there before."""
    arrays, taken = [], set[Memory]()
    for each in outputs:
        root = each if each._base is None else each._base
        number, _ = place_of(edge_of(root))
        arrays.append(copied(each) if number < since or each._memory in taken else each._data)
        taken.add(each._memory)
    return arrays


def copied(variable: Variable) -> Any:
    """A copy of the array."""
    with recording(False):
        copy: Any = np.copy(variable)  # type: ignore[call-overload]
    return copy._data


def sample(array: Any) -> Any:
    """A few of the elements."""
    return array.flat[:: max(1, array.size // SAMPLES)] if array.size else array


def alike(one: Any, other: Any) -> bool:
    """Whether two samples are equal but for rounding."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    rounding = float(np.sqrt(np.finfo(one.dtype).eps))
    scale = float(np.abs(one[np.isfinite(one)]).max(initial=0.0))
    return np.allclose(one, other, rounding, rounding * scale, equal_nan=True)
