"""Reading by an index: every form that NumPy takes, its value against NumPy's, its gradient counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tinygrad_lite as tg
from tinygrad_lite.testing import gradgradcheck

from .messages import refused
from .torch_backend import torch

A = np.arange(60.0).reshape(3, 4, 5) - 20
MASK = A % 3 == 0
ROWS = np.array([True, False, True])

INDICES = {
    "integer": 0,
    "negative integer": -1,
    "two integers": (0, 1),
    "all integers": (0, 1, 2),
    "NumPy integer": np.int64(1),
    "0-d array": np.array(1),
    "slice": slice(1, None),
    "slice by NumPy integers": slice(np.int64(0), np.int64(2)),
    "negative step": slice(None, None, -1),
    "negative steps": (slice(None, None, -2), slice(3, 0, -1), slice(None, None, 3)),
    "empty slice": slice(2, 0),
    "slice beyond the end": slice(1, 100),
    "ellipsis": ...,
    "ellipsis first": (..., 0),
    "ellipsis last": (0, ...),
    "ellipsis of no axes": (0, 1, ..., 2),
    "newaxis": None,
    "newaxes": (None, 0, None, ..., None),
    "empty tuple": (),
    "list": [0, 2],
    "list with repeats": [0, 0, 1],
    "nested list": [[0, 1], [2, 0]],
    "array": np.array([0, -1]),
    "array of int8": np.array([0, 2], np.int8),
    "array of uint64": np.array([0, 2], np.uint64),
    "range": range(2),
    "two arrays": (np.array([0, 1, 0]), np.array([1, 2, 1])),
    "two arrays that broadcast": (np.array([[0], [1]]), np.array([1, 2, 1])),
    "three arrays": ([0, 0], [1, 1], [2, 2]),
    "array and integer": (np.array([0, 0]), 1),
    "array and slice": (slice(None), np.array([0, 3, 0]), slice(None, None, 2)),
    "adjacent arrays keep their place": (slice(None), np.array([0, 1]), np.array([1, 1])),
    "arrays apart come first": (np.array([0, 1]), slice(None), np.array([1, 1])),
    "integer and array apart come first": (0, slice(None), np.array([1, 2, 1])),
    "array, newaxis, array": (np.array([0, 1]), None, np.array([1, 2])),
    "array and ellipsis": (np.array([[0], [1]]), np.array([1, 2]), ...),
    "ellipsis and array": (..., [0, 0, 4]),
    "mask": MASK,
    "mask in a tuple": (MASK,),
    "mask of the first axes": MASK[:, :, 0],
    "mask of one axis": ROWS,
    "list of bools": [True, False, True],
    "mask, slice, array": (ROWS, slice(None), [0, 1]),
    "mask and array broadcast": (ROWS, [1, 3]),
    "slice and mask": (slice(None), np.array([True, False, True, True])),
    "empty mask": np.zeros((3, 4, 5), bool),
    "True": True,
    "False": False,
    "0-d mask": np.array(True),
    "0-d mask, False": np.array(False),
    "True and integer": (True, 0),
    "ellipsis and True": (..., True),
    "empty list": [],
    "empty array": np.zeros((0, 2), int),
    "slice and empty list": (slice(None), []),
}


def counted(index):
    """The gradient: what arrives at each element that is read, added up."""
    read = A[index]
    weights = np.linspace(1, 2, read.size).reshape(read.shape)
    total = np.zeros_like(A)
    np.add.at(total, index, weights)
    return weights, total


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_reads_as_numpy_does(index):
    x, want = tg.tensor(A, requires_grad=True), A[index]
    out = x[index]
    assert type(out.data) is np.ndarray
    assert (out.shape, out.dtype) == (want.shape, A.dtype)
    np.testing.assert_array_equal(out.data, want)
    weights, total = counted(index)
    out.backward(weights)
    np.testing.assert_allclose(x.grad.data, total)
    assert x.grad.shape == A.shape


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_second_order(index):
    gradgradcheck(lambda x: x[index] * x[index], tg.tensor(A / 20, requires_grad=True))


def as_tensors(index):
    if isinstance(index, tuple):
        return tuple(as_tensors(part) for part in index)
    if isinstance(index, (int, list, np.ndarray, np.integer)) and np.size(index):
        return tg.tensor(np.asarray(index))
    return index


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_the_index_may_be_given_as_tensors(index):
    x = tg.tensor(A, requires_grad=True)
    out = x[as_tensors(index)]
    np.testing.assert_array_equal(out.data, A[index])
    weights, total = counted(index)
    out.backward(weights)
    np.testing.assert_allclose(x.grad.data, total)


def test_tensors_within_slices_and_lists():
    x = tg.tensor(A, requires_grad=True)
    assert x[tg.tensor(1) : tg.tensor(3)].shape == (2, 4, 5)
    out = x[[tg.tensor(0), tg.tensor(0)]]
    np.testing.assert_array_equal(out.data, A[[0, 0]])
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.data[0], np.full((4, 5), 2))
    assert not x.grad.data[1:].any()


def test_bools_as_tensors_and_as_numpy_s():
    x = tg.tensor(A, requires_grad=True)
    for true, false in ((True, False), (np.True_, np.False_), (tg.tensor(True), tg.tensor(False))):
        for index, plain in ((true, True), (false, False), ((0, true), (0, True)), ([0, 0, true], [0, 0, True])):
            np.testing.assert_array_equal(x[index].data, A[plain])
        x.grad = None
        (x[true].sum() + x[false].sum()).backward()
        assert (x.grad.data == 1).all()


def test_a_gradient_counts_how_often_an_element_is_read():
    for dtype in (np.float32, np.float64, np.float16):
        x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True, dtype=dtype)
        x[[0, 0, 1]].sum().backward()
        assert x.grad.tolist() == [2, 1, 0]
        x.grad = None
        x[np.full(1000, -1)].sum().backward()
        assert x.grad.tolist() == [0, 0, 1000]


def test_a_comparison_is_an_index():
    x = tg.tensor([1.0, -2.0, 3.0], requires_grad=True)
    x[x > 0].sum().backward()
    assert x.grad.tolist() == [1, 0, 1]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_index(data):
    shape = data.draw(npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4), "shape")
    array = np.arange(float(np.prod(shape))).reshape(shape)
    basic = npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    kinds = [basic]
    if shape and array.size:
        kinds += [npst.integer_array_indices(shape), npst.arrays(bool, shape)]
    index = data.draw(st.one_of(kinds), "index")
    x = tg.tensor(array, requires_grad=True)
    out = x[index]
    np.testing.assert_array_equal(out.data, array[index])
    weights = np.linspace(1, 2, out.size).reshape(out.shape)
    out.backward(weights)
    total = np.zeros_like(array)
    np.add.at(total, index, weights)
    np.testing.assert_allclose(x.grad.data, total)


@pytest.mark.parametrize(
    "index", [(0,), (slice(1, None), None), ([0, 0, 1],), (..., [1, 1]), (MASK,), ([0, 1], [1, 1])]
)
def test_gradient_is_torch_s(index):
    x, theirs = tg.tensor(A, requires_grad=True), torch.tensor(A, requires_grad=True)
    (x[index] ** 2).sum().backward()
    (theirs[tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)] ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.data, theirs.grad.numpy())


# Where torch refuses what NumPy takes, or reads something else.
NOT_IN_TORCH = {
    "negative step",
    "negative steps",
    "nested list",
    "array of int8",
    "array of uint64",
    "integer and array apart come first",
}


def in_torch(index):
    if isinstance(index, tuple):
        return tuple(in_torch(part) for part in index)
    return torch.tensor(index) if isinstance(index, np.ndarray) else index


@pytest.mark.parametrize("name", [name for name in INDICES if name not in NOT_IN_TORCH])
def test_reads_and_writes_as_torch_does(name):
    index, places = INDICES[name], np.arange(A.size).reshape(A.shape)[INDICES[name]]
    weights = np.linspace(1, 2, places.size).reshape(places.shape)
    grads = []
    for make, each in ((tg.tensor, index), (torch.tensor, in_torch(index))):
        x, value = make(A, requires_grad=True), make(weights, requires_grad=True)
        out = x * 1
        if np.unique(places).size == places.size:  # torch gives gradient to what is overwritten at once, too
            out[each] = value
        ((x[each] ** 2).sum() + (out**3).sum() + value.sum()).backward()
        grads.append((np.asarray(x.grad), np.asarray(value.grad)))
    for ours, theirs in zip(*grads, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_slices_are_views_and_the_rest_are_copies():
    x = tg.tensor(A)
    for index in (0, slice(1, None), ..., None, (slice(None), 0), (0, 1, 2, ...), (0, 1, 2)):
        assert np.shares_memory(x[index].data, x.data)
    for index in ([0, 1], MASK, (slice(None), [0, 1]), True):
        assert not np.shares_memory(x[index].data, x.data)


def test_float32_is_kept():
    x = tg.tensor(A.astype(np.float32), requires_grad=True)
    for index in (0, [0, 0], MASK, (0, 1, 2)):
        x.grad = None
        x[index].sum().backward()
        assert x[index].dtype == x.grad.dtype == np.float32


def test_integers_are_read_too():
    x = tg.tensor([1, 2, 3])
    assert (x[[0, 0]].dtype, x[[0, 0]].tolist()) == (np.int64, [1, 1])
    assert tg.tensor([True, False])[0].item() is True


@pytest.mark.parametrize(
    ("kind", "index", "words"),
    [
        (IndexError, 3, ["index 3 is out of bounds for axis 0 with size 3"]),
        (IndexError, -4, ["index -4 is out of bounds"]),
        (IndexError, [0, 3], ["index 3 is out of bounds", "[0, 3]"]),
        (IndexError, np.array([[0], [7]]), ["index 7 is out of bounds"]),
        (IndexError, (np.array([[0], [7]]), 0), ["index 7 is out of bounds"]),
        (IndexError, (0, 0, 0, 0), ["too many indices", "3-dimensional"]),
        (IndexError, (..., ...), ["single ellipsis"]),
        (IndexError, 0.5, ["integers, slices"]),
        (IndexError, [0.5], ["integer"]),
        (IndexError, np.array([0.5]), ["integer", "float64[1]"]),
        (IndexError, "a", ["integers, slices"]),
        (IndexError, [None], ["integer"]),
        (IndexError, [True, False], ["boolean index did not match"]),
        (IndexError, MASK[:2], ["boolean index did not match", "bool[2, 4, 5]"]),
        (IndexError, (np.array([0, 1]), np.array([0, 1, 2])), ["could not be broadcast together", "(2,) (3,)"]),
        (ValueError, slice(0, 3, 0), ["step cannot be zero"]),
        (TypeError, slice(0.5), ["slice indices must be integers"]),
        (ValueError, [[0, 1], [2]], ["inhomogeneous"]),
    ],
)
def test_an_index_that_is_none(kind, index, words):
    x = tg.tensor(A, requires_grad=True)
    with refused(kind, "getitem: ", "float64[3, 4, 5]", *words):
        x[index]
    y = x * 1
    with refused(kind, "setitem: ", "float64[3, 4, 5]", *words):
        y[index] = 1.0
    np.testing.assert_array_equal(y.data, A)


def test_a_tensor_of_floats_is_no_index():
    with refused(IndexError, "getitem: ", "integer", "float32[2]"):
        tg.tensor(A)[tg.tensor([0.0, 1.0])]


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8])
@pytest.mark.parametrize("shape", [(120,), (120, 3), (120, 7, 11)])
def test_rows_of_small_tables_and_large(shape, dtype):
    """By an array of integers of any dtype, counted from the end, too; what repeats adds up."""
    index = np.array([[119, 3, 119], [0, 3, 5]]).astype(dtype)
    index = index if dtype == np.uint8 else np.where(index == 5, dtype(-1), index)
    x = tg.tensor(np.zeros(shape), requires_grad=True)
    cotangent = np.random.default_rng(0).normal(size=(2, 3, *shape[1:]))
    x[index].backward(tg.tensor(cotangent))
    right = np.zeros(shape)
    np.add.at(right, index, cotangent)
    np.testing.assert_allclose(x.grad.data, right, 1e-12)
