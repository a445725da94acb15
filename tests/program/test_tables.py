"""Products with rows of a table, by way of the table: the same up to what is said, and wherever rows are not finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import jit, tables

from ..messages import refused
from .common import leaf
from .test_saved import load

OTHERS = ("powers", "reciprocals", "sums")  # passes that round, too
NAMES = {"products": "table_products", "transposed": "transposed_rows_times", "sums": "products_by_row"}


@pytest.fixture(autouse=True, scope="module")
def small_ones_too():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "LEAST", 1)
        yield


class Model:
    """An embedding of K indices for each of N examples, and a layer on it."""

    def __init__(self, r, k, e, h, dtype=np.float32, seed=0):
        rng = np.random.default_rng(seed)
        self.k = k
        self.table = tg.tensor(rng.standard_normal((r, e)), dtype=dtype, requires_grad=True)
        self.weight = tg.tensor(rng.standard_normal((k * e, h)), dtype=dtype, requires_grad=True)
        self.bias = tg.tensor(rng.standard_normal(h), dtype=dtype, requires_grad=True)
        self.parameters = [self.table, self.weight, self.bias]

    def hidden(self, x):
        rows = F.embedding(x, self.table)
        return F.linear(rows.reshape(len(x), -1) if self.k > 1 else rows, self.weight, self.bias)

    def __call__(self, x, g):
        """The hidden layer, with gradients of the parameters as if its own were g."""
        out = self.hidden(x)
        for each in self.parameters:
            each.grad = None
        (out * g).sum().backward()
        return out

    def results(self, x, g, function=None):
        out = (function or self)(x, g)
        return [np.copy(each.data) for each in (out, *[each.grad for each in self.parameters])]


def drawn(n, r, k, h, dtype=np.float32, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, r, (n, k) if k > 1 else n), rng.standard_normal((n, h)).astype(dtype)


def by_way_of(source):
    """What the program takes another way than the function."""
    return {short for short, name in NAMES.items() if name in source.partition("# forward")[2]}


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
    assert by_way_of(jitted.source) == expected(n, r, e)


@pytest.mark.parametrize("least", [1, 2**21])
def test_small_ones_are_left_alone(monkeypatch, least):
    monkeypatch.setattr(tables, "LEAST", least)
    for n, h in ((64, 200), (2048, 200)):
        jitted = jit(Model(27, 3, 64, h), without=OTHERS)
        jitted(*drawn(n, 27, 3, h))
        assert bool(by_way_of(jitted.source)) is (least == 1 or n == 2048)


def expected(n, r, e):
    """What takes at most 3/4 of the operations."""
    found = set()
    if 4 * (n * r + r * e) <= 3 * n * e:
        found |= {"products"}
    if 4 * (n * r + 2 * r * e) <= 6 * n * e:
        found |= {"transposed", "sums"}
    return found


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("where", ["table", "weight", "bias", "g", "unused row"])
def test_rows_that_are_not_finite_stay_alone(where, bad):
    """A one-hot matrix multiplies the others by 0, which would make them nan."""
    model, (x, g) = Model(9, 3, 16, 5), drawn(50, 8, 3, 5)  # nobody takes the last row
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    assert by_way_of(jitted.source) == set(NAMES)
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
    assert "products" in by_way_of(jitted.source)


def test_a_table_that_is_written_to_in_between():
    """What was taken from it before is no longer there."""
    table, weight = leaf(np.arange(12).reshape(2, 6)), leaf(np.ones((6, 3)))

    def step(x):
        rows = F.embedding(x, table.detach())
        with tg.no_grad():
            table[0] = 0.0
        out = rows @ weight
        weight.grad = None
        out.sum().backward()
        return out

    jitted, x = jit(step, without=OTHERS), np.array([0, 1, 0, 1, 1, 1, 1])
    before = table.data.copy()
    wanted, gradient = step(x).data, weight.grad.data
    for _ in range(3):
        table.data = before.copy()
        np.testing.assert_array_equal(jitted(x).data, wanted)
        np.testing.assert_array_equal(weight.grad.data, gradient)
    assert not by_way_of(jitted.source)


def test_rows_that_are_written_to():
    table, weight = leaf(np.arange(12).reshape(2, 6)), leaf(np.ones((6, 3)))

    def step(x):
        rows = F.embedding(x, table)
        rows *= 2.0
        return (rows @ weight,)

    stays(step, np.array([0, 1, 0, 1, 1, 1, 1]))


def test_what_is_looked_at_is_still_computed():
    """Rows that are a result, and their gradient, which is one, too."""
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)

    def step(x, g):
        rows = F.embedding(x, model.table).reshape(len(x), -1)
        out = rows @ model.weight
        return rows, out, *tg.grad(lambda w, r: (r @ w * g).sum(), argnums=(0, 1))(model.weight, rows)

    jitted = jit(step, without=OTHERS)
    jitted(x, g)
    for one, other in zip(step(x, g), jitted(x, g), strict=True):
        np.testing.assert_allclose(one.data, other.data, 1e-4, 1e-4)


def stays(step, x):
    """It gives the same numbers, and takes no other way."""
    jitted = jit(step, without=OTHERS)
    jitted(x)
    for one, other in zip(step(x), jitted(x), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    assert not by_way_of(jitted.source)


def test_rows_that_are_cut_elsewhere():
    """50 rows of 6 numbers as 30 of 10, and back."""
    table, weight = leaf(np.arange(12).reshape(2, 6) / 4), leaf(np.arange(20).reshape(10, 2) / 8)

    def step(x):
        table.grad = weight.grad = None
        out = F.embedding(x, table).reshape(30, 10) @ weight
        (out * out).sum().backward()
        return out, table.grad, weight.grad

    stays(step, np.arange(50) % 2)


@pytest.mark.parametrize("weighs", [True, False])
def test_constants(weighs):
    """Indices that are always the same, and a gradient."""
    table, weight = leaf(np.arange(12).reshape(2, 6) / 4), leaf(np.arange(18).reshape(6, 3) / 8)

    def step(x):
        table.grad = weight.grad = None
        indices = x if weighs else tg.tensor([0, 1, 0, 1, 1, 0, 1])
        out = F.embedding(indices, table) @ weight
        out.backward(tg.ones((7, 3)))
        return out * x.sum(), table.grad, weight.grad

    jitted, x = jit(step, without=OTHERS), tg.tensor([0, 1, 0, 1, 1, 0, 1])
    jitted(x)
    for one, other in zip(step(x), jitted(x), strict=True):
        np.testing.assert_allclose(one.data, other.data, 1e-5)


def test_saved(tmp_path):
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    jitted = jit(model, without=OTHERS)
    jitted(x, g)
    jitted.save(tmp_path / "saved.py")
    module = load(tmp_path / "saved.py")
    for bad in (False, True):
        if bad:
            g[3, 1] = np.inf
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(module[jitted.title](x, g), jitted(x, g).data)
