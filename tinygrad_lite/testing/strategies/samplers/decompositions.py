"""Arguments for the operations of ops/inverses.py, ops/determinants.py and ops/decompositions.py.

Matrices are made of what they are decomposed into, so that their eigenvalues or singular values are well apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike, NDArray

from ....op import Op
from ..arguments import sampler
from ..arrays import Shape, lay_out, layouts, shapes

BATCHES: list[Shape] = [(), (2,), (2, 1), (0,)]
SIDES = [2, 3, 1, 0]
RECTANGLES = [(3, 2), (2, 3), (2, 2), (3, 1), (1, 3), (4, 2), (2, 4), (3, 3), (0, 2), (2, 0)]


def _orthogonal(rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
    return np.asarray(np.linalg.qr(rng.normal(size=shape))[0])


def _apart(rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
    """Positive numbers, at least 0.4 apart along the last axis, in descending order."""
    return np.asarray(0.5 + 0.6 * np.arange(shape[-1])[::-1] + rng.uniform(0, 0.2, shape))


@st.composite
def matrices(draw: DrawFn, dtype: DTypeLike, n: int, m: int, batch: Shape | None = None) -> NDArray[Any]:
    """Matrices (..., N, M), of full rank, with distinct singular values."""
    rng = np.random.default_rng(draw(st.integers(0, 65535)))
    batch = draw(st.sampled_from(BATCHES)) if batch is None else batch
    k = min(n, m)
    u, v = _orthogonal(rng, (*batch, n, n))[..., :k], _orthogonal(rng, (*batch, m, m))[..., :k]
    return draw(layouts((u * _apart(rng, (*batch, 1, k)) @ v.mT).astype(dtype)))


@st.composite
def symmetric(draw: DrawFn, dtype: DTypeLike, shift: float, triangle: str) -> NDArray[Any]:
    """Matrices with distinct eigenvalues, the least of them `shift` or more; one triangle, L or U, tells them."""
    rng = np.random.default_rng(draw(st.integers(0, 65535)))
    n, batch = draw(st.sampled_from(SIDES)), draw(st.sampled_from(BATCHES))
    v = _orthogonal(rng, (*batch, n, n))
    whole = v * (_apart(rng, (*batch, 1, n)) - 0.5 + shift) @ v.mT
    unread = np.tri(n, k=-1) if triangle == "U" else np.tri(n, k=-1).T
    array = whole + draw(st.sampled_from([0.0, 1.0])) * unread
    return draw(layouts(array.astype(dtype)))


@sampler("inv", "det", "slogdet", "cofactor")
def _square(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n = draw(st.sampled_from(SIDES))
    return (draw(matrices(dtype, n, n)),)


@sampler("solve")
def _solve(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, k = draw(st.sampled_from(SIDES)), draw(st.sampled_from([1, 2, 0]))
    batch, other = draw(st.sampled_from([((), ()), ((2,), (2,)), ((2, 1), (3,)), ((), (2,)), ((2,), ()), ((0,), ())]))
    vector = not draw(st.integers(0, 2))
    b = np.random.default_rng(draw(st.integers(0, 65535))).normal(size=(n,) if vector else (*other, n, k))
    return draw(matrices(dtype, n, n, batch)), draw(layouts(b.astype(dtype)))


@sampler("tensorinv")
def _tensorinv(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, ind = draw(st.sampled_from([((2, 2), 1), ((2, 3, 6), 2), ((4, 2, 2), 1), ((1, 2, 2), 2), ((2, 1, 2, 1), 2)]))
    n = int(np.prod(shape[:ind]))
    return draw(matrices(dtype, n, n, ())).reshape(shape), ind


@sampler("tensorsolve")
def _tensorsolve(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, b, axes = draw(
        st.sampled_from(
            [
                ((2, 2), (2,), None),
                ((2, 3, 6), (2, 3), None),
                ((4, 2, 2), (4,), None),
                ((2, 4, 2), (4,), (0, 2)),
                ((2, 2), (2,), (0,)),
            ]
        )
    )
    n = int(np.prod(b))
    right = np.random.default_rng(draw(st.integers(0, 65535))).normal(size=b)
    return draw(matrices(dtype, n, n, ())).reshape(shape), draw(layouts(right.astype(dtype))), axes


@sampler("matrix_power")
def _matrix_power(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n = draw(st.sampled_from(SIDES))
    return draw(matrices(dtype, n, n)), draw(st.integers(-3, 5))


@sampler("pinv")
def _pinv(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(matrices(dtype, *draw(st.sampled_from(RECTANGLES)))), draw(st.sampled_from([None, 1e-6])), False


@sampler("svdvals")
def _svdvals(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return (draw(matrices(dtype, *draw(st.sampled_from(RECTANGLES)))),)


@sampler("svd_factors")
def _svd_factors(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from(RECTANGLES))
    return draw(matrices(dtype, n, m)), draw(st.booleans()) and n == m


@sampler("svd")
def _svd(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from(RECTANGLES))
    return draw(matrices(dtype, n, m)), draw(st.booleans()) and n == m, draw(st.booleans()), False


@sampler("qr_factors")
def _qr_factors(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from([(n, m) for n, m in RECTANGLES if n >= m]))
    return draw(matrices(dtype, n, m)), draw(st.booleans()) and n == m


@sampler("qr")
def _qr(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from(RECTANGLES))
    array = draw(matrices(dtype, n, m))
    if n < m:  # the first columns must be independent, too
        array = lay_out(np.concatenate([draw(matrices(dtype, n, n, array.shape[:-2])), array[..., n:]], -1), "strided")
    return array, draw(st.sampled_from(["reduced", "r"] if n > m else ["reduced", "r", "complete"]))


@sampler("cholesky")
def _cholesky(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    upper = draw(st.booleans())
    return draw(symmetric(dtype, 0.5, "U" if upper else "L")), upper


@sampler("eigh", "eigvalsh")
def _eigh(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    triangle = draw(st.sampled_from(["L", "U"]))
    return draw(symmetric(dtype, draw(st.sampled_from([0.5, -0.8])), triangle)), triangle


@sampler("cond")
def _cond(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from([shape for shape in RECTANGLES if min(shape)]))
    orders = [None, 2, -2, *(["fro", 1, -1, np.inf, -np.inf] if n == m else [])]
    return draw(matrices(dtype, n, m)), draw(st.sampled_from(orders))


@sampler("matrix_rank")
def _matrix_rank(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, m = draw(st.sampled_from([shape for shape in RECTANGLES if min(shape)]))
    array = draw(st.sampled_from([1.0, 0.0])) * draw(matrices(dtype, n, m))
    array = draw(st.sampled_from([array.astype(dtype), array[..., :1].astype(dtype) + np.zeros(m, dtype)]))
    vector = np.ones(draw(shapes(max_dims=1)), dtype)
    array = draw(st.sampled_from([array, array, array, vector]))
    tol, rtol = draw(st.sampled_from([(None, None), (0.8, None), (None, 0.5)]))
    return array, tol, False, rtol
