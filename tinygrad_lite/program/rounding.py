"""Passes that compute the same in another way, so that results may differ by rounding. Each says by how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .code import Code
from .lower import PRODUCT, PRODUCT_OUT
from .steps import Value


def powers(code: Code) -> Code:
    """x ** -0.5 as 1 / sqrt(x). Each element differs by at most 2 units in the last place."""
    lines = []
    for line in code.lines:
        exponent = line.reads[1] if line.text == "np.power({0}, {1})" else None
        if isinstance(exponent, np.ndarray) and exponent.ndim == 0 and exponent == -0.5:
            root = Value(f"{line.made[0].name}_root", line.made[0].shape, line.made[0].dtype)
            for name, read, made in (("sqrt", line.reads[0], root), ("reciprocal", root, line.made[0])):
                text, with_out = f"np.{name}({{0}})", f"np.{name}({{0}}, {{out}})"
                lines.append(replace(line, text=text, reads=(read,), made=(made,), with_out=line.with_out and with_out))
        else:
            lines.append(line)
    code.lines = lines
    return code


def reciprocals(code: Code) -> Code:
    """x / c as x * (1 / c) for a number c. Each element differs by at most 2 units in the last place."""
    for line in code.lines:
        divisor = line.reads[1] if line.text.startswith("np.divide({0}, {1})") else None
        if isinstance(divisor, np.ndarray) and divisor.ndim == 0 and isinstance(line.reads[0], Value):
            with np.errstate(all="ignore"):
                inverse = np.array(1 / divisor, divisor.dtype)
            if np.isfinite(inverse) and abs(inverse) > np.finfo(inverse.dtype).tiny:
                line.text = line.text.replace("np.divide", "np.multiply")
                line.with_out = line.with_out and line.with_out.replace("np.divide", "np.multiply")
                line.reads = (line.reads[0], inverse)
    return code


def sums(code: Code) -> Code:
    """Sums of N rows or columns as products with ones. They differ by at most N roundings of those of |x|."""
    start = "np.add.reduce({0}, {1}, None, None, "
    for line in code.lines:
        x, axis = (*line.reads, None, None)[:2]
        if not (line.text.startswith(start) and line.with_out and isinstance(x, Value) and len(x.shape) == 2):
            continue
        over_rows, over_columns = axis in (0, (0,), -2, (-2,)), axis in (1, (1,), -1, (-1,))
        if (over_rows or over_columns) and x.contiguous and 0 not in x.shape and x.dtype == line.made[0].dtype:
            ones = np.ones(x.shape[0 if over_rows else 1], x.dtype)
            if len(line.made[0].shape) == 2:
                ones = ones[None] if over_rows else ones[:, None]
            line.text, line.with_out = PRODUCT, PRODUCT_OUT
            line.reads = (ones, x) if over_rows else (x, ones)
    return code
