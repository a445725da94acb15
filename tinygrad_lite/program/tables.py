"""Matrices whose rows come from a small table, by way of the table where that takes less.

Taking rows of a table T is a product with a one-hot matrix O, which has a column for each row of T. All that treats
columns alike may be done to the table: (O T) W is O (T W), (O T) s with a factor s for each column is O (T s), and
O T + b with a number b for each column is O (T + b). Sums over all rows are 1'(O T) = (1'O) T, where 1'O counts how
often each row of T is taken; those of products of two, 1'(O T * O U), are 1'(T * P U), where P = O'O counts how often
two are taken together. In backward (O T)' G is T' (O'G), O' (G W') is (O'G) W', and 1'(G * O T) is 1'(O'G * T): only
O'G is needed of G. That of X + Y is O'X + O'Y, of X s it is (O'X) s, and of O T it is P T.

So a layer on embedded letters, and the batch norm after it, need not be computed for each example but for each letter.
Several rows side by side, K for each of N examples, are as many blocks of O side by side, and of W below each other.
Where O T itself is needed, it is no product: of each block of T a row is taken, and they are added.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from .by_table import Moved, Writer
from .code import Code
from .rows import Finder, Rows, Way
from .simplify import needed

WAYS = [("products",), ("sums",), ("products", "sums"), ("products", "sums", "columns")]  # the parts of a Way
MOST = 2**10  # rows of a table: O comes from a unit matrix with as many
CALL, ELEMENT = 2**16, 16  # what a line costs, and an element of its result, in products of numbers


def tables(code: Code) -> Code:
    """What is computed of rows of a table by way of the table, where that takes less.

    A result differs by at most 3 M roundings of the sum of the absolute values of its terms, multiplied out; M counts
    the additions and products that follow each other from what is read to it. Factors of columns are multiplied with
    each other first; their products must be neither too large for the dtype nor too small.
    """
    for rows in filter(may_save, dict.fromkeys(Finder(code).families())):
        ways = [code.lines]
        for parts in WAYS:
            with suppress(Moved):
                ways.append(Writer(Way(code, rows, parts)).lines)
        code = min([needed(replace(code, lines=lines)) for lines in ways], key=cost)
    return code


def may_save(rows: Rows) -> bool:
    """Whether a table is small, and has fewer rows than columns or fewer in all places than there are examples."""
    return rows.r <= MOST and (rows.r < rows.e or rows.k * rows.r < rows.n)


def cost(code: Code) -> int:
    """About how many products of numbers take as long as a program does."""
    lines = [line for line in code.lines if not line.fixed]
    return sum(CALL + (line.flops // 2 if line.is_product else ELEMENT * line.flops) for line in lines)
