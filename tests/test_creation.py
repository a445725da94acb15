"""Making tensors: values, dtypes, what is copied and what is shared, what is refused."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.tensor import Tensor

from .messages import refused
from .torch_backend import torch

FLOATS = [np.float16, np.float32, np.float64]
DTYPES = [*FLOATS, np.int8, np.int32, np.int64, np.uint8, np.uint64, np.bool_]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float32),
        (3, np.int64),
        (True, np.bool_),
        ([1.0, 2.0], np.float32),
        ([1, 2], np.int64),
        ([True, False], np.bool_),
        ([1, 2.5, True], np.float32),
        ([[1, 2], [3, 4.5]], np.float32),
        ((1.0, 2.0), np.float32),
        (range(3), np.int64),
        ([], np.float32),
        ([[]], np.float32),
        (float("nan"), np.float32),
        (-1, np.int64),
        (np.float64(1.5), np.float64),
        (np.float16(1.5), np.float16),
        (np.int8(3), np.int8),
        (np.array(1.5), np.float64),
        (np.array([1.5]), np.float64),
        (np.zeros((0, 3), np.float16), np.float16),
        ([np.float32(1.5), 2.0], np.float32),
        (tg.tensor([1.0, 2.0]), np.float32),
        (tg.tensor([1, 2]), np.int64),
        ([tg.tensor([1.0]), [2.0]], np.float32),
    ],
)
def test_tensor(data, dtype):
    for made in (tg.tensor(data), Tensor(data)):
        assert type(made) is Tensor
        assert type(made.data) is np.ndarray
        assert made.dtype == dtype
        assert made.is_leaf
        assert not made.requires_grad
        assert made.grad is None
        plain = [[1.0], [2.0]] if isinstance(data, list) and data and isinstance(data[0], Tensor) else data
        np.testing.assert_array_equal(made.data, np.asarray(plain, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_keeps_its_dtype(dtype):
    array = np.array([[1, 0], [1, 1]], dtype)
    for made in (tg.tensor(array), tg.from_numpy(array), tg.tensor(array[0, 0]), tg.tensor(array.T)):
        assert made.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_is_obeyed(dtype):
    for made in (tg.tensor([0, 1], dtype=dtype), tg.zeros(2, dtype=dtype), tg.arange(2, dtype=dtype)):
        assert made.dtype == dtype
    assert tg.tensor(np.array([0.0, 1.0]), dtype=dtype).dtype == dtype
    assert tg.tensor([1.0], dtype=str(np.dtype(dtype))).dtype == dtype


def test_tensor_copies():
    array = np.ones(3, np.float32)
    for source in (array, tg.from_numpy(array), array[::-1], [array]):
        made = tg.tensor(source)
        assert not np.shares_memory(made.data, array)
        made += 1
    assert array.tolist() == [1, 1, 1]


def test_a_copy_of_a_tensor_is_a_leaf():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for source in (x, x * 2):
        made = tg.tensor(source)
        assert made.is_leaf
        assert not made.requires_grad
        assert tg.tensor(source, requires_grad=True).is_leaf


def test_a_read_only_array_gives_a_tensor_that_can_be_written_to():
    array = np.ones(2)
    array.setflags(write=False)
    made = tg.tensor(array)
    made += 1
    assert made.tolist() == [2, 2]
    shared = tg.from_numpy(array)
    with pytest.raises(ValueError, match="read-only"):
        shared += 1


def test_from_numpy_shares():
    array = np.ones((2, 3))
    made = tg.from_numpy(array)
    assert made.data is array
    made[0] = 5
    array[1] = 7
    assert made.tolist() == [[5, 5, 5], [7, 7, 7]] == array.tolist()
    assert tg.from_numpy(array.T[1:]).data.base is array
    for bad, name in [([1.0], "list"), (1.0, "float"), (np.float32(1), "float32"), (made, "Tensor")]:
        with refused(TypeError, "from_numpy: takes an ndarray", name):
            tg.from_numpy(bad)


def test_a_subclass_of_ndarray_gives_a_plain_array():
    masked = np.ma.array([1.0, 2.0])
    assert type(tg.tensor(masked).data) is np.ndarray
    assert type(tg.from_numpy(masked).data) is np.ndarray


@pytest.mark.parametrize(
    ("data", "got"),
    [
        ("a", "<U1"),
        (["a"], "<U1"),
        (b"ab", "S2"),
        (None, "object"),
        ([None], "object"),
        ([1, None], "object"),
        (1j, "complex128"),
        ([1j, 2], "complex128"),
        (np.array([1j]), "complex128"),
        ({}, "object"),
        ({1, 2}, "object"),
        (object(), "object"),
        (iter([1, 2]), "object"),
        (2**70, "object"),
        (np.array([1], np.longdouble), str(np.dtype(np.longdouble))),
        (np.datetime64("2020-01-01"), "datetime64"),
        (np.array([None, 1.0]), "object"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_real_numbers_is_refused(data, got):
    with refused(TypeError, "tensor: takes float, int or bool, got", got):
        tg.tensor(data)


@pytest.mark.parametrize("data", [[[1, 2], [3]], [tg.ones(2), [1.0, 2.0, 3.0]], [[1], [2, 3], np.array([[1], [2]])]])
def test_ragged_lists_are_refused(data):
    with refused(ValueError, "tensor: ", "inhomogeneous"):
        tg.tensor(data)


@pytest.mark.parametrize("dtype", [complex, np.complex64, object, str, "S3", np.longdouble, "datetime64[D]"])
def test_a_dtype_of_no_real_numbers_is_refused(dtype):
    for name, call in {
        "tensor": lambda: tg.tensor([1.0], dtype=dtype),
        "zeros": lambda: tg.zeros(3, dtype=dtype),
        "arange": lambda: tg.arange(3, dtype=dtype),
        "eye": lambda: tg.eye(3, dtype=dtype),
        "zeros_like": lambda: tg.zeros_like([1.0], dtype=dtype),
    }.items():
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert len(str(caught.value).splitlines()) == 1, name


def test_no_such_dtype():
    for dtype in ("foo", torch.float32):
        with refused(TypeError, "tensor: "):
            tg.tensor([1.0], dtype=dtype)
        with refused(TypeError, "zeros: "):
            tg.zeros(2, dtype=dtype)


def test_only_floats_require_a_gradient():
    for dtype in FLOATS:
        assert tg.tensor([1.0], dtype=dtype, requires_grad=True).requires_grad
        assert tg.ones(2, dtype=dtype, requires_grad=True).requires_grad
    assert tg.tensor([1, 2], dtype=np.float64, requires_grad=True).requires_grad
    for call in (
        lambda: tg.tensor([1, 2], requires_grad=True),
        lambda: tg.tensor([True], requires_grad=True),
        lambda: tg.arange(3, requires_grad=True),
        lambda: tg.ones(3, dtype=int, requires_grad=True),
        lambda: tg.zeros_like([1, 2], requires_grad=True),
        lambda: setattr(tg.tensor([1]), "requires_grad", True),
    ):
        with refused(TypeError, "requires_grad: only floats have gradients, got", "use dtype=np.float32"):
            call()


MADE = {
    "zeros": (tg.zeros((2, 3)), np.zeros((2, 3))),
    "zeros of one axis": (tg.zeros(3), np.zeros(3)),
    "zeros of no axis": (tg.zeros(()), np.zeros(())),
    "zeros of size 0": (tg.zeros((0, 2)), np.zeros((0, 2))),
    "zeros by a list": (tg.zeros([2, 3]), np.zeros((2, 3))),
    "ones": (tg.ones((2, 3)), np.ones((2, 3))),
    "full": (tg.full((2, 3), 7), np.full((2, 3), 7.0)),
    "full of a float": (tg.full(2, 0.1), np.full(2, 0.1)),
    "full of a row": (tg.full((2, 3), [1, 2, 3]), np.full((2, 3), [1.0, 2, 3])),
    "full of a Tensor": (tg.full(2, tg.tensor(2.5)), np.full(2, 2.5)),
    "arange of floats": (tg.arange(0.0, 1.0, 0.25), np.arange(0, 1, 0.25)),
    "arange of a float step": (tg.arange(0, 1, 0.25), np.arange(0, 1, 0.25)),
    "arange backwards": (tg.arange(1.0, 0.0, -0.25), np.arange(1, 0, -0.25)),
    "linspace": (tg.linspace(-1, 1, 5), np.linspace(-1, 1, 5)),
    "linspace of 50": (tg.linspace(0, 1), np.linspace(0, 1)),
    "linspace of none": (tg.linspace(0, 1, 0), np.linspace(0, 1, 0)),
    "eye": (tg.eye(3), np.eye(3)),
    "eye of two numbers": (tg.eye(2, 3), np.eye(2, 3)),
}


@pytest.mark.parametrize("name", MADE)
def test_floats_are_float32(name):
    made, want = MADE[name]
    assert type(made) is Tensor
    assert made.dtype == np.float32
    assert made.shape == want.shape
    np.testing.assert_array_equal(made.data, want.astype(np.float32))


def test_arange_of_integers_is_int64():
    for args in [(3,), (1, 5), (5, 0, -2), (np.int32(3),), (tg.tensor(3),), (0,)]:
        made = tg.arange(*args)
        assert made.dtype == np.int64
        np.testing.assert_array_equal(made.data, np.arange(*(int(arg) for arg in args)))


def test_dtype_none_is_the_default():
    for made in (tg.zeros(2, None), tg.ones(2, dtype=None), tg.full(2, 1, None), tg.eye(2, dtype=None)):
        assert made.dtype == np.float32
    assert tg.linspace(0, 1, dtype=None).dtype == np.float32
    assert tg.arange(3, dtype=None).dtype == np.int64


@pytest.mark.parametrize("function", [tg.zeros_like, tg.ones_like, lambda a, **k: tg.full_like(a, 3, **k)])
def test_like(function):
    for like, dtype in [
        (tg.tensor([[1.0, 2.0]], requires_grad=True), np.float32),
        (tg.tensor([1, 2]), np.int64),
        (np.ones((2, 0)), np.float64),
        ([1.0, 2.0], np.float32),
        (1.5, np.float32),
        ([[1, 2]], np.int64),
    ]:
        made = function(like)
        assert (made.shape, made.dtype, made.requires_grad) == (np.shape(like), dtype, False)
        assert made.is_leaf
        assert len(set(made.data.ravel().tolist())) <= 1
        assert function(like, dtype=np.float16).dtype == np.float16
        assert function(like, dtype=np.float64, requires_grad=True).requires_grad


def test_what_is_made_can_be_written_to_and_shares_nothing():
    like = tg.ones(3)
    for made in (tg.zeros(3), tg.full(3, 1), tg.zeros_like(like), tg.full_like(like, like)):
        made += 1
    assert like.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("kind", "call", "words"),
    [
        (TypeError, lambda: tg.zeros(2, 3), ["zeros: ", "tuple", "(2, 3)"]),
        (TypeError, lambda: tg.ones(2, 3), ["ones: ", "tuple", "(2, 3)"]),
        (ValueError, lambda: tg.zeros(-1), ["zeros: ", "negative"]),
        (TypeError, lambda: tg.zeros(1.5), ["zeros: ", "1.5"]),
        (TypeError, lambda: tg.zeros("a"), ["zeros: ", "'a'"]),
        (TypeError, lambda: tg.ones(None), ["ones: "]),
        (MemoryError, lambda: tg.zeros(10**15), ["zeros: ", "Unable to allocate"]),
        (ValueError, lambda: tg.full(2, [1, 2, 3]), ["full: ", "(3,)", "(2,)"]),
        (TypeError, lambda: tg.full(2, 1j), ["full: "]),
        (TypeError, lambda: tg.full(2, "a"), ["full: "]),
        (TypeError, lambda: tg.full(2, None), ["full: "]),
        (ZeroDivisionError, lambda: tg.arange(0, 3, 0), ["arange: "]),
        (TypeError, lambda: tg.arange("a"), ["arange: "]),
        (TypeError, lambda: tg.arange(1j), ["arange: "]),
        (ValueError, lambda: tg.linspace(0, 1, -1), ["linspace: ", "-1"]),
        (TypeError, lambda: tg.linspace(0, 1, 2.5), ["linspace: "]),
        (ValueError, lambda: tg.eye(-1), ["eye: ", "negative"]),
        (TypeError, lambda: tg.eye(1.5), ["eye: "]),
        (ValueError, lambda: tg.full_like(tg.ones(2), [1, 2, 3]), ["full", "(3,)", "(2,)"]),
        (TypeError, lambda: tg.zeros_like("a"), ["takes float"]),
    ],
)
def test_bad_arguments(kind, call, words):
    with pytest.raises(kind) as caught:
        call()
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("np.full_like", lambda x: np.full_like(x, x[0])),
        ("full_like", lambda x: tg.full_like(x, x[0])),
        ("full", lambda x: tg.full((2,), x[0])),
        ("linspace", lambda x: tg.linspace(x[0], x[1], 3)),
        ("arange", lambda x: tg.arange(x[1])),
        ("tensor", lambda x: tg.tensor([x[0], x[1]])),
    ],
)
def test_no_gradient_is_dropped_in_silence(name, make):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with refused(TypeError, f"{name}: would drop the gradient of a Tensor; stack() several, multiply ones() by one"):
        make(x)
    assert not make(x.detach()).requires_grad
    with tg.no_grad():
        make(x)
