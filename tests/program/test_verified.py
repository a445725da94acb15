"""What verify takes for the same, and what it finds."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.program import JitError, jit, memory

from ..messages import refused
from .common import A, adding_to, leaf


def test_nan_is_nan_whatever_its_bits_are(monkeypatch):
    monkeypatch.setattr(memory, "LARGE", 64)
    monkeypatch.setattr(memory, "TILE", 64)
    rng = np.random.default_rng(0)
    for n, c in ((5, 3), (12, 5), (17, 6)):
        x = rng.standard_normal((n, c)).astype(np.float32)
        x[0, :2] = np.nan
        y = np.where(rng.random((n, c)) > 0.5, -np.nan, 1).astype(np.float32)
        jitted = jit(lambda x, y, z: (x - x.mean(0)) / x.std(0) * y[0] + z[0], verify=3)
        for _ in range(3):
            jitted(x, y, y)


def test_a_gradient_that_can_not_be_written_to():
    w = leaf(A)

    @jit(verify=3)
    def step(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        return loss

    for _ in range(3):
        step(tg.tensor(A))
        w.grad = tg.from_numpy(np.broadcast_to(np.float32(1), (2, 3)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.std(0),
        lambda x: np.sqrt(x.var(1)),
        lambda x: x / (x.std(1, keepdims=True) + 0.1),
        lambda x: np.sqrt(((x - x.mean(1, keepdims=True)) ** 2).mean(1)),
    ],
)
@pytest.mark.parametrize(("dtype", "far"), [(np.float32, 100.0), (np.float32, 1e4), (np.float64, 1e6)])
def test_what_is_far_from_zero(function, dtype, far):
    for n in (9, 1000):
        x = (np.random.default_rng(0).standard_normal((n, 9)) * 1e-3 + far).astype(dtype)
        jitted = jit(function, without=(), verify=2)
        for _ in range(3):
            jitted(x)


def broken(jitted, old, new):
    """One of the program's statements replaced."""
    statement = next(each for each in jitted.last[0].source.body if each.text.startswith(old))
    statement.text = statement.text.replace(old, new)
    jitted.verify = 1


@pytest.mark.parametrize("without", [None, ()])
def test_gradients_that_are_added_to_are_compared_in_the_end(without):
    w = leaf(A)

    step = adding_to(w)
    jitted = jit(step) if without is None else jit(step, without=without)
    for _ in range(3):
        jitted(tg.tensor(A))
    jitted.verify = 1
    jitted(tg.tensor(A))
    broken(jitted, "add(grad_w", "np.subtract(grad_w")
    with refused(JitError, "jit: verify: the program leaves other numbers in grad_w"):
        jitted(tg.tensor(A))


def test_results_are_compared_in_the_end():
    jitted = jit(lambda x: (x * 2, (x * 2 + 1).sum()))
    jitted(tg.tensor(A))
    last = jitted.last[0].source.body[-1]
    last.text += f"; {jitted.last[0].source.results[0]}[...] = 0"
    jitted.verify = 1
    with refused(JitError, "jit: verify: the program leaves other numbers in"):
        jitted(tg.tensor(A))


def test_a_report_of_what_has_changed():
    w = leaf(A)

    step = jit(adding_to(w))
    for _ in range(2):
        step(tg.tensor(A))
    step.report()
    w.grad = None
    with refused(JitError, "jit: report: what the program depends on has changed since"):
        step.report(profile=True)
