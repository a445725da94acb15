"""The backward walk: what it gives, to whom, what it keeps and what it lets go."""

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
    assert not np.where(x != 0, 1.0, 2.0).requires_grad
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
