"""The elementwise operations: far out, at 0, and in other dtypes; powers; limits; Python's operators; names."""

import operator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import table
from tinygrad_lite.ops import activations, arithmetic, elementwise, logic, rounding, selection
from tinygrad_lite.testing import strategies
from tinygrad_lite.testing.gradcheck import gradients

from . import torch_backend
from .messages import refused

torch = torch_backend.torch
inf, nan = np.inf, np.nan


def leaf(*numbers, dtype=np.float64):
    return tg.tensor(np.array(numbers, dtype), requires_grad=True)


def value_and_gradients(function, *numbers, dtype=np.float64):
    """Of a function of numbers, as Python's numbers."""
    inputs = [leaf(number, dtype=dtype) for number in numbers]
    output = function(*inputs)
    grads = gradients([output], [tg.ones(1, dtype)], inputs)
    assert {each.dtype for each in (output, *grads)} == {np.dtype(dtype)}
    return output.item(), *[each.item() for each in grads]


# Far out, and near 0: exact, where the formula as one would write it is not.

EXACT = {  # operation and arguments: the value, and the gradients
    (tg.divide, 1e200, 1e190): (1e10, 1e-190, -1e-180),
    (tg.divide, 1e-200, 1e-190): (1e-10, 1e190, -1e180),
    (tg.divide, 0.0, 1e-200): (0.0, 1e200, 0.0),
    (tg.hypot, 3e200, 4e200): (5e200, 0.6, 0.8),
    (tg.hypot, 3e-200, 4e-200): (5e-200, 0.6, 0.8),
    (tg.arctan2, 1e200, 1e200): (np.pi / 4, 5e-201, -5e-201),
    (tg.arctan2, 1e-200, 1e-200): (np.pi / 4, 5e199, -5e199),
    (tg.arcsinh, 1e200): (np.log(2) + 200 * np.log(10), 1e-200),
    (tg.arcsinh, -1e-200): (-1e-200, 1.0),
    (tg.arccosh, 1e200): (np.log(2) + 200 * np.log(10), 1e-200),
    (tg.arcsin, 1 - 2.0**-40): (np.arcsin(1 - 2.0**-40), 1 / np.sqrt(2.0**-39 - 2.0**-80)),
    (tg.arctanh, 1 - 2.0**-40): (np.arctanh(1 - 2.0**-40), 1 / (2.0**-39 - 2.0**-80)),
    (tg.expm1, 1e-20): (1e-20, 1.0),
    (tg.log1p, 1e-20): (1e-20, 1.0),
    (tg.log1p, 1e300): (300 * np.log(10), 1e-300),
    (tg.cbrt, -1e300): (-1e100, 1e-200 / 3),
    (tg.logaddexp, 1e10, 1e10): (1e10 + np.log(2), 0.5, 0.5),
    (tg.logaddexp, 1e4, 0.0): (1e4, 1.0, 0.0),
    (tg.logaddexp, -1e4, -1e4 - 50): (-1e4, 1.0, np.exp(-50)),
    (tg.logaddexp2, -1e4, -1e4 - 50): (-1e4, 1.0, 2.0**-50),
    (tg.logaddexp, -inf, 3.0): (3.0, 0.0, 1.0),
    (F.sigmoid, -50.0): (np.exp(-50), np.exp(-50)),
    (F.sigmoid, -1e4): (0.0, 0.0),
    (F.sigmoid, 1e4): (1.0, 0.0),
    (F.silu, -50.0): (-50 * np.exp(-50), -49 * np.exp(-50)),
    (F.silu, 1e200): (1e200, 1.0),
    (F.silu, -1e200): (0.0, 0.0),
    (F.gelu, 1e200): (1e200, 1.0),
    (F.gelu, -1e200): (0.0, 0.0),
    (F.gelu, 0.0): (0.0, 0.5),
    (F.softplus, 1e200): (1e200, 1.0),
    (F.softplus, -50.0): (np.exp(-50), np.exp(-50)),
    (F.elu, -1e4): (-1.0, 0.0),
    (F.elu, 1e200): (1e200, 1.0),
    (F.elu, -1e-20): (-1e-20, 1.0),
    (F.selu, -1e4): (-1.7580993408473766, 0.0),
    (F.softsign, 1e100): (1.0, 1e-200),
    (F.hardtanh, 1e200): (1.0, 0.0),
    (F.leaky_relu, -1e200): (-1e198, 0.01),
    (tg.tanh, 1e4): (1.0, 0.0),
    (tg.copysign, 2.0, -0.0): (-2.0, -1.0, 0.0),
    (tg.remainder, -1e-20, 1.0): (1.0, 1.0, 1.0),
}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(("call", "right"), EXACT.items(), ids=lambda each: getattr(each[0], "__name__", ""))
def test_exact(call, right):
    function, *numbers = call
    np.testing.assert_allclose(value_and_gradients(function, *numbers), right, rtol=1e-14, atol=0)


SIZES = st.floats(2.0**-6, 60_000, width=16)


@pytest.mark.parametrize("function", [tg.divide, tg.arctan, tg.log10, F.softsign], ids=lambda each: each.__name__)
@settings(max_examples=100, deadline=None)
@given(st.lists(SIZES, min_size=2, max_size=2))
@example([1000.0, 300.0])
@example([40_000.0, 2.0**-6])
def test_slopes_in_float16(function, numbers):
    """As good as the dtype allows: nothing overflows, or becomes 0, on the way to a slope that does not."""
    numbers = numbers[: len(table[function.__name__].inputs)]
    with np.errstate(all="ignore"):
        got = value_and_gradients(function, *numbers, dtype=np.float16)
        right = np.array(value_and_gradients(function, *numbers)).astype(np.float16)
    np.testing.assert_allclose(got, right, rtol=4e-3, atol=1.2e-7)


ACTIVATIONS = ("sigmoid", "relu", "leaky_relu", "elu", "selu", "silu", "softplus", "softsign", "hardtanh", "gelu")


@pytest.mark.parametrize("size", [30.0, 90.0, 1e4, 1e30])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_far_out_in_float32(name, size):
    """Finite and without a warning, on both sides; and what float64 gives."""
    activation = getattr(F, name)
    with np.errstate(over="ignore") if size == 1e30 else np.errstate():  # of the square, in gelu
        got = [value_and_gradients(activation, x, dtype=np.float32) for x in (size, -size)]
        right = [value_and_gradients(activation, x) for x in (size, -size)]
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, right, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("activation", [F.elu, F.selu], ids=["elu", "selu"])
@settings(max_examples=60, deadline=None)
@given(st.floats(-80.0, -(2.0**-20), width=32))
def test_slopes_of_exponential_units_far_out(activation, x):
    _, got = value_and_gradients(activation, x, dtype=np.float32)
    right = np.exp(x) * (1 if activation is F.elu else activations.SCALE * activations.ALPHA)
    np.testing.assert_allclose(got, right, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(-700.0, 700.0))
def test_sigmoid_to_the_last_digits(x):
    assert np.isclose(F.sigmoid(np.array(x)), np.exp(-np.logaddexp(0, -x)), rtol=1e-12, atol=0)


def nth_derivative(function, x, order):
    y = function(x)
    for _ in range(order):
        (y,) = gradients([y], [tg.ones(y.shape, np.float64)], [x], create_graph=True)
    return y.data


@pytest.mark.parametrize("order", range(7))
def test_sinc_of_any_order_at_and_near_0(order):
    """The power series: sum of (-1)**k (pi x)**(2 k) / (2 k + 1)!."""
    x = leaf(0.0, -0.0, 1e-300, 1e-9, -1e-5, 1e-3, -0.02)
    coefficients = np.zeros(24)
    coefficients[::2] = [(-1) ** k * np.pi ** (2 * k) / float(np.prod(np.arange(1.0, 2 * k + 2))) for k in range(12)]
    series = np.polynomial.Polynomial(coefficients).deriv(order) if order else np.polynomial.Polynomial(coefficients)
    np.testing.assert_allclose(nth_derivative(tg.sinc, x, order), series(x.data), rtol=1e-13, atol=1e-300)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.5, 1e3), st.booleans())
def test_sinc_away_from_0(x, negative):
    """sin(u) / u and its derivatives, u = pi x, by the quotient rule."""
    x = leaf(-x if negative else x)
    u = np.pi * x.data
    first = np.pi * (np.cos(u) - np.sin(u) / u) / u
    second = -(np.pi**2) * np.sin(u) / u - 2 * np.pi * first / u
    for order, right in enumerate((np.sin(u) / u, first, second)):
        np.testing.assert_allclose(nth_derivative(tg.sinc, x, order), right, rtol=1e-9, atol=1e-12)


# Integers and bools.


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool])
@pytest.mark.parametrize("op", [op for op in table.values() if op.floats and strategies.is_elementwise(op)], ids=repr)
def test_integers_and_bools_are_taken_as_float32(op, dtype):
    shapes = [(3,), (2, 1)]
    arrays = [(np.arange(np.prod(shape)).reshape(shape) % 2 + 1).astype(dtype) for shape in shapes]
    arrays = arrays[: len(op.parameters)]
    with np.errstate(all="ignore"):
        result = op.function(*[tg.tensor(each) for each in arrays])
        right = op.function(*[each.astype(np.float32) for each in arrays])
    assert result.dtype == np.float32
    assert not result.requires_grad
    np.testing.assert_array_equal(result.data, right)


ROOMS = (activations, arithmetic, elementwise, logic, rounding, selection)
OURS = [op for op in table.values() if op.function in [f for room in ROOMS for f in vars(room).values() if callable(f)]]


@pytest.mark.parametrize("op", OURS, ids=repr)
def test_integers_never_give_float64(op):
    given = {"condition": [True, False], "dtype": np.int8, "order": 1}
    required = op.parameters[: len(op.parameters) - len(op.forward.__defaults__ or ())]
    extra = ("x", "y") if op.name == "where" else ()
    args = [tg.tensor([1, 1]) if name not in given else given[name] for name in (*required, *extra)]
    with np.errstate(all="ignore"):
        results = op.function(*args)
    for result in results if isinstance(results, tuple) else [results]:
        assert type(result) is tg.Tensor
        assert result.dtype in (np.int64, np.int8, np.float32, np.bool_)


def test_integers_stay_integers():
    x, y = tg.tensor([7, -7, 5]), tg.tensor([2, 2, -3])
    for function in (tg.maximum, tg.minimum, tg.fmax, tg.fmin, tg.floor_divide, tg.remainder, tg.fmod, tg.bitwise_and):
        result = function(x, y)
        assert result.dtype == np.int64
        np.testing.assert_array_equal(result.data, function(x.data, y.data))
        assert function(x, 2).dtype == np.int64
        assert function(x, np.array(2, np.int32)).dtype == np.int64
    for function in (tg.abs, tg.negative, tg.positive, tg.square, tg.sign, tg.round, tg.nan_to_num, F.relu):
        assert function(x).dtype == np.int64
    assert tg.clip(x, 0, 5).tolist() == [5, 0, 5]
    assert tg.round(tg.tensor([15, 25]), -1).tolist() == [20, 20]


def test_a_float_among_integers_makes_float32():
    x = tg.tensor([7, 6])
    for function in (tg.maximum, tg.fmin, tg.remainder, tg.floor_divide, tg.hypot, tg.power, tg.clip, tg.heaviside):
        for other in (2.5, np.float64(2.5), np.array(2.5), [2.5, 1.5]):
            assert function(x, other).dtype == np.float32


# Powers: every combination of bases and exponents.

BASES, EXPONENTS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0), (-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0)


def all_derivatives(value, inputs, ones, gradients):
    """The value, its derivatives by each input, and of these again by each."""
    first = gradients([value], [ones], inputs, create_graph=True)
    second = [each for one in first for each in gradients([one], [ones], inputs)]
    return [np.asarray(each.detach()) for each in (value, *first, *second)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("power", [operator.pow, tg.power, tg.float_power], ids=["**", "power", "float_power"])
def test_power(power, base):
    """Torch's values, gradients and second gradients; but finite where torch is nan at 0 ** y, and right for y = 0."""
    for exponent in EXPONENTS:
        x, y = leaf(base), leaf(exponent)
        ours = all_derivatives(power(x, y), [x, y], tg.ones(1, np.float64), gradients)
        x, y = (torch.tensor([each], dtype=torch.float64, requires_grad=True) for each in (base, exponent))
        theirs = all_derivatives(x**y, [x, y], torch.ones(1), torch_backend.gradients)
        np.testing.assert_allclose(ours[:3], theirs[:3], rtol=1e-12)
        if base == 0:
            assert exponent < 0 or ours[6] == 0  # by y twice
            theirs = np.where(np.isnan(theirs), ours, theirs)
        elif exponent == 0:  # by x and y it is 1 / x; torch has 0 there
            theirs[4] = theirs[5] = np.array([1 / base if base > 0 else nan])
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_powers_of_integers():
    x = tg.tensor([2, 4])
    assert tg.power(x, 3).tolist() == [8, 64]
    assert (x**3).dtype == np.int64
    assert tg.float_power(x, -1).tolist() == [0.5, 0.25]
    assert np.float_power(x, 2).dtype == np.float32
    with refused(ValueError, "power: Integers to negative integer powers are not allowed"):
        x**-1


# Limits.


def test_clip_in_every_way_to_call_it():
    x = leaf(-1.0, 0.0, 0.5, 1.0, 2.0)
    for clip in (tg.clip, np.clip):
        for result in (clip(x, 0, 1), clip(x, a_min=0, a_max=1), clip(x, min=0, max=1), clip(x, 0, [1.0] * 5)):
            assert result.tolist() == [0, 0, 0.5, 1, 1]
            assert gradients([result], [tg.ones(5, np.float64)], [x])[0].tolist() == [0, 1, 1, 1, 0]
        for result in (clip(x, 0, None), clip(x, min=0), clip(x, a_min=0, a_max=None)):
            assert result.tolist() == [0, 0, 0.5, 1, 2]
        for result in (clip(x, None, 1), clip(x, max=1)):
            assert result.tolist() == [-1, 0, 0.5, 1, 1]
        assert clip(x, None, None).tolist() == x.tolist()
    assert x.clip(0, 1).tolist() == x.clip(min=0, max=1).tolist() == x.clip(0, max=1).tolist() == [0, 0, 0.5, 1, 1]
    assert tg.clip(x, 0, max=1).tolist() == [0, 0, 0.5, 1, 1]
    with refused(TypeError, "clip: a limit is given twice"):
        tg.clip(x, 0, 1, min=0)
    with refused(ValueError, "clip: ", "operands could not be broadcast together"):
        tg.clip(x, tg.zeros(2), 1)


def test_gradients_of_the_limits():
    x, low, high = leaf(-1.0, 0.5, 2.0, nan), leaf(0.0), leaf(1.0)
    result = np.clip(x, min=low, max=high)
    grads = gradients([result], [tg.from_numpy(np.array([1.0, 10.0, 100.0, 1000.0]))], [x, low, high])
    assert [each.tolist() for each in grads] == [[0, 10, 0, 0], [1], [100]]


def test_where_of_a_condition_alone():
    x = leaf(1.0, 0.0)
    for call in (lambda: tg.where(x > 0), lambda: tg.where(x > 0, x), lambda: np.where(x > 0, x)):
        with refused(TypeError, "where: takes a condition, x and y", "nonzero()"):
            call()
    assert [each.tolist() for each in np.where(x > 0)] == [[0]]  # NumPy's other name for it


def test_nan_to_num_makes_a_copy():
    x = leaf(nan, inf, 1.0)
    assert np.nan_to_num(x, nan=5.0, posinf=7.0).tolist() == [5, 7, 1]
    with refused(ValueError, "nan_to_num: copy=False is not supported"):
        np.nan_to_num(x, copy=False)


def test_glu_of_an_odd_length():
    with refused(ValueError, "glu: takes an axis of even length, got axis -1 of (2, 3)"):
        F.glu(tg.zeros((2, 3)))
    with refused(ValueError, "glu: takes an axis of even length, got axis 2 of (2, 2)"):
        F.glu(tg.zeros((2, 2)), 2)
    with refused(ValueError, "glu: takes an axis of even length, got axis -1 of ()"):
        F.glu(tg.tensor(1.0))


# Python's operators.

BITS = {"and": (operator.and_, operator.iand), "or": (operator.or_, operator.ior), "xor": (operator.xor, operator.ixor)}


@pytest.mark.parametrize(("function", "in_place"), BITS.values(), ids=BITS)
def test_bits(function, in_place):
    for one, other in (([True, True, False], [True, False, False]), ([6, 5, -1], [3, 5, 2])):
        x, y, right = tg.tensor(one), tg.tensor(other), function(np.array(one), np.array(other))
        for left, right_one in ((x, y), (x, y.data), (x.data, y), (x, other), (one, y)):
            result = function(left, right_one)
            assert type(result) is tg.Tensor
            assert result.dtype == right.dtype
            np.testing.assert_array_equal(result.data, right)
        np.testing.assert_array_equal((~x).data, ~x.data)
        kept = x
        x = in_place(x, y)
        assert x is kept
        np.testing.assert_array_equal(x.data, right)
    mask = tg.tensor([True, False])
    np.testing.assert_array_equal(function(mask, True).data, function(mask.data, True))
    for bad in (tg.ones(2), 0.5, leaf(1.0, 2.0)):
        with refused(TypeError, f"bitwise_{function.__name__.strip('_')}: takes bools or integers, got float"):
            function(mask, bad)
    with refused(TypeError, "invert: takes bools or integers, got float32"):
        ~tg.ones(2)


def test_a_mask_selects():
    x = leaf(-2.0, 0.5, 3.0)
    x[(x > 0) & ~(x > 2)].sum().backward()
    assert x.grad.tolist() == [0, 1, 0]


def test_division_that_rounds():
    x, y = leaf(7.0, -7.0), leaf(2.0, 3.0)
    assert (x // y).tolist() == [3, -3]
    assert (7 // y).tolist() == [3, 2]
    assert (x % y).tolist() == [1, 2]
    assert (7 % y).tolist() == [1, 1]
    for quotient, rest in (divmod(x, y), np.divmod(x, y), tg.divmod(x, y)):
        assert (quotient.tolist(), rest.tolist()) == ([3, -3], [1, 2])
    assert [each.tolist() for each in divmod(7, y)] == [[3, 2], [1, 1]]
    (x % y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([1, 1], [-3, 3])


def test_division_that_rounds_in_place():
    weights = leaf(7.5, -7.5)
    x = weights * 1
    x %= 4
    assert x.tolist() == [3.5, 0.5]
    x.sum().backward()
    assert weights.grad.tolist() == [1, 1]
    x = tg.tensor([7, -7])
    x //= 2
    assert x.tolist() == [3, -4]
    with refused(TypeError, "remainder: Cannot cast ufunc 'remainder' output"):
        x %= 2.5


def test_rounding():
    x = leaf(0.5, 1.5, 2.25, -2.75)
    assert round(x).tolist() == x.round().tolist() == np.round(x).tolist() == [0, 2, 2, -3]
    assert round(x, 1).tolist() == x.round(1).tolist() == np.around(x, decimals=1).tolist() == [0.5, 1.5, 2.2, -2.8]
    round(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 0, 0]


# NumPy's names.


def test_other_names_are_numpy_s():
    """What has two names in NumPy has them here, and they are one operation."""
    ours = {name: getattr(tg, name) for name in tg.__all__ if name in table or callable(getattr(tg, name, None))}
    known = [each for op in table.values() for each in op.numpy]
    names = [name for name in dir(np) if callable(getattr(np, name)) and getattr(np, name) in known]
    elementwise = {"abs", "pow", "mod", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "true_divide"}
    elementwise |= {"rad2deg", "deg2rad", "around", "fix", "bitwise_not", "bitwise_invert"}
    assert elementwise <= set(names)
    for name in names:
        if isinstance(getattr(np, name), np.ufunc) or name in elementwise:
            op = next(op for op in table.values() if getattr(np, name) in op.numpy)
            assert ours[name] is op.function, name
