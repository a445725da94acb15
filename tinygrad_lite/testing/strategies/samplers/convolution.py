"""Arguments for the operations of ops/convolution.py."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import Op
from ..arguments import inputs, sampler

Sizes = tuple[int, ...]


def _several(draw: DrawFn, dims: int, low: int, high: int) -> Sizes:
    return tuple(draw(st.integers(low, high)) for _ in range(dims))


def _one_or_several(draw: DrawFn, sizes: Sizes) -> int | Sizes:
    """One int in place of equal sizes, now and then."""
    return sizes[0] if len(set(sizes)) == 1 and draw(st.booleans()) else sizes


def _span(kernel: Sizes, dilation: Sizes) -> list[int]:
    return [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]


@st.composite
def _places(draw: DrawFn, dims: int) -> tuple[Sizes, Sizes, Sizes, tuple[Sizes, ...], Sizes]:
    """The size of the images, and kernel, stride, padding and dilation that fit."""
    kernel, stride = _several(draw, dims, 1, 3 if dims == 1 else 2), _several(draw, dims, 1, 2)
    dilation = _several(draw, dims, 1, 2)
    padding = tuple(_several(draw, 2, 0, 1) for _ in range(dims))
    least = [max(1, n - sum(sides)) for n, sides in zip(_span(kernel, dilation), padding, strict=True)]
    return tuple(n + draw(st.integers(0, 2)) for n in least), kernel, stride, padding, dilation


@st.composite
def _batch(draw: DrawFn) -> Sizes:
    return draw(st.sampled_from([(1, 1), (2, 1), (1, 2), (2, 2), (0, 1)]))


@sampler("patches")
def _patches(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    size, *rest = draw(_places(draw(st.integers(1, 2))))
    return *draw(inputs(op, [(*draw(_batch()), *size)], dtype)), *rest, draw(st.sampled_from([0.0, 1.5]))


@sampler("add_patches")
def _add_patches(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    size, kernel, stride, padding, dilation = draw(_places(draw(st.integers(1, 2))))
    padded = [n + a + b for n, (a, b) in zip(size, padding, strict=True)]
    out = [(n - span) // s + 1 for n, span, s in zip(padded, _span(kernel, dilation), stride, strict=True)]
    values = draw(inputs(op, [(*draw(_batch()), *kernel, *out)], dtype))
    return *values, size, stride, padding, dilation


@sampler("conv1d", "conv2d")
def _conv(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    dims = int(op.name[4])
    size, kernel, stride, sides, dilation = draw(_places(dims))
    batch, depth = draw(st.sampled_from([(1, 1), (2, 1), (1, 2)]))
    groups, each = draw(st.sampled_from([(1, 1), (1, 2), (2, 1)]))
    padding: Any = tuple(max(pair) for pair in sides)  # the same before and after: at least what fits
    padding = draw(st.sampled_from([padding, "same"])) if set(stride) == {1} else padding
    if draw(st.booleans()):
        size, padding = tuple(n + 2 for n in size), "valid" if not isinstance(padding, str) else padding
    shape = (batch, depth * groups, *size)
    if batch == 1 and draw(st.booleans()):
        shape = shape[1:]
    x, weight, bias = draw(inputs(op, [shape, (each * groups, depth, *kernel), (each * groups,)], dtype))
    bias = draw(st.sampled_from([bias, None]))
    padding = padding if isinstance(padding, str) else _one_or_several(draw, padding)
    return x, weight, bias, _one_or_several(draw, stride), padding, _one_or_several(draw, dilation), groups


@st.composite
def _pool(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    dims = int(op.name[8])
    kernel = _several(draw, dims, 1, 3 if dims == 1 else 2)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = tuple(max(1, k - 2 * p) + draw(st.integers(0, 2)) for k, p in zip(kernel, padding, strict=True))
    stride: Any = draw(st.sampled_from([None, _several(draw, dims, 1, 2)]))
    shape = (*draw(_batch()), *size)
    if shape[0] == 1 and draw(st.booleans()):
        shape = shape[1:]
    stride = None if stride is None else _one_or_several(draw, stride)
    (x,) = draw(inputs(op, [shape], dtype))
    return x, _one_or_several(draw, kernel), stride, _one_or_several(draw, padding)


@sampler("max_pool1d", "max_pool2d")
def _max_pool(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return draw(_pool(op, dtype))


@sampler("avg_pool1d", "avg_pool2d")
def _avg_pool(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(_pool(op, dtype)), draw(st.booleans())
