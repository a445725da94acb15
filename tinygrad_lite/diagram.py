"""A graph as plain data: what a drawing shows of it, and the page that steps through it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .engine import Value
from .variable import Variable

PARAMETER, ARRAY, CONSTANT, RESULT = "parameter", "input", "constant", "result"


@dataclass(eq=False)
class Box:
    """A number or an array of the graph.

    kind: a parameter is a leaf that gets a gradient, an input an array without one, a constant a number without one.
    data, grad: arrays or numbers; None where they are not there. call: the one that made it.
    thing: by what the graph knows it: a Value, a leaf, or the number of a node and which of its outputs.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: Any
    data: Any = None
    grad: Any = None
    call: int | None = None
    thing: Any = None


@dataclass(eq=False)
class Call:
    """An operation that was run. inputs: (parameter, box), in their order; outputs: boxes; node: a Value or a Node."""

    name: str
    arguments: str
    inputs: list[tuple[str, int]]
    outputs: list[int]
    node: Any


@dataclass(eq=False)
class Diagram:
    """All boxes and calls, in the order in which they were made; and the boxes of the roots."""

    boxes: list[Box] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    places: dict[Any, int] = field(default_factory=dict)  # of things, see Box

    def add(self, box: Box) -> int:
        """Enter a box; its place."""
        self.boxes.append(box)
        if box.thing is not None:
            self.places[box.thing] = len(self.boxes) - 1
        return len(self.boxes) - 1

    def nearest(self, depth: int | None, most: int | None) -> set[int]:
        """The boxes that are `depth` operations or fewer from a root; of these the `most` that are nearest."""
        found = dict.fromkeys(self.roots, 0)
        ahead = deque(self.roots)
        while ahead and (most is None or len(found) < most):
            place = ahead.popleft()
            call = self.boxes[place].call
            if call is None or found[place] == depth:
                continue
            for _, each in self.calls[call].inputs:
                if each not in found:
                    found[each] = found[place] + 1
                    ahead.append(each)
        return set(list(found)[:most])


def roots_of(what: str, root: Any) -> list[Any]:
    """The roots in an argument: one Value or Tensor, or a list of them. Raises TypeError, or ValueError for none."""
    roots = list(root) if isinstance(root, (list, tuple)) else [root]
    if not roots:
        raise ValueError(f"{what}: the list of roots is empty")
    for each in roots:
        if not isinstance(each, (Value, Variable)):
            raise TypeError(f"{what}: takes a Value or a Tensor, the root of the graph, got {type(each).__name__}")
    if len({isinstance(each, Value) for each in roots}) > 1:
        raise TypeError(f"{what}: the roots are Values or Tensors, not both")
    for each in roots:
        if isinstance(each, Variable) and each._node is None:
            raise ValueError(f"{what}: the graph is empty: {why_empty(each)}")
    return roots


def why_empty(root: Variable) -> str:
    """Why a Tensor has no graph."""
    dtype = root._data.dtype
    if dtype.kind != "f":
        return f"a Tensor of {dtype} has no gradient, so how it was computed is not recorded"
    if root._requires_grad:
        return "this Tensor is a leaf; give what was computed from it"
    return "this Tensor was computed from nothing that has requires_grad=True, or within no_grad()"
