"""Arguments for the operations of ops/norms.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike, NDArray

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import Shape, layouts, shapes
from ..indices import Axis, all_axes, masks

POWERS: list[Any] = [2, 3, 1.5, 0.5, -1, -2.5]
OF_VECTORS = [*POWERS, 0, 1, np.inf, -np.inf]
SPECTRAL = ("nuc", 2, -2)
OF_MATRICES: list[Any] = [None, "fro", 1, -1, np.inf, -np.inf, *SPECTRAL]


@st.composite
def _array(draw: DrawFn, op: Op, shape: Shape, dtype: DTypeLike, axis: Axis, zeros: bool) -> NDArray[Any]:
    """Numbers of both signs, none near 0; no two of the same size, nor with the same sums. zeros: some are 0."""
    (drawn,) = draw(inputs(op, [shape], np.float64))
    array = np.asarray(np.where(draw(masks(shape)), 1.0, -1.0) * np.exp(drawn / 3))
    if zeros:
        left_out = draw(masks(shape))
        array[left_out & ~left_out.all(axis, keepdims=True)] = 0.0
    return draw(layouts(array.astype(dtype)))


def _apart(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """Matrices in two axes whose singular values are neither 0 nor near each other."""
    matrices = np.moveaxis(0.1 * array, axes, (-2, -1))
    place = np.arange(min(matrices.shape[-2:]))
    matrices[..., place, place] += 1 + 2 * place.astype(array.dtype)
    return np.moveaxis(matrices, (-2, -1), axes)


@sampler("p_norm")
def _p_norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, p = draw(shapes(min_side=1)), draw(st.sampled_from([float(p) for p in POWERS]))
    axis = draw(st.sampled_from(all_axes(len(shape), True, True)))
    return draw(_array(op, shape, dtype, axis, p == 2)), p, axis, draw(st.booleans())


@sampler("vector_norm")
def _vector_norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, order = draw(shapes(min_side=1)), draw(st.sampled_from(OF_VECTORS))
    axis = draw(st.sampled_from(all_axes(len(shape), True, True)))
    return draw(_array(op, shape, dtype, axis, order == 2)), axis, draw(st.booleans()), order


@sampler("matrix_norm")
def _matrix_norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, order = draw(shapes(min_dims=2, min_side=1)), draw(st.sampled_from(OF_MATRICES[1:]))
    x = draw(_array(op, shape, dtype, (-2, -1), order == "fro"))
    return _apart(x, (-2, -1)) if order in SPECTRAL else x, draw(st.booleans()), order


@sampler("norm")
def _norm(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_side=1))
    allowed = [axis for axis in all_axes(len(shape), True, True) if not isinstance(axis, tuple) or len(axis) in (1, 2)]
    axis = draw(st.sampled_from(allowed))
    ndim = len(shape) if axis is None else len(axis) if isinstance(axis, tuple) else 1
    orders = {1: OF_VECTORS, 2: OF_MATRICES}.get(ndim, [])
    order = draw(st.sampled_from([None, *orders]))
    zeros = order is None or order == "fro" or (order == 2 and ndim == 1)
    x = draw(_array(op, shape, dtype, axis, zeros))
    if ndim == 2 and order in SPECTRAL:
        x = _apart(x, axis if isinstance(axis, tuple) else (0, 1))
    return x, order, axis, draw(st.booleans())
