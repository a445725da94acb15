"""Arguments for the operations of ops/linalg.py."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import broadcasting


@sampler("matmul")
def _matmul(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, k, m = draw(st.sampled_from([(2, 3, 2), (1, 2, 3), (2, 1, 2), (3, 2, 1), (1, 1, 1), (2, 0, 3), (0, 2, 2)]))
    batch_x, batch_y = draw(broadcasting(2, max_dims=2))
    x = draw(st.sampled_from([(n, k), (k,), (*batch_x, n, k)]))
    y = draw(st.sampled_from([(k, m), (k,), (*batch_y, k, m)]))
    return tuple(draw(inputs(op, [x, y], dtype)))
