"""Matrices whose rows come from a small table, by way of the table where that takes less.

Taking rows of a table T is a product with a one-hot matrix O, which has a column for each row of T. All that treats
columns alike may be done to the table: (O T) W is O (T W), (O T) s with a factor s for each column is O (T s), and
O T + b with a number b for each column is O (T + b). Sums over all rows are 1'(O T) = (1'O) T, where 1'O counts how
often each row of T is taken; those of products of two, 1'(O T * O U), are 1'(T * P U), where P = O'O counts how often
two are taken together. In backward (O T)' G is T' (O'G), O' (G W') is (O'G) W', and 1'(G * O T) is 1'(O'G * T): only
O'G is needed of G. That of X + Y is O'X + O'Y, of X s it is (O'X) s, and of O T it is P T.

So a layer on embedded letters, and the batch norm after it, need not be computed for each example but for each letter.
Several rows side by side, K for each of N examples, are as many blocks of O side by side, and of W below each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from ..ops.neural import unit_rows
from .code import Code, Instead, is_pure
from .lower import BROADCAST, MATMUL, PRODUCT, RESHAPE, TAKE, TRANSPOSE, Line, Lines
from .lowerings import ADD_TO_ROWS
from .simplify import needed
from .steps import Value, values_in

ARITHMETIC = {f"np.{name}({{0}}, {{1}})": name for name in ("add", "subtract", "multiply", "divide")}
WAYS = [("products",), ("sums",), ("products", "sums"), ("products", "sums", "columns")]
MATMUL_OUT, PRODUCT_OUT = "np.matmul({0}, {1}, {out})", "{0}.dot({1}, {out})"
CALL, ELEMENT = 2**16, 16  # what a line costs, and an element of its result, in products of numbers


class Rows(NamedTuple):
    """Which rows of a table of R rows: K for each of N examples."""

    indices: Value
    n: int
    k: int
    r: int


def tables(code: Code) -> Code:
    """What is computed of rows of a table by way of the table, where that takes less.

    A result differs by at most 3 M roundings of the sum of the absolute values of its terms, multiplied out; M counts
    the additions and products that follow each other from what is read to it.
    """
    for rows in dict.fromkeys(Finder(code).families()):
        ways = [code.lines]
        for parts in WAYS:
            with suppress(Moved):
                ways.append(Writer(Way(code, rows, parts)).lines)
        code = min([needed(replace(code, lines=lines)) for lines in ways], key=cost)
    return code


def cost(code: Code) -> int:
    """About how many products of numbers take as long as a program does."""
    lines = [line for line in code.lines if not line.fixed]
    return sum(CALL + (line.flops // 2 if line.is_product else ELEMENT * line.flops) for line in lines)


class Moved(Exception):
    """An operand would be read when it is another one by then."""


class Finder:
    """Finds products with rows of a table, whose operands have not changed since the rows were taken."""

    def __init__(self, code: Code) -> None:
        self.code, self.written = code, code.written
        self.shared = code.outside - code.movable  # these may lie in one memory
        self.places = {value: i for i, line in enumerate(code.lines) for value in line.made}

    def families(self) -> Iterator[Rows]:
        """Rows that are taken of tables."""
        for i, line in enumerate(self.code.lines):
            for find in (self.product_of_rows, self.product_of_transposed_rows, self.sum_by_row):
                found = find(i, line)
                if found is not None and found[0].n > 1:
                    yield found[0]

    def product_of_rows(self, i: int, line: Line) -> tuple[Rows, Value, Value] | None:
        """T and W of a line (O T) W."""
        if line.text != PRODUCT or line.with_out is None or not isinstance(line.reads[1], Value):
            return None
        found = self.rows(line.reads[0], i)
        return (*found, line.reads[1]) if found is not None and line.reads[1].contiguous else None

    def product_of_transposed_rows(self, i: int, line: Line) -> tuple[Rows, Value, Value] | None:
        """T and G of a line (O T)' G."""
        transposed = self.maker(line.reads[0], TRANSPOSE) if line.text == PRODUCT and line.with_out else None
        found = self.rows(transposed.reads[0], i) if transposed is not None else None
        return (*found, line.reads[1]) if found is not None and self.is_steady(line.reads[1]) else None

    def sum_by_row(self, i: int, line: Line) -> tuple[Rows, Value, Value] | None:
        """G and W of a line O' (G W')."""
        if line.text != ADD_TO_ROWS or line.with_out is None:
            return None
        product = self.maker(self.unshaped(line.reads[1]), PRODUCT)
        transposed = self.maker(product.reads[1], TRANSPOSE) if product is not None else None
        if product is None or transposed is None:
            return None
        (made,), g, weight = product.made, product.reads[0], transposed.reads[0]
        indices = self.unshaped(line.reads[3])
        (n, width), (r, e) = made.shape, line.made[0].shape
        if not all(map(self.is_steady, (g, indices, made))) or not isinstance(weight, Value) or width % e:
            return None
        if not n * r * e or not weight.contiguous or not self.unchanged(weight, self.places[made], i):
            return None
        return Rows(indices, n, width // e, r), g, weight

    def maker(self, value: Any, text: str) -> Line | None:
        """The line that makes a value, where it has this text."""
        i = self.places.get(value) if isinstance(value, Value) else None
        return self.code.lines[i] if i is not None and self.code.lines[i].text == text else None

    def unshaped(self, value: Value) -> Value:
        """What a value is another shape of."""
        while (line := self.maker(value, RESHAPE)) is not None:
            value = line.reads[0]
        return value

    def rows(self, value: Value, now: int) -> tuple[Rows, Value] | None:
        """The table whose rows a matrix consists of, and which; None where it is something else by now."""
        source = self.unshaped(value)
        taken = self.maker(source, TAKE)
        if taken is None or {value.root, source.root} & self.written or len(value.shape) != 2:
            return None
        table, indices = taken.reads
        if not (isinstance(table, Value) and table.contiguous and self.is_steady(indices) and indices.contiguous):
            return None
        (n, width), (r, e) = value.shape, table.shape
        if not n * r * e or width % e or not self.unchanged(table, self.places[source], now):
            return None
        return Rows(indices, n, width // e, r), table

    def unchanged(self, value: Value, first: int, last: int) -> bool:
        """Whether nothing is written to the memory of a value between two lines, nor to what may lie there."""
        written = {each.root for line in self.code.lines[first:last] for each in line.effects}
        return value.root not in written and (value.root not in self.shared or not written & self.shared)

    def is_steady(self, value: Any) -> bool:
        """Whether nothing is ever written to the memory of a value, nor to what may lie there."""
        if not isinstance(value, Value) or value.root in self.written:
            return False
        return value.root not in self.shared or not self.written & self.shared


class Way(Finder):
    """A program in which what is computed of some rows goes by way of their table.

    parts: whether products with rows do ("products"), sums by row in backward ("sums"), and what is done to all columns
    after the ones and before the others ("columns").

    spread: values O T. pairs: products X * O T. combined: sums of values, and products with a factor for each column.
    sums: lines 1'X, and X. transposed, by_row: lines (O T)' G, with T and G, and O' (G W'), with G and W.
    """

    def __init__(self, code: Code, rows: Rows, parts: tuple[str, ...]) -> None:
        super().__init__(code)
        self.rows_taken, self.parts = rows, parts
        self.bases: dict[Value, tuple[Value, Value]] = {}  # of values (O T) W: T and W
        self.spread: dict[Value, Line] = {}
        self.pairs: dict[Value, tuple[Value, Value]] = {}
        self.combined: dict[Value, Line] = {}
        self.sums: dict[Line, Value] = {}
        self.transposed: dict[Line, tuple[Value, Value]] = {}
        self.by_row: dict[Line, tuple[Value, Value]] = {}
        self.operands: dict[Value, tuple[Any, Any]] = {}
        for i, line in enumerate(code.lines):
            self.find(i, line)
        self.look()

    def find(self, i: int, line: Line) -> None:
        """Find what a line is."""
        base, transposed, by_row = (
            found if found is not None and found[0] == self.rows_taken else None
            for found in (
                self.product_of_rows(i, line),
                self.product_of_transposed_rows(i, line),
                self.sum_by_row(i, line),
            )
        )
        if base is not None and "products" in self.parts and self.is_steady(line.made[0]):
            self.spread[line.made[0]], self.bases[line.made[0]] = line, base[1:]
        elif transposed is not None and "sums" in self.parts:
            self.transposed[line] = transposed[1:]
        elif by_row is not None and "sums" in self.parts:
            self.by_row[line] = by_row[1:]
        elif line.text in ARITHMETIC and line.with_out is not None and self.is_steady(line.made[0]):
            self.find_arithmetic(line, line.made[0])
        elif "columns" in self.parts and line.text == "np.square({0})" and line.reads[0] in self.spread:
            self.pairs[line.made[0]] = line.reads[0], line.reads[0]
        elif "columns" in self.parts and line.text == PRODUCT and is_ones(line.reads[0], self.rows_taken.n):
            self.sums[line] = line.reads[1]

    def find_arithmetic(self, line: Line, made: Value) -> None:
        """Find what a line is that computes element by element."""
        name, (x, y) = ARITHMETIC[line.text], map(self.repeated, line.reads)
        kinds = self.kind(x, made), self.kind(y, made)
        if len(made.shape) != 2 or made.shape[0] != self.rows_taken.n or made.dtype.kind != "f" or "" in kinds:
            return
        self.operands[made] = x, y
        if kinds == ("spread", "row") or (kinds == ("row", "spread") and name != "divide"):
            if "columns" in self.parts or (name == "add" and x in self.bases):
                self.spread[made] = line
        elif "columns" not in self.parts:
            return
        elif name == "multiply" and "spread" in kinds:
            self.pairs[made] = (x, y) if kinds[1] == "spread" else (y, x)
        elif (
            name in ("add", "subtract") or kinds == ("matrix", "row") or (name, *kinds) == ("multiply", "row", "matrix")
        ):
            self.combined[made] = line

    def repeated(self, arg: Any) -> Any:
        """What an operand repeats for each example, if it does."""
        line = self.maker(arg, BROADCAST)
        return arg if line is None else line.reads[0]

    def kind(self, arg: Any, made: Value) -> str:
        """What an operand is: O T; another matrix with a row for each example; or the same for all of them."""
        if not isinstance(arg, (Value, np.ndarray)) or arg.dtype != made.dtype:
            return ""
        if arg.shape == made.shape:
            return "" if not self.is_steady(arg) else "spread" if arg in self.spread else "matrix"
        return "row" if len(arg.shape) < 2 or arg.shape[0] == 1 else ""

    def look(self) -> None:
        """Find what is needed, from the end: when a line is met that makes a value, all is known of that.

        dense: values that are needed as they are; tables: those of which T is; by_rows: those of which O'X is.
        """
        self.dense, self.tables, self.by_rows = set(self.code.found), set[Value](), set[Value]()
        for line in reversed(self.code.lines):
            made = line.made[0] if len(line.made) == 1 else None
            if line in self.sums and self.goes(self.sums[line]):
                self.need_sum(self.sums[line])
            elif line in self.transposed:
                self.dense.add(self.transposed[line][0])
                self.need_by_rows(self.transposed[line][1])
            elif line in self.by_row:
                self.dense.add(self.by_row[line][1])
                self.need_by_rows(self.by_row[line][0])
            elif made in self.spread:
                if made in self.dense or made in self.tables:
                    self.tables.add(made)
                    for each in values_in(self.bases.get(made) or self.operands[made]):
                        (self.tables if each in self.spread else self.dense).add(each)
            elif made in self.combined and made not in self.dense:
                for each in values_in(self.operands[made]) if made in self.by_rows else ():
                    if each.shape == made.shape:
                        self.need_by_rows(each)
                    else:
                        self.dense.add(each)
            elif made in self.dense or not is_pure(line):
                self.dense |= set(line.values)

    def goes(self, x: Value) -> bool:
        """Whether a sum over all rows goes by way of the table."""
        return x in self.spread or x in self.pairs or x in self.by_rows

    def need_sum(self, x: Value) -> None:
        """1'X is needed."""
        if x in self.pairs:
            self.tables.add(self.pairs[x][1])
            self.need_by_rows(self.pairs[x][0])
        elif x in self.spread:
            self.tables.add(x)

    def need_by_rows(self, x: Value) -> None:
        """O'X is needed."""
        if x in self.spread:
            self.tables.add(x)
            return
        self.by_rows.add(x)
        if x not in self.combined:
            self.dense.add(x)

    def is_there(self, line: Line) -> bool:
        """Whether a line still runs, so that others may read what it makes."""
        return not is_pure(line) or line.made[0] in self.dense


class Writer(Lines):
    """Writes the lines of a way."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.way = way
        _, self.n, self.k, self.r = self.rows = way.rows_taken
        self.known: dict[Any, Value] = {}  # values that are made once
        self.tables: dict[Value, tuple[Value, Any]] = {}  # of values O (T s): T, and s or None
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
        made = Value(f"{x.label or x.name}_T", x.shape[::-1], x.dtype, contiguous=False, base=x)
        return self.once((x, "T"), made, TRANSPOSE, x)

    def reshaped(self, x: Value, *shape: int) -> Value:
        made = Value(f"{x.label or x.name}_{len(shape)}d", shape, x.dtype, base=x)
        return self.once((x, shape), made, RESHAPE, x, shape)

    def one_hots(self, dtype: Any) -> Value:
        """O, (N, K * R)."""
        n, k, r, indices = self.n, self.k, self.r, self.rows.indices
        places = self.reshaped(indices, n * k)
        made, with_out = Value("one_hots", (n * k, r), dtype), "{0}.take({1}, 0, {out}, 'clip')"
        made = self.once(("one_hots", dtype), made, TAKE, unit_rows(r, dtype), places, with_out=with_out)
        return self.reshaped(made, n, k * r)

    def counts(self, dtype: Any) -> Value:
        """1'O, (1, K * R): how often each row is taken, in each place."""
        return self.product(("counts", dtype), "counts", np.ones((1, self.n), dtype), self.one_hots(dtype))

    def met(self, table: Value) -> Value:
        """O'O T, (K * R, H)."""
        one_hots = self.one_hots(table.dtype)
        together = self.product(("together", table.dtype), "together", self.transposed(one_hots), one_hots)
        return self.product((table, "met"), f"{table.name}_met", together, table)

    def computed(self, name: str, x: Any, y: Any, to: str) -> Value:
        """A ufunc of two operands."""
        made = Value(to, np.broadcast_shapes(x.shape, y.shape), x.dtype)
        self.ufunc(name, (x, y), made)
        return made

    # Tables.

    def base(self, made: Value) -> tuple[Value, Any]:
        """Of (O T) W: T W."""
        table, weight = self.way.bases[made]
        e, h = table.shape[1], weight.shape[1]
        blocks = self.reshaped(weight, self.k, e, h)
        products = Value(f"{made.name}_table", (self.k, self.r, h), made.dtype)
        products = self.once((made, "base"), products, MATMUL, table, blocks, with_out=MATMUL_OUT)
        return self.reshaped(products, self.k * self.r, h), None

    def changed(self, line: Line, made: Value) -> tuple[Value, Any]:
        """Of O T, with something done to its columns: T, with the same done; factors are kept apart."""
        name, (x, y) = ARITHMETIC[line.text], self.way.operands[made]
        is_first = isinstance(x, Value) and x in self.way.spread
        old, row = (x, y) if is_first else (y, x)
        if name in ("add", "subtract"):  # 1 / K comes with each of K rows
            share = self.computed("multiply", row, np.array(1 / self.k, made.dtype), f"{made.name}_share")
            both = (self.table(old), share) if is_first else (share, self.table(old))
            return self.computed(name, *both, f"{made.name}_table"), None
        table, scale = self.tables[old]
        if scale is None and name == "multiply":
            return table, row
        return table, self.computed(
            name, np.ones((), made.dtype) if scale is None else scale, row, f"{made.name}_scale"
        )

    def table(self, x: Value) -> Value:
        """T of a value O T."""
        table, scale = self.tables[x]
        if scale is not None:
            table = self.computed("multiply", table, scale, f"{x.name}_table")
            self.tables[x] = table, None
        return table

    def sums_by_row(self, x: Value) -> Value:
        """O'X, (K * R, H)."""
        if x in self.way.spread:
            table, scale = self.tables[x]
            met = self.met(table)
            return met if scale is None else self.computed("multiply", met, scale, f"{x.name}_by_row")
        if x not in self.by_rows:
            name = f"{x.label or x.name}_by_row"
            self.by_rows[x] = self.product((x, "by row"), name, self.transposed(self.one_hots(x.dtype)), x)
        return self.by_rows[x]

    def combined(self, line: Line, made: Value) -> Value:
        """O'X of an X that is computed of others."""
        name = ARITHMETIC[line.text]
        x, y = (self.combining(each, name, made) for each in self.way.operands[made])
        return self.computed(name, x, y, f"{made.name}_by_row")

    def combining(self, x: Any, name: str, made: Value) -> Any:
        """What comes in place of an operand: O'X; of a row that is added, that times how often; a factor stays."""
        if x.shape == made.shape:
            return self.sums_by_row(x)
        if name in ("multiply", "divide"):
            return x
        counts = self.reshaped(self.counts(made.dtype), self.k * self.r, 1)
        return self.computed("multiply", counts, x, f"{made.name}_counted")

    # What comes in place of lines. O X has a 0 times each other row, which may be nan: then it is what it was.

    def replace(self, i: int, line: Line, text: str, with_out: str, *reads: Any) -> None:
        """A line in place of another; what it gives is looked at."""
        instead, k = self.instead(i, line), len(reads)
        inputs = "".join(f", {{{k + 2 + j}}}" for j in range(len(instead.inputs)))
        way = f"{{{k}}}(%s, {{{k + 1}}}{inputs})"
        self.lines.append(Line(way % text, (*reads, finite_or, instead, *instead.inputs), line.made, way % with_out))

    def spread_out(self, i: int, line: Line, made: Value) -> None:
        """O T, where T is finite."""
        table, instead = self.table(made), self.instead(i, line)
        finite = Value("finite", (), np.dtype(bool))
        self.add("{0}({1})", are_finite, table, made=(finite,))
        call = f"{{3}}({', '.join(f'{{{4 + j}}}' for j in range(len(instead.inputs)))})"
        reads = self.one_hots(made.dtype), table, finite, instead, *instead.inputs
        text, with_out = f"{PRODUCT} if {{2}} else {call}", f"{PRODUCT_OUT} if {{2}} else np.copyto({{out}}, {call})"
        self.lines.append(Line(text, reads, line.made, with_out))

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
        """1'X, with X = O T, X = Y * O T, or by way of O'X."""
        left, right, scales = self.terms(x)
        if not scales:
            self.replace(i, line, PRODUCT, PRODUCT_OUT, self.like_result(left, line), right)
            return
        total, scale = self.product((line, "sum"), f"{x.name}_sum", self.like_result(left, line), right), scales[0]
        for each in scales[1:]:
            scale = self.computed("multiply", scale, each, f"{x.name}_scale")
        reads = total, self.like_result(scale, line)
        self.replace(i, line, "np.multiply({0}, {1})", "np.multiply({0}, {1}, {out})", *reads)

    def like_result(self, row: Any, line: Line) -> Any:
        """A row with as many dimensions as what a line makes."""
        if len(line.made[0].shape) > 1 or len(row.shape) < 2:
            return row
        return self.reshaped(row, row.shape[1]) if isinstance(row, Value) else row[0]

    def terms(self, x: Value) -> tuple[Any, Value, list[Any]]:
        """Two matrices whose product is 1'X, but for factors of each column."""
        if x in self.way.spread:
            table, scale = self.tables[x]
            return self.counts(x.dtype), table, [] if scale is None else [scale]
        if x in self.way.pairs:
            y, other = self.way.pairs[x]
            table, scale = self.tables[other]
            by_row, factor = self.sums_by_row(y), None
            if y in self.way.spread:
                by_row, factor = self.met(self.tables[y][0]), self.tables[y][1]
            products = self.computed("multiply", by_row, table, f"{x.name}_by_row")
            return np.ones((1, self.k * self.r), x.dtype), products, [s for s in (scale, factor) if s is not None]
        by_row = self.sums_by_row(x)
        first = Value(f"{by_row.name}_1", (self.r, x.shape[1]), x.dtype, base=by_row)  # each example is in it once
        return np.ones((1, self.r), x.dtype), self.once((by_row, "first"), first, "{0}[:{1}]", by_row, self.r), []

    def transposed_times(self, i: int, line: Line, table: Value, g: Value) -> None:
        """(O T)' G as T' (O'G)."""
        sums, e, h = self.sums_by_row(g), table.shape[1], g.shape[1]
        reads = self.transposed(table), self.reshaped(sums, self.k, self.r, h), (self.k, e, h), (self.k * e, h)
        with_out = "np.matmul({0}, {1}, {out}.reshape({2})).reshape({3})"
        self.replace(i, line, f"{MATMUL}.reshape({{3}})", with_out, *reads)

    def added_to_rows(self, i: int, line: Line, g: Value, weight: Value) -> None:
        """O' (G W') as (O'G) W'."""
        sums, e, h = self.sums_by_row(g), line.made[0].shape[1], g.shape[1]
        blocks = self.reshaped(weight, self.k, e, h)
        right = Value(f"{blocks.name}_T", (self.k, h, e), weight.dtype, contiguous=False, base=blocks)
        right = self.once((blocks, "T"), right, "{0}.transpose({1})", blocks, (0, 2, 1))
        parts = Value("by_place", (self.k, self.r, e), g.dtype)
        parts = self.once(
            (line, "parts"), parts, MATMUL, self.reshaped(sums, self.k, self.r, h), right, with_out=MATMUL_OUT
        )
        self.replace(i, line, "np.add.reduce({0}, 0)", "np.add.reduce({0}, 0, None, {out})", parts)


def is_ones(arg: Any, n: int) -> bool:
    """Whether a product with it is a sum over n rows."""
    return isinstance(arg, np.ndarray) and arg.shape in ((n,), (1, n)) and bool((arg == 1).all())


def are_finite(array: Any) -> bool:
    """Whether an array holds neither inf nor nan, nor numbers that are too large to be squared."""
    return isfinite(np.vdot(array, array))


def finite_or(result: Any, instead: Callable[..., Any], *inputs: Any) -> Any:
    """A result where it is finite; else what is to come in its place, in the same memory."""
    if not isfinite(np.vdot(result, result)):
        result[...] = instead(*inputs)
    return result
