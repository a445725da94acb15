"""Finding what is computed of rows of a table, and what of it is needed in which form.

[tables.py](tables.py) has the algebra, and the letters: O T are rows of T, and O is one-hot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .code import Code, is_pure
from .lower import BROADCAST, PRODUCT, RESHAPE, TAKE, TRANSPOSE, Line
from .lowerings_neural import ADD_TO_ROWS
from .steps import Value, values_in

ARITHMETIC = {f"np.{name}({{0}}, {{1}})": name for name in ("add", "subtract", "multiply", "divide")}


class Rows(NamedTuple):
    """Which rows of a table, (R, E): K for each of N examples."""

    indices: Value
    n: int
    k: int
    r: int
    e: int


class Finder:
    """Finds products with rows of a table, whose operands have not changed since the rows were taken."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.written = self.written_between(0, len(code.lines))
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
        if not n * r * e or width % e or not all(map(self.is_steady, (g, indices, made))):
            return None
        if not isinstance(weight, Value) or not weight.contiguous or not self.unchanged(weight, self.places[made], i):
            return None
        return Rows(indices, n, width // e, r, e), g, weight

    def maker(self, value: Any, text: str) -> Line | None:
        """The line that makes a value, where it has this text."""
        i = self.places.get(value) if isinstance(value, Value) else None
        return self.code.lines[i] if i is not None and self.code.lines[i].text == text else None

    def unshaped(self, value: Value) -> Value:
        """What a value is another shape of, in the same memory."""
        while (line := self.maker(value, RESHAPE)) is not None and getattr(line.reads[0], "contiguous", False):
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
        if table.dtype.itemsize < 4:  # in float16 there is no 2049, and rows may be taken as often
            return None
        return Rows(indices, n, width // e, r, e), table

    def written_between(self, first: int, last: int) -> set[Value]:
        """To whose memory lines write."""
        return {each.root for line in self.code.lines[first:last] for each in line.effects}

    def unchanged(self, value: Value, first: int, last: int) -> bool:
        """Whether nothing is written to the memory of a value between two lines, nor to what may lie there."""
        return self.is_apart(value.root, self.written_between(first, last))

    def is_steady(self, value: Any) -> bool:
        """Whether nothing is ever written to the memory of a value, or to what may lie there."""
        return isinstance(value, Value) and self.is_apart(value.root, self.written)

    def is_apart(self, root: Value, written: set[Value]) -> bool:
        """Whether memory can't be where others write: that of arguments may be, where it holds the same dtype."""
        if root in written or root not in self.code.outside:
            return root not in written
        written = {each for each in written & self.code.outside if each.dtype == root.dtype}
        if root in self.code.given or written & self.code.given:
            return not written
        return root in self.code.movable or written <= self.code.movable


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
        elif line.text == "np.square({0})" and self.is_spread(line.reads[0]) and self.is_steady(line.made[0]):
            if "columns" in self.parts:
                self.pairs[line.made[0]] = line.reads[0], line.reads[0]
        elif "columns" in self.parts and line.text == PRODUCT and is_sum(line, self.rows_taken.n):
            self.sums[line] = line.reads[1]

    def is_spread(self, arg: Any) -> bool:
        """Whether an operand is O T."""
        return isinstance(arg, Value) and arg in self.spread

    def find_arithmetic(self, line: Line, made: Value) -> None:
        """Find what a line is that computes element by element."""
        name, (x, y) = ARITHMETIC[line.text], map(self.repeated, line.reads)
        kinds = self.kind(x, made), self.kind(y, made)
        if len(made.shape) != 2 or made.shape[0] != self.rows_taken.n or made.dtype.kind != "f":
            return
        if "" in kinds or kinds == ("row", "row"):
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
            return "" if not self.is_steady(arg) else "spread" if self.is_spread(arg) else "matrix"
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
                    self.dense |= set(self.bases.get(made, ()))
                    for each in values_in(() if made in self.bases else self.operands[made]):
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


def is_sum(line: Line, n: int) -> bool:
    """Whether a product is the sum of the n rows of a value."""
    ones, x = line.reads
    is_one = isinstance(ones, np.ndarray) and ones.shape in ((n,), (1, n)) and bool((ones == 1).all())
    return is_one and isinstance(x, Value)
