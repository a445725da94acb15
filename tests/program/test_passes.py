"""The passes: any subset of them gives the same program up to what each says of its rounding."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.op import Interval
from tinygrad_lite.program import jit, memory
from tinygrad_lite.program.passes import PASSES, ROUNDING
from tinygrad_lite.testing import strategies

from ..messages import refused
from .test_replay import OPTIONS, alike, check

subsets = st.sets(st.sampled_from(sorted(set(PASSES) - ROUNDING))).map(lambda names: frozenset(names) | ROUNDING)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.expressions(), subsets)
def test_any_subset_is_exact(expression, without):
    check(expression, without)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.expressions(), st.integers(1, 64))
def test_tiles_of_any_size_are_exact(expression, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "LARGE", 1)
        patch.setattr(memory, "TILE", size)
        check(expression)


COPIES = {
    "of a copy that is returned": lambda x: (b := (x * 2).copy(), add_one(b.copy())),
    "of a view of a constant": lambda x: add_one(tg.zeros((2, 3))[1:].copy()) * x,
    "of a constant": lambda x: (add_one(tg.ones(3).copy()), np.copy(tg.ones(3)), x + 1),
    "of what is broadcast": lambda x: add_one(np.broadcast_to(x * 2, (1, 3)).copy()),
    "of a reshaped result": lambda x: add_one((x * 2).reshape(3, 1).copy()),
    "of an argument": lambda x: add_one(x.copy()) + x,
    "of what is written to later": lambda x: (y := x * 2, z := y.copy(), add_one(y), z)[-1],
    "that is copied and written to": lambda x: (y := (x * 2).copy(), z := y.copy(), add_one(z), add_one(y), z)[2:],
}


def add_one(y):
    y += 1
    return y


@pytest.mark.parametrize("what", COPIES)
@pytest.mark.parametrize("without", [(), ROUNDING, {"constants"}, {"pool"}, {"views"}])
def test_copies(what, without):
    """What is written to a copy, or to what was copied, is not found in the other, nor in the next call."""
    jitted = jit(COPIES[what], without=without)
    for x in (tg.tensor([1.0, 2.0, 3.0]), tg.tensor([4.0, 5.0, 6.0])) * 2:
        assert alike(COPIES[what](x), jitted(x))


@pytest.mark.parametrize("rows", [1, 2, 7, 49])
def test_tiles(monkeypatch, rows):
    """A chain of many rows, with a bias, a column and a number; what only the chain reads needs no more than a tile."""
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((50, 8)), dtype=np.float32)
    bias, column = tg.tensor(rng.standard_normal(8), dtype=np.float32), tg.tensor(rng.standard_normal((50, 1)))
    monkeypatch.setattr(memory, "LARGE", 1000)
    monkeypatch.setattr(memory, "TILE", rows * 8 * 4)

    def step(x):
        x = x @ np.eye(8, dtype=np.float32)
        column_sums = (column * 2).astype(np.float32)
        return np.tanh((x + bias) * column_sums / 3).sum(axis=0), bias * 2, x.sum()

    jitted = jit(step)
    jitted(x)
    assert all(map(alike, step(x), jitted(x)))
    (loop,) = [each.line for each in jitted.last[0].source.body if each.line.parts]
    assert [each.text.partition("(")[0] for each in loop.parts] == ["np.add", "np.multiply", "np.divide", "np.tanh"]
    shapes = {value.name: buffer.shape for value, buffer in jitted.last[0].code.buffers.items()}
    assert [shapes[each.made[0].name] for each in loop.parts[:3]] == [(rows, 8)] * 3
    assert "for " in jitted.source


@pytest.mark.parametrize("shape", [(8,), (50,), (50, 1), (50, 4), (9, 9), (1, 50)])
def test_rows_that_are_taken_for_a_tile_at_a_time(monkeypatch, shape):
    """Of the indices only those of the tile are met, of the table all rows; also where both have as many."""
    monkeypatch.setattr(memory, "LARGE", 1)
    monkeypatch.setattr(memory, "TILE", 64)
    rng = np.random.default_rng(0)
    table, others = (tg.tensor(rng.standard_normal((50, 4))) for _ in range(2))

    def step(x):
        rows = F.embedding(x, table)
        return np.tanh(rows + F.embedding(x[::-1] * 1, others)) * rows

    x = rng.integers(0, 50, shape)
    jitted = jit(step)
    for _ in range(3):
        assert alike(step(tg.tensor(x)), jitted(tg.tensor(x)))
        x = rng.integers(0, 50, shape)
    loops = [each.line.parts for each in jitted.last[0].source.body if each.line.parts]
    assert any(".take(" in part.text for parts in loops for part in parts) == (shape[0] > 2)
    x = np.full(shape, 50)
    with refused(IndexError, "embedding: index 50", "there are 50"):
        jitted(tg.tensor(x))


def test_a_row_that_each_tile_meets_is_not_written_to(monkeypatch):
    """The buffer that the row lies in is free after the first line, and a later one would take it."""
    monkeypatch.setattr(memory, "LARGE", 1)
    monkeypatch.setattr(memory, "TILE", 64)
    w, v = (tg.tensor(np.random.default_rng(i).standard_normal((50, 50))) for i in range(2))

    def step(x):
        a, b = x @ w, x @ v
        y = a[0:1] * b
        z = y + 1.0
        return (y * z).sum(axis=0), z.sum(axis=0)

    x = tg.tensor(np.random.default_rng(2).standard_normal((50, 50)))
    jitted = jit(step)
    jitted(x)
    assert all(map(alike, step(x), jitted(x)))


@pytest.mark.slow
@settings(max_examples=500, derandomize=False, print_blob=True, **OPTIONS)
@given(strategies.expressions(), subsets)
def test_any_subset_is_exact_at_length(expression, without):
    check(expression, without)


def close(one, other):
    """Whether two arrays are the same up to many roundings of their largest element."""
    one, other = np.asarray(one), np.asarray(other)
    rounding = 1e5 * np.finfo(one.dtype).eps if one.dtype.kind == "f" else 0
    np.testing.assert_allclose(one, other, rounding, rounding * np.abs(other[np.isfinite(other)]).max(initial=1))
    return one.dtype == other.dtype


@pytest.mark.slow
@settings(max_examples=500, derandomize=False, print_blob=True, **OPTIONS)
@given(strategies.expressions())
def test_with_all_passes_at_length(expression):
    check(expression, frozenset(), close)


FLOATS = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", FLOATS)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_rounding_stays_within_what_is_said(dtype, data):
    """Of x ** -0.5 and x / c each element differs by at most two units in the last place."""
    x = data.draw(strategies.tensors(dtype=dtype, domain=Interval(low=0)))
    divisor = data.draw(st.floats(0.01, 1e3))
    for function in (lambda x: x**-0.5, lambda x: x / divisor):
        exact, rounded = jit(function), jit(function, without=())
        exact(x), rounded(x)
        one, other = exact(x).data, rounded(x).data
        assert (np.abs(one - other) <= 2 * np.spacing(np.abs(one))).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_sums_stay_within_what_is_said(dtype):
    rng = np.random.default_rng(0)
    for n, d in ((1, 1), (3, 5), (64, 200), (1000, 7)):
        x = tg.tensor((rng.standard_normal((n, d)) * 10.0 ** rng.integers(-3, 4, (n, d))).astype(dtype))
        for function, terms in (
            (lambda x: np.sum(x, axis=0), n),
            (lambda x: np.sum(x * 1.5, axis=-2, keepdims=True) + 0.0, n),
            (lambda x: np.sum(x, axis=(1,)), d),
            (lambda x: np.sum(x * 1.5, axis=-1, keepdims=True) + 0.0, d),
        ):
            exact, rounded = jit(function), jit(function, without=())
            exact(x), rounded(x)
            assert "add.reduce" not in rounded.source
            bound = terms * np.finfo(dtype).eps * function(tg.tensor(np.abs(x.data))).data
            assert (np.abs(exact(x).data - rounded(x).data) <= bound).all()


def test_each_rounding_pass_is_at_work():
    x = tg.tensor([[3.0, 5.0]])
    for function, name, text in (
        (lambda x: x**-0.5, "powers", "power("),
        (lambda x: x / 7.0, "reciprocals", "divide("),
    ):
        assert name in ROUNDING
        for without, there in (((), False), ((name,), True)):
            jitted = jit(function, without=without)
            jitted(x)
            assert (text in jitted.source) is there


def body(jitted):
    """The statements that are run each time."""
    lines = jitted.source.partition("    def ")[2].splitlines()[1:]
    return [line.split("  #")[0].strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def statements(function, *args, without=()):
    jitted = jit(function, without=(*ROUNDING, *without))
    jitted(*args)
    assert alike(jitted(*args), function(*args))
    return body(jitted)[:-2]


def test_what_each_pass_does():
    x = tg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    twice = lambda x: np.tanh(x) * np.tanh(x)  # noqa: E731
    assert sum(line.startswith("tanh(") for line in statements(twice, x)) == 1
    assert sum(line.startswith("tanh(") for line in statements(twice, x, without=["common"])) == 2

    unused = lambda x: (np.exp(x), x + 1)[1]  # noqa: E731
    assert not any("exp(" in line for line in statements(unused, x))
    assert any("exp(" in line for line in statements(unused, x, without=["needed"]))

    copied = lambda x: np.copy(np.tanh(x)).sum(axis=0)  # noqa: E731
    assert not any("copyto(" in line for line in statements(copied, x))
    assert any("copyto(" in line for line in statements(copied, x, without=["copies"]))

    folded = lambda x: x + np.sqrt(tg.full((3,), 4.0)) * 2.0  # noqa: E731
    assert len(statements(folded, x)) == 1
    assert len(statements(folded, x, without=["constants"])) > 2

    viewed = lambda x: (x * 2).reshape(3, 2).T + 1.0  # noqa: E731
    assert len(statements(viewed, x)) == 2
    assert len(statements(viewed, x, without=["views"])) == 4

    buffers = jit(lambda x: np.exp(np.sin(np.tanh(x))))
    buffers(x)
    assert buffers.source.count("np.empty(") == 1
    plain = jit(lambda x: np.exp(np.sin(np.tanh(x))), without=["pool"])
    plain(x)
    assert "np.empty(" not in plain.source


def test_unknown_passes_are_refused():
    with refused(ValueError, "jit: there is no pass 'fast'; there are constants, powers, "):
        jit(lambda x: x, without=["fast"])
