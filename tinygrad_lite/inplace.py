"""Writing in place: `x += y` and `x[i] = v`. The array is written, so views see it; the tensor gets a new node."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .arguments import EXPLAINED, NUMBERS, cast, explain, is_absent, promote
from .graph import Node, Output, apply, record
from .hooks import is_keeper
from .mode import thread
from .op import Op, table
from .variable import Variable, data_of, is_stale, ndarray, refuse_stale, variables_in

V = TypeVar("V", bound=Variable)


def inplace(op: Op, target: V, other: Any) -> V:
    """`target op= other` for an operation on two arrays; returns `target`."""
    is_absent(op, 1, other)
    mode = thread.mode
    recorded = mode.grad and (target._requires_grad or any(v._requires_grad for v in variables_in(other)))
    check_writable(f"in-place {op.name}", target, recorded)
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
            keep_old(result._node, target)
            result = cast(result, target._data.dtype)
            adopt(target, result._node, target._node)
        np.copyto(target._data, result._data, casting="same_kind")
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
        mode.watch.ran(op, args, target)


def is_echo(target: Variable, index: Any, value: Any) -> bool:
    """Whether this is the last step of `x[i] += w`: Python writes the view, changed in place, to its own place."""
    if not isinstance(value, Variable) or target._family is None or value._family is not target._family:
        return False
    if is_stale(value) or target._seen != target._family.recorded - 1:
        return False
    place = target._data[index]
    return isinstance(place, ndarray) and (
        place.__array_interface__["data"] == value._data.__array_interface__["data"]
        and (place.shape, place.strides) == (value._data.shape, value._data.strides)
    )


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
        if root._requires_grad and not target._requires_grad and not is_stale(target):
            raise RuntimeError(
                f"{what}: this view was taken within no_grad() from a tensor that carries a gradient; "
                "write to it within no_grad() too, or take the view outside"
            )


def keep_old(node: Node, target: Variable) -> None:
    """Where a rule reads the array that is about to be overwritten, let it have a copy."""
    assert node.saved is not None
    for place, _, memory, _ in node.checks:
        if memory is target._memory or np.may_share_memory(node.saved[place], target._data):
            node.saved[place] = node.saved[place].copy()  # also where it lies beside the target: it may change later
    node.checks = [check for check in node.checks if check[2] is not target._memory]


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
