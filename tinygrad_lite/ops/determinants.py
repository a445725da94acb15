"""Determinants, and what tells whether there is an inverse. The names are in `tinygrad_lite.linalg`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..arguments import refuse_unknown_gradient
from ..declare import composite, primitive
from ..op import Array, Interval
from .decompositions import svd, svdvals
from .elementwise import sign
from .inverses import INVERTIBLE, inv, lapack

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    class SlogdetResult(NamedTuple):
        sign: Tensor
        logabsdet: Tensor


__all__ = ["cond", "det", "matrix_rank", "slogdet"]


def _cofactor_rule(g: Array, a: Array) -> Array:
    u, s, vh = svd(a, False)
    g = u.mT @ g @ vh.mT
    limits = np.finfo(s.dtype)
    log = np.log(np.maximum(s, float(limits.eps) * s[..., :1] + float(limits.tiny)))  # 0 has no logarithm
    but_one = np.sum(log, axis=-1, keepdims=True) - log
    diagonal = np.eye(s.shape[-1], dtype=s.dtype)
    but_two = np.exp(but_one[..., None] - log[..., None, :]) * (1 - diagonal)  # products of the others of each two
    inner = (but_two @ np.sum(g * diagonal, axis=-1)[..., None]) * diagonal - but_two * g.mT
    return sign(det(u) * det(vh))[..., None, None] * (u @ inner @ vh)


@primitive(
    vjp=_cofactor_rule,
    floats=True,
    domain={"a": Interval(why="derivatives beyond the first need distinct singular values")},
)
def cofactor(a: ArrayLike) -> Array:
    """The gradient of the determinant, det(a) * inv(a).mT, also where there is no inverse: (..., N, N) -> (..., N, N).

    There it is sign(det(u v)) u p v, with u s v the singular value decomposition of a and p the products of all
    singular values but one.
    """
    a = np.asarray(a)
    value = det(a)[..., None, None]
    if np.all(value):
        try:
            result = value * lapack(np.linalg.inv, a).mT
            if np.isfinite(result).all() or not np.isfinite(a).all():
                return result
        except np.linalg.LinAlgError:
            pass
    u, s, vh = lapack(np.linalg.svd, a, full_matrices=False)
    but_one = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]), axis=-1)
    return np.sign(det(u) * det(vh))[..., None, None] * (u * but_one[..., None, :] @ vh)


@primitive(np.linalg.det, vjp=lambda g, a: g[..., None, None] * cofactor(a), floats=True)
def det(a: ArrayLike) -> Array:
    """Determinant: (..., N, N) -> (...). Its first two derivatives are right for singular matrices, too.

    Where `slogdet` is finite it does not overflow as this does.
    """
    return np.asarray(lapack(np.linalg.det, a))


def _slogdet_rule(g: tuple[Array, Array], a: Array) -> Array:
    return None if g[1] is None else g[1][..., None, None] * inv(a).mT


@primitive(np.linalg.slogdet, vjp=_slogdet_rule, outputs=("sign", "logabsdet"), floats=True, domain={"a": INVERTIBLE})
def slogdet(a: ArrayLike) -> SlogdetResult:
    """(sign, logabsdet): the sign of the determinant, and the logarithm of its absolute value: (..., N, N) -> (...).

    Of a singular matrix 0 and -inf, with which the backward fails.
    """
    return lapack(np.linalg.slogdet, a)  # type: ignore[no-any-return]


@composite(np.linalg.cond, floats=True, domain={"x": INVERTIBLE})
def cond(x: ArrayLike, p: Any = None) -> Tensor:
    """Condition number, norm(x, p) * norm(inv(x), p), for p as in `norm`: (..., N, N) -> (...).

    For p = None or 2 the largest singular value by the smallest, for -2 the other way round: (..., N, M) -> (...).
    """
    refuse_unknown_gradient("cond", "p", p)
    if p is None or p in (2, -2):
        s: Any = svdvals(x)
        result: Tensor = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        result = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inv(x), p, (-2, -1))
    return result


@primitive(np.linalg.matrix_rank, vjp=None, floats=True)
def matrix_rank(A: ArrayLike, tol: Any = None, hermitian: bool = False, rtol: Any = None) -> Array:
    """How many singular values are above tol, or above rtol times the largest: (..., N, M) -> (...) integers."""
    return np.asarray(lapack(np.linalg.matrix_rank, A, tol=tol, hermitian=hermitian, rtol=rtol))
