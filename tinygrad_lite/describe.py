"""From a root to the diagram of its graph: names, arguments, and the numbers that are there or can be had again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any
from weakref import ReferenceType

import numpy as np

from .backward import edge_of, place_of, reach
from .diagram import ARRAY, CONSTANT, PARAMETER, RESULT, Box, Call, Diagram
from .engine import Value
from .graph import Node, Output
from .mode import recording
from .naming import names_in, users_frames
from .op import INDEX, INPUT, OUTPUT, SEQUENCE, table
from .variable import Seen, Variable, is_stale, ndarray

LONGEST = 40  # characters of an argument that are shown


def describe(roots: Sequence[Any], names: dict[Any, str] | None = None) -> Diagram:
    """The graph that leads to some roots, all Values or all Tensors.

    names: what the user calls them, and arrays, by their id; None: as his variables do. What the graph did not keep of
    Tensors is computed again from what is there; where something was changed since, it is None.
    """
    if isinstance(roots[0], Value):
        return described_values(roots, names_of((Value,)) if names is None else names)
    return Describer(roots, names_of((Variable, ndarray)) if names is None else names).diagram


def names_of(kinds: tuple[type, ...]) -> dict[Any, str]:
    """What the user calls his things, in the innermost of his frames that know them; arrays by their id."""
    found: dict[Any, str] = {}
    for frame in users_frames():
        for name, thing in sorted(names_in(frame, kinds), key=lambda pair: pair[0].startswith("_")):
            found.setdefault(id(thing) if isinstance(thing, ndarray) else thing, name)
    return found


def described_values(roots: Sequence[Any], names: dict[Any, str]) -> Diagram:
    """The graph of Values."""
    diagram = Diagram()
    for node in dict.fromkeys(each for root in roots for each in root._topological()):
        name = str(node.label) or names.get(node, "")
        kind = RESULT if node._prev else PARAMETER if name else CONSTANT
        place = diagram.add(Box(kind, name, (), "float", node.data, node.grad, thing=node))
        if node._prev:
            diagram.boxes[place].call = len(diagram.calls)
            inputs = [("", diagram.places[child]) for child in node._prev]
            diagram.calls.append(Call(str(node._op), "", inputs, [place], node))
    diagram.roots = [diagram.places[root] for root in roots]
    return diagram


class Describer:
    """Describes a graph of Tensors."""

    def __init__(self, roots: Sequence[Any], names: dict[Any, str]) -> None:
        self.names, self.diagram = names, Diagram()
        self.called = {id(each._data) if isinstance(each, Variable) else each: name for each, name in names.items()}
        self.arrays: dict[int, int] = {}  # the boxes of constant arrays, by the id of the array
        found, _ = reach([edge_of(root) for root in roots], 0)
        nodes = [found[number] for number in sorted(found)]
        edges = [root._node for root in roots] + [each for node in nodes for edge in node.edges for each in flat(edge)]
        self.outputs: dict[int, dict[int, Any]] = {number: {} for number in found}  # that something was computed from
        for edge in edges:
            if isinstance(edge, (Node, Output)):
                number, index = place_of(edge)
                self.outputs[number][index] = edge
        for node in nodes:
            self.enter(node)
        self.diagram.roots = [self.diagram.places[place_of(root._node)] for root in roots]
        keepers = [hook() for node in nodes for _, hook in node.hooks or () if isinstance(hook, ReferenceType)]
        for variable in (*roots, *keepers, *names):
            if isinstance(variable, Variable) and variable._node is not None and not is_stale(variable):
                self.know(variable._node, variable._data, variable._grad, names.get(variable, ""))
        for node in nodes:
            self.read(node)
        self.compute()

    def enter(self, node: Node) -> None:
        """A call, with the boxes of its outputs, and of those inputs that are not there yet."""
        op = node.op
        constants = dict(zip(node.plan.constants, getattr(node, "constants", ()), strict=False))
        inputs, words = [], []
        for i, edge in enumerate(node.edges):
            name, constant = op.parameters[i], constants.get(i)
            if op.kinds[i] is INDEX:
                words.append(f"[{self.index(constant)}]")
                continue
            several = isinstance(edge, tuple) or (op.kinds[i] is SEQUENCE and isinstance(constant, (list, tuple)))
            edges = edge if isinstance(edge, tuple) else (edge,)
            values = constant if several and isinstance(constant, (list, tuple)) else (constant,)
            for k, (each, value) in enumerate(zip_longest(edges, values)):
                if each is not None or value is not None:
                    inputs.append((f"{name}[{k}]" if several else name, self.input(each, value)))
        for i, value in zip(getattr(op, "plain", ()), node.arguments, strict=False):
            name = op.parameters[i]
            if name not in op.defaults or repr(value) != repr(op.defaults[name]):
                words.append(f"{name}={shortened(value)}")
        made = []
        for _, edge in sorted(self.outputs[node.number].items()):
            box = Box(RESULT, "", edge.shape, edge.dtype, call=len(self.diagram.calls), thing=place_of(edge))
            made.append(self.diagram.add(box))
        self.diagram.calls.append(Call(op.name, " ".join(words), inputs, made, node))

    def input(self, edge: Any, constant: Any) -> int:
        """The box of an input: a result, a leaf, or a constant."""
        if isinstance(edge, Variable):
            known = self.diagram.places.get(edge)
            data, grad = edge._data, None if edge._grad is None else edge._grad._data
            box = Box(PARAMETER, self.names.get(edge, ""), data.shape, data.dtype, data, grad, thing=edge)
            return self.diagram.add(box) if known is None else known
        if edge is not None:
            return self.diagram.places[place_of(edge)]
        array = constant() if isinstance(constant, Seen) else constant
        if not isinstance(constant, (ndarray, Seen)):
            number = np.asarray(constant)
            return self.diagram.add(Box(CONSTANT, shortened(constant), number.shape, type(constant).__name__, number))
        known = self.arrays.get(id(array)) if array is not None else None
        if known is None:
            kind = ARRAY if constant.shape else CONSTANT
            known = self.diagram.add(Box(kind, self.name_of(array), constant.shape, constant.dtype, array))
            self.arrays[id(array)] = known
        return known

    def name_of(self, array: Any) -> str:
        """What the user calls an array, or the Tensor that holds it."""
        return "" if array is None else self.called.get(id(array), "")

    def index(self, index: Any) -> str:
        """An index as it is written."""
        if isinstance(index, tuple):
            return ", ".join(map(self.index, index))
        if isinstance(index, slice):
            parts = ["" if each is None else str(each) for each in (index.start, index.stop, index.step)]
            return ":".join(parts[: 2 + bool(parts[2])])
        if isinstance(index, (ndarray, Seen)):
            array = index() if isinstance(index, Seen) else index
            return self.name_of(array) or f"{index.dtype}{list(index.shape)}"
        return "..." if index is Ellipsis else shortened(index)

    def know(self, edge: Any, data: Any, grad: Any = None, name: str = "") -> None:
        """Enter what is known of a result."""
        place = self.diagram.places.get(place_of(edge))
        if place is not None:
            box = self.diagram.boxes[place]
            box.data = data if box.data is None else box.data
            box.name = box.name or name
            box.grad = grad._data if box.grad is None and grad is not None else box.grad

    def read(self, node: Node) -> None:
        """Enter what a node keeps, and nobody has written to since."""
        written = {(i, element) for i, element, memory, writes in node.checks if memory.writes != writes}
        for k, (kind, i) in enumerate(node.plan.keep if node.saved is not None else ()):
            assert node.saved is not None
            if kind == OUTPUT and (k, 0) not in written and i in self.outputs[node.number]:
                self.know(self.outputs[node.number][i], np.asarray(node.saved[k]))
            elif kind == INPUT:
                edge = node.edges[i]
                pairs = zip(edge, node.saved[k], strict=True) if isinstance(edge, tuple) else [(edge, node.saved[k])]
                for element, (each, data) in enumerate(pairs):
                    if isinstance(each, (Node, Output)) and (k, element) not in written:
                        self.know(each, data)

    def compute(self) -> None:
        """Compute the results that are not known, and believe it only where the known ones come out the same."""
        boxes, computed = self.diagram.boxes, list[int]()
        if all(box.data is not None for box in boxes):
            return
        for call in self.diagram.calls:
            values = forward(call, boxes)
            if values is None:
                continue
            for place in call.outputs:
                box = boxes[place]
                value = values[box.thing[1]]
                if value.shape != box.shape or (box.data is not None and not alike(value, box.data)):
                    for each in computed:
                        boxes[each].data = None
                    return
                if box.data is None:
                    box.data = value.astype(box.dtype, copy=False)
                    computed.append(place)


def forward(call: Call, boxes: list[Box]) -> list[Any] | None:
    """The outputs of a call, computed again; None where something is not there for that."""
    node: Node = call.node
    op = node.op
    if table.get(op.name) is not op or any(boxes[place].data is None for _, place in call.inputs):
        return None
    values: list[Any] = [None] * len(op.parameters)
    for i, value in zip(op.plain, node.arguments, strict=True):
        values[i] = value
    constants = dict(zip(node.plan.constants, getattr(node, "constants", ()), strict=False))
    given = dict(call.inputs)
    for i, name in enumerate(op.parameters):
        if op.kinds[i] is INDEX:
            values[i] = alive(constants[i])
        elif op.kinds[i] is SEQUENCE:
            values[i] = [boxes[place].data for each, place in call.inputs if each.startswith(f"{name}[")]
        elif name in given:
            box = boxes[given[name]]
            values[i] = box.data if isinstance(box.dtype, np.dtype) else constants[i]
    try:
        with recording(False), np.errstate(all="ignore"):
            out = op.forward(*values)
    except Exception:  # an index that is gone, what was changed since: then it is not known
        return None
    return [np.asarray(each) for each in (out if len(op.outputs) > 1 else (out,))]


def alive(constant: Any) -> Any:
    """A constant with the arrays that are still there."""
    if isinstance(constant, Seen):
        return constant()
    return type(constant)(map(alive, constant)) if isinstance(constant, (list, tuple)) else constant


def alike(computed: Any, known: Any) -> bool:
    """Whether two arrays are the same but for rounding."""
    loose = float(np.sqrt(np.finfo(known.dtype).eps)) if known.dtype.kind == "f" else 0.0
    return bool(np.allclose(computed, known, rtol=loose, atol=loose * 1e-3, equal_nan=True))


def flat(edge: Any) -> Iterator[Any]:
    """The edges in an edge."""
    if isinstance(edge, tuple):
        for each in edge:
            yield from flat(each)
    elif edge is not None:
        yield edge


def shortened(value: Any) -> str:
    """A value as it is written, in few characters."""
    text = value.__name__ if isinstance(value, type) else str(value) if isinstance(value, np.dtype) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
