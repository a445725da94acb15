"""The backward: walking from a result to the leaves that it was computed from.

Nodes are numbered as they are made, and an operation is made after what it reads; so a walk from the highest number
down meets every node after all those that used its output. That is the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, TypeAlias, TypeVar

import numpy as np

from .arguments import EXPLAINED
from .graph import Node, Output
from .hooks import run_hooks
from .inplace import inplace
from .mode import recording, thread, traces
from .op import ARGUMENT, INPUT, OUTPUT, PLAIN, Op, table
from .variable import Memory, Variable, data_of, make, ndarray

Edge: TypeAlias = Node | Output | Variable | None
V = TypeVar("V", bound=Variable)


def backward(root: Variable, gradient: Variable, retain_graph: bool, create_graph: bool) -> None:
    """Add the gradient of `root`, weighted by `gradient`, to the `_grad` of every leaf that it depends on.

    gradient: a Tensor of the shape of `root`.
    Nothing is added where the walk fails on its way.
    """
    mode = thread.mode
    watch = mode.watch
    recorded = create_graph or traces()
    before, mode.grad = mode.grad, create_graph
    if watch is not None:
        watch.walks(True)
    try:
        walk = Walk(root._result, recorded)
        walk.flow(root._node or root, gradient if recorded else gradient._data, None)
        walk.run(retain_graph or create_graph)
        mode.grad = True  # for a gradient that carries a graph, from now or from an earlier backward
        taken = {id(data_of(gradient))}
        for leaf, grad in walk.leaves.items():
            grad = own(grad, taken)
            if watch is not None:
                watch.grading(leaf, reads=True)
            if leaf._grad is None:
                leaf._grad = grad if isinstance(grad, Variable) else make(leaf._result, grad)
            elif create_graph or leaf._grad._requires_grad:
                leaf._grad = leaf._grad + grad
            elif isinstance(grad, Variable):
                inplace(table["add"], leaf._grad, grad)
            else:
                np.add(leaf._grad._data, grad, out=leaf._grad._data)
                leaf._grad._memory.writes += 1
    finally:
        mode.grad = before
        if watch is not None:
            watch.walks(False)


def own(grad: Any, taken: set[int]) -> Any:
    """The gradient in memory that it shares with nothing else; `taken`: the ids of arrays that are somebody's."""
    data = grad._data if isinstance(grad, Variable) else grad
    if data.base is not None or id(data) in taken:
        grad = np.copy(grad)
    taken.add(id(data))
    return grad


class Walk:
    """One way back through a graph: the cotangents of the nodes that wait for their turn, and the leaves' gradients.

    cls, recorded: the class of Tensors; whether the rules are given Tensors, and so are recorded themselves.
    paths: where given, only they are walked.
    """

    def __init__(self, cls: type[Variable], recorded: bool, paths: Paths | None = None) -> None:
        self.cls, self.recorded, self.paths = cls, recorded, paths
        self.leaves: dict[Variable, Any] = {}
        self.passed: dict[int, Any] = {}  # by number: what arrived at those nodes that paths leads to
        self.waiting: dict[int, list[Any]] = {}  # by number: [node, its cotangent, or a list of one for each output]
        self.numbers: list[int] = []  # theirs, negative, as a heap: the highest comes first

    def flow(self, edge: Any, grad: Any, op: Op | None) -> None:
        """Add a cotangent to what has arrived at an edge."""
        if grad is None or edge is None:
            return
        if edge.__class__ is Node:
            if grad.__class__ is not ndarray or grad.dtype is not edge.dtype or grad.shape != edge.shape:
                grad = fit(grad, edge, op)
            number = edge.number
            waits = self.waiting.get(number)
            if waits is None:
                self.waiting[number] = [edge, grad]
                heappush(self.numbers, -number)
            else:
                waits[1] = waits[1] + grad
        elif edge.__class__ is Output:
            node, index, grad = edge.node, edge.index, fit(grad, edge, op)
            if node.number not in self.waiting:
                self.waiting[node.number] = [node, [None] * len(node.op.outputs)]
                heappush(self.numbers, -node.number)
            parts = self.waiting[node.number][1]
            parts[index] = grad if parts[index] is None else parts[index] + grad
        elif edge.__class__ is tuple:
            if len(edge) != len(grad):
                raise RuntimeError(
                    f"backward: the rule of {op.name if op else None} gave {len(grad)} gradients for {len(edge)} inputs"
                )
            for each_edge, each_grad in zip(edge, grad, strict=True):
                self.flow(each_edge, each_grad, op)
        else:
            data = edge._data
            if grad.__class__ is not ndarray or grad.dtype is not data.dtype or grad.shape != data.shape:
                grad = fit(grad, data, op)
            before = self.leaves.get(edge)
            self.leaves[edge] = grad if before is None else before + grad

    def run(self, keep: bool, hooks: bool = True) -> None:
        """Visit all nodes that a cotangent reaches. hooks: whether those of leaves and of what paths leads to run."""
        paths, watch, recorded, flow = self.paths, thread.mode.watch, self.recorded, self.flow
        waiting, numbers, traced = self.waiting, self.numbers, traces()
        while numbers:
            node, g = waiting.pop(-heappop(numbers))
            if node.hooks is not None and (hooks or paths is None or node.number not in paths.ends):
                g = self.hooked(node.hooks, g, node.op.name)
            edges = node.edges
            if paths is not None:
                if node.number in paths.ends:
                    self.passed[node.number] = g
                edges = paths.edges.get(node.number)
                if edges is None:
                    continue
            if g.__class__ is list:
                g = tuple(g)
            saved = node.saved
            if saved is None:
                raise freed(node)
            for _, _, memory, writes in node.checks:
                if memory.writes != writes:
                    raise changed(node)
            plan = node.plan
            if plan.holds_arrays and not keep and (node.checks or any(map(is_array, saved))):
                node.saved = None
            if recorded:
                saved = linked_reads(node, saved, self.cls, traced)
            for target, rule, reads in plan.rules:
                edge = edges[target] if target.__class__ is int else tuple([edges[i] for i in target])
                if edge is None:
                    continue
                try:
                    if watch is not None:
                        grad = watch.pull(node, target, rule, g, [saved[i] for i in reads])
                    elif reads:
                        grad = rule(g, *map(saved.__getitem__, reads))
                    else:
                        grad = rule(g)
                except EXPLAINED as error:
                    said = (str(error).splitlines() or [type(error).__name__])[0]
                    raise RuntimeError(f"backward: the rule of {node.op.name} failed: {said}") from error
                flow(edge, grad, node.op)
        for leaf in self.leaves:
            if leaf._hooks is not None and hooks:
                self.leaves[leaf] = self.hooked(leaf._hooks, self.leaves[leaf], "a leaf")

    def hooked(self, hooks: list[Any], g: Any, name: str) -> Any:
        """What hooks make of a cotangent, or of the list of those of several outputs."""
        if g.__class__ is list:
            return [run_hooks(hooks, i, each, self.cls, self.recorded, name) for i, each in enumerate(g)]
        return run_hooks(hooks, 0, g, self.cls, self.recorded, name)


def is_array(saved: Any) -> bool:
    """Whether it takes memory: what is kept may be an index, or one of Python's numbers."""
    return isinstance(saved, ndarray) or (isinstance(saved, (list, tuple)) and any(map(is_array, saved)))


def edge_of(variable: Variable) -> Edge:
    """Where the cotangent of a tensor goes."""
    return (variable._node or variable) if variable._requires_grad else None


def place_of(edge: Edge) -> tuple[int, int]:
    """The number of the node that an edge leads to, and which of its outputs; (0, 0) for a leaf."""
    if edge is None or isinstance(edge, Variable):
        return 0, 0
    return (edge.node.number, edge.index) if isinstance(edge, Output) else (edge.number, 0)


def reach(edges: Iterable[Any], since: int) -> tuple[dict[int, Node], list[Edge]]:
    """All nodes from number `since` on that edges lead to, by number; and the edges that lead to what is beyond."""
    found: dict[int, Node] = {}
    beyond: dict[Any, Edge] = {}
    ahead = list(edges)
    while ahead:
        edge = ahead.pop()
        node = edge.node if edge.__class__ is Output else edge
        if node.__class__ is Node:
            if node.number < since:
                beyond[place_of(edge)] = edge
            elif node.number not in found:
                found[node.number] = node
                ahead += node.edges
        elif edge.__class__ is tuple:
            ahead += edge
        elif edge is not None:
            beyond[edge] = edge
    return found, list(beyond.values())


class Paths:
    """The ways through a graph that lead from outputs to targets: what a walk needs to visit for them, and no more.

    since: what has a lower number leads to no target.
    """

    def __init__(self, outputs: Sequence[Edge], targets: Sequence[Edge], since: int = 0) -> None:
        self.targets = targets
        self.leaves = {target for target in targets if isinstance(target, Variable)}
        self.places = {place_of(target) for target in targets} - {(0, 0)}
        self.ends = {number for number, _ in self.places}  # the numbers of targets that are no leaves
        if not self.leaves and self.ends:
            since = max(since, min(self.ends))
        self.edges: dict[int, list[Any]] = {}  # of each node on the way: with None for those that lead elsewhere
        self.open = bool(self.ends)  # whether the gradients may depend on other things that require one
        self.over: set[int] = set()  # the numbers of nodes whose edges have all `ended`
        found, _ = reach(outputs, since)
        lead, ways = self.lead, self.edges
        for number in sorted(found):
            edges = found[number].edges
            leading = [each if each.__class__ is Node and each.number in ways else lead(each) for each in edges]
            if any(each is not None for each in leading):
                ways[number] = leading
                self.open = self.open or self.stray(edges, leading)
            elif not self.stray(edges, leading):
                self.over.add(number)
        self.outputs = [lead(each) for each in outputs]
        self.open = self.open or self.stray(outputs, self.outputs)

    def lead(self, edge: Any) -> Any:
        """An edge that leads to a target; None in place of one that does not."""
        if edge.__class__ is Node:
            return edge if edge.number in self.edges or (edge.number, 0) in self.places else None
        if edge is None:
            return None
        if edge.__class__ is tuple:
            edges = tuple([self.lead(each) for each in edge])
            return edges if any(each is not None for each in edges) else None
        if edge.__class__ is Output:
            return edge if edge.node.number in self.edges or place_of(edge) in self.places else None
        return edge if edge in self.leaves else None

    def stray(self, edges: Iterable[Any], leading: Iterable[Any]) -> bool:
        """Whether one of the edges requires a gradient, and leads to no target."""
        for edge, lead in zip(edges, leading, strict=True):
            if edge is lead:
                continue
            if edge.__class__ is tuple:
                if self.stray(edge, lead or (None,) * len(edge)):
                    return True
            elif not self.ended(edge):
                return True
        return False

    def ended(self, edge: Edge) -> bool:
        """Whether an edge leads only to leaves of calls that are over: nobody differentiates by them any more."""
        return not edge._requires_grad if isinstance(edge, Variable) else place_of(edge)[0] in self.over

    def pull(
        self, cotangents: Sequence[Any], cls: type[Variable], keep: bool, recorded: bool, hooks: bool = True
    ) -> list[Any]:
        """The gradients of the targets, as arrays, or recorded as Tensors; None where nothing arrives.

        cotangents: of the outputs, likewise arrays or Tensors. They, and what the graph keeps, may share memory with
        the gradients. hooks: whether those of the targets run; not where another walk goes on from there.
        """
        traced = traces()
        if traced:  # so that it is seen what becomes of them
            cotangents = [each if isinstance(each, Variable) else make(cls, each) for each in cotangents]
        with recording(recorded):
            walk = Walk(cls, recorded or traced, self)
            for edge, cotangent in zip(self.outputs, cotangents, strict=True):
                walk.flow(edge, cotangent, None)
            walk.run(keep, hooks)
        found = []
        for target in self.targets:
            if isinstance(target, Variable):
                found.append(walk.leaves.get(target))
            else:
                number, index = place_of(target)
                passed = walk.passed.get(number)
                found.append(passed[index] if passed.__class__ is list else passed)
        return found


def gradients(
    outputs: Sequence[V],
    inputs: Sequence[Variable],
    cotangents: Sequence[Any],
    retain_graph: bool = False,
    create_graph: bool = False,
) -> list[V]:
    """The gradients of `inputs`, whether leaves or not, of the outputs weighted by cotangents of their shapes.

    Nothing is added to any `_grad`. An input that no output depends on has zeros.
    """
    cls: Any = outputs[0]._result
    if not create_graph:
        cotangents = [data_of(each) for each in cotangents]
    paths = Paths([edge_of(each) for each in outputs], [edge_of(each) for each in inputs])
    found = paths.pull(cotangents, cls, retain_graph or create_graph, create_graph)
    return tensors(cls, found, inputs, cotangents)


def tensors(cls: Any, grads: Sequence[Any], like: Sequence[Variable], cotangents: Iterable[Any]) -> list[Any]:
    """Gradients as Tensors that share memory with nothing else; zeros for None."""
    taken = {id(data_of(each)) for each in cotangents}
    made = []
    for grad, x in zip(grads, like, strict=True):
        grad = constant(cls, np.zeros(x._data.shape, x._data.dtype)) if grad is None else own(grad, taken)
        made.append(grad if isinstance(grad, Variable) else make(cls, grad))
    return made


def constant(cls: Any, array: Any) -> Any:
    """A Tensor of numbers that are always the same."""
    tensor = make(cls, array)
    if thread.mode.watch is not None:
        thread.mode.watch.made(tensor, None)
    return tensor


def fit(grad: Any, like: Any, op: Op | None) -> Any:
    """The gradient in the shape and dtype of what it is the gradient of: broadcasting summed away."""
    if grad.__class__ is not ndarray and not isinstance(grad, Variable):
        grad = np.asarray(grad)
    if grad.shape != like.shape:
        grad = unbroadcast(grad, like.shape, op)
    return grad if grad.dtype is like.dtype else grad.astype(like.dtype)


def unbroadcast(grad: Any, shape: tuple[int, ...], op: Op | None) -> Any:
    """Sum over the axes along which an array of `shape` was repeated to give the shape of `grad`."""
    given = grad.shape
    extra = len(given) - len(shape)
    if extra > 0:
        grad = np.add.reduce(grad, axis=0 if extra == 1 else tuple(range(extra)))
    elif extra < 0:
        grad = grad.reshape((1,) * -extra + given)
    if grad.shape != shape:
        ones = tuple([i for i, n in enumerate(shape) if n == 1])
        grad = np.add.reduce(grad, axis=ones, keepdims=True)
    if grad.shape != shape:
        name = op.name if op else "the root"
        raise RuntimeError(f"backward: {name}: a gradient of shape {given} for an input of shape {shape}")
    return grad


def freed(node: Node) -> RuntimeError:
    """What is raised where the arrays of a node are gone."""
    return RuntimeError(
        f"backward: the arrays that {node.op.name} needs were freed by an earlier backward(); "
        "call that one with retain_graph=True"
    )


def changed(node: Node) -> RuntimeError:
    """What is raised where an array was written to since it was saved."""
    return RuntimeError(
        f"backward: {node.op.name} needs an array that was changed in place since; "
        "clone() it before the change, or write x = x + ... in place of x += ..."
    )


def linked_reads(node: Node, saved: list[Any], cls: type[Variable], traced: bool) -> list[Any]:
    """What the rules of a node read, with Tensors, which lead back to where they came from, for the arrays.

    traced: whether those that lead nowhere are Tensors, too, so that all that a rule does is seen.
    """
    memories = {(i, element): memory for i, element, memory, _ in node.checks}
    unpacked = list(saved)
    for k, (kind, i) in enumerate(node.plan.keep):
        if kind == INPUT:
            edge = node.edges[i]
            if edge.__class__ is tuple:
                parts = enumerate(zip(saved[k], edge, strict=True))
                unpacked[k] = tuple([linked(cls, a, e, memories.get((k, j))) for j, (a, e) in parts])
            else:
                unpacked[k] = linked(cls, saved[k], edge, memories.get((k, 0)))
        elif kind == OUTPUT:
            edge = node if len(node.op.outputs) == 1 else Output(node, i, saved[k])
            unpacked[k] = linked(cls, saved[k], edge, memories.get((k, 0)))
    if traced:
        kinds, keep = node.op.kinds, node.plan.keep
        plain = [kind == ARGUMENT and kinds[i] is PLAIN for kind, i in keep]
        return [each if is_plain else wrapped(cls, each) for each, is_plain in zip(unpacked, plain, strict=True)]
    return unpacked


def wrapped(cls: type[Variable], value: Any) -> Any:
    """Tensors for arrays, however nested, but for masks, which stand in an index."""
    if isinstance(value, ndarray):
        return value if value.dtype.kind == "b" else make(cls, value)
    if isinstance(value, (list, tuple)) and any(isinstance(each, (ndarray, list, tuple)) for each in value):
        return type(value)([wrapped(cls, each) for each in value])
    return value


def linked(cls: type[Variable], array: Any, edge: Any, memory: Memory | None) -> Any:
    """A Tensor of the saved array whose gradient goes where `edge` says."""
    if edge is None or (isinstance(edge, Variable) and edge._data is array):
        return array if edge is None else edge
    if isinstance(edge, Variable):
        raise RuntimeError("backward: the .data of a leaf was replaced since the graph was made; run the forward again")
    variable = make(cls, array)
    variable._node, variable._requires_grad = edge, True
    variable._memory = memory or Memory()
    return variable
