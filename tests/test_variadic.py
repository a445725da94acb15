"""Operations that take *arrays."""

import inspect

import numpy as np
import pytest
from numpy.typing import ArrayLike

import tinygrad_lite as tg
from tinygrad_lite.op import ONE, PLAIN, SEQUENCE, Op, table

from .messages import refused

needed = []


def _scaled_sum_rule(g, arrays_needed, scale):
    needed.append(arrays_needed)
    return [g * scale if each else None for each in arrays_needed]


@pytest.fixture
def scaled_sum():
    @tg.primitive(vjp={"arrays": _scaled_sum_rule})
    def _scaled_sum(power: int, *arrays: ArrayLike, scale: float = 1.0):
        return sum(np.asarray(each) for each in arrays) ** power * scale

    yield table["scaled_sum"]
    del table["scaled_sum"]


def test_signature(scaled_sum):
    assert scaled_sum.parameters == ("power", "arrays", "scale")
    assert scaled_sum.kinds == (PLAIN, SEQUENCE, PLAIN)
    assert scaled_sum.defaults == {"scale": 1.0}
    assert list(inspect.signature(scaled_sum.function).parameters) == ["power", "arrays", "scale"]


def test_both_ways_to_call(scaled_sum):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = scaled_sum.function(1, x, [3.0, 3.0], scale=2.0)
    assert y.tolist() == scaled_sum.call(1, [x, [3.0, 3.0]], 2.0).tolist() == [8.0, 10.0]
    assert (y.requires_grad, y.dtype) == (True, np.float32)
    assert scaled_sum.function(2, np.ones(2), np.ones(2)).tolist() == [4.0, 4.0]


def test_a_rule_knows_which_gradients_are_needed(scaled_sum):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    scaled_sum.function(1, x, [3.0, 3.0], x, scale=2.0).sum().backward()
    assert needed.pop() == [True, False, True]
    assert x.grad.tolist() == [4.0, 4.0]


def test_composites():
    def both(*args: ArrayLike, subok: bool = False):
        return tuple(np.multiply(each, 2) for each in args)

    both = tg.composite()(both)
    try:
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        for each in both(x, x, subok=False):
            assert (each.tolist(), each.requires_grad) == ([2.0, 4.0], True)
    finally:
        del table["both"]


def test_errors(scaled_sum):
    x = tg.tensor([1.0, 2.0])
    with refused(TypeError, "scaled_sum: takes real numbers, got 'a' (<U1)"):
        scaled_sum.function(1, x, "a")
    with refused(TypeError, "scaled_sum: ", "None"):
        scaled_sum.function(1, x, None)


def test_declarations():
    def keywords(**keywords):
        return keywords

    def only(x: ArrayLike, *, axis: int = 0):
        return x

    def plain(*axes: int):
        return axes

    for function, message in (
        (keywords, "keywords: an operation takes plain parameters and *arrays only: no **keywords, no *, k"),
        (only, "only: an operation takes plain parameters and *arrays only: no **keywords, no *, k"),
        (plain, "plain: *axes must be arrays; annotate it as ArrayLike"),
    ):
        with refused(TypeError, message):
            Op(function, None)
    assert Op(lambda *arrays: arrays, None).kinds == (SEQUENCE,)
    assert Op(lambda x, *arrays: arrays, None).kinds == (ONE, SEQUENCE)
