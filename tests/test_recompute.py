"""checkpoint: the same derivatives as without it, with less memory; and what it refuses."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F

from .messages import refused

plain = lambda f: f  # noqa: E731


def leaf(data, dtype=np.float64):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def same(one, other):
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-12, atol=1e-14)


# The same as without it.

RNG = np.random.default_rng(0)
W, U, X = RNG.normal(size=(3, 3)), RNG.normal(size=3), RNG.normal(size=3)


def net(wrap, w, u):
    """Three layers with captured parameters, and results of parameters, in and out of structures."""
    scaled = u * 2.0

    def layer(p, *, gain):
        h = np.tanh(p["x"] @ w + scaled) * gain
        return {"x": h + p["x"], "sum": [h.sum(), w[0]]}

    def f(x):
        p = {"x": x}
        total = 0.0
        for gain in (0.5, 1.0, x[0]):
            p = wrap(layer)(p, gain=gain)
            total = total + p["sum"][0] * p["sum"][1].sum()
        return total + (p["x"] * p["x"]).sum()

    return f


DERIVATIVES = {
    "gradient": lambda f, x: f(x),
    "gradient of the gradient": lambda f, x: (tg.grad(f)(x) ** 2).sum(),
    "hessian": lambda f, x: (tg.hessian(f)(x) * np.arange(9).reshape(3, 3)).sum(),
    "hvp": lambda f, x: (tg.hvp(f)(x, U) * np.arange(3)).sum(),
    "jvp": lambda f, x: tg.jvp(f, (x,), (U,))[1],
    "jvp of the gradient": lambda f, x: (tg.jvp(tg.grad(f), (x,), (U,))[1] * np.arange(3)).sum(),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_all_derivatives(name):
    results = []
    for wrap in (plain, tg.checkpoint, lambda f: tg.checkpoint(tg.checkpoint(f))):
        w, u, x = leaf(W), leaf(U), leaf(X)
        value = DERIVATIVES[name](net(wrap, w, u), x)
        value.backward()
        results.append([value.item(), x.grad.data, w.grad.data, u.grad.data])
    for result in results[1:]:
        for one, other in zip(results[0], result, strict=True):
            same(one, other)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["checkpoint", "nest", "plain"]), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_any_mixture(kinds, seed):
    """Some layers checkpointed, some within each other, some not."""
    rng = np.random.default_rng(seed)
    weights, x = [rng.normal(size=(3, 3)) for _ in kinds], rng.normal(size=3)

    def run(checkpointed):
        ws, t = [leaf(w) for w in weights], leaf(x)
        y = t
        for kind, w in zip(kinds, ws, strict=True):
            f = lambda y, w=w: np.tanh(y @ w) * y[0]  # noqa: E731
            if checkpointed and kind != "plain":
                f = tg.checkpoint((lambda y, f=f: tg.checkpoint(f)(y) + 0.0) if kind == "nest" else f)
            y = f(y)
        y.sum().backward()
        return [y.data, t.grad.data, *[w.grad.data for w in ws]]

    for one, other in zip(run(False), run(True), strict=True):
        same(one, other)


def test_what_else_it_returns():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    constant = tg.tensor([1, 2])

    def f(x, n):
        y = x * w
        return y, {"n": n, "int": constant, "none": None}, (y, y[:1], x, w, x[1:], y.sum())

    y, rest, several = tg.checkpoint(f)(x, "text")
    assert rest["n"] == "text"
    assert rest["int"] is constant
    assert rest["none"] is None
    assert all(each.requires_grad and not each.is_leaf for each in (y, *several))
    assert several[0] is y  # as f returned it twice
    assert [each.tolist() for each in several] == [[3, 8], [3], [1, 2], [3, 4], [2], 11]
    (several[1].sum() + several[2].sum() * 2 + several[3].sum() * 3 + several[4].sum() * 4).backward()
    assert x.grad.tolist() == [3 + 2, 2 + 4]
    assert w.grad.tolist() == [1 + 3, 3]


def test_outputs_share_memory_with_nothing():
    x = leaf([1.0, 2.0])
    z = x * 1
    for f in (lambda z: z, lambda z: z[:], lambda z: z.reshape(1, 2)):
        y = tg.checkpoint(f)(z)
        y *= 3
        assert z.tolist() == [1, 2]
        y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [9, 9]


def test_without_recording_it_is_the_function():
    x = leaf([1.0, 2.0])
    with tg.no_grad():
        assert tg.checkpoint(lambda x: x * 2)(x).is_leaf
    assert not tg.checkpoint(lambda x: x * 2)(tg.tensor([1.0])).requires_grad
    assert tg.checkpoint(lambda x: x + 1)(3) == 4

    @tg.checkpoint
    def named(x):
        """What it does."""
        return x

    assert (named.__name__, named.__doc__) == ("named", "What it does.")
    assert "checkpoint" in repr(tg.checkpoint(lambda x: x * 2)(x))


def test_backward_twice():
    x = leaf([1.0, 2.0])
    y = tg.checkpoint(lambda x: x * x)(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8]
    with refused(RuntimeError, "backward: the arrays that checkpoint needs were freed"):
        y.backward()


def test_how_often_it_runs():
    ran = []

    def f(x):
        ran.append(thread_records())
        return x.tanh()

    x = leaf([1.0])
    y = tg.checkpoint(f)(x)
    assert ran == [True]
    y.backward()
    assert ran == [True, True]
    unused = tg.checkpoint(f)(x)
    (x * 2).backward()
    assert len(ran) == 3
    del unused


def thread_records():
    return (leaf(1.0) * 2).requires_grad


def test_hooks_and_leaves_get_the_gradient_once():
    w, seen = leaf([1.0, 2.0]), []
    w.register_hook(lambda g: seen.append(g.tolist()))
    inner = w * 2
    inner.register_hook(lambda g: seen.append(g.tolist()))
    f = tg.checkpoint(lambda x: (x * inner * w).sum())
    (f(leaf([1.0, 1.0])) + f(leaf([2.0, 2.0]))).backward()
    assert seen == [[3, 6], [12, 24]]


def test_a_chain_of_checkpoints():
    x = leaf([1.0])
    y = x
    for _ in range(2000):
        y = tg.checkpoint(lambda y: y * 1.0)(y)
    y.backward()
    assert x.grad.tolist() == [1]


# Memory.


def test_the_peak_is_lower():
    size, layers, depth = 100_000, 8, 8
    x = leaf(np.ones(size))

    def block(y):
        for _ in range(depth):
            y = np.tanh(y)
        return y

    def peak(wrap):
        x.zero_grad()
        tracemalloc.start()
        try:
            y = x
            for _ in range(layers):
                y = wrap(block)(y)
            y = y.sum()
            y.backward()
            return tracemalloc.get_traced_memory()[1] / (8 * size), x.grad.data.copy()
        finally:
            tracemalloc.stop()

    (without, expected), (with_it, gradient) = peak(plain), peak(tg.checkpoint)
    same(gradient, expected)
    assert without > layers * depth
    assert with_it < layers + depth + 6


# Random numbers.


@pytest.mark.parametrize(
    "draw", [lambda g: g.rand(3), lambda g: g.randn(3), lambda g: g.randn(3) + g.randint(0, 9, (3,))]
)
def test_the_same_numbers_are_drawn_again(draw):
    found = []
    for wrap in (plain, tg.checkpoint, lambda f: tg.checkpoint(tg.checkpoint(f))):
        generator, x = tg.Generator().manual_seed(5), leaf([1.0, 2.0, 3.0])
        generator.randn(1)  # a normal number is held back

        def f(x, generator=generator):
            return np.tanh(x * draw(generator)) * draw(generator)

        y = wrap(f)(wrap(f)(x))
        between = generator.rand(2).tolist()
        y.sum().backward()
        found.append((x.grad.tolist(), between, generator.rand(2).tolist()))
        second = tg.grad(lambda x, wrap=wrap, f=f: (tg.grad(lambda x: wrap(f)(x).sum())(x) ** 2).sum())(x)
        found[-1] += (second.tolist(), generator.rand(1).tolist())
    assert found[0] == found[1] == found[2]


def test_dropout():
    generator, x = tg.Generator().manual_seed(1), leaf(np.ones(1000))

    def dropout(x):
        return x * (generator.rand(1000) < 0.5) * 2.0

    y = tg.checkpoint(dropout)(x)
    generator.rand(7)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_other_random_numbers_are_noticed():
    rng = np.random.default_rng(0)
    y = tg.checkpoint(lambda x: (x * rng.random(3)).sum())(leaf([1.0, 2.0, 3.0]))
    with refused(RuntimeError, "checkpoint: <lambda> returned something else when it was run again"):
        y.backward()


# Changes in place.


def test_a_captured_tensor_that_was_changed():
    for captured in (leaf([1.0, 2.0]), tg.tensor([1.0, 2.0]), leaf([1.0, 2.0]) * 1):
        x = leaf([3.0, 4.0])
        y = tg.checkpoint(lambda x, c=captured: np.exp(x * 0.1 + c).sum())(x)
        with tg.no_grad():
            captured += 1
        with refused(RuntimeError, "backward: checkpoint needs an array that was changed in place"):
            y.backward()
        assert x.grad is None


def test_an_input_that_was_changed():
    x = leaf([3.0, 4.0])
    for z in (x * 1, tg.tensor([1.0, 2.0])):
        y = tg.checkpoint(lambda z, x: (z * x).tanh().sum())(z, x)
        z[0] = 7.0
        with refused(RuntimeError, "backward: checkpoint needs an array that was changed in place"):
            y.backward()


def test_a_plain_array_that_was_changed():
    array = np.array([1.0, 2.0])
    y = tg.checkpoint(lambda x: (x * array).sum())(leaf([3.0, 4.0]))
    array += 1
    with refused(RuntimeError, "checkpoint: <lambda> returned something else", "does it read what has changed since"):
        y.backward()


def test_another_result_at_the_second_run():
    shapes = iter([(2,), (3,)])
    y = tg.checkpoint(lambda x: x.sum() * np.ones(next(shapes)))(leaf([3.0, 4.0]))
    with refused(RuntimeError, "checkpoint: <lambda> returned something else"):
        y.sum().backward()


def test_what_the_function_changes_itself():
    """Its own tensors it may; others not, since that would be done twice."""

    def own(x):
        out = tg.zeros(2, dtype=np.float64)
        out[0] = x[1] * 2
        out[1] = out[0].clone() * x[0]
        y = x * 1
        y *= out
        return y.sum()

    x, z = leaf([3.0, 4.0]), leaf([3.0, 4.0])
    tg.checkpoint(own)(x).backward()
    own(z).backward()
    same(x.grad, z.grad)
    counter = tg.tensor([0.0, 0.0])

    def others(x):
        counter.__iadd__(1)
        return (x * counter).sum()

    with refused(RuntimeError, "checkpoint: others changes a tensor in place that it did not make"):
        tg.checkpoint(others)(x)


def test_the_output_may_be_changed():
    x = leaf([3.0, 4.0])
    y = tg.checkpoint(lambda x: x * x)(x)
    y += 1
    y[0] = 0.0
    (y * y).sum().backward()
    assert x.grad.tolist() == [0, 2 * 17 * 2 * 4]


def test_in_a_training_step():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(4, 4)) for _ in range(3)]
    x, targets = rng.normal(size=(8, 4)), rng.integers(0, 4, 8)

    def train(wrap):
        parameters = [leaf(w) for w in weights]
        optimiser = tg.optim.SGD(parameters, 0.1)
        losses = []
        for _ in range(5):
            h = tg.tensor(x)
            for w in parameters:
                h = wrap(lambda h, w: np.tanh(h @ w))(h, w)
            loss = F.cross_entropy(h, targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return losses

    assert train(plain) == train(tg.checkpoint)


def test_errors():
    with refused(TypeError, "checkpoint: takes a function, got int"):
        tg.checkpoint(3)

    def fails(x):
        raise ZeroDivisionError

    with tg.no_grad(), pytest.raises(ZeroDivisionError):
        tg.checkpoint(fails)(1.0)
    with pytest.raises(ZeroDivisionError):
        tg.checkpoint(fails)(leaf(1.0))
    y = leaf([1.0, 2.0]) * 1
    view = y[:1]
    y *= 2
    with refused(RuntimeError, "checkpoint: the tensor shares memory"):
        tg.checkpoint(lambda x: x * 2)(view)
