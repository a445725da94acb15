"""Graphs: how large and deep, how long they and their arrays live, and where none is made (no_grad)."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F


def leaf(data, dtype=None):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


# Shapes of graphs.


def test_a_chain_of_100_000():
    x = leaf([1.0, 2.0])
    y = x
    for _ in range(50_000):
        y = y * 1.0 + 0.0
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    seen = weakref.ref(y)
    del y
    assert seen() is None


def test_a_chain_of_100_000_in_place():
    x = leaf(1.0)
    y = x * 1
    for _ in range(100_000):
        y += 1.0
    assert y.item() == 100_001
    y.backward()
    assert x.grad.item() == 1
    del y


def test_a_long_chain_with_its_gradient_s_graph():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = -y
    y.backward(create_graph=True)
    assert x.grad.item() == 1
    del y
    x.zero_grad()


def test_64_doublings():
    x = leaf(1.0, np.float64)
    y = x
    for _ in range(64):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**64


def test_branches_that_are_not_used():
    x, y = leaf(2.0), leaf(3.0)
    used = x * y
    unused = x.exp() * y
    _, mean, _ = F.batch_norm(np.stack([x, y]).reshape(2, 1), np.ones(1), np.zeros(1))
    (used + mean.sum() * 4).backward()
    assert (x.grad.item(), y.grad.item()) == (5, 4)
    unused.backward()
    assert x.grad.item() == pytest.approx(5 + 3 * np.exp(2.0), rel=1e-6)


def test_detach_cuts():
    x = leaf(3.0)
    (x * x.detach()).backward()
    assert x.grad.item() == 3


def test_the_graph_stays_to_be_drawn():
    x, w = leaf(np.ones((2, 3))), leaf(np.ones((3, 4), np.float32))
    y = (x @ w).tanh()
    z = y.sum(axis=1, keepdims=True)
    z.backward(np.ones((2, 1)))
    node = z._node
    assert (node.op.name, node.shape, node.dtype, node.arguments) == ("sum", (2, 1), np.float64, (1, True))
    tanh = node.edges[0]
    assert tanh is y._node
    assert (tanh.op.name, tanh.shape, tanh.dtype) == ("tanh", (2, 4), np.float64)
    matmul = tanh.edges[0]
    assert (matmul.op.name, matmul.shape) == ("matmul", (2, 4))
    assert matmul.edges[0] is x
    cast = matmul.edges[1]
    assert (cast.op.name, cast.edges[0], cast.dtype) == ("astype", w, np.float64)
    assert node.saved is not None or not node.plan.holds_arrays
    assert tanh.saved is None


# Memory.


def training_step(parameters, optimizer, indices, targets):
    weight, w1, gain, bias, w2, b2 = parameters
    optimizer.zero_grad()
    hidden = F.embedding(indices, weight).reshape(len(indices), -1) @ w1
    normal, _, _ = F.batch_norm(hidden, gain, bias)
    loss = F.cross_entropy(F.linear(normal.tanh(), w2, b2), targets)
    loss.backward()
    optimizer.step()
    return loss


def mlp():
    rng = np.random.default_rng(0)
    shapes = [(27, 4), (12, 20), (20,), (20,), (20, 27), (27,)]
    parameters = [leaf(rng.normal(size=shape).astype(np.float32)) for shape in shapes]
    return parameters, tg.optim.SGD(parameters, 0.1), rng.integers(0, 27, (32, 3)), rng.integers(0, 27, 32)


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_training_step_makes_no_reference_cycles(no_collector):
    step = mlp()
    training_step(*step)
    gc.collect()
    for _ in range(3):
        training_step(*step)
    assert gc.collect() == 0


def test_create_graph_and_retain_grad_make_no_reference_cycles(no_collector):
    x = leaf([1.0, 2.0])
    gc.collect()
    y = (x * x).tanh()
    y.retain_grad()
    y.sum().backward(create_graph=True)
    (x.grad * y.grad).sum().backward()
    y[0] = x[1]
    view = y[:1]
    view *= 2
    del y, view
    x.zero_grad()
    assert gc.collect() == 0


def test_an_error_leaves_no_reference_cycle_behind(no_collector):
    x = leaf([1.0, 2.0])
    gc.collect()
    y = x.exp()
    seen = weakref.ref(y)
    z = y.sum()
    y += 1
    with pytest.raises(RuntimeError):
        z.backward()
    del y, z
    gc.collect()
    assert seen() is None


def test_memory_is_freed_by_reference_counting(no_collector):
    x = leaf(np.ones(1000))
    y = x * 2
    z = y.exp()
    total = z.sum()
    seen = [weakref.ref(t) for t in (y, z)]
    del y, z
    assert all(t() is None for t in seen)  # the graph holds nodes and arrays, no tensors
    total.backward()
    assert x.grad is not None

    step = mlp()
    for _ in range(3):
        training_step(*step)
    tracemalloc.start()
    try:
        for _ in range(300):  # until NumPy's own store of small blocks is full
            training_step(*step)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            training_step(*step)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 1000


def test_backward_frees_saved_arrays_as_it_goes(no_collector):
    size = 1_000_000
    x = leaf(np.ones(size, np.float32))
    tracemalloc.start()
    try:
        y = x
        for _ in range(10):
            y = y.tanh()
        total = y.sum()
        del y
        held = tracemalloc.get_traced_memory()[0]
        assert held > 10 * 4 * size
        tracemalloc.reset_peak()
        total.backward()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after < 1.1 * 4 * size  # x.grad alone
    assert peak < held + 5 * 4 * size


# no_grad.


def test_no_grad_records_nothing():
    x = leaf([1.0, 2.0])
    with tg.no_grad():
        y = x * 2
        y += x
        x += 1.0  # a leaf may be written here
    assert not y.requires_grad
    assert y.is_leaf
    assert x.requires_grad
    assert (x * 2).requires_grad


def test_no_grad_nests_and_is_reentrant():
    x, block = leaf(1.0), tg.no_grad()
    with block:
        with block:
            with tg.no_grad():
                assert not (x * 2).requires_grad
            assert not (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_exception():
    x = leaf(1.0)
    with pytest.raises(ZeroDivisionError), tg.no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_no_grad_as_a_decorator():
    x = leaf(1.0)

    @tg.no_grad()
    def double(x, depth=0):
        """Twice."""
        return double(x, depth - 1) if depth else x * 2

    @tg.no_grad()
    def fails():
        raise ZeroDivisionError

    assert not double(x).requires_grad
    assert not double(x, depth=3).requires_grad
    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    with pytest.raises(ZeroDivisionError):
        fails()
    assert (x * 2).requires_grad


def test_backward_within_no_grad():
    x = leaf(3.0)
    y = x * x
    with tg.no_grad():
        y.backward(create_graph=True)
        assert not (x * 2).requires_grad
    assert x.grad.item() == 6
    assert x.grad.requires_grad


def test_no_grad_is_of_one_thread_only():
    """One thread under no_grad and others that train, at the same time."""
    rounds, start, wrong = 300, threading.Barrier(3), []

    def evaluates():
        x = leaf([1.0, 2.0])
        start.wait(10)
        for _ in range(rounds):
            with tg.no_grad():
                y = (x * x).exp().sum()
                if y.requires_grad:
                    wrong.append("recorded under no_grad")

    def trains():
        start.wait(10)
        for _ in range(rounds):
            x = leaf([1.0, 2.0])
            (x * x).sum().backward()
            if x.grad is None or x.grad.tolist() != [2, 4]:
                wrong.append("not recorded")

    threads = [threading.Thread(target=target) for target in (evaluates, trains, trains)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not wrong


def test_no_grad_of_the_main_thread_is_not_inherited():
    x, seen = leaf(1.0), []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join(20)
    assert seen == [True]


def test_one_no_grad_for_two_threads():
    block, inside, leave, seen = tg.no_grad(), threading.Event(), threading.Event(), []
    x = leaf(1.0)

    def other():
        with block:
            inside.set()
            leave.wait(10)
        seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=other, daemon=True)
    with tg.no_grad():
        thread.start()
        assert inside.wait(10)
        with block:
            leave.set()
            thread.join(20)
        seen.append((x * 2).requires_grad)
    assert seen == [True, False]


@pytest.mark.parametrize(
    "read", [lambda x: x[2], lambda x: x[1:], lambda x: x[..., None], lambda x: x * 2.0, lambda x: np.split(x, 3)[0]]
)
def test_what_keeps_no_array_can_be_walked_twice(read):
    x = leaf(np.ones((3, 3)))
    y = read(x)
    (y * 3.0).sum().backward()
    once = x.grad.data.copy()
    (y * 3.0).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * once)
