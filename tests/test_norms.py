"""Norms: conventions at 0, empty arrays, second derivatives, and what is refused."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing import gradcheck, gradgradcheck
from tinygrad_lite.testing.gradcheck import gradients

from .messages import refused

M = np.array([[1.0, 2.0, 4.0], [3.0, 0.5, -1.0]])


def leaf(data):
    return tg.tensor(np.asarray(data, float), requires_grad=True)


@pytest.mark.parametrize("order", [None, 2, 3, 1.5, 1, 0.5, 0, -1, np.inf, -np.inf])
def test_gradient_of_the_norm_of_zeros_is_0(order):
    """And so is the second; no nan, no warning but NumPy's own of 0 to a negative power."""
    x = leaf([0.0, 0.0])
    with np.errstate(divide="ignore"):
        out = np.linalg.norm(x, order)
    (first,) = gradients([out], [tg.ones((), np.float64)], [x], create_graph=True)
    (second,) = gradients([first], [tg.ones(2, np.float64)], [x])
    assert out.item() == 0
    assert first.tolist() == second.tolist() == [0, 0]


def test_nan_is_not_0():
    x = leaf([np.nan, 0.0, 1.0])
    out = np.linalg.norm(x, 0)
    out.backward()
    assert (out.item(), x.grad.tolist()[1:]) == (2, [0, 0])


def test_second_derivative_where_some_elements_are_0():
    x = np.array([0.0, 3.0, 0.0, 4.0])
    for order in (None, 2, 4):
        gradcheck(lambda x, order=order: np.linalg.norm(x, order), x, argnums=0, jacobian=True)
        gradgradcheck(lambda x, order=order: np.linalg.norm(x, order), x, argnums=0, jacobian=True)


def test_norms_of_nothing():
    for order in (None, 0, 1, 2, 3, np.inf):
        assert np.linalg.norm(leaf([]), order).item() == 0
        assert np.linalg.norm(leaf(np.zeros((2, 0))), order, axis=1).tolist() == [0, 0]
    for order in (None, "fro", 1, np.inf):
        assert np.linalg.norm(leaf(np.zeros((0, 0))), order).item() == 0


def test_integers_give_float32():
    for order in (None, 0, 1, 2, np.inf):
        assert np.linalg.norm(tg.tensor([3, 4]), order).dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "call", "words"),
    [
        (ValueError, lambda x: np.linalg.norm(x, "fro", axis=1), ["norm: 'fro' is an order for matrices"]),
        (ValueError, lambda x: np.linalg.norm(x, 3), ["norm: 3 is no order of a matrix norm; give None, 'fro', 'nuc'"]),
        (ValueError, lambda x: np.linalg.norm(x, 2, axis=(0, 1, 2)), ["norm: takes one axis (of vectors) or two"]),
        (ValueError, lambda x: np.linalg.norm(x[None], 2), ["norm: takes one axis (of vectors)", "got (0, 1, 2)"]),
        (ValueError, lambda x: np.linalg.norm(x, axis=(0, 0)), ["norm: ", "repeated axis"]),
        (ValueError, lambda x: np.linalg.norm(x, 1, axis=(0, 0)), ["norm: ", "repeated axis"]),
        (ValueError, lambda x: np.linalg.matrix_norm(x[0]), ["matrix_norm: takes matrices (..., N, M), got (3,)"]),
        (ValueError, lambda x: np.linalg.norm(x[:0], -np.inf, axis=0), ["norm: ", "zero-size"]),
        (IndexError, lambda x: np.linalg.norm(x, axis=2), ["norm: ", "axis 2 is out of bounds"]),
    ],
)
def test_errors(kind, call, words):
    with refused(kind, *words):
        call(leaf(M))
