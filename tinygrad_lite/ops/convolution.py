"""Convolution and pooling: both look at the patches of an image, so that is what there is a rule for.

Channels come first: (N, C, L) and (N, C, H, W), or without N. A size that holds for all spatial axes may be one int.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..declare import composite, primitive
from ..op import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Sizes = int | tuple[int, ...]
    Shape = tuple[int, ...]
    Padding = tuple[tuple[int, int], ...]


def _patches_rule(g: Array, x_shape: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Array:
    return add_patches(g, x_shape[2:], stride, padding, dilation)


@primitive(vjp=_patches_rule, promotes=())
def patches(x: ArrayLike, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape, fill: float = 0.0) -> Array:
    """The patches of x that a kernel is laid on: (N, C, H, W) -> (N, C, KH, KW, OH, OW), for any number of axes.

    padding: how many elements of value `fill` stand (before, after) each spatial axis. torch's unfold.
    """
    x = np.asarray(x)
    if any(before or after for before, after in padding):
        padded: Array = np.full(x.shape[:2] + _padded(x.shape[2:], padding), fill, x.dtype)
        padded[(..., *_inside(x.shape[2:], padding))] = x
    else:
        padded = x
    out = _positions(padded.shape[2:], kernel, stride, dilation)
    steps = padded.strides[2:]
    moves = [n * step for n, step in zip(dilation, steps, strict=True)]
    jumps = [n * step for n, step in zip(stride, steps, strict=True)]
    shape, strides = (*x.shape[:2], *kernel, *out), (*padded.strides[:2], *moves, *jumps)
    return np.array(as_strided(padded, shape, strides, writeable=False))


def _add_patches_rule(g: Array, values_shape: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Array:
    return patches(g, values_shape[2 : len(values_shape) // 2 + 1], stride, padding, dilation)


@primitive(vjp=_add_patches_rule, promotes=())
def add_patches(values: ArrayLike, size: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Array:
    """Patches laid back where they came from, and added where they overlap: the way back of `patches`.

    (N, C, KH, KW, OH, OW) -> (N, C, H, W), where size is (H, W). torch's fold.
    """
    given: Array = np.asarray(values)
    kernel, out = given.shape[2 : 2 + len(size)], given.shape[2 + len(size) :]
    result = np.zeros(given.shape[:2] + _padded(size, padding), given.dtype)
    for offset in product(*[range(n) for n in kernel]):
        starts = [i * d for i, d in zip(offset, dilation, strict=True)]
        place: list[Any] = [slice(a, a + s * n, s) for a, s, n in zip(starts, stride, out, strict=True)]
        result[(..., *place)] += given[:, :, *offset]
    return np.array(result[(..., *_inside(size, padding))])


def _padded(size: Shape, padding: Padding) -> Shape:
    return tuple([n + before + after for n, (before, after) in zip(size, padding, strict=True)])


def _inside(size: Shape, padding: Padding) -> list[Any]:
    return [slice(before, before + n) for n, (before, _) in zip(size, padding, strict=True)]


def _positions(size: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Shape:
    """On how many places along each axis a kernel can be laid."""
    axes = zip(size, kernel, stride, dilation, strict=True)
    return tuple([(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes])


@composite()
def conv1d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution, or rather correlation: x (N, C, L), weight (O, C / groups, K), bias (O,) -> (N, O, L').

    padding: zeros on both sides; "valid" is none, "same" as many as keep L. L' is
    (L + 2 * padding - dilation * (K - 1) - 1) // stride + 1. Raises ValueError where the shapes do not fit.
    """
    return _convolution("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


@composite()
def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution: x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, H', W'). See `conv1d`.

    Every size may be one int or a pair (for H, for W). The patches are kept for the backward: KH * KW times x.
    """
    return _convolution("conv2d", 2, x, weight, bias, stride, padding, dilation, groups)


def _convolution(
    name: str, dims: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    """A product of the kernels with the patches, group by group."""
    stride, dilation = _sizes(name, "stride", stride, dims, 1), _sizes(name, "dilation", dilation, dims, 1)
    if np.ndim(x) not in (dims + 1, dims + 2) or np.ndim(weight) != dims + 2:
        axes = "(N, C, L) and weight (O, C, K)" if dims == 1 else "(N, C, H, W) and weight (O, C, KH, KW)"
        raise ValueError(f"{name}: takes x {axes}, got {np.shape(x)} and {np.shape(weight)}")
    images = x if np.ndim(x) == dims + 2 else np.expand_dims(x, 0)
    (n, channels, *size), (outputs, depth, *kernel) = np.shape(images), np.shape(weight)
    if groups.__class__ is not int or groups < 1 or channels != depth * groups or outputs % groups:
        raise ValueError(
            f"{name}: x has {channels} channels, weight {np.shape(weight)} takes {depth} in each of {groups!r} groups, "
            f"and gives {outputs}, which the number of groups must divide"
        )
    if bias is not None and np.shape(bias) != (outputs,):
        raise ValueError(f"{name}: weight {np.shape(weight)} takes a bias ({outputs},), got {np.shape(bias)}")
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"{name}: padding='same' takes stride=1, got {stride}")
        missing = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        sides = tuple([(each // 2, each - each // 2) for each in missing])
    else:
        sides = tuple([(each, each) for each in _sizes(name, "padding", 0 if padding == "valid" else padding, dims, 0)])
    _check_fit(name, size, kernel, sides, dilation)
    found: Any = patches(images, tuple(kernel), stride, sides, dilation)
    out = np.shape(found)[2 + dims :]
    columns = np.reshape(found, (n, groups, depth * prod(kernel), prod(out)))
    rows = np.reshape(weight, (groups, outputs // groups, depth * prod(kernel)))
    result: Any = np.reshape(np.matmul(rows, columns), (n, outputs, *out))
    if bias is not None:
        result = result + np.reshape(bias, (outputs, *[1] * dims))
    return result if np.ndim(x) == dims + 2 else result[0]  # type: ignore[no-any-return]


def _sizes(name: str, what: str, value: Any, dims: int, least: int) -> Shape:
    """A size for each spatial axis."""
    sizes = (value,) * dims if isinstance(value, (int, np.integer)) else value
    if (
        not isinstance(sizes, (tuple, list))
        or len(sizes) != dims
        or not all(isinstance(n, (int, np.integer)) and n >= least for n in sizes)
    ):
        several = f" or {dims} of them" if dims > 1 else ""
        raise ValueError(f"{name}: {what} takes an int of {least} or more{several}, got {value!r:.40}")
    return tuple([int(n) for n in sizes])


def _check_fit(name: str, size: Any, kernel: Any, padding: Padding, dilation: Shape) -> None:
    spans = tuple([d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)])
    padded = _padded(tuple(size), padding)
    if not all(1 <= span <= n for span, n in zip(spans, padded, strict=True)) or 0 in kernel:
        raise ValueError(f"{name}: a kernel of {tuple(kernel)} spans {spans}, but the padded input is {padded}")


@composite(ties=True)
def max_pool1d(x: ArrayLike, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> Tensor:
    """The largest element of each patch: (N, C, L) -> (N, C, L').

    stride is kernel_size unless given; what is padded never counts. Among equals the first one gets the gradient.
    """
    return _max_pool("max_pool1d", 1, x, kernel_size, stride, padding)


@composite(ties=True)
def max_pool2d(x: ArrayLike, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> Tensor:
    """The largest element of each patch: (N, C, H, W) -> (N, C, H', W'). See `max_pool1d`.

    Among equals the first one gets the gradient.
    """
    return _max_pool("max_pool2d", 2, x, kernel_size, stride, padding)


@composite(floats=True)
def avg_pool1d(
    x: ArrayLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each patch: (N, C, L) -> (N, C, L').

    stride is kernel_size unless given; zeros that were padded count, unless count_include_pad is False.
    """
    return _avg_pool("avg_pool1d", 1, x, kernel_size, stride, padding, count_include_pad)


@composite(floats=True)
def avg_pool2d(
    x: ArrayLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each patch: (N, C, H, W) -> (N, C, H', W'). See `avg_pool1d`."""
    return _avg_pool("avg_pool2d", 2, x, kernel_size, stride, padding, count_include_pad)


def _pooled(name: str, dims: int, x: Any, kernel_size: Any, stride: Any, padding: Any) -> tuple[Any, ...]:
    """The arguments of `patches`, after checks: (images, kernel, stride, padding, dilation)."""
    if np.ndim(x) not in (dims + 1, dims + 2):
        raise ValueError(f"{name}: takes x {'(N, C, L)' if dims == 1 else '(N, C, H, W)'}, got {np.shape(x)}")
    kernel = _sizes(name, "kernel_size", kernel_size, dims, 1)
    stride = kernel if stride is None else _sizes(name, "stride", stride, dims, 1)
    padding = _sizes(name, "padding", padding, dims, 0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{name}: padding {padding} must be at most half of the kernel {kernel}")
    sides, ones = tuple([(p, p) for p in padding]), (1,) * dims
    images = x if np.ndim(x) == dims + 2 else np.expand_dims(x, 0)
    _check_fit(name, np.shape(images)[2:], kernel, sides, ones)
    return images, kernel, stride, sides, ones


def _max_pool(name: str, dims: int, x: Any, kernel_size: Any, stride: Any, padding: Any) -> Tensor:
    images, kernel, stride, sides, ones = _pooled(name, dims, x, kernel_size, stride, padding)
    dtype = np.result_type(images)
    lowest = -np.inf if dtype.kind == "f" else np.iinfo(dtype).min
    found: Any = patches(images, kernel, stride, sides, ones, lowest)
    shape = np.shape(found)
    found = np.reshape(found, (*shape[:2], prod(kernel), *shape[2 + dims :]))
    largest: Any = np.expand_dims(np.argmax(found, 2), 2)
    result: Any = np.take_along_axis(found, largest, 2)
    return np.squeeze(result, 2) if np.ndim(x) == dims + 2 else np.squeeze(result, (0, 2))  # type: ignore[no-any-return]


def _avg_pool(name: str, dims: int, x: Any, kernel_size: Any, stride: Any, padding: Any, count_padded: bool) -> Tensor:
    images, kernel, stride, sides, ones = _pooled(name, dims, x, kernel_size, stride, padding)
    axes = tuple(range(2, 2 + dims))
    total: Any = np.sum(patches(images, kernel, stride, sides, ones), axis=axes)
    if count_padded:
        result = total / prod(kernel)
    else:
        inside = np.ones((1, 1, *np.shape(images)[2:]), np.result_type(images))
        result = total / np.sum(patches(inside, kernel, stride, sides, ones), axis=axes)
    return result if np.ndim(x) == dims + 2 else result[0]  # type: ignore[no-any-return]
