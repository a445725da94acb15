"""register_hook, as in torch."""

import copy

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.backward import gradients

from . import torch_backend
from .messages import refused


def leaf(data, dtype=np.float64):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def script(x, lib, log):
    """Hooks on a leaf, an inner result and the root; some replace, some are removed."""
    y = x * x
    z = y * 3
    total = (z * y).sum()
    x.register_hook(lambda g: log.append(("x", g.tolist())))
    x.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: log.append(("x again", g.tolist())))
    y.retain_grad()
    y.register_hook(lambda g: log.append(("y", g.tolist())))
    y.register_hook(lambda g: g + 1)
    z.register_hook(lambda g: lib.tanh(g))
    gone = z.register_hook(lambda g: log.append("removed"))
    gone.remove()
    gone.remove()
    total.register_hook(lambda g: g * 2)
    total.backward()
    return log, x.grad.tolist(), y.grad.tolist()


def test_as_torch():
    ours = script(leaf([0.5, -1.0, 2.0]), tg, [])
    theirs = script(
        torch_backend.torch.tensor([0.5, -1.0, 2.0], dtype=torch_backend.torch.float64, requires_grad=True),
        torch_backend.torch,
        [],
    )
    assert [name for name, _ in ours[0]] == [name for name, _ in theirs[0]] == ["y", "x", "x again"]
    for one, other in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_allclose(one[1], other[1])
    np.testing.assert_allclose(ours[1:], theirs[1:])


def test_called_once_with_the_whole_gradient():
    x, seen = leaf([1.0, 2.0]), []
    y = x * 2
    for tensor in (x, y):
        tensor.register_hook(lambda g: seen.append(g.tolist()))
    (y * y + y.sum() + x).sum().backward()
    assert seen == [[6, 10], [13, 21]]


def test_every_backward_calls_it_until_it_is_removed():
    x, seen = leaf(1.0), []
    handle = x.register_hook(seen.append)
    for _ in range(2):
        (x * 3).backward()
    handle.remove()
    (x * 3).backward()
    assert [g.item() for g in seen] == [3, 3]
    assert x.grad.item() == 9
    x.register_hook(seen.append)
    (x * 3).backward()
    assert len(seen) == 3


def test_the_hook_gets_a_tensor_of_its_own():
    """`x + y` hands the same array to both: what a hook does in place to one must not reach the other."""
    x, y, seen = leaf([1.0, 2.0]), leaf([1.0, 2.0]), []
    x.register_hook(lambda g: seen.append(g.__imul__(5)))
    z = x * 1
    z.register_hook(lambda g: (g.__imul__(2), None)[1])
    (z + y).sum().backward()
    assert y.grad.tolist() == [1, 1]
    assert x.grad.tolist() == [10, 10]  # as in torch, what it does in place counts
    x.grad += 1
    assert seen[0].tolist() == [10, 10]


def test_a_hook_that_removes_itself_or_adds_another():
    x, seen = leaf(1.0), []

    def once(g):
        seen.append(g.item())
        handle.remove()
        x.register_hook(lambda g: seen.append("added"))

    handle = x.register_hook(once)
    (x * 2).backward()
    (x * 2).backward()
    assert seen == [2, "added"]


@pytest.mark.filterwarnings("ignore:Using backward")  # torch's advice
def test_with_create_graph():
    found = []
    for x in (leaf(2.0), torch_backend.torch.tensor(2.0, requires_grad=True)):
        y = x * x
        y.register_hook(lambda g, x=x: g * x)
        (y * y).backward(create_graph=True)
        first, x.grad = x.grad, None
        first.backward()  # y has its hook still
        found.append((first.item(), x.grad.item()))
    assert found[0] == found[1]
    recorded = []
    x = leaf(2.0)
    x.register_hook(lambda g: recorded.append(g.requires_grad))
    (x * x).backward()
    (x * x).backward(create_graph=True)
    assert recorded == [False, True]


def test_nothing_is_recorded_in_a_hook_without_create_graph():
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append((g * x).requires_grad))
    (x * x).backward()
    assert seen == [False]


def test_of_one_of_several_outputs():
    x, seen = leaf([[1.0, 2.0], [3.0, 5.0]]), []
    _, mean, var = F.batch_norm(x, np.ones(2), np.zeros(2))
    mean.register_hook(lambda g: seen.append(("mean", g.tolist())))
    mean.register_hook(lambda g: g * 0)
    var.register_hook(lambda g: seen.append("var, which has none"))
    (mean * 2).sum().backward()
    assert seen == [("mean", [[2, 2]])]
    assert x.grad.tolist() == [[0, 0], [0, 0]]


def test_in_transforms():
    """The hooks of captured tensors, and of the input, are for who differentiates by them."""
    x, w, seen = leaf([1.0, 2.0]), leaf([3.0, 4.0]), []
    x.register_hook(lambda g: seen.append("x"))
    w.register_hook(lambda g: seen.append("w"))
    gradient = tg.grad(lambda x: (x * x * w).sum())(x)
    assert seen == []
    gradient.sum().backward()
    assert sorted(seen) == ["w", "x"]
    doubled = tg.grad(lambda x: ((y := x * 1).register_hook(lambda g: g * 2), y.sum())[1])
    assert doubled(x).tolist() == [2, 2]


def test_gradients_calls_them_too():
    x, seen = leaf([1.0, 2.0]), []
    y = x * 3
    for tensor in (x, y):
        tensor.register_hook(lambda g: g * 2)
        tensor.register_hook(lambda g: seen.append(g.tolist()))
    found = gradients([y.sum()], [x, y], [np.ones(())])
    assert [g.tolist() for g in found] == [[12, 12], [2, 2]]
    assert seen == [[2, 2], [12, 12]]


def test_in_place_keeps_hooks_for_what_it_was():
    for lib, x in ((tg, leaf([1.0, 2.0])), (torch_backend.torch, None)):
        if x is None:
            x = lib.tensor([1.0, 2.0], requires_grad=True)
        seen = []
        y = x * 2
        y.register_hook(lambda g, seen=seen: seen.append(("before", g.tolist())))
        y *= 5
        y.register_hook(lambda g, seen=seen: seen.append(("after", g.tolist())))
        y.sum().backward()
        assert seen == [("after", [1, 1]), ("before", [5, 5])]


def test_copies_have_none():
    x = leaf([1.0])
    x.register_hook(lambda g: g * 2)
    other = copy.deepcopy(x)
    (other * 3).sum().backward()
    assert other.grad.tolist() == [3]


def test_errors():
    x = leaf([1.0, 2.0])
    with refused(RuntimeError, "register_hook: this tensor requires no gradient"):
        tg.tensor(1.0).register_hook(print)
    with refused(TypeError, "register_hook: takes a function of the gradient, got int"):
        x.register_hook(3)
    for returned, kind, words in (
        (1.0, TypeError, ("register_hook: a hook returns a Tensor or None, got float for multiply",)),
        (tg.ones(2), ValueError, ("register_hook: a hook returned float32[2] for the gradient of multiply", "float64")),
        (leaf([1.0]), ValueError, ("register_hook: a hook returned float64[1]", "float64[2]")),
    ):
        y = x * 2
        y.register_hook(lambda g, returned=returned: returned)
        with refused(kind, *words):
            y.sum().backward()
    x.register_hook(lambda g: 1.0)
    with refused(TypeError, "register_hook: a hook returns a Tensor or None, got float for a leaf"):
        (x * 2).sum().backward()
    assert x.grad is None
    y = x * 1
    view = y[:1]
    y *= 2
    with refused(RuntimeError, "register_hook: the tensor shares memory"):
        view.register_hook(print)


def test_an_error_in_a_hook_is_the_user_s_own():
    x = leaf(1.0)

    def fails(g):
        raise KeyError("mine")

    y = x * 2
    y.register_hook(fails)
    with pytest.raises(KeyError, match="mine"):
        y.backward()
    assert (x * 2).requires_grad
