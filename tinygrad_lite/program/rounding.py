"""Passes that compute the same in another way, so that results may differ by rounding. Each says by how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .code import Code
from .lower import PRODUCT
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
    """The sum of the rows of a matrix, (N, D), as ones @ x. It differs by at most N roundings of the sum of |x|."""
    for line in code.lines:
        x, axis = (*line.reads, None, None)[:2]
        if not (line.text.startswith("np.add.reduce({0}, {1}, None, None, ") and line.with_out and axis in (0, (0,))):
            continue
        if isinstance(x, Value) and len(x.shape) == 2 and x.contiguous and x.shape[0] and x.dtype == line.made[0].dtype:
            ones = np.ones((1, x.shape[0]) if len(line.made[0].shape) == 2 else x.shape[0], x.dtype)
            line.text, line.with_out, line.reads = PRODUCT, "{0}.dot({1}, {out})", (ones, x)
    return code
