"""Writing in place: torch is the judge, and where it has no such index, finite differences are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing import gradcheck, gradgradcheck

from .inplace import OPERATORS, A, B, leaf

# x[i] = v, in every form of NumPy.

INDEXES: dict[str, Any] = {
    "integer": 1,
    "negative": -1,
    "numpy integer": np.int64(1),
    "element": (0, 2),
    "slice": slice(0, 1),
    "step": (slice(None), slice(None, None, 2)),
    "negative step": (slice(None), slice(None, None, -1)),
    "ellipsis": (..., 0),
    "ellipsis alone": ...,
    "newaxis": (None, 0),
    "empty tuple": (),
    "empty slice": slice(2, 2),
    "integers": np.array([1, 0]),
    "list": [1],
    "negative integers": (slice(None), [-1, -3]),
    "two lists": ([0, 1], [2, 0]),
    "open mesh": (np.array([[0], [1]]), np.array([0, 2])),
    "mask": A > 0,
    "mask of rows": np.array([False, True]),
    "mask of columns": (slice(None), np.array([True, False, True])),
    "mask of nothing": np.zeros((2, 3), bool),
    "true": True,
    "false": False,
    "0-d mask": np.array(True),
    "mixed": ([0, 1], slice(1, None)),
    "apart": (0, slice(None), [0]),
    "no integers": np.array([], int),
    "tensor": tg.tensor([1, 0]),
    "tensor of bools": tg.tensor(A > 0),
}


def target_for(name: str) -> Any:
    return np.stack([A, A + 10], -1) if name == "apart" else A


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("shape", ["full", "number", "leading axes"])
def test_assignment_in_every_form(name: str, shape: str) -> None:
    index, array = INDEXES[name], target_for(name)
    place = array[index.data if isinstance(index, tg.Tensor) else index]
    value = np.arange(1.0, place.size + 1).reshape(place.shape) / 4 if shape != "number" else np.array(0.625)
    if shape == "leading axes":
        value = value[None, None]
        if name in ("element", "mask", "mask of nothing", "tensor of bools"):  # as NumPy
            with pytest.raises((TypeError, ValueError), match=r"^setitem: .*\(given float64\[2, 3\], float64\[1, 1"):
                (leaf(array) * 1.0)[index] = leaf(value)
            return
    wanted = array.copy()
    wanted[index.data if isinstance(index, tg.Tensor) else index] = value

    def write(x: Any, v: Any) -> Any:
        out = x * 1.0
        out[index] = v
        return out

    out = write(leaf(array), leaf(value))
    np.testing.assert_array_equal(out.data, wanted)
    np.testing.assert_array_equal(write(tg.tensor(array), tg.tensor(value)).data, wanted)
    gradcheck(write, leaf(array), leaf(value), jacobian=True)
    if value.size:
        gradgradcheck(lambda x, v: write(x, v * v) ** 2, leaf(array), leaf(value))


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("operation", OPERATORS)
def test_operators_on_an_index(name: str, operation: str) -> None:
    """`x[i] += w` gives what NumPy gives: where an element is named twice, one of the sums is lost."""
    index, array = INDEXES[name], target_for(name)
    plain = index.data if isinstance(index, tg.Tensor) else index
    wanted = array.copy()
    wanted[plain] = OPERATORS[operation](wanted[plain], 0.625)

    def write(x: Any, w: Any) -> Any:
        out = x * 1.0
        out[index] = OPERATORS[operation](out[index], w)
        return out

    np.testing.assert_array_equal(write(leaf(array), leaf(0.625)).data, wanted)
    gradcheck(write, leaf(array), leaf(0.625), jacobian=True)


@pytest.mark.parametrize(
    ("index", "shape"),
    [([0, 0, 1], (3, 3)), (([0, 0, 0], [1, 1, 2]), (3,)), (([[0, 1], [0, 1]], [[2], [2]]), (2, 2)), ([-1, 1], (2, 3))],
)
def test_the_last_of_several_writes_to_an_element_wins(index: Any, shape: Any) -> None:
    value = np.arange(1.0, np.prod(shape) + 1).reshape(shape)

    def write(x: Any, v: Any) -> Any:
        out = x * 1.0
        out[index] = v
        return out

    gradcheck(write, leaf(A), leaf(value), jacobian=True)
    gradcheck(write, leaf(A), leaf(7.0), jacobian=True)
    x, v = leaf(A), leaf(value)
    write(x, v).sum().backward()
    wanted = A.copy()
    wanted[index] = value
    assert v.grad.data.sum() + x.grad.data.sum() == A.size  # each element of the result comes from one place
    assert set(value[v.grad.data == 1]) <= set(wanted.flat)


def test_of_two_writes_to_an_element_the_last_one_gets_the_gradient() -> None:
    v, out = leaf([1.0, 2.0, 3.0]), tg.zeros(2, dtype=np.float64)
    out[[0, 0, 1]] = v
    out.sum().backward()
    assert out.tolist() == [2, 3]
    assert v.grad.tolist() == [0, 1, 1]


def test_an_index_that_changes_after_the_write() -> None:
    index, v, out = np.array([0, 1]), leaf([1.0, 2.0]), leaf(B) * 1.0
    out[index] = v
    index[:] = 2
    (out * tg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert v.grad.tolist() == [1, 10]


def test_a_value_that_changes_after_the_write() -> None:
    value, out = np.array([1.0, 2.0]), leaf(B) * 1.0
    out *= (value := np.array([1.0, 2.0, 3.0]))
    value[:] = 100
    out.sum().backward()
    out = leaf(B) * 1.0
    out[:2] = value[:2]
    value[:] = 0
    assert out.tolist()[:2] == [100, 100]


@pytest.mark.parametrize("index", [slice(None), 0])
def test_a_list_with_tensors_is_refused(index: Any) -> None:
    """NumPy would take its numbers, and the gradient would be lost."""
    w, out = leaf([1.0, 2.0]), tg.zeros((2, 2), dtype=np.float64)
    for value in ([w], (w, w), [w[0], 1.0], [[w[0], w[1]], [w[1], 0.0]]):
        with pytest.raises(TypeError, match=r"^setitem: got a (list|tuple) of Tensors where one is wanted; stack"):
            out[index] = value
        with pytest.raises(TypeError, match=r"^add: got a (list|tuple) of Tensors where one is wanted; stack"):
            out += value
    assert not out.requires_grad
    assert not out.data.any()


# What does not fit.


@pytest.mark.parametrize(
    ("target", "other"),
    [
        (np.zeros(3, np.int64), 0.5),
        (np.zeros(3, np.int64), np.full(3, 0.5)),
        (np.zeros(3, np.int64), [0.5, 0.5, 0.5]),
        (np.zeros(3, np.int64), leaf(B)),
        (np.zeros(3, bool), 1),
        (np.zeros(3), np.zeros(4)),
        (np.zeros(3), np.zeros((2, 3))),
        (np.zeros(3), leaf(A)),
        (np.zeros(3), leaf(np.zeros(4))),
        (np.zeros((1, 3)), leaf(A)),
        (np.zeros(()), leaf(B)),
        (np.zeros(3), "one"),
        (np.zeros(3), None),
        (np.zeros(3), 1j),
        (np.zeros(3), np.array([1j])),
    ],
    ids=str,
)
def test_a_result_that_does_not_fit(target: Any, other: Any) -> None:
    for x in (tg.tensor(target), *([leaf(target) * 1.0] if target.dtype.kind == "f" else [])):
        with pytest.raises((TypeError, ValueError), match=r"^(in-place )?add: ") as error:
            x += other
        assert "\n" not in str(error.value)
        np.testing.assert_array_equal(x.data, target)


def test_integers() -> None:
    x = tg.tensor([1, 2, 3])
    x += 2
    x *= tg.tensor([1, 2, 3])
    x[0] = 7
    assert x.tolist() == [7, 8, 15]
    assert x.dtype == np.int64
    with pytest.raises((TypeError, ValueError), match="divide"):
        x /= 2
    with pytest.raises(TypeError, match="int64 can't carry the gradient of the value; detach"):
        x[0] = leaf(1.0)


def test_the_dtype_of_the_target_stays() -> None:
    wide = leaf(B)
    x = tg.zeros(3)
    x += wide
    x[0] = wide[0] * 2.0
    assert x.dtype == np.float32
    x.sum().backward()
    assert wide.grad.dtype == np.float64
    assert wide.grad.tolist() == [2, 1, 1]
    y = tg.tensor(B) * 1.0
    y += [0.1, 0.2, 0.3]  # a list of floats is no float32 where float64 is wanted
    np.testing.assert_array_equal(y.data, B + np.array([0.1, 0.2, 0.3]))


@pytest.mark.parametrize("write", [lambda x: x.__iadd__(1.0), lambda x: x.__setitem__(0, 1.0)])
def test_a_broadcast_target_is_read_only(write: Any) -> None:
    for x in (tg.broadcast_to(tg.tensor(B), (2, 3)), tg.broadcast_to(leaf(B) * 1.0, (2, 3))):
        with pytest.raises(ValueError, match="read-only") as error:
            write(x)
        assert "clone()" in str(error.value)
        write(x.clone())


def test_a_write_that_fails_changes_nothing() -> None:
    x, w = leaf(A) * 2.0, leaf(np.zeros(7))
    y = x * x
    for write in (lambda: x.__iadd__(w), lambda: x.__setitem__(0, w), lambda: x.__setitem__(9, leaf(1.0))):
        with pytest.raises((ValueError, IndexError)):
            write()
    np.testing.assert_array_equal(x.data, 2 * A)
    (y + x).sum().backward()


def test_second_order_through_writes() -> None:
    def f(x: Any, w: Any) -> Any:
        out = x * w
        out *= out.clone()
        out[:, 0] = out[:, 1].clone() * w[0]
        out[0] += w * w
        out /= w[2]
        return out

    gradcheck(f, leaf(A), leaf(B), jacobian=True)
    gradgradcheck(f, leaf(A), leaf(B))
