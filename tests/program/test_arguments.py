"""Arguments and results: signatures, aliases, what is lent and what is given away."""

import tracemalloc

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.program import JitError, jit

from ..messages import refused
from .common import A, leaf, recordings


def test_a_recording_for_each_kind_of_arguments():
    jitted = jit(lambda x, n=2, *, mode="a": x * n if mode == "a" else x + n)
    for x in (tg.tensor(A), tg.tensor(A[0]), tg.tensor(A.astype(np.float64)), A):
        for _ in range(2):
            for n in (2, 3, 2.0, True):
                assert np.array_equal(jitted(x, n).data, np.asarray(x) * n)
                assert jitted(x, n).dtype == (tg.tensor(x) * n).dtype
            assert np.array_equal(jitted(x, mode="b", n=1).data, np.asarray(x) + 1)
            assert np.array_equal(jitted(x, n=1, mode="b").data, np.asarray(x) + 1)
    assert len(jitted.signatures) == 3 * 5


def test_nested_arguments_and_results():
    def f(tree, *more, **named):
        return {"sum": tree["a"] + tree["b"][0] * more[0], "rest": (named["x"] - named["y"], None, "text", 3)}

    a, b, c = tg.tensor(A), tg.tensor(2 * A), A + 1
    jitted = jit(f)
    for factor in (1, 3):
        args = ({"a": a * factor, "b": [b]}, c)
        wanted, got = f(*args, x=a, y=b), jitted(*args, y=b, x=a)
        assert np.array_equal(got["sum"].data, np.asarray(wanted["sum"]))
        assert np.array_equal(got["rest"][0].data, wanted["rest"][0].data)
        assert got["rest"][1:] == (None, "text", 3)
    assert recordings(jitted) == 1


def test_other_arguments_are_refused():
    with refused(JitError, "jit: an argument is a object; take Tensors"):
        jit(lambda x: x)(object())
    with refused(TypeError, "jit: takes a function, got int"):
        jit(3)


def test_the_same_array_twice_and_apart():
    jitted = jit(lambda x, y: x * 2 + y)
    a, b = tg.tensor(A), tg.tensor(A + 1)
    for x, y in [(a, a), (a, b), (b, b), (b, a), (a, a)]:
        assert np.array_equal(jitted(x, y).data, x.data * 2 + y.data)


def test_an_argument_that_is_known_from_outside_too():
    w, a = tg.tensor(A), A.copy()
    for function, first in ((lambda x: x * w + 1.0, w), (lambda x: x * a + 1.0, a)):
        jitted = jit(function)
        for x in (first, A + 1, first, A - 1):
            assert np.array_equal(jitted(x).data, np.asarray(x) * A + 1)
        assert recordings(jitted) == 1
    v = leaf(A)
    with refused(JitError, "jit: an argument that requires a gradient is also known to the function from outside"):
        jit(lambda x: x * v)(v)


def test_what_is_known_from_outside_is_not_what_is_returned():
    w = tg.tensor(A)
    jitted = jit(lambda: [w, w])
    for _ in range(2):
        one, other = jitted()
        one.data[...] = 0
        assert np.array_equal(other.data, A)
        assert np.array_equal(w.data, A)


def test_an_output_as_the_next_input_and_results_that_stay():
    jitted = jit(lambda x: [x * 2, x + 1, x])
    x, seen = tg.tensor(A), []
    for _ in range(4):
        doubled, more, same = jitted(x)
        seen.append((doubled, more, same, x.data.copy()))
        x = doubled
    for doubled, more, same, before in seen:
        assert np.array_equal(doubled.data, before * 2)
        assert np.array_equal(more.data, before + 1)
        assert np.array_equal(same.data, before)


def test_results_that_are_views_of_what_is_overwritten():
    def f(x):
        y = x * 2
        row = y[0]
        y[1] = 7.0
        return row, y, y.T

    jitted = jit(f)
    first = [each.data.copy() for each in jitted(tg.tensor(A))]
    second = jitted(tg.tensor(A + 1))
    assert np.array_equal(first[1], [[2, -4, 6], [7, 7, 7]])
    third = jitted(tg.tensor(A * 0))
    for got, wanted in zip(second, f(tg.tensor(A + 1)), strict=True):
        assert np.array_equal(got.data, wanted.data)
    assert not third[0].data.any()


def test_an_input_that_is_overwritten_or_a_view_of_a_parameter():
    for function in (lambda x: x.__iadd__(1.0), lambda x: x.__setitem__(0, 5.0)):
        x, y = tg.tensor(A), tg.tensor(A)
        jitted = jit(function)
        for _ in range(3):
            function(x)
            jitted(y)
            assert np.array_equal(x.data, y.data)
    found = []
    for wrap in (lambda f: f, jit):
        w = leaf(A)

        def f(x, w=w):
            with tg.no_grad():
                w *= 2.0
            return x + w.sum()

        g = wrap(lambda x, f=f: f(x))
        row = w.detach()[0]
        found.append([g(row).tolist() for _ in range(3)])
    assert found[0] == found[1]


def test_tensors_that_share_an_array_and_part():
    w = leaf(A)
    detached = jit(lambda x: x * w.detach())
    v = tg.from_numpy(w.data)
    tied = jit(lambda x: x * w.detach() + v)
    for jitted, extra in ((detached, 0), (tied, A)):
        w.data = A.copy()
        v.data = w.data
        assert np.array_equal(jitted(tg.tensor(A)).data, A * A + extra)
        w.data = A + 1
        assert np.array_equal(jitted(tg.tensor(A)).data, A * (A + 1) + extra)


def test_results_carry_no_graph_and_say_so():
    w = leaf(A)
    jitted = jit(lambda x: (x * w).sum())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="what a jitted function returns carries no graph"):
            jitted(tg.tensor(A)).backward()
        with pytest.raises(RuntimeError, match="what a jitted function returns carries no graph"):
            tg.grad(lambda x: jitted(x))(tg.tensor(A))
        assert not jitted(tg.tensor(A)).detach().requires_grad
    with refused(JitError, "jit: the function returns a ndarray; return Tensors, Python's numbers and strings"):
        jit(lambda x: A)(tg.tensor(A))


def test_many_kinds_of_arguments_are_warned_of():
    jitted = jit(lambda x, n: x * n)
    for n in range(16):
        jitted(tg.tensor(A), n)
    with pytest.warns(UserWarning, match="more than 16 kinds of arguments"):
        jitted(tg.tensor(A), 16)
    jitted(tg.tensor(A), 17)  # it is said once
    assert len(jitted.signatures) == 18


def test_what_is_lent_is_overwritten():
    jitted = jit(lambda x: [x * 2, x + 1], copy=False)
    jitted(tg.tensor(A))
    first = jitted(tg.tensor(A))
    second = jitted(tg.tensor(A + 1))
    assert np.array_equal(second[0].data, 2 * (A + 1))
    assert np.array_equal(first[0].data, second[0].data)


def test_replay_allocates_only_what_it_returns():
    w = [leaf(np.ones((512, 512))), leaf(np.ones(512))]
    optimiser = tg.optim.SGD(w, 0.001)

    def f(x):
        h = np.tanh(tg.functional.linear(x, *w))
        loss = (h * h).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    jitted, x = jit(f), tg.tensor(np.ones((64, 512), np.float32))
    for _ in range(3):
        jitted(x)
    tracemalloc.start()
    for _ in range(5):
        jitted(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000  # NumPy takes some 33,000 to broadcast a row; an activation alone has 131,072
