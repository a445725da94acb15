"""Emitting: code as the source of a function, as a person would write it."""

from __future__ import annotations

import builtins
import keyword
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .code import Buffer, Code, Instead
from .lower import Line
from .memory import is_cut, rows_of
from .steps import Value

ALIGNED = 4096  # bytes from which on a buffer begins where a line of the cache does: NumPy is up to twice as fast
SIMPLE = (bool, int, float, str, type(None))
TAKEN = {"np", "build", "_program", "file", "allow_pickle"}  # the last ones by np.savez
CALLED = re.compile(r"\bnp\.(\w+)")


@dataclass(eq=False)
class Statement:
    """A line as it is written, and what it is the text of."""

    text: str
    line: Line

    def wrote(self, line: str) -> bool:
        """Whether a line of the program is of this statement."""
        return any(line.startswith(each.strip()) for each in self.text.splitlines())


@dataclass(eq=False)
class Source:
    """The text of a program, in its parts.

    arguments: what it is built from, by name: parameters, arrays, functions, generators. setup: statements that are
    run once. body: those that are run each time. inputs, results: the names of what `step` takes and returns.
    names: of values.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    setup: list[str] = field(default_factory=list)
    body: list[Statement] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    names: dict[Value, str] = field(default_factory=dict)
    title: str = "step"
    written: list[str] = field(default_factory=list)  # names of arrays that it changes
    builder: Callable[..., Any] | None = None

    def text(self) -> str:
        """The source of `build(its arguments)`, which returns the function."""
        lines = [f"def build({', '.join(self.arguments)}):"]
        lines += [f"    {line}".rstrip() for text in self.setup for line in text.splitlines()]
        lines += ["", f"    def {self.title}({', '.join(self.inputs)}):"]
        lines += [f"        {line}" for line in self.commented()]
        returned = ", ".join(self.results) + ("," if len(self.results) == 1 else "")
        lines += [f"        return {returned or '()'}", "", f"    return {self.title}", ""]
        return "\n".join(lines)

    def commented(self) -> list[str]:
        """The body, with a comment before each phase, and shapes and the user's line behind the statements."""
        lines, phase, place = [], None, None
        for each in self.body:
            if each.line.phase != phase:
                phase = each.line.phase
                lines.append(f"# {phase}")
            shapes = " @ ".join(map(str, shapes_of(each.line)))
            where = f"  {Path(each.line.line[0]).name}:{each.line.line[1]}" if each.line.line else ""
            note = shapes + (where if where != place else "")
            place = where
            first, *inner = each.text.splitlines()
            lines += [f"{first:<56}  # {note.strip()}" if note.strip() else first, *inner]
        return lines

    def build(self) -> Callable[..., tuple[Any, ...]]:
        """The function, with buffers of its own."""
        if self.builder is None:
            names: dict[str, Any] = {"np": np}
            exec(compile(self.text(), "<jit>", "exec"), names)
            self.builder = names["build"]
        function: Callable[..., tuple[Any, ...]] = self.builder(*self.arguments.values())
        return function


def aligned(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of zeros that begins where a line of the cache does."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.__array_interface__["data"][0] % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def tiled(rows: int, arrays: list[Any]) -> list[tuple[Any, ...]]:
    """Some rows of each array at a time; of those that have no more, always the same."""
    count = max(map(len, arrays))
    return [
        tuple([each[: min(rows, count - i)] if len(each) == rows else each[i : i + rows] for each in arrays])
        for i in range(0, count, rows)
    ]


def shapes_of(line: Line) -> list[tuple[int, ...]]:
    """The shapes that say most of a line: of what it makes, or of both factors of a product of matrices."""
    if line.is_product:
        return [value.shape for value in line.values][:2]
    made = line.made or line.effects
    return [made[0].shape] if made else []


class Emitter:
    """Finds names, and writes the statements."""

    def __init__(self, code: Code, title: str, inputs: list[Value], arrays: dict[Value, Any]) -> None:
        self.code, self.arrays = code, arrays
        self.source = Source(title=title)
        self.taken = {*TAKEN, title, *keyword.kwlist}
        self.things: dict[int, str] = {}  # the names of what is no value
        self.stays: set[Value] = set()  # values whose memory is there before
        self.within: dict[Value, str] = {}  # the names of parts, in a loop
        self.functions: list[str] = []
        self.source.inputs = [self.name(value) for value in inputs]
        for value in arrays:
            self.source.arguments[self.name(value)] = arrays[value]
            self.stays.add(value)
        self.write()
        self.source.setup += self.functions
        functions = sorted({name for each in self.source.body for name in CALLED.findall(each.text)})
        bound = f"{', '.join(functions)} = {', '.join(f'np.{name}' for name in functions)}"
        self.source.setup[:0] = [bound] if functions else []
        for each in self.source.body:
            each.text = CALLED.sub(r"\1", each.text)
        self.source.results = [self.name(value) for value in code.found]
        self.source.written = [self.name(value) for value in arrays if value.root in code.written]

    def write(self) -> None:
        """All statements, those that are run once and those that are run each time."""
        memory: dict[Buffer, list[Value]] = {}
        for value, buffer in self.code.buffers.items():
            memory.setdefault(buffer, []).append(value)
            self.stays.add(value)
        for whole in [buffer for buffer in memory if buffer.part is None]:
            names = " = ".join(self.name(value) for value in memory[whole])
            make = "np.zeros" if any(b.part is not None and b.part[0] is whole for b in memory) else "np.empty"
            if math.prod(whole.shape) * whole.dtype.itemsize >= ALIGNED:
                make = self.thing(aligned, "aligned")
            self.source.setup.append(f"{names} = {make}({whole.shape}, np.{whole.dtype})")
        for buffer, values in memory.items():
            if buffer.part is not None:
                flat, start = buffer.part
                stop = start + int(np.prod(buffer.shape))
                names = " = ".join(self.name(value) for value in values)
                part = f"{self.name(memory[flat][0])}[{start}:{stop}].reshape({buffer.shape})"
                self.source.setup.append(f"{names} = {part}")
        for line in self.code.lines:
            text = self.loop(line) if line.parts else self.statement(line)
            if self.code.hoists and line.fixed and all(value in self.stays for value in line.values):
                self.source.setup.append(text)
                self.stays |= set(line.made)
            else:
                self.source.body.append(Statement(text, line))

    def statement(self, line: Line) -> str:
        """A line as it is written."""
        texts = [self.text(each) for each in line.reads]
        if line.made and line.made[0] in self.code.buffers:
            assert line.with_out is not None
            return line.with_out.format(*texts, out=self.name(line.made[0]))
        text = line.text.format(*texts)
        return f"{', '.join(map(self.name, line.made))} = {text}" if line.made else text

    def loop(self, line: Line) -> str:
        """The loop of a line that runs others on some rows at a time; the parts of arrays are cut out once."""
        first = line.parts[0].made[0]
        cut = [value for each in line.parts for value in (*each.values, *each.made) if is_cut(value, each)]
        unique: dict[Any, list[Value]] = {}  # of those that share a buffer
        for value in dict.fromkeys(cut):
            unique.setdefault(self.code.buffers.get(value, value), []).append(value)
        wholes = [self.name(values[-1]) for values in unique.values()]
        parts = [self.free(f"{name}_rows") for name in wholes]
        tiles = self.free("tiles")
        self.source.setup.append(f"{tiles} = {self.thing(tiled, 'tiled')}({rows_of(first)}, [{', '.join(wholes)}])")
        for name, values in zip(parts, unique.values(), strict=True):
            self.within |= dict.fromkeys(values, name)
        text = "\n".join(
            [f"for {', '.join(parts)} in {tiles}:", *[f"    {self.statement(each)}" for each in line.parts]]
        )
        self.within = {}
        return text

    def function(self, instead: Instead) -> str:
        """The name of a function of lines that are seldom run; it is written before the program."""
        name = self.free(f"{self.name(instead.made)}_instead")
        lines = ["", f"def {name}({', '.join(map(self.name, instead.inputs))}):"]
        for line in instead.lines:
            text = line.text.format(*[self.text(each) for each in line.reads])
            lines.append(f"    {self.name(line.made[0])} = {text}")
        self.functions.append("\n".join([*lines, f"    return {self.name(instead.made)}"]))
        return name

    def name(self, value: Value) -> str:
        """The name of a value: the user's, where there is one; within a loop, that of the part that is in a tile."""
        known = self.within.get(value) or self.source.names.get(value)
        if known is None:
            label = value.label or (f"grad_{value.of.label}" if value.of is not None and value.of.label else value.name)
            known = self.source.names[value] = self.free(label)
        return known

    def free(self, wish: str) -> str:
        """A name that nothing else has."""
        wish = re.sub(r"\W", "_", wish, flags=re.ASCII)
        name = wish = wish if wish[:1].isalpha() or wish[:1] == "_" else f"_{wish}"
        count = 1
        while name in self.taken or hasattr(np, name) or hasattr(builtins, name):
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name

    def text(self, arg: Any) -> str:
        """An argument as it is written."""
        if isinstance(arg, Value):
            return self.name(arg)
        if type(arg) in SIMPLE:
            return re.sub(r"\b(inf|nan)\b", r"np.\1", repr(arg)) if type(arg) is float else repr(arg)
        if type(arg) is tuple:
            return f"({', '.join(map(self.text, arg))}{',' if len(arg) == 1 else ''})"
        if type(arg) is list:
            return f"[{', '.join(map(self.text, arg))}]"
        if isinstance(arg, slice):
            return f"slice({self.text(arg.start)}, {self.text(arg.stop)}, {self.text(arg.step)})"
        if arg is Ellipsis:
            return "..."
        if isinstance(arg, np.dtype):
            return f"np.{'bool_' if arg.kind == 'b' else arg.name}"
        if isinstance(arg, np.ndarray) and arg.ndim == 0 and np.isfinite(arg):
            return self.number(arg)
        if isinstance(arg, Instead):
            return self.function(arg)
        wish = getattr(arg, "__name__", None) or type(arg).__name__.lower()
        return self.thing(arg, "constant" if isinstance(arg, (np.ndarray, np.generic)) else wish)

    def number(self, array: Any) -> str:
        """The name of a number, as an array: NumPy takes those faster than Python's."""
        text = f"np.array({array.item()!r}, np.{array.dtype})"
        wish = re.sub(r"\W", "_", f"n{array.item():.6g}".replace("-", "m"))
        for line in self.source.setup:
            if line.endswith(f" = {text}"):
                return line.partition(" ")[0]
        name = self.free(wish)
        self.source.setup.append(f"{name} = {text}")
        return name

    def thing(self, thing: Any, wish: str) -> str:
        """The name of something that the program is built from."""
        name = self.things.get(id(thing))
        if name is None:
            name = self.things[id(thing)] = self.free(wish)
            self.source.arguments[name] = thing
        return name
