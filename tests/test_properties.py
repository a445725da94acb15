"""check_operation finds what is wrong with an operation, and says what."""

import re

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import ArrayLike

import tinygrad_lite as tg
from tinygrad_lite.op import numpy_functions, table
from tinygrad_lite.testing import GradientError, strategies
from tinygrad_lite.testing.properties import check_operation

from .messages import refused


@pytest.fixture(autouse=True)
def _own():
    """The operations that a test declares leave the table when it is over."""
    names = set(table)
    yield
    for name in set(table) - names:
        for function in table.pop(name).numpy:
            del numpy_functions[function]


def cube(vjp=lambda g, x: 3 * g * x * x, forward=lambda x: x * x * x, **options):
    @tg.primitive(vjp=vjp, **options)
    def cube(x):
        return forward(np.asarray(x))

    return cube


def test_right():
    check_operation(cube())
    check_operation(table["multiply"])
    check_operation(table["batch_norm"], max_examples=5)


def test_a_composite():
    @tg.composite()
    def hypotenuse(x: ArrayLike, y: ArrayLike):
        return np.sqrt(x * x + y * y + 1)

    check_operation(hypotenuse)


def test_its_own_arguments():
    @tg.primitive(vjp=lambda g, shift: np.flip(g) if shift else g)
    def turned(x: ArrayLike, shift: int):
        return np.array(np.flip(x) if shift else x)

    check_operation(turned, args=lambda dtype: st.tuples(strategies.arrays(dtype=dtype), st.sampled_from([0, 1])))
    with pytest.raises(LookupError, match=r"^turned: no sampler draws its arguments; declare one by"):
        check_operation(turned)


@pytest.mark.parametrize(
    ("wrong", "property", "what"),
    [
        ({"vjp": lambda g, x: -3 * g * x * x}, "The gradients are those of central differences", "input 0.*expected"),
        ({"vjp": lambda g, x: 3 * g * x}, "The gradients are those of central differences", "input 0.*expected"),
        (
            {"vjp": lambda g, x: 3 * g * np.asarray(x) ** 2},
            "The second derivatives are central differences of the first",
            "derivative of gradient of input 0.*expected",
        ),
        ({"forward": lambda x: x.astype(np.float64) ** 3}, "Floats keep their dtype", "float64, not float32"),
        ({"forward": lambda x: x, "vjp": lambda g: g}, "A result shares memory with an input only", "view=True"),
        ({"forward": lambda x: (x**3).reshape(-1)}, "What takes arrays only broadcasts them", ""),
        (
            {"forward": lambda x: x**3 if x.flags.c_contiguous else x**3 + 1},
            "Tensors and arrays in any layout give the same",
            "Not equal to tolerance",
        ),
    ],
)
def test_wrong(wrong, property, what):
    with pytest.raises(AssertionError) as caught:
        check_operation(cube(**wrong))
    said = str(caught.value)
    assert said.startswith(f"cube: {property}")
    assert re.search(what, said, re.DOTALL)


def test_the_cause_is_kept():
    with pytest.raises(AssertionError) as caught:
        check_operation(cube(vjp=lambda g, x: g))
    assert isinstance(caught.value.__cause__, GradientError)


def test_a_forgotten_rule():
    """It is noticed, and where a gradient would be dropped it is refused, as what has None for a rule."""

    def declare(name, **rules):
        def times(x, y):
            return np.multiply(x, y)

        times.__name__ = name
        return tg.primitive(vjp={"x": lambda g, y: g * y, **rules}, floats=True)(times)

    x, y = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    forgotten, unknown = declare("forgotten"), declare("unknown", y=None)
    for times in (forgotten, unknown):
        for first in (x, x.detach(), x.numpy()):
            with refused(TypeError, f"{times.__name__}: no gradient of y is known; give y.detach()"):
                times(first, y)
        with tg.no_grad():
            times(x, y)
        assert times(x, y.detach()).requires_grad
    check_operation(unknown)
    with pytest.raises(AssertionError) as caught:
        check_operation(forgotten)
    assert str(caught.value).startswith("forgotten: Each input of floats has a rule, or None")
    assert "vjp says nothing of y" in str(caught.value)


def test_what_is_no_operation():
    with pytest.raises(LookupError, match=r"^sin is no operation; decorate it with tinygrad_lite.primitive or compos"):
        check_operation(np.sin)
