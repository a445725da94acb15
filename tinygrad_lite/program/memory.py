"""Passes that decide where in memory results lie, and in which order memory is walked through."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from .code import Buffer, Code, is_pure
from .lower import TAKE, Line
from .steps import Value

LARGE = 2**20  # bytes of a result from which on memory is what takes the time
TILE = 2**18  # bytes of each array that are worked on at once, so that they stay in the cache


def side_by_side(code: Code) -> Code:
    """Parameters that are changed alike lie in one memory, as do their gradients: one call changes them all."""
    lines, i = [], 0
    uses = Counter(value for line in code.lines for value in line.values) + Counter(code.found)
    while i < len(code.lines):
        group = updates(code, i, uses)
        if len(group) < 2:
            lines.append(code.lines[i])
            i += 1
            continue
        i += 2 * len(group)
        changes = [change for change, _ in group]
        shapes = [change.made[0].shape for change in changes]
        size = sum(padded(shape, changes[0].made[0].dtype) for shape in shapes)
        rate, k = changes[0].reads[0], len(code.flat) // 2
        dtype = changes[0].made[0].dtype
        grads, change, parameters = (Value(f"{n}_{k}" if k else n, (size,), dtype) for n in ("grads", "change", "flat"))
        code.flat[grads] = [each.reads[1] for each in changes]
        code.flat[parameters] = [write.reads[0] for _, write in group]
        buffer, start = Buffer(grads.shape, dtype), 0
        code.buffers[grads] = buffer
        for each in code.flat[grads]:
            code.buffers[each] = Buffer(each.shape, dtype, (buffer, start))
            start += padded(each.shape, dtype)
        lines.append(replace(changes[0], reads=(rate, grads), made=(change,)))
        write = group[0][1]
        lines.append(replace(write, reads=(parameters, change, parameters), effects=(parameters,)))
    code.lines = lines
    return code


def padded(shape: tuple[int, ...], dtype: Any) -> int:
    """How many elements an array takes in a flat one, where each begins at a line of the cache."""
    line = 64 // np.dtype(dtype).itemsize
    return int(-(-int(np.prod(shape)) // line) * line)


def updates(code: Code, i: int, uses: Counter[Value]) -> list[tuple[Line, Line]]:
    """The pairs of lines from i on that are p -= rate * grad, with one rate, and memory that may be moved.

    uses: how often each value is read.
    """
    group: list[tuple[Line, Line]] = []
    while i + 1 < len(code.lines):
        change, write = code.lines[i : i + 2]
        if not (
            change.text == "np.multiply({0}, {1})"
            and write.text == "np.subtract({0}, {1}, {2})"
            and isinstance(change.reads[0], Value)
            and change.reads[0].shape == ()
            and write.reads[1] is change.made[0]
            and uses[change.made[0]] == 1
            and write.reads[0] is write.reads[2]
            and write.reads[0] in code.movable
            and can_move(code, change.reads[1])
            and (not group or change.reads[0] is group[0][0].reads[0])
            and (not group or change.made[0].dtype == group[0][0].made[0].dtype)
            and change.reads[1].shape == write.reads[0].shape
        ):
            break
        group.append((change, write))
        i += 2
    values = [each for change, write in group for each in (change.reads[1], write.reads[0])]
    return group if len(set(values)) == len(values) else []


def can_move(code: Code, value: Any) -> bool:
    """Whether a value can be made in a part of a larger buffer."""
    if not isinstance(value, Value) or value.base is not None or value in code.outside or value in code.results:
        return False
    if value in code.buffers:  # it is in one already
        return False
    return any(line.made == (value,) and line.with_out is not None for line in code.lines)


def views(code: Code) -> Code:
    """Views of memory that stays are made once, before the program runs."""
    code.hoists = True
    return code


def chains(code: Code) -> Code:
    """Elementwise lines with large results are brought together, so that `tiles` can join them."""
    rest, lines = code.lines, []
    while rest:
        before, group, after, rest = chain(code, rest)
        lines += [*before, *group, *after]
    code.lines = lines
    return code


def chain(code: Code, lines: list[Line]) -> tuple[list[Line], list[Line], list[Line], list[Line]]:
    """The lines up to the first large one; those that may follow it directly; what waits for them; and the rest."""
    start = next((i for i, line in enumerate(lines) if is_large(line)), len(lines))
    before, group = lines[:start], lines[start : start + 1]
    after: list[Line] = []
    made, late = {value for line in group for value in line.made}, set[Value]()
    for i, line in enumerate(lines[start + 1 :], start + 1):
        reads = code.read_by(line)
        if not is_pure(line) or is_large_product(line) or (is_large(line) and reads & late):
            return before, group, after, lines[i:]
        if is_large(line) and line.made[0].shape == group[0].made[0].shape:
            group.append(line)
            made |= set(line.made)
        elif reads & (made | late):
            after.append(line)
            late |= set(line.made)
        else:
            before.append(line)
    return before, group, after, []


def is_large(line: Line) -> bool:
    """Whether a line makes a large array, each row of what it reads in that place."""
    if line.with_out is None or not is_pure(line) or len(line.made[0].shape) < 2:
        return False
    return (line.elementwise or line.text == TAKE) and size_of(line.made[0]) >= LARGE


def is_large_product(line: Line) -> bool:
    """Whether a line makes a large product: what follows is not brought before it."""
    return line.is_product and size_of(line.made[0]) >= LARGE


def size_of(value: Value | Buffer) -> int:
    """How many bytes an array takes."""
    return int(np.prod(value.shape)) * value.dtype.itemsize


def pool(code: Code) -> Code:
    """Results go to buffers, which serve again when they are free."""
    last: dict[Value, int] = {}
    for i, line in enumerate(code.lines):
        for value in (*line.values, *line.made, *line.effects):
            last[value.root] = i
    kept = {value.root for value in code.found} | set(code.buffers)
    results = {value.root for value in code.results}
    free: dict[Any, list[Buffer]] = {}

    def release(line: Line, i: int) -> None:
        for root in {value.root: None for value in line.values}:
            if last[root] == i and root in code.buffers and root not in kept:
                free.setdefault((root.shape, root.dtype), []).append(code.buffers[root])

    for i, line in enumerate(code.lines):
        if line.elementwise:
            release(line, i)
        if line.with_out is not None and line.made[0] not in code.buffers:
            made = line.made[0]
            if made.root is made and made not in results:
                ready = [] if made in kept else free.setdefault((made.shape, made.dtype), [])
                code.buffers[made] = ready.pop() if ready else Buffer(made.shape, made.dtype)
        if not line.elementwise:
            release(line, i)
    return code


def tiles(code: Code) -> Code:
    """Large elementwise lines are run together on some rows at a time, which stay in the cache.

    What only they read is then needed for these rows alone.
    """
    lines: list[Line] = []
    group: list[Line] = []
    stays = views_of_buffers(code)
    for line in code.lines:
        if is_large(line) and can_join(code, [*group, line], stays):
            group.append(line)
            continue
        lines += joined(code, group)
        group = [line] if is_large(line) and can_join(code, [line], stays) else []
        lines += [] if group else [line]
    code.lines = lines + joined(code, group)
    return code


def views_of_buffers(code: Code) -> set[Value]:
    """Values that are views of buffers, made once."""
    found = set[Value]()
    for line in code.lines if code.hoists else ():
        if line.fixed and all(value in code.buffers or value in found for value in line.values):
            found |= set(line.made)
    return found


def can_join(code: Code, group: list[Line], stays: set[Value]) -> bool:
    """Whether lines can be run together on some rows at a time. stays: views that are there before."""
    made = group[0].made[0]
    written = {code.buffers.get(line.made[0]) for line in group}
    if None in written or any(line.made[0].shape != made.shape for line in group):
        return False
    reads = [(each, is_cut(each, line)) for line in group for each in line.values]
    cut = {each for each, is_part in reads if is_part} | {line.made[0] for line in group}
    if any(isinstance(each, np.ndarray) and each.ndim for line in group for each in line.reads):
        return False
    for each, is_part in reads:
        if is_part and each in code.buffers:
            continue
        if is_part and each not in stays:
            return False
        if code.buffers.get(each.root) in written or (each in cut and not is_part):
            return False  # a loop has one name for it; the next rows would meet what was written for the first ones
    return True


def is_cut(value: Value, line: Line) -> bool:
    """Whether of what a line reads or makes only some rows are met at a time; of other operands, each row meets all."""
    made = line.made[0]
    if line.text == TAKE:
        return value in (line.reads[1], made)
    return len(value.shape) == len(made.shape) and value.shape[0] == made.shape[0]


def rows_of(value: Value) -> int:
    """How many rows are worked on at once."""
    return max(1, TILE * value.shape[0] // size_of(value))


def joined(code: Code, group: list[Line]) -> list[Line]:
    """The group as one line that runs the others for some rows at a time, where it is more than one."""
    if len(group) < 2 or rows_of(group[0].made[0]) >= group[0].made[0].shape[0]:
        return group
    rows = rows_of(group[0].made[0])
    others = [line for line in code.lines if line not in group]
    needed = {value.root for line in others for value in (*code.read_by(line), *line.effects)}
    needed |= {value.root for value in code.found}
    scratch: dict[Buffer, Buffer] = {}
    kept: list[Value] = []
    for line in group:
        value = line.made[0]
        if value in needed:
            kept.append(value)
        else:
            buffer = code.buffers[value]
            part = Buffer((rows, *value.shape[1:]), value.dtype)
            code.buffers[value] = scratch.setdefault(buffer, part)
    own = {line.made[0] for line in group}
    reads = dict.fromkeys(value for line in group for value in line.values if value not in own)
    return [replace(group[0], text="", reads=tuple(reads), made=tuple(kept), with_out=None, parts=tuple(group))]
