"""A program while it is made better: its lines, and what they depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .lower import Line
from .steps import Value, replaced


@dataclass(eq=False)
class Buffer:
    """Memory that is there before the program runs. part: of which flat buffer, and from where on."""

    shape: tuple[int, ...]
    dtype: Any
    part: tuple[Buffer, int] | None = None


@dataclass(eq=False)
class Instead:
    """Lines that are run only now and then, as a function of `inputs` that gives `made`."""

    lines: list[Line]
    inputs: list[Value]
    made: Value


@dataclass(eq=False)
class Code:
    """The lines of a program, and what they depend on.

    results, grads: what is looked at when it has run; only grads may lie in buffers. outside: the values that are
    there before. movable: those of them whose memory may be moved. given: those that each call brings, in any memory.
    buffers: where results are written to, those that
    share one included. flat: values that are to lie side by side, and the value that they are together.
    hoists: whether views of what stays are made before the program runs.
    """

    lines: list[Line]
    results: list[Value]
    grads: list[Value]
    outside: set[Value]
    movable: set[Value] = field(default_factory=set)
    given: set[Value] = field(default_factory=set)
    buffers: dict[Value, Buffer] = field(default_factory=dict)
    flat: dict[Value, list[Value]] = field(default_factory=dict)
    hoists: bool = False

    @property
    def found(self) -> list[Value]:
        """All that is looked at when it has run."""
        return [*self.results, *self.grads]

    def read_by(self, line: Line) -> set[Value]:
        """All that a line reads, with the parts of what lies side by side."""
        return {part for value in line.values for part in (value, *self.flat.get(value, ()))}

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


def is_pure(line: Line) -> bool:
    """Whether it only makes one value, and always the same of the same."""
    return len(line.made) == 1 and not line.keeps and not line.effects
