"""A program run line by line: to find where it differs from the function, and to time it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from ..random import Generator
from ..transforms import leaves
from ..variable import Variable
from .code import Instead
from .emit import Source, Statement
from .lower import BROADCAST, COPY, PRODUCT, RESHAPE, TAKE, TRANSPOSE, Line
from .passes import ROUNDING
from .record import watched
from .replay import Replay
from .steps import JitError, Run, Step, Value, replaced


def line_by_line(source: Source, given: list[Any]) -> Iterator[tuple[Statement, dict[str, Any]]]:
    """Run a program on the arrays of its inputs: each statement, when it has run, and what the names stand for."""
    names: dict[str, Any] = {"np": np, **source.arguments}
    for text in source.setup:
        exec(text, names)
    names.update(zip(source.inputs, given, strict=True))
    for each in source.body:
        exec(each.text, names)
        yield each, names


def verified(replay: Replay, function: Callable[..., Any], tree: Any, parts: list[Any], inputs: list[Variable]) -> Any:
    """Run the function itself, and its program beside it; return what the function does, if both are the same.

    Raises JitError that names the first line where they differ: by a single bit, or where passes that round are in
    force by more than rounding. Each line is then judged alone: the program goes on from the function's own numbers.
    """
    before = State(replay, inputs)
    recorder, recording, result, _ = watched(function, tree, parts, keep=True)
    steps = recording.steps
    after = State(replay, inputs)
    assert recorder.copies is not None
    wanted = {value.name: array for value, array in recorder.copies.items()}
    try:
        for mine, now in zip(replay.recording.steps, [*steps, None], strict=False):
            if now is None or not is_same_step(mine, now):
                raise differs("the function no longer does what was recorded", mine.line, "")
        if len(steps) > len(replay.recording.steps):
            raise differs("the function does more than was recorded", steps[len(replay.recording.steps)].line, "")
        before.restore()
        exact = replay.without >= ROUNDING
        names: dict[str, Any] = {}
        within: dict[Value, Any] = {}  # of what only lives within its step: what it would be if no terms cancelled
        for statement, names, value in made(replay, inputs):
            line, mine, its, terms = statement.line, names[replay.source.names[value]], wanted.get(value.name), 0.0
            if not exact:
                added = added_up(line, mine, partial(known_of, wanted, within, names, replay.source))
                if its is None:
                    within[value] = added
                else:
                    terms = max(largest(added), largest_term(steps[line.step], wanted))
            if its is not None and not is_close(mine, its, exact, terms):
                raise differs("the program gives other numbers", line.line, statement.text)
            if its is not None and not exact and isinstance(mine, np.ndarray) and mine.flags.writeable:
                np.copyto(mine, its)
        wants = [each._data for _, each in leaves(result) if isinstance(each, Variable)] + after.left(replay, inputs)
        for name, want in zip(replay.source.results, wants, strict=True):
            found = names.get(name, want)  # what no line makes is the caller's
            if not is_close(found, want, exact, before.largest):
                raise differs(f"the program leaves other numbers in {name}", None, "")
        for each in replay.recording.captured:
            if not is_close(each.tensor._data, after.arrays[id(each.tensor._data)][1], exact):
                raise differs(f"the program leaves other numbers in {each.value.label}", None, "")
    finally:
        after.restore()
    return result


def made(replay: Replay, inputs: list[Variable]) -> Iterator[tuple[Statement, dict[str, Any], Value]]:
    """Run a program; each value at the time when it is complete."""
    complete: dict[Value, int] = {}
    for i, each in enumerate(replay.source.body):
        for value in each.line.made:
            complete[value] = i
        for value in complete:
            same_step = replay.source.body[complete[value]].line.step == each.line.step
            if same_step and any(value.root is written.root for written in each.line.effects):
                complete[value] = i
    for i, (statement, names) in enumerate(line_by_line(replay.source, replay.arrays_of(inputs))):
        for value, last in complete.items():
            if last == i:
                yield statement, names, value


def differs(what: str, line: tuple[str, int] | None, text: str) -> JitError:
    """The error where a function and its program are not the same."""
    where = f" at {line[0]}:{line[1]}" if line else ""
    first = f", first in `{text}`" if text else ""
    return JitError(
        f"jit: verify: {what}{where}{first}; what the function does besides computing with Tensors happens only when "
        "it is recorded"
    )


FOLLOWED = ("add", "subtract", "multiply", "divide", "square", "sqrt", "matmul", "add.reduce")
LINEAR: tuple[str, ...] = tuple(f"np.{name}(" for name in FOLLOWED)
LINEAR += PRODUCT, TAKE, RESHAPE, TRANSPOSE, BROADCAST, COPY, "{0}["
SUMS = {"sum", "mean", "matmul", "linear", "scatter_rows"}


def largest_term(step: Step, arrays: dict[str, Any]) -> float:
    """The largest sum of absolute values in a step that computes sums, which may cancel; 0 for others."""
    if not isinstance(step, Run) or step.op.name not in SUMS:
        return 0.0
    args = [np.abs(arrays[each.name]) if isinstance(each, Value) else each for each in step.args]
    return largest(step.op.forward(*args))


def known_of(
    wanted: dict[str, Any], within: dict[Value, Any], names: dict[str, Any], source: Source, value: Value
) -> Any:
    """The absolute values of a value: of what the function itself has for it, where it has it."""
    if value in within:
        return within[value]
    if value.root in within and value.dtype.kind in "fc":  # it is a view of that, made once
        return np.full(value.shape, largest(within[value.root]))
    return size_of(wanted[value.name] if value.name in wanted else names[source.names[value]])


def added_up(line: Line, made: Any, known: Callable[[Value], Any]) -> Any:
    """What a line would make if no terms cancelled: the same of absolute values, and with + for -.

    A line that goes another way than others names those: it is then that of all their terms, multiplied out.
    known: the absolute values of what it reads.
    """
    place = next((i for i, each in enumerate(line.reads) if isinstance(each, Instead)), None)
    if place is not None:
        instead, given = line.reads[place], line.reads[place + 1 :]
        found = {one: known(other) for one, other in zip(instead.inputs, given, strict=True)}
        for each in instead.lines:
            found[each.made[0]] = absolute(each, found)
        return found[instead.made]
    if line.parts or len(line.made) != 1 or not line.text.startswith(LINEAR):
        return size_of(made)
    return absolute(line, {value: known(value) for value in line.values})


def absolute(line: Line, found: dict[Value, Any]) -> Any:
    """What a line makes of absolute values."""
    reads = [size_of(arg) if isinstance(arg, np.ndarray) else replaced(arg, found) for arg in line.reads]
    text = line.text.replace("np.subtract", "np.add").replace("np.negative", "np.positive")
    return eval(text.format(*[f"reads[{i}]" for i in range(len(reads))]), {"np": np, "reads": reads})


def size_of(array: Any) -> Any:
    """The absolute values of floats; all else, such as indices, as it is."""
    return np.abs(array) if np.asarray(array).dtype.kind in "fc" else array


def largest(array: Any) -> float:
    """The largest finite absolute value."""
    array = np.abs(np.asarray(array, float))
    return float(np.max(array, initial=0, where=np.isfinite(array)))


def is_close(one: Any, other: Any, exact: bool, term: float = 0.0) -> bool:
    """Whether two arrays are the same, bit for bit, or up to 1,000 roundings of their largest element or term."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if exact and one.dtype.kind == "f":  # nan is nan, whatever its bits are
        both = np.isnan(one) & np.isnan(other)
        one, other = np.where(both, 0, one), np.where(both, 0, other)
    if exact or one.dtype.kind != "f" or not one.size:
        return bool(one.tobytes() == other.tobytes())
    finite = np.isfinite(other)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
        return False
    bound = 1000 * float(np.finfo(one.dtype).eps) * float(np.abs(other[finite]).max(initial=term))
    return bool((np.abs(one[finite] - other[finite]) <= bound).all())


def is_same_step(one: Step, other: Step) -> bool:
    """Whether two steps do the same to values of the same names."""
    return type(one) is type(other) and all(
        is_same_argument(getattr(one, name), getattr(other, name))
        for name in vars(one)
        if name not in ("phase", "line")
    )


def is_same_argument(one: Any, other: Any) -> bool:
    if isinstance(one, Value) or isinstance(other, Value):
        return isinstance(one, Value) and isinstance(other, Value) and one.name == other.name
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same_argument, one, other))
    if isinstance(one, np.ndarray):
        return one is other or (
            one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        )
    return bool(one is other or repr(one) == repr(other))


class State:
    """All that a program can change, as it is now."""

    def __init__(self, replay: Replay, inputs: list[Variable]) -> None:
        tensors = [*inputs, *[each.tensor for each in replay.recording.captured]]
        arrays = [*[each._data for each in tensors], *[array for array, _ in replay.recording.references]]
        self.arrays = {id(array): (array, array.copy()) for array in arrays}
        owners = [inputs[whose] if isinstance(whose, int) else whose for whose, _ in (*replay.before, *replay.after)]
        self.grads = [(each, each._grad, None if each._grad is None else each._grad._data.copy()) for each in owners]
        self.generators = [(each, each.get_state()) for each in replay.generators]

        self.largest = max([largest(copied) for _, _, copied in self.grads if copied is not None], default=0.0)

    def left(self, replay: Replay, inputs: list[Variable]) -> list[Any]:
        """The gradients that there are in the end, in the program's order."""
        known = {id(owner): copied for owner, _, copied in self.grads}
        return [known[id(inputs[w] if isinstance(w, int) else w)] for w, value in replay.after if value is not None]

    def restore(self) -> None:
        """Bring it back."""
        for array, before in self.arrays.values():
            if array.flags.writeable:
                array[...] = before
        for owner, grad, before in self.grads:
            owner._grad = grad
            if grad is not None and grad._data.flags.writeable:
                grad._data[...] = before
        for generator, state in self.generators:
            generator.set_state(state)


def times(source: Source, given: list[Any], runs: int = 20) -> list[float]:
    """The median time of each statement of a program, in seconds, run on copies of all that it writes to."""
    own = {name: array.copy() if isinstance(array, np.ndarray) else array for name, array in source.arguments.items()}
    own = {name: copy(each) if isinstance(each, Generator) else each for name, each in own.items()}
    names: dict[str, Any] = {"np": np, **own}
    for text in source.setup:
        exec(text, names)
    names.update(zip(source.inputs, [array.copy() for array in given], strict=True))
    codes = [compile(each.text, "<jit>", "exec") for each in source.body]
    taken = []
    with np.errstate(all="ignore"):
        for _ in range(runs):
            marks = [perf_counter()]
            for code in codes:
                exec(code, names)
                marks.append(perf_counter())
            taken.append(np.diff(marks))
    return [float(each) for each in np.median(taken, axis=0)] if codes else []


def report(replay: Replay, given: list[Any] | None) -> str:
    """What a program consists of. given: the arrays of its inputs, to time it with."""
    code, source = replay.code, replay.source
    owners = {buffer for buffer in code.buffers.values() if buffer.part is None}
    size = sum(int(np.prod(b.shape)) * np.dtype(b.dtype).itemsize for b in owners)
    flops = sum(each.line.flops for each in source.body)
    lines = [
        f"{source.title}: {len(replay.recording.steps)} operations recorded, {replay.count_before} lines before and "
        f"{len(source.body)} after the passes ({len(source.setup)} more run once)",
        f"{len(code.buffers)} results in {len(owners)} buffers of {size:,} bytes; about {flops:,} floating-point "
        "operations",
    ]
    if given is not None:
        seconds = times(source, given)
        total = sum(seconds) or 1.0
        lines.append(f"{total * 1e6:,.1f} us line by line:")
        for each, taken in zip(source.body, seconds, strict=True):
            lines.append(f"{taken * 1e6:9.1f} us {taken / total:5.0%}  {each.text.partition(chr(10))[0]}")
    return "\n".join(lines)
