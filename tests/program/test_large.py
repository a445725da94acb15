"""Whole training steps whose arrays are large, or thin, or in another order, to the last bit."""

import numpy as np
import pytest

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import jit, memory

from .common import leaf

OPTIMISERS = {
    "sgd": lambda parameters: tg.optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: tg.optim.SGD(parameters, lr=0.1, momentum=0.9),
}


def network(make_optimiser, zeroed):
    """A step of training, and all that it changes."""
    rng = np.random.default_rng(0)
    table, w, bias, gain, out = (leaf(rng.standard_normal(s) / 3) for s in ((9, 6), (6, 8), (8,), (8,), (8, 9)))
    parameters = [table, w, bias, gain, out]
    optimiser = make_optimiser(parameters)

    def step(x, y):
        if zeroed == "first":
            optimiser.zero_grad()
        h = F.embedding(x, table) * 2 @ w
        h = F.batch_norm(h, gain, bias)[0]
        loss = F.cross_entropy(np.tanh(h) @ out + 0.1 * (w * w).sum(), y) + (table**2).mean()
        loss.backward()
        optimiser.step()
        if zeroed == "last":
            optimiser.zero_grad()
        return loss

    return step, parameters


def left(parameters):
    return [np.copy(array.data) for each in parameters for array in (each, each.grad) if array is not None]


@pytest.mark.parametrize("zeroed", ["first", "last"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize(("large", "tile"), [(1, 32), (200, 64), (200, 640), (1000, 200)])
def test_training_in_tiles_is_exact(monkeypatch, large, tile, optimiser, zeroed):
    monkeypatch.setattr(memory, "LARGE", large)
    monkeypatch.setattr(memory, "TILE", tile)
    (eager, one), (step, other) = (network(OPTIMISERS[optimiser], zeroed) for _ in range(2))
    rng, jitted = np.random.default_rng(1), jit(step)
    for _ in range(4):
        x, y = rng.integers(0, 9, (2, 50))
        assert eager(tg.tensor(x), tg.tensor(y)).item() == jitted(tg.tensor(x), tg.tensor(y)).item()
        for a, b in zip(left(one), left(other), strict=True):
            np.testing.assert_array_equal(a, b)
    assert any(each.line.parts for each in jitted.last[0].source.body)


def test_a_large_batch():
    """At the sizes from which on memory is walked through in tiles: the gradients are there before the update."""
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape).astype(np.float32) / 8 for shape in ((16, 64), (64,), (64, 5), (5,))]
    x, y = rng.standard_normal((8192, 16)).astype(np.float32), rng.integers(0, 5, 8192)
    found = []
    for way in (lambda f: f, jit):
        w1, b1, w2, b2 = parameters = [leaf(each) for each in weights]
        optimiser = tg.optim.SGD(parameters, lr=0.5)

        @way
        def step(x, y, w1=w1, b1=b1, w2=w2, b2=b2, optimiser=optimiser):
            loss = F.cross_entropy(np.tanh(x @ w1 + b1) @ w2 + b2, y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return loss

        losses = [step(x, y).item() for _ in range(4)]
        found.append([np.float64(losses), *left(parameters)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_table_that_is_an_operand_too(monkeypatch):
    """Of the one all rows are met, of the other those of the tile."""
    monkeypatch.setattr(memory, "LARGE", 1)
    monkeypatch.setattr(memory, "TILE", 64)
    w = leaf(np.random.default_rng(0).standard_normal((4, 5)))

    def f(x, places):
        h = x @ w
        return (F.embedding(places * 1, h) * h).sum(0), ((h + 1.0) * h).sum(0)

    jitted = jit(f)
    for i in range(3):
        rng = np.random.default_rng(i)
        x, places = tg.tensor(rng.standard_normal((20, 4)), dtype=np.float32), tg.tensor(rng.integers(0, 20, 20))
        for one, other in zip(f(x, places), jitted(x, places), strict=True):
            np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize("way", ["plain", "held", "cleared"])
def test_gradients_that_are_left_where_a_step_fails_after_its_backward(way):
    found = []
    for wrap in (lambda f: f, jit):
        w = leaf(np.ones((2, 3)))
        optimiser = tg.optim.SGD([w], 0.1)

        def step(x, w=w, optimiser=optimiser):
            optimiser.zero_grad()
            loss = (w * x).sum()
            loss.backward()
            tg.check_finite(loss, "the loss")
            optimiser.step()
            return loss

        step, kept, seen = wrap(step), [], []
        for size in (1.0, 2.0, np.inf, 3.0, np.inf, 4.0):
            x = tg.tensor(np.full((2, 3), size, np.float32))
            if np.isfinite(size):
                step(x)
            else:
                with pytest.raises(FloatingPointError):
                    step(x)
            seen.append(w.grad.data.copy())
            if way == "held":
                kept.append(w.grad)
            elif way == "cleared":
                w.grad = None
        found.append([*seen, *[each.data for each in kept], w.data])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x**3,
        lambda x: tg.tensor(np.asfortranarray(np.ones((8, 40), np.float32))) * x,
        lambda x: np.zeros_like(x) + x * 0,
        lambda x: np.ones_like(x),
    ],
)
def test_the_order_in_memory_is_eagers(function):
    x = tg.tensor(np.asfortranarray(np.random.default_rng(0).standard_normal((8, 40)).astype(np.float32)))
    whole = jit(lambda x: (lambda y: (y, (y * 0.3).sum(1), y.sum()))(function(x)))
    for _ in range(3):
        y = function(x)
        for one, other in zip((y, (y * 0.3).sum(1), y.sum()), whole(x), strict=True):
            np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize("other", [np.asfortranarray, lambda grad: grad.astype(np.float64)])
def test_a_gradient_that_is_laid_out_anew_between_calls(other):
    found = []
    for wrap in (lambda f: f, jit):
        w = leaf(np.random.default_rng(0).standard_normal((7, 30)))

        def step(x, w=w):
            (w * x).sum().backward()
            return (w.grad * 0.3).sum()

        step, seen = wrap(step), []
        for i in range(6):
            total = step(tg.tensor(np.random.default_rng(i).standard_normal((7, 30)), dtype=np.float32))
            seen += [total.data.copy(), w.grad.data.copy()]
            if i == 3:
                w.grad.data = other(w.grad.data)
        found.append(seen)
    for one, two in zip(*found, strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)


def test_the_gradient_of_one_row_that_is_minus_zero():
    """A sum that begins with 0 is 0."""
    w = leaf([[1.0]])

    def step(places, g):
        w.grad = None
        (F.embedding(places, w) * g).sum().backward()
        return w.grad * 1.0

    jitted, args = jit(step), (tg.tensor([0]), tg.tensor([[-0.0]]))
    for _ in range(3):
        assert step(*args).data.tobytes() == jitted(*args).data.tobytes()


@pytest.mark.parametrize(
    "shapes", [((1, 1), (1, 3)), ((3, 1), (1, 1)), ((1, 1), (1, 1)), ((3, 1), (1, 3)), ((1, 3), (3, 1))]
)
@pytest.mark.parametrize("values", [(0.0, np.inf), (np.nan, -0.0), (-0.0, 1.0), (-1.0, 0.0)])
def test_products_of_thin_matrices(shapes, values):
    """BLAS leaves out what is multiplied by a number that is 0."""
    x, y = (tg.tensor(np.full(shape, value, np.float32)) for shape, value in zip(shapes, values, strict=True))
    jitted = jit(lambda x, y: x @ y)
    with np.errstate(all="ignore"):
        jitted(x, y)
        one, other = (x @ y).data, jitted(x, y).data
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.signbit(one[one == 0]), np.signbit(other[other == 0]))
