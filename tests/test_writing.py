"""NumPy's functions that write to their first argument, and the methods that write in place: NumPy's values, and the
gradient of what was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.testing import gradcheck, gradgradcheck, strategies
from tinygrad_lite.testing.gradcheck import leaf
from tinygrad_lite.writing import WRITES

from .messages import refused

A = np.array([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
SQUARE, TALL = np.arange(9.0).reshape(3, 3), np.arange(14.0).reshape(7, 2)
MASK = A > 0

# function, target, arguments, which of these are values
CALLS: dict[str, tuple[Any, Any, tuple[Any, ...], int]] = {
    "put": (np.put, A, ([0, -1], np.array([7.0, 8.0])), 1),
    "put, a number": (np.put, A, (np.array([[0, 2], [4, 5]]), np.array(7.0)), 1),
    "put, repeated values": (np.put, A, ([0, 2, 4], np.array([7.0, 8.0])), 1),
    "put, too many values": (np.put, A, ([0], np.array([[7.0], [8.0]])), 1),
    "put, no values": (np.put, A, ([0, 1], np.zeros(0)), 1),
    "put, no places": (np.put, A, (np.zeros(0, int), np.ones(2)), 1),
    "put, the last one wins": (np.put, A, ([1, 1, -5], np.array([7.0, 8.0, 9.0])), 1),
    "put, wrap": (np.put, A, ([6, -7, 13], np.array([7.0, 8.0, 9.0]), "wrap"), 1),
    "put, clip": (np.put, A, ([6, -7, 3], np.array([7.0, 8.0, 9.0]), "clip"), 1),
    "put into a number": (np.put, np.array(1.0), ([0, 0], np.array([7.0, 8.0])), 1),
    "place": (np.place, A, (MASK, np.array([7.0, 8.0, 9.0])), 1),
    "place, repeated values": (np.place, A, (MASK, np.array([7.0, 8.0])), 1),
    "place, too many values": (np.place, A, (MASK, np.arange(9.0)), 1),
    "place, a mask of integers": (np.place, A, (np.array([0, 2, 0, 0, 0, -1]), np.array([7.0])), 1),
    "place, nothing": (np.place, A, (np.zeros_like(MASK), np.zeros(0)), 1),
    "putmask": (np.putmask, A, (MASK, -A), 1),
    "putmask, repeated values": (np.putmask, A, (MASK, np.array([7.0, 8.0])), 1),
    "putmask, a number": (np.putmask, A, (MASK.tolist(), np.array(7.0)), 1),
    "putmask, no values": (np.putmask, A, (MASK, np.zeros(0)), 1),
    "copyto": (np.copyto, A, (-A,), 0),
    "copyto, broadcast": (np.copyto, A, (np.array([7.0, 8.0, 9.0]),), 0),
    "copyto, casting": (np.copyto, A, (np.array([7.0, 8.0, 9.0]), "no"), 0),
    "copyto, where": (np.copyto, A, (-2 * A, "same_kind", MASK), 0),
    "copyto, where broadcast": (np.copyto, A, (np.array(7.0), "same_kind", np.array([True, False, True])), 0),
    "put_along_axis": (np.put_along_axis, A, (np.array([[0], [-1]]), np.array([[7.0], [8.0]]), 1), 1),
    "put_along_axis, a number": (np.put_along_axis, A, (np.array([[0, 1, 0]]), np.array(7.0), 0), 1),
    "put_along_axis, broadcast": (np.put_along_axis, A, (np.array([[0, 2]]), np.array([[7.0], [8.0]]), -1), 1),
    "put_along_axis, the last one wins": (np.put_along_axis, A, (np.array([[0, 0], [1, 1]]), A[:, :2] * 2, 1), 1),
    "put_along_axis, flattened": (np.put_along_axis, A, (np.array([0, 5]), np.array([7.0, 8.0]), None), 1),
    "fill_diagonal": (np.fill_diagonal, SQUARE, (np.array(7.0),), 0),
    "fill_diagonal, values": (np.fill_diagonal, A, (np.array([7.0, 8.0]),), 0),
    "fill_diagonal, repeated values": (np.fill_diagonal, SQUARE, (np.array([7.0, 8.0]),), 0),
    "fill_diagonal, tall": (np.fill_diagonal, TALL, (np.array(7.0),), 0),
    "fill_diagonal, wrap": (np.fill_diagonal, TALL, (np.array([7.0, 8.0]), True), 0),
    "fill_diagonal of a cube": (np.fill_diagonal, np.ones((2, 2, 2)), (np.array(7.0),), 0),
    "method put": (lambda a, *args: a.put(*args), A, ([6, 1], np.array([7.0, 8.0]), "wrap"), 1),
    "method fill": (lambda a, *args: a.fill(*args), A, (np.array(7.0),), 0),
}


@pytest.mark.parametrize(("function", "target", "args", "position"), CALLS.values(), ids=CALLS)
def test_writes_as_numpy_does(function: Any, target: Any, args: Any, position: int) -> None:
    wanted = target.copy()
    assert function(wanted, *args) is None

    def write(x: Any, value: Any) -> Any:
        out = x * 1.0
        assert function(out, *args[:position], value, *args[position + 1 :]) is None
        return out

    value = args[position]
    for x, v in ((tg.tensor(target), value), (leaf(target), value), (leaf(target), leaf(value))):
        np.testing.assert_array_equal(write(x, v).data, wanted)
    gradcheck(write, leaf(target), leaf(value), jacobian=True)
    if value.size:
        gradgradcheck(lambda x, v: write(x, v * v) ** 2, leaf(target), leaf(value))
    x = tg.tensor(target)
    array, view = x.data, x[...]
    function(x, *[tg.tensor(each) if isinstance(each, np.ndarray) else each for each in args])
    assert x.data is array
    np.testing.assert_array_equal(view.data, wanted)


@pytest.mark.parametrize("function", WRITES, ids=lambda f: f.__name__)
def test_every_function_is_public_and_tested(function: Any) -> None:
    ours = getattr(tg, function.__name__)
    assert ours is WRITES[function]
    calls = [(args, target) for f, target, args, _ in CALLS.values() if f is function]
    assert calls
    for args, target in calls:
        wanted, out, array = target.copy(), tg.tensor(target), target.copy()
        function(wanted, *args)
        ours(out, *args)
        ours(array, *[tg.tensor(each) if isinstance(each, np.ndarray) else each for each in args])
        np.testing.assert_array_equal(out.data, wanted)
        np.testing.assert_array_equal(array, wanted)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_assignment(data: Any) -> None:
    """x[index] = value, in place and by any index: NumPy's result, and each element's gradient to who wrote it."""
    shape = data.draw(strategies.shapes())
    index = data.draw(strategies.indices(shape))
    array, wanted = np.arange(float(np.prod(shape))).reshape(shape), -np.ones(shape)
    place = data.draw(strategies.narrowings(array[index].shape))
    value = 100 + np.arange(float(np.prod(place))).reshape(place)
    wanted = array.copy()
    wanted[index] = value
    x, v = leaf(array), leaf(value)
    out = x * 1.0
    out[index] = v
    np.testing.assert_array_equal(out.data, wanted)
    weights = np.linspace(1, 2, wanted.size).reshape(shape)
    if out.requires_grad:
        out.backward(weights)
        np.testing.assert_allclose(x.grad.data, np.where(wanted >= 100, 0, weights))
        by_value = np.bincount(wanted[wanted >= 100].astype(int) - 100, weights[wanted >= 100], value.size)
        np.testing.assert_allclose(v.grad.data.reshape(-1), by_value)


# sort and partition, the methods.


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sort_in_place(axis: int) -> None:
    x, weights = leaf(A), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for method in (lambda t: t.sort(axis), lambda t: t.partition(0, axis), lambda t: t.sort(axis=axis, kind="stable")):
        wanted, out = A.copy(), x * 1.0
        method(wanted)
        assert method(out) is None
        np.testing.assert_array_equal(out.data, wanted)
        x.grad = None
        out.backward(weights)
        where = dict(zip(wanted.flat, weights.flat, strict=True))
        assert x.grad.tolist() == [[where[value] for value in row] for row in A.tolist()]
    gradcheck(lambda t: [t := t * 1.0, t.sort(axis)][0] ** 2, leaf(A), jacobian=True)


def test_views_see_what_is_sorted() -> None:
    x = tg.tensor([3.0, 1.0, 2.0])
    view = x[::-1]
    x.sort()
    assert view.tolist() == [3, 2, 1]
    with refused(RuntimeError, "x[...] = value: a leaf that requires a gradient can't be written in place"):
        leaf(A).sort()


# What does not fit.


@pytest.mark.parametrize(
    ("kind", "call", "words"),
    [
        (IndexError, lambda t: np.put(t, [6], 1.0), ["put: ", "6", "out of bounds", "size 6"]),
        (TypeError, lambda t: np.put(t, [0.5], 1.0), ["put: take: the indices must be integers"]),
        (ValueError, lambda t: np.place(t, MASK, []), ["place: Cannot insert from an empty array"]),
        (ValueError, lambda t: np.place(t, MASK[:1], [1.0]), ["place: ", "same size"]),
        (ValueError, lambda t: np.putmask(t, [True], 1.0), ["putmask: ", "same size"]),
        (ValueError, lambda t: np.copyto(t, np.ones(2)), ["copyto: could not broadcast", "(2,)"]),
        (TypeError, lambda t: np.copyto(t, np.ones(3), "no"), ["copyto: Cannot cast", "'no'"]),
        (TypeError, lambda t: np.copyto(tg.tensor([1, 2]), t[0, :2]), ["copyto: Cannot cast", "int64"]),
        (ValueError, lambda t: np.put_along_axis(t, np.array([0]), 1.0, 1), ["put_along_axis: ", "dimensions"]),
        (IndexError, lambda t: np.put_along_axis(t, np.array([[3]]), 1.0, 1), ["put_along_axis: ", "index 3"]),
        (IndexError, lambda t: np.put_along_axis(t, np.array([[0.5]]), 1.0, 1), ["put_along_axis: ", "integer array"]),
        (ValueError, lambda t: np.fill_diagonal(t[0], 1.0), ["fill_diagonal: ", "2-d"]),
        (ValueError, lambda t: t.fill([1.0, 2.0]), ["fill: takes one number, got (2,)"]),
        (TypeError, lambda t: t.put([0]), ["put() missing"]),
        (TypeError, lambda t: tg.put(np.zeros(2), [0], leaf(1.0)), ["put: ndarray can't carry the gradient"]),
        (TypeError, lambda t: np.put(np.zeros(2), [0], leaf(1.0)), ["put: ndarray can't carry the gradient"]),
        (TypeError, lambda t: np.put(tg.tensor([1, 2]), [0], leaf(1.0)), ["put: x[...] = value: int64 can't carry"]),
        (ValueError, lambda t: np.putmask(tg.broadcast_to(t[0], (2, 3)), MASK, 1.0), ["putmask: ", "read-only"]),
    ],
)
def test_what_can_t_be_written(kind: Any, call: Any, words: list[str]) -> None:
    t = tg.tensor(A.astype(np.float32))
    if words[0].startswith("put()"):
        words = ["Methods.put()"]
    with refused(kind, *words):
        call(t)
    np.testing.assert_array_equal(t.data, A)


def test_within_no_grad_an_array_takes_them() -> None:
    array = np.zeros(3)
    with tg.no_grad():
        np.put(array, [1], leaf(2.0))
    np.copyto(array, tg.tensor([5.0]), where=[True, False, False])
    assert array.tolist() == [5, 2, 0]
