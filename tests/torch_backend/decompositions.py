"""What torch has for the operations of ops/inverses.py, ops/determinants.py and ops/decompositions.py.

Of vectors whose sign is arbitrary torch's are given NumPy's. Of a symmetric matrix the tests give one triangle.
"""

from itertools import permutations
from math import prod

import numpy as np
import torch


def _symmetric(a, upper):
    return torch.triu(a) + torch.triu(a, 1).mT if upper else torch.tril(a) + torch.tril(a, -1).mT


def _signs(theirs, ours):
    """1 or -1 for each column: whether it points where NumPy's does."""
    return torch.sign((theirs.detach() * torch.from_numpy(np.array(ours))).sum(-2, keepdim=True))


def _array(a):
    return a.detach().numpy()


def _eigh(a, UPLO):
    values, vectors = torch.linalg.eigh(_symmetric(a, UPLO == "U"))
    return values, vectors * _signs(vectors, np.linalg.eigh(_array(a), UPLO)[1])


def _svd(a, full_matrices=False, compute_uv=True, hermitian=False):
    if not compute_uv:
        return torch.linalg.svdvals(a)
    u, s, vh = torch.linalg.svd(a, full_matrices)
    signs = _signs(u, np.linalg.svd(_array(a), full_matrices)[0])
    return u * signs, s, vh * signs.mT


def _qr(a, mode="reduced"):
    q, r = torch.linalg.qr(a)
    signs = _signs(q, np.linalg.qr(_array(a))[0])
    return r * signs.mT if mode == "r" else (q * signs, r * signs.mT)


def _cond(x, p):
    if p in (None, 2, -2):
        return torch.linalg.cond(x, p)
    return torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)


def _solve(a, b):
    """With b (N, K) beside a (N, N, N) torch would take b for vectors; NumPy 2 does only where b has one axis."""
    return torch.linalg.solve(a, b.reshape((1,) * (a.ndim - b.ndim) + b.shape) if b.ndim > 1 else b)


def _cofactor(a):
    """By Leibniz' formula, so of singular matrices, too: inv() times det() is for the others only."""
    n = a.shape[-1]
    total = torch.zeros_like(a)
    for order in permutations(range(n)):
        sign = (-1) ** sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        for i in range(n):
            here = torch.zeros(n, n, dtype=a.dtype)
            here[i, order[i]] = sign
            others = [a[..., k, order[k], None, None] for k in range(n) if k != i]
            total = total + here * prod(others, start=torch.ones((), dtype=a.dtype))
    return total


OPERATIONS = {
    "cholesky": lambda a, upper: torch.linalg.cholesky(_symmetric(a, upper), upper=upper),
    "cofactor": _cofactor,
    "cond": _cond,
    "det": torch.linalg.det,
    "eigh": _eigh,
    "eigvalsh": lambda a, UPLO: torch.linalg.eigvalsh(_symmetric(a, UPLO == "U")),
    "inv": torch.linalg.inv,
    "matrix_power": torch.linalg.matrix_power,
    "matrix_rank": lambda a, tol, hermitian, rtol: (
        torch.linalg.matrix_rank(a, atol=tol, rtol=rtol) if a.ndim > 1 else torch.any(a != 0)
    ),
    "pinv": lambda a, rcond, hermitian: torch.linalg.pinv(a),
    "qr": _qr,
    "qr_factors": lambda a, complete: _qr(a),
    "slogdet": torch.linalg.slogdet,
    "solve": _solve,
    "svd": _svd,
    "svd_factors": _svd,
    "svdvals": torch.linalg.svdvals,
    "tensorinv": torch.linalg.tensorinv,
    "tensorsolve": torch.linalg.tensorsolve,
}

WITHOUT: dict[str, str] = {}
