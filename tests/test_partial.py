"""Reductions of some of the elements: `where=`, `initial=`, `mean=`, `correction=`, and nan."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.testing import gradcheck, gradgradcheck, strategies
from tinygrad_lite.testing.strategies.indices import masks

from .messages import refused

M = np.array([[1.0, 2.0, 4.0], [3.0, 0.5, -1.0]])
MASK = np.array([[True, False, True], [False, True, True]])


def leaf(data):
    return tg.tensor(np.asarray(data, float), requires_grad=True)


def check(function, a):
    """Value and derivatives, in float64 and float32."""
    for data in (a, a.astype(np.float32)):
        ours, theirs = function(tg.tensor(data)), np.asarray(function(data))
        assert isinstance(ours, tg.Tensor)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        rounding = 1e-12 if data is a else 1e-5
        np.testing.assert_allclose(ours.data, theirs, rounding, rounding)
    if theirs.dtype.kind == "f" and a.size:
        gradcheck(function, a, argnums=0)
        gradgradcheck(function, a, argnums=0)


@st.composite
def masked(draw, distinct=False, least=0):
    """An array, a mask that broadcasts to it, an axis and keepdims; so many elements at least stay in each group."""
    shape = draw(strategies.shapes(min_side=1))
    a = draw(strategies.arrays(shape, distinct=distinct))
    axis, keepdims = draw(strategies.axes(len(shape))), draw(st.booleans())
    mask = draw(strategies.narrowings(shape).flatmap(masks))
    if least:
        whole = np.broadcast_to(mask, shape)
        enough = np.add.reduce(whole, axis, keepdims=True) >= least
        mask = whole | ~enough if np.add.reduce(np.ones(shape), axis).min() >= least else None
    return a, mask, axis, keepdims


@settings(max_examples=30, deadline=None)
@given(masked(), st.sampled_from([np.sum, np.prod, np.any, np.all]))
def test_where(drawn, function):
    a, mask, axis, keepdims = drawn
    check(lambda x: function(x, axis=axis, keepdims=keepdims, where=mask), a)


@settings(max_examples=30, deadline=None)
@given(masked(distinct=True), st.sampled_from([np.sum, np.prod, np.max, np.min]), st.sampled_from([2.25, -5.0, 0.0]))
def test_initial(drawn, function, initial):
    a, mask, axis, keepdims = drawn
    a = a + 1 / 128  # no ties with what it begins with
    check(lambda x: function(x, axis=axis, keepdims=keepdims, where=mask, initial=initial), a)
    check(lambda x: function(x, axis=axis, keepdims=keepdims, initial=initial), a)


@settings(max_examples=40, deadline=None)
@given(masked(distinct=True, least=2), st.sampled_from([np.mean, np.var, np.std]), st.integers(0, 1))
def test_where_of_moments(drawn, function, ddof):
    a, mask, axis, keepdims = drawn
    if mask is None:
        return
    more = {} if function is np.mean else {"ddof": ddof}
    check(lambda x: function(x, axis=axis, keepdims=keepdims, where=mask, **more), a)
    if more:
        check(lambda x: function(x, axis=axis, keepdims=keepdims, correction=ddof), a)


@pytest.mark.parametrize("function", [np.var, np.std])
def test_mean(function):
    """A mean that is given is an operand like another."""
    mean = M.mean(1, keepdims=True)
    check(lambda x: function(x, axis=1, mean=mean), M)
    check(lambda x: function(x, axis=1, mean=mean + 1, where=MASK), M)
    gradcheck(lambda x, mean: function(x, axis=1, mean=mean), M, mean + 0.5, argnums=(0, 1))


def test_a_list_may_be_chosen_from():
    where = tg.tensor([True, False, True])
    assert [f([1.0, 9.0, 3.0], where=where).item() for f in (np.mean, np.var, np.std)] == [2, 1, 1]


def test_std_of_equal_elements_among_others():
    x = leaf([0.1, 0.1, 5.0, 0.1])
    out = np.std(x, where=[True, True, False, True])
    out.backward()
    assert (out.item(), x.grad.tolist()) == (0, [0, 0, 0, 0])


def test_initial_carries_a_gradient_and_is_what_there_is_of_no_elements():
    x, start = leaf([1.0, 3.0]), leaf(2.0)
    np.prod(x, initial=start).backward()
    assert (x.grad.tolist(), start.grad.item()) == ([6, 2], 3)
    start.grad = None
    np.max(x, initial=leaf(5.0), where=x > 2).backward()
    out = np.max(tg.zeros((0, 2)), axis=0, initial=start)
    out.sum().backward()
    assert (out.tolist(), start.grad.item()) == ([2, 2], 2)
    assert np.min(tg.zeros((2, 0)), axis=1, keepdims=True, initial=7).tolist() == [[7], [7]]
    assert np.add.reduce(x, initial=3.0).item() == 7
    assert np.multiply.reduce(leaf(M), axis=1, where=MASK).tolist() == [4, -0.5]
    assert np.max(tg.tensor([3, 5]), where=[True, False], initial=-9).item() == 3
    assert np.min(tg.tensor([True, True]), where=[False, False], initial=True).item() is True
    assert np.sum(x, 0, None, None, True, 1.0, [True, False]).tolist() == [2]


def test_ties_with_what_is_left_out_are_none():
    x = leaf([1.0, 1.0, 0.5])
    np.max(x, where=[True, False, True], initial=-1.0).backward()
    assert x.grad.tolist() == [1, 0, 0]


def test_what_is_refused():
    x = leaf(M)
    for call, kind, words in [
        (lambda: np.sum(x, where=np.ones((3, 2, 3), bool)), ValueError, ["sum: where= of shape (3, 2, 3)"]),
        (lambda: np.sum(x, where=[True, False]), ValueError, ["sum: where= of shape (2,) does not"]),
        (lambda: np.max(x, where=MASK), ValueError, ["max: where= takes initial= beside it"]),
        (lambda: np.logical_or.reduce(x, initial=True), TypeError, ["np.logical_or.reduce: initial= is not supported"]),
    ]:
        with refused(kind, *words):
            call()


# nan.


NAN_FUNCTIONS = {
    np.nansum: np.sum,
    np.nanprod: np.prod,
    np.nanmean: np.mean,
    np.nanvar: np.var,
    np.nanstd: np.std,
    np.nanmax: np.max,
    np.nanmin: np.min,
}


@settings(max_examples=60, deadline=None)
@given(masked(distinct=True, least=1), st.sampled_from([*NAN_FUNCTIONS]))
def test_nan_is_left_out(drawn, function):
    a, mask, axis, keepdims = drawn
    check(lambda x: function(np.where(mask, x, np.nan), axis=axis, keepdims=keepdims), a)


@pytest.mark.parametrize("function", NAN_FUNCTIONS)
def test_nan_and_what_is_not_chosen_are_left_out(function):
    a = np.array([[1.5, np.nan, 4.0, 2.0], [3.0, 0.5, -1.0, np.nan]])
    chosen = np.array([[True, True, False, True], [True, True, True, False]])
    more = {"initial": 2.25} if function in (np.nansum, np.nanprod, np.nanmax, np.nanmin) else {}
    given = np.where(np.isnan(a), 0.25, a)

    def with_nan(x, **keywords):
        return function(np.where(np.isnan(a), np.nan, x), **keywords)

    for where in (chosen, chosen[:1]):
        for axis in (None, 1):
            check(partial(with_nan, axis=axis, where=where, **more), given)
    if more:
        check(partial(with_nan, axis=0, **more), given)
    if function in (np.nanvar, np.nanstd):
        mean = np.nanmean(a, 1, keepdims=True) + 0.5
        check(lambda x: with_nan(x, axis=1, mean=mean.astype(x.dtype), correction=1), given)


def test_gradients_at_nan_are_0():
    for function in NAN_FUNCTIONS:
        x = leaf([1.0, np.nan, 4.0])
        function(x).backward()
        assert x.grad[1].item() == 0, function.__name__
        assert np.isfinite(x.grad.data).all()
    for function in (np.nancumsum, np.nancumprod):
        x = leaf([1.0, np.nan, 4.0])
        function(x).sum().backward()
        assert x.grad[1].item() == 0


def test_nothing_but_nan():
    x = tg.tensor([[np.nan, np.nan], [1.0, 2.0]])
    assert np.nansum(x, axis=1).tolist() == [0, 3]
    assert np.nanprod(x, axis=1).tolist() == [1, 2]
    for function in (np.nanmax, np.nanmin):
        assert np.isnan(function(x, axis=1).data).tolist() == [True, False]
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.nanmean(x, axis=1).data).tolist() == [True, False]
    assert np.nanargmin(x[1:], axis=1).tolist() == [0]
    assert np.nanargmax(tg.tensor([np.nan, 1.0])).item() == 1
