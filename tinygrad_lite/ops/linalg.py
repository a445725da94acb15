"""Linear algebra: the products of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import Array
from .contraction import einsum, tensordot, tensordot_a, tensordot_b
from .joining import stack
from .reduction import sum as sum_
from .shape import diagonal, moveaxis, reshape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Shape = tuple[int, ...]

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "vdot",
    "vecdot",
    "vecmat",
]


def matmul_x(g: Array, y: Array, x_shape: Shape) -> Array:
    """The gradient of x in x @ y; sums over what was broadcast are left to the engine."""
    if y.ndim == 1:
        return (g if len(x_shape) == 1 else np.expand_dims(g, -1)) * y
    if len(x_shape) == 1:
        return np.matmul(y, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, y.mT)


def matmul_y(g: Array, x: Array, y_shape: Shape) -> Array:
    """The gradient of y in x @ y; sums over what was broadcast are left to the engine."""
    if x.ndim == 1:
        return g * x if len(y_shape) == 1 else np.expand_dims(x, -1) * np.expand_dims(g, -2)
    if len(y_shape) == 1:
        return np.matmul(np.expand_dims(g, -2), x)[..., 0, :]
    if (
        len(y_shape) == 2 and x.ndim > 2 and x.size and g.size
    ):  # one product in place of a batch of them that is summed afterwards
        x, g = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
    return np.matmul(x.mT, g)


@primitive(np.matmul, np.linalg.matmul, vjp={"x": matmul_x, "y": matmul_y})
def matmul(x: ArrayLike, y: ArrayLike) -> Array:
    """Matrix product: (..., n, k) @ (..., k, m) -> (..., n, m), leading axes broadcast; vectors as in NumPy."""
    try:
        return np.matmul(x, y)
    except ValueError:
        raise ValueError(f"matmul: {mismatch(np.shape(x), np.shape(y))}") from None


def mismatch(x: Shape, y: Shape) -> str:
    """Why x @ y is impossible."""
    if not x or not y:
        return f"takes no scalars: {x} @ {y}; multiply with *"
    inner = y[-2] if len(y) > 1 else y[0]
    if x[-1] != inner:
        return f"inner dimensions differ: {x} @ {y}, {x[-1]} != {inner}"
    return f"leading dimensions do not broadcast: {x} @ {y}"


def _dot_a(g: Array, b: Array, a_shape: Shape) -> Array:
    if not a_shape or not b.ndim:
        return g * b
    return matmul_x(g, b, a_shape) if b.ndim <= 2 else tensordot_a(g, b, a_shape, (-1, -2))


def _dot_b(g: Array, a: Array, b_shape: Shape) -> Array:
    if not a.ndim or not b_shape:
        return g * a
    return matmul_y(g, a, b_shape) if len(b_shape) <= 2 else tensordot_b(g, a, b_shape, (-1, -2))


@primitive(np.dot, vjp={"a": _dot_a, "b": _dot_b})
def dot(a: ArrayLike, b: ArrayLike) -> Array:
    """Sum of products over the last axis of a and the last but one of b, or its only one; a scalar multiplies.

    (..., K), (K,) -> (...); (..., K), (..., K, M) -> all leading axes of a, then those of b, then M: what `matmul`
    broadcasts, dot pairs each with each.
    """
    try:
        return np.dot(a, b)
    except ValueError:
        raise ValueError(f"dot: {mismatch(np.shape(a), np.shape(b))}") from None


@composite(np.inner)
def inner(a: ArrayLike, b: ArrayLike) -> Tensor:
    """Sum of products over the last axes: (..., K), (..., K) -> leading axes of a, then of b; a scalar multiplies."""
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)  # type: ignore[return-value]
    same_length("inner", a, b, -1)
    return tensordot(a, b, (-1, -1))


@composite(np.vdot)
def vdot(a: ArrayLike, b: ArrayLike) -> Tensor:
    """Sum of the products of all elements, in order, whatever the shapes: a number."""
    if np.size(a) != np.size(b):
        raise ValueError(f"vdot: takes arrays of as many elements, got {np.shape(a)} and {np.shape(b)}")
    return matmul(reshape(a, -1), reshape(b, -1))


@composite(np.outer)
def outer(a: ArrayLike, b: ArrayLike) -> Tensor:
    """Each element of a times each of b: (N,), (M,) -> (N, M); other shapes are flattened first."""
    return np.multiply(reshape(a, (-1, 1)), reshape(b, (1, -1)))  # type: ignore[return-value]


@composite(np.linalg.outer)
def linalg_outer(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Each element of a vector times each of another: (N,), (M,) -> (N, M). `outer`, but of vectors only."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"linalg_outer: takes vectors, got {np.shape(x1)} and {np.shape(x2)}; outer() flattens")
    return outer(x1, x2)


@composite(getattr(np, "vecdot", None), np.linalg.vecdot)
def vecdot(x1: ArrayLike, x2: ArrayLike, axis: int = -1) -> Tensor:
    """Sum of products of vectors along an axis of both: (..., K), (..., K) -> (...), the other axes broadcast."""
    same_length("vecdot", x1, x2, axis)
    return einsum("...i,...i->...", last(x1, axis), last(x2, axis))


@composite(getattr(np, "matvec", None))
def matvec(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Matrices times vectors: (..., N, K), (..., K) -> (..., N), leading axes broadcast."""
    if np.ndim(x1) < 2 or not np.ndim(x2) or np.shape(x1)[-1] != np.shape(x2)[-1]:
        raise ValueError(f"matvec: takes (..., N, K) and (..., K), got {np.shape(x1)} and {np.shape(x2)}")
    return einsum("...ij,...j->...i", x1, x2)


@composite(getattr(np, "vecmat", None))
def vecmat(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Vectors times matrices: (..., K), (..., K, M) -> (..., M), leading axes broadcast."""
    if np.ndim(x2) < 2 or not np.ndim(x1) or np.shape(x1)[-1] != np.shape(x2)[-2]:
        raise ValueError(f"vecmat: takes (..., K) and (..., K, M), got {np.shape(x1)} and {np.shape(x2)}")
    return einsum("...i,...ij->...j", x1, x2)


@composite(np.kron)
def kron(a: ArrayLike, b: ArrayLike) -> Tensor:
    """Kronecker product: b, times each element of a, as blocks: (N, M), (K, L) -> (N K, M L), and so in all axes."""
    n = max(np.ndim(a), np.ndim(b))
    outer_shape, inner_shape = ((1,) * (n - np.ndim(each)) + np.shape(each) for each in (a, b))
    blocks = reshape(a, tuple(side for n in outer_shape for side in (n, 1)))
    within = reshape(b, tuple(side for n in inner_shape for side in (1, n)))
    return reshape(np.multiply(blocks, within), tuple(n * m for n, m in zip(outer_shape, inner_shape, strict=True)))


@composite(np.cross)
def cross(
    a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """Cross product of vectors: (..., 3), (..., 3) -> (..., 3), the other axes broadcast.

    axisa, axisb, axisc: where the vectors lie in a, in b and in the result; `axis` stands for all three. A vector of 2
    numbers has 0 for its third; of two such only the third number of the product is returned: (..., 2), (..., 2) ->
    (...). Raises ValueError where the vectors have another length.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    vectors = last(a, axisa), last(b, axisb)
    if not {each.shape[-1] for each in vectors} <= {2, 3}:
        raise ValueError(f"cross: takes vectors of 2 or 3 numbers, got shapes {np.shape(a)} and {np.shape(b)}")
    (x1, y1, *z1), (x2, y2, *z2) = ([each[..., i] for i in range(each.shape[-1])] for each in vectors)
    z: Tensor = x1 * y2 - y1 * x2
    if z1 and z2:
        x, y = y1 * z2[0] - z1[0] * y2, z1[0] * x2 - x1 * z2[0]
    elif z2:
        x, y = y1 * z2[0], -(x1 * z2[0])
    elif z1:
        x, y = -(z1[0] * y2), z1[0] * x2
    else:
        return z
    return stack([x, y, z], axisc)


@composite(np.linalg.cross)
def linalg_cross(x1: ArrayLike, x2: ArrayLike, axis: int = -1) -> Tensor:
    """Cross product of vectors of 3 numbers, which lie along `axis`: (..., 3), (..., 3) -> (..., 3)."""
    if np.shape(x1)[axis] != 3 or np.shape(x2)[axis] != 3:
        raise ValueError(f"linalg_cross: takes vectors of 3 numbers, got shapes {np.shape(x1)} and {np.shape(x2)}")
    return cross(x1, x2, axis=axis)


@composite(np.linalg.diagonal)
def linalg_diagonal(x: ArrayLike, offset: int = 0) -> Tensor:
    """The diagonals of matrices, or those `offset` columns to the right: (..., N, M) -> (..., K). See `diagonal`."""
    if np.ndim(x) < 2:
        raise ValueError(f"linalg_diagonal: takes matrices (..., N, M), got shape {np.shape(x)}")
    return diagonal(x, offset, -2, -1)


@composite(np.linalg.trace)
def linalg_trace(x: ArrayLike, offset: int = 0) -> Tensor:
    """The sums of the diagonals of matrices: (..., N, M) -> (...). See `linalg_diagonal`."""
    if np.ndim(x) < 2:
        raise ValueError(f"linalg_trace: takes matrices (..., N, M), got shape {np.shape(x)}")
    return sum_(diagonal(x, offset, -2, -1), -1)


@composite(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[ArrayLike]) -> Tensor:
    """Matrix product of two or more arrays, (N, K), (K, L), ... (M, P) -> (N, P), in the order that is cheapest.

    The first and the last may be vectors. The order is found as in Cormen, Leiserson, Rivest and Stein, "Introduction
    to Algorithms", 15.2.
    """
    shapes = [np.shape(each) for each in arrays]
    if len(shapes) < 2:
        raise ValueError(f"multi_dot: takes two arrays or more, got {len(shapes)}")
    if any(len(shape) != 2 and not (len(shape) == 1 and i in (0, len(shapes) - 1)) for i, shape in enumerate(shapes)):
        raise ValueError(f"multi_dot: takes matrices, and vectors at the ends, got {', '.join(map(str, shapes))}")
    for left, right in pairwise(shapes):
        if left[-1] != right[0]:
            raise ValueError(f"multi_dot: {mismatch(left, right)}")
    sides = [*(shape[0] for shape in shapes), shapes[-1][-1]]
    sides[0] = 1 if len(shapes[0]) == 1 else sides[0]
    sides[-1] = 1 if len(shapes[-1]) == 1 else sides[-1]

    @cache
    def cheapest(first: int, end: int) -> tuple[int, int]:
        """What the product of arrays[first:end] costs, and where it is parted."""
        if end - first == 1:
            return 0, end
        return min(
            (cheapest(first, k)[0] + cheapest(k, end)[0] + sides[first] * sides[k] * sides[end], k)
            for k in range(first + 1, end)
        )

    def product(first: int, end: int) -> Tensor:
        if end - first == 1:
            return arrays[first]  # type: ignore[return-value]
        k = cheapest(first, end)[1]
        return matmul(product(first, k), product(k, end))

    return product(0, len(shapes))


def last(x: Any, axis: int) -> Any:
    """The array with an axis moved to the end."""
    return x if axis in (-1, np.ndim(x) - 1) else moveaxis(x, axis, -1)


def same_length(name: str, x: ArrayLike, y: ArrayLike, axis: int) -> None:
    """Raise ValueError unless an axis of both has one length."""
    shapes = np.shape(x), np.shape(y)
    if not all(-len(shape) <= axis < len(shape) for shape in shapes) or shapes[0][axis] != shapes[1][axis]:
        raise ValueError(
            f"{name}: axis {axis} must be there in both, and of one length; got {shapes[0]} and {shapes[1]}"
        )
