"""Python's operators: with Tensors, arrays, numbers and lists on either side, in torch's dtypes."""

import operator

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.tensor import Tensor

from .messages import refused
from .test_protocols import M, leaf, matrix

OPERANDS = {
    "ndarray": np.array([0.5, 3.0, 2.0], np.float32),
    "row": np.array([[0.5, 3.0, 2.0], [1.0, 1.5, 0.25]], np.float32),
    "ndarray 0-d": np.array(2.5, np.float32),
    "float32": np.float32(2.5),
    "float64": np.float64(2.5),
    "int64": np.int64(2),
    "list": [0.5, 3.0, 2.0],
    "tuple": (0.5, 3.0, 2.0),
    "float": 2.5,
    "int": 2,
    "Tensor": tg.tensor([0.5, 3.0, 2.0]),
}
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("operand", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("function", ARITHMETIC, ids=lambda f: f.__name__)
@pytest.mark.parametrize("reflected", [False, True], ids=["on the right", "on the left"])
def test_operators_with(function, operand, reflected):
    def call(x, y):
        return function(y, x) if reflected else function(x, y)

    x, alike = leaf([1.5, 2.0, 0.5]), leaf([1.5, 2.0, 0.5])
    other = np.asarray(operand, np.float32)
    out, want = call(x, operand), call(alike, tg.tensor(other))
    assert type(out) is Tensor
    assert (out.dtype, out.requires_grad) == (np.float32, True)
    np.testing.assert_allclose(out.data, call(x.data, other), rtol=1e-6)
    out.sum().backward()
    want.sum().backward()
    np.testing.assert_allclose(x.grad.data, alike.grad.data, rtol=1e-6)


@pytest.mark.parametrize("operand", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("function", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons_with(function, operand):
    x, other = leaf([0.5, 3.0, 2.5]), np.asarray(operand, np.float32)
    for out, want in [
        (function(x, operand), function(x.data, other)),
        (function(operand, x), function(other, x.data)),
    ]:
        assert type(out) is Tensor
        assert (out.dtype, out.requires_grad) == (np.bool_, False)
        np.testing.assert_array_equal(out.data, want)


def test_matmul_with_arrays_and_lists_on_either_side():
    x = matrix()
    rows = [[1.0, 0.0], [2.0, 1.0]]
    for left in (rows, np.array(rows, np.float32), tg.tensor(rows)):
        out = left @ x
        assert type(out) is Tensor
        np.testing.assert_array_equal(out.data, np.array(rows, np.float32) @ M)
        x.grad = None
        out.sum().backward()
        assert x.grad.tolist() == [[3, 3, 3], [1, 1, 1]]
    assert (x @ [1, 0, 1]).tolist() == [4, 10]
    assert ([1, 1] @ x).tolist() == [5, 7, 9]


def test_unary_operators():
    x = leaf([-1.0, 2.0])
    assert (-x).tolist() == [1, -2]
    assert abs(x).tolist() == [1, 2]
    assert +x is x


def test_operators_that_there_are_not_are_refused():
    x = leaf([1.0])
    for function in (operator.lshift, operator.rshift):
        with pytest.raises(TypeError, match="unsupported operand"):
            function(x, 2)
    with refused(TypeError, "np.left_shift is no operation of tinygrad_lite"):
        np.ones(1, int) << x


def test_an_array_takes_a_tensor_in_place_but_never_its_gradient():
    array = np.zeros(2, np.float32)
    kept = array
    array += tg.tensor([1.0, 2.0])
    array *= tg.tensor([3.0, 3.0])
    assert array is kept
    assert array.tolist() == [3, 6]
    with refused(TypeError, "np.add: out= would drop the gradient"):
        array += leaf([1.0, 2.0])
    with tg.no_grad():
        array -= leaf([1.0, 2.0])
    assert array.tolist() == [2, 4]
