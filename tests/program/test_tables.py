"""What is computed of rows of a table by way of it: the same up to what is said, and wherever it is not finite."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import jit, memory, tables

from ..messages import refused
from .embedded import (
    ALL,
    ORIGINAL,
    OTHERS,
    Model,
    Normed,
    by_way_of,
    drawn,
)
from .test_saved import load

pytestmark = pytest.mark.usefixtures("small_tables")


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 24),
    st.integers(1, 9),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 99),
)
def test_what_is_said_of_rounding(n, r, k, e, h, dtype, seed):
    """A sum of M products differs by at most 3 M roundings of the sum of their absolute values."""
    assume(k * e * h > 1)  # a product with a number is none
    model, (x, g) = Model(r, k, e, h, dtype, seed), drawn(n, r, k, h, dtype, seed)
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    exact, other = model.results(x, g), model.results(x, g, jitted)
    for each in model.parameters:
        each.data = np.abs(each.data)
    absolute = model.results(x, np.abs(g))
    counts = np.bincount(x.reshape(-1), minlength=r)[:, None] * h + 1
    eps = np.finfo(dtype).eps
    for one, two, bound, m in zip(exact, other, absolute, (k * e + 1, counts, n, n), strict=True):
        assert (np.abs(one - two) <= 3 * m * eps * bound).all()
    assert by_way_of(jitted.source) == (ALL if n > 1 else set())


@pytest.mark.parametrize("rows", [1, 7, 16, 49])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_rows_of_the_table_are_added_in_tiles(monkeypatch, rows, k):
    monkeypatch.setattr(memory, "LARGE", 50 * 8 * 4)
    monkeypatch.setattr(memory, "TILE", rows * 8 * 4)
    model, (x, g) = Model(9, k, 12, 8), drawn(50, 9, k, 8)
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    for one, other in zip(model.results(x, g), model.results(x, g, jitted), strict=True):
        np.testing.assert_allclose(one, other, 1e-4, 1e-4)
    loops = [each.text for each in jitted.last[0].source.body if each.line.parts]
    assert sum(text.count("_table") for text in loops) == (k if k > 1 else 0)  # alone it is no chain


@pytest.mark.parametrize(
    ("n", "r", "k", "e", "h", "taken"),
    [
        (32, 27, 3, 15, 200, set()),
        (256, 27, 3, 32, 512, ALL),
        (1024, 27, 3, 64, 1024, ALL),
        (1024, 5000, 3, 64, 64, set()),
    ],
)
def test_the_way_that_takes_least(monkeypatch, n, r, k, e, h, taken):
    for name, value in ORIGINAL.items():
        monkeypatch.setattr(tables, name, value)
    jitted = jit(Model(r, k, e, h), without=OTHERS)
    jitted(*drawn(n, r, k, h))
    assert by_way_of(jitted.source) == taken


@pytest.mark.parametrize(
    ("r", "k", "e", "h", "n"), [(3, 2, 0, 4, 5), (3, 2, 2, 0, 5), (1, 1, 1, 1, 1), (1, 2, 1, 1, 9)]
)
def test_sizes_of_nothing_and_of_one(r, k, e, h, n):
    model, (x, g) = Model(r, k, e, h), drawn(n, r, k, h)
    jitted = jit(model, without=())
    jitted(x, g)
    for one, other in zip(model.results(x, g), model.results(x, g, jitted), strict=True):
        np.testing.assert_allclose(one, other, 1e-5)


def test_a_large_table(monkeypatch):
    """Of 100,000 rows, whose unit matrix would take 40 GB."""
    monkeypatch.setattr(tables, "may_save", ORIGINAL["may_save"])
    model, (x, g) = Model(100_000, 1, 2, 1), drawn(120_000, 100_000, 1, 1)
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    np.testing.assert_array_equal(model(x, g).data, jitted(x, g).data)
    assert not by_way_of(jitted.source)


def test_half_precision_does_not_count_rows():
    """In float16 there is no 2,049."""
    model, (x, g) = Model(2, 2, 3, 4, np.float16), drawn(3000, 2, 2, 4, np.float16)
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    assert not by_way_of(jitted.source) & {"out", "grad_weight"}
    np.testing.assert_array_equal(model.results(x, g)[0], model.results(x, g, jitted)[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("where", ["table", "weight", "bias", "g", "unused row"])
def test_rows_that_are_not_finite_stay_alone(where, bad):
    """A one-hot matrix multiplies the others by 0, which would make them nan."""
    model, (x, g) = Model(9, 3, 16, 5), drawn(50, 8, 3, 5)  # nobody takes the last row
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    assert by_way_of(jitted.source) == ALL
    table, weight, bias = (each.data for each in model.parameters)
    target = {"table": table[2], "weight": weight[2], "bias": bias, "g": g[2], "unused row": table[-1]}[where]
    target[1] = bad
    with np.errstate(all="ignore"):
        exact, other = model.results(x, g), model.results(x, g, jitted)
    for one, two in zip(exact, other, strict=True):
        np.testing.assert_array_equal(np.isfinite(one), np.isfinite(two))
        finite = np.isfinite(one)
        np.testing.assert_allclose(one[finite], two[finite], 1e-4, 1e-4)
        np.testing.assert_array_equal(one[~finite], two[~finite])
    assert np.isfinite(exact[0]).all() == (where in ("g", "unused row") or bad == 1e30)


def test_indices_out_of_range_are_refused():
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    for bad in (8, -1):
        x[3, 1] = bad
        with refused(IndexError, "embedding: index ", str(bad), "there are 8"):
            jitted(x, g)


def train(model, step, x, rounds=6):
    losses = [step(x).item() for _ in range(rounds)]
    return losses, [np.copy(each.data) for each in model.parameters]


def step_of(model, optimiser, inner=lambda rows: None):
    def step(x):
        rows = F.embedding(x, model.table)
        out = F.linear(rows.reshape(len(x), -1), model.weight, model.bias)
        loss = (np.tanh(out) ** 2).mean()
        inner(rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    return step


@pytest.mark.parametrize(
    "inner",
    [
        lambda model: lambda rows: None,
        lambda model: lambda rows: rows.retain_grad(),
        lambda model: lambda rows: (rows * 2).sum(),
    ],
)
def test_training_goes_the_same_way(inner):
    one, other = Model(8, 3, 16, 5), Model(8, 3, 16, 5)
    x, _ = drawn(50, 8, 3, 5)
    eager = step_of(one, tg.optim.SGD(one.parameters, lr=0.1), inner(one))
    jitted = jit(step_of(other, tg.optim.SGD(other.parameters, lr=0.1), inner(other)), without=OTHERS, verify=3)
    (losses, weights), (found, moved) = train(one, eager, x), train(other, jitted, x)
    np.testing.assert_allclose(losses, found, 1e-5)
    for a, b in zip(weights, moved, strict=True):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5)
    assert "grad_weight" in by_way_of(jitted.source)


def normed(model):
    def step(x, g):
        out = F.batch_norm(model.hidden(x), model.gain, model.shift)[0]
        for each in model.parameters:
            each.grad = None
        (np.tanh(out) * g).sum().backward()
        return out + model.table.grad.sum()

    return step


@pytest.mark.parametrize("make", [Model, lambda *sizes: normed(Normed(*sizes))])
def test_saved(tmp_path, make):
    (x, g) = drawn(50, 8, 3, 5)
    jitted = jit(make(8, 3, 16, 5), without=())
    jitted(x, g)
    jitted.save(tmp_path / "saved.py")
    module = load(tmp_path / "saved.py")
    for bad in (False, True):
        if bad:
            g[3, 1] = np.inf
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(module[jitted.title](x, g), jitted(x, g).data)
