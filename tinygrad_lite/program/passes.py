"""What makes a program shorter and faster. Each pass is a function from code to code, and can be left out.

A pass whose results may differ from eager's says in its docstring by how much, and is named in ROUNDING.
"""

from __future__ import annotations

from collections.abc import Callable

from .code import Code
from .memory import chains, pool, side_by_side, tiles, views
from .rounding import powers, reciprocals, sums
from .simplify import common, constants, copies, direct, needed
from .tables import tables

EXACT = [common, needed, copies, direct, side_by_side, views, chains, pool, tiles]
ROUND = [powers, reciprocals, sums, tables]
PASSES: dict[str, Callable[[Code], Code]] = {each.__name__: each for each in (constants, *ROUND, *EXACT)}
ROUNDING = {each.__name__ for each in ROUND}


def optimised(code: Code, without: frozenset[str]) -> Code:
    """The code after all passes, but for some."""
    for name, function in PASSES.items():
        if name not in without:
            code = function(code)
    return code
