"""The backward walk: what it gives, to whom, what it keeps and what it lets go."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import table


def leaf(data, dtype=None):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


# Who keeps a gradient.


def test_only_leaves_keep_their_gradient():
    x, constant = leaf([1.0, 2.0]), tg.tensor([3.0, 4.0])
    y = x * constant
    z = y.sum()
    z.backward()
    assert x.grad.tolist() == [3, 4]
    assert constant.grad is y.grad is z.grad is None
    assert x.grad.is_leaf
    assert not x.grad.requires_grad


def test_a_leaf_is_its_own_root():
    x = leaf([1.0, 2.0])
    x.backward([3.0, 4.0])
    x.backward([1.0, 1.0])
    assert x.grad.tolist() == [4, 5]


def test_gradients_add_up_until_they_are_forgotten():
    x = leaf(2.0)
    (x * 3).backward()
    kept = x.grad
    (x * 4).backward()
    assert x.grad.item() == 7
    x.zero_grad()
    assert x.grad is None
    (x * 5).backward()
    assert x.grad.item() == 5
    assert kept is not x.grad


def test_retain_grad():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    z = y * y
    z.sum().backward(retain_graph=True)
    assert y.grad.tolist() == [4, 8]
    z.sum().backward()
    assert y.grad.tolist() == [8, 16]
    assert not np.shares_memory(y.grad.data, x.grad.data)
    x.retain_grad()  # says nothing new of a leaf
    with pytest.raises(RuntimeError, match=r"^retain_grad: this tensor requires no gradient$"):
        tg.tensor(1.0).retain_grad()


def test_retain_grad_of_the_root():
    x = leaf(3.0)
    y = x * x
    y.retain_grad()
    y.backward()
    assert (y.grad.item(), x.grad.item()) == (1, 6)


def test_retain_grad_asked_twice_keeps_it_once():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]


def test_retain_grad_of_one_of_several_outputs():
    x = leaf([[1.0, 2.0], [3.0, 5.0]])
    out, mean, var = F.batch_norm(x, np.ones(2), np.zeros(2))
    mean.retain_grad()
    (out.sum() + 3 * mean.sum() + var.sum()).backward()
    assert mean.grad.tolist() == [[3, 3]]
    assert out.grad is var.grad is None


def test_retain_grad_of_an_output_that_no_gradient_reaches():
    x = leaf([[1.0, 2.0], [3.0, 5.0]])
    out, mean, _ = F.batch_norm(x, np.ones(2), np.zeros(2))
    mean.retain_grad()
    out.sum().backward()
    assert mean.grad is None


def test_retain_grad_speaks_of_the_tensor_as_it_is_after_a_write():
    x, w = leaf([1.0, 2.0]), leaf([5.0, 6.0])
    y = x * 2
    y.retain_grad()
    y *= 3
    (y * w).sum().backward()
    assert y.grad.tolist() == [5, 6]
    assert x.grad.tolist() == [30, 36]

    y = x * 2
    y.retain_grad()
    y[0] = 3.0
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5, 5]


def test_retain_grad_does_not_keep_the_tensor_alive():
    x = leaf([1.0])
    y = x * 2
    y.retain_grad()
    seen, z = weakref.ref(y), y * 3
    del y
    assert seen() is None
    z.sum().backward()
    assert x.grad.tolist() == [6]


# What backward() is given.


@pytest.mark.parametrize("given_as", [list, tuple, np.array, tg.tensor, np.float64, lambda w: np.array(w, int)])
def test_gradient_is_taken_in_any_form_and_in_the_dtype_of_the_root(given_as):
    x = leaf([1.0, 2.0])
    (x * 3).backward(given_as([1, 2]))
    assert x.grad.tolist() == [3, 6]
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("root", [lambda x: x, lambda x: x + 0.0, lambda x: x.reshape(2, 1).reshape(2)])
@pytest.mark.parametrize("wrap", [lambda a: a, tg.from_numpy])
def test_the_gradient_that_is_given_is_not_aliased(root, wrap):
    x, weights = leaf([1.0, 2.0]), np.array([3.0, 4.0], np.float32)
    root(x).backward(wrap(weights))
    assert not np.shares_memory(x.grad.data, weights)
    root(x).backward(wrap(weights))
    weights[:] = 0
    assert x.grad.tolist() == [6, 8]
    x.grad *= 0.0
    assert weights.tolist() == [0, 0]


def test_a_gradient_of_python_floats_keeps_its_digits():
    x = leaf([1.0, 2.0], np.float64)
    (x * 1).backward([0.1, 0.2])
    assert x.grad.tolist() == [0.1, 0.2]


def test_a_gradient_that_does_not_fit_is_refused():
    x = leaf([[1.0, 2.0]])
    y = x * 2
    with pytest.raises(ValueError, match=r"^backward: a tensor of shape \(1, 2\) needs gradient=, the weights"):
        y.backward()
    for bad in (np.ones(2), np.ones((2, 1)), 1.0, np.ones((1, 1, 2))):
        with pytest.raises(ValueError, match=r"^backward: gradient= has shape .*, the tensor has \(1, 2\)$"):
            y.backward(bad)
    for bad in (np.array([[1j, 2]]), np.array([[None, None]]), [[1, "a"]], "ab"):
        with pytest.raises((TypeError, ValueError), match=r"^backward: [^\n]*$"):
            y.backward(bad)
    assert x.grad is None
    y.backward([[1.0, 1.0]])
    assert x.grad.tolist() == [[2, 2]]


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
def test_one_element_needs_no_gradient(shape):
    x = leaf(np.full(shape, 3.0))
    (x * x).backward()
    assert x.grad.shape == shape
    assert x.grad.item() == 6


def test_without_anything_that_requires_a_gradient():
    with pytest.raises(RuntimeError, match=r"^backward: this tensor requires no gradient"):
        (tg.tensor(1.0) * 2).backward()
    with pytest.raises(RuntimeError, match=r"^backward: this tensor requires no gradient"):
        leaf(1.0).detach().backward()


def test_where_no_rule_leads_anywhere_nothing_requires_a_gradient():
    x = leaf([1.0, 0.0])
    assert not np.where(x, 1.0, 2.0).requires_grad
    assert not (x > 0).requires_grad
    assert not x.argmax().requires_grad


# Several times.


def test_a_second_backward_needs_the_arrays():
    x = leaf([1.0, 2.0])
    y = x.tanh()
    z = y.sum()
    z.backward()
    before = x.grad.tolist()
    with pytest.raises(
        RuntimeError, match=r"the arrays that tanh needs were freed by an earlier backward.*retain_graph"
    ):
        z.backward()
    with pytest.raises(RuntimeError, match="freed"):
        (y * 2).sum().backward()
    assert x.grad.tolist() == before


def test_a_second_backward_that_needs_no_arrays_is_fine():
    x = leaf([1.0, 2.0])
    y = (x + 1).reshape(2, 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2, 2]


def test_retain_graph():
    x = leaf(3.0)
    y = (x * x) ** 2
    for times in (1, 2, 3):
        y.backward(retain_graph=True)
        assert x.grad.item() == 108 * times
    y.backward()
    assert x.grad.item() == 432
    with pytest.raises(RuntimeError, match="freed"):
        y.backward()


def test_a_part_that_two_roots_share():
    x = leaf(2.0)
    shared = x * x
    one, other = shared * 3, shared * 5
    one.backward(retain_graph=True)
    other.backward()
    assert x.grad.item() == 32


def test_create_graph():
    x = leaf(2.0)
    (x**4).backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    assert first.item() == 32
    x.zero_grad()
    first.backward(create_graph=True)
    second = x.grad
    assert second.item() == 48
    x.zero_grad()
    second.backward()
    assert x.grad.item() == 48
    assert not x.grad.requires_grad


def test_create_graph_reaches_the_weights_too():
    x, weights = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (x * x).backward(weights, create_graph=True)
    gradient = x.grad
    x.zero_grad()
    gradient.sum().backward()
    assert weights.grad.tolist() == [2, 4]
    assert x.grad.tolist() == [6, 8]


def test_gradients_with_and_without_a_graph_add_up():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    (x * 5).backward()
    assert x.grad.item() == 17
    gradient = x.grad
    x.zero_grad()
    gradient.backward()
    assert x.grad.item() == 12


def test_a_gradient_penalty():
    x, w = leaf([[1.0, 2.0]], np.float64), leaf([[0.5], [0.25]], np.float64)
    (x @ w).tanh().sum().backward(create_graph=True)
    penalty = (x.grad * x.grad).sum()
    x.zero_grad()
    w.zero_grad()
    penalty.backward()
    t = np.tanh(x.data @ w.data)
    slope, curve = 1 - t * t, -2 * t * (1 - t * t)
    norm = (w.data**2).sum()
    np.testing.assert_allclose(w.grad.data, 2 * slope**2 * w.data + 2 * slope * curve * norm * x.data.T, rtol=1e-12)
    np.testing.assert_allclose(x.grad.data, 2 * slope * curve * norm * w.data.T, rtol=1e-12)


# Memory that gradients have for themselves.

OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a.T,
    lambda a, b: a.reshape(-1).reshape(3, 3),
    lambda a, b: a[::-1],
    lambda a, b: a[:, :1] + b,
    lambda a, b: a.sum(0) + b,
    lambda a, b: a.mean(1, keepdims=True) - b,
    lambda a, b: np.broadcast_to(a.sum(), (3, 3)) + b,
    lambda a, b: np.stack([a, b]).sum(0),
    lambda a, b: np.concatenate([a, b])[2:5],
    lambda a, b: np.where(np.eye(3, dtype=bool), a, b),
    lambda a, b: a @ b,
    lambda a, b: a.tanh(),
    lambda a, b: np.maximum(a, b),
    lambda a, b: np.swapaxes(a, 0, 1),
    lambda a, b: np.squeeze(np.expand_dims(a, 0), 0),
    lambda a, b: a.clone(),
    lambda a, b: a.astype(np.float64),
]
picks = st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(0, 99), st.integers(0, 99))


@settings(max_examples=150, deadline=None, database=None)
@given(steps=st.lists(picks, max_size=6), create_graph=st.booleans(), times=st.integers(1, 2), kept=st.booleans())
def test_gradients_share_memory_with_nothing(steps, create_graph, times, kept):
    rng = np.random.default_rng(0)
    made = [leaf(rng.normal(size=(3, 3))) for _ in range(3)]
    for operation, i, j in steps:
        made = [*made, OPERATIONS[operation](made[i % len(made)], made[j % len(made)])]
    if kept:
        for tensor in made[3:]:
            tensor.retain_grad()
    weights = rng.normal(size=(3, 3))
    original = weights.copy()
    for _ in range(times):
        made[-1].backward(weights, retain_graph=True, create_graph=create_graph)
    arrays = [t.grad.data for t in made if t.grad is not None]
    assert arrays
    for i, array in enumerate(arrays):
        assert array.flags.writeable
        others = arrays[:i] + [t.data for t in made] + [weights]
        assert not any(np.shares_memory(array, other) for other in others)
    expected = [array.copy() for array in arrays]
    for i, array in enumerate(arrays):  # and by deed
        array *= 2
        assert all(np.array_equal(a, e) for a, e in zip(arrays[i + 1 :], expected[i + 1 :], strict=True))
    assert np.array_equal(weights, original)


def test_the_callers_array_may_change_after_the_forward():
    x = leaf([[1.0, 2.0]])
    array = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    for function in (lambda x, y: x @ y, lambda x, y: (x @ np.ones((2, 2))) * y, np.divide, np.maximum, F.linear):
        x.zero_grad()
        function(x, array).sum().backward()
        expected = x.grad.tolist()
        x.zero_grad()
        changed = array.copy()
        out = function(x, changed)
        changed *= -100
        out.sum().backward()
        assert x.grad.tolist() == expected


def test_the_callers_index_and_lists_may_change_after_the_forward():
    x, rows, mask = leaf([1.0, 2.0, 3.0]), np.array([0, 0, 1]), np.array([True, False, True])
    out = x[rows] * 1.0
    picked = x[mask]
    targets = np.array([0, 1, 2])
    loss = F.cross_entropy(np.stack([x, x, x]), targets)
    rows[:], mask[:], targets[:] = 2, True, 0
    out.sum().backward()
    assert x.grad.tolist() == [2, 1, 0]
    x.zero_grad()
    picked.sum().backward()
    assert x.grad.tolist() == [1, 0, 1]
    x.zero_grad()
    loss.backward()
    p = np.exp(x.data) / np.exp(x.data).sum()
    np.testing.assert_allclose(x.grad.data, p - 1 / 3, rtol=1e-5)


# When it fails.


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_backward_that_fails_changes_no_gradient(create_graph):
    x, y, late = leaf([1.0, 2.0]), leaf([3.0, 4.0]), leaf([5.0, 6.0])
    (x + y + late).sum().backward()
    changed = x.exp()
    z = (changed + y * 2 + late).sum() + late.sum()
    changed += 1.0
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^backward: exp needs an array that was changed in place since"):
            z.backward(create_graph=create_graph, retain_graph=True)
        assert x.grad.tolist() == y.grad.tolist() == late.grad.tolist() == [1, 1]
    (x * 2).sum().backward()  # and the engine works on
    assert x.grad.tolist() == [3, 3]


def test_a_rule_that_fails_is_named():
    def broken(x):
        return np.array(x)

    broken.__annotations__["x"] = "ArrayLike"
    try:
        operation = tg.primitive(vjp=lambda g, x: g @ np.ones(7))(broken)
        x = leaf([1.0, 2.0])
        (x * 2).sum().backward()
        with pytest.raises(RuntimeError, match=r"^backward: the rule of broken failed: "):
            operation(x).sum().backward()
        assert x.grad.tolist() == [2, 2]
    finally:
        table.pop("broken", None)


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
