"""Passes that leave out what need not be done. They change no bit of a result."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from .code import Code, is_pure
from .lower import COPY, RESHAPE, Line
from .steps import Value, replaced


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


def evaluate(line: Line) -> Any:
    """What a line makes that reads no value."""
    names = {f"r{i}": each for i, each in enumerate(line.reads)}
    return eval(line.text.format(*names), {"np": np, **names})


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


def copies(code: Code) -> Code:
    """A copy of what nobody reads any more is that itself."""
    last = {value.root: i for i, line in enumerate(code.lines) for value in (*line.values, *line.effects)}
    kept = {value.root for value in code.found}
    own = set[Value]()  # values in memory that each run fills anew, as a whole
    for i, line in enumerate(code.lines):
        source = line.reads[0] if line.reads and isinstance(line.reads[0], Value) else None
        if line.with_out is not None or (line.text == RESHAPE and source in own and source.contiguous):
            own |= set(line.made)
        if line.text != COPY or source is None or source not in own or not source.contiguous:
            continue
        root, made = source.root, line.made[0]
        if last[root] > i or root in kept:
            continue
        last[root] = last.get(made, i)
        kept |= {root} if made in kept else set()
        made.base = source
        code.lines[i] = replace(line, text=RESHAPE, reads=(source, made.shape), with_out=None, fixed=True)
    return code


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
