"""Whole sets of arguments for the operations of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import DTypeLike, NDArray

from ...op import ONE, REAL, Op
from .arrays import Shape, broadcasting, layouts, numbers

SAMPLERS: dict[str, Callable[[Op, Any], SearchStrategy[tuple[Any, ...]]]] = {}
"""For each operation that is not elementwise, what draws its arguments: a function of the operation and a dtype."""


def sampler(*names: str) -> Callable[[Callable[..., tuple[Any, ...]]], Callable[..., Any]]:
    """Declare how the arguments of some operations are drawn, by a function of `draw`, the operation and a dtype."""

    def declare(function: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
        strategy = st.composite(function)
        SAMPLERS.update(dict.fromkeys(names, strategy))
        return strategy

    return declare


def is_elementwise(op: Op) -> bool:
    """Whether all that an operation takes are arrays; if it has no sampler, then they broadcast together."""
    return op.name not in SAMPLERS and all(kind is ONE for kind in op.kinds)


def can_be_drawn(op: Op) -> bool:
    """Whether `arguments` knows how to draw the arguments of an operation."""
    return op.name in SAMPLERS or is_elementwise(op)


def arguments(op: Op, dtype: DTypeLike = np.float64) -> SearchStrategy[tuple[Any, ...]]:
    """All arguments of an operation, in order: arrays in any layout, floats among them of the given dtype.

    Numbers lie in the domain that the operation states, away from kinks; all of them are different where ties are
    kinks. Raises LookupError where the operation is not elementwise and SAMPLERS has nothing for it.
    """
    if op.name in SAMPLERS:
        return SAMPLERS[op.name](op, dtype)
    if not is_elementwise(op):
        raise LookupError(f"{op.name}: no sampler draws its arguments; declare one by strategies.sampler")
    return elementwise(op, dtype)


@st.composite
def inputs(draw: DrawFn, op: Op, shapes: Sequence[Shape], dtype: DTypeLike) -> list[NDArray[Any]]:
    """Arrays of the given shapes for the first inputs of an operation, or for the elements of its only one."""
    names = [op.inputs[0]] * len(shapes) if len(op.inputs) < len(shapes) else op.inputs[: len(shapes)]
    drawn = draw(numbers(shapes, [op.domain.get(name, REAL) for name in names], op.ties))
    return [draw(layouts(array.astype(dtype), broadcast=not op.ties)) for array in drawn]


@st.composite
def elementwise(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    """Arrays that broadcast together."""
    return tuple(draw(inputs(op, draw(broadcasting(len(op.parameters))), dtype)))
