"""`.grad` after a replay is what eager leaves there; parameters, hooks and graphs of what is outside."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.program import JitError, jit

from ..messages import refused
from .common import A, leaf, recordings


def test_gradients_accumulate_as_in_eager():
    results = []
    for wrap in (lambda f: f, jit):
        w = leaf(A)
        f = wrap(lambda x, w=w: ((x * w) ** 2).sum().backward())
        seen = []
        for i in range(5):
            if i == 3:
                w.grad = None
            f(leaf(A + i))
            seen.append(w.grad.data.copy())
            kept = w.grad
        f(leaf(A))
        seen.append(kept.data.copy())  # added to in place, as in eager
        results.append(seen)
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


def test_gradients_are_the_users():
    w = leaf(A)

    def f(x):
        w.grad = None
        (x * w).sum().backward()

    jitted = jit(f)
    grads = []
    for i in range(3):
        jitted(tg.tensor(A + i))
        grads.append(w.grad)
    for i, grad in enumerate(grads):
        assert np.array_equal(grad.data, A + i)


def test_leaves_among_the_arguments_have_their_gradients():
    w = leaf(A)
    jitted = jit(lambda x, y: ((x * w).sum() + (y * y).sum()).backward())
    for i in range(3):
        x, y = leaf(A + i), leaf(A - i)
        jitted(x, y)
        assert np.array_equal(x.grad.data, w.data)
        assert np.array_equal(y.grad.data, 2 * (A - i))
        assert np.array_equal(w.grad.data, sum(A + k for k in range(i + 1)))
    x.grad.data[...] = 0  # it is the caller's
    assert np.array_equal(y.grad.data, 2 * (A - 2))


def test_gradients_that_somebody_holds_are_not_overwritten():
    w, v = leaf(A), leaf(A[0])
    optimiser = tg.optim.SGD([w, v], 0.0)

    def f(x):
        optimiser.zero_grad()
        ((x * w).sum() + (x * v).sum()).backward()
        optimiser.step()

    jitted = jit(f)
    held = []
    for i in range(6):
        jitted(tg.tensor(A + i))
        # a Tensor, an array, a part of an array, a Tensor that shares it, or nothing
        held.append([w.grad, w.grad.data, v.grad.data[1:], v.grad.detach(), None, memoryview(w.grad.data)][i])
    for i, each in enumerate(held):
        if each is not None:
            wanted = [A + i, A + i, (A + i).sum(0)[1:], (A + i).sum(0), None, A + i][i]
            assert np.array_equal(np.asarray(each), wanted)
    w.grad = None
    v.grad = tg.tensor([1.0, 2.0, 3.0])
    jitted(tg.tensor(A))
    assert np.array_equal(w.grad.data, A)
    assert np.array_equal(v.grad.data, A.sum(0))
    assert recordings(jitted) == 1


def test_parameters_that_somebody_holds_are_not_moved():
    w, v, held = leaf(A), leaf(A[0]), []
    held.append(w.data)
    optimiser = tg.optim.SGD([w, v], 1.0)

    def f(x):
        optimiser.zero_grad()
        ((x * w).sum() + (x * v).sum()).backward()
        optimiser.step()

    jitted = jit(f)
    for _ in range(3):
        jitted(tg.tensor(A))
    assert held[0] is w.data
    assert "flat" not in jitted.source
    held.clear()
    w.data = w.data.copy()  # a checkpoint was loaded: the program is bound anew
    jitted(tg.tensor(A))
    assert np.array_equal(w.data, A - 4 * A)
    assert np.array_equal(v.data, A[0] - 4 * A.sum(0))
    assert recordings(jitted) == 1


def test_a_gradient_that_is_still_needed():
    results = []
    for wrap in (lambda f: f, jit):
        w = leaf(A)
        w.grad = tg.zeros((2, 3))

        def f(x, w=w):
            old, w.grad = w.grad, None
            (np.tanh(w * x) * w).sum().backward()
            with tg.no_grad():
                return w.grad - old

        g = wrap(f)
        results.append([g(tg.tensor(A * (i + 1))).tolist() for i in range(5)])
    assert results[0] == results[1]


def test_gradients_after_an_error():
    for zeroed_first in (False, True):
        found = []
        for wrap in (lambda f: f, jit):
            w = leaf(A)

            def f(x, w=w, zeroed_first=zeroed_first):
                if zeroed_first:
                    w.grad = None
                loss = tg.check_finite((w * x).sum() * 2.0, "the loss")
                w.grad = None
                loss.backward()

            g = wrap(f)
            for _ in range(3):
                g(tg.tensor(A))
            with pytest.raises(FloatingPointError), np.errstate(all="ignore"):
                g(tg.tensor(A * np.inf))
            found.append(None if w.grad is None else w.grad.tolist())
        assert found[0] == found[1]


def test_hooks_on_leaves():
    w = leaf(A)

    def f(x):
        w.grad = None
        (x * w).sum().backward()

    jitted = jit(f)
    for _ in range(2):
        jitted(tg.tensor(A))
        assert np.array_equal(w.grad.data, A)
    handle = w.register_hook(lambda g: g * 10)
    for _ in range(2):
        jitted(tg.tensor(A))
        assert np.array_equal(w.grad.data, A * 10)
    handle.remove()
    for _ in range(2):
        jitted(tg.tensor(A))
        assert np.array_equal(w.grad.data, A)
    given = jit(lambda x: (x * A).sum().backward())
    for hook in (None, lambda g: g * 10, None):
        x = leaf(A)
        if hook is not None:
            x.register_hook(hook)
        given(x)
        assert np.array_equal(x.grad.data, A if hook is None else A * 10)


def test_targets_that_are_ignored():
    w = leaf(np.arange(12).reshape(4, 3) / 8)

    def f(y):
        w.grad = None
        loss = tg.functional.cross_entropy(w * 2, y)
        loss.backward()
        return loss

    jitted = jit(f)
    for y in ([0, 1, 2, 0], [0, 1, 2, 1], [-100, 1, 2, 0], [0, -100, -100, 1], [2, 1, 0, 2]):
        wanted, grad = f(tg.tensor(y)).item(), w.grad.data.copy()
        assert jitted(tg.tensor(y)).item() == wanted
        assert np.array_equal(w.grad.data, grad)
    with pytest.raises(IndexError, match="cross_entropy: index 5 is out of range"):
        jitted(tg.tensor([0, 5, 1, 1]))


def test_writing_to_a_tensor_from_outside_with_a_gradient():
    w, out = leaf(A), tg.zeros((2, 3))
    with refused(JitError, "jit: a Tensor from outside was written to with a gradient"):
        jit(lambda: out.__setitem__(0, w[0]))()


def test_graphs_from_outside_are_refused():
    w = leaf(A)
    product = w * 2
    with refused(JitError, "jit: an argument is the result of operations outside, to which no gradient can flow"):
        jit(lambda x: x.sum())(product)
    with refused(JitError, "jit: a Tensor from outside is the result of operations there, to which no gradient can"):
        jit(lambda: product.sum())()
    with tg.no_grad():
        assert jit(lambda x: x.sum())(product).item() == 2 * A.sum()
