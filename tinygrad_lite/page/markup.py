"""The page as text: the graph drawn by Graphviz, and all numbers as JSON."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ..diagram import CONSTANT, Box, Diagram
from ..drawing import decimal, empty_drawing, kind_of, layout_quickly, shown_text, summary
from ..engine import Value
from .steps import Step

HERE = Path(__file__).parent
WHOLE, EDGE = 400, 16  # elements of an array that is shown whole; rows and columns of a larger one
LONGEST = 28  # characters of a name in the graph


def page(diagram: Diagram, steps: list[Step]) -> str:
    """The page as HTML."""
    parts = {
        "title": html.escape(title(diagram)),
        "css": (HERE / "page.css").read_text(encoding="utf-8"),
        "js": (HERE / "page.js").read_text(encoding="utf-8"),
        "svg": svg(diagram, steps),
        "data": Data(diagram, steps).json(),
    }
    text = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"{{(\w+)}}", lambda match: parts[match[1]], text)


def title(diagram: Diagram) -> str:
    """What the page is about."""
    return f"Backpropagation: {diagram.boxes[diagram.roots[0]].name or 'a graph'}"


def lines(box: Box) -> list[str]:
    """What stands in a box of the graph: what it is, and room for its value and its gradient."""
    name = " ".join(box.name.split())
    name = name if len(name) <= LONGEST else f"{name[: LONGEST - 4]} ..."
    if box.kind == CONSTANT:
        return [name or summary(box.data)]
    of_value = isinstance(box.thing, Value)
    first = (name or "value") if of_value else f"{name}  {kind_of(box)}" if name else kind_of(box)
    room = f"data {decimal(box.data)}00" if of_value else "data -000.0000"
    if box.shape and np.prod(box.shape) != 1:
        room = "data mean -000.0000 std 000.0000"
    return [first, room, room.replace("data", "grad")]


def svg(diagram: Diagram, steps: list[Step]) -> str:
    """The graph drawn by Graphviz; groups have the ids box0, call0, edge0-0 (the first input), out0-0."""
    drawing = empty_drawing("svg", "LR", "explore")
    drawing.attr("graph", bgcolor="transparent", ranksep="0.35", nodesep="0.2")
    drawing.attr("node", fontname="Helvetica,Arial,sans-serif", fontsize="12", style="filled")
    layout_quickly(drawing, len(diagram.boxes))
    arrivals = Counter(step.target for step in steps if step.part is not None)
    for i, box in enumerate(diagram.boxes):
        room = "  10/10" if arrivals[i] > 1 else ""
        label = "\n".join(shown_text(line) for line in lines(box)) + room
        drawing.node(f"n{i}", label, shape="box", id=f"box{i}", **{"class": box.kind})
    for i, call in enumerate(diagram.calls):
        label = shown_text(f"{call.name} {call.arguments}" if call.arguments else call.name or "?")
        drawing.node(f"op{i}", label, shape="ellipse", id=f"call{i}", **{"class": "call"})
        for k, (_, place) in enumerate(call.inputs):
            drawing.edge(f"n{place}", f"op{i}", id=f"edge{i}-{k}")
        for k, place in enumerate(call.outputs):
            drawing.edge(f"op{i}", f"n{place}", id=f"out{i}-{k}")
    text = str(drawing.pipe(encoding="utf-8"))
    return text[text.index("<svg") :]


class Data:
    """What the page's code reads: each array is written once, and meant by its place in a list."""

    def __init__(self, diagram: Diagram, steps: list[Step]) -> None:
        self.diagram, self.steps = diagram, steps
        self.arrays: list[Any] = []
        self.places: dict[Any, int] = {}
        self.alive: list[Any] = []  # so that no id is given again

    def array(self, value: Any) -> int | None:
        """The place of an array or number."""
        if value is None:
            return None
        key: Any = id(value) if isinstance(value, np.ndarray) else (type(value), repr(value))
        if key not in self.places:
            self.alive.append(value)
            self.places[key] = len(self.arrays)
            self.arrays.append(shown_array(value))
        return self.places[key]

    def read(self, value: Any) -> Any:
        """What a rule reads: an array, or text."""
        if isinstance(value, (np.ndarray, np.floating, float)):
            return self.array(value)
        if isinstance(value, (list, tuple)) and any(isinstance(each, np.ndarray) for each in value):
            return f"{len(value)} arrays"
        return " ".join(repr(value).split())[:80]

    def json(self) -> str:
        """All of it, as it may stand within a script element."""
        diagram = self.diagram
        boxes = [
            {
                "kind": box.kind,
                "name": box.name,
                "type": "Value" if isinstance(box.thing, Value) else kind_of(box),
                "data": self.array(box.data),
                "call": box.call,
            }
            for box in diagram.boxes
        ]
        calls = [
            {"name": call.name or "?", "arguments": call.arguments, "inputs": call.inputs, "outputs": call.outputs}
            for call in diagram.calls
        ]
        steps = [
            {
                "kind": step.kind,
                "call": step.call,
                "source": step.source,
                "target": step.target,
                "parameter": step.parameter,
                "rule": step.rule,
                "code": step.code,
                "reads": [[name, self.read(value)] for name, value in step.reads],
                "g": None if isinstance(step.g, tuple) else self.array(step.g),
                **{name: self.array(getattr(step, name)) for name in ("raw", "part", "before", "total")},
            }
            for step in self.steps
        ]
        data = {"boxes": boxes, "calls": calls, "steps": steps, "roots": diagram.roots, "arrays": self.arrays}
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def shown_array(value: Any) -> dict[str, Any]:
    """An array with its statistics; a large one cut to its first rows and columns, with how they are arranged."""
    array = np.asarray(value)
    shown: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype), "size": array.size}
    table = array.reshape(-1, array.shape[-1]) if array.ndim > 1 and array.size else array.reshape(1, -1)
    if array.size > WHOLE:
        table = table[:EDGE, :EDGE]
        with np.errstate(all="ignore"):
            numbers = array.astype(np.float64)
            shown |= {name: plain(getattr(np, name)(numbers)) for name in ("mean", "std", "min", "max")}
        shown["bad"] = int(array.size - np.isfinite(numbers).sum())
    elif array.size > 1:
        with np.errstate(all="ignore"):
            numbers = array.astype(np.float64)
            shown |= {"mean": plain(numbers.mean()), "std": plain(numbers.std())}
            shown |= {"min": plain(numbers.min()), "max": plain(numbers.max())}
    shown["rows"] = [[plain(each) for each in row] for row in table]
    return shown


def plain(number: Any) -> float | int | str:
    """A number with the digits that its dtype has; as text where JSON has none such."""
    if isinstance(number, (bool, np.bool_)):
        return int(number)
    if isinstance(number, (int, np.integer)):
        return int(number)
    shortest = float(str(number)) if isinstance(number, np.floating) else float(number)
    return shortest if np.isfinite(shortest) else str(shortest)
