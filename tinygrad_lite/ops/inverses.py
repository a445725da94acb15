"""Inverses of matrices (..., N, N), and what they solve. The names are in `tinygrad_lite.linalg`."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval
from .linalg import matmul
from .shape import reshape, transpose

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Shape = tuple[int, ...]

__all__ = ["inv", "matrix_power", "pinv", "solve", "tensorinv", "tensorsolve"]

INVERTIBLE = Interval(why="must be invertible")
FULL_RANK = Interval(why="must have full rank")


def lapack(function: Callable[..., Any], *arrays: Any, **keywords: Any) -> Any:
    """A function of NumPy's; of float16, which LAPACK does not know, by way of float32."""
    if all(np.asarray(each).dtype != np.float16 for each in arrays):
        return function(*arrays, **keywords)
    result = function(*[np.asarray(each, np.float32) for each in arrays], **keywords)
    if isinstance(result, tuple):
        return type(result)(*[each.astype(np.float16) for each in result])
    return result.astype(np.float16) if getattr(result, "dtype", np.dtype(int)).kind == "f" else result


@primitive(np.linalg.inv, vjp=lambda g, out: -(out.mT @ g @ out.mT), floats=True, domain={"a": INVERTIBLE})
def inv(a: ArrayLike) -> Array:
    """Inverse: (..., N, N) -> (..., N, N). Raises LinAlgError where a matrix is singular."""
    return lapack(np.linalg.inv, a)


def _solve_rule(g: Array, a: Array, out: Array, b_shape: Shape) -> tuple[Array, Array]:
    if len(b_shape) == 1:
        grad = solve(a.mT, g[..., None])
        return -(grad @ out[..., None, :]), grad[..., 0]
    grad = solve(a.mT, g)
    return -(grad @ out.mT), grad


@primitive(np.linalg.solve, vjp=_solve_rule, floats=True, domain={"a": INVERTIBLE})
def solve(a: ArrayLike, b: ArrayLike) -> Array:
    """The x with a @ x = b: (..., N, N), (..., N, K) -> (..., N, K), leading axes broadcast.

    As in NumPy 2, b is a vector (N,) only where it has one axis. Raises LinAlgError where a matrix is singular.
    """
    return lapack(np.linalg.solve, a, b)


def _pinv_rule(g: Array, a: Array, out: Array) -> Array:
    left = g.mT - a @ (out @ g.mT)  # of g.mT, what is outside of the columns of a
    right = g.mT - (g.mT @ out) @ a
    return left @ out @ out.mT + out.mT @ out @ right - out.mT @ g @ out.mT


@primitive(np.linalg.pinv, vjp=_pinv_rule, floats=True, domain={"a": FULL_RANK})
def pinv(a: ArrayLike, rcond: Any = None, hermitian: bool = False) -> Array:
    """Pseudo-inverse of Moore and Penrose: (..., N, M) -> (..., M, N).

    rcond: singular values below it, relative to the largest, count as 0. The gradient is that at constant rank.
    hermitian: promises that the matrices are symmetric; it changes nothing here.
    Source: Golub and Pereyra, "The differentiation of pseudo-inverses", 1973, (4.12).
    """
    return lapack(np.linalg.pinv, a, rcond=rcond)


def pinv_to_rtol(a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    """`pinv` with the array API's name for rcond."""
    return pinv(a, rcond if rtol is None else rtol, hermitian)


@composite(np.linalg.tensorinv, floats=True, domain={"a": INVERTIBLE})
def tensorinv(a: ArrayLike, ind: int = 2) -> Tensor:
    """Inverse for `tensordot(a, b, ind)`: the first `ind` axes are the rows of a matrix, the others its columns.

    Raises ValueError where rows and columns are not as many, LinAlgError where the matrix is singular.
    """
    shape = np.shape(a)
    if index(ind) <= 0 or prod(shape[:ind]) != prod(shape[ind:]):
        raise ValueError(f"tensorinv: the first {ind} axes must have as many elements as the others, got {shape}")
    return reshape(inv(reshape(a, (prod(shape[:ind]), -1))), shape[ind:] + shape[:ind])


@composite(np.linalg.tensorsolve, floats=True, domain={"a": INVERTIBLE})
def tensorsolve(a: ArrayLike, b: ArrayLike, axes: tuple[int, ...] | None = None) -> Tensor:
    """The x with tensordot(a, x, x.ndim) = b; `axes` of a are moved to its end first.

    Raises ValueError where a is not square in that sense, LinAlgError where it is singular.
    """
    if axes is not None:
        moved = [axis % np.ndim(a) for axis in axes]
        a = transpose(a, (*(i for i in range(np.ndim(a)) if i not in moved), *moved))
    shape = np.shape(a)[np.ndim(b) :]
    if prod(shape) ** 2 != np.size(a) or prod(shape) != np.size(b):
        raise ValueError(f"tensorsolve: shapes {np.shape(a)} and {np.shape(b)} make no square system")
    return reshape(solve(reshape(a, (-1, prod(shape))), reshape(b, -1)), shape)


@composite(np.linalg.matrix_power)
def matrix_power(a: ArrayLike, n: int) -> Tensor:
    """a @ a @ ... @ a, n times: (..., N, N) -> (..., N, N); of the inverse for a negative n, the identity for 0.

    Raises LinAlgError where n is negative and a matrix is singular.
    """
    square: Any = a
    result: Tensor | None = None
    shape, n = np.shape(a), index(n)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power: takes square matrices, got {shape}")
    if n == 0:
        square, n = np.where(True, np.eye(shape[-1], dtype=square.dtype), square), 1  # with a gradient, of 0
    elif n < 0:
        square, n = inv(square), -n
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    assert result is not None
    return result
