"""What happens in a backward, one thing after another: written down while the engine's own walk does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ReferenceType

import numpy as np

from ..backward import Walk, fit, place_of
from ..diagram import Diagram
from ..engine import Value
from ..graph import Node, Output
from ..mode import Watch, recording
from ..op import Op, Rule, table
from ..rules import rule_source, rule_text
from ..variable import Variable

TABLE = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "**": "power",
    "neg": "negative",
    "abs": "absolute",
}


@dataclass(eq=False)
class Step:
    """One thing that happens.

    kind: "seed" (the root gets its gradient), "rule" (a rule gives the gradient of an input), "sum" (it is summed over
    what was broadcast), "hook" (a function of the user's changed it).
    call: of which operation. source, target: boxes, whose gradient is there, and whose comes. parameter: what the
    operation calls the target. g: the cotangent. rule, code: what the rule computes, and its definition where that is a
    function. reads: what the rule reads, by name. raw: what it gave, or for a sum, what was summed. total: the gradient
    of the target from then on; None where nothing has arrived yet. before: what it was. part: what was added.
    """

    kind: str
    call: int | None = None
    source: int | None = None
    target: int | None = None
    parameter: str = ""
    g: Any = None
    rule: str = ""
    code: str = ""
    reads: list[tuple[str, Any]] = field(default_factory=list)
    raw: Any = None
    part: Any = None
    before: Any = None
    total: Any = None


def steps_of(root: Any, diagram: Diagram) -> list[Step]:
    """The backward from a root, which may have several elements: then it is that of their sum.

    The user's gradients and graph stay as they are.
    """
    return steps_of_values(root, diagram) if isinstance(root, Value) else steps_of_tensors(root, diagram)


def steps_of_values(root: Value, diagram: Diagram) -> list[Step]:
    """The backward of Values: that of each node, edge by edge."""
    order = root._topological()
    grads = [node.grad for node in order]
    steps = [Step("seed", target=diagram.places[root], part=1.0, total=1.0)]
    arrived: set[Value] = set()
    try:
        for node in order:
            node.grad = 0.0
        root.grad = 1.0
        for node in reversed(order):
            for place, (child, slope, run) in enumerate(edges_of(node)):
                befores = {each: each.grad for each in ([child] if child is not None else node._prev)}
                run()
                for each, before in befores.items():
                    step = Step("rule", diagram.boxes[diagram.places[node]].call, diagram.places[node])
                    step.target, step.g, step.total = diagram.places[each], node.grad, each.grad
                    step.before = before if each in arrived else None
                    step.part = step.raw = each.grad - before if slope is None else slope * node.grad
                    step.rule, step.reads = rule_of(node, place, slope), [] if slope is None else [("slope", slope)]
                    arrived.add(each)
                    steps.append(step)
    finally:
        for node, grad in zip(order, grads, strict=True):
            node.grad = grad
    return steps


def edges_of(node: Value) -> list[tuple[Value | None, float | None, Callable[[], None]]]:
    """For each edge to an input: the input, the slope, and the node's own backward for this edge alone.

    Where the node has a backward of another kind, that as a whole.
    """
    if "_backward" in vars(node) or type(node)._backward is not Value._backward:
        return [(None, None, node._backward)]

    def run(edge: tuple[Value, float]) -> None:
        edges, node._edges = node._edges, (edge,)
        try:
            node._backward()
        finally:
            node._edges = edges

    return [(edge[0], edge[1], lambda edge=edge: run(edge)) for edge in node._edges]  # type: ignore[misc]


def rule_of(node: Value, place: int, slope: float | None) -> str:
    """The rule by which a Value passes its gradient on to an input: that of the table, where it has the operation."""
    name = "power" if node._op.startswith("**") else TABLE.get(node._op, node._op)
    op = table.get(name)
    if slope is None:
        return "its own _backward()"
    rule: Any = None if op is None else op.vjp
    if op is not None and isinstance(rule, Mapping):
        rule = rule[op.inputs[place]]
    return "slope * g" if rule is None else text_of(rule)[0]


def steps_of_tensors(root: Any, diagram: Diagram) -> list[Step]:
    """The backward of Tensors."""
    seed = np.ones(root._data.shape, root._data.dtype)
    listener = Listener(diagram)
    with recording(False), listener, np.errstate(all="ignore"):
        walk = Observed(root._result, False)
        walk.listener = listener
        walk.flow(root._node, seed, None)
        walk.run(keep=True)
    return listener.steps


class Listener(Watch):
    """Writes down what rules are run, and what arrives where."""

    def __init__(self, diagram: Diagram) -> None:
        super().__init__()
        self.diagram, self.steps = diagram, list[Step]()
        self.calls = {call.node: i for i, call in enumerate(diagram.calls)}
        self.now = Step("seed")  # what is common to the next arrivals

    def pull(self, node: Node, target: int | tuple[int, ...], rule: Rule, g: Any, reads: list[Any]) -> Any:
        grads = super().pull(node, target, rule, g, reads)
        if node not in self.calls:  # of another graph, which a rule made, such as that of checkpoint()
            return grads
        names = rule.__code__.co_varnames[1 : 1 + len(reads)]
        text, code = text_of(rule)
        call = self.calls[node]
        self.now = Step("rule", call, self.diagram.calls[call].outputs[0], g=g, rule=text, code=code)
        self.now.reads = list(zip(names, reads, strict=True))
        return grads

    def arrives(self, edge: Any, raw: Any, part: Any, before: Any, total: Any) -> None:
        """A contribution, as the rule gave it and as it was added, arrived at an edge."""
        now, target = self.now, self.diagram.places[edge if isinstance(edge, Variable) else place_of(edge)]
        parameter = "" if now.call is None else self.parameter(now.call, target)
        step = Step(now.kind, now.call, now.source, target, parameter, now.g, now.rule, now.code, now.reads, raw)
        self.steps.append(step)
        if raw.shape != part.shape:
            step = Step("sum", now.call, now.source, target, parameter, raw=raw)
            self.steps.append(step)
        step.part, step.before, step.total = part, before, total

    def changes(self, hooks: list[Any], before: Any, after: Any) -> None:
        """Hooks of the user's may have made something else of a gradient, or of the list of several."""
        places = [place for thing, place in self.diagram.places.items() if getattr(thing, "_hooks", None) is hooks]
        for call in self.diagram.calls:
            places += call.outputs if call.node.hooks is hooks else []
        for place in places:
            thing = self.diagram.boxes[place].thing
            index = thing[1] if isinstance(before, list) else None
            was, now = (before, after) if index is None else (before[index], after[index])
            if now is not was and not np.array_equal(now, was, equal_nan=True):
                self.steps.append(Step("hook", target=place, before=was, total=now))

    def parameter(self, call: int, target: int) -> str:
        """What an operation calls the input whose gradient comes next: of a box that is several inputs, one by one."""
        names = [name for name, place in self.diagram.calls[call].inputs if place == target]
        since = [s for s in self.steps if s.call == call and s.target == target and s.kind == "rule"]
        return names[min(len(since), len(names) - 1)]


class Observed(Walk):
    """The engine's walk, which tells a listener of all that flows."""

    listener: Listener

    def arrived(self, edge: Any) -> Any:
        """What has arrived at an edge by now."""
        if isinstance(edge, Variable):
            return self.leaves.get(edge)
        number, index = place_of(edge)
        waits = self.waiting.get(number)
        return None if waits is None else waits[1][index] if isinstance(edge, Output) else waits[1]

    def flow(self, edge: Any, grad: Any, op: Op | None) -> None:
        if grad is None or edge is None or isinstance(edge, tuple):
            super().flow(edge, grad, op)  # which comes back here with each of its parts
            return
        before = self.arrived(edge)
        part = fit(grad, edge._data if isinstance(edge, Variable) else edge, op)
        super().flow(edge, part, op)
        self.listener.arrives(edge, np.asarray(grad), part, before, self.arrived(edge))

    def hooked(self, hooks: list[Any], g: Any, name: str) -> Any:
        """Hooks are run, but for those that keep gradients."""
        changed = super().hooked([each for each in hooks if not isinstance(each[1], ReferenceType)], g, name)
        self.listener.changes(hooks, g, changed)
        return changed


def text_of(rule: Rule) -> tuple[str, str]:
    """A rule as text, and its definition where it is a function; what it is called where its source is not there."""
    try:
        return rule_text(rule), "" if rule.__name__ == "<lambda>" else rule_source(rule)
    except LookupError:
        code = rule.__code__
        return f"rule({', '.join(code.co_varnames[: code.co_argcount])})", ""
