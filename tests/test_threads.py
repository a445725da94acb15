"""Threads: each has modes of its own, and what one computes another does not change."""

import threading

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.anomaly import AnomalyError


def run_together(*functions):
    """Their results; they start at the same time."""
    start, results, errors = threading.Barrier(len(functions)), [None] * len(functions), []

    def run(i, function):
        start.wait(20)
        try:
            results[i] = function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return results


def perceptron(seed, steps=40, watched=False):
    """Trains with batch_norm; evaluates under no_grad every other step."""

    def train():
        rng = np.random.default_rng(seed)
        generator = tg.Generator().manual_seed(seed)
        shapes = [(6, 20), (20,), (20,), (20, 4)]
        parameters = [tg.tensor(rng.normal(size=s).astype(np.float32), requires_grad=True) for s in shapes]
        w1, gain, bias, w2 = parameters
        optimiser = tg.optim.SGD(parameters, 0.05, momentum=0.9)
        x, y = rng.normal(size=(64, 6)).astype(np.float32), rng.integers(0, 4, 64)
        losses = []

        def loss(rows):
            hidden, _, _ = F.batch_norm(tg.tensor(x[rows]) @ w1, gain, bias)
            return F.cross_entropy(hidden.tanh() @ w2, y[rows])

        def step():
            rows = generator.randint(0, 64, (16,)).numpy()
            optimiser.zero_grad()
            value = loss(rows)
            value.backward()
            optimiser.step()
            losses.append(value.item())

        for _ in range(steps):
            if watched:
                with tg.detect_anomaly():
                    step()
            else:
                step()
            with tg.no_grad():
                value = loss(np.arange(64))
                assert not value.requires_grad
                losses.append(value.item())
        return losses, [p.tolist() for p in parameters]

    return train


def penalty(seed, steps=15):
    """Trains through a gradient, with checkpoint and a hook."""

    def train():
        rng = np.random.default_rng(seed)
        w, v = (tg.tensor(rng.normal(size=s), requires_grad=True) for s in ((5, 8), (8,)))
        x, seen = tg.tensor(rng.normal(size=(4, 5))), []
        w.register_hook(lambda g: seen.append(float(g.sum())))
        for _ in range(steps):
            critic = tg.checkpoint(lambda x: (np.tanh(x @ w) @ v).sum())
            slopes = tg.grad(critic)(x)
            ((slopes * slopes).sum(axis=1) - 1.0).sum().backward()
            with tg.no_grad():
                for p in (w, v):
                    p -= 0.01 * p.grad
                    p.zero_grad()
        return seen, w.tolist(), v.tolist()

    return train


@pytest.mark.parametrize(
    "functions",
    [
        (perceptron(0), perceptron(1)),
        (perceptron(0), perceptron(1, watched=True)),
        (perceptron(0, watched=True), penalty(1)),
        (penalty(0), penalty(1), perceptron(2)),
    ],
    ids=["training", "one of them watched", "with a gradient penalty", "three"],
)
def test_together_as_alone(functions):
    """Bit for bit."""
    alone = [function() for function in functions]
    for _ in range(3):
        assert run_together(*functions) == alone


def test_a_watch_sees_its_own_thread_only():
    rounds, inside = 200, []

    def watched():
        for _ in range(rounds):
            with tg.detect_anomaly():
                try:
                    tg.tensor([1.0]) / 0.0
                except AnomalyError:
                    inside.append(1)

    def free():
        with np.errstate(all="ignore"):
            return sum(int((tg.tensor([1.0]) / 0.0).item() == np.inf) for _ in range(rounds))

    assert run_together(watched, free) == [None, rounds]
    assert len(inside) == rounds


def test_a_graph_made_in_one_thread_is_walked_in_another():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    made = []
    run_together(lambda: made.append((x * x).sum()))
    run_together(lambda: made[0].backward())
    assert x.grad.tolist() == [2, 4]


def test_a_checkpoint_notes_the_draws_of_its_own_thread_only():
    mine, other = tg.Generator().manual_seed(1), tg.Generator().manual_seed(2)
    expected = tg.Generator().manual_seed(2).rand(2000).tolist()

    def draws():
        return [other.rand(1).item() for _ in range(2000)]

    def trains():
        for _ in range(100):
            x = tg.tensor([1.0, 2.0], requires_grad=True)
            y = tg.checkpoint(lambda x: x * mine.rand(2))(x)
            y.sum().backward()
            assert x.grad.tolist() == (y / x).tolist()

    assert run_together(draws, trains)[0] == expected
