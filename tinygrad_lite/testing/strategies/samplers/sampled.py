"""Arguments for the operations of ops/sampled.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import REAL, Op
from ..arguments import sampler
from ..arrays import arrays, layouts, numbers, shapes


@sampler("interp")
def _interp(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    count = draw(st.integers(1, 4))
    x, xp = draw(numbers([draw(shapes(max_dims=2)), (count,)], [REAL, REAL], True))  # no x at a point, a kink
    ends = [draw(st.one_of(st.none(), arrays((), dtype))) for _ in range(2)]
    return draw(layouts(x.astype(dtype))), np.sort(xp.astype(dtype)), draw(arrays((count,), dtype)), *ends


@sampler("trapezoid")
def _trapezoid(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    x = draw(st.one_of(st.none(), arrays((shape[axis],), dtype), arrays(shape, dtype)))
    return draw(arrays(shape, dtype)), x, draw(st.sampled_from([1.0, 0.5])), axis
