"""Results of a jitted function: a backward that reaches them says why it can't go on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ..graph import Node, new_number
from ..op import Plan
from ..variable import Variable


def refuse(g: Any) -> Any:
    """The rule of a jitted function."""
    raise RuntimeError(
        "what a jitted function returns carries no graph; take backward() into the function, or detach() its result"
    )


OP: Any = SimpleNamespace(name="jit", outputs=("out",), parameters=("x",), kinds=("",))
PLAN = Plan((0,), (), ((0, refuse, ()),), False)


def sealed(result: Variable, leaves: tuple[Variable, ...]) -> Variable:
    """A result that requires a gradient, of which there is none: it depends on `leaves`."""
    node, data = Node(), result._data
    node.op, node.plan, node.number, node.hooks = OP, PLAN, new_number(), None
    node.edges, node.saved, node.checks, node.arguments = [leaves], [], [], ()
    node.shape, node.dtype = data.shape, data.dtype
    result._node, result._requires_grad = node, True
    return result
