"""Writing a program in which what is computed of rows goes by way of their table.

[tables.py](tables.py) has the algebra, and the letters: O T are rows of T, and O is one-hot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from ..ops.neural import unit_rows
from .code import Instead
from .lower import COPY, MATMUL, MATMUL_OUT, PRODUCT, PRODUCT_OUT, RESHAPE, TAKE, TAKE_OUT, TRANSPOSE, Line, Lines
from .rows import ARITHMETIC, Way
from .steps import Value

BINCOUNT = "np.bincount({0}, None, {2}).astype({1}.dtype)"
BINCOUNT_OUT = "{out}.fill(0); np.add.at({out}, {0}, {1})"  # which takes no memory


class Moved(Exception):
    """An operand would be read when it is another one by then."""


class Columns(NamedTuple):
    """A value O T s + b: T, and s and b, which are the same for all rows; None where they are 1 and 0."""

    table: Value
    scale: Any = None
    shift: Any = None


class Writer(Lines):
    """Writes the lines of a way."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.way = way
        self.indices, self.n, self.k, self.r, self.e = way.rows_taken
        self.known: dict[Any, Value] = {}  # values that are made once
        self.tables: dict[Value, Columns] = {}
        self.by_rows: dict[Value, Value] = {}  # of values X: O'X
        for i, line in enumerate(way.code.lines):
            before = len(self.lines)
            self.write(i, line)
            for each in self.lines[before:]:
                if each is not line:
                    each.phase, each.line, each.step = line.phase, line.line, line.step

    def write(self, i: int, line: Line) -> None:
        """What comes in place of a line."""
        way, made = self.way, line.made[0] if len(line.made) == 1 else None
        if made in way.tables:
            self.tables[made] = self.base(made) if made in way.bases else self.changed(line, made)
            if made in way.dense:
                self.spread_out(i, line, made)
        elif line in way.sums and way.goes(way.sums[line]):
            self.sum(i, line, way.sums[line])
        elif line in way.transposed:
            self.transposed_times(i, line, *way.transposed[line])
        elif line in way.by_row:
            self.added_to_rows(i, line, *way.by_row[line])
        else:
            self.lines.append(line)
            if made in way.combined and made in way.by_rows and made not in way.dense:
                self.by_rows[made] = self.combined(line, made)

    # Values that are made once.

    def once(self, key: Any, value: Value, text: str, *reads: Any, with_out: str | None = None) -> Value:
        """A value, and the line that makes it, when it is asked for first."""
        known = self.known.setdefault(key, value)
        if known is value:
            self.add(text, *reads, made=(value,), with_out=with_out, fixed=value.base is not None)
        return known

    def product(self, key: Any, name: str, x: Any, y: Any) -> Value:
        made = Value(name, (*x.shape[:-1], y.shape[-1]), y.dtype)
        return self.once(key, made, PRODUCT, x, y, with_out=PRODUCT_OUT)

    def transposed(self, x: Value) -> Value:
        made = Value(f"{named(x)}_T", x.shape[::-1], x.dtype, contiguous=False, base=x)
        return self.once((x, "T"), made, TRANSPOSE, x)

    def reshaped(self, x: Value, *shape: int) -> Value:
        made = Value(f"{named(x)}_{len(shape)}d", shape, x.dtype, base=x)
        return self.once((x, shape), made, RESHAPE, x, shape)

    def one_hots(self, dtype: Any) -> Value:
        """O, (N, K * R)."""
        n, k, r = self.n, self.k, self.r
        places = self.reshaped(self.indices, n * k)
        made = Value("one_hots", (n * k, r), dtype)
        made = self.once(("one_hots", dtype), made, TAKE, unit_rows(r, dtype), places, with_out=TAKE_OUT)
        return self.reshaped(made, n, k * r)

    def counts(self, dtype: Any) -> Value:
        """1'O, (1, K * R): how often each row is taken, in each place."""
        return self.product(("counts", dtype), "counts", np.ones((1, self.n), dtype), self.one_hots(dtype))

    def together(self, dtype: Any) -> Value:
        """O'O, (K * R, K * R): how often two rows are taken for one example."""
        if ("together", dtype) not in self.known:
            k, n, size = self.k, self.n, self.k * self.r
            rows = self.computed("add", self.places(), np.arange(0, size, self.r)[:, None], "table_rows")
            first = self.computed("multiply", rows, np.array(size, np.intp), "first_of_pairs")
            pairs = self.computed("add", self.reshaped(first, k, 1, n), self.reshaped(rows, 1, k, n), "pairs")
            reads = self.reshaped(pairs, k * k * n), np.ones((), dtype), size * size
            made = self.known["together", dtype] = Value("together", (size * size,), dtype)
            self.call(BINCOUNT, BINCOUNT_OUT, reads, made)
        return self.reshaped(self.known["together", dtype], self.k * self.r, self.k * self.r)

    def met(self, table: Value) -> Value:
        """O'O T, (K * R, H)."""
        key, name = (table, "met"), f"{table.name}_met"
        if self.k > 1:
            return self.product(key, name, self.together(table.dtype), table)
        counts = self.reshaped(self.counts(table.dtype), self.r, 1)  # O'O is 0 but for its diagonal
        made = Value(name, table.shape, table.dtype)
        return self.once(key, made, "np.multiply({0}, {1})", counts, table, with_out="np.multiply({0}, {1}, {out})")

    def places(self) -> Value:
        """Which row of its block is taken for each example, in each place, (K, N)."""
        all_places = self.reshaped(self.indices, self.n, self.k)
        made = Value("places", (self.k, self.n), np.dtype(np.intp))
        copy = "np.copyto({out}, {0}, 'unsafe')"
        return self.once("places", made, "{0}.astype(np.intp)", self.transposed(all_places), with_out=copy)

    def place(self, i: int) -> Value:
        """The i-th place, (N,)."""
        if self.k == 1:
            return self.reshaped(self.indices, self.n)
        made = Value(f"place_{i}", (self.n,), np.dtype(np.intp), base=self.places())
        return self.once(("place", i), made, "{0}[{1}]", self.places(), i)

    def block(self, table: Value, i: int) -> Value:
        """The rows of a table for the i-th place, (R, H)."""
        if self.k == 1:
            return table
        block = Value(f"{table.name}_{i}", (self.r, table.shape[1]), table.dtype, base=table)
        return self.once((table, "block", i), block, "{0}[{1}:{2}]", table, i * self.r, (i + 1) * self.r)

    def computed(self, name: str, x: Any, y: Any, to: str) -> Value:
        """A ufunc of two operands."""
        made = Value(to, np.broadcast_shapes(x.shape, y.shape), x.dtype)
        self.ufunc(name, (x, y), made)
        return made

    # Tables.

    def base(self, made: Value) -> Columns:
        """Of (O T) W: T W."""
        table, weight = self.way.bases[made]
        h = weight.shape[1]
        blocks = self.reshaped(weight, self.k, self.e, h)
        products = Value(f"{named(made)}_table", (self.k, self.r, h), made.dtype)
        products = self.once((made, "base"), products, MATMUL, table, blocks, with_out=MATMUL_OUT)
        return Columns(self.reshaped(products, self.k * self.r, h))

    def changed(self, line: Line, made: Value) -> Columns:
        """Of O T s + b, with something done to its columns: T, and the other s and b."""
        name, (x, y) = ARITHMETIC[line.text], self.way.operands[made]
        is_first = self.way.is_spread(x)
        old, row = (x, y) if is_first else (y, x)
        table, scale, shift = self.tables[old]
        if name in ("multiply", "divide"):
            moved = None if shift is None else self.computed(name, shift, row, f"{named(made)}_shift")
            return Columns(table, self.times(name, scale, row, made), moved)
        label = f"{named(made)}_shift"
        if name == "add":
            shift = row if shift is None else self.computed("add", shift, row, label)
        elif is_first:
            shift = self.computed("subtract", np.zeros((), made.dtype) if shift is None else shift, row, label)
        else:
            scale = self.times("multiply", scale, np.array(-1, made.dtype), made)
            shift = row if shift is None else self.computed("subtract", row, shift, label)
        return Columns(table, scale, shift)

    def times(self, name: str, scale: Any, row: Any, made: Value) -> Any:
        """A factor, multiplied or divided by another one; None is 1."""
        if scale is None and name == "multiply":
            return row
        return self.computed(name, np.ones((), made.dtype) if scale is None else scale, row, f"{named(made)}_scale")

    def table(self, x: Value) -> Value:
        """T of a value O T. Of each block of T one row is taken: what is added to all rows is added to one block."""
        table, scale, shift = self.tables[x]
        if scale is not None:
            table = self.computed("multiply", table, scale, f"{named(x)}_table")
        if shift is not None and self.k == 1:
            table = self.computed("add", table, shift, f"{named(x)}_table")
        elif shift is not None:
            if scale is None:
                whole = Value(f"{named(x)}_table", table.shape, table.dtype)
                self.call(COPY, "np.copyto({out}, {0})", (table,), whole)
                table = whole
            block = self.block(table, 0)
            self.add("np.add({0}, {1}, {2})", block, shift, block, effects=(block,), keeps=True)
        self.tables[x] = Columns(table)
        return table

    def factored(self, x: Value) -> tuple[Value, Any]:
        """T and s of a value O T s."""
        if self.tables[x].shift is not None:
            self.table(x)
        return self.tables[x][:2]

    def sums_by_row(self, x: Value) -> Value:
        """O'X, (K * R, H)."""
        if x in self.way.spread:
            table, scale = self.factored(x)
            met = self.met(table)
            return met if scale is None else self.computed("multiply", met, scale, f"{named(x)}_by_row")
        if x not in self.by_rows:
            name = f"{named(x)}_by_row"
            self.by_rows[x] = self.product((x, "by row"), name, self.transposed(self.one_hots(x.dtype)), x)
        return self.by_rows[x]

    def combined(self, line: Line, made: Value) -> Value:
        """O'X of an X that is computed of others."""
        name = ARITHMETIC[line.text]
        x, y = (self.combining(each, name, made) for each in self.way.operands[made])
        return self.computed(name, x, y, f"{named(made)}_by_row")

    def combining(self, x: Any, name: str, made: Value) -> Any:
        """What comes in place of an operand: O'X; of a row that is added, that times how often; a factor stays."""
        if x.shape == made.shape:
            return self.sums_by_row(x)
        if name in ("multiply", "divide"):
            return x
        counts, label = self.reshaped(self.counts(made.dtype), self.k * self.r, 1), f"{named(made)}_counted"
        if x.shape == (1, made.shape[1]):  # as a product it takes NumPy half the time
            return self.product((made, "counted"), label, counts, x)
        return self.computed("multiply", counts, x, label)

    # What comes in place of lines. O X has a 0 times each other row, which may be nan: then it is what it was.

    def replace(self, i: int, line: Line, text: str, with_out: str, *reads: Any) -> None:
        """A line in place of another; what it gives is looked at."""
        instead, k = self.instead(i, line), len(reads)
        inputs = "".join(f", {{{k + 2 + j}}}" for j in range(len(instead.inputs)))
        way = f"{{{k}}}(%s, {{{k + 1}}}{inputs})"
        self.lines.append(Line(way % text, (*reads, finite_or, instead, *instead.inputs), line.made, way % with_out))

    def spread_out(self, i: int, line: Line, made: Value) -> None:
        """O T: the rows that are taken of T, one of each block added to the others."""
        instead, table, total = self.instead(i, line), self.table(made), None
        for place in range(self.k):
            rows = made if self.k == 1 else Value(f"{named(made)}_rows_{place}", made.shape, made.dtype)
            self.call(TAKE, TAKE_OUT, (self.block(table, place), self.place(place)), rows)
            if total is not None:
                both = total, rows
                rows = made if place == self.k - 1 else Value(f"{named(made)}_sum_{place}", made.shape, made.dtype)
                self.ufunc("add", both, rows)
            total = rows
        finite = Value("finite", (), np.dtype(bool))
        self.add("{0}({1})", are_finite, table, made=(finite,))
        text = f"{{0}} or np.copyto({{1}}, {{2}}({', '.join(f'{{{3 + j}}}' for j in range(len(instead.inputs)))}))"
        self.add(text, finite, made, instead, *instead.inputs, effects=(made,), keeps=True)

    def instead(self, i: int, line: Line) -> Instead:
        """What a line was, with all before it that is not there any more."""
        way = self.way
        inputs: dict[Value, int] = {}  # and where each is read first
        places, found = {line: i}, [line]
        for each in found:
            for value in each.values:
                place = way.places.get(value)
                if place is None or way.is_there(way.code.lines[place]):
                    inputs[value] = min(inputs.get(value, i), places[each])
                elif way.code.lines[place] not in places:
                    places[way.code.lines[place]] = place
                    found.append(way.code.lines[place])
        if not all(way.unchanged(value, place, i) for value, place in inputs.items()):
            raise Moved
        lines = [replace(each) for each in sorted(found, key=places.__getitem__)]  # passes change lines
        return Instead(lines, list(inputs), line.made[0])

    def sum(self, i: int, line: Line, x: Value) -> None:
        """1'X, with X = O T s + b, X = Y * O T s, or by way of O'X."""
        left, right, *after = self.terms(x)
        text, with_out, reads = PRODUCT, PRODUCT_OUT, (self.like_result(left, line), right)
        for name, row in after:
            total = Value(f"{named(x)}_sum", line.made[0].shape, x.dtype)
            self.call(text, with_out, reads, total)
            text, with_out = f"np.{name}({{0}}, {{1}})", f"np.{name}({{0}}, {{1}}, {{out}})"
            reads = total, self.like_result(row, line)
        if len(set(self.way.pairs.get(x, ()))) == 1:  # a sum of squares: as one of other terms it may be a bit below 0
            text, with_out = f"np.maximum({text}, 0)", f"np.maximum({with_out}, 0, out={{out}})"
        self.replace(i, line, text, with_out, *reads)

    def like_result(self, row: Any, line: Line) -> Any:
        """A row with as many dimensions as what a line makes."""
        if len(line.made[0].shape) > 1 or len(row.shape) < 2:
            return row
        return self.reshaped(row, row.shape[1]) if isinstance(row, Value) else row[0]

    def terms(self, x: Value) -> list[Any]:
        """Two matrices whose product is 1'X, but for what is done to the columns after it."""
        if x in self.way.spread:
            table, scale, shift = self.tables[x]
            total = None
            if shift is not None:
                total = self.computed("multiply", shift, np.array(self.n, x.dtype), f"{named(x)}_shift")
            after = [("multiply", scale), ("add", total)]
            return [self.counts(x.dtype), table, *[each for each in after if each[1] is not None]]
        if x not in self.way.pairs:
            return [np.ones((1, self.r), x.dtype), self.block(self.sums_by_row(x), 0)]  # each example is in it once
        y, other = self.way.pairs[x]
        table, scale = self.factored(other)
        y_table, factor = self.factored(y) if y in self.way.spread else (None, None)
        by_row = self.sums_by_row(y) if y_table is None else self.met(y_table)
        products = self.computed("multiply", by_row, table, f"{named(x)}_by_row")
        after = [("multiply", each) for each in (scale, factor) if each is not None]
        return [np.ones((1, self.k * self.r), x.dtype), products, *after]

    def transposed_times(self, i: int, line: Line, table: Value, g: Value) -> None:
        """(O T)' G as T' (O'G)."""
        sums, e, h = self.sums_by_row(g), self.e, g.shape[1]
        reads = self.transposed(table), self.reshaped(sums, self.k, self.r, h), (self.k, e, h), (self.k * e, h)
        with_out = "np.matmul({0}, {1}, {out}.reshape({2})).reshape({3})"
        self.replace(i, line, f"{MATMUL}.reshape({{3}})", with_out, *reads)

    def added_to_rows(self, i: int, line: Line, g: Value, weight: Value) -> None:
        """O' (G W') as (O'G) W'."""
        sums, e, h = self.sums_by_row(g), self.e, g.shape[1]
        blocks = self.reshaped(weight, self.k, e, h)
        right = Value(f"{blocks.name}_T", (self.k, h, e), weight.dtype, contiguous=False, base=blocks)
        right = self.once((blocks, "T"), right, "{0}.transpose({1})", blocks, (0, 2, 1))
        parts = Value("by_place", (self.k, self.r, e), g.dtype)
        parts = self.once(
            (line, "parts"), parts, MATMUL, self.reshaped(sums, self.k, self.r, h), right, with_out=MATMUL_OUT
        )
        self.replace(i, line, "np.add.reduce({0}, 0)", "np.add.reduce({0}, 0, None, {out})", parts)


def named(value: Value) -> str:
    """The user's name of a value, or what it is called within."""
    return value.label or value.name


def are_finite(array: Any) -> bool:
    """Whether an array holds neither inf nor nan, nor numbers that are too large to be squared."""
    return isfinite(np.vdot(array, array))


def finite_or(result: Any, instead: Callable[..., Any], *inputs: Any) -> Any:
    """A result where it is finite; else what is to come in its place, in the same memory."""
    if not isfinite(np.vdot(result, result)):
        result[...] = instead(*inputs)
    return result
