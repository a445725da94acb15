"""How operations that are more than one of NumPy's calls are written in those."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ops.elementwise import refuse_infinite
from ..ops.indexing import are_indices
from .lower import BROADCAST, COPY, RESHAPE, TRANSPOSE, Line, Lower, is_array, lowering
from .steps import Run, Value


@lowering("check_finite")
def _check_finite(lower: Lower, step: Run) -> bool:
    x, name = step.args
    if not is_array(x):
        return False
    lower.add("{0}({1}, {2})", refuse_infinite, x, name, keeps=True)
    lower.ufunc("positive", (x,), step.outputs[0])
    return True


POWERS = {2: "square", 0.5: "sqrt", -1: "reciprocal"}  # the short cuts of NumPy's operator


@lowering("power")
def _power(lower: Lower, step: Run) -> bool:
    x, exponent = step.args
    (out,) = step.outputs
    if not is_array(x) or type(exponent) not in (int, float) or exponent in (0, 1):
        return False
    if exponent == 3 and type(exponent) is int:
        if not out.contiguous:
            return False
        square = lower.new(out.shape, out.dtype)
        lower.ufunc("multiply", (x, x), square)
        lower.ufunc("multiply", (square, x), out)
    elif exponent in POWERS:
        lower.ufunc(POWERS[exponent], (x,), out)
    else:
        lower.ufunc("power", (x, exponent), out)
    return True


@lowering("matmul")
def _matmul(lower: Lower, step: Run) -> bool:
    if not all(is_array(arg) and len(arg.shape) > 1 for arg in step.args):
        return False
    x, y = step.args
    lower.product(x, y, step.outputs[0])
    return True


def view(lower: Lower, step: Run, text: str, *reads: Any) -> bool:
    """A line that looks at memory another way, and so is needed only once where the memory stays."""
    lower.add(text, *reads, made=step.outputs, fixed=step.outputs[0].base is not None)
    return True


@lowering("reshape")
def _reshape(lower: Lower, step: Run) -> bool:
    a, shape, order, copy = step.args
    return isinstance(a, Value) and order == "C" and not copy and view(lower, step, RESHAPE, a, shape)


@lowering("matrix_transpose")
def _matrix_transpose(lower: Lower, step: Run) -> bool:
    (x,) = step.args
    return isinstance(x, Value) and len(x.shape) == 2 and view(lower, step, TRANSPOSE, x)


@lowering("transpose")
def _transpose(lower: Lower, step: Run) -> bool:
    a, axes = step.args
    return isinstance(a, Value) and view(lower, step, "{0}.transpose({1})", a, axes)


@lowering("broadcast_to")
def _broadcast_to(lower: Lower, step: Run) -> bool:
    array, shape = step.args[:2]
    return isinstance(array, Value) and view(lower, step, BROADCAST, array, shape)


@lowering("sum")
def _sum(lower: Lower, step: Run) -> bool:
    a, axis, keepdims = step.args
    if not is_array(a):
        return False
    reduce = "np.add.reduce({0}, {1}, None, %s, {2})"
    lower.call(reduce % None, reduce % "{out}", (a, axis, keepdims), step.outputs[0])
    return True


@lowering("mean")
def _mean(lower: Lower, step: Run) -> bool:
    a, axis, keepdims = step.args
    (out,) = step.outputs
    if not is_array(a) or a.dtype.itemsize < 4 or not math.prod(a.shape) or not out.contiguous:
        return False
    total = lower.new(out.shape, out.dtype)
    reduce = "np.add.reduce({0}, {1}, None, %s, {2})"
    lower.call(reduce % None, reduce % "{out}", (a, axis, keepdims), total)
    lower.ufunc("divide", (total, math.prod(a.shape) // math.prod(out.shape)), out)
    return True


def reduce(lower: Lower, name: str, x: Value, axis: Any, out: Value) -> None:
    """The sum, or what else a ufunc makes of an axis, which stays as one of length 1."""
    text = f"np.{name}.reduce({{0}}, {{1}}, None, %s, True)"
    lower.call(text % None, text % "{out}", (x, axis), out)


def along(x: Value, axis: Any) -> tuple[int, ...]:
    """The shape of x when some of its axes have been reduced to one of length 1."""
    axes = range(len(x.shape)) if axis is None else [i % len(x.shape) for i in np.atleast_1d(axis)]
    return tuple([1 if i in axes else n for i, n in enumerate(x.shape)])


def is_plain(*values: Any) -> bool:
    """Whether they are arrays of floats that are not computed in wider ones, have elements, and lie in C's order."""
    return all(
        is_array(v) and v.dtype.itemsize > 2 and v.contiguous and len(v.shape) > 0 and 0 not in v.shape for v in values
    )


@lowering("var")
def _var(lower: Lower, step: Run) -> bool:
    return variance(lower, step)


@lowering("std")
def _std(lower: Lower, step: Run) -> bool:
    return variance(lower, step, "sqrt")


def variance(lower: Lower, step: Run, root: str = "") -> bool:
    """What np.var computes, and its root; False where it would warn of too few elements."""
    (a, axis, ddof, _), (out,) = step.args, step.outputs
    if not is_plain(a) or type(ddof) is not int:
        return False
    shape = along(a, axis)
    n = math.prod(a.shape) // math.prod(shape)
    if n <= ddof or not out.contiguous:
        return False
    total, mean, squares, var, std = (lower.new(shape, a.dtype) for _ in range(5))
    centred, squared = lower.like(a), lower.like(a)
    reduce(lower, "add", a, axis, total)
    lower.ufunc("divide", (total, n), mean)
    lower.ufunc("subtract", (a, mean), centred)
    lower.ufunc("multiply", (centred, centred), squared)
    reduce(lower, "add", squared, axis, squares)
    lower.ufunc("divide", (squares, n - ddof), var)
    if root:
        lower.ufunc(root, (var,), std)
    lower.add(RESHAPE, std if root else var, out.shape, made=step.outputs, fixed=True)
    out.base = std if root else var
    return True


@lowering("where")
def _where(lower: Lower, step: Run) -> bool:
    condition, x, y = step.args
    if not isinstance(condition, Value) or condition.dtype.kind != "b":
        return False
    both = "np.copyto({out}, {2}, 'same_kind'); np.copyto({out}, {1}, 'same_kind', {0})"
    lower.call("np.where({0}, {1}, {2})", both, (condition, x, y), step.outputs[0])
    return True


@lowering("copy")
def _copy(lower: Lower, step: Run) -> bool:
    x, (out,) = step.args[0], step.outputs
    if not isinstance(x, Value) or not out.contiguous:
        return False
    lower.call(COPY, "np.copyto({out}, {0})", (x,), out, elementwise=True)
    return True


@lowering("astype")
def _astype(lower: Lower, step: Run) -> bool:
    x, dtype = step.args
    if not isinstance(x, Value):
        return False
    lower.call("{0}.astype({1})", "np.copyto({out}, {0}, 'unsafe')", (x, np.dtype(dtype)), step.outputs[0])
    return True


def are_in_range(lower: Lower, indices: Value, size: int) -> Value:
    """Whether indices name places from 0 to size - 1, so that mode "clip" hides nothing; it is looked at only once."""
    fits = lower.new((), bool)
    lower.add("{1}({0}, {2})", indices, are_indices, size, made=(fits,))
    return fits


@lowering("getitem")
def _getitem(lower: Lower, step: Run) -> bool:
    a, index = step.args
    if not (isinstance(a, Value) and isinstance(index, Value) and index.dtype.kind in "iu" and a.shape):
        return False
    (out,) = step.outputs
    if not out.shape or not out.contiguous:
        return False
    fits = are_in_range(lower, index, a.shape[0])
    text = "{0}.take({1}, 0, {out}, 'clip') if {2} else np.copyto({out}, {0}[{1}])"
    lower.lines.append(Line("{0}[{1}]", (a, index, fits), (out,), text))
    return True
