"""Reductions and scans: zeros in products, -inf in logsumexp, medians, methods, and what is refused."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.testing import gradcheck, gradgradcheck
from tinygrad_lite.testing.gradcheck import gradients

from .messages import refused

M = np.array([[1.0, 2.0, 4.0], [3.0, 0.5, -1.0]])
METHODS = ["sum", "mean", "var", "std", "prod", "max", "min", "argmax", "argmin"]
METHODS += ["all", "any", "cumsum", "cumprod", "trace"]


def leaf(data):
    return tg.tensor(np.asarray(data, float), requires_grad=True)


def derivatives(function, data, orders):
    """The derivatives of a sum, one of another: the first, the second by all elements together, and so on."""
    x = leaf(data)
    found, value = [], function(x).sum()
    for _ in range(orders):
        (value,) = gradients([value], [tg.ones(value.shape, np.float64)], [x], create_graph=True)
        found.append(value.tolist())
        value = (value * value).sum() if orders > 2 else value.sum()
    return found


# Products.


@pytest.mark.parametrize(
    ("data", "gradient"),
    [([2, 0, 3], [0, 6, 0]), ([0, 0, 3], [0, 0, 0]), ([2, 5, 3], [15, 6, 10]), ([0], [1]), ([], [])],
)
def test_gradient_of_prod_at_zeros(data, gradient):
    x = leaf(data)
    x.prod().backward()
    assert x.grad.tolist() == gradient
    assert derivatives(lambda x: x.cumprod()[-1:], data, 1) == [gradient]


def test_second_derivative_of_prod_at_zeros():
    """That of x*y*z by x and y is z."""
    assert derivatives(tg.prod, [2, 0, 3], 2)[1] == [3, 5, 2]
    assert derivatives(tg.prod, [0, 0, 3], 2)[1] == [3, 3, 0]
    assert derivatives(tg.prod, [0, 0, 0], 2)[1] == [0, 0, 0]


@pytest.mark.parametrize("zeros", [(), (1,), (1, 4), (0, 2, 3), range(5)])
@pytest.mark.parametrize("function", [tg.prod, tg.cumprod, tg.nanprod, tg.nancumprod], ids=lambda each: each.__name__)
def test_derivatives_of_products_of_every_order(function, zeros):
    x = np.array([1.5, -2.0, 0.5, 3.0, -1.0])
    x[list(zeros)] = 0.0
    gradcheck(function, x, argnums=0, jacobian=True)
    gradgradcheck(function, x, argnums=0, jacobian=True)

    def first(x):
        out = function(x)
        weights = np.arange(1.0, out.size + 1).reshape(out.shape)
        return gradients([out], [tg.tensor(weights)], [x], create_graph=True)[0]

    gradgradcheck(first, leaf(x))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("function", [tg.prod, lambda x: tg.cumprod(x)[-1]], ids=["prod", "cumprod"])
@settings(max_examples=30, deadline=None)
@given(st.permutations(range(-120, 121, 8)))
def test_gradient_of_products_that_overflow_on_the_way(function, dtype, exponents):
    """That of a product of 1 is 1 / x, whatever the products of some of its elements are."""
    data = 2.0 ** (np.array(exponents) / (1 if dtype == np.float32 else 10)).round()
    x = tg.tensor(data.astype(dtype), requires_grad=True)
    with np.errstate(over="ignore"):  # of the result, in some orders
        function(x).backward()
    assert x.grad.dtype == dtype
    np.testing.assert_allclose(x.grad.data, 1 / data, rtol=1e-6)


def test_long_products():
    x = np.random.default_rng(0).uniform(-1.2, 1.2, 1000)
    x[500] = 0
    gradcheck(lambda x: tg.cumprod(x)[:40], x, argnums=0)
    gradcheck(lambda x: tg.cumsum(x) / 100, x, argnums=0)


def test_recurrence_takes_factors_between_the_terms():
    assert tg.op.table["recurrence"].function([2.0, 3.0], [1.0, 0.0, 1.0]).tolist() == [1, 2, 7]
    with refused(ValueError, "recurrence: takes factors (..., N - 1) and terms (..., N), got (2,) and (2,)"):
        tg.op.table["recurrence"].function(leaf([1, 2]), leaf([1, 2]))


# logsumexp and median.


def test_logsumexp_of_nothing_and_of_minus_inf():
    x = leaf([[-np.inf, -np.inf], [-np.inf, 0.0]])
    out = F.logsumexp(x, axis=1)
    out.sum().backward()
    assert out.tolist() == [-np.inf, 0]
    assert x.grad.tolist() == [[0, 0], [0, 1]]
    assert F.logsumexp(leaf([])).item() == -np.inf
    assert F.logsumexp(leaf(np.zeros((2, 0))), axis=-1, keepdims=True).tolist() == [[-np.inf], [-np.inf]]
    assert F.logsumexp([1e4, 1e4]) == pytest.approx(1e4 + np.log(2))
    assert F.logsumexp(tg.tensor([0, 0])).dtype == np.float32
    assert F.logsumexp([np.inf, 1e4]) == np.inf
    np.testing.assert_allclose(np.logaddexp.reduce(leaf([1.0, 2.0])).item(), np.logaddexp(1, 2))


def test_median():
    x = leaf([3.0, 1.0, 2.0, 2.0, 2.0, 5.0])
    x_median = np.median(x)
    x_median.backward()
    np.testing.assert_allclose(x.grad.data, [0, 0, 1 / 3, 1 / 3, 1 / 3, 0])
    for data in ([1.0, np.nan, 2.0], []):
        x = leaf(data)
        out = np.median(x)
        out.backward()
        assert np.isnan(out.item())
        assert not x.grad.data.any()
    assert np.isnan(np.median(leaf(np.zeros((2, 0))), axis=1).data).tolist() == [True, True]
    assert np.median(tg.tensor([1, 2])).item() == 1.5
    assert np.median(tg.tensor([1, 2]), 0, None, False, True).shape == (1,)


def test_quantile():
    x = leaf([3.0, 1.0, 2.0, 2.0])
    np.quantile(x, 0.5).backward()
    assert x.grad.tolist() == [0, 0, 0.5, 0.5]
    assert np.quantile(x, tg.tensor([0.0, 1.0])).tolist() == [1, 3]
    assert np.percentile(x, [0, 50, 100]).tolist() == [1, 2, 3]
    assert np.quantile(tg.tensor([1.0, 2.0]), 0.25, 0, None, False, "linear", True).tolist() == [1.25]
    assert np.quantile(tg.tensor([1.0, 2.0]), np.float64(0.25)).dtype == np.float32
    assert np.isnan(np.quantile(leaf([]), 0.5).item())
    assert np.median(leaf(M), [0, -1]).item() == 1.5
    assert np.average(leaf(M), [0, 1], np.eye(2, 3)[:, ::-1] + 1).item() == 1.75


# Averages.


def test_average():
    x, w = leaf([1.0, 2.0, 4.0]), leaf([1.0, 1.0, 2.0])
    out, total = np.average(x, weights=w, returned=True)
    assert (out.item(), total.item()) == (2.75, 4)
    out.backward()
    assert x.grad.tolist() == [0.25, 0.25, 0.5]
    np.testing.assert_allclose(w.grad.data, (x.data - 2.75) / 4)
    assert [each.item() for each in np.average(x, returned=True)] == [pytest.approx(7 / 3), 3]
    m = leaf(M)
    assert np.average(m, 1, [1, 2, 1]).tolist() == np.average(M, 1, [1, 2, 1]).tolist()
    for call, kind, words in [
        (lambda: np.average(m, weights=[1, 2, 1]), TypeError, "average: weights (3,) for a (2, 3): name the axis"),
        (lambda: np.average(m, 0, [1, 2, 1]), ValueError, "average: weights (3,) do not fit the axes (0,) of a (2, 3)"),
        (lambda: np.average(m, 1, [1, -2, 1]), ZeroDivisionError, "average: the weights add up to 0"),
    ]:
        with refused(kind, words):
            call()


# Integers and bools.


def test_integers_and_bools():
    ints, bools = np.array([[3, 1], [0, 2]], np.int16), np.array([True, False, True])
    for function in (np.sum, np.prod, np.max, np.ptp, np.trace, np.cumsum, np.cumprod, np.nansum, np.nanmax, np.diff):
        ours, theirs = function(tg.tensor(ints)), function(ints)
        assert (ours.tolist(), ours.dtype) == (np.asarray(theirs).tolist(), theirs.dtype), function.__name__
    for function in (np.sum, np.cumsum, np.all, np.any, np.diff, np.count_nonzero, np.argmin, np.max):
        ours, theirs = function(tg.tensor(bools)), np.asarray(function(bools))
        assert (ours.tolist(), ours.dtype) == (theirs.tolist(), theirs.dtype), function.__name__


# Methods, and NumPy's own ways to call.


def test_methods_take_what_numpy_s_do():
    x, out = tg.tensor(M), np.zeros(3)
    assert x.sum(0, np.float32).dtype == np.float32
    assert x.sum(0, None, out) is out
    assert out.tolist() == M.sum(0).tolist()
    assert x.max(0, out) is out
    assert out.tolist() == M.max(0).tolist()
    positions = np.zeros(3, int)
    assert x.argmin(0, positions) is positions
    assert x.argmax(0, positions) is positions
    assert x.std(0, None, None, 1).tolist() == M.std(0, None, None, 1).tolist()
    assert x.var(0, mean=np.zeros((1, 3))).tolist() == M.var(0, mean=np.zeros((1, 3))).tolist()
    assert x.cumsum(1, np.float32).dtype == x.cumprod(None, np.float32).dtype == np.float32
    assert x.trace(1, 0, 1, np.float32).item() == 1
    assert x.mean(where=M > 0).item() == M.mean(where=M > 0)
    assert x.any(0, where=M > 3).tolist() == [False, False, True]
    assert x.all(1, where=M > 0, keepdims=True).tolist() == [[True], [True]]
    assert x.prod(0, initial=2.0, where=M > 1).tolist() == M.prod(0, initial=2.0, where=M > 1).tolist()
    assert x.min(initial=-5.0).item() == -5


@pytest.mark.parametrize("name", METHODS)
def test_signatures_of_methods_are_numpy_s(name):
    theirs = getattr(np.ndarray, name).__doc__.split("(", 1)[1].split(")")[0]
    ours = [
        ["*", parameter.name][parameter.kind is not parameter.KEYWORD_ONLY :]
        for parameter in list(inspect.signature(getattr(tg.Tensor, name)).parameters.values())[1:]
    ]
    wanted = [part.split("=")[0].strip() for part in theirs.split(",")]
    assert [name for pair in ours for name in pair if name != "*"] == [name for name in wanted if name != "*"]


def test_scans_by_ufuncs():
    x = leaf(M)
    assert np.add.accumulate(x).tolist() == np.add.accumulate(M).tolist()
    assert np.multiply.accumulate(x, axis=1).tolist() == np.multiply.accumulate(M, axis=1).tolist()
    assert np.multiply.reduce(x, axis=(0, 1)).item() == np.prod(M)
    assert np.logical_or.reduce(x, axis=1, keepdims=True).tolist() == [[True], [True]]
    assert np.logical_and.reduce(x, axis=None).item() is True
    assert np.add.accumulate(tg.tensor([1.0]), dtype=np.float64).dtype == np.float64


def test_gradient_through_dtype():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    out = np.cumsum(x, dtype=np.float64)
    out.sum().backward()
    assert (out.dtype, x.grad.dtype, x.grad.tolist()) == (np.float64, np.float32, [2, 1])


@pytest.mark.parametrize(
    ("kind", "call", "words"),
    [
        (IndexError, lambda x: np.cumsum(x, axis=2), ["cumsum: ", "axis 2 is out of bounds"]),
        (IndexError, lambda x: np.cumprod(x, axis=-3), ["cumprod: ", "axis -3 is out of bounds"]),
        (IndexError, lambda x: np.diff(x, axis=2), ["diff: ", "axis 2 is out of bounds"]),
        (IndexError, lambda x: np.median(x, axis=(0, 2)), ["median: ", "axis 2 is out of bounds"]),
        (ValueError, lambda x: np.median(x, axis=(0, 0)), ["median: ", "repeated axis"]),
        (IndexError, lambda x: F.logsumexp(x, axis=2), ["logsumexp: ", "axis 2 is out of bounds"]),
        (IndexError, lambda x: np.prod(x, axis=2), ["prod: ", "axis 2 is out of bounds"]),
        (IndexError, lambda x: np.mean(x.sum(), axis=0), ["mean: ", "axis 0 is out of bounds"]),
        (IndexError, lambda x: np.ptp(x, axis=2), ["ptp: ", "axis 2 is out of bounds"]),
        (ValueError, lambda x: np.ptp(x[:0]), ["ptp: ", "zero-size", "float64[0, 3]"]),
        (ValueError, lambda x: np.trace(x[0]), ["trace: takes an array of two axes or more, got (3,)"]),
        (ValueError, lambda x: np.trace(x, 0, 1, 1), ["trace: ", "axis1 and axis2 cannot be the same"]),
        (ValueError, lambda x: np.diff(x, n=-1), ["diff: n must be 0 or more, got -1"]),
        (ValueError, lambda x: np.diff(x.sum()), ["diff: takes an array of one axis or more, got a number"]),
        (ValueError, lambda x: np.diff(x, prepend=np.ones((1, 3))), ["diff: ", "dimension 0"]),
        (ValueError, lambda x: tg.cumulative_sum(x), ["cumulative_sum: takes axis= for an array that is no vector"]),
        (
            TypeError,
            lambda x: np.gradient(x, 1.0, 2.0, 3.0),
            ["gradient: takes no spacing, one number", "2 axes"],
        ),
        (TypeError, lambda x: np.gradient(x, [0.0, 1.0]), ["gradient: takes no spacing, one number"]),
        (ValueError, lambda x: np.gradient(x, edge_order=3), ["gradient: edge_order must be 1 or 2, got 3"]),
        (ValueError, lambda x: np.gradient(x, edge_order=2), ["gradient: edge_order=2 takes 3 samples or more, got 2"]),
        (ValueError, lambda x: np.gradient(x, 1.0, [0.0, 1.0]), ["gradient: the places of 3 samples must be (3,)"]),
        (IndexError, lambda x: np.gradient(x, axis=2), ["gradient: ", "axis 2 is out of bounds"]),
        (TypeError, lambda x: np.argmin(x, (0, 1)), ["argmin: ", "tuple"]),
        (ValueError, lambda x: np.nanargmax(x * np.nan), ["nanargmax: ", "All-NaN"]),
        (TypeError, lambda x: np.maximum.accumulate(x), ["np.maximum.accumulate is no operation"]),
        (ValueError, lambda x: np.nansum(x, where=[True, False]), ["nansum: where= of shape (2,) does not broadcast"]),
        (ValueError, lambda x: np.quantile(x, 1.5), ["quantile: q must lie from 0 to 1, got 1.5"]),
        (ValueError, lambda x: np.percentile(x, [50, -1]), ["percentile: q must lie from 0 to 100, got [50, -1]"]),
        (ValueError, lambda x: np.quantile(x, 0.5, method="weibull"), ["quantile: method 'weibull' is not supported"]),
        (TypeError, lambda x: np.quantile(x, leaf(0.5)), ["quantile: no gradient of q is known; give q.detach()"]),
        (IndexError, lambda x: np.quantile(x, 0.5, axis=2), ["quantile: ", "axis 2 is out of bounds"]),
        (TypeError, lambda x: np.quantile(x, 0.5, weights=x), ["np.quantile: weights= is not supported"]),
        (TypeError, lambda x: x.sum(0, True), ["np.sum: True is no dtype"]),
        (TypeError, lambda x: np.median(x, overwrite_input=True), ["np.median: overwrite_input= is not supported"]),
    ],
)
def test_errors(kind, call, words):
    with refused(kind, *words):
        call(leaf(M))


def test_the_mean_of_many_float16_does_not_overflow():
    """Its sum would: NumPy adds them up in float32."""
    x = tg.tensor(np.ones(100_000, np.float16), requires_grad=True)
    mean = x.mean()
    mean.backward()
    assert (mean.dtype, mean.item()) == (np.float16, 1.0)
    assert (x.grad == np.float16(1e-5)).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_variance_of_too_few_elements_is_nan_and_so_is_its_gradient():
    x = tg.tensor([2.0], requires_grad=True)
    np.var(x, ddof=1).backward()
    assert np.isnan(x.grad.data).all()
