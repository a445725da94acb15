"""What a function does within: checkpoint, anomaly mode, transforms, retained gradients, leaves, several updates."""

import numpy as np
import pytest

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import JitError, jit

from .common import leaf

C = np.array([0.5, -1.5])


def weights():
    return leaf(np.linspace(-1, 1, 6).reshape(3, 2))


def checkpointed(f, w):
    """Forward and backward of a function that a checkpoint computes again."""

    def step(x):
        w.grad = None
        outputs = tg.checkpoint(f)(x)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        sum((out**2).sum() for out in outputs).backward()
        return w.grad, *[out.detach() for out in outputs]

    return step


def in_place(x, w):
    h = np.tanh(x @ w) * 1.0
    h[0] = 0.0
    h *= 2
    return h


CHECKPOINTED = {
    "matmul": lambda x, w: x @ w,
    "tanh": lambda x, w: np.tanh(x @ w),
    "maximum": lambda x, w: np.maximum(x @ w, 0),
    "a constant": lambda x, w: np.tanh(x @ w * C) + tg.ones(2) * x.sum(),
    "in place": in_place,
    "several": lambda x, w: (x @ w, np.exp(x @ w).T),
    "views of one": lambda x, w: (lambda h: (h, h[:2], h.T))(np.sin(x @ w)),
    "batch norm": lambda x, w: F.batch_norm(x @ w, np.ones(2), np.zeros(2))[0],
    "twice": lambda x, w: tg.checkpoint(lambda y: np.tanh(y @ w))(x) * (x @ w),
}


def anomaly(x, w):
    with tg.detect_anomaly():
        w.grad = None
        h = np.tanh(x @ w) * C
        h[0] = 1.0
        (h**2).sum().backward()
    return w.grad, h.detach()


def retained(x, w):
    w.grad = None
    h = np.tanh(x @ w)
    h.retain_grad()
    (h * h).sum().backward()
    return h.grad, w.grad, h.grad * 2


def leaf_within(x, w):
    w.grad = None
    scale = tg.tensor([1.0, 2.0], requires_grad=True)
    shift = (x @ w).detach()
    shift.requires_grad = True
    np.tanh(x @ w * scale + shift).sum().backward()
    return scale.grad, shift.grad


def hook_within(x, w):
    h = np.tanh(x @ w)
    h.register_hook(lambda g: g * x.sum())
    w.grad = None
    (h * h).sum().backward()
    return (w.grad,)


def vjp(x, w):
    y, pull = tg.vjp(lambda w: np.tanh(x @ w), w.detach())
    return (y, pull(y * 2))


def select(x, w):
    h = x @ w
    w.grad = None
    y = np.select([h > 0.5, h < -0.5], [h * 2, np.sin(h)], h**2)
    z = np.choose((h > 0).astype(np.int64), [h * 3, h])
    (y + z).sum().backward()
    return y, z, w.grad


WITHIN = {
    "select": select,
    "anomaly": anomaly,
    "retained": retained,
    "leaf": leaf_within,
    "hook": hook_within,
    "grad": lambda x, w: (tg.grad(lambda w: np.tanh(x @ w).sum())(w.detach()),),
    "grad of what requires one": lambda x, w: (tg.grad(lambda w: np.tanh(x @ w).sum())(w),),
    "vjp": vjp,
    "jvp": lambda x, w: tg.jvp(lambda w: np.tanh(x @ w), (w.detach(),), (w.detach() * x.sum(),)),
    "hvp": lambda x, w: (tg.hvp(lambda w: np.tanh(x @ w).sum())(w.detach(), w.detach() ** 2),),
    "jacobian": lambda x, w: (tg.jacobian(lambda w: np.tanh(x @ w))(w.detach()),),
    "hessian": lambda x, w: (tg.hessian(lambda w: np.tanh(x @ w).sum())(w.detach()),),
    "grad of an input": lambda x, w: (tg.grad(lambda x: np.tanh(x @ w.detach()).sum())(x),),
}


def same(build, rounds=4):
    """Bit for bit, with numbers that change, by one recording."""
    (eager, one), (function, other) = build(), build()
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    jitted = jit(counted)
    for i in range(rounds):
        x = np.random.default_rng(i).standard_normal((4, 3)).astype(np.float32)
        for a, b in zip(eager(x), jitted(x), strict=True):
            np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(one.data, other.data)
        for each in (one, other):
            each.data[...] += 0.125
    assert len(calls) == 1


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_checkpoint(name):
    def build():
        w = weights()
        return checkpointed(lambda x: CHECKPOINTED[name](x, w), w), w

    same(build)


@pytest.mark.parametrize("name", WITHIN)
def test_within(name):
    def build():
        w = weights()
        return (lambda x: WITHIN[name](x, w)), w

    same(build)


def test_draws_within_anomaly_mode():
    results = []
    for make in (lambda f: f, jit):
        generator, w = tg.Generator().manual_seed(0), weights()

        def step(x, generator=generator, w=w):
            with tg.detect_anomaly():
                return F.dropout(x @ w, 0.5, generator=generator)

        function = make(step)
        results.append([np.copy(function(np.ones((4, 3), np.float32)).data) for _ in range(4)])
    np.testing.assert_array_equal(*results)
    assert not np.array_equal(*results[0][:2])


def test_what_is_asked_for_or_drawn_within_is_refused():
    generator, w = tg.Generator().manual_seed(0), weights()

    def anomalous(x):
        with tg.detect_anomaly():
            return x * 2 if (x @ w).sum() > 0 else x

    def asks(x):
        return tg.checkpoint(lambda x: (x @ w) * float((x @ w).sum()))(x).detach()

    def draws(x):
        return tg.checkpoint(lambda x: F.dropout(x @ w, 0.5, generator=generator))(x).detach()

    for function, said in ((anomalous, "item asks"), (asks, "float asks"), (draws, "checkpoint.. draws again")):
        with pytest.raises(JitError, match=f"^jit: {said}.*outside of the function; .*test_within.py"):
            jit(function)(np.ones((4, 3), np.float32))


@pytest.mark.parametrize("zeroed", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_several_updates_in_one_call(zeroed, momentum):
    """Also of gradients that go on from those before, which lie side by side already."""

    def build():
        w, bias = weights(), leaf(np.zeros(2))
        optimiser = tg.optim.SGD([w, bias], lr=0.01, momentum=momentum)

        def step(x):
            optimiser.zero_grad()
            for _ in range(3):
                loss = np.tanh(x @ w + bias).sum()
                if zeroed:
                    optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            return loss.detach(), w.grad, bias.grad, bias.detach()

        return step, w

    same(build)


def test_the_same_update_twice():
    """The change, which is computed once, is read by more than one line."""

    def build():
        w, bias = weights(), leaf(np.zeros(2))
        optimiser = tg.optim.SGD([w, bias], lr=0.1)

        def step(x):
            optimiser.zero_grad()
            loss = np.tanh(x @ w + bias).sum()
            loss.backward()
            optimiser.step()
            optimiser.step()
            return loss.detach(), bias.detach()

        return step, w

    same(build)


@pytest.mark.parametrize("copy", [True, False])
def test_gradients_that_go_on_and_are_returned(copy):
    one, other = weights(), weights()

    def step(x, w):
        loss = np.tanh(x @ w).sum()
        loss.backward()
        return loss.detach(), w.grad

    jitted = jit(lambda x: step(x, other), copy=copy)
    for i in range(6):
        x = np.random.default_rng(i).standard_normal((4, 3)).astype(np.float32)
        for a, b in zip(step(x, one), jitted(x), strict=True):
            np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(one.grad.data, other.grad.data)


SLOPE = [1.0]


def test_what_a_rule_of_ones_own_knows_from_outside():
    @tg.primitive(vjp=lambda g: g * SLOPE[0])
    def sloped(x):
        return x * SLOPE[0]

    w = weights()

    def step(x):
        w.grad = None
        loss = (sloped(w) * x).sum()
        loss.backward()
        return loss.detach(), w.grad

    jitted, x = jit(step), tg.tensor(np.ones((3, 2), np.float32))
    try:
        for slope in (1.0, 2.0, 2.0, 3.0):
            SLOPE[0] = slope
            for a, b in zip([np.copy(each.data) for each in step(x)], jitted(x), strict=True):
                np.testing.assert_array_equal(a, b.data)
        assert sum(map(len, jitted.replays.values())) == 3
    finally:
        SLOPE[0] = 1.0
        del tg.op.table["sloped"]
