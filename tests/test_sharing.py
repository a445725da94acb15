"""Views and other tensors that share memory: what they see of a write, and when they are out of date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tg

from .inplace import A, B, Ours, Torchs, leaf


def test_views_see_what_is_written_and_so_does_the_base() -> None:
    x = tg.tensor(A)
    views = [x[0], x[:, ::-1], x.T, x.reshape(3, 2), x.swapaxes(0, 1), x[None], x.detach(), x[..., 1:][0]]
    arrays = [v.data.copy() for v in views]
    x += 1.0
    for view, array in zip(views, arrays, strict=True):
        np.testing.assert_array_equal(view.data, array + 1.0)
    views[2][0, 1] = 50.0
    assert x.data[1, 0] == 50.0
    views[-1][:] = -1.0
    assert x.data[0, 1:].tolist() == [-1, -1]


def test_copies_do_not() -> None:
    x = tg.tensor(A)
    copies = [x.clone(), tg.tensor(x), x[[0, 1]], x[A > 0], x + 0.0, x.astype(np.float64), x.reshape(-1)[[0]]]
    x += 1.0
    assert all(not np.may_share_memory(c.data, x.data) for c in copies)


def test_from_numpy_shares() -> None:
    array = A.copy()
    x = tg.from_numpy(array)
    x += 1.0
    np.testing.assert_array_equal(array, A + 1.0)
    array[0] = 0.0
    assert x[0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(tg.tensor(array).data, array)
    copied = tg.tensor(array)
    copied += 1.0
    assert array[0].tolist() == [0, 0, 0]


def test_detach_shares_memory_and_version() -> None:
    x = leaf(A) * 2.0
    y = x * x
    d = x.detach()
    d[0] = 0.0
    assert x.data[0].tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="multiply needs an array that was changed in place"):
        y.sum().backward()


def test_a_detached_twin_has_a_graph_of_its_own() -> None:
    """As in torch: the twins share memory, and each follows only the writes that were made through itself."""
    x, w = leaf(A), leaf(B)
    h = x * 2.0
    d = h.detach()
    h *= w
    (d * w).sum().backward()  # no false alarm: d has no gradient to follow
    assert x.grad is None
    np.testing.assert_array_equal(w.grad.data, (A * 2.0 * B).sum(0))
    w.zero_grad()
    d += w
    np.testing.assert_array_equal(h.data, A * 2.0 * B + B)
    h.sum().backward()
    np.testing.assert_array_equal(w.grad.data, (A * 2.0).sum(0))


def test_writes_through_data_are_outside_of_the_graph() -> None:
    w = leaf(B)
    y = w * w
    w.data[:] = 1.0  # as in torch nobody is told
    y.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]
    w.data += -0.5 * w.grad
    assert w.tolist() == [0, 0, 0]
    assert w.is_leaf
    w.data -= np.ones(3)
    assert w.tolist() == [-1, -1, -1]


def test_an_update_under_no_grad() -> None:
    w, b = leaf(A), leaf(B)
    array = w.data
    for _ in range(2):
        w.zero_grad()
        (w * b).sum().backward()
        with tg.no_grad():
            w -= 0.5 * w.grad
            w[0] *= 1.0
    assert w.data is array
    assert w.is_leaf
    assert w.requires_grad
    np.testing.assert_array_equal(w.data, A - B)


def test_a_view_taken_under_no_grad() -> None:
    w = leaf(A)
    with tg.no_grad():
        v = w[0]
        v += 1.0
    assert not v.requires_grad
    np.testing.assert_array_equal(w.data[0], A[0] + 1.0)
    with pytest.raises(RuntimeError, match="leaf that requires a gradient can't be written in place"):
        v += 1.0
    x = w * 2.0
    with tg.no_grad():
        v = x[0]
    with pytest.raises(RuntimeError, match="comes from iterating, unstack or no_grad"):
        v += 1.0
    with tg.no_grad():
        v += 1.0
    x.sum().backward()
    np.testing.assert_array_equal(w.grad.data, np.full((2, 3), 2.0))


@pytest.mark.parametrize("take", [lambda x: next(iter(x)), lambda x: tg.unstack(x)[0], lambda x: tg.unstack(x)[0][:2]])
def test_parts_of_what_was_taken_apart(take: Callable[[Any], Any]) -> None:
    for x in (leaf(A) * 2.0, tg.tensor(A)):
        part = take(x)
        with pytest.raises(RuntimeError, match="comes from iterating, unstack or no_grad"):
            part += leaf(1.0)
        (part * 2.0).sum()
        with tg.no_grad():
            x += 1.0
        if x.requires_grad:
            with pytest.raises(RuntimeError, match="shares memory with one that was since written to"):
                part * 2.0
        else:
            part += 1.0
            np.testing.assert_array_equal(x.data[0, :2], A[0, :2] + 2.0)


def test_operands_that_overlap_with_what_is_written() -> None:
    for x in (leaf(A) * 2.0, tg.tensor(A)):
        before = x.data.copy()
        for write in (
            lambda x=x: x.__iadd__(x[0]),
            lambda x=x: x.__setitem__((slice(None), slice(1, None)), x[:, :-1]),
            lambda x=x: x.__setitem__([0, 1], x[:]),
            lambda x=x: np.copyto(x[0], x.detach()[0, ::-1]),
        ):
            with pytest.raises(RuntimeError, match=r"overlaps with what is written; clone\(\) it first"):
                write()
        np.testing.assert_array_equal(x.data, before)
        x[...] = x
        x[0] = x[1]
        x[[0, 1]] = x[[1, 0]]


@pytest.mark.parametrize(
    "take", [lambda x: x[1, 2], lambda x: x[1][2], lambda x: x[-1, ..., -1], lambda x: x[1, 2, ...]]
)
def test_an_element_is_a_view(take: Callable[[Any], Any]) -> None:
    x, y = leaf(A) * 2.0, tg.tensor(A)
    for each in (x, y):
        part = take(each)
        part *= 10.0
        assert each.data[1, 2] == part.item() == A[1, 2] * (20.0 if each is x else 10.0)
    with pytest.raises(RuntimeError, match="write to the tensor itself"):
        x * 1.0
    y[1, 2] += leaf(1.0)
    y.sum().backward()
    part = take(leaf(A))
    with pytest.raises(RuntimeError, match="a view of a leaf that requires a gradient can't be written in place"):
        part += 1.0
    vector = tg.tensor([1.0, 2.0])
    for each in vector:
        each *= 2.0
    assert vector.tolist() == [2.0, 4.0]


# Stale tensors: an error, never an old value.

USES: dict[str, Callable[[Any], Any]] = {
    "operation": lambda t: t * 2.0,
    "in a list": lambda t: tg.concatenate([t, t]),
    "index": lambda t: t[0],
    "assigned": lambda t: tg.zeros_like(t).__setitem__(..., t),
    "added in place": lambda t: tg.zeros_like(t).__iadd__(t),
    "itself in place": lambda t: t.__iadd__(1.0),
    "itself assigned": lambda t: t.__setitem__(0, 1.0),
    "clone": lambda t: t.clone(),
    "backward": lambda t: t.backward(np.ones(t.shape)),
    "reduction": lambda t: t.sum(),
    "embedding": lambda t: tg.functional.embedding([0], t),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("stale", ["base", "view", "view of a view", "sibling"])
def test_the_use_of_a_stale_tensor(use: str, stale: str) -> None:
    x = leaf(A) * 2.0
    view, sibling = x[:1], x[:, :2]
    inner = view[:, :1]
    if stale == "base":
        view += leaf(B)
    else:
        x += leaf(B)
    target = {"base": x, "view": view, "view of a view": inner, "sibling": sibling}[stale]
    with pytest.raises(RuntimeError, match="written to") as error:
        USES[use](target)
    assert "\n" not in str(error.value)


def test_detach_of_a_stale_tensor_is_fine() -> None:
    x = leaf(A) * 2.0
    v = x[0]
    v += leaf(B)
    np.testing.assert_array_equal((x.detach() + 0.0).data[0], 2 * A[0] + B)


def test_after_item_plus_equals_the_base_is_not_stale() -> None:
    x, w = tg.zeros((2, 3), dtype=np.float64), leaf(B)
    x[0] += w
    x[0, 1:] *= w[1:]
    (x * x).sum().backward()
    np.testing.assert_allclose(w.grad.data, 2 * B * [1, 2 * B[1] ** 2, 2 * B[2] ** 2])


def test_retain_grad_after_a_write() -> None:
    for write in (lambda x: x.__imul__(3.0), lambda x: x.__setitem__(0, 3.0)):
        grads = []
        for make in (Ours.leaf, Torchs.leaf):
            x = make(B) * 2.0
            write(x)
            x.retain_grad()
            (x * 5.0).sum().backward()
            grads.append(np.asarray(x.grad))
        np.testing.assert_array_equal(*grads)


@pytest.mark.parametrize("index", [None, 0])
def test_retain_grad_before_a_write(index: int | None) -> None:
    """It is the tensor that keeps its gradient, as it is in the end."""
    grads = []
    for make in (Ours.leaf, Torchs.leaf):
        x = make(B) * 2.0
        x.retain_grad()
        if index is None:
            x *= 3.0
        else:
            x[index] = 3.0
        (x * 5.0).sum().backward()
        grads.append(np.asarray(x.grad))
    np.testing.assert_array_equal(*grads)
