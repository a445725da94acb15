"""Products with rows of a table, by way of the table where that takes fewer operations.

Taking rows of a table T is a product with a one-hot matrix O, which has a column for each row of T. Products are
associative: the rows times a matrix, (O T) W, are O (T W); the rows, transposed, times another, (O T)' G, are
T' (O' G); and what is added to the rows of T in backward, O' (G W'), is (O' G) W'. A table of letters has few rows, so
that O has few columns; O' G is needed only once, and all other products are small.

Several rows side by side, K for each of N examples, are as many blocks of O side by side, and of W below each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from ..ops.neural import unit_rows
from .code import Code
from .lower import PRODUCT, RESHAPE, TAKE, TRANSPOSE, Line
from .lowerings import ADD_TO_ROWS
from .steps import Value

LEAST = 2**21  # products of numbers that must be saved: what comes in place of a line takes some microseconds to begin


class Rows(NamedTuple):
    """Which rows of a table, (R, E): K for each of N examples. H is how many columns all products have."""

    indices: Value
    n: int
    k: int
    r: int
    e: int
    h: int


class Candidate(NamedTuple):
    """A line that may be replaced by others. shared: what it needs O' G of, or itself where it needs none."""

    line: Line
    rows: Rows
    shared: Any
    lines: list[Line]


def tables(code: Code) -> Code:
    """Products with rows of a table as products with the table, where that takes clearly fewer operations.

    A sum of M products differs by at most 3 M roundings of the sum of their absolute values.
    """
    groups: dict[Any, list[Candidate]] = {}
    for each in Finder(code).candidates():
        groups.setdefault((each.rows, each.shared), []).append(each)
    new: dict[Line, list[Line]] = {}
    for group in groups.values():
        _, n, k, r, e, h = group[0].rows
        before, after = len(group) * n * k * e * h, (n + len(group) * e) * k * r * h
        if 4 * after <= 3 * before and before - after >= LEAST:
            new |= {each.line: each.lines for each in group}
    code.lines = [each for line in code.lines for each in new.get(line, [line])]
    return code


class Finder:
    """Finds what can be replaced: a product's operands, and what they were made of, in memory that has not changed."""

    def __init__(self, code: Code) -> None:
        self.code, self.written = code, code.written
        self.places = {value: i for i, line in enumerate(code.lines) for value in line.made}
        self.uses = Counter(root for line in code.lines if not line.fixed for root in {v.root for v in line.values})

    def candidates(self) -> Iterator[Candidate]:
        for i, line in enumerate(self.code.lines):
            if line.with_out is None or not all(isinstance(each, Value) for each in line.reads[:2]):
                continue
            if line.text == PRODUCT:
                yield from self.product_of_rows(i, line)
                yield from self.product_of_transposed_rows(i, line)
            elif line.text == ADD_TO_ROWS:
                yield from self.sum_by_row(i, line)

    def product_of_rows(self, i: int, line: Line) -> Iterator[Candidate]:
        """(O T) W."""
        found, weight = self.rows(line.reads[0], i, line.made[0].shape[1]), line.reads[1]
        if found is not None and weight.contiguous:
            added = self.added(i)
            last, bias = added if added is not None else (line, None)
            yield Candidate(last, found[1], line, times_matrix(last, *found, weight, bias))

    def added(self, i: int) -> tuple[Line, Value] | None:
        """The next line and the row that it adds to a product that nobody else looks at, where it does that."""
        (made,), line = self.code.lines[i].made, self.code.lines[min(i + 1, len(self.code.lines) - 1)]
        if line.text != "np.add({0}, {1})" or line.reads[0] is not made or not self.is_alone(made) or not line.with_out:
            return None
        bias = line.reads[1]
        return (line, bias) if isinstance(bias, Value) and bias.shape == made.shape[1:] else None

    def is_alone(self, value: Value) -> bool:
        """Whether only one line reads a value, and nothing else."""
        return self.uses[value] == 1 and value not in self.written | {each.root for each in self.code.found}

    def product_of_transposed_rows(self, i: int, line: Line) -> Iterator[Candidate]:
        """(O T)' G."""
        transposed, g = self.maker(line.reads[0], TRANSPOSE), line.reads[1]
        found = self.rows(transposed.reads[0], i, g.shape[1]) if transposed is not None else None
        if found is not None:
            yield Candidate(line, found[1], g, transposed_times(line, *found, g))

    def sum_by_row(self, i: int, line: Line) -> Iterator[Candidate]:
        """O' (G W')."""
        product = self.maker(self.unshaped(line.reads[1]), PRODUCT)
        transposed = self.maker(product.reads[1], TRANSPOSE) if product is not None else None
        if product is None or transposed is None:
            return
        (made,), g, weight = product.made, product.reads[0], transposed.reads[0]
        indices = self.unshaped(line.reads[3])
        (n, width), (r, e) = made.shape, line.made[0].shape
        if not all(isinstance(each, Value) for each in (g, weight, indices)) or not n * r * e or width % e:
            return
        if self.is_alone(made) and weight.contiguous and self.unchanged((g, weight), self.places[made], i):
            rows = Rows(indices, n, width // e, r, e, g.shape[1])
            yield Candidate(line, rows, g, added_to_rows(line, rows, g, weight))

    def maker(self, value: Any, text: str) -> Line | None:
        """The line that makes a value, where it has this text."""
        i = self.places.get(value) if isinstance(value, Value) else None
        return self.code.lines[i] if i is not None and self.code.lines[i].text == text else None

    def unshaped(self, value: Value) -> Value:
        """What a value is another shape of."""
        while (line := self.maker(value, RESHAPE)) is not None:
            value = line.reads[0]
        return value

    def rows(self, value: Value, now: int, h: int) -> tuple[Value, Rows] | None:
        """The table whose rows a matrix consists of, and which; None where it is something else by now."""
        source = self.unshaped(value)
        taken = self.maker(source, TAKE)
        if taken is None or {value.root, source.root} & self.written or len(value.shape) != 2:
            return None
        table, indices = taken.reads
        if not (isinstance(table, Value) and table.contiguous and isinstance(indices, Value) and indices.contiguous):
            return None
        (n, width), (r, e) = value.shape, table.shape
        if not n * r * e or width % e or not self.unchanged((table, indices), self.places[source], now):
            return None
        return table, Rows(indices, n, width // e, r, e, h)

    def unchanged(self, values: tuple[Value, ...], first: int, last: int) -> bool:
        """Whether nothing is written to the memory of values between two lines, nor to what may lie there."""
        roots = {value.root for value in values}
        shared = roots & self.code.outside - self.code.movable  # arrays from outside may lie in one memory
        written = {value.root for line in self.code.lines[first:last] for value in line.effects}
        return not (roots & written) and not (shared and written & self.code.outside - self.code.movable)


class Writer:
    """Writes lines in place of another."""

    def __init__(self, line: Line) -> None:
        self.line, self.lines = line, list[Line]()

    def add(self, text: str, reads: tuple[Any, ...], made: Value, with_out: str | None = None) -> Value:
        """A line that makes a value."""
        fixed = made.base is not None
        self.lines.append(replace(self.line, text=text, reads=reads, made=(made,), with_out=with_out, fixed=fixed))
        return made

    def reshaped(self, value: Value, shape: tuple[int, ...]) -> Value:
        made = Value(f"{value.label or value.name}_{len(shape)}d", shape, value.dtype, base=value)
        return self.add(RESHAPE, (value, shape), made)

    def transposed(self, value: Value) -> Value:
        made = Value(f"{value.label or value.name}_T", value.shape[::-1], value.dtype, contiguous=False, base=value)
        return self.add(TRANSPOSE, (value,), made)

    def matmul(self, x: Value, y: Value, name: str) -> Value:
        """The products of x and of each matrix of y."""
        made = Value(name, (*y.shape[:-2], x.shape[-2], y.shape[-1]), x.dtype)
        return self.add("np.matmul({0}, {1})", (x, y), made, "np.matmul({0}, {1}, {out})")

    def ufunc(self, name: str, x: Value, y: Any, to: str) -> Value:
        made = Value(to, x.shape, x.dtype)
        return self.add(f"np.{name}({{0}}, {{1}})", (x, y), made, f"np.{name}({{0}}, {{1}}, {{out}})")

    def finite(self, *values: Value) -> Value:
        """Whether all of them are finite: a sum over O has a 0 times each other row, which may be nan."""
        places = ", ".join(f"{{{i + 1}}}" for i in range(len(values)))
        return self.add(f"{{0}}({places})", (are_finite, *values), Value("finite", (), np.dtype(bool)))

    def one_hots(self, rows: Rows, dtype: Any) -> Value:
        """O, (N, K * R)."""
        indices, n, k, r, _, _ = rows
        places = Value("places", (n * k,), indices.dtype, base=indices)
        self.add(RESHAPE, (indices, (n * k,)), places)
        made = Value("one_hots", (n * k, r), dtype)
        self.add(TAKE, (unit_rows(r, dtype), places), made, "{0}.take({1}, 0, {out}, 'clip')")
        return self.reshaped(made, (n, k * r))

    def sums_by_row(self, rows: Rows, g: Value) -> Value:
        """O' G, (K * R, H)."""
        left = self.transposed(self.one_hots(rows, g.dtype))
        made = Value("sums_by_row", (rows.k * rows.r, rows.h), g.dtype)
        return self.add(PRODUCT, (left, g), made, "{0}.dot({1}, {out})")


def times_matrix(line: Line, table: Value, rows: Rows, weight: Value, bias: Value | None) -> list[Line]:
    """(O T) W as O (T W); a bias is added to the products, 1 / K to each, and so comes with them."""
    to = Writer(line)
    _, _, k, r, e, h = rows
    products = to.matmul(table, to.reshaped(weight, (k, e, h)), "table_products")
    if bias is not None:
        share = to.ufunc("multiply", bias, np.array(1 / k, bias.dtype), "bias_share")
        products = to.ufunc("add", products, share, "table_with_bias")
    given = [each for each in (table, weight, bias) if each is not None]
    reads = to.one_hots(rows, table.dtype), to.reshaped(products, (k * r, h)), to.finite(*given)
    other = "{3}({4}, {5}, {6}, {7}%s)"
    text, with_out = "{0}.dot({1}) if {2} else " + other % "", "{0}.dot({1}, {out}) if {2} else " + other % ", {out}"
    to.add(text, (*reads, rows_times, table, rows.indices, weight, bias), line.made[0], with_out)
    return to.lines


def transposed_times(line: Line, table: Value, rows: Rows, g: Value) -> list[Line]:
    """(O T)' G as T' (O' G)."""
    to = Writer(line)
    _, _, k, r, e, h = rows
    sums = to.sums_by_row(rows, g)
    reads = to.transposed(table), to.reshaped(sums, (k, r, h)), (k * e, h), (k, e, h), to.finite(table, sums)
    other = "{5}({6}, {7}, {8}%s)"
    text = "np.matmul({0}, {1}).reshape({2}) if {4} else " + other % ""
    with_out = "np.matmul({0}, {1}, {out}.reshape({3})) if {4} else " + other % ", {out}"
    to.add(text, (*reads, transposed_rows_times, table, rows.indices, g), line.made[0], with_out)
    return to.lines


def added_to_rows(line: Line, rows: Rows, g: Value, weight: Value) -> list[Line]:
    """O' (G W') as (O' G) W'."""
    to = Writer(line)
    _, _, k, r, e, h = rows
    sums = to.sums_by_row(rows, g)
    blocks = to.reshaped(weight, (k, e, h))
    right = Value(f"{blocks.name}_T", (k, h, e), weight.dtype, contiguous=False, base=blocks)
    to.add("{0}.transpose({1})", (blocks, (0, 2, 1)), right)
    parts = to.matmul(to.reshaped(sums, (k, r, h)), right, "by_place")
    other = "{2}({3}, {4}, {5}, {6}, {7})"
    text = "np.add.reduce({0}, 0) if {1} else " + other
    with_out = "np.add.reduce({0}, 0, None, {out}) if {1} else np.copyto({out}, " + other + ")"
    reads = parts, to.finite(weight, sums), products_by_row, line.reads[2], g, weight, rows.indices, (r, e)
    to.add(text, reads, line.made[0], with_out)
    return to.lines


def are_finite(*arrays: Any) -> bool:
    """Whether arrays hold neither inf nor nan, nor numbers that are too large to be squared."""
    return all(isfinite(np.vdot(each, each)) for each in arrays)


def rows_times(table: Any, indices: Any, weight: Any, bias: Any, out: Any = None) -> Any:
    """Rows of a table, those of an example side by side, times a matrix, and perhaps with a bias."""
    product = np.dot(table.take(indices, 0).reshape(-1, len(weight)), weight, out)
    return product if bias is None else np.add(product, bias, product)


def transposed_rows_times(table: Any, indices: Any, g: Any, out: Any = None) -> Any:
    """Rows of a table, those of an example side by side, transposed, times a matrix."""
    return np.dot(table.take(indices, 0).reshape(len(g), -1).T, g, out)


def products_by_row(scatter_add: Callable[..., Any], g: Any, weight: Any, indices: Any, shape: tuple[int, int]) -> Any:
    """A product of matrices, whose rows are added to those of an array that the indices name."""
    return scatter_add(np.dot(g, weight.T).reshape(-1, shape[1]), indices.reshape(-1), shape)
