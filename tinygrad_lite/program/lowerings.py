"""How operations that are more than one of NumPy's calls are written in those."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import table
from ..ops.elementwise import refuse_infinite
from ..ops.indexing import are_indices, check_indices
from ..ops.neural import unit_rows
from .lower import BROADCAST, COPY, RESHAPE, TAKE, TAKE_OUT, TRANSPOSE, Line, Lower, is_array, lowering
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


@lowering("relu")
def _relu(lower: Lower, step: Run) -> bool:
    lower.ufunc("maximum", (*step.args, 0), step.outputs[0])
    return True


@lowering("softmax")
def _softmax(lower: Lower, step: Run) -> bool:
    (x, axis), (out,) = step.args, step.outputs
    if not is_plain(x, out):
        return False
    _, powers, total = exponentials(lower, x, axis)
    lower.ufunc("divide", (powers, total), out)
    return True


@lowering("log_softmax")
def _log_softmax(lower: Lower, step: Run) -> bool:
    (x, axis), (out,) = step.args, step.outputs
    if not is_plain(x, out):
        return False
    shifted, _, total = exponentials(lower, x, axis)
    log = lower.like(total)
    lower.ufunc("log", (total,), log)
    lower.ufunc("subtract", (shifted, log), out)
    return True


def exponentials(lower: Lower, x: Value, axis: Any) -> tuple[Value, Value, Value]:
    """x less its largest along an axis, exp() of that, and the sum of those."""
    shifted, powers, total = lower.like(x), lower.like(x), lower.new(along(x, axis), x.dtype)
    shift(lower, x, axis, shifted)
    lower.ufunc("exp", (shifted,), powers)
    reduce(lower, "add", powers, axis, total)
    return shifted, powers, total


def shift(lower: Lower, x: Value, axis: Any, out: Value) -> None:
    """x less its largest along an axis: of short rows by their transpose, which takes NumPy a quarter of the time."""
    largest = lower.new(along(x, axis), x.dtype)
    if len(x.shape) == 2 and axis in (1, -1) and x.shape[1] <= 48 and x.shape[0] >= 16:
        columns, turned, flat = lower.like(x), lower.new(x.shape[::-1], x.dtype), lower.new(x.shape[:1], x.dtype)
        columns.shape, columns.contiguous, columns.base, largest.base = turned.shape, False, x, flat
        lower.add(TRANSPOSE, x, made=(columns,), fixed=True)
        lower.call(COPY, "np.copyto({out}, {0})", (columns,), turned)
        text = "np.maximum.reduce({0}, 0, None, %s, False)"
        lower.call(text % None, text % "{out}", (turned,), flat)
        lower.add(RESHAPE, flat, largest.shape, made=(largest,), fixed=True)
    else:
        reduce(lower, "maximum", x, axis, largest)
    lower.ufunc("subtract", (x, largest), out)


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


@lowering("linear")
def _linear(lower: Lower, step: Run) -> bool:
    x, weight, bias = step.args
    if not (is_array(x) and len(x.shape) > 1 and is_array(weight, 2) and (bias is None or is_array(bias, 1))):
        return False
    (out,) = step.outputs
    if not out.contiguous:
        return False
    product = out if bias is None else lower.new(out.shape, out.dtype)
    lower.product(x, weight, product)
    if bias is not None:
        lower.ufunc("add", (product, bias), out)
    return True


def are_in_range(lower: Lower, indices: Value, size: int) -> Value:
    """Whether indices name places from 0 to size - 1, so that mode "clip" hides nothing; it is looked at only once."""
    fits = lower.new((), bool)
    lower.add("{1}({0}, {2})", indices, are_indices, size, made=(fits,))
    return fits


def refuse_others(lower: Lower, indices: Value, size: int) -> None:
    """Raise IndexError where indices name other places."""
    reads = are_in_range(lower, indices, size), check_indices, indices, size
    lower.add("{0} or {1}('embedding', {2}, {3})", *reads, keeps=True)


@lowering("embedding")
def _embedding(lower: Lower, step: Run) -> bool:
    indices, weight = step.args
    if not isinstance(indices, Value) or not isinstance(weight, Value):
        return False
    refuse_others(lower, indices, weight.shape[0])
    lower.call(TAKE, TAKE_OUT, (weight, indices), step.outputs[0])
    return True


ADD_TO_ROWS = "{0}.dot({1}) if {5}({6}.dot({6})) else {2}({1}, {3}, {4})"  # 0 times inf is nan


@lowering("scatter_rows")
def _scatter_rows(lower: Lower, step: Run) -> bool:
    values, indices, rows = step.args
    if rows > 64 or not (is_array(values) and isinstance(indices, Value) and values.contiguous and indices.contiguous):
        return False
    n, width = int(np.prod(indices.shape)), values.shape[-1]
    if n == rows == width == 1:  # a product gives -0 where a sum that begins with 0 gives 0
        return False
    flat, places = lower.new((n, width), values.dtype), lower.new((n,), indices.dtype)
    flat.base, places.base = values, indices
    lower.lines.append(Line(RESHAPE, (values, (n, width)), (flat,), fixed=True))
    lower.lines.append(Line(RESHAPE, (indices, (n,)), (places,), fixed=True))
    one_hots, by_row = lower.new((n, rows), values.dtype), lower.new((rows, n), values.dtype)
    by_row.contiguous, by_row.base = False, one_hots
    refuse_others(lower, indices, rows)
    units = unit_rows(rows, values.dtype)
    lower.call(TAKE, TAKE_OUT, (units, places), one_hots)
    lower.add(TRANSPOSE, one_hots, made=(by_row,), fixed=True)
    line = lower.new((n * width,), values.dtype)
    line.base = values
    lower.add(RESHAPE, values, (n * width,), made=(line,), fixed=True)
    with_out = "{0}.dot({1}, {out}) if {5}({6}.dot({6})) else np.copyto({out}, {2}({1}, {3}, {4}))"
    reads = (by_row, flat, table["scatter_add"].forward, places, (rows, width), math.isfinite, line)
    lower.lines.append(Line(ADD_TO_ROWS, reads, step.outputs, with_out))
    return True


@lowering("batch_norm")
def _batch_norm(lower: Lower, step: Run) -> bool:
    x, gain, bias, axis, eps, ddof = step.args
    out, mean, var, normal = step.outputs
    if not all(is_array(each) for each in (x, gain, bias)) or not all(v.contiguous for v in (x, *step.outputs)):
        return False
    n = int(np.prod([x.shape[i] for i in np.atleast_1d(axis)]))
    reduce = "np.add.reduce({0}, {1}, None, %s, True)"
    sums, centred, squares, total = (lower.new(v.shape, v.dtype) for v in (mean, normal, normal, var))
    lower.call(reduce % None, reduce % "{out}", (x, axis), sums)
    lower.ufunc("divide", (sums, n), mean)
    lower.ufunc("subtract", (x, mean), centred)
    lower.ufunc("multiply", (centred, centred), squares)
    lower.call(reduce % None, reduce % "{out}", (squares, axis), total)
    lower.ufunc("divide", (total, n - ddof), var)
    moved, std, scaled = (lower.new(v.shape, v.dtype) for v in (var, var, normal))
    lower.ufunc("add", (var, eps), moved)
    lower.ufunc("sqrt", (moved,), std)
    lower.ufunc("divide", (centred, std), normal)
    lower.ufunc("multiply", (normal, gain), scaled)
    lower.ufunc("add", (scaled, bias), out)
    return True


@lowering("cross_entropy")
def _cross_entropy(lower: Lower, step: Run) -> bool:
    logits, targets, weight, ignore_index, reduction, label_smoothing = step.args
    loss, slope, scale = step.outputs
    usual = weight is None and reduction == "mean" and not label_smoothing and is_array(logits) and logits.contiguous
    if not (usual and isinstance(targets, Value) and targets.dtype == np.intp and targets.contiguous):
        return False
    if scale in lower.read:  # by second derivatives; it has another shape where targets are ignored
        return False
    classes = logits.shape[-1]
    if not (ignore_index < 0 < np.prod(logits.shape) and targets.shape == logits.shape[:-1]):
        return False
    rows = int(np.prod(targets.shape))
    fits = are_in_range(lower, targets, classes)
    at, flat = lower.new((rows,), np.intp), lower.new((rows,), np.intp)
    starts = np.arange(0, rows * classes, classes)
    lower.lines.append(Line(RESHAPE, (targets, (rows,)), (flat,), fixed=True))
    flat.base = targets
    lower.ufunc("add", (flat, starts), at)
    column = (*targets.shape, 1)
    dtype = logits.dtype
    shifted, powers, sums, shares = (lower.new(shape, dtype) for shape in (logits.shape, logits.shape, column, column))
    flat_sums, logs, chosen, losses = (lower.new((rows,), dtype) for _ in range(4))
    shift(lower, logits, -1, shifted)
    lower.ufunc("exp", (shifted,), powers)
    reduce(lower, "add", powers, -1, sums)
    flat_sums.base = sums
    lower.lines.append(Line(RESHAPE, (sums, (rows,)), (flat_sums,), fixed=True))
    lower.ufunc("log", (flat_sums,), logs)
    lower.call("{0}.take({1})", "{0}.take({1}, None, {out}, 'clip')", (shifted, at), chosen)
    lower.ufunc("subtract", (logs, chosen), losses)
    total = lower.new((), dtype)
    lower.lines.append(Line("np.add.reduce({0})", (losses,), (total,)))
    lower.lines.append(Line("np.asarray({0} / {1})", (total, rows), (loss,)))
    share = np.array(1 / rows, dtype)
    lower.add("np.array({0})", share, made=(scale,))
    lower.ufunc("divide", (sums, share), shares)
    lower.ufunc("divide", (powers, shares), slope)
    flat_slope, taken, less = lower.new((rows * classes,), dtype), *(lower.new((rows,), dtype) for _ in range(2))
    flat_slope.base = slope
    lower.lines.append(Line(RESHAPE, (slope, (rows * classes,)), (flat_slope,), fixed=True))
    lower.call("{0}.take({1})", "{0}.take({1}, None, {out}, 'clip')", (flat_slope, at), taken)
    lower.ufunc("subtract", (taken, share), less)
    text = "if {3}: {0}[{1}] = {2}"
    lower.add(text, flat_slope, at, less, fits, effects=(flat_slope,), keeps=True)
    outputs = (loss, slope)  # with targets that are to be ignored; the forward says what is wrong with others
    given = (logits, targets, None, ignore_index, reduction, label_smoothing)
    text = "{0} or {1}({2}, {3}, ({4}, {5}))"
    lower.add(text, fits, write_instead, step.op.forward, given, *outputs, effects=outputs, keeps=True)
    return True


def write_instead(forward: Any, given: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """Let the first outputs be what an operation gives."""
    for output, result in zip(outputs, forward(*given), strict=False):
        np.copyto(output, result)


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
