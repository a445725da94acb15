"""Recording: one call of a function, watched from beginning to end."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from ..anomaly import caller, place
from ..graph import Node, Output
from ..mode import Watch, thread
from ..naming import names_in, users_frames
from ..op import ONE, PLAIN, SEQUENCE, Op, Rule
from ..random import Generator
from ..tensor import Tensor
from ..transforms import leaves, rebuild
from ..variable import Variable, data_of, make, ndarray, shares_memory
from .asked import PLAIN as PLAIN_VALUES
from .sealed import sealed
from .steps import Captured, Cast, Draw, JitError, Read, Recording, Run, SetItem, Step, Value, Write, values_in

FROM_DATA = {"nonzero", "flatnonzero", "argwhere", "unique", "extract", "compress"}  # whose shape depends on numbers
WRITTEN = (
    "jit: a Tensor from outside was written to with a gradient, or requires_grad was set; "
    "do that outside of the function, or write within no_grad()"
)


class Recorder(Watch):
    """Writes down all that a thread does with Tensors.

    inputs: the Tensors among the arguments. keep: whether to keep a copy of each array as it was when it was made.
    """

    def __init__(self, inputs: list[Variable], keep: bool = False) -> None:
        super().__init__()
        self.traces = True
        self.recording = Recording()
        self.values: dict[int, Value] = {}  # by the id of an array
        self.arrays: dict[Value, Any] = {}  # all that were named: alive, so that no id is given again
        self.own: set[Value | None] = set()  # those that steps make
        self.copies: dict[Value, Any] | None = {} if keep else None
        self.nodes: dict[Node | tuple[Node, int], Value] = {}  # whose output is which value
        self.known: set[Variable] = set(inputs)  # and Tensors from outside
        self.graded: dict[Variable, Variable | None] = {}  # what the `_grad` of a Tensor was at first
        self.walking = self.walked = 0
        self.scanned: tuple[int, int, int] | None = None  # frame, line, and how many Tensors from outside were met
        for each in inputs:
            known = self.values.get(id(each._data))
            self.recording.inputs.append(self.name(each._data, "x") if known is None else known)
            if each._node is not None and each._requires_grad and thread.mode.grad:
                raise JitError(
                    "jit: an argument is the result of operations outside, to which no gradient can flow; "
                    "pass x.detach(), or compute it inside of the function"
                )

    def name(self, array: Any, letter: str) -> Value:
        """A new value."""
        flags = array.flags
        value = Value(f"{letter}{len(self.arrays)}", array.shape, array.dtype, flags.c_contiguous, flags.forc)
        self.values[id(array)] = value
        self.arrays[value] = array
        if self.copies is not None:
            self.copies[value] = array.copy()
        return value

    def new(self, array: Any) -> Value:
        """The value of what a step makes."""
        value = self.name(array, "v")
        self.own.add(value)
        return value

    def value_of(self, given: Any) -> Any:
        """The value of a Tensor or ndarray, known or met for the first time; all else as it is."""
        if isinstance(given, (list, tuple)):
            parts = [self.value_of(each) for each in given]
            return parts if isinstance(given, list) else tuple(parts)
        if not isinstance(given, (Variable, ndarray)):
            return given
        array = data_of(given)
        known = self.values.get(id(array))
        if known is not None:
            return known
        if isinstance(given, Variable):
            if given._node is not None and given._requires_grad and thread.mode.grad:
                raise JitError(
                    "jit: a Tensor from outside is the result of operations there, to which no gradient can flow; "
                    f"detach() it, or compute it inside of the function; {place(caller())}"
                )
            value = self.name(array, "p")
            self.recording.captured.append(Captured(given, value))
            self.known.add(given)
        else:
            value = self.name(array, "a")
            self.recording.references.append((given, value))
        return value

    def add(self, step: Step) -> None:
        """Enter a step, with what the user's code says of it."""
        frame = next(users_frames(), None)
        if frame is not None:
            step.line = frame.f_code.co_filename, frame.f_lineno
            now = id(frame), frame.f_lineno, len(self.recording.captured)
            if now != self.scanned:
                self.scanned = now
                self.scan(frame)
        step.phase = "backward" if self.walking else "update" if self.walked and not thread.mode.grad else "forward"
        self.recording.steps.append(step)

    def scan(self, frame: FrameType) -> None:
        """Learn from a frame what the user calls the values that are known by now."""
        for name, variable in names_in(frame, (Variable,)):
            value = self.values.get(id(variable._data))
            if value is not None and value.label is None and value.of is None:
                value.label = name

    # What is seen.

    def ran(self, op: Op, given: tuple[Any, ...], args: tuple[Any, ...], results: Any, outputs: Any) -> None:
        super().ran(op, given, args, results, outputs)
        if op.name in FROM_DATA:
            raise JitError(f"jit: {op.name}: the shape of the result depends on the numbers; {place(caller())}")
        for i, kind in enumerate(op.kinds):
            pairs = zip(given[i], args[i], strict=True) if kind is SEQUENCE else [(given[i], args[i])]
            if kind in (ONE, SEQUENCE):
                for before, after in pairs:
                    self.cast(before, after)
        if op.name == "setitem" and results is args[0]:
            target, value, index = args
            if id(target._data) not in self.values and target._node is not None:
                raise JitError(WRITTEN)
            self.add(SetItem(self.value_of(target), self.value_of(index), self.value_of(value)))
            return
        read = tuple(
            [each if kind is PLAIN else self.value_of(each) for each, kind in zip(args, op.kinds, strict=True)]
        )
        for each, kind in zip(args, op.kinds, strict=True):
            if kind is PLAIN:
                self.folds(each)
        if op.name == "getitem" and self.is_mask(args[1]):
            raise JitError(
                f"jit: {op.name}: the shape of what a mask reads depends on the numbers; write np.where(mask, x, 0), "
                f"or assign to x[mask]; {place(caller())}"
            )
        several = len(op.outputs) > 1
        arrays = list(outputs) if several else [results._data]
        shown = results if op.visible > 1 else (results,)
        if several:  # what is visible is in Tensors, whose arrays are those that others read
            arrays[: len(shown)] = [each._data for each in shown]
        sources = [each for each in values_in(read) if any(shares_memory(a, self.arrays[each]) for a in arrays)]
        named = tuple([self.new(array) for array in arrays])
        for value in named:
            value.base = sources[0] if sources else None
        for value, each in zip(named, shown, strict=False):
            if isinstance(each._node, Output):
                self.nodes[each._node.node, each._node.index] = value
            elif each._node is not None:
                self.nodes[each._node] = value
        self.add(Run(op, read, named))

    def is_mask(self, index: Any) -> bool:
        """Whether an index has a mask in it that the function computes. One from outside is taken as it is now."""
        masks = [
            each for each in (index if isinstance(index, tuple) else (index,)) if data_of(each).__class__ is ndarray
        ]
        masks = [each for each in masks if data_of(each).dtype == bool]
        known = {id(array) for array, _ in self.recording.references}
        if any(isinstance(each, Variable) or (id(each) in self.values and id(each) not in known) for each in masks):
            return True
        self.folds(masks)
        return False

    def cast(self, before: Any, after: Any) -> None:
        """An ndarray that was copied, or brought to the dtype of the others."""
        if isinstance(before, ndarray) and after is not before and isinstance(after, ndarray):
            source = self.value_of(before)
            self.add(Cast(source, self.new(after)))

    def took(self, given: Any, taken: Any) -> None:
        if isinstance(given, ndarray) and isinstance(taken, (Variable, ndarray)):
            self.cast(given, data_of(taken))

    def wrote(self, target: Variable, value: Variable) -> None:
        self.add(Write(self.value_of(target), self.value_of(value)))

    def made(self, tensor: Variable, source: Any) -> None:
        if isinstance(source, Variable):
            self.asks("tensor() asks for numbers")
        template = self.value_of(source) if isinstance(source, ndarray) else tensor._data.copy("K")
        self.add(Cast(template, self.new(tensor._data)))

    def drew(self, generator: Generator, draw: Callable[..., Any], arguments: tuple[Any, ...], drawn: Variable) -> None:
        self.add(Draw(generator, draw, arguments, self.new(drawn._data)))

    def reads(self, owner: Any, name: str, dtype: Any) -> Tensor:
        tensor: Tensor = make(Tensor, np.array(getattr(owner, name), dtype))
        self.add(Read(owner, name, self.new(tensor._data)))
        if (id(owner), name) not in self.recording.reads:  # where it is 0, it may be left out
            self.recording.reads.add((id(owner), name))
            self.recording.checks.append(((lambda: bool(getattr(owner, name))), bool(getattr(owner, name))))
        return tensor

    def folds(self, value: Any) -> None:
        if isinstance(value, ndarray):
            self.recording.checks.append((value.tobytes, value.tobytes()))
        elif isinstance(value, (list, tuple)):
            for each in value:
                self.folds(each)

    def meets(self, variable: Variable) -> None:
        self.value_of(variable)

    def grading(self, variable: Variable, reads: bool) -> None:
        if self.is_local(variable):  # and so is its gradient
            return
        if not reads:
            self.recording.zeroed.append((variable, len(self.recording.steps)))
        if variable in self.graded:
            return
        grad = variable._grad
        self.graded[variable] = grad
        if reads:
            known = None if grad is None else self.name(grad._data, "g")
            self.recording.grads_before.append((variable, known))

    def is_local(self, variable: Variable) -> bool:
        """Whether a Tensor was made here, with what was computed here."""
        return self.values.get(id(variable._data)) in self.own and variable not in self.known

    def walks(self, begins: bool) -> None:
        self.walking += 1 if begins else -1
        self.walked = True

    def pull(self, node: Node, target: int | tuple[int, ...], rule: Rule, g: Any, reads: list[Any]) -> Any:
        grads = super().pull(node, target, rule, g, reads)
        pairs = zip(target, grads, strict=True) if isinstance(target, tuple) else [(target, grads)]
        for i, grad in pairs:
            edge = node.edges[i] if node.edges else None
            if isinstance(grad, Variable) and not isinstance(edge, tuple):
                value, source = self.values.get(id(grad._data)), self.at(edge)
                if value is not None and value.base is None and value.of is None:
                    value.of = source
        return grads

    def at(self, edge: Any) -> Value | None:
        """The value whose gradient goes where an edge leads."""
        if isinstance(edge, Variable):
            return self.values.get(id(edge._data))
        return self.nodes.get((edge.node, edge.index) if isinstance(edge, Output) else edge)

    def asks(self, what: str, way: str = "compute with Tensors, or do it") -> None:
        raise JitError(
            f"jit: {what} while the function is recorded, where they would become constants; "
            f"{way} outside of the function; {place(caller())}"
        )

    # What is left in the end.

    def finish(self, result: Any) -> Recording:
        """The recording, with what was returned and what gradients were left."""
        for each in self.recording.captured:
            if each.tensor._node is not each.node or each.tensor._requires_grad is not each.requires_grad:
                raise JitError(WRITTEN)
        for variable in self.graded:
            grad = variable._grad
            value = None if grad is None else self.value_of(grad)
            self.recording.grads_after.append((variable, value))
            if value is not None:
                value.of = self.values.get(id(variable._data))
        self.recording.result = result
        return self.recording


def watched(
    function: Callable[..., Any], tree: Any, parts: list[Any], keep: bool = False
) -> tuple[Recorder, Recording, Any, list[Variable]]:
    """Call a function with the parts of a tree of arguments (args, keywords), watched.

    Returns the recorder, the recording, what the function returned, detached and copied, and the Tensors that it was
    given. Those that require no gradient are stand-ins in the same memory: what the function knows of them from outside
    is then told apart.
    """
    given = [stand_in(each) if isinstance(each, Variable) and not each._requires_grad else each for each in parts]
    inputs = [each for each in given if isinstance(each, Variable)]
    args, keywords = rebuild(tree, iter(given))
    recorder = Recorder(inputs, keep)
    with recorder:
        result = function(*args, **keywords)
    found = [each for _, each in leaves(result)]
    for each in [*found, *containers(result)]:
        if not isinstance(each, (Variable, *PLAIN_VALUES)) and type(each) not in (list, tuple, dict):
            raise JitError(
                f"jit: the function returns a {type(each).__name__}; return Tensors, Python's numbers and strings, or "
                "lists, tuples and dicts of them"
            )
    values = [recorder.value_of(each) if isinstance(each, Variable) else each for each in found]
    recording = recorder.finish(rebuild(result, iter(values)))
    outside = [*inputs, *[each.tensor for each in recording.captured]]
    depends = tuple([each for each in outside if each._requires_grad])
    own = []
    for each in found:
        if isinstance(each, Variable):
            recording.carries.append(each._requires_grad)
            copied: Variable = make(Tensor, np.copy(each._data))
            each = sealed(copied, depends) if each._requires_grad else copied
        own.append(each)
    return recorder, recording, rebuild(result, iter(own)), inputs


def containers(tree: Any) -> list[Any]:
    """All lists, tuples and dicts in a result, but for named tuples."""
    if not isinstance(tree, (list, tuple, dict)):
        return []
    inner = [each for part in (tree.values() if isinstance(tree, dict) else tree) for each in containers(part)]
    return inner if hasattr(tree, "_fields") else [tree, *inner]


def stand_in(variable: Variable) -> Variable:
    """Another Tensor in the same memory."""
    other: Variable = make(variable._result, variable._data.view())
    other._memory = variable._memory
    return other
