"""Plain arguments that are Tensors: one number is that number, and its gradient is refused by name, or right."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.testing import gradcheck

from .checks import as_tensors, every, leaf, listed, those
from .messages import refused

PREPARED = ("check_finite", "ravel", "reshape")  # their plain arguments are looked at before they are run
X = tg.tensor([-1.0, 2.0, 0.5])

primitives = those(lambda op: op.plain and op.carriers and not op.composed and op.name not in PREPARED)


@primitives
def test_a_number_in_a_tensor_is_that_number(op):
    def check(op, args):
        tensors = as_tensors(op, args)
        inside = [
            tg.tensor(np.array(each)) if i in op.plain and type(each) in (int, float, bool) else each
            for i, each in enumerate(tensors)
        ]
        for one, other in zip(listed(op.call(*inside)), listed(op.call(*tensors)), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one.data, other.data)

    every(op, check, dtype=np.float32, max_examples=10)


@primitives
def test_a_gradient_is_refused(op):
    def check(op, args):
        for i in op.plain:
            for number in (leaf(np.array(0.5)), leaf(np.array([0.5, 0.25])), leaf(np.array(0.25)) * 2):
                name = op.parameters[i]
                with refused(TypeError, f"{op.name}: no gradient of {name} is known; give {name}.detach()"):
                    op.call(*args[:i], number, *args[i + 1 :])

    every(op, check, max_examples=2)


@those(lambda op: op.plain and op.composed)
def test_composites_know_it_or_refuse_it(op):
    def check(op, args):
        for i in op.plain:
            continuous = ("ddof", "ord", "p", "q")  # also where whole numbers are drawn for them
            if type(args[i]) is float or (type(args[i]) is int and op.parameters[i] in continuous):

                def function(number, i=i):
                    return op.call(*args[:i], number, *args[i + 1 :])

                number = leaf(np.array(0.25 + 0.5 * args[i]))  # not at the end of what it may be
                try:
                    function(number)
                except TypeError:
                    with refused(TypeError, f"{op.name}: no gradient of {op.parameters[i]} is known"):
                        function(number)
                else:
                    gradcheck(function, number)

    every(op, check, max_examples=10)


NUMBERS = {
    "leaky_relu": lambda number: F.leaky_relu(X, number),
    "elu": lambda number: F.elu(X, alpha=number),
    "hardtanh": lambda number: F.hardtanh(X, -number, number),
    "attention": lambda number: F.scaled_dot_product_attention(X[None], X[None], X[None], scale=number),
    "cross_entropy": lambda number: F.cross_entropy(X[None], [1], label_smoothing=number),
    "layer_norm": lambda number: F.layer_norm(X, 3, eps=number),
    "rms_norm": lambda number: F.rms_norm(X, 3, eps=number),
    "nan_to_num": lambda number: np.nan_to_num(tg.tensor([np.inf]), posinf=number),
    "var": lambda number: np.var(X, ddof=number),
    "norm": lambda number: np.linalg.norm(X, number),
    "quantile": lambda number: np.quantile(X, number),
    "pinv": lambda number: np.linalg.pinv(X[None], number),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_without_a_gradient_it_is_taken(name):
    function = NUMBERS[name]
    right = function(0.25)
    number = leaf(np.array(0.25))
    with tg.no_grad():
        results = [function(number), function(number.detach()), function(tg.tensor(0.25))]
    for result in results:
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result.data, right.data)


def test_a_gradient_in_a_list_is_refused():
    number = leaf(np.array(0.25))
    with refused(TypeError, "quantile: no gradient of q is known; give q.detach()"):
        np.quantile(X, [0.5, number])
