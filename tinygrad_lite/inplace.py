"""Writing in place: `x += y` and `x[i] = v`. The array is written, so views see it; the tensor gets a new node."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .arguments import EXPLAINED, NUMBERS, cast, explain, is_absent, promote
from .graph import Node, Output, apply, record
from .hooks import is_keeper
from .mode import thread
from .op import INPUT, Op, table
from .variable import Frozen, Variable, data_of, is_stale, refuse_stale, shares_memory, variables_in

V = TypeVar("V", bound=Variable)


def inplace(op: Op, target: V, other: Any) -> V:
    """`target op= other` for an operation on two arrays; returns `target`."""
    is_absent(op, 1, other)
    mode = thread.mode
    recorded = mode.grad and (target._requires_grad or any(v._requires_grad for v in variables_in(other)))
    check_writable(f"in-place {op.name}", target, recorded)
    refuse_overlap(f"in-place {op.name}", target, ..., other)
    if mode.grad:
        refuse_stale(f"in-place {op.name}", target)
        for variable in variables_in(other):
            refuse_stale(f"in-place {op.name}", variable)
    if recorded or mode.watch is not None:
        result = apply(op, (target, other))
        if result._data.shape != target._data.shape or not np.can_cast(
            result._data.dtype, target._data.dtype, "same_kind"
        ):
            raise ValueError(
                f"in-place {op.name}: the result, {result._data.dtype}{list(result._data.shape)}, does not fit into "
                f"{target._data.dtype}{list(target._data.shape)}; write x = x {op.name} ... instead"
            )
        if recorded:
            keep_old(result._node)
            result = cast(result, target._data.dtype)
            adopt(target, result._node, target._node)
        np.copyto(target._data, result._data, casting="same_kind")
        if mode.watch is not None:
            mode.watch.wrote(target, result)
    else:
        left, right = target._data, data_of(other)
        if not (right.__class__ in NUMBERS or (isinstance(other, Variable) and left.dtype is right.dtype)):
            left, right = data_of(promote(op, (target, other)))
        try:
            op.numpy[0](left, right, target._data, casting="same_kind")
        except EXPLAINED as error:
            raise explain(op, (left, right), error) from None
    target._memory.writes += 1
    return target


def setitem(target: Variable, index: Any, value: Any) -> None:
    """`target[index] = value`."""
    op = table["setitem"]
    is_absent(op, 1, value)
    mode = thread.mode
    recorded = mode.grad and (target._requires_grad or any(v._requires_grad for v in variables_in(value)))
    check_writable("x[...] = value", target, recorded)
    if recorded and target._data.dtype.kind != "f":
        raise TypeError(f"x[...] = value: {target._data.dtype} can't carry the gradient of the value; detach() it")
    args = (target, value, index)
    values = [target._data, data_of(value), data_of(index)]
    if mode.grad:
        for variable in variables_in(value):
            refuse_stale("x[...] = value", variable)
        if is_stale(target) and not is_echo(target, values[2], value):
            refuse_stale("x[...] = value", target)
    try:
        refuse_overlap("x[...] = value", target, values[2], value)
        target._data[values[2]] = values[1]
    except EXPLAINED as error:
        raise explain(op, values, error) from None
    if recorded:
        needed = target._requires_grad | (any(v._requires_grad for v in variables_in(value)) << 1)
        before = target._node
        record(op, args, values, needed, target)
        adopt(target, target._node, before)
    target._memory.writes += 1
    if mode.watch is not None:
        mode.watch.ran(op, args, args, target, target._data)


def is_echo(target: Variable, index: Any, value: Any) -> bool:
    """Whether this is the last step of `x[i] += w`: Python writes the view, changed in place, to its own place."""
    if not isinstance(value, Variable) or target._family is None or value._family is not target._family:
        return False
    if is_stale(value) or target._seen != target._family.recorded - 1:
        return False
    place = table["getitem"].forward(target._data, index)
    return is_same(place, value._data)


def is_same(one: Any, other: Any) -> bool:
    """Whether two arrays are one and the same part of memory."""
    return one.__array_interface__["data"] == other.__array_interface__["data"] and (
        (one.shape, one.strides) == (other.shape, other.strides)
    )


def refuse_overlap(what: str, target: Variable, index: Any, other: Any) -> None:
    """Refuse an operand that overlaps with the part that is written, unless it is that part."""
    if not isinstance(other, Variable) or other._memory is not target._memory:
        return
    place = table["getitem"].forward(target._data, index)
    if not shares_memory(place, target._data):  # the elements are named one by one
        place = target._data
    elif is_same(place, other._data):
        return
    if np.shares_memory(place, other._data):
        raise RuntimeError(f"{what}: the operand overlaps with what is written; clone() it first")


def check_writable(what: str, target: Variable, recorded: bool) -> None:
    """Refuse what can't be written to, or whose gradient would be lost."""
    if not target._data.flags.writeable:
        raise ValueError(f"{what}: the array is read-only (a broadcast view?); clone() gives one that is not")
    if thread.mode.grad:
        root = target if target._base is None else target._base
        if root._requires_grad and root._node is None:
            view = "" if root is target else "a view of "
            raise RuntimeError(
                f"{what}: {view}a leaf that requires a gradient can't be written in place; "
                "do it within no_grad(), or write x = x + ..."
            )
        if isinstance(target._family, Frozen) and (recorded or root._requires_grad):
            raise RuntimeError(
                f"{what}: this view comes from iterating, unstack or no_grad(), so that a write can't be followed; "
                "write to x[i] instead, or within no_grad()"
            )


def keep_old(node: Node) -> None:
    """Where a rule, or a drawing, reads the target, which is about to be overwritten, let it have a copy."""
    assert node.saved is not None
    for place, i in enumerate(node.plan.constants):
        if i == 0 and isinstance(node.constants[place], np.ndarray):
            node.constants[place] = node.constants[place].copy()
    for place, kept in enumerate(node.plan.keep):
        if kept == (INPUT, 0):
            old, node.saved[place] = node.saved[place], node.saved[place].copy()
            if thread.mode.watch is not None:
                thread.mode.watch.took(old, node.saved[place])
            node.checks = [check for check in node.checks if check[0] != place]


def adopt(target: Variable, node: Node, before: Node | Output | None) -> None:
    """Let `target` come from `node`, and every other tensor in its memory know that its own node is stale."""
    before = before.node if isinstance(before, Output) else before
    if before is not None and before.hooks is not None:  # retain_grad() is for the tensor as it is in the end
        mine = [entry for entry in before.hooks if is_keeper(entry, target)]
        before.hooks = [entry for entry in before.hooks if entry not in mine]
        node.hooks = [(0, keeper) for _, keeper in mine]
    target._node, target._requires_grad = node, True
    if target._family is not None:
        target._family.recorded += 1
        target._seen = target._family.recorded
