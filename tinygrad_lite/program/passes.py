"""What makes a program shorter and faster. Each pass is a function from code to code, and can be left out.

A pass whose results may differ from eager's says in its docstring by how much, and is named in ROUNDING.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .lower import Line
from .steps import Value, replaced


@dataclass(eq=False)
class Buffer:
    """Memory that is there before the program runs. part: of which flat buffer, and from where on."""

    shape: tuple[int, ...]
    dtype: Any
    part: tuple[Buffer, int] | None = None


@dataclass(eq=False)
class Code:
    """The lines of a program, and what they depend on.

    results, grads: what is looked at when it has run; only grads may lie in buffers. outside: the values that are
    there before. movable: those of them whose memory may be moved. buffers: where results are written to, those that
    share one included. flat: values that are to lie side by side, and the value that they are together.
    hoists: whether views of what stays are made before the program runs.
    """

    lines: list[Line]
    results: list[Value]
    grads: list[Value]
    outside: set[Value]
    movable: set[Value] = field(default_factory=set)
    buffers: dict[Value, Buffer] = field(default_factory=dict)
    flat: dict[Value, list[Value]] = field(default_factory=dict)
    hoists: bool = False

    @property
    def found(self) -> list[Value]:
        """All that is looked at when it has run."""
        return [*self.results, *self.grads]

    @property
    def written(self) -> set[Value]:
        """Roots whose memory is written to after it was made."""
        return {value.root for line in self.lines for value in line.effects}

    def renamed(self, new: dict[Value, Value]) -> None:
        """Other values in place of some, everywhere."""
        for line in self.lines:
            line.reads = replaced(line.reads, new)
        self.results, self.grads = replaced(self.results, new), replaced(self.grads, new)
        for old, value in new.items():
            old.base = value  # what is a view of it is one of the other


Pass = Callable[[Code], Code]
PASSES: dict[str, Pass] = {}  # in the order in which they run
ROUNDING: set[str] = set()


def a_pass(function: Pass) -> Pass:
    """Enter a pass into the list."""
    PASSES[function.__name__] = function
    return function


def rounding(function: Pass) -> Pass:
    """Enter a pass that may change results by rounding."""
    ROUNDING.add(function.__name__)
    return a_pass(function)


def evaluate(line: Line) -> Any:
    """What a line makes that reads no value."""
    names = {f"r{i}": each for i, each in enumerate(line.reads)}
    return eval(line.text.format(*names), {"np": np, **names})


def is_pure(line: Line) -> bool:
    """Whether it only makes one value, and always the same of the same."""
    return len(line.made) == 1 and not line.keeps and not line.effects


@a_pass
def constants(code: Code) -> Code:
    """What depends on nothing is computed once, when the program is built; x * 1 is x."""
    written, found = code.written, {value.root for value in code.found}
    last = {value.root: i for i, line in enumerate(code.lines) for value in line.effects}
    known: dict[Value, Any] = {}
    same: dict[Value, Value] = {}
    lines = []
    for i, line in enumerate(code.lines):
        line.reads = replaced(replaced(line.reads, same), known)
        if is_pure(line) and line.made[0] not in written | found:
            made = line.made[0]
            source = one_times(line)
            if source is not None and last.get(source.root, -1) < i and source.root not in code.outside:
                same[made] = source
                continue
            reads_an_object = line.text.startswith("np.array({0}.")  # whose attribute may change
            if not any(True for _ in line.values) and not line.fixed and not reads_an_object:
                known[made] = evaluate(line)
                continue
        lines.append(line)
    code.lines = lines
    code.renamed(same)
    return code


def one_times(line: Line) -> Value | None:
    """x, where a line is x * 1 with a result of the shape and dtype of x."""
    if not line.text.startswith("np.multiply({0}, {1})"):
        return None
    out = line.made[0]
    for x, other in (line.reads, line.reads[::-1]):
        is_one = isinstance(x, Value) and isinstance(other, np.ndarray) and (other == 1).all()
        if is_one and (x.shape, x.dtype, x.contiguous) == (out.shape, out.dtype, out.contiguous):
            return x  # type: ignore[no-any-return]
    return None


@rounding
def powers(code: Code) -> Code:
    """x ** -0.5 as 1 / sqrt(x). Each element differs by at most 2 units in the last place."""
    lines = []
    for line in code.lines:
        exponent = line.reads[1] if line.text == "np.power({0}, {1})" else None
        if isinstance(exponent, np.ndarray) and exponent.ndim == 0 and exponent == -0.5:
            root = Value(f"{line.made[0].name}_root", line.made[0].shape, line.made[0].dtype)
            for name, read, made in (("sqrt", line.reads[0], root), ("reciprocal", root, line.made[0])):
                text, with_out = f"np.{name}({{0}})", f"np.{name}({{0}}, {{out}})"
                lines.append(replace(line, text=text, reads=(read,), made=(made,), with_out=line.with_out and with_out))
        else:
            lines.append(line)
    code.lines = lines
    return code


@rounding
def reciprocals(code: Code) -> Code:
    """x / c as x * (1 / c) for a number c. Each element differs by at most 2 units in the last place."""
    for line in code.lines:
        divisor = line.reads[1] if line.text.startswith("np.divide({0}, {1})") else None
        if isinstance(divisor, np.ndarray) and divisor.ndim == 0 and isinstance(line.reads[0], Value):
            with np.errstate(all="ignore"):
                inverse = np.array(1 / divisor, divisor.dtype)
            if np.isfinite(inverse) and abs(inverse) > np.finfo(inverse.dtype).tiny:
                line.text = line.text.replace("np.divide", "np.multiply")
                line.with_out = line.with_out and line.with_out.replace("np.divide", "np.multiply")
                line.reads = (line.reads[0], inverse)
    return code


@rounding
def sums(code: Code) -> Code:
    """The sum of the rows of a matrix, (N, D), as ones @ x. It differs by at most N roundings of the sum of |x|."""
    for line in code.lines:
        x, axis = (*line.reads, None, None)[:2]
        if not (line.text.startswith("np.add.reduce({0}, {1}, None, None, ") and line.with_out and axis in (0, (0,))):
            continue
        if isinstance(x, Value) and len(x.shape) == 2 and x.contiguous and x.shape[0] and x.dtype == line.made[0].dtype:
            ones = np.ones((1, x.shape[0]) if len(line.made[0].shape) == 2 else x.shape[0], x.dtype)
            line.text, line.with_out, line.reads = "{0}.dot({1})", "{0}.dot({1}, {out})", (ones, x)
    return code


@a_pass
def common(code: Code) -> Code:
    """What is computed twice of the same is computed once."""
    written = code.written
    writes: Counter[Value | None] = Counter()  # to each root; None: to what is outside, which may be one memory
    seen: dict[Any, Value] = {}
    same: dict[Value, Value] = {}
    lines = []
    for line in code.lines:
        line.reads = replaced(line.reads, same)
        if is_pure(line) and (line.fixed or line.made[0].root not in written):
            roots = [value.root for value in line.values]
            versions = tuple([0 if line.fixed else writes[None if r in code.outside else r] for r in roots])
            key = (line.text, tuple(map(identity, line.reads)), line.made[0].dtype, line.made[0].shape, versions)
            if key in seen:
                same[line.made[0]] = seen[key]
                continue
            seen[key] = line.made[0]
        for value in line.effects:
            writes[None if value.root in code.outside else value.root] += 1
        lines.append(line)
    code.lines = lines
    code.renamed(same)
    return code


def identity(arg: Any) -> Any:
    """What two arguments have in common that are the same."""
    if isinstance(arg, (list, tuple)):
        return type(arg), tuple(map(identity, arg))
    if isinstance(arg, slice):
        return slice, identity((arg.start, arg.stop, arg.step))
    if isinstance(arg, np.ndarray) and arg.ndim == 0:
        return np.ndarray, arg.dtype, arg.tobytes()
    if isinstance(arg, (int, float, str, np.dtype, type(None))):
        return type(arg), repr(arg)
    return id(arg)


@a_pass
def needed(code: Code) -> Code:
    """Lines that nothing comes of are left out."""
    wanted = set(code.found)
    roots = {value.root for value in wanted} | code.outside
    kept = []
    for line in reversed(code.lines):
        writes = any(value.root in roots for value in line.effects)
        if writes or (line.keeps and not line.effects) or any(value in wanted for value in line.made):
            wanted |= set(line.values)
            roots |= {value.root for value in line.values}
            kept.append(line)
    code.lines = kept[::-1]
    return code


@a_pass
def direct(code: Code) -> Code:
    """`v = f(x)` and `p[...] = v` as f(x) written to p, where nothing else reads v."""
    uses = Counter(value.root for line in code.lines for value in line.values)
    found = {value.root for value in code.found}
    lines: list[Line] = []
    for line in code.lines:
        before = lines[-1] if lines else None
        if before is not None and line.text.startswith("np.copyto({0}, {1}") and can_write(before, line, uses, found):
            assert before.with_out is not None
            target = line.reads[0]
            text = before.with_out.replace("{out}", f"{{{len(before.reads)}}}")
            reads = (*before.reads, target)
            lines[-1] = replace(before, text=text, reads=reads, made=(), with_out=None, effects=(target,), keeps=True)
        else:
            lines.append(line)
    code.lines = lines
    return code


def can_write(before: Line, copy: Line, uses: Counter[Value], found: set[Value]) -> bool:
    """Whether a line can write to where its result is copied in the end."""
    target, value = copy.reads
    return (
        isinstance(value, Value)
        and before.made == (value,)
        and before.elementwise
        and before.with_out is not None
        and uses[value.root] == 1
        and value.root not in found
        and (target.shape, target.dtype) == (value.shape, value.dtype)
        and all(each is target or each.root is not target.root for each in before.values)
    )


def optimised(code: Code, without: frozenset[str]) -> Code:
    """The code after all passes, but for some."""
    for name, function in PASSES.items():
        if name not in without:
            code = function(code)
    return code
