"""The tools for people who test gradients, tried on operations that are right, wrong, and not differentiable."""

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

import tinygrad_lite as tg
from tinygrad_lite.op import Interval, numpy_functions, table
from tinygrad_lite.testing import (
    GradientError,
    NotDifferentiableError,
    gradcheck,
    gradgradcheck,
    strategies,
)

X = np.array([[0.5, -1.0, 2.0], [1.5, -0.5, -2.0]])


def leaf(data):
    return tg.tensor(np.array(data, float), requires_grad=True)


@pytest.fixture
def own(request):
    """Operations of a user, which leave the table when the test is over."""
    names = set(table)
    yield tg.primitive
    for name in set(table) - names:
        for function in table.pop(name).numpy:
            del numpy_functions[function]


def declare(primitive, x=lambda g, y: g * y, y=lambda g, x: g * x, **options):
    @primitive(vjp={"x": x, "y": y}, **options)
    def product(x: "ArrayLike", y: "ArrayLike"):
        return np.multiply(x, y)

    return product


# What is right.


@pytest.mark.parametrize("jacobian", [False, True])
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_right(own, check, jacobian):
    product = declare(own)
    assert check(product, leaf(X), leaf(X[0]), jacobian=jacobian)
    assert check(lambda x: (tg.tanh(x), product(x, x).sum(0)), leaf(X), jacobian=jacobian)
    assert check(np.concatenate, [leaf(X), leaf(X)], jacobian=jacobian)
    assert check(lambda pair, z: pair[0] * pair[1][0] + z, (leaf(X), [leaf(X)]), leaf(1.0), jacobian=jacobian)
    assert check(lambda x: x, leaf(X), jacobian=jacobian)
    assert check(lambda x: tg.ones(3, np.float64), leaf(X), jacobian=jacobian)
    assert check(tg.sum, leaf(np.zeros((0, 3))), jacobian=jacobian)
    assert check(tg.exp, leaf(np.zeros((0, 3))), jacobian=jacobian)


def test_third_order():
    """The checks can be nested: second derivatives are functions, too."""

    def gradient(x):
        x = x if x.requires_grad else leaf(x.data)
        before, x.grad = x.grad, None
        tg.sum(x**4).backward(create_graph=True)
        result, x.grad = x.grad, before
        return result

    assert gradgradcheck(gradient, leaf(X))


def test_only_what_requires_a_gradient_is_checked(own):
    product = declare(own, x=lambda g, y: g * 0.0)
    assert gradcheck(product, tg.tensor(X), leaf(X))
    assert gradcheck(product, X, leaf(X))
    assert gradcheck(product, X, X, argnums=1)
    assert gradcheck(product, leaf(X), leaf(X), argnums=-1)
    with pytest.raises(GradientError, match="input 0"):
        gradcheck(product, X, X, argnums=(0, 1))


def test_inputs_are_left_alone():
    x = leaf(X)
    x.grad = tg.tensor(X)
    gradcheck(tg.tanh, x)
    gradgradcheck(tg.tanh, x)
    assert x.data.tolist() == x.grad.tolist() == X.tolist()


def test_layout_is_kept():
    seen = []
    gradcheck(lambda x: seen.append(x.data.strides) or x * 2.0, X.T[::-1], argnums=0)
    assert seen[0] == X.T[::-1].strides


def test_integers_among_inputs_and_outputs():
    assert gradcheck(lambda x, i: (x[i], tg.argmax(x)), leaf(X), np.array([0, 0, 1]))


def test_float32_is_checked_in_float64():
    assert gradcheck(tg.tanh, tg.tensor(X, requires_grad=True, dtype=np.float32))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4, 1e8])
def test_large_and_small(scale):
    assert gradcheck(lambda x: x * x, leaf(X * scale))
    assert gradcheck(tg.log, leaf(abs(X) * scale))
    assert gradcheck(lambda x: 1.0 / x, leaf(X * scale))


# What is wrong.


def test_names_input_and_element(own):
    product = declare(own, y=lambda g, x: g * np.where(x == -2.0, 3.0, x))
    message = (
        r"^gradcheck: derivative of output\[1, 2\] by input 1\[1, 2\]: expected -2 \(central differences\), got 3$"
    )
    for jacobian in (False, True):
        with pytest.raises(GradientError, match=message):
            gradcheck(product, leaf(X), leaf(X), jacobian=jacobian)


def test_names_input_of_a_list_and_output(own):
    product = declare(own, x=lambda g, y: -g * y)
    with pytest.raises(GradientError, match=r"of output 1 by input 0\[1\]: expected 3 .*, got -3$"):
        gradcheck(lambda pair: (pair[0] * 2.0, product(pair[1], 3.0)), [leaf(1.0), leaf(2.0)])


class Pair(NamedTuple):
    left: object
    right: object


def test_dicts_and_named_tuples(own):
    """A model is a dict of parameters: they are called by their names, and so are the outputs."""
    product = declare(own, x=lambda g, y: -g * y)
    parameters = {"w": leaf(X), "layers": [{"b": leaf(X[0])}], "rate": 0.5}
    for check in (gradcheck, gradgradcheck):
        assert check(lambda p: {"y": p["w"] * p["layers"][0]["b"], "more": [p["w"] * p["rate"]]}, parameters)
        assert check(lambda pair: Pair(pair.left * pair.right, pair.left), Pair(leaf(X), 2.0))
    with pytest.raises(
        GradientError, match=r"of output\['y'\]\[0, 1\] by input 0\['layers'\]\[0\]\['b'\]\[1\]: expected 3"
    ):
        gradcheck(lambda p: {"z": p["w"], "y": product(p["layers"][0]["b"], np.array([[0.0, 3.0, 0.0]]))}, parameters)
    with pytest.raises(TypeError, match=r"^gradcheck: the function must return Tensors, got NoneType$"):
        gradcheck(lambda p: {"y": p["w"], "z": None}, parameters)


def test_outputs_without_a_derivative_are_counted_too(own):
    product = declare(own, x=lambda g, y: -g * y)
    with pytest.raises(GradientError, match=r"of output 2 by input 0: expected 3"):
        gradcheck(lambda x: (tg.argmax(x), x, product(x, 3.0)), leaf(2.0))


def test_names_the_first_derivative_that_has_no_derivative(own):
    """A rule that does not tell how it depends on its input: right to the first order, wrong to the second."""
    square = declare(own, x=lambda g, y: g * np.asarray(y))
    assert gradcheck(square, leaf(X), leaf(X))
    message = r"gradgradcheck: derivative of gradient of input 0\[., .\] by input 1\[., .\]: expected .*, got 0$"
    with pytest.raises(GradientError, match=message):
        gradgradcheck(square, leaf(X), leaf(X))


def test_wrong_in_the_cotangent(own):
    product = declare(own, x=lambda g, y: np.asarray(g) * y)
    with pytest.raises(GradientError, match=r"of gradient of input 0.* by the weights of output.*, got 0$"):
        gradgradcheck(product, leaf(X), 1.5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_not_finite_gradients(own, wrong):
    product = declare(own, x=lambda g, y: g * np.where(y == -2.0, wrong, y))
    for jacobian in (False, True):
        with pytest.raises(GradientError, match=r"by input 0\[1, 2\]: expected .*, got nan$"):
            gradcheck(product, leaf(X), leaf(X), jacobian=jacobian)


def test_one_wrong_element_of_many(own):
    x = np.random.default_rng(0).normal(size=(100, 100))
    product = declare(own, x=lambda g, y: g * np.where(y == x[90, 10], 1.001 * y, y))
    with pytest.raises(GradientError, match=r"of output\[90, 10\] by input 0\[90, 10\]"):
        gradcheck(product, leaf(x), tg.tensor(x))


def test_cost_does_not_depend_on_the_size(own):
    calls = []
    for size in (1, 1000):
        calls.append(0)

        def function(x):
            calls[-1] += 1
            return tg.tanh(x)

        gradcheck(function, leaf(np.linspace(-1, 1, size)))
    assert calls[0] == calls[1] < 10


def test_detached():
    with pytest.raises(GradientError, match=r"input 0: expected 1 \(central differences\), got 0"):
        gradcheck(lambda x: x.detach(), leaf(2.0))


@pytest.mark.parametrize("how", ["sign", "factor", "zero"])
@given(args=strategies.arguments(table["multiply"]), seed=st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_wrong_rules_are_always_noticed(args, seed, how):
    """Whatever the numbers are and whichever direction is drawn."""
    factor = {"sign": -1.0, "factor": 2.0, "zero": 0.0}[how]
    x, y = args
    assume(np.broadcast(x, y).size and np.any(y != 0))
    op = table["multiply"]
    rules = op.vjp
    try:
        op.vjp = {**rules, "x": lambda g, y: g * y * factor}
        op.plans.clear()
        with pytest.raises(GradientError, match=r"by input 0.*: expected"):
            gradcheck(op.function, x, y, argnums=0, seed=seed)
    finally:
        op.vjp = rules
        op.plans.clear()


# What has no derivative.


@pytest.mark.parametrize(
    ("function", "point", "where", "what"),
    [
        (abs, [1.0, 0.0], r"output\[1\].*input 0\[1\]", "slope -1 on the left and 1 on the right"),
        (tg.functional.relu, [1.0, 0.0], r"output\[1\].*input 0\[1\]", "slope 0 on the left and 1 on the right"),
        (tg.max, [1.0, 2.0, 2.0], r"output .*input 0\[[12]\]", "slope 0 on the left and 1 on the right"),
        (tg.min, [[3.0, 3.0]], r"output .*input 0\[0, [01]\]", "slope 1 on the left and 0 on the right"),
        (lambda x: tg.maximum(x, 1.0), [1.0], r"output\[0\].*input 0\[0\]", "slope 0 on the left and 1 on the right"),
        (tg.sign, [1.0, 0.0], r"output\[1\].*input 0\[1\]", "jumps from -1 to 1"),
        (tg.sqrt, [1.0, 0.0], r"output\[1\].*input 0\[1\]", "slope nan"),
        (lambda x: x**0.5, [1.0, 0.0], r"output\[1\].*input 0\[1\]", "slope nan"),
        (lambda x: abs(x) ** 0.5, [1.0, 0.0], r"output\[1\].*input 0\[1\]", "slope"),
        (tg.std, [2.0, 2.0], r"output .*input 0\[[01]\]", "slope"),
        (lambda x: tg.maximum(x[0], x[1]) * 0.001, [2.0, 2.0], r"output .*input 0\[[01]\]", "slope"),
    ],
)
@pytest.mark.parametrize("jacobian", [False, True])
def test_kinks_are_named(function, point, where, what, jacobian):
    message = rf"^gradcheck: {where}.* it (has )?{what}.*; choose another point$"
    with pytest.raises(NotDifferentiableError, match=message):
        gradcheck(function, leaf(point), jacobian=jacobian)


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-6])
def test_near_a_kink_is_not_at_it(distance):
    assert gradcheck(abs, leaf([1.0, distance, -distance]))
    assert gradcheck(tg.max, leaf([1.0, 1.0 + distance]))


@pytest.mark.parametrize("jacobian", [False, True])
def test_rounding_that_cancels_is_no_kink(jacobian):
    """A norm of equal elements is 0, but for what rounding makes of each of them, 300 times as large."""

    def normed(x):
        return tg.functional.layer_norm(x[:1].repeat(5) * 4, (5,)) * 3

    for value in np.random.default_rng(0).normal(size=50) * 10:
        assert gradcheck(normed, tg.tensor([value], requires_grad=True), jacobian=jacobian)


@pytest.mark.parametrize("jump", [1e-7, 1.0])
def test_a_small_jump_is_not_taken_for_rounding(jump):
    with pytest.raises(GradientError):
        gradcheck(lambda x: x + jump * np.sign(x), tg.tensor([0.0], requires_grad=True))


def test_kinks_of_the_gradient():
    message = r"gradgradcheck: gradient of input 0\[1\] .* by input 0\[1\]: it jumps from"
    with pytest.raises(NotDifferentiableError, match=message):
        gradgradcheck(abs, leaf([1.0, 0.0]))


def test_a_kink_that_no_element_shows():
    with pytest.raises(NotDifferentiableError, match="output is not differentiable by input 0: it has slope"):
        gradcheck(lambda x: tg.minimum(abs(x[0]), abs(x[1])), leaf([0.0, 0.0]))


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_no_value(check):
    with pytest.raises(NotDifferentiableError, match=r"output\[1\] is nan"):
        check(tg.log, leaf([1.0, -1.0]))


# What can't be checked.


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: gradcheck(tg.exp, X),
            ValueError,
            "no input requires a gradient; give Tensors with requires_grad=True",
        ),
        (lambda: gradcheck(tg.exp), ValueError, "no input requires a gradient"),
        (lambda: gradcheck(tg.exp, X, argnums=1), ValueError, "argnums=1, but there are 1 inputs"),
        (lambda: gradcheck(X, tg.exp), TypeError, "takes a function and its inputs, got ndarray"),
        (
            lambda: gradcheck(tg.exp, np.arange(3), argnums=0),
            TypeError,
            "input 0 is int64; only floats have a derivative",
        ),
        (lambda: gradcheck(tg.exp, [X, [None]], argnums=0), TypeError, r"input 0\[1\]\[0\] is object"),
        (lambda: gradcheck(tg.exp, leaf([1.0, np.nan])), ValueError, "input 0 holds nan; give finite numbers"),
        (lambda: gradcheck(lambda x: x.data, leaf(X)), TypeError, "must return Tensors, got ndarray"),
        (lambda: gradcheck(lambda x: None, leaf(X)), TypeError, "must return Tensors, got NoneType"),
        (lambda: gradcheck(tg.argmax, leaf(X)), TypeError, "the function returned no floats"),
        (lambda: gradcheck(lambda x: x.astype(np.float32), leaf(X)), TypeError, "output is float32, too coarse"),
        (lambda: gradcheck(lambda x: x[x.data > 0.5], leaf([0.5])), ValueError, "shapes of the outputs depend on"),
        (lambda: gradgradcheck(tg.exp, X), ValueError, "^gradgradcheck: no input"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert str(caught.value).startswith(("gradcheck: ", "gradgradcheck: "))
    assert "\n" not in str(caught.value)


def test_random_functions():
    rng = np.random.default_rng()
    with pytest.raises(ValueError, match="gives other values when it is called again; fix its seed"):
        gradcheck(lambda x: x * rng.random(), leaf(X))


def test_hypothesis_is_imported_by_strategies_only():
    program = "import sys, tinygrad_lite.testing; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_arguments_of_an_own_operation(own):
    """A user's elementwise operation is tested by one line; another one needs a sampler."""
    product = declare(own, domain={"x": Interval(0.0, kinks=(1.0,))})

    @settings(max_examples=20, deadline=None)
    @given(strategies.arguments(table["product"]))
    def test(args):
        assert gradcheck(product, *args, argnums=(0, 1))
        assert (args[0] > 0).all()
        assert (args[0] != 1).all()

    test()

    @own(vjp=lambda g: g)
    def rolled(x: "ArrayLike", shift: "int"):
        return np.roll(x, shift)

    with pytest.raises(
        LookupError, match=r"^rolled: no sampler draws its arguments; declare one by strategies.sampler$"
    ):
        strategies.arguments(table["rolled"])
