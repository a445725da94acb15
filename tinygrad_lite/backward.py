"""The backward: walking from a result to the leaves that it was computed from.

Nodes are numbered as they are made, and an operation is made after what it reads; so a walk from the highest number
down meets every node after all those that used its output. That is the whole of it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np

from .arguments import EXPLAINED
from .graph import Node, Output, thread
from .op import INPUT, OUTPUT, Op
from .variable import Memory, Variable, data_of, make, ndarray


def backward(root: Variable, gradient: Any, retain_graph: bool, create_graph: bool) -> None:
    """Add the gradient of `root`, weighted by `gradient`, to the `_grad` of every leaf that it depends on.

    gradient: an ndarray, or with create_graph a Tensor, of the shape of `root`.
    Nothing is added where the walk fails on its way.
    """
    before, thread.grad = thread.grad, create_graph
    try:
        walk = Walk()
        walk.flow(root._node or root, gradient, None)
        walk.run(retain_graph or create_graph, root._result if create_graph else None)
        thread.grad = True  # for a gradient that carries a graph, from now or from an earlier backward
        taken = {id(data_of(gradient))}
        for leaf, grad in walk.leaves.items():
            data = grad._data if isinstance(grad, Variable) else grad
            if data.base is not None or id(data) in taken:  # a gradient shares memory with nothing else
                grad = np.copy(grad)
            taken.add(id(data))
            if leaf._grad is None:
                leaf._grad = grad if isinstance(grad, Variable) else make(leaf._result, grad)
            elif create_graph or leaf._grad._requires_grad:
                leaf._grad = leaf._grad + grad
            else:
                np.add(leaf._grad._data, grad, out=leaf._grad._data)
                leaf._grad._memory.writes += 1
    finally:
        thread.grad = before


class Walk:
    """One way back through a graph: the cotangents of the nodes that wait for their turn, and the leaves' gradients."""

    def __init__(self) -> None:
        self.leaves: dict[Variable, Any] = {}
        self.waiting: dict[int, tuple[Node, list[Any]]] = {}  # by number: a node, and a cotangent for each output
        self.numbers: list[int] = []  # theirs, negative, as a heap: the highest comes first

    def flow(self, edge: Any, grad: Any, op: Op | None) -> None:
        """Add a cotangent to what has arrived at an edge."""
        if edge is None or grad is None:
            return
        if edge.__class__ is tuple:
            if len(edge) != len(grad):
                raise RuntimeError(
                    f"backward: the rule of {op.name if op else None} gave {len(grad)} gradients for {len(edge)} inputs"
                )
            for each_edge, each_grad in zip(edge, grad, strict=True):
                self.flow(each_edge, each_grad, op)
            return
        like = edge._data if isinstance(edge, Variable) else edge
        if grad.__class__ is not ndarray or grad.shape != like.shape or grad.dtype is not like.dtype:
            grad = fit(grad, like, op)
        if like is not edge:
            self.leaves[edge] = self.leaves[edge] + grad if edge in self.leaves else grad
            return
        node, index = (edge.node, edge.index) if edge.__class__ is Output else (edge, 0)
        number = node.number
        if number not in self.waiting:
            heappush(self.numbers, -number)
            self.waiting[number] = node, [None] * len(node.op.outputs)
        parts = self.waiting[number][1]
        parts[index] = grad if parts[index] is None else parts[index] + grad

    def run(self, keep: bool, cls: type[Variable] | None) -> None:
        """Visit all nodes that a cotangent reaches; with `cls` the rules are given Tensors, and so are recorded."""
        while self.numbers:
            node, parts = self.waiting.pop(-heappop(self.numbers))
            g = parts[0] if len(parts) == 1 else tuple(parts)
            if node.kept is not None:
                for index, reference in node.kept:
                    retain(reference(), parts[index])
            saved = unpack(node, cls)
            if not keep and node.plan.holds_arrays:
                node.saved = None
            for target, rule, reads in node.plan.rules:
                edge = tuple([node.edges[i] for i in target]) if isinstance(target, tuple) else node.edges[target]
                try:
                    grad = rule(g, *[saved[i] for i in reads])
                except EXPLAINED as error:
                    said = (str(error).splitlines() or [type(error).__name__])[0]
                    raise RuntimeError(f"backward: the rule of {node.op.name} failed: {said}") from error
                self.flow(edge, grad, node.op)


def retain(variable: Variable | None, grad: Any) -> None:
    """Add a cotangent to the `_grad` of a tensor that asked for it and is still there."""
    if variable is not None and grad is not None:
        copy: Any = np.copy(grad)
        copy = copy if isinstance(copy, Variable) else make(variable._result, copy)
        variable._grad = copy if variable._grad is None else variable._grad + copy


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


def unpack(node: Node, cls: type[Variable] | None) -> list[Any]:
    """What the rules of a node read: arrays, or with `cls` Tensors that lead back to where they came from."""
    saved = node.saved
    if saved is None:
        raise RuntimeError(
            f"backward: the arrays that {node.op.name} needs were freed by an earlier backward(); "
            "call that one with retain_graph=True"
        )
    for _, _, memory, writes in node.checks:
        if memory.writes != writes:
            raise RuntimeError(
                f"backward: {node.op.name} needs an array that was changed in place since; "
                "clone() it before the change, or write x = x + ... in place of x += ..."
            )
    if cls is None:
        return saved
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
    return unpacked


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
