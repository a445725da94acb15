"""A recording that is ready to run in place of the function."""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..transforms import leaves, rebuild
from ..variable import Variable, make
from .code import Code
from .emit import Emitter
from .guards import Surroundings
from .lower import Lower
from .memory import padded
from .passes import optimised
from .sealed import sealed
from .steps import Captured, Draw, Recording, Value, values_in


class Replay:
    """The program of a recording, for the memory that the captured Tensors have now.

    inputs: the Tensors that it was recorded with; only their places are kept. without: passes to leave out.
    lends: whether results, too, may lie in memory that the next run overwrites.
    """

    def __init__(
        self,
        recording: Recording,
        inputs: list[Variable],
        surroundings: Surroundings,
        without: frozenset[str] = frozenset(),
        lends: bool = False,
        title: str = "step",
    ) -> None:
        self.recording, self.surroundings, self.without, self.title = recording, surroundings, without, title
        self.lends = lends
        places = {id(each): i for i, each in enumerate(inputs)}
        self.before = [(places.get(id(v), v), value) for v, value in recording.grads_before]
        self.after = [(places.get(id(v), v), value) for v, value in recording.grads_after]
        self.zeroed = [(v, step) for v, step in recording.zeroed if id(v) not in places]
        recording.grads_before, recording.grads_after, recording.zeroed = [], [], []  # they would keep inputs alive
        self.graded = tuple([each.tensor for each in recording.captured if each.requires_grad])
        self.graded_inputs = [i for i, each in enumerate(inputs) if each._requires_grad]
        self.tensors = {each.value: each for each in recording.captured}
        self.generators = list({id(s.generator): s.generator for s in recording.steps if isinstance(s, Draw)}.values())
        self.bind()

    def bind(self, moves: bool = True) -> None:
        """Write the program. moves: whether memory may be moved."""
        recording = self.recording
        for name in ("known", "source", "replay"):  # they hold arrays, and so would keep them from being moved
            self.__dict__.pop(name, None)
        results = list(values_in(recording.result))
        grads = [value for _, value in self.after if value is not None]
        given = [*recording.inputs, *[value for _, value in self.before if value is not None]]
        outside = {*given, *self.tensors, *[value for _, value in recording.references]}
        lines = Lower(recording).lines
        self.count_before = len(lines)
        code = Code(lines, [] if self.lends else results, results + grads if self.lends else grads, outside)
        code.given = set(given)
        code.movable = {value for value, each in self.tensors.items() if moves and may_move(each)}
        self.code = code = optimised(code, self.without)
        arrays: dict[Value, Any] = {}
        for whole, parts in code.flat.items():
            if parts[0] in self.tensors:
                arrays[whole] = side_by_side([self.tensors[part].tensor for part in parts])
                if arrays[whole] is None:
                    return self.bind(moves=False)
        arrays |= {value: each.tensor._data for value, each in self.tensors.items()}
        arrays |= {value: array for array, value in recording.references}
        used = {value for line in code.lines for value in (*line.values, *line.effects)} | set(code.found)
        unique = list(dict.fromkeys(given))
        self.given = [given.index(value) for value in unique]
        self.takes_all = len(unique) == len(given)
        self.source = Emitter(code, self.title, unique, {v: a for v, a in arrays.items() if v in used}).source
        self.known = known(recording.captured)
        written = code.written | {part for whole, parts in code.flat.items() if whole in code.written for part in parts}
        self.written = [each.tensor._memory for each in recording.captured if each.value.root in written]
        self.written_inputs = [i for i, value in enumerate(recording.inputs) if value.root in written]
        self.results = len(results)
        made = {value for each in self.source.body for value in each.line.made if value not in code.buffers}
        roots = [value.root for value in code.found]
        lent = [self.lends and i < len(results) for i in range(len(roots))]
        self.in_buffers = [i for i in range(len(results)) if roots[i] in code.buffers]
        self.fresh = [
            lent[i] or (value in made and value.base is None and roots.count(value) == 1)
            for i, value in enumerate(code.found)
        ]
        self.returned = list(zip(self.fresh, recording.carries, strict=False))  # gradients follow
        self.leaving = self.ways(code, roots)
        self.build()
        return None

    def ways(self, code: Code, roots: list[Value]) -> list[tuple[Any, int, str]]:
        """How each Tensor is left its gradient: whose it is, its place among what is found, and the way."""
        ways, place = [], self.results
        lends = all(value is None for _, value in self.before)  # else a gradient that is read may lie in such a buffer
        for whose, value in self.after:
            if value is None:
                ways.append((whose, 0, "none"))
                continue
            now = code.found[place]
            if any(w is whose and v is value for w, v in self.before):
                way = "added to"  # in place
            elif lends and now in code.buffers and roots.count(now) == 1 and not isinstance(whose, int):
                way = "lent"
            else:
                way = "given" if self.fresh[place] else "copied"
            ways.append((whose, place, way))
            place += 1
        return ways

    def build(self) -> None:
        """Take new buffers."""
        self.replay: Callable[..., tuple[Any, ...]] = self.source.build()
        self.loans: dict[int, Variable] = {}  # by place: the gradients that lie in buffers
        self.lend_to: list[tuple[Any, Variable]] = []  # those, and whose they are
        self.memory: list[Any] = []  # theirs
        self.counts: tuple[int, ...] = ()  # how many references there are to both
        self.latest: list[Any] = []  # what was lent with the last results
        self.lends_alone = False  # whether all that is left are those gradients, which are there by now

    def fits(self, inputs: list[Variable]) -> bool:
        """Whether all that the function knows from outside is as it was, and the arguments have no hooks."""
        for each in inputs:
            if each._hooks:
                return False
        for whose, value in self.before:
            if isinstance(whose, int) and not goes_on(inputs[whose]._grad, value):
                return False
        return self.lasts()

    def lasts(self) -> bool:
        """Whether all that the function knows from outside, but for arguments, is as it was."""
        for whose, value in self.before:
            if not isinstance(whose, int) and not goes_on(whose._grad, value):
                return False
        if not self.known():
            if not all(map(is_alike, self.recording.captured)) or not self.are_tied():
                return False
            self.bind()
        for look, found in self.recording.checks:
            if look() != found:
                return False
        return self.surroundings.hold()

    def are_tied(self) -> bool:
        """Whether Tensors that had one array still have."""
        arrays: dict[Value, Any] = {}
        captured = self.recording.captured
        return all(arrays.setdefault(each.value, each.tensor._data) is each.tensor._data for each in captured)

    def arrays_of(self, inputs: list[Variable]) -> list[Any]:
        """The arrays that the program takes: those of the arguments, and gradients that are there before."""
        given = [each._data for each in inputs]
        for whose, value in self.before:
            if value is not None:
                given.append((inputs[whose] if isinstance(whose, int) else whose)._grad._data)
        return given if self.takes_all else [given[i] for i in self.given]

    def run(self, inputs: list[Variable]) -> Any:
        """What the function would do, and return."""
        if self.counts and self.references() != self.counts:  # somebody has one, or a part of its memory
            self.build()
        given = self.arrays_of(inputs)
        if self.lends:
            given = [self.unlent(each) for each in given]
        try:
            found = self.replay(*given)
        except Exception as error:
            self.fail(error, inputs)
            raise
        if self.lends:
            self.latest = [found[i] for i in self.in_buffers]
        for memory in self.written:
            memory.writes += 1
        for i in self.written_inputs:
            inputs[i]._memory.writes += 1
        if self.lends_alone:
            for tensor, grad in self.lend_to:
                tensor._grad = grad
        else:
            self.leave(found, inputs)
        depends = (*[inputs[i] for i in self.graded_inputs], *self.graded) if self.graded_inputs else self.graded
        results = []
        for i, (is_fresh, carries) in enumerate(self.returned):
            result = make(Tensor, found[i] if is_fresh else np.copy(found[i]))
            results.append(sealed(result, depends) if carries else result)
        del found
        if not self.lends_alone and self.loans:
            self.count()
        result = self.recording.result
        if result.__class__ is Value:
            return results[0]
        filling = iter(results)
        return rebuild(result, iter([next(filling) if isinstance(v, Value) else v for _, v in leaves(result)]))

    def unlent(self, array: Any) -> Any:
        """An array that the program may take: a copy, where it lies in a buffer of the last results."""
        return np.copy(array) if any(np.shares_memory(array, lent) for lent in self.latest) else array

    def fail(self, error: Exception, inputs: list[Variable]) -> None:
        """Leave the gradients as the function would that fails at the same place."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != "<jit>":
            trace = trace.tb_next
        if trace is None:
            return
        line = self.source.text().splitlines()[trace.tb_lineno - 1].strip()
        failed = next((each.line.step for each in self.source.body if each.wrote(line)), -1)
        walked = [i for i, each in enumerate(self.recording.steps) if each.phase == "backward"]
        if not walked or failed <= walked[-1]:
            for tensor, step in self.zeroed:
                if step <= failed:
                    tensor._grad = None
        else:
            known = trace.tb_frame.f_locals
            self.leave(tuple([known.get(name) for name in self.source.results]), inputs)
            self.build()  # the buffers are theirs now
        for memory in self.written:
            memory.writes += 1

    def leave(self, found: tuple[Any, ...], inputs: list[Variable]) -> None:
        """Let each Tensor have its gradient, as the function does."""
        for whose, place, way in self.leaving:
            tensor = inputs[whose] if whose.__class__ is int else whose
            if way == "lent":
                if place not in self.loans:
                    self.loans[place] = make(Tensor, found[place])
                tensor._grad = self.loans[place]
            elif way == "none":
                tensor._grad = None
            elif way != "added to":
                tensor._grad = make(Tensor, found[place] if way == "given" else np.copy(found[place]))

    def count(self) -> None:
        """Note how many references there are to the gradients that lie in buffers, while nobody has looked at them."""
        if self.counts:
            return
        whose = {place: whose for whose, place, way in self.leaving if way == "lent"}
        self.lend_to = [(whose[place], grad) for place, grad in self.loans.items()]
        self.lends_alone = len(self.loans) == len(self.leaving)
        arrays = [grad._data for _, grad in self.lend_to]
        bases = {id(each.base): each.base for each in arrays if each.base is not None}
        self.memory = [*arrays, *bases.values()]
        del arrays, bases
        self.references = references(self.lend_to, self.memory)
        self.counts = self.references()


class Flat(np.ndarray):
    """The memory in which parameters lie side by side."""


SOLE: Variable = make(Tensor, np.empty(1))
ALONE = getrefcount(SOLE._data)  # how many references are counted where a Tensor alone has its array


def may_move(captured: Captured) -> bool:
    """Whether the array of a Tensor may be put elsewhere, or is there: nobody else has it, nor a view of it."""
    tensor = captured.tensor
    alone = isinstance(tensor._data.base, Flat) or is_alone(tensor)
    return alone and tensor._base is None and tensor._data.flags.c_contiguous and tensor._data.flags.writeable


def is_alone(tensor: Variable) -> bool:
    """Whether nobody but a Tensor has its array, nor the memory of that."""
    if getrefcount(tensor._data) > ALONE:
        return False
    if tensor._data.base is None:
        return True
    is_owner = isinstance(tensor._data.base, np.ndarray) and tensor._data.base.base is None
    return is_owner and getrefcount(tensor._data.base) == ALONE


def side_by_side(tensors: list[Variable]) -> Any:
    """One array with all Tensors in it, one after another: they are moved there. None where they may not be."""
    first = tensors[0]._data
    sizes = [padded(each._data.shape, first.dtype) for each in tensors]
    starts = [sum(sizes[:i]) * first.itemsize for i in range(len(sizes))]
    whole = first.base
    if isinstance(whole, Flat) and whole.size == sum(sizes):
        begin = whole.__array_interface__["data"][0]
        places = [each._data.__array_interface__["data"][0] - begin for each in tensors]
        if places == starts and all(each._data.base is whole for each in tensors):
            return whole.view(np.ndarray)
    del first, whole
    if not all(map(is_alone, tensors)):
        return None
    dtype = tensors[0]._data.dtype
    size = sum(sizes) * dtype.itemsize
    memory = bytearray(size + 64)
    begin = np.frombuffer(memory, np.uint8).__array_interface__["data"][0]
    whole = Flat(sum(sizes), dtype, memory, -begin % 64)
    for each, start in zip(tensors, starts, strict=True):
        part = np.ndarray(each._data.shape, dtype, whole, start)
        part[...] = each._data
        each._data = part
    return whole.view(np.ndarray)


def goes_on(grad: Variable | None, value: Value | None) -> bool:
    """Whether a gradient that is there before is one as it was: none, or with that shape, dtype and order in memory."""
    if grad is None or value is None:
        return grad is None and value is None
    array = grad._data
    same = array.shape == value.shape and array.dtype is value.dtype
    return bool(same and array.flags.c_contiguous is value.contiguous and array.flags.forc is value.dense)


def is_alike(captured: Captured) -> bool:
    """Whether a Tensor still has what the program was written for."""
    tensor, value = captured.tensor, captured.value
    array = tensor._data
    same = array.shape == value.shape and array.dtype is value.dtype and not tensor._hooks
    same = same and tensor._requires_grad is captured.requires_grad
    return bool(same and array.strides == captured.strides)


def known(captured: list[Captured]) -> Callable[[], bool]:
    """A test whether the captured Tensors have the arrays that they have now."""
    tests, things = [], {}
    for i, each in enumerate(captured):
        things[f"t{i}"], things[f"a{i}"] = each.tensor, each.tensor._data
        tests.append(f"t{i}._data is a{i} and t{i}._requires_grad is {each.requires_grad} and not t{i}._hooks")
    test: Callable[[], bool] = eval(f"lambda: {' and '.join(tests) or 'True'}", things)
    return test


def references(lent: list[tuple[Any, Variable]], memory: list[Any]) -> Callable[[], tuple[int, ...]]:
    """A count of those to gradients in buffers, but for what the Tensors have whose they are, and to their memory."""
    counts: list[str] = []
    things: dict[str, Any] = {"count": getrefcount}
    for i, (whose, grad) in enumerate(lent):
        things[f"t{i}"], things[f"g{i}"] = whose, grad
        counts.append(f"count(g{i}) - (t{i}._grad is g{i})")
    for i, array in enumerate(memory):
        things[f"a{i}"] = array
        counts.append(f"count(a{i})")
    count: Callable[[], tuple[int, ...]] = eval(f"lambda: ({', '.join(counts)},)", things)
    return count
