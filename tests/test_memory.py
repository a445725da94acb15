"""What the graph keeps, and when it lets go: by tracemalloc, which NumPy tells of its arrays."""

import gc
import tracemalloc
import weakref
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.backward import gradients

SIZE = 100_000
DEPTH = 30
ARRAY = 8 * SIZE


def leaf(data):
    return tg.tensor(data, requires_grad=True, dtype=np.float64)


@pytest.fixture
def traced():
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


def arrays_held():
    return tracemalloc.get_traced_memory()[0] / ARRAY


def arrays_at_most():
    return tracemalloc.get_traced_memory()[1] / ARRAY


def deep(x):
    for _ in range(DEPTH):
        x = np.tanh(x)
    return x.sum()


def test_backward_needs_little_beside_what_the_forward_kept(traced):
    x = leaf(np.ones(SIZE))
    before = arrays_held()
    y = deep(x)
    kept = arrays_held() - before
    assert DEPTH <= kept < DEPTH + 0.1
    tracemalloc.reset_peak()
    y.backward()
    assert arrays_at_most() - before < kept + 4
    assert arrays_held() - before < 1.1  # x.grad
    x.zero_grad()
    assert arrays_held() - before < 0.1


def test_the_peak_of_a_backward_that_keeps_is_where_that_of_one_that_frees_begins(traced):
    """Held arrays fall as the walk goes: seen by a hook at each node."""
    x = leaf(np.ones(SIZE))
    held, y = [], x
    for _ in range(DEPTH):
        y = np.tanh(y)
        y.register_hook(lambda g: held.append(arrays_held()))
    del y
    held.clear()
    y = x
    for _ in range(DEPTH):
        y = np.tanh(y)
        y.register_hook(lambda g: held.append(arrays_held()))
    total = y.sum()
    del y
    total.backward(retain_graph=True)
    assert max(held) - min(held) < 3
    held.clear()
    total.backward()
    assert held[0] - held[-1] > DEPTH - 3
    assert all(earlier - later > 0.9 for earlier, later in pairwise(held[2:]))


def test_each_saved_array_is_gone_when_its_node_is_done():
    x = leaf([1.0, 2.0])
    results, alive, y = [], [], x
    for k in range(DEPTH):
        y = np.exp(y * 0.1)
        results.append(weakref.ref(y.data))
        y.register_hook(lambda g, k=k: alive.append((k, [i for i, r in enumerate(results) if r() is not None])))
    total = y.sum()
    del y
    total.backward()
    assert [k for k, _ in alive] == list(range(DEPTH))[::-1]
    for k, those in alive:
        assert set(those) <= set(range(k + 2))  # what the last rule read may still be in its hands
    assert not any(r() is not None for r in results[1:])


def test_cotangents_are_gone_too(traced):
    """A wide graph: many branches of one leaf."""
    x = leaf(np.ones(SIZE))
    total = 0.0
    for k in range(DEPTH):
        total = total + (x * float(k)).sum()
    tracemalloc.reset_peak()
    before = arrays_held()
    total.backward()
    assert arrays_at_most() - before < 5


@pytest.mark.parametrize(
    ("run", "bound"),
    [
        (lambda x: tg.grad(deep)(x), DEPTH + 4),
        (lambda x: tg.value_and_grad(deep)(x), DEPTH + 4),
        (lambda x: gradients([deep(x)], [x], [np.ones(())]), DEPTH + 4),
        (lambda x: tg.grad(tg.checkpoint(deep))(x), DEPTH + 6),
    ],
)
def test_transforms_free_as_they_go(traced, run, bound):
    x = leaf(np.ones(SIZE))
    with tg.no_grad():
        x = x.detach()
    before = arrays_held()
    if "gradients" in run.__code__.co_names:
        x.requires_grad = True
    tracemalloc.reset_peak()
    result = run(x)
    assert arrays_at_most() - before < bound
    del result
    assert arrays_held() - before < 0.1


def test_transforms_make_no_reference_cycles():
    x, w = tg.tensor([1.0, 2.0]), leaf([1.0, 2.0])
    f = lambda x: (x * w).tanh().sum()  # noqa: E731
    runs = (
        lambda: tg.grad(f)(x),
        lambda: tg.hessian(f)(x),
        lambda: tg.hvp(f)(x, x),
        lambda: tg.jvp(f, (x,), (x,)),
        lambda: tg.vjp(f, x)[1](1.0),
        lambda: tg.checkpoint(f)(x).backward(),
    )
    for run in runs:
        run()
    gc.collect()
    gc.disable()
    try:
        for run in runs:
            run()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_many_steps_hold_no_more(traced):
    x, w = tg.tensor(np.ones(SIZE)), leaf(np.ones(SIZE))

    def step():
        w.zero_grad()
        tg.grad(lambda x: tg.checkpoint(lambda x: (x * w).tanh().sum())(x))(x).sum().backward()
        with tg.detect_anomaly():
            (w * 2).sum().backward()

    step()
    before = arrays_held()
    for _ in range(10):
        step()
    assert arrays_held() - before < 0.5


def test_a_deep_graph_is_deleted_without_a_walk():
    for make in (
        lambda x: x * 1.0,
        tg.checkpoint(lambda x: x * 1.0),
        lambda x: np.stack([x, x])[0],
    ):
        y = leaf(1.0)
        for _ in range(20_000):
            y = make(y)
        seen = weakref.ref(y)
        del y
        assert seen() is None
