"""What is saved is what the next call would run: its parameters, names, orders in memory and definitions."""

import numpy as np
import pytest

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import JitError, jit

from ..messages import refused
from .common import A, adding_to, leaf
from .test_saved import load


def is_the_same(jitted, path, *args):
    """Two calls of the module give what two calls of the function give."""
    jitted.save(path)
    module = load(path)
    for _ in range(2):
        found, wanted = module[jitted.title](*args), jitted(*args)
        found, wanted = (each if isinstance(each, (list, tuple)) else [each] for each in (found, wanted))
        for one, other in zip(found, wanted, strict=True):
            assert np.asarray(one).tobytes() == other.data.tobytes()
    return module


def test_a_part_of_what_lies_side_by_side(tmp_path):
    """The parameters that a training step has moved into one array, in another function."""
    one, other = leaf(np.arange(16.0)), leaf(np.arange(64.0) * 3 + 1)
    optimiser = tg.optim.SGD([one, other], 0.1)

    @jit
    def train(x):
        optimiser.zero_grad()
        loss = (one * one).sum() + (other * other).sum()
        loss.backward()
        optimiser.step()
        return loss * x

    x = np.full((), 2, np.float32)
    for _ in range(2):
        train(x)
    for function in (lambda x: [other * x, one * x], lambda x: one * x, train.function):
        jitted = jit(function)
        jitted(x)
        is_the_same(jitted, tmp_path / "saved.py", x)


def test_what_has_changed_since_the_last_call(tmp_path):
    w = leaf(A)
    jitted = jit(lambda x: x * w)
    jitted(tg.tensor(A))
    w.data = w.data * 5
    assert np.array_equal(is_the_same(jitted, tmp_path / "saved.py", A)["arrays"]["w"], w.data)
    w.requires_grad = False
    with refused(JitError, "jit: save: what the program depends on has changed since; call the function again first"):
        jitted.save(tmp_path / "saved.py")


def test_gradients_that_go_on(tmp_path):
    w = leaf(A)

    step = jit(adding_to(w))
    for words in (("what the program depends on has changed",), ("adds to gradients",)):
        step(tg.tensor(A))
        with refused(JitError, "jit: save: ", *words):
            step.save(tmp_path / "saved.py")


@pytest.mark.parametrize(
    "order",
    [
        lambda a: a.transpose(2, 0, 1),
        lambda a: np.asfortranarray(a)[::2],
        lambda a: a[::2, ::3],
        lambda a: a[::-1],
        np.asfortranarray,
    ],
)
@pytest.mark.parametrize("function", [np.sum, lambda w: np.mean(w, 0), lambda w: np.tanh(w).sum(-1)])
def test_orders_in_memory(tmp_path, order, function):
    array = order(np.random.default_rng(0).standard_normal((7, 33, 65)).astype(np.float32))
    w = tg.from_numpy(array)
    for known in (w, array):
        jitted = jit(lambda x, known=known: function(known * x) + function(w) * x)
        jitted(np.full((), 2, np.float32))
        is_the_same(jitted, tmp_path / "saved.py", np.full((), 2, np.float32))


def test_definitions_of_one_name(tmp_path):
    """Two modules of the package call different things the same, and one calls something as Python does."""
    q, generator = leaf(np.random.default_rng(0).standard_normal((4, 6, 8))), tg.Generator().manual_seed(3)

    def step(x):
        h = F.layer_norm(F.scaled_dot_product_attention(q, q, q * x), (8,))
        h = F.dropout(h, 0.5, generator=generator) * np.prod(x) + generator.randn((8,))
        return h.sum(), np.sort(h, -1).max(), np.einsum("abc->ca", h).min()

    jitted = jit(step)
    jitted(np.float32([2]))
    is_the_same(jitted, tmp_path / "saved.py", np.float32([2]))


@pytest.mark.parametrize("name", ["np", "_program", "arrays", "build", "Path", "few_normals", "file", "max", "step"])
def test_names(tmp_path, name):
    """Of the function, of a parameter and of an argument."""
    generator = tg.Generator().manual_seed(3)
    names = {"F": F, "generator": generator, "known": leaf(A)}
    exec(
        f"def {name}(x):\n    return x * known + generator.randn((2, 3))\n"
        f"def other(x):\n    {name}, allow_pickle = x * 2, known\n"
        f"    return {name} * allow_pickle, generator.randn((20,))\n"
        f"def third({name}):\n    return {name} * known\n",
        names,
    )
    for each in (name, "other", "third"):
        jitted = jit(names[each])
        jitted(A)
        is_the_same(jitted, tmp_path / "saved.py", A)


def test_numbers_that_are_not_finite(tmp_path):
    w = leaf(A)
    optimiser = tg.optim.SGD([w], lr=float("inf"))

    def step(x):
        optimiser.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        optimiser.step()
        return loss

    jitted = jit(step)
    with np.errstate(all="ignore"):
        jitted(A)
        is_the_same(jitted, tmp_path / "saved.py", A)


def test_the_path_of_the_arrays():
    jitted = jit(lambda x: x * 2)
    jitted(A)
    with refused(JitError, "jit: save: the path is the module's"):
        jitted.save("saved.npz")
