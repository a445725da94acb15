"""What is done to all columns of a layer on embedded rows, and before its way back, is done to the table."""

import operator

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import JitError, jit, tables

from .common import leaf
from .embedded import (
    NO_OTHERS,
    WAYS,
    Model,
    Normed,
    by_way_of,
    drawn,
    layer,
    looks_again,
)

pytestmark = pytest.mark.usefixtures("small_tables")


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
    assume(k * e * h > 1)  # a product with a number is none
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
    assert "_met" in jitted.source


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
    """A function of embedded rows that changes columns, backward through it, and its data.

    It squares at most twice: of the powers 8 and 16 little is left where sums cancel.
    """
    n, r, k, e, h = (draw(st.integers(low, high)) for low, high in ((3, 30), (2, 6), (1, 3), (1, 4), (1, 5)))
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=7).filter(lambda names: names.count("twice") < 3))
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


@pytest.mark.parametrize(
    "change",
    [lambda v, s, b: v / s, lambda v, s, b: v / s + b, lambda v, s, b: v * (1 / s) - b, lambda v, s, b: b - v / s],
)
def test_factors_that_are_not_finite(change):
    """Each row of the table times inf would be inf of its own sign, and their sum nan."""
    (table, weight), (s, b) = layer(), (leaf(row) for row in ([[0.0, -0.0, 2.0]], [[0.5, 1.0, -1.0]]))

    def step(x):
        table.grad = weight.grad = None
        out = change(F.embedding(x, table).reshape(12, -1) @ weight, s, b)
        out.sum().backward()
        return (out,)

    with np.errstate(all="ignore"):
        assert "out" in looks_again(step)


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
    statement = next(each for each in jitted.last[0].source.body if each.text.startswith("finite_or("))
    statement.text += f"; {statement.text.partition('_instead')[0].rpartition(' ')[2]} += 0.25"
    jitted.verify = 1
    if size == 1.0:
        with pytest.raises(JitError, match="gives other numbers"):
            jitted(x, g)


@pytest.mark.parametrize(
    "inner",
    [
        lambda c: F.batch_norm(c, np.ones(8, np.float32), np.ones(8, np.float32))[0],
        lambda c: c.mean(0, keepdims=True),
        lambda c: c - c.mean(-1, keepdims=True),
        lambda c: F.layer_norm(c, (8,)),
    ],
)
@pytest.mark.parametrize("axis", [0, -1])
def test_verify_knows_what_cancels_within_an_operation(inner, axis):
    def step(x):
        return inner(x - x.mean(axis, keepdims=True))

    jitted = jit(step, without=(), verify=3)
    rng = np.random.default_rng(0)
    for i in range(4):
        jitted(tg.tensor(rng.standard_normal((512, 8)) + i, dtype=np.float32))
    assert jitted.verify == 0
    jitted.last[0].source.body[-1].text += f"; {jitted.last[0].source.results[0]}[...] += 0.25"
    jitted.verify = 1
    with pytest.raises(JitError, match="gives other numbers"):
        jitted(tg.tensor(rng.standard_normal((512, 8)), dtype=np.float32))


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
