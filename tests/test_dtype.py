"""Which dtype comes out: torch's promotion, never a silent float64, and what is refused."""

import itertools
import warnings
from contextlib import suppress

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F

from .torch_backend import torch

DTYPES = {
    "int64": torch.int64,
    "int32": torch.int32,
    "uint8": torch.uint8,
    "bool": torch.bool,
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
}
TYPES = {torch.float32: "float32", **{value: key for key, value in DTYPES.items()}}
TYPES |= {torch.int8: "int8", torch.int16: "int16"}


# What a user writes on either side of an operator, and what torch is given for it.

PYTHON = {"i": 2, "u": 2, "b": True, "f": 2.0}


def array(dtype, shape):
    return np.full(shape, 1, dtype)


def tensor(dtype):
    return tg.tensor(array(dtype, (2, 2))), torch.ones((2, 2), dtype=DTYPES[dtype])


def tensor_0d(dtype):
    return tg.tensor(array(dtype, ())), torch.ones((), dtype=DTYPES[dtype])


def ndarray(dtype):
    return array(dtype, (2, 2)), torch.ones((2, 2), dtype=DTYPES[dtype])


def ndarray_0d(dtype):
    return array(dtype, ()), PYTHON[np.dtype(dtype).kind]


def numpy_scalar(dtype):
    return np.dtype(dtype).type(1), PYTHON[np.dtype(dtype).kind]


def python_scalar(dtype):
    value = PYTHON[np.dtype(dtype).kind]
    return value, value


def python_list(dtype):
    value = [[PYTHON[np.dtype(dtype).kind]] * 2] * 2
    return value, torch.tensor(value)


KINDS = [tensor, tensor_0d, ndarray, ndarray_0d, numpy_scalar, python_scalar, python_list]


def as_torch(value):
    return value if isinstance(value, torch.Tensor) else torch.tensor(value)


def wrapped(function):
    """A function of torch that takes no Python numbers, with torch's own promotion for them."""

    def call(x, y):
        dtype = torch.result_type(x, y)
        return function(as_torch(x).to(dtype), as_torch(y).to(dtype))

    return call


ARITHMETIC = {
    "add": (np.add, lambda x, y: x + y, wrapped(torch.add)),
    "multiply": (np.multiply, lambda x, y: x * y, wrapped(torch.mul)),
    "subtract": (np.subtract, lambda x, y: x - y, wrapped(torch.add)),  # torch refuses bools: as they add
    "divide": (
        np.divide,
        lambda x, y: x / y,
        lambda x, y: torch.div(as_torch(x).to(t := torch.result_type(x, y)), as_torch(y).to(t)),
    ),
    "power": (np.power, lambda x, y: x**y, wrapped(torch.add)),
    "maximum": (np.maximum, np.maximum, wrapped(torch.add)),
    "where": (lambda x, y: np.where(True, x, y), lambda x, y: np.where(np.eye(2) > 0, x, y), wrapped(torch.add)),
}


@pytest.mark.parametrize("name", ARITHMETIC)
@pytest.mark.parametrize("other_kind", KINDS)
@pytest.mark.parametrize("kind", [tensor, tensor_0d])
def test_promotion_is_torch_s(kind, other_kind, name):
    """Where a float is involved; of integers alone NumPy's own rules."""
    wrong = []
    for dtype, other_dtype in itertools.product(DTYPES, DTYPES):
        (ours, theirs), (our_other, their_other) = kind(dtype), other_kind(other_dtype)
        expected = TYPES[ARITHMETIC[name][2](theirs, their_other).dtype]
        for function, swapped in itertools.product(ARITHMETIC[name][:2], (False, True)):
            given = (our_other, ours) if swapped else (ours, our_other)
            if np.dtype(expected).kind == "f" or name == "divide":
                out = function(*given)
                if not isinstance(out, tg.Tensor) or out.dtype != expected:
                    wrong.append((dtype, other_dtype, swapped, out.dtype.name, expected))
    assert not wrong


COMPARISONS = [np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal]


@pytest.mark.parametrize("compare", COMPARISONS)
def test_comparisons_are_of_numbers_as_torch_promotes_them(compare):
    theirs = getattr(torch, {"not_equal": "ne", "equal": "eq"}.get(compare.__name__, compare.__name__))
    for dtype, kind in itertools.product(["float16", "float32", "float64"], [tensor, tensor_0d]):
        for value in (0.1, 1 / 3, 1.0, 2, True):
            x, y = kind(dtype)
            x, y = x * value, y * value
            out = compare(x, value)
            assert out.dtype == bool
            assert out.tolist() == theirs(y, value).tolist()
            assert compare(value, x).tolist() == theirs(torch.full_like(y, value), y).tolist()
            assert compare(x, np.float64(value)).tolist() == out.tolist()


@pytest.mark.parametrize("function", [np.matmul, lambda x, y: x @ y, F.linear])
def test_matmul_and_linear_promote_as_add_does(function):
    for dtype, other_dtype in itertools.product(DTYPES, DTYPES):
        for kind in (tensor, ndarray, python_list):
            x, other = tensor(dtype)[0], kind(other_dtype)[0]
            expected = (x + other).dtype
            if expected.kind == "f":
                assert function(x, other).dtype == function(other, x).dtype == expected


@pytest.mark.parametrize("function", [np.concatenate, np.stack])
def test_concatenate_and_stack_promote_as_add_does(function):
    for dtype, other_dtype in itertools.product(DTYPES, DTYPES):
        for kind in (tensor, ndarray, python_list):
            x, other = tensor(dtype)[0], kind(other_dtype)[0]
            expected = torch.result_type(torch.ones(1, dtype=DTYPES[dtype]), as_torch(kind(other_dtype)[1]))
            if expected.is_floating_point:
                for given in ([x, other], (other, x), [x, other, x]):
                    assert function(given).dtype == TYPES[expected]


def test_two_0d_tensors_give_the_wider_and_weak_ones_never_widen():
    narrow, wide = tg.tensor(np.float32(1)), tg.tensor(np.float64(1))
    assert (narrow + wide).dtype == (wide * narrow).dtype == np.float64
    many = tg.ones(3)
    for weak in (wide, np.float64(1), np.array(1.0), 1.0, np.int64(1), np.arange(3), [1.0, 2.0, 3.0]):
        assert (many + weak).dtype == (weak + many).dtype == np.float32
    for weak in (np.float64(1), np.array(1.0), 1.0, np.arange(3)):
        assert (narrow * weak).dtype == (weak * narrow).dtype == np.float32
    assert (many + np.ones(1)).dtype == (many + tg.ones(1, np.float64)).dtype == np.float64


def test_a_list_of_floats_keeps_its_digits_where_float64_is_wanted():
    x = tg.zeros(2, np.float64)
    assert np.add(x, [0.1, 0.2]).tolist() == [0.1, 0.2]
    assert np.maximum([0.1, 0.2], x).tolist() == [0.1, 0.2]
    assert (x + 0.1).tolist() == [0.1, 0.1]


FLOATS = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sigmoid": F.sigmoid,
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
    "mean of an axis": lambda x: np.mean(x, axis=0),
    "divide": lambda x: x / x,
    "divide by a number": lambda x: x / 2,
    "divide a number": lambda x: 2 / x,
    "divide an array": lambda x: np.arange(2) / x,
    "divide a list": lambda x: [1, 2] / x,
    "times a number": lambda x: x * 0.5,
    "times a scalar": lambda x: x * np.float64(0.5),
    "to a power": lambda x: x**0.5,
    "a power": lambda x: 0.5**x,
    "where": lambda x: np.where(x > 0, x, 0.5),
    "maximum": lambda x: np.maximum(x, 0.5),
    "cross_entropy": lambda x: F.cross_entropy(x, [0, 1]),
    "batch_norm": lambda x: F.batch_norm(x, 1.0, 0.0)[0],
    "batch_norm evaluated": lambda x: F.batch_norm(x, 1.0, 0.0, mean=0.5, var=2.0)[0],
}
LISTS = {
    "add": lambda x: np.add(x, [0.5, 1.5]),
    "matmul": lambda x: [0.5, 1.5] @ x,
    "linear": lambda x: F.linear([0.5, 1.5], x, [0.5, 1.5]),
    "batch_norm": lambda x: F.batch_norm(x, [1.0, 1.0], [0.0, 0.0])[0],
    "batch_norm evaluated": lambda x: F.batch_norm(x, [1.0, 1.0], [0.0, 0.0], mean=[0.0, 1.0], var=[1.0, 2.0])[0],
    "mean of a list": lambda x: F.batch_norm(x, 1.0, 0.0, mean=[0.0, 1.0], var=[1.0, 2.0])[1] + x,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FLOATS.values(), ids=FLOATS)
def test_integers_give_float32_and_floats_stay(function, dtype):
    out = function(tg.ones((2, 2), dtype))
    assert isinstance(out, tg.Tensor)
    assert out.dtype == (dtype if dtype.startswith("float") else "float32")


@pytest.mark.parametrize("dtype", sorted(set(DTYPES) - {"float16"}))
@pytest.mark.parametrize("function", LISTS.values(), ids=LISTS)
def test_lists_of_floats_are_float32(function, dtype):
    out = function(tg.ones((2, 2), dtype))
    assert isinstance(out, tg.Tensor)
    assert out.dtype == ("float64" if dtype == "float64" else "float32")


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_integers_stay_integers_where_torch_keeps_them(dtype):
    x = tg.ones((2, 2), dtype)
    for out in (x + x, x * x, x + True, np.maximum(x, x), x.max(0), x.reshape(4), x[0], np.where(x > 0, x, x), x.T):
        assert out.dtype == dtype
        assert not out.requires_grad
    assert x.sum().dtype.kind in "iu"
    assert x.argmax().dtype == np.int64
    assert (x @ x).dtype == dtype


@pytest.mark.parametrize("function", [np.add, np.multiply, np.maximum, np.matmul, lambda x, y: np.where(True, x, y)])
def test_uint64_with_int64_is_no_float64(function):
    signed, unsigned = tg.ones((2, 2), np.int64), tg.ones((2, 2), np.uint64)
    for x, y in [(signed, unsigned), (unsigned, signed.data), (signed.data, unsigned)]:
        with suppress(TypeError):  # torch refuses it
            assert function(x, y).dtype != np.float64


# Gradients.


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("other", [tensor, tensor_0d, ndarray, ndarray_0d, numpy_scalar, python_scalar, python_list])
def test_a_gradient_has_the_dtype_of_its_leaf(other, dtype, create_graph):
    for operation, other_dtype in itertools.product(
        [np.add, np.multiply, np.divide, np.power, np.maximum, np.matmul, lambda x, y: np.where(True, x, y)], DTYPES
    ):
        x, y = tg.tensor(np.ones((2, 2), dtype), requires_grad=True), other(other_dtype)[0]
        if operation is np.matmul and not np.ndim(y):
            continue
        if isinstance(y, tg.Tensor) and y.dtype.kind == "f":
            y.requires_grad = True
        operation(x, y).sum().backward(create_graph=create_graph)
        assert x.grad.dtype == dtype
        if isinstance(y, tg.Tensor) and y.requires_grad:
            assert y.grad.dtype == other_dtype


def test_gradients_through_astype_and_mixed_dtypes():
    x, w = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor(np.array([3.0, 4.0]), requires_grad=True)
    y = x * w
    z = np.concatenate([y.astype(np.float32), x, w]).astype(np.float16)
    assert (y.dtype, z.dtype) == (np.float64, np.float16)
    y.retain_grad()
    z.sum().backward()
    assert (x.grad.dtype, w.grad.dtype, y.grad.dtype) == (np.float32, np.float64, np.float64)
    assert (x.grad.tolist(), w.grad.tolist()) == ([4, 5], [2, 3])


def test_an_integer_copy_carries_no_gradient():
    x = tg.tensor([1.0, 0.0], requires_grad=True)
    for dtype in (int, bool, np.uint8):
        out = x.astype(dtype)
        assert out.dtype == dtype
        assert not out.requires_grad
        assert out.is_leaf


# In place the target's dtype stays.


def test_in_place_the_dtype_stays():
    for dtype in ("float16", "float32", "float64"):
        for other in (
            2,
            2.0,
            np.float64(2),
            np.array(2.0),
            np.ones(2),
            tg.ones(2, np.float64),
            np.arange(2),
            [1.0, 2.0],
        ):
            for operation in ("__iadd__", "__imul__", "__isub__", "__ipow__"):
                x = tg.ones(2, dtype)
                assert getattr(x, operation)(other) is x
                assert x.dtype == dtype
        x[0] = np.float64(0.1)
        x[:] = np.ones(2)
        assert x.dtype == dtype
    integers = tg.ones(2, int)
    integers += 2
    assert integers.tolist() == [3, 3]
    for write in (
        lambda: integers.__iadd__(0.5),
        lambda: integers.__itruediv__(2),
        lambda: integers.__imul__(np.ones(2)),
    ):
        with pytest.raises(TypeError, match=r"^[^\n]*(add|divide|multiply)[^\n]*$"):
            write()
    assert integers.tolist() == [3, 3]


# What is refused.

BAD = {
    "complex": np.array([1j, 2.0]),
    "a complex number": 1j,
    "objects": np.array([1.0, None]),
    "text": np.array(["a", "b"]),
    "a string": "a",
    "dates": np.array(["2020-01-01"], "datetime64[D]"),
    "None": None,
    "nested too deep": [[1.0], [1.0, 2.0]],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_is_no_real_number_is_refused(bad):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for make in (lambda: tg.tensor(bad), lambda: tg.Tensor(bad)):
        with pytest.raises((TypeError, ValueError), match=r"^tensor: [^\n]*$"):
            make()
    for name, make in {
        "add": lambda: np.add(x, bad),
        "multiply": lambda: np.multiply(bad, x),
        "matmul": lambda: np.matmul(x, bad),
        "where": lambda: tg.where([True, False], x, bad),
        "concatenate": lambda: tg.concatenate([x, bad]),
        "in-place add|add": lambda: x.detach().__iadd__(bad),
        "maximum": lambda: tg.maximum(x, bad),
    }.items():
        with pytest.raises((TypeError, ValueError), match=rf"^({name}): [^\n]*$"):
            make()
    with pytest.raises((TypeError, ValueError), match=r"^[^\n]*$"):
        x.detach()[0] = bad


@pytest.mark.parametrize("dtype", [complex, object, str, "datetime64[s]", np.longdouble])
def test_a_dtype_of_no_real_numbers_is_refused(dtype):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for make in (
        lambda: tg.tensor([1.0], dtype=dtype),
        lambda: tg.zeros(2, dtype=dtype),
        lambda: tg.ones_like(x, dtype=dtype),
        lambda: tg.from_numpy(np.zeros(2, dtype)),
        lambda: x.astype(dtype),
        lambda: F.one_hot([0, 1], 2, dtype),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(TypeError, match=r"^(tensor|zeros|ones_like|from_numpy|astype|one_hot): [^\n]*$"):
                make()


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_integers_can_not_require_a_gradient(dtype):
    x, said = tg.ones(2, dtype), rf"^requires_grad: only floats have gradients, got {dtype}; use dtype=np.float32$"
    with pytest.raises(TypeError, match=said):
        x.requires_grad = True
    for make in (
        lambda: tg.tensor(x, requires_grad=True),
        lambda: tg.zeros(2, dtype, True),
        lambda: tg.ones_like(x, requires_grad=True),
        lambda: tg.Tensor([1, 0], True, dtype),
    ):
        with pytest.raises(TypeError, match=said):
            make()
    assert not x.requires_grad
    x.requires_grad = False
