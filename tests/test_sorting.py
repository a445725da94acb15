"""Sorting and searching: conventions among equals, in every form of NumPy's, and errors."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.testing.gradcheck import leaf

from .messages import refused

A = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0]])


def test_each_element_gets_the_gradient_of_its_place():
    x = leaf(A)
    np.sort(x).backward([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert x.grad.tolist() == [[3, 1, 2], [5, 6, 4]]


@pytest.mark.parametrize("kind", [None, "quicksort", "stable", "heapsort"])
def test_equal_elements_keep_their_order_whatever_the_kind(kind):
    """Also in a line so long that NumPy's quicksort exchanges them."""
    a = np.random.default_rng(0).integers(0, 5, 1000) / 2
    places, weights = np.argsort(a, kind="stable"), np.arange(1000.0)
    wanted = np.empty(1000)
    wanted[places] = weights
    for function in (lambda x: tg.sort(x, kind=kind), lambda x: tg.partition(x, range(1000))):
        x = leaf(a)
        function(x).backward(weights)
        np.testing.assert_array_equal(x.grad.data, wanted)


def test_partition_at_length():
    """Whatever NumPy puts where, an element gets the gradient of its place."""
    a = np.random.default_rng(0).permutation(1000) / 8
    for kth in (0, 500, (100, -100)):
        x, weights = leaf(a), np.arange(1000.0)
        out = tg.partition(x, kth)
        np.testing.assert_array_equal(out.data, np.partition(a, kth))
        out.backward(weights)
        np.testing.assert_array_equal(x.grad.data[np.argsort(a)], weights[np.argsort(out.data)])


def test_nan_comes_last():
    x = leaf([np.nan, 2.0, np.nan, 1.0])
    out = tg.sort(x)
    np.testing.assert_array_equal(out.data, [1, 2, np.nan, np.nan])
    out.backward([1.0, 2.0, 3.0, 4.0])
    assert x.grad.tolist() == [3, 2, 4, 1]


FORMS = {
    "sort(a, axis, kind, order)": lambda t: np.sort(t, 0, None, None),
    "sort(axis=None, stable=)": lambda t: np.sort(t, axis=None, stable=True),
    "argsort(a, axis, kind)": lambda t: np.argsort(t, 0, "stable"),
    "partition(a, kth, axis, kind, order)": lambda t: np.partition(t, 1, -1, "introselect", None),
    "argpartition(kth=)": lambda t: np.argpartition(t, kth=[0, 1]),
    "searchsorted(a, v, side)": lambda t: np.searchsorted(t[0], [1.0, 2.0], "right", [1, 2, 0]),
    "searchsorted(v=)": lambda t: np.searchsorted([0.5, 1.5], v=t),
    "searchsorted of a number": lambda t: np.searchsorted(np.sort(t[0]), 2),
    "digitize(x, bins, right)": lambda t: np.digitize(t, [0.5, 1.0], True),
    "bincount(x, weights, minlength)": lambda t: np.bincount([0, 2, 2], t[0], 5),
    "take(a, indices, axis, out, mode)": lambda t: np.take(t, [5], 1, None, "wrap"),
    "take of a list": lambda t: np.take(t, [[0, 1], [2, 3]]),
    "take of none": lambda t: np.take(t, []),
    "choose(a, choices, out, mode)": lambda t: np.choose([0, 1, 2], [t[0], t[1]], None, "clip"),
    "choose of an array": lambda t: np.choose([0, 1, 0], t),
    "compress(condition, a, axis, out)": lambda t: np.compress([False, True], t, 1, None),
    "compress, a short condition": lambda t: np.compress([1], t),
    "extract of a mask of another shape": lambda t: np.extract([1, 0, 0, 0, 1], t),
    "select(default)": lambda t: np.select([A > 2, A > 1], [t, t * 2], 7.0),
    "take_along_axis(axis)": lambda t: np.take_along_axis(t, np.argsort(t, 1), 1),
    "interp(left=, right=)": lambda t: np.interp(t, [0.5, 1.5], [1.0, 3.0], left=-1.0, right=-2.0),
    "trapezoid(y, x, dx, axis)": lambda t: np.trapezoid(t, None, 0.5, 0),
    "trapezoid(x=)": lambda t: np.trapezoid(t, x=[0.0, 1.0, 3.0]),
    "trapezoid(x=), as many rows": lambda t: np.trapezoid(t[None], t, axis=-1),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_forms_of_numpy(form):
    for dtype in (np.float64, np.float32):
        out, want = form(tg.tensor(A.astype(dtype))), form(A.astype(dtype))
        assert type(out) is tg.Tensor
        assert out.shape == np.shape(want)
        assert out.dtype in (np.asarray(want).dtype, dtype)
        assert out.dtype.kind != "f" or out.dtype == dtype
        np.testing.assert_allclose(out.data, want, rtol=1e-6)


def test_bincount_keeps_the_dtype_of_its_weights():
    assert tg.bincount(tg.tensor([], dtype=int)).tolist() == []
    assert tg.bincount(np.zeros(0, int), tg.zeros(0), 2).dtype == np.float32
    assert tg.bincount([0, 1], np.ones(2, np.float32)).dtype == np.float32
    assert tg.bincount([0, 1, 1], tg.tensor([1, 2, 3])).dtype == np.float32


def test_nonzero_is_an_index():
    x = leaf(A)
    rows, columns = np.nonzero(x > 1)
    assert (rows.tolist(), columns.tolist()) == ([0, 0], [0, 2])
    x[np.nonzero(x > 1)].sum().backward()
    assert x.grad.tolist() == [[1, 0, 1], [0, 0, 0]]
    x.grad = None
    x[np.ix_([0, 0], [2, 1])].sum().backward()
    assert x.grad.tolist() == [[0, 2, 2], [0, 0, 0]]


def test_interp_by_its_points():
    gradcheck(
        lambda x, xp, fp: np.interp(x, xp, fp), leaf([0.5, 1.7, 9.0]), leaf([0.0, 1.0, 3.0]), leaf([2.0, 5.0, 4.0])
    )
    x = leaf([1.0])
    np.interp(x, [0.0, 1.0, 3.0], [0.0, 1.0, 11.0]).sum().backward()
    assert x.grad.tolist() == [5]


def test_the_width_of_a_trapezoid_has_a_gradient():
    gradcheck(lambda y, dx: tg.trapezoid(y, dx=dx), leaf(A), leaf(0.5))


def test_index_add():
    x, source = leaf(A), leaf([[1.0, 2.0], [3.0, 4.0]])
    out = F.index_add(x, 1, [2, 2], source)
    assert out.tolist() == [[3, 1, 5], [1, 1, 7]]
    out.backward([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert source.grad.tolist() == [[3, 3], [6, 6]]


@pytest.mark.parametrize(
    ("kind", "call", "words"),
    [
        (IndexError, lambda t: np.sort(t, 2), ["sort: axis 2 is out of bounds"]),
        (ValueError, lambda t: np.sort(t, kind="bogo"), ["sort: sort kind must be one of"]),
        (ValueError, lambda t: np.sort(t, order="x"), ["sort: Cannot specify order"]),
        (ValueError, lambda t: np.partition(t, 3), ["partition: kth(=3) out of bounds (3)"]),
        (ValueError, lambda t: np.searchsorted(t, 1.0), ["searchsorted: takes a sorted array of one axis, got (2, 3)"]),
        (ValueError, lambda t: np.searchsorted(t[0], 1.0, "up"), ["searchsorted: ", "'left' or 'right'"]),
        (ValueError, lambda t: np.digitize(t, [1.0, 0.0, 2.0]), ["digitize: bins must be monotonically"]),
        (TypeError, lambda t: np.bincount(t[0]), ["bincount: takes integers, got float32"]),
        (ValueError, lambda t: np.bincount(t.astype(int)), ["bincount: takes integers of one axis, got (2, 3)"]),
        (ValueError, lambda t: np.bincount([-1], t[0, :1]), ["bincount: ", "negative"]),
        (ValueError, lambda t: np.bincount([0, 1], t[0]), ["bincount: ", "same length"]),
        (IndexError, lambda t: np.take(t, [6]), ["take: index 6 is out of bounds", "size 6"]),
        (IndexError, lambda t: np.take(t, 0, 2), ["take: axis 2 is out of bounds"]),
        (TypeError, lambda t: np.take(t, [0.5]), ["take: the indices must be integers, got float64"]),
        (ValueError, lambda t: np.take(t, 0, mode="bounce"), ["take: clipmode", "bounce"]),
        (
            ValueError,
            lambda t: np.take_along_axis(t, [0], 1),
            ["take_along_axis: takes indices of as many axes as arr"],
        ),
        (ValueError, lambda t: np.take_along_axis(t, [[[0]]], 1), ["take_along_axis: takes indices of as many axes"]),
        (TypeError, lambda t: np.take_along_axis(t, [[0.5]], 1), ["take_along_axis: the indices must be integers"]),
        (IndexError, lambda t: np.take_along_axis(t, [[3]], 1), ["take_along_axis: index 3 is out of bounds"]),
        (ValueError, lambda t: np.choose([0, 2], [t, t]), ["choose: "]),
        (ValueError, lambda t: np.choose([0, 2, 1], [t, t]), ["choose: invalid entry in choice array"]),
        (ValueError, lambda t: np.compress(A > 1, t), ["compress: takes a condition of one axis, got (2, 3)"]),
        (
            IndexError,
            lambda t: np.compress([False, False, True], t, 0),
            ["compress: index 2 is out of bounds", "(given float32[2, 3], int64[1])"],
        ),
        (TypeError, lambda t: np.select([[0, 1, 0]], [t]), ["select: invalid entry 0 in condlist"]),
        (ValueError, lambda t: np.select([A > 1], [t, t]), ["select: ", "same length"]),
        (ValueError, lambda t: np.nonzero(t[0, 0]), ["nonzero: a number has no axes"]),
        (
            ValueError,
            lambda t: np.interp(t, [], []),
            ["interp: takes xp (N,) and fp (N,) with N > 0, got (0,) and (0,)"],
        ),
        (TypeError, lambda t: np.interp(t, [0.0, 1.0], [0.0, 1.0], period=2), ["np.interp: period= is not supported"]),
        (ValueError, lambda t: np.trapezoid(t[0, 0]), ["trapezoid: takes samples along an axis, got a number"]),
        (
            ValueError,
            lambda t: F.index_add(t, 0, [0, 1], t[:1]),
            ["index_add: takes x (A, N, B)", "(1, 3) along axis 0"],
        ),
        (ValueError, lambda t: F.index_add(t, 0, 0, t), ["index_add: takes x (A, N, B)", "()"]),
        (IndexError, lambda t: F.index_add(t, 2, [0], t), ["index_add: x (2, 3) has no axis 2"]),
        (IndexError, lambda t: F.index_add(t, 0, [0, 2], t), ["index_add: index 2 is out of range"]),
        (TypeError, lambda t: F.index_add(t, 0, [0.0, 1.0], t), ["index_add: the indices must be integers"]),
        (TypeError, lambda t: np.unique(t), ["np.unique is no operation of tinygrad_lite"]),
        (TypeError, lambda t: np.lexsort((t,)), ["np.lexsort is no operation of tinygrad_lite"]),
    ],
)
def test_what_is_refused(kind, call, words):
    with refused(kind, *words):
        call(tg.tensor(A.astype(np.float32)))
