"""Random expressions: programs of many operations, with shared values, writes in place and several outputs.

Each operation of the table takes part: its arguments are drawn as `arguments` draws them, and then some of its arrays
are replaced by what earlier steps have computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import NDArray

from ...arguments import EXPLAINED
from ...op import OUTPUT, REAL, SEQUENCE, Op, table
from .arguments import arguments, can_be_drawn
from .arrays import MARGIN, Shape, narrowings, numbers, shapes, small_integers
from .indices import indices
from .programs import HERE, OPERATORS, Call, Expression, Name, Write, fill, listed

Place: TypeAlias = tuple[int, int | None]  # an argument; and where it is a list, an element of it

LARGEST = 30.0  # of all numbers on the way
WIDTH = 1e-6  # over which a step is held to be smooth
STEEPEST = 100.0  # slope of a step
BEND = 0.1  # by which a slope may change over WIDTH


def put(args: Sequence[Any], place: Place, value: Any) -> list[Any]:
    """The arguments with another value at a place."""
    i, element = place
    changed = list(args)
    changed[i] = value if element is None else [*args[i][:element], value, *args[i][element + 1 :]]
    return changed


def places(op: Op, args: Sequence[Any]) -> list[Place]:
    """Where an operation has arrays of floats by which it can be differentiated."""
    found: list[Place] = []
    for i in (op.parameters.index(name) for name in op.carriers):
        elements = range(len(args[i])) if isinstance(args[i], list) else [None]
        found += [(i, k) for k in elements if is_float(args[i] if k is None else args[i][k])]
    return found


def at(args: Sequence[Any], place: Place) -> Any:
    """What stands at a place of the arguments."""
    i, element = place
    return args[i] if element is None else args[i][element]


def is_float(value: Any) -> bool:
    """Whether a value is an array of floats."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def reads_result(op: Op) -> bool:
    """Whether a result can't be written to: it is a view, or a rule reads it, or may do so."""
    if op.composed or op.view or op.vjp is None:
        return True
    keep = op.plan(sum(1 << op.parameters.index(name) for name in op.carriers)).keep
    return any(kind == OUTPUT and i < op.visible for kind, i in keep)


def leeway(op: Op, args: Sequence[Any]) -> float:
    """How far each number may move, and stay in its domain, away from kinks, and in the same order as the others."""
    reach = 0.6 * MARGIN
    if op.ties:
        given = np.unique(np.concatenate([at(args, place).reshape(-1) for place in places(op, args)]))
        reach = min(reach, 0.2 * float(np.diff(given).min(initial=1.0)))
    return float(f"{reach:.1g}")


class NothingFits(Exception):
    """A step can't be made of what there is, or leads too far."""


class Draft:
    """An expression as it grows: its steps, and the arrays that its values are."""

    def __init__(self, draw: DrawFn, leaves: Sequence[NDArray[Any]]) -> None:
        self.draw = draw
        self.steps: list[Call | Write] = []
        self.values = list(leaves)
        self.unread: set[int] = set()  # results that no step has read
        self.fresh: set[int] = set()  # those of them that may be written to: not even their own rule reads them

    def pick(self, options: Sequence[Any]) -> Any:
        """One of several; the first is the simplest."""
        return options[self.draw(st.integers(0, len(options) - 1))]

    def tossed(self) -> bool:
        """True as often as not."""
        drawn: bool = self.draw(st.booleans())
        return drawn

    def add(self, op: Op, args: Sequence[Any], smooth: bool = True) -> list[Name]:
        """One more call, and the names of its results. Raises NothingFits where they are not smooth or too large."""
        args = [*args, *[op.defaults[name] for name in op.parameters[len(args) :]]]
        given = fill(args, self.values)
        result = attempt(op, given)
        results = listed(result)
        floats = [np.asarray(each) for each in results if np.asarray(each).dtype == np.float64]
        if not floats or not all(is_moderate(each) for each in floats):
            raise NothingFits
        connected = [place for place in places(op, given) if isinstance(at(args, place), Name)]
        if not smooth and not is_smooth(op, given, connected, floats):
            raise NothingFits
        if connected and not keeps_dtype(op, given, connected):
            raise NothingFits
        read = {at(args, place).number for place in connected}
        names: list[Name | None] = []
        for each in results:
            named = np.asarray(each).dtype == np.float64
            names.append(Name(len(self.values)) if named else None)
            if named:
                self.values.append(np.asarray(each))
        made = [name for name in names if name is not None]
        self.unread = (self.unread - read) | {name.number for name in made}
        self.fresh = (self.fresh - read) | (set() if reads_result(op) else {name.number for name in made})
        self.steps.append(Call(op, tuple(args), tuple(names), isinstance(result, (tuple, list))))
        return made

    def source(self, shape: Shape) -> tuple[Name, NDArray[Any] | None]:
        """A value of a shape; or any, and which of its elements to take. Late ones are simpler: that gives depth."""
        numbered = list(enumerate(self.values))[::-1]
        same = [i for i, value in numbered if value.shape == shape]
        if same and self.tossed():
            return Name(self.pick(same)), None
        chosen = self.pick([i for i, value in numbered if value.size])
        index = self.draw(small_integers(shape)).astype(np.intp) % self.values[chosen].size
        return Name(chosen), index

    def take(self, source: tuple[Name, NDArray[Any] | None]) -> Name:
        """The value of a source."""
        name, index = source
        if index is None:
            return name
        if self.values[name.number].ndim != 1:
            (name,) = self.add(table["reshape"], (name, (-1,)))
        return self.add(table["getitem"], (name, index))[0]

    def connect(self, op: Op, args: Sequence[Any]) -> list[Name]:
        """A call of an operation with some of its arrays replaced by earlier values, as they are or scaled down."""
        found = places(op, args)
        if not any(at(args, place).size for place in found) and (not found or self.tossed()):
            raise NothingFits  # half of the empty arrays are enough
        bits = self.draw(st.integers(1, (1 << len(found)) - 1))
        sources = {place: self.source(at(args, place).shape) for i, place in enumerate(found) if bits >> i & 1}
        before = len(self.steps), len(self.values), self.unread, self.fresh
        eps = leeway(op, args)
        for gently in (False, True) if not op.domain and not op.ties else (True,):
            connected = list(args)
            try:
                for place, source in sources.items():
                    name = self.take(source)
                    if gently:  # the array as it was drawn, moved by so little that it stays where it may be
                        (bounded,) = self.add(table["tanh"], (name,))
                        (small,) = self.add(table["multiply"], (bounded, eps))
                        (name,) = self.add(table["add"], (at(args, place), small))
                    connected = put(connected, place, name)
                return self.add(op, connected, smooth=False)
            except NothingFits:
                steps, values, self.unread, self.fresh = before
                del self.steps[steps:], self.values[values:]
        raise NothingFits

    def write(self) -> None:
        """A write in place: to a value that nobody has read, or else to a copy."""
        target, array = Name(len(self.values) - 1), self.values[-1]
        sign = self.pick(list(OPERATORS))
        whole = self.tossed() and sign != "="
        index = None if whole else (self.draw(indices(array.shape)),)
        shape = array.shape if index is None else array[index[0]].shape
        fitting = [i for i, value in enumerate(self.values) if value.shape in (shape, ())]
        value = Name(self.pick(fitting[::-1])) if fitting and self.tossed() else self.take(self.source(shape))
        if value == target and target.number in self.fresh and (sign == "*=" or index is not None):
            raise NothingFits  # an operand that overlaps with what is written, or that a rule reads: both are refused
        written = HERE.write(array.copy(), sign, self.values[value.number], index)
        if not is_moderate(written):
            raise NothingFits
        if target.number not in self.fresh:
            (target,) = self.add(table["copy"], (target,))
        self.values[target.number] = written
        self.unread = (self.unread - {value.number}) | {target.number}
        self.fresh = (self.fresh - {value.number}) | {target.number}
        self.steps.append(Write(sign, target, value, index))

    def grow(self, ops: Sequence[Op]) -> None:
        """One more operation or write; a tanh where none is found soon."""
        for _ in range(4):
            try:
                if self.draw(st.integers(0, 5)) == 5:
                    return self.write()
                op = self.pick(ops)
                self.connect(op, self.draw(arguments(op)))
            except NothingFits:
                continue
            return None
        self.add(table["tanh"], (Name(len(self.values) - 1),))
        return None

    def hold(self, op: Op) -> None:
        """One more operation, a given one."""
        for _ in range(10):
            try:
                self.connect(op, self.draw(arguments(op)))
            except NothingFits:
                continue
            return
        reject()


def keeps_dtype(op: Op, args: Sequence[Any], connected: Sequence[Place]) -> bool:
    """Whether Tensors, or arrays with dimensions, decide about the dtype: all others count as numbers, of float32."""
    deciding = [each for i in op.promoted for each in (args[i] if op.kinds[i] is SEQUENCE else [args[i]])]
    return not deciding or any(i in op.promoted for i, _ in connected) or any(np.ndim(each) for each in deciding)


def attempt(op: Op, args: list[Any]) -> Any:
    """The result on arrays. Raises NothingFits where there is none."""
    try:
        with np.errstate(all="ignore"):
            return op.call(*args)
    except EXPLAINED:
        raise NothingFits from None


def is_moderate(array: NDArray[Any]) -> bool:
    """Whether the numbers of an array are neither large nor many, and none is nan."""
    return bool(array.size <= 100 and np.all(np.abs(array) <= LARGEST))


def is_smooth(op: Op, args: list[Any], connected: list[Place], middle: list[NDArray[Any]]) -> bool:
    """Whether the results change evenly, and not too fast, when the connected arrays do."""
    rng = np.random.default_rng(0)
    sides = []
    moves = [WIDTH * rng.choice((-1.0, 1.0), at(args, p).shape) * rng.uniform(0.5, 1.5) for p in connected]
    for sign in (-1, 1):
        moved = args
        for place, move in zip(connected, moves, strict=True):
            moved = put(moved, place, at(args, place) + sign * move)
        sides.append([np.asarray(each) for each in listed(attempt(op, moved)) if np.asarray(each).dtype == np.float64])
    return all(
        left.shape == here.shape == right.shape
        and np.all(np.abs(right - left) <= STEEPEST * WIDTH)
        and np.all(np.abs(right - 2 * here + left) <= BEND * WIDTH)
        for left, here, right in zip(sides[0], middle, sides[1], strict=True)
    )


@st.composite
def expressions(
    draw: DrawFn, max_steps: int = 12, containing: Op | None = None, among: Iterable[Op] | None = None
) -> Expression:
    """Expressions of up to `max_steps` operations and writes in place, on one to three leaves.

    The steps that connect an operation to earlier values (reshape, an index; tanh, multiply, add) are more. No number
    is larger than 30, no array has more than 100, and all steps are smooth there, so that differences can be taken.

    containing: an operation that takes part. among: those that may be drawn; all that have a derivative, unless given.
    """
    ops = [op for op in table.values() if op.carriers and can_be_drawn(op)] if among is None else list(among)
    whole = draw(shapes(max_dims=2, min_side=1))
    parts = [draw(narrowings(whole)) for _ in range(draw(st.integers(1, 3)))]
    leaves = draw(numbers(parts, [REAL] * len(parts), True))
    draft = Draft(draw, leaves)
    count = draw(st.one_of(st.integers(1, max_steps), st.just(max_steps)))
    turn = draw(st.integers(0, count - 1)) if containing is not None else None
    for i in range(count):
        if i == turn and containing is not None:
            draft.hold(containing)
        else:
            draft.grow(ops)
    ends = sorted(draft.unread)
    if containing is None and draft.tossed():  # then there are results that nothing depends on
        ends = draw(st.lists(st.sampled_from(ends), min_size=1, max_size=2, unique=True))
    shared = draw(st.lists(st.sampled_from(range(len(draft.values))), max_size=2))
    return Expression(tuple(leaves), tuple(draft.steps), tuple(Name(i) for i in dict.fromkeys([*ends, *shared])))
