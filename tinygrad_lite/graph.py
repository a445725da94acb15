"""The graph: recording operations as they run.

`apply` runs an operation and, where an input requires a gradient, remembers it as a `Node`: where its inputs come
from, and what its rules will read. `backward.py` walks back through the nodes.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import (
    EXPLAINED,
    FLOAT16,
    FLOAT32,
    NUMBERS,
    as_array,
    cast,
    explain,
    is_absent,
    number,
    promote,
    refuse_unknown_gradient,
)
from .mode import thread
from .op import INPUT, NEEDED, ONE, OUTPUT, SEQUENCE, SHAPE, Op, Plan, table
from .variable import (
    Memory,
    Variable,
    data_of,
    is_stale,
    make,
    ndarray,
    noted,
    owned,
    refuse_stale,
    share,
    shares_memory,
    variables_in,
)

if TYPE_CHECKING:
    from .hooks import Hook

new_number = count(1).__next__
TENSORLESS = frozenset({ndarray, slice, int})  # what has no Tensor in it, and needs no further look
CONSTANTS = frozenset({int, float, bool, str, type(None)})  # what nobody can change
SETTLED = CONSTANTS | {tuple}  # plain arguments that are taken as they are


class Node:
    """One operation that was recorded."""

    __slots__ = (
        "arguments",  # the plain ones, such as axis
        "checks",  # (position in saved, element there, Memory, writes then) of the arrays that a tensor can write to
        "constants",  # what is `noted` of plan.constants; unset where there are none
        "dtype",
        "edges",  # for each parameter, where its cotangent goes: a Node, an Output, a leaf, a tuple of these, None
        "hooks",  # None, or what wants to see its cotangents: see hooks.py
        "line",  # where the user called the operation; set by anomaly mode only
        "number",
        "op",
        "plan",
        "saved",  # what the rules read, in the order of plan.keep; None once freed
        "shape",
    )
    arguments: tuple[Any, ...]
    checks: list[tuple[int, int, Memory, int]]
    constants: list[Any]
    dtype: Any
    edges: list[Any]
    hooks: list[Hook] | None
    line: tuple[str, int]
    number: int
    op: Op
    plan: Plan
    saved: list[Any] | None
    shape: Any


class Output:
    """One output of a node that has several."""

    __slots__ = ("dtype", "index", "node", "shape")

    def __init__(self, node: Node, index: int, data: Any) -> None:
        self.node, self.index, self.shape, self.dtype = node, index, data.shape, data.dtype


def apply(op: Op, args: tuple[Any, ...]) -> Any:
    """Run `op` on all of its arguments, in order, and record it where an input requires a gradient.

    Returns plain arrays where no argument is a Tensor, else Tensors.
    """
    for i in op.plain:
        if args[i].__class__ not in SETTLED:
            args = with_numbers(op, args)
            break
    values = list(args)
    given = args
    first = dtype = None
    needed = 0
    even = True  # whether NumPy's promotion is ours: float Tensors of one dtype, and Python's numbers
    stale = None
    for i in op.singles:
        arg = args[i]
        if isinstance(arg, Variable):
            values[i] = data = arg._data
            if arg._requires_grad:
                needed |= 1 << i
            if arg._family is not None and is_stale(arg):
                stale = arg
            if first is None:
                first = arg
                dtype = data.dtype
            elif data.dtype is not dtype:
                even = False
        elif arg.__class__ not in NUMBERS and not is_absent(op, i, arg):
            even = False
    for i in op.others:
        each = args[i]
        if each.__class__ in TENSORLESS:
            continue
        if isinstance(each, Variable) and op.kinds[i] is SEQUENCE:  # a Tensor for the sequence of its parts
            return apply(op, (*args[:i], list(table["unstack"].function(each)), *args[i + 1 :]))
        values[i] = data_of(each)
        if op.kinds[i] is ONE:
            is_absent(op, i, each)
        for arg in (each,) if isinstance(each, Variable) else variables_in(each):
            first = arg if first is None else first
            if arg._requires_grad:
                needed |= 1 << i
            if is_stale(arg):
                stale = arg
    if first is not None and op.promoted and (not even or dtype is None or dtype.kind != "f"):
        args = promote(op, args)
        for i in op.promoted:
            values[i] = data_of(args[i])
    if op.wide and (dtype is FLOAT16 or not even) and is_half(op, args):
        return narrowed(op, args)

    try:
        out = op.forward(*values)
    except EXPLAINED as error:
        raise explain(op, values, error) from None
    mode = thread.mode
    if mode.watch is not None and len(op.outputs) > 1:
        out = getattr(out, "_make", tuple)([np.asarray(each) for each in out])
    shown = out
    if op.visible < len(op.outputs):
        shown = out[: op.visible] if op.visible > 1 else out[0]
    if first is None:
        return shown
    if op.visible > 1:
        each_made = [make(first._result, each) for each in shown]
        results: Any = getattr(shown, "_make", tuple)(each_made)  # named, as what NumPy's factorisations return
    else:
        results = make(first._result, shown)
        if op.view and isinstance(args[0], Variable) and shares_memory(results._data, args[0]._data):
            share(args[0], results)
    if op.vjp is not None and mode.grad:
        if stale is not None:
            refuse_stale(op.name, stale)
        if needed:
            record(op, args, values, needed, results, out)
    if mode.watch is not None:
        mode.watch.ran(op, given, args, results, out)
    return results


def with_numbers(op: Op, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, with Python's numbers for plain ones that are 0-d Tensors, 0-d arrays or NumPy's scalars.

    NumPy's would widen a result; the gradient of a Tensor would be dropped, and is refused. A composite is left its
    Tensors: its body may compute with them.
    """
    for i in op.plain:
        each = args[i]
        if each.__class__ in SETTLED:
            continue
        if isinstance(each, Variable):
            if op.composed:
                continue
            if op.vjp is not None:
                refuse_unknown_gradient(op.name, op.parameters[i], each)
        elif not isinstance(each, (np.generic, ndarray)):
            continue
        if data_of(each).ndim == 0:
            if each.__class__ is ndarray and thread.mode.watch is not None:
                thread.mode.watch.folds(each)
            args = (*args[:i], args[i].item(), *args[i + 1 :])
    return args


def is_half(op: Op, args: tuple[Any, ...]) -> bool:
    """Whether an operation is given Tensors of float16, all of its inputs being in one dtype."""
    return any(isinstance(args[i], Variable) and args[i]._data.dtype is FLOAT16 for i in op.singles)


def narrowed(op: Op, args: tuple[Any, ...]) -> Any:
    """The results of an operation in float16, computed in float32."""
    wide = list(args)
    for i in op.singles:
        if args[i] is not None:
            wide[i] = cast(args[i], FLOAT32)
    results = apply(op, tuple(wide))
    if isinstance(results, tuple):
        return getattr(results, "_make", tuple)([cast(each, FLOAT16) for each in results])
    return cast(results, FLOAT16)


def compose(op: Op, args: tuple[Any, ...]) -> Any:
    """Run a composite on all of its arguments, in order.

    Its body gets arrays, or where an argument is a Tensor, Tensors, in one dtype or in their own.
    """
    args = with_numbers(op, args)
    for i, kind in enumerate(op.kinds):
        if kind is ONE:
            is_absent(op, i, args[i])
    first = next(variables_in(args), None)
    values = list(args if first is None or not op.together else promote(op, args))
    cls = None if first is None else first._result  # for arrays, too: what is done with them is the same in a program
    try:
        watch = thread.mode.watch
        if watch is not None and watch.traces:
            for i in range(len(args)):
                if i not in op.promoted:
                    watch.folds(args[i])
        for i in op.promoted:
            several = op.kinds[i] is SEQUENCE
            values[i] = [operand(op, i, v, cls) for v in values[i]] if several else operand(op, i, values[i], cls)
            if watch is not None:
                pairs = zip(args[i], values[i], strict=True) if several else [(args[i], values[i])]
                for given, taken in pairs:
                    watch.took(given, taken)
        return op.forward(*values)
    except EXPLAINED as error:
        raise explain(op, [data_of(value) for value in values], error) from None


def operand(op: Op, i: int, value: Any, cls: type[Variable] | None) -> Any:
    """A Tensor or None as it is; all else as an array, or with `cls` as a Tensor of its own dtype."""
    if isinstance(value, Variable) or (value is None and op.kinds[i] is ONE):
        return value
    return np.asarray(value) if cls is None else make(cls, as_array(number(op, i, value), None, False, op.name))


def record(op: Op, args: tuple[Any, ...], values: list[Any], needed: int, results: Any, out: Any = None) -> None:
    """Make the node of an operation, keeping what the rules of the needed inputs read.

    args: as given; values: their arrays; results: Tensors of the outputs; out: all outputs, with the hidden ones.
    """
    if op.visible == 1 and results._data.dtype.kind != "f":
        return  # it has no gradient
    plan = op.plans.get(needed) or op.plan(needed)
    node = Node()
    node.op = op
    node.number = new_number()
    node.plan = plan
    node.hooks = None
    edges: list[Any] = [None] * len(args)
    for i in plan.inputs:
        arg = args[i]
        edges[i] = (arg._node or arg) if isinstance(arg, Variable) else tuple([edge_of(each) for each in arg])
    node.arguments = tuple([args[i] for i in op.plain]) if op.plain else ()
    if plan.constants:
        node.constants = [args[i] if args[i].__class__ in CONSTANTS else noted(args[i]) for i in plan.constants]
    saved: list[Any] = []
    checks: list[tuple[int, int, Memory, int]] = []
    for kind, i in plan.keep:
        if kind == OUTPUT:
            if i >= op.visible:  # nobody else can write to it
                saved.append(out[i])
            else:
                result = results if op.visible == 1 else results[i]
                checks.append((len(saved), 0, result._memory, result._memory.writes))
                saved.append(result._data)
        elif kind == INPUT:
            arg = args[i]
            if isinstance(arg, Variable):
                checks.append((len(saved), 0, arg._memory, arg._memory.writes))
                saved.append(values[i])
            else:
                if op.kinds[i] is SEQUENCE:
                    for element, each in enumerate(arg):
                        if isinstance(each, Variable):
                            checks.append((len(saved), element, each._memory, each._memory.writes))
                    parts = zip(arg, values[i], strict=True)
                    saved.append([data if isinstance(each, Variable) else held(data) for each, data in parts])
                else:
                    saved.append(held(values[i]))
        elif kind == SHAPE:
            value = values[i]
            if value.__class__ is ndarray:
                saved.append(value.shape)
            else:
                several = op.kinds[i] is SEQUENCE
                saved.append(tuple([np.shape(each) for each in value]) if several else np.shape(value))
        elif kind == NEEDED:
            saved.append([edge is not None for edge in edges[i]])
        else:
            saved.append(values[i] if values[i].__class__ in CONSTANTS else held(values[i]))
    node.edges, node.saved, node.checks = edges, saved, checks
    if len(op.outputs) == 1:
        data = results._data
        node.shape = data.shape
        node.dtype = data.dtype
        results._node = node
        results._requires_grad = True
    else:
        node.shape = node.dtype = None
        for i, result in enumerate(results if op.visible > 1 else (results,)):
            result._node, result._requires_grad = Output(node, i, result._data), True


def held(value: Any) -> Any:
    """A copy of what the caller may write to.

    Where the run is traced, the thing itself, which is then known; a copy that is laid out otherwise is traced, too.
    """
    watch = thread.mode.watch
    if watch is None or not watch.traces:
        return owned(value)
    if isinstance(value, ndarray) and value.dtype.kind == "f" and not value.flags.c_contiguous:
        kept = value.copy()
        watch.took(value, kept)
        return kept
    return value


def edge_of(arg: Any) -> Any:
    """Where the cotangent of an element of a sequence goes."""
    return (arg._node or arg) if isinstance(arg, Variable) and arg._requires_grad else None
