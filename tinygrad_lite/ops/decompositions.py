"""Decompositions of matrices (..., N, M). The names are in `tinygrad_lite.linalg`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..declare import composite, primitive
from ..op import Array, Interval
from .inverses import FULL_RANK, inv, lapack, solve
from .joining import concatenate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    class EighResult(NamedTuple):
        eigenvalues: Tensor
        eigenvectors: Tensor

    Triangle = Literal["L", "U"]

__all__ = ["cholesky", "eigh", "eigvalsh", "qr", "svd", "svdvals"]

DEFINITE = Interval(why="must be positive definite")
DISTINCT = Interval(why="its eigenvalues, or singular values, must be distinct")


# Symmetric matrices: NumPy reads one triangle of them, and so it is this one that has a gradient.


def _halved(x: Array) -> Array:
    """The lower triangle, with half of the diagonal: of x, x + x.mT has this and its transpose."""
    n = x.shape[-1]
    return x * (np.tri(n, dtype=x.dtype) - np.eye(n, dtype=x.dtype) / 2)


def _triangle(x: Array, upper: bool) -> Array:
    """The gradient by the triangle that was read, of one by the elements of a symmetric matrix."""
    lower = _halved(x + x.mT)
    return lower.mT if upper else lower


def _cholesky_rule(g: Array, out: Array, upper: bool) -> Array:
    lower, g = (out.mT, g.mT) if upper else (out, g)
    inverse = inv(lower)
    return _triangle(inverse.mT @ _halved(lower.mT @ g) @ inverse, upper)


@primitive(np.linalg.cholesky, vjp=_cholesky_rule, floats=True, domain={"a": DEFINITE})
def cholesky(a: ArrayLike, upper: bool = False) -> Array:
    """The lower triangular matrix with out @ out.mT = a; `upper`: the upper one with out.mT @ out = a.

    a: (..., N, N), symmetric and positive definite. Only its lower triangle (with `upper` its upper one) is read, and
    so only that has a gradient; torch spreads the same gradient over both. Where a is computed as symmetric, what
    it was computed from gets the same either way. Raises LinAlgError where a matrix is not positive definite.
    Source: Murray, "Differentiation of the Cholesky decomposition", 2016.
    """
    return lapack(np.linalg.cholesky, a, upper=upper)


def _eigh_rule(g: tuple[Array, Array], eigenvalues: Array, eigenvectors: Array, UPLO: Triangle) -> Array:
    (by_values, by_vectors), v = g, eigenvectors
    diagonal, inner = np.eye(v.shape[-1], dtype=v.dtype), 0.0
    if by_values is not None:
        inner = by_values[..., None] * diagonal
    if by_vectors is not None:
        gaps = eigenvalues[..., None, :] - eigenvalues[..., None]
        inner = inner + v.mT @ by_vectors / np.where(diagonal, np.inf, gaps)
    return _triangle(v @ inner @ v.mT, UPLO.upper() == "U")


@primitive(
    np.linalg.eigh,
    vjp=_eigh_rule,
    outputs=("eigenvalues", "eigenvectors"),
    floats=True,
    domain={"a": DISTINCT},
)
def eigh(a: ArrayLike, UPLO: Triangle = "L") -> EighResult:
    """(eigenvalues, eigenvectors) of symmetric matrices: (..., N, N) -> (..., N) in ascending order, (..., N, N).

    Only the triangle that UPLO names is read, and has a gradient, as with `cholesky`. Where eigenvalues are equal the
    gradient by the eigenvectors, which are then arbitrary, is inf or nan, as in torch; that by the eigenvalues is not.
    Source: Giles, "An extended collection of matrix derivative results", 2008, 3.1.
    """
    return lapack(np.linalg.eigh, a, UPLO=UPLO)  # type: ignore[no-any-return]


def _eigvalsh_rule(g: Array, a: Array, UPLO: Triangle) -> Array:
    v = eigh(a, UPLO)[1]
    return _triangle(v * g[..., None, :] @ v.mT, UPLO.upper() == "U")


@primitive(np.linalg.eigvalsh, vjp=_eigvalsh_rule, floats=True, domain={"a": DISTINCT})
def eigvalsh(a: ArrayLike, UPLO: Triangle = "L") -> Array:
    """The eigenvalues of symmetric matrices, in ascending order: (..., N, N) -> (..., N). See `eigh`."""
    return lapack(np.linalg.eigvalsh, a, UPLO=UPLO)


# Singular values.


def _svd_rule(g: tuple[Array, Array, Array], a: Array, u: Array, s: Array, vh: Array, full_matrices: bool) -> Array:
    by_u, by_s, by_vh = g
    n, m = a.shape[-2:]
    k = min(n, m)
    if full_matrices and n != m:
        if by_u is not None or by_vh is not None:
            raise ValueError(
                f"full_matrices=True leaves the gradient of U and Vh undefined for {n} x {m} matrices; "
                "call svd with full_matrices=False"
            )
        return _svdvals_rule(by_s, a)
    diagonal = np.eye(k, dtype=s.dtype)
    gaps = np.where(diagonal, np.inf, (s**2)[..., None, :] - (s**2)[..., None])
    inner = 0.0 if by_s is None else by_s[..., None] * diagonal
    if by_u is not None:
        skew = u.mT @ by_u
        inner = inner + (skew - skew.mT) / gaps * s[..., None, :]
    if by_vh is not None:
        skew = vh @ by_vh.mT
        inner = inner + (skew - skew.mT) / gaps * s[..., None]
    grad = u @ inner @ vh
    if by_u is not None and n > k:
        grad = grad + (by_u - u @ (u.mT @ by_u)) / s[..., None, :] @ vh
    if by_vh is not None and m > k:
        grad = grad + u / s[..., None, :] @ (by_vh - (by_vh @ vh.mT) @ vh)
    return grad


@primitive(vjp=_svd_rule, outputs=("u", "s", "vh"), floats=True, domain={"a": DISTINCT})
def svd_factors(a: ArrayLike, full_matrices: bool = False) -> Array:
    """(U, S, Vh): what `svd` says.

    Source: Townsend, "Differentiating the singular value decomposition", 2016.
    """
    return lapack(np.linalg.svd, a, full_matrices=full_matrices)


@composite(np.linalg.svd, floats=True, domain={"a": DISTINCT})
def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """(U, S, Vh) with U * S @ Vh = a: (..., N, M) -> (..., N, K), (..., K) in descending order, (..., K, M).

    K = min(N, M). full_matrices: U is (..., N, N) and Vh (..., M, M), and unless N = M only S has a gradient: the other
    vectors are arbitrary. compute_uv=False: S only. Where U or Vh are differentiated the singular values must be
    distinct, and unless N = M none of them 0: else the gradient is inf or nan, as in torch; that by S alone is not.
    hermitian: promises that the matrices are symmetric; it changes nothing here.
    """
    return svd_factors(a, full_matrices) if compute_uv else svdvals(a)


def _svdvals_rule(g: Array, x: Array) -> Array:
    u, _, vh = svd_factors(x, False)
    return u * g[..., None, :] @ vh


@primitive(np.linalg.svdvals, vjp=_svdvals_rule, floats=True, domain={"x": DISTINCT})
def svdvals(x: ArrayLike) -> Array:
    """Singular values, in descending order: (..., N, M) -> (..., min(N, M)). See `svd`."""
    return lapack(np.linalg.svd, x, compute_uv=False)


# QR.


def _qr_rule(g: tuple[Array, Array], q: Array, r: Array) -> Array:
    by_q, by_r = g
    n, m = r.shape[-2:]
    if n > m:
        if by_q is not None:
            raise ValueError(
                f"mode='complete' leaves the gradient of Q undefined for {n} x {m} matrices; take 'reduced'"
            )
        q, r, by_r = q[..., :m], r[..., :m, :], by_r[..., :m, :]
    inner: Any = 0.0
    if by_r is not None:
        inner = r @ by_r.mT
    if by_q is not None:
        inner = inner - by_q.mT @ q
    lower = _halved(inner)
    grad = q @ (lower + lower.mT)
    return solve(r, (grad if by_q is None else grad + by_q).mT).mT


@primitive(vjp=_qr_rule, outputs=("q", "r"), floats=True, domain={"a": FULL_RANK})
def qr_factors(a: ArrayLike, complete: bool = False) -> Array:
    """(Q, R) of matrices with no more columns than rows: what `qr` says.

    Source: Walter and Lehmann, "Algorithmic differentiation of linear algebra functions", 2010.
    """
    return lapack(np.linalg.qr, a, mode="complete" if complete else "reduced")


@composite(np.linalg.qr, floats=True, domain={"a": FULL_RANK})
def qr(a: ArrayLike, mode: Literal["reduced", "complete", "r"] = "reduced") -> Any:
    """(Q, R) with Q @ R = a, Q's columns orthonormal, R upper triangular: (..., N, M) -> (..., N, K), (..., K, M).

    K = min(N, M). mode: "r" for R only; "complete": K = N, and where N > M only R has a gradient, as the further
    columns of Q are arbitrary. The gradient needs the first columns of a, min(N, M), to be independent; else the
    backward fails.
    """
    if np.ndim(a) < 2:
        raise np.linalg.LinAlgError(f"qr: takes matrices (..., N, M), got shape {np.shape(a)}")
    n, m = np.shape(a)[-2:]
    x: Any = a
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr: mode={mode!r} is not supported; take 'reduced', 'complete' or 'r'")
    result: Any = qr_factors(x if n >= m else x[..., :n], mode == "complete" and n > m)
    if n < m:
        result = result._replace(R=concatenate([result[1], result[0].mT @ x[..., n:]], -1))
    return result[1] if mode == "r" else result
