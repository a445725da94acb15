"""Subscripts of einsum, with operands that match them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ...op import REAL
from .arrays import layouts, narrowings, numbers, shapes

LETTERS = "ijkZ"  # capitals come first in an implicit output
OFTEN = "ijkijkijkZ"


@st.composite
def einsums(
    draw: DrawFn, max_operands: int = 3, dtype: DTypeLike = np.float64, broadcast: bool = True
) -> tuple[Any, ...]:
    """Arguments of einsum: subscripts, and as many arrays, in any layout.

    Letters repeated in one operand (a diagonal) and in several; lengths of 1; an ellipsis for axes that broadcast, in
    any place; the output left out, or written as any order of any letters; spaces.
    broadcast: a letter may also have the length 1 in one operand and another one elsewhere.
    """
    sizes = {letter: draw(st.integers(1, 3)) for letter in LETTERS}
    batch = draw(shapes(max_dims=2, min_side=1))
    terms, parts, ellipses = [], [], draw(st.booleans())
    for _ in range(draw(st.integers(1, max_operands))):
        letters = draw(st.lists(st.sampled_from(OFTEN), max_size=3))
        single = draw(st.booleans()) and broadcast
        lengths = [1 if single and letter == letters[0] else sizes[letter] for letter in letters]
        place = draw(st.integers(0, len(letters))) if ellipses and draw(st.booleans()) else None
        if place is not None:
            lengths[place:place] = draw(narrowings(batch))
            letters.insert(place, "...")
        terms.append(letters)
        parts.append(tuple(lengths))
    subscripts = ",".join("".join(term) for term in terms)
    if draw(st.booleans()):
        used = [letter for letter in LETTERS if any(letter in term for term in terms)]
        output = draw(st.lists(st.sampled_from(used), max_size=3, unique=True)) if used else []
        if any("..." in term for term in terms):
            output.insert(draw(st.integers(0, len(output))), "...")
        subscripts += "->" + "".join(output)
    if draw(st.booleans()):
        subscripts = subscripts.replace(",", ", ").replace("->", " -> ")
    operands = draw(numbers(parts, [REAL] * len(parts), False))
    return subscripts, *[draw(layouts(operand.astype(dtype), broadcast=True)) for operand in operands]
