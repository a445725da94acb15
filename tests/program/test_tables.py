"""What is computed of rows of a table by way of it: the same up to what is said, and wherever it is not finite."""

import operator
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import JitError, by_table, jit, tables
from tinygrad_lite.variable import make

from ..messages import refused
from .common import leaf
from .test_saved import load

OTHERS = ("powers", "reciprocals", "sums")  # passes that round, too
NO_OTHERS = ("powers", "reciprocals")  # but sums of rows are products, which this pass knows
ALL = {"out", "grad_weight", "grad_table"}
ORIGINAL = {name: getattr(tables, name) for name in ("WAYS", "cost", "may_save")}
WAYS = [("products", "sums"), ("products", "sums", "columns")]


def taken(code):
    """How many lines go another way."""
    ways = by_table.finite_or, by_table.are_finite
    return sum(callable(each) and each in ways for line in code.lines for each in line.reads)


@pytest.fixture(autouse=True, scope="module")
def small_ones_too():
    """By way of the table wherever that can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "WAYS", WAYS[1:])
        patch.setattr(tables, "cost", lambda code: -taken(code))
        patch.setattr(tables, "may_save", lambda rows: True)
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
    return set(re.findall(r"def (\w+)_instead", source))


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
    assert by_way_of(jitted.source) == (ALL if n > 1 else set())


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 40),
    st.integers(1, 9),
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(1, 6),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 99),
)
def test_what_is_said_of_rounding_in_columns(n, r, k, e, h, dtype, seed):
    """With the sums of all terms multiplied out, in their absolute values."""
    model, (x, g) = Model(r, k, e, h, dtype, seed), drawn(n, r, k, h, dtype, seed)
    rng = np.random.default_rng(seed)
    rows = [tg.tensor(rng.standard_normal(h), dtype=dtype) for _ in range(4)]

    def layer(x, g, less=np.subtract):
        shift, scale, other, factor = rows
        out = less(model.hidden(x), shift) * scale
        slope = less(less(g, other) * scale, out.detach() * factor)
        for each in model.parameters:
            each.grad = None
        out.backward(slope)
        return out, out.sum(0), (out * out).sum(0), (g * out).sum(0, keepdims=True), slope.sum(0), *model.parameters

    def results(function, *args):
        found = function(*args)
        return [np.copy(each.data) for each in (*found[:-3], *[each.grad for each in model.parameters])]

    jitted = jit(layer, without=NO_OTHERS)
    jitted(x, g)
    exact, other = results(layer, x, g), results(jitted, x, g)
    for each in [*model.parameters, *rows]:
        each.data = np.abs(each.data)
    m = 2 * (k * e + 3) + n + 6
    for one, two, bound in zip(exact, other, results(layer, x, np.abs(g), np.add), strict=True):
        assert (np.abs(one - two) <= 3 * m * np.finfo(dtype).eps * bound).all()
    assert {"out", "grad_weight", "grad_table"} < by_way_of(jitted.source)
    assert "together" in jitted.source


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


COLUMNS = {
    "add": lambda v, row, g: v + row,
    "take off": lambda v, row, g: v - row,
    "take from": lambda v, row, g: row - v,
    "scale": lambda v, row, g: row * v,
    "divide": lambda v, row, g: v / (np.abs(row) + 1),
    "invert": lambda v, row, g: 20 * row / (v + 20.0),
    "halve": lambda v, row, g: v / 2,
    "centre": lambda v, row, g: v - v.mean(0),
    "mean square": lambda v, row, g: v * ((v * v).mean(0) + 1) ** -0.5,
    "square": lambda v, row, g: v / (np.square(v).sum(0, keepdims=True) + 1),
    "deviation": lambda v, row, g: v / (v.std(0) + 1),
    "by another": lambda v, row, g: v / (1 + np.abs((v * g).sum(0))),
    "norm": lambda v, row, g: F.batch_norm(v, row, row, eps=0.1)[0],
    "tanh": lambda v, row, g: np.tanh(v),
    "another": lambda v, row, g: v + g,
    "twice": lambda v, row, g: v * v,
    "in place": lambda v, row, g: operator.iadd(v * row, g),
    "itself": lambda v, row, g: v + v,
    "changed": lambda v, row, g: tg.tensor(1.0) * v.detach() if v.requires_grad else v,
}


@st.composite
def layers(draw):
    """A function of embedded rows that changes columns, backward through it, and its data."""
    n, r, k, e, h = (draw(st.integers(low, high)) for low, high in ((3, 30), (2, 6), (1, 3), (1, 4), (1, 5)))
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=7))
    seen = draw(st.sets(st.integers(0, len(names)), max_size=2))
    seed = draw(st.integers(0, 999))
    bad = draw(st.sampled_from([None, None, None, np.nan, np.inf, -np.inf]))
    return n, r, k, e, h, names, seen, seed, bad, draw(st.integers(0, 3))


def check_layers(case):
    n, r, k, e, h, names, seen, seed, bad, where = case
    model, (x, g) = Model(r, k, e, h, np.float64, seed), drawn(n, r, k, h, np.float64, seed)
    x[:2] = [[0], [1]] if k > 1 else [0, 1]  # so that no column is the same everywhere: that less its mean, times inf
    rng = np.random.default_rng(seed)
    rows = [tg.tensor(rng.standard_normal(h) / 2, dtype=np.float64, requires_grad=True) for _ in names]
    leaves = [*model.parameters, *rows]

    def step(x, g):
        v, kept = model.hidden(x), []
        for i, (name, row) in enumerate(zip(names, rows, strict=True)):
            kept += [v] if i in seen else []
            v = COLUMNS[name](v, row, g)
        for each in leaves:
            each.grad = None
        total = (v * g).sum() if v.requires_grad else model.hidden(x).sum()
        total.backward()
        return [total, *kept, *[each.grad for each in leaves if each.grad is not None]]

    jitted = jit(step, without=())
    jitted(x, g)
    for _ in range(2):
        with np.errstate(all="ignore"):
            for one, other in zip(step(x, g), jitted(x, g), strict=True):
                finite = np.isfinite(one.data)  # 0 times inf is nan, but what is 0 in one may be 1e-17 in the other
                np.testing.assert_array_equal(finite, np.isfinite(other.data))
                scale = np.abs(one.data[finite]).max(initial=1)
                np.testing.assert_allclose(other.data[finite], one.data[finite], 1e-8, 1e-9 * scale)
        if bad is not None:
            target = [*model.parameters, g][where]
            (target if target is g else target.data).reshape(-1)[0] = bad


@given(layers())
def test_columns(case):
    check_layers(case)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=1000, derandomize=False, print_blob=True)
@given(case=layers())
def test_columns_at_length(way, case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "WAYS", [way])
        check_layers(case)


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


class Normed(Model):
    """With batch norm and running statistics."""

    def __init__(self, *sizes, seed=0):
        super().__init__(*sizes, seed=seed)
        h = sizes[3]
        self.gain, self.shift = leaf(np.linspace(0.5, 1, h)[None]), leaf(np.linspace(-1, 1, h)[None])
        self.running = tg.zeros((1, h))
        self.parameters += [self.gain, self.shift]

    def step(self, optimiser, looks):
        def step(x, y):
            hidden = self.hidden(x)
            out, mean, _ = F.batch_norm(hidden, self.gain, self.shift, eps=1e-5, ddof=1)
            with tg.no_grad():
                self.running *= 0.9
                self.running += 0.1 * mean
            loss = F.cross_entropy(np.tanh(out), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return (loss, *[each.detach() for each in looks(hidden, out)])

        return step


@pytest.mark.parametrize("looks", [lambda hidden, out: (), lambda hidden, out: (hidden, out)])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_batch_norm_trains_the_same_way(looks, decay):
    steps, models = [], [Normed(8, 3, 16, 5), Normed(8, 3, 16, 5)]
    for model in models:
        optimiser = tg.optim.SGD(model.parameters, lr=0.1, weight_decay=decay)
        steps.append(model.step(optimiser, looks))
    steps[1] = jit(steps[1], without=(), verify=2)
    x, _ = drawn(50, 8, 3, 5)
    y = np.random.default_rng(2).integers(0, 5, 50)
    for _ in range(8):
        for one, other in zip(steps[0](x, y), steps[1](x, y), strict=True):
            np.testing.assert_allclose(one.data, other.data, 1e-4, 1e-5)
    left = [[*each.parameters, each.running] for each in models]
    for one, other in zip(*left, strict=True):
        np.testing.assert_allclose(one.data, other.data, 1e-4, 1e-5)
    assert "together" in steps[1].source


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


def is_the_same(step, x, *others, restore):
    """In four replays, with what `restore` brings back before each."""
    jitted = jit(step, without=NO_OTHERS)
    for _ in range(5):
        restore()
        wanted = [np.copy(each.data) for each in step(x, *others)]
        restore()
        found = [np.copy(each.data) for each in jitted(x, *others)]
        for one, other in zip(wanted, found, strict=True):
            np.testing.assert_allclose(one, other, 1e-5, 1e-5)
    return by_way_of(jitted.source)


def test_a_table_that_changes_while_its_rows_stay():
    table, weight = leaf(np.arange(12).reshape(2, 6)), leaf(np.ones((6, 3)))
    before = table.data.copy()

    def step(x):
        rows = F.embedding(x, table)
        with tg.no_grad():
            table[0] = 0.0
        return rows.detach(), (rows @ weight).detach()

    def restore():
        table.data = before.copy()

    assert not is_the_same(step, np.array([0, 1, 0, 1, 1, 1, 1]), restore=restore)


@pytest.mark.parametrize("bad", [1.0, np.nan])
def test_a_bias_that_changes_before_the_way_back(bad):
    """What comes in place of a sum by way of the table would compute the layer with the new one."""
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    before = model.bias.data.copy()
    model.weight.data[0, 0] = bad

    def step(x, g):
        scale = leaf(np.ones(5))
        out = model.hidden(x) * scale
        with tg.no_grad():
            model.bias += 1.0
        for each in model.parameters:
            each.grad = None
        (out * g).sum().backward()
        return out, scale.grad, model.weight.grad, model.table.grad

    def restore():
        model.bias.data = before.copy()

    with np.errstate(all="ignore"):
        assert not is_the_same(step, x, g, restore=restore)


def test_a_weight_that_changes_on_the_way_back():
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    before = model.weight.data.copy()

    def step(x, g):
        rows = F.embedding(x, model.table).reshape(len(x), -1)
        seen = []

        def hook(grad):
            seen.append(grad)
            with tg.no_grad():
                model.weight *= 2.0

        rows.register_hook(hook)
        model.table.grad = None
        (rows @ model.weight * g).sum().backward()
        return model.table.grad, *seen

    def restore():
        model.weight.data = before.copy()

    assert "grad_table" not in is_the_same(step, x, g, restore=restore)


def test_indices_in_memory_that_is_written_to():
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    places = tg.tensor(x)
    model.weight, model.bias = model.weight.detach(), model.bias.detach()

    def step(x, g):
        out = model.hidden(x)
        with tg.no_grad():
            places[0] = 7
        for each in model.parameters:
            each.grad = None
        (out * g).sum().backward()
        return out, model.table.grad

    def restore():
        places.data[...] = x

    same_memory = make(tg.Tensor, places.data.view())
    assert not is_the_same(step, same_memory, g, restore=restore)


def looks_again(step, *others, leaves=(), rounds=3):
    """The same numbers as eager's, also of leaves' gradients, when the indices and other arguments are new ones."""
    jitted = jit(step, without=NO_OTHERS)
    for i in range(rounds):
        x = np.random.default_rng(i).integers(0, 5, (12, 2))
        wanted = [np.copy(each.data) for each in (*step(x, *others), *[each.grad for each in leaves])]
        found = [np.copy(each.data) for each in (*jitted(x, *others), *[each.grad for each in leaves])]
        for one, other in zip(wanted, found, strict=True):
            np.testing.assert_allclose(one, other, 1e-4, 1e-5)
    return by_way_of(jitted.source)


def layer(e=4, h=3):
    rng = np.random.default_rng(0)
    return leaf(rng.standard_normal((5, e))), leaf(rng.standard_normal((2 * e, h)))


@pytest.mark.parametrize("way", [lambda x: ((x + 1) % 5).T.reshape(-1), lambda x: x.T.reshape(-1)])
def test_indices_that_are_a_copy(way):
    """A copy is another one each time, unlike a view."""
    table, weight = leaf(np.arange(20).reshape(5, 4) / 8), leaf(np.arange(12).reshape(4, 3) / 8)

    def step(x):
        table.grad = weight.grad = None
        out = F.embedding(way(x), table) @ weight
        (out * out).sum().backward()
        return (out,)

    assert looks_again(step, leaves=(table, weight))


@pytest.mark.parametrize(
    "sums",
    [
        lambda v, s: (v.mean() + (v - 1.0).mean(), v.sum(0)),
        lambda v, s: ((v + v).mean(), v.sum(0)),
        lambda v, s: (lambda b: (((b + b) * v).sum(), (b + b).sum(0)))(np.broadcast_to(s, v.shape)),
    ],
)
def test_rows_that_are_added_to_rows(sums):
    (table, weight), s = layer(), leaf([[0.5]])

    def step(x):
        table.grad = weight.grad = None
        total, others = sums(F.embedding(x, table).reshape(12, -1) @ weight, s)
        total.backward()
        return total, others

    assert looks_again(step, leaves=(table, weight))


def test_squares_that_are_written_to():
    table, weight = layer()

    def step(x):
        with tg.no_grad():
            squares = np.square(F.embedding(x, table).reshape(12, -1) @ weight)
            squares += 1.0
            return squares.sum(0), squares.mean()

    looks_again(step)


@pytest.mark.parametrize("rows", [8, 5])
def test_a_layer_that_is_an_operand_itself(rows):
    """As the matrix of the next one, or its table."""
    table, weight = leaf(np.arange(5 * 8).reshape(5, 8) / 20), leaf(np.arange(8 * 8).reshape(8, 8) / 30)

    def step(x):
        x = x.reshape(-1)[:rows]
        taken = F.embedding(x, table.detach())
        inner = taken @ weight.detach()
        return ((taken @ inner,) if rows == 8 else (F.embedding(x, inner) @ weight.detach(),)) + (inner.sum(0),)

    assert looks_again(step)


def test_an_argument_in_the_memory_of_what_is_written_to():
    """From the second call on: what the program was written for says nothing of it."""
    (table, weight), scale = layer(), leaf(np.ones((12, 3)))
    scale.requires_grad = False
    before = scale.data.copy()

    def step(x, g):
        products = F.embedding(x, table.detach()).reshape(12, -1) @ weight.detach() * g
        with tg.no_grad():
            scale.__imul__(2.0)
        return (products.sum(0),)

    jitted, x = jit(step, without=NO_OTHERS), np.arange(24).reshape(12, 2) % 5
    jitted(x, before)
    for _ in range(3):
        scale.data[...] = before
        wanted = np.copy(step(x, scale.data)[0].data)
        scale.data[...] = before
        np.testing.assert_allclose(wanted, jitted(x, scale.data)[0].data, 1e-5)


def test_columns_without_variance():
    """A sum of squares, computed of terms of both signs, is never below 0."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        table, weight = (tg.tensor(rng.standard_normal(shape)) for shape in ((6, 5), (15, 4)))

        def step(x, table=table, weight=weight):
            h = F.embedding(x, table).reshape(len(x), -1) @ weight
            return h.std(0), ((h - h.mean(0)) ** 2).mean(0)

        jitted = jit(step, without=())
        jitted(rng.integers(0, 6, (40, 3)))
        for found in jitted(np.repeat(rng.integers(0, 6, (1, 3)), 40, 0)):
            assert (found.data >= 0).all()
            assert found.data.max() < 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_verify_knows_the_terms(dtype, size):
    """A gradient that is 0 but for rounding, and a variance of what is far from 0, are right."""
    model, (x, g) = Model(6, 3, 4, 5, dtype), drawn(40, 6, 3, 5, dtype)
    model.bias.data *= size

    def step(x, g):
        h = model.hidden(x)
        out = F.batch_norm(h, np.ones(5, dtype), np.zeros(5, dtype))[0]
        for each in model.parameters:
            each.grad = None
        ((h - h.mean(0)) * g.sum(0) + np.tanh(out) * g).sum().backward()
        return (out,)

    jitted = jit(step, without=(), verify=3)
    for _ in range(4):
        jitted(x, g)
    assert jitted.verify == 0
    statement = next(each for each in jitted.last[0].source.body if each.text.startswith("finite_or(counts"))
    statement.text += f"; {statement.text.partition('.dot(')[2].partition(', ')[2].partition(')')[0]} += 0.25"
    jitted.verify = 1
    if size == 1.0:
        with pytest.raises(JitError, match="gives other numbers"):
            jitted(x, g)


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


def test_two_tables():
    """With places of their own, added up: the second is another matrix to the first."""
    one, other = Model(5, 2, 4, 3, seed=1), Normed(4, 3, 6, 3, seed=2)
    (x, g), (places, _) = drawn(40, 5, 2, 3, seed=3), drawn(40, 4, 3, 3, seed=4)
    leaves = [*one.parameters, *other.parameters]

    def step(x, places, g):
        for each in leaves:
            each.grad = None
        out = one.hidden(x) + F.batch_norm(other.hidden(places), other.gain, other.shift, eps=0.1)[0]
        (np.tanh(out - out.mean(0)) * g).sum().backward()
        return out, *[each.grad for each in leaves]

    jitted = jit(step, without=())
    jitted(x, places, g)
    for a, b in zip(step(x, places, g), jitted(x, places, g), strict=True):
        np.testing.assert_allclose(a.data, b.data, 1e-4, 1e-4)
    assert {"grad_weight", "grad_weight_2"} < by_way_of(jitted.source)


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
