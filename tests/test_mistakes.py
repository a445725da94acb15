"""The mistakes of other engines (DESIGN.md, section 5): one test for each row of the table there."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import table


def leaf(data, dtype=None):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def test_repeated_indices_lose_gradient():
    x = leaf([1.0, 2.0, 3.0])
    x[[0, 0, 1]].sum().backward()
    assert x.grad.tolist() == [2, 1, 0]
    weight = leaf(np.ones((3, 2)))
    F.embedding(np.array([2, 2, 0]), weight).sum().backward()
    assert weight.grad.tolist() == [[1, 1], [0, 0], [2, 2]]
    matrix = leaf(np.ones((2, 2)))
    matrix[[0, 0, 1], [1, 1, 0]].sum().backward()
    assert matrix.grad.tolist() == [[0, 2], [1, 0]]


def test_gradient_overwritten_not_accumulated():
    w = leaf([[1.0, 2.0], [3.0, 4.0]])
    x = np.ones((1, 2), np.float32)
    (x @ w @ w).sum().backward()
    g = np.ones((1, 2))
    assert w.grad.tolist() == (x.T @ (g @ w.data.T) + (x @ w.data).T @ g).tolist()
    x = leaf(3.0)
    (x * x + x).backward()
    (x * 2).backward()
    assert x.grad.item() == 9


def test_gradients_share_memory_or_are_read_only():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    z = x + y
    weights = np.array([1.0, 2.0], np.float32)
    z.backward(weights, retain_graph=True)
    z.backward(weights)
    assert x.grad.tolist() == y.grad.tolist() == [2, 4]
    assert weights.tolist() == [1, 2]
    x.grad *= 0.5
    assert (x.grad.tolist(), y.grad.tolist(), weights.tolist()) == ([1, 2], [2, 4], [1, 2])

    x = leaf([1.0, 2.0])
    other = leaf([1.0, 2.0])
    (x.sum() + other.sum()).backward()
    x.grad *= 0.5
    x.grad[0] = 7.0
    assert (x.grad.tolist(), other.grad.tolist()) == ([7, 0.5], [1, 1])


def test_an_unused_consumer_blocks_the_gradient():
    x = leaf(5.0)
    y = x * 2
    z = x * 3
    z.backward()
    assert x.grad.item() == 3
    y.backward()
    assert x.grad.item() == 5


def test_exponential_walk_over_paths():
    x = leaf(1.0)
    y = x
    for _ in range(64):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**64


def test_transpose_with_axes_not_inverted():
    x = leaf(np.arange(24.0).reshape(2, 3, 4))
    weights = np.arange(24.0).reshape(4, 2, 3)
    x.transpose(2, 0, 1).backward(weights)
    assert x.grad.tolist() == weights.transpose(1, 2, 0).tolist()


def test_reflected_operators_missing():
    x = leaf([1.0, 2.0])
    array = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    log3 = np.log(3)
    for make, expected in [
        (lambda: 1.0 / x, [-1, -0.25]),
        (lambda: 3.0**x, [3 * log3, 9 * log3]),
        (lambda: np.float32(2) * x, [2, 2]),
        (lambda: array @ x, [4, 6]),
        (lambda: 2 - x, [-1, -1]),
        (lambda: 2 + x, [1, 1]),
        (lambda: np.ones(2, np.float32) - x, [-1, -1]),
        (lambda: np.ones(2, np.float32) / x, [-1, -0.25]),
        (lambda: np.full(2, 3.0, np.float32) ** x, [3 * log3, 9 * log3]),
    ]:
        x.zero_grad()
        out = make()
        assert isinstance(out, tg.Tensor)
        assert out.dtype == np.float32
        out.sum().backward()
        np.testing.assert_allclose(x.grad.data, expected, rtol=1e-6)


def test_second_backward_wrong():
    x = leaf(3.0)
    y = (x * x) ** 2
    y.backward(retain_graph=True)
    assert x.grad.item() == 108
    y.backward()
    assert x.grad.item() == 216


def test_gradient_lost_through_assignment():
    w = leaf(3.0)
    out = tg.zeros(3)
    out[0] = w * 2
    assert out.requires_grad
    (out * np.array([5.0, 1.0, 1.0], np.float32)).sum().backward()
    assert w.grad.item() == 10


def test_prod_with_a_zero_gives_nan():
    x = leaf([2.0, 0.0, 3.0])
    (x[0] * x[1] * x[2]).backward()
    assert x.grad.tolist() == [0, 6, 0]
    if "prod" in table:
        x.zero_grad()
        np.prod(x).backward()
        assert x.grad.tolist() == [0, 6, 0]


def test_norm_at_0_and_std_of_a_constant_give_nan():
    x = leaf([4.0, 4.0, 4.0])
    for ddof in (0, 1):
        x.zero_grad()
        x.std(ddof=ddof).backward()
        assert x.grad.tolist() == [0, 0, 0]
    x = leaf([[1.0, 1.0], [1.0, 3.0]])
    x.std(1).sum().backward()
    assert x.grad.tolist() == [[0, 0], [-0.5, 0.5]]
    assert "0 where all elements are equal" in tg.std.__doc__
    if "norm" in table:
        x = leaf([0.0, 0.0])
        np.linalg.norm(x).backward()
        assert x.grad.tolist() == [0, 0]


def test_float32_silently_becomes_float64():
    x = leaf([[1.0, 2.0], [3.0, 5.0]])
    integers, scalar = np.array([[1, 2], [3, 4]]), np.float64(2)
    for out in [
        x.mean(),
        x.mean(0),
        x.var(0),
        x.std(1, ddof=1),
        np.where(x > 2, x, 0.0),
        np.where(x > 2, x, scalar),
        np.where(integers > 2, 1.5, x),
        x * scalar,
        scalar * x,
        x + np.array(1.0),
        x * 2.5,
        x**2.0,
        2.0**x,
        x + integers,
        integers * x,
        integers @ x,
        x / integers,
        x**integers,
        tg.tensor(integers) * x,
        tg.tensor(integers) / 2,
        tg.tensor(integers).mean(),
        np.maximum(x, integers),
        np.concatenate([x, integers]),
        x.softmax(),
        F.cross_entropy(x, [0, 1]),
        *F.batch_norm(x, [1.0, 1.0], [0.0, 0.0]),
    ]:
        assert out.dtype == np.float32
        if out.requires_grad:
            x.zero_grad()
            out.sum().backward(retain_graph=True)
            assert x.grad.dtype == np.float32


def test_tanh_of_1000_exp_overflow_and_log_softmax_of_1e4():
    x = leaf([1000.0, -1000.0])
    x.tanh().sum().backward()
    assert (x.tanh().tolist(), x.grad.tolist()) == ([1, -1], [0, 0])
    x.zero_grad()
    x.sigmoid().sum().backward()
    assert (x.sigmoid().tolist(), x.grad.tolist()) == ([1, 0], [0, 0])

    logits = leaf([[1e4, 0.0, 1e4], [-1e4, 0.0, -2e4]], np.float64)
    out = logits.log_softmax()
    half = -np.log(2.0)
    np.testing.assert_allclose(out.data, [[half, half - 1e4, half], [-1e4, 0, -2e4]], rtol=1e-15)
    assert logits.softmax().tolist() == [[0.5, 0, 0.5], [0, 1, 0]]
    loss = F.cross_entropy(logits, [1, 0])
    assert loss.item() == pytest.approx(1e4 - half / 2, rel=1e-15)
    loss.backward()
    assert logits.grad.tolist() == [[0.25, -0.5, 0.25], [-0.5, 0.5, 0]]


def test_a_false_alarm():
    x, w, b = np.ones((2, 3)), leaf(np.ones((3, 2))), leaf([1.0, 2.0])
    h = x @ w
    h += b
    h[0] = 0.0
    h.sum().backward()
    assert w.grad.tolist() == [[1, 1]] * 3
    assert b.grad.tolist() == [1, 1]
    y = w.tanh()  # reads its output: here the alarm is right
    y += 1
    with pytest.raises(RuntimeError, match="tanh needs an array that was changed in place since"):
        y.sum().backward()


def test_recursion_limit():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    del y  # link by link, without recursion


def test_relu_at_0_is_1_and_max_ties_count_twice():
    x = leaf([-1.0, 0.0, 1.0])
    x.relu().sum().backward()
    assert x.grad.tolist() == [0, 0, 1]
    x = leaf([0.0, 2.0])
    abs(x).sum().backward()
    assert x.grad.tolist() == [0, 1]
    x = leaf([1.0, 3.0, 3.0])
    x.max().backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]
    x = leaf([1.0, 1.0, 3.0])
    x.min().backward()
    assert x.grad.tolist() == [0.5, 0.5, 0]
    x, y = leaf(2.0), leaf(2.0)
    np.maximum(x, y).backward()
    assert (x.grad.item(), y.grad.item()) == (0.5, 0.5)
    x.zero_grad()
    np.maximum(x, x).backward()
    assert x.grad.item() == 1
