"""Arguments for the operations of ops/elementwise.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import REAL, Op
from ..arguments import inputs, sampler
from ..arrays import broadcasting, layouts, numbers, shapes
from ..indices import masks


@sampler("where")
def _where(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    mask, x, y = draw(broadcasting(3))
    drawn = draw(numbers([x, y], [REAL, REAL], False))
    return draw(masks(mask)), *[draw(layouts(array.astype(dtype), broadcast=True)) for array in drawn]


@sampler("astype")
def _astype(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), np.dtype(dtype)
