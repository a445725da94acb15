"""How the operations of neural networks are written in NumPy's calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import table
from ..ops.indexing import check_indices
from ..ops.neural import unit_rows
from .lower import COPY, RESHAPE, TAKE, TAKE_OUT, TRANSPOSE, Line, Lower, is_array, lowering
from .lowerings import along, are_in_range, is_plain, reduce
from .steps import Run, Value


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
