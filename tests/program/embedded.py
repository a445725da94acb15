"""Layers on embedded rows, for the tests of the pass that computes them by way of the table."""

import re

import numpy as np

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import by_table, jit, tables

from .common import leaf

OTHERS = ("powers", "reciprocals", "sums")  # passes that round, too
NO_OTHERS = ("powers", "reciprocals")  # but sums of rows are products, which this pass knows
ALL = {"out", "grad_weight", "grad_table"}
ORIGINAL = {name: getattr(tables, name) for name in ("WAYS", "cost", "may_save")}
WAYS = [("products", "sums"), ("products", "sums", "columns")]


def taken(code):
    """How many lines go another way."""
    ways = by_table.finite_or, by_table.are_finite
    return sum(callable(each) and each in ways for line in code.lines for each in line.reads)


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


def stays(step, x):
    """It gives the same numbers, and takes no other way."""
    jitted = jit(step, without=OTHERS)
    jitted(x)
    for one, other in zip(step(x), jitted(x), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    assert not by_way_of(jitted.source)
