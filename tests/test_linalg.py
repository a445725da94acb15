"""Linear algebra: what the table's tests do not cover: errors, conventions, the namespace, singular matrices."""

import warnings
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing import gradcheck, gradgradcheck
from tinygrad_lite.testing.gradcheck import gradients

from . import torch_backend
from .messages import refused

RNG = np.random.default_rng(0)
SQUARE, TALL, WIDE = RNG.normal(size=(3, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(3, 4))
DEFINITE = SQUARE @ SQUARE.T + np.eye(3)


def tensor(array, requires_grad=False):
    return tg.tensor(array, dtype=np.float64, requires_grad=requires_grad)


# The namespace.


def test_names_are_numpy_s():
    assert set(tg.linalg.__all__) <= set(np.linalg.__all__)
    for name in tg.linalg.__all__:
        assert getattr(tg.linalg, name).__doc__
    assert tg.linalg.LinAlgError is np.linalg.LinAlgError


@pytest.mark.parametrize("name", ["eig", "eigvals", "lstsq"])
def test_refused_by_name(name):
    """Complex results, and a result whose shape depends on the rank."""
    with refused(TypeError, f"np.linalg.{name} is no operation of tinygrad_lite"):
        getattr(np.linalg, name)(*[tensor(SQUARE)] * (2 if name == "lstsq" else 1))


def test_names_of_the_outputs():
    x = tensor(DEFINITE, True)
    for result, names in (
        (np.linalg.svd(x), ("U", "S", "Vh")),
        (np.linalg.eigh(x), ("eigenvalues", "eigenvectors")),
        (np.linalg.qr(x), ("Q", "R")),
        (np.linalg.qr(x[:2]), ("Q", "R")),
        (np.linalg.slogdet(x), ("sign", "logabsdet")),
    ):
        assert result._fields == names
        assert all(type(each) is tg.Tensor for each in result)
    np.linalg.svd(x).S.sum().backward()
    assert x.grad.shape == (3, 3)


def test_by_position_only():
    """np.linalg calls the operands x1 and x2, and takes them by position."""
    x, y = tensor([1.0, 2.0, 3.0], True), tensor([0.0, 1.0, 2.0])
    assert np.linalg.cross(x, y).tolist() == [1.0, -2.0, 1.0]
    assert np.linalg.outer(x, y).shape == (3, 3)
    assert np.linalg.vecdot(x, y, axis=0).item() == np.linalg.matmul(x, y).item() == 8.0
    assert np.linalg.tensordot(x, y, axes=1).item() == 8.0


# Errors.

x, tall, wide, v = tensor(SQUARE), tensor(TALL), tensor(WIDE), tensor([1.0, 2.0])
ZEROS, STACK = tensor(np.zeros((2, 2))), tensor(np.ones((3, 9, 9)))

ERRORS = {
    "inv of a singular matrix": (lambda: np.linalg.inv(ZEROS), np.linalg.LinAlgError, "inv: Singular matrix"),
    "inv, not square": (lambda: tg.linalg.inv(tall), np.linalg.LinAlgError, "inv: Last 2 dimensions", "[4, 3]"),
    "inv of a vector": (lambda: tg.linalg.inv(v), np.linalg.LinAlgError, "inv: 1-dimensional"),
    "solve, singular": (lambda: np.linalg.solve(ZEROS, v), np.linalg.LinAlgError, "solve: Singular matrix"),
    "solve, shapes": (lambda: np.linalg.solve(x, v), ValueError, "solve: ", "[3, 3]", "[2]"),
    "cholesky": (lambda: np.linalg.cholesky(-x @ x.mT), np.linalg.LinAlgError, "cholesky: Matrix is not positive def"),
    "eigh, UPLO": (lambda: np.linalg.eigh(x, "X"), ValueError, "eigh: UPLO"),
    "qr of a vector": (
        lambda: np.linalg.qr(v),
        np.linalg.LinAlgError,
        "qr: takes matrices (..., N, M)",
        "(2,)",
    ),
    "qr, raw": (lambda: np.linalg.qr(x, "raw"), ValueError, "qr: mode='raw' is not supported"),
    "matrix_power": (lambda: np.linalg.matrix_power(tall, 2), np.linalg.LinAlgError, "matrix_power: ", "(4, 3)"),
    "matrix_power, half": (lambda: np.linalg.matrix_power(x, 0.5), TypeError, "matrix_power: "),
    "tensorinv": (lambda: np.linalg.tensorinv(x, 2), ValueError, "tensorinv: the first 2 axes"),
    "tensorsolve": (lambda: np.linalg.tensorsolve(x, v), ValueError, "tensorsolve: shapes (3, 3) and (2,)"),
    "dot": (lambda: np.dot(x, v), ValueError, "dot: inner dimensions differ: (3, 3) @ (2,), 3 != 2"),
    "inner": (lambda: np.inner(x, v), ValueError, "inner: ", "(3, 3) and (2,)"),
    "vdot": (lambda: np.vdot(x, v), ValueError, "vdot: ", "(3, 3) and (2,)"),
    "vecdot": (lambda: tg.vecdot(x, v), ValueError, "vecdot: ", "(3, 3) and (2,)"),
    "vecdot of numbers": (lambda: tg.vecdot(x.sum(), v), ValueError, "vecdot: "),
    "matvec": (lambda: tg.matvec(x, v), ValueError, "matvec: ", "(3, 3) and (2,)"),
    "vecmat": (lambda: tg.vecmat(v, x), ValueError, "vecmat: ", "(2,) and (3, 3)"),
    "cross": (lambda: np.cross(tall.T, v), ValueError, "cross: takes vectors of 2 or 3 numbers"),
    "linalg.cross": (lambda: np.linalg.cross(v, v), ValueError, "linalg_cross: takes vectors of 3 numbers"),
    "linalg.outer": (lambda: np.linalg.outer(x, v), ValueError, "linalg_outer: takes vectors", "outer()"),
    "linalg.diagonal": (lambda: np.linalg.diagonal(v), ValueError, "linalg_diagonal: takes matrices", "(2,)"),
    "linalg.trace": (lambda: np.linalg.trace(v), ValueError, "linalg_trace: takes matrices", "(2,)"),
    "multi_dot of one": (lambda: np.linalg.multi_dot([x]), ValueError, "multi_dot: takes two arrays or more, got 1"),
    "multi_dot, three axes": (lambda: np.linalg.multi_dot([x[None], x]), ValueError, "multi_dot: takes matrices"),
    "multi_dot, shapes": (lambda: np.linalg.multi_dot([x, v, x]), ValueError, "multi_dot: takes matrices"),
    "multi_dot, inner": (lambda: np.linalg.multi_dot([x, tall, x]), ValueError, "multi_dot: inner", "3 != 4"),
    "tensordot": (lambda: np.tensordot(x, v, 1), ValueError, "tensordot: axes=1 do not pair", "(3, 3) and (2,)"),
    "tensordot, axis": (lambda: np.tensordot(x, x, (2, 0)), ValueError, "tensordot: axes=(2, 0) do not pair"),
    "tensordot, too many": (lambda: np.tensordot(v, v, 2), ValueError, "tensordot: axes=2 do not pair"),
    "tensordot, twice": (lambda: np.tensordot(x, x, ([0, 0], [0, 1])), ValueError, "tensordot: axes=", "do not pair"),
    "einsum, sizes": (lambda: np.einsum("ij,jk", x, tall), ValueError, "einsum: 'ij,jk': 'j' is 3 and", "operand 1"),
    "einsum, a length of 1": (
        lambda: np.einsum("i,i,i", v[:1], v, tall[:, 0]),
        ValueError,
        "einsum: 'i,i,i': 'i' is 2 and, in operand 2, 4",
    ),
    "einsum, ellipsis": (lambda: np.einsum("...i,...j", x, tall), ValueError, "einsum: ", "an axis of '...' is 3"),
    "einsum, diagonal": (lambda: np.einsum("ii", tall), ValueError, "einsum: 'ii': 'i' is 4 and, in operand 0, 3"),
    "einsum, matmul": (lambda: np.einsum("bij,bjk->bik", STACK, STACK[:2]), ValueError, "einsum: ", "'b' is 3 and"),
    "einsum, operands": (lambda: np.einsum("ij,jk", x), ValueError, "einsum: 'ij,jk' is for 2 operands, got 1"),
    "einsum, letters": (lambda: np.einsum("i1", x), ValueError, "einsum: 'i1': only letters"),
    "einsum, arrows": (lambda: np.einsum("i->j->k", x), ValueError, "einsum: 'i->j->k': only letters"),
    "einsum, axes": (lambda: np.einsum("ijk", x), ValueError, "einsum: 'ijk': operand 0 has 2 axes"),
    "einsum, too few": (lambda: np.einsum("i", x), ValueError, "einsum: 'i': operand 0 has 2 axes"),
    "einsum, result": (lambda: np.einsum("ij->ii", x), ValueError, "einsum: 'ij->ii': 'i' must be in the result once"),
    "einsum, unknown": (lambda: np.einsum("ij->k", x), ValueError, "einsum: 'ij->k': 'k' must be in the result once"),
    "einsum, dropped": (lambda: np.einsum("...i->i", x), ValueError, "einsum: '...i->i': the axes of '...'"),
    "einsum, no letters": (lambda: np.einsum(x, x), TypeError, "einsum: takes letters and operands"),
    "einsum, integers": (lambda: np.einsum(x, [0, 60]), TypeError, "einsum: takes letters and operands"),
    "einsum, optimize": (lambda: np.einsum("ij,jk", x, x, optimize="fast"), ValueError, "einsum: optimize='fast'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    call, kind, *words = ERRORS[name]
    with refused(kind, *words):
        call()


def test_full_matrices_have_no_gradient():
    for array, shape in ((TALL, "4 x 3"), (WIDE, "3 x 4")):
        a = tensor(array, True)
        for i in (0, 2):
            with refused(RuntimeError, "backward: ", "full_matrices=True", shape, "full_matrices=False"):
                np.linalg.svd(a)[i].sum().backward()
        for f in (lambda a: np.linalg.svd(a).S, lambda a: np.linalg.svd(a, False).U):
            gradcheck(f, array, argnums=0)
            gradgradcheck(f, array, argnums=0)


# Determinants of singular matrices.


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_det_of_singular_matrices(n):
    """First and second derivatives at each rank, where singular values are equal, and in a batch with a regular one."""
    permutation = np.eye(n)[RNG.permutation(n)]
    singular = [RNG.normal(size=(n, rank)) @ RNG.normal(size=(rank, n)) for rank in range(n)]
    singular += [np.diag(np.arange(n) >= n - rank) @ permutation * 2.0 for rank in range(n)]
    for a in (*singular, np.stack([RNG.normal(size=(n, n)), *singular])):
        gradcheck(tg.linalg.det, a, argnums=0, jacobian=True)
        gradgradcheck(tg.linalg.det, a, argnums=0, jacobian=True)


def test_det_of_zeros_is_exact():
    a = tensor(np.diag([3.0, 0.0, 0.0]), True)
    tg.linalg.det(a).backward()
    assert a.grad.tolist() == np.zeros((3, 3)).tolist()


def test_det_of_nan():
    a = tensor([[np.nan, 1.0], [2.0, 3.0]], True)
    with np.errstate(invalid="ignore"):
        tg.linalg.det(a).backward()
    assert np.isnan(a.grad.data).any()


def test_slogdet_of_a_singular_matrix():
    a = tensor(np.zeros((2, 2)), True)
    result = np.linalg.slogdet(a)
    assert (result.sign.item(), result.logabsdet.item()) == (0.0, -np.inf)
    with refused(RuntimeError, "backward: the rule of slogdet failed: inv: Singular matrix"):
        result.logabsdet.backward()


# Equal eigenvalues and singular values.


def test_equal_eigenvalues():
    """The gradient by the values is as torch's, finite; by the vectors there is none."""
    torch = torch_backend.torch
    a = tensor(np.eye(3), True)
    for ours, theirs in (
        (lambda a: np.linalg.eigh(a)[0][1:].sum(), lambda a: torch.linalg.eigh(a)[0][1:].sum()),
        (lambda a: np.linalg.svd(a).S[1:].sum(), lambda a: torch.linalg.svd(a)[1][1:].sum()),
    ):
        (grad,) = gradients([ours(a)], [tg.ones((), np.float64)], [a])
        b = torch.eye(3, dtype=torch.float64, requires_grad=True)
        theirs(b).backward()
        np.testing.assert_allclose(grad.data, b.grad.numpy(), 1e-12, 1e-12)
    weights = tensor(np.arange(9.0).reshape(3, 3))
    with np.errstate(all="ignore"):
        (grad,) = gradients([np.linalg.eigh(a)[1]], [weights], [a])
    assert not np.isfinite(grad.data).all()


# Symmetric matrices: one triangle is read, and it has all of the gradient.


@pytest.mark.parametrize("f", [np.linalg.cholesky, np.linalg.eigvalsh, lambda a: np.linalg.eigh(a)[1]])
def test_the_lower_triangle_has_the_gradient(f):
    a, b = tensor(DEFINITE, True), tensor(np.tril(DEFINITE), True)
    assert f(a).tolist() == f(b).tolist()
    grads = [gradients([f(each)], [tg.ones(f(each).shape, np.float64)], [each])[0].data for each in (a, b)]
    np.testing.assert_array_equal(*grads)
    np.testing.assert_array_equal(grads[0], np.tril(grads[0]))


def test_what_is_made_symmetric_has_torch_s_gradient():
    torch = torch_backend.torch
    a = tensor(SQUARE, True)
    (grad,) = gradients([np.linalg.cholesky(a @ a.mT)], [tg.ones((3, 3), np.float64)], [a])
    b = torch.tensor(SQUARE, requires_grad=True)
    torch.linalg.cholesky(b @ b.mT).sum().backward()
    np.testing.assert_allclose(grad.data, b.grad.numpy(), 1e-9, 1e-9)


# cross, of vectors of 2 numbers, which NumPy is giving up.


@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 3), (3, 2)])
def test_cross_of_flat_vectors(n, m):
    a, b = RNG.normal(size=(4, n)), RNG.normal(size=(1, m))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.cross(a, b)
    np.testing.assert_allclose(tg.cross(tensor(a), tensor(b)).data, expected, 1e-12, 1e-12)
    gradcheck(tg.cross, a, b, argnums=(0, 1))


# einsum.


def test_einsum_with_lists_of_integers():
    a, b = tensor(TALL, True), tensor(WIDE)
    for ours, theirs in (
        (np.einsum(a, [0, 1], b, [1, 2], [0, 2]), TALL @ WIDE),
        (tg.einsum(a, [0, 1], b, [1, 2]), TALL @ WIDE),
        (tg.einsum(TALL, [0, 1], b, [1, 2], [2, 0]), (TALL @ WIDE).T),
        (tg.einsum(a, [30, 2]), TALL.T),
        (np.einsum(a, [..., 0], [0, ...]), TALL.T),
        (np.einsum(a, [0, 1], []), TALL.sum()),
    ):
        assert type(ours) is tg.Tensor
        np.testing.assert_allclose(ours.data, theirs, 1e-12, 1e-12)
    assert np.einsum(a, [0, 1], b, [1, 2], [0, 2]).requires_grad
    assert isinstance(tg.einsum(TALL, [0, 1], [1, 0]), np.ndarray)


def test_einsum_keywords():
    a = tensor(TALL)
    assert np.einsum("ij->j", a, dtype=np.float32).dtype == np.float32
    out = np.empty((3, 4))
    assert np.einsum("ij->ji", a, out=out) is out
    np.testing.assert_array_equal(out, TALL.T)


def test_einsum_computes_only_the_gradients_that_are_needed():
    a, b = tensor(TALL, True), tensor(WIDE)
    b.data[0, 0] = np.nan
    tg.einsum("ij,jk->ik", a, b).sum().backward()
    assert np.isnan(a.grad.data[:, 0]).all()
    assert b.grad is None


def test_einsum_sees_changes_in_place():
    a, b = tensor(TALL), tensor(WIDE, True)
    y = tg.einsum("ij,jk->ik", a, b)
    a += 1.0
    with refused(RuntimeError, "backward: einsum needs an array that was changed in place"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(40, 50), (50, 30)]),
        ("bhid,bhjd->bhij", [(2, 3, 9, 8), (2, 3, 7, 8)]),
        ("ij,kj->k", [(9, 8), (9, 8)]),
    ],
)
def test_einsum_of_two_is_a_matrix_product(subscripts, shapes, monkeypatch):
    """Forward and backward: np.einsum is not called where matmul does it."""
    arrays = [RNG.normal(size=shape) for shape in shapes]
    expected = np.einsum(subscripts, *arrays)
    tensors = [tensor(array, True) for array in arrays]
    with monkeypatch.context() as patch:
        patch.setattr(np, "einsum", None)
        result = tg.einsum(subscripts, *tensors)
        if subscripts != "ij,kj->k":  # its gradients are outer products
            result.sum().backward()
    np.testing.assert_allclose(result.data, expected, 1e-10, 1e-10)


def test_multi_dot_takes_the_cheapest_order():
    sides = [30, 2, 40, 3, 50]
    arrays = [tensor(RNG.normal(size=pair), True) for pair in pairwise(sides)]
    result = np.linalg.multi_dot(arrays)
    np.testing.assert_allclose(result.data, np.linalg.multi_dot([each.data for each in arrays]), 1e-10)
    edges = [each.shape for each in result._node.edges]
    assert edges == [(30, 2), (2, 50)]  # A ((B C) D)


def test_the_inverse_of_a_tensor_of_many_elements():
    a = np.eye(289).reshape(17, 17, 289) * 2
    np.testing.assert_allclose(tg.linalg.tensorinv(tg.tensor(a), 2).data, np.linalg.tensorinv(a, 2))


def test_forms_of_numpy():
    tall = np.array([[1.0, 2.0], [3.0, 5.0], [1.0, 1.0]])
    x, square = tg.tensor(tall, requires_grad=True), tall.T @ tall
    np.testing.assert_allclose(np.linalg.pinv(x, rtol=0.5).data, np.linalg.pinv(tall, rtol=0.5))
    for function in (np.linalg.pinv, lambda a, **how: np.linalg.svd(a, **how)[1]):
        found = function(tg.tensor(square), hermitian=True)
        np.testing.assert_allclose(found.data, function(square, hermitian=True))
    q, r = np.linalg.qr(x, "complete")
    for ours, theirs in zip((q, r), np.linalg.qr(tall, "complete"), strict=True):
        np.testing.assert_allclose(ours.data, theirs)
    gradcheck(lambda a: np.linalg.qr(a, "complete")[1], tall, argnums=0, jacobian=True)
    with refused(
        RuntimeError, "backward: the rule of qr_factors failed: mode='complete' leaves the gradient of Q undefined"
    ):
        q.sum().backward()
