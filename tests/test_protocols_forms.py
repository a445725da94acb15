"""How NumPy lets its functions and methods be called: by position and by name, with dtypes and outputs."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.tensor import Tensor

from .messages import refused
from .test_protocols import M, leaf, matrix

# How NumPy itself lets each be written, by position and by name.
FORMS = {
    "sum(a, axis, dtype)": lambda t: np.sum(t, 0, np.float64),
    "sum(a, axis, dtype, out, keepdims)": lambda t: np.sum(t, 0, None, None, True),
    "sum of all": lambda t: np.sum(t, None, None, None),
    "sum(a=)": lambda t: np.sum(a=t, axis=(0, -1)),
    "mean(a, axis, dtype, out, keepdims)": lambda t: np.mean(t, 1, None, None, True),
    "mean(dtype=)": lambda t: np.mean(t, dtype=np.float64),
    "var(a, axis, dtype, out, ddof)": lambda t: np.var(t, 0, None, None, 1),
    "sum(a, axis, dtype, out, keepdims, initial, where)": lambda t: np.sum(t, 0, None, None, True, 2.0, t > 2),
    "sum(dtype=, where=)": lambda t: np.sum(t, dtype=np.float64, where=[True, False, True]),
    "max(initial=, where=)": lambda t: np.max(t, 1, initial=3.5, where=[True, False, True]),
    "mean(where=)": lambda t: np.mean(t, 1, where=[True, False, True]),
    "std(correction=)": lambda t: np.std(t, 1, correction=1),
    "var(mean=)": lambda t: np.var(t, mean=1.5),
    "var(a, axis, dtype)": lambda t: np.var(t, 0, np.float64),
    "var(a, axis, dtype, out, ddof, keepdims)": lambda t: np.var(t, 0, None, None, 1, True),
    "std(a, axis, dtype, out, ddof)": lambda t: np.std(t, 1, None, None, 1),
    "std(ddof=, keepdims=)": lambda t: np.std(t, 1, ddof=1, keepdims=True),
    "max(a, axis, out, keepdims)": lambda t: np.max(t, 0, None, True),
    "min(a, axis, out, keepdims)": lambda t: np.min(t, (0, 1), None, True),
    "amax, amin": lambda t: np.amax(t, axis=-1) + np.amin(t, axis=-1),
    "argmax(a, axis, out)": lambda t: np.argmax(t, 0, None),
    "argmax(axis=, keepdims=)": lambda t: np.argmax(t, axis=1, keepdims=True),
    "reshape(a, shape)": lambda t: np.reshape(t, (3, -1)),
    "reshape(shape=)": lambda t: np.reshape(t, shape=6),
    "transpose(a, axes)": lambda t: np.transpose(t, [1, 0]),
    "permute_dims, concat, pow": lambda t: np.pow(np.concat([np.permute_dims(t), t.T]), 2),
    "swapaxes": lambda t: np.swapaxes(t, -1, 0),
    "squeeze(expand_dims)": lambda t: np.squeeze(np.expand_dims(t, (0, -1)), axis=(0, -1)),
    "broadcast_to": lambda t: np.broadcast_to(t, (2, 2, 3)),
    "concatenate(arrays, axis)": lambda t: np.concatenate((t, t), 1),
    "concatenate(dtype=, casting=)": lambda t: np.concatenate([t, t], dtype=np.int8, casting="unsafe"),
    "stack, hstack, vstack(dtype=)": lambda t: np.hstack(np.stack([np.vstack([t], dtype="f2"), t], dtype=np.float64)),
    "reshape(a, shape, order)": lambda t: np.reshape(t, (3, 2), "F"),
    "ravel(a, order)": lambda t: np.ravel(t, "F"),
    "split and back": lambda t: np.hstack(np.hsplit(t, 3) + np.array_split(t, (1,), 1)),
    "dstack, column_stack, append": lambda t: np.append(np.dstack([t, t]), np.column_stack([t, t]), None),
    "broadcast_arrays(subok=)": lambda t: np.broadcast_arrays(np.ones(3), t, subok=True)[1],
    "atleast_3d of two": lambda t: np.atleast_3d(1, t)[1],
    "meshgrid": lambda t: np.meshgrid(t[0], np.ones(2), copy=False, indexing="ij")[0],
    "repeat(a, repeats, axis)": lambda t: np.repeat(t, [1, 0, 2], 1),
    "tile(A, reps)": lambda t: np.tile(t, (2, 1, 1)),
    "pad(mode, constant_values=)": lambda t: np.pad(t, 1, "constant", constant_values=((1, 2), (3, 4))),
    "pad(mode=)": lambda t: np.pad(t, ((0, 1), (2, 0)), mode="wrap"),
    "roll(a, shift, axis)": lambda t: np.roll(t, (1, -1), (0, 1)),
    "rot90(m, k, axes)": lambda t: np.rot90(t, 3, [1, 0]),
    "moveaxis, rollaxis, flip": lambda t: np.flip(np.rollaxis(np.moveaxis(t, [0], [1]), 1), [0, 1]),
    "diag, diagonal, diagflat": lambda t: np.diagonal(np.diag(np.diagflat(t, 1), 1)[None] * np.ones((6, 1)), -1),
    "tril, triu": lambda t: np.tril(t, 1) + np.triu(t, k=1),
    "resize, delete": lambda t: np.delete(np.resize(t, (4, 4)), np.s_[::2], 1),
    "sliding_window_view": lambda t: np.lib.stride_tricks.sliding_window_view(t, (2, 2), writeable=False),
    "concatenate(axis=None)": lambda t: np.concatenate([t, t], axis=None),
    "stack(axis=-1)": lambda t: np.stack([t, t], axis=-1),
    "where": lambda t: np.where([[True], [False]], t, 0.0),
    "where=True, casting, order, subok": lambda t: np.add(t, 1, where=True, casting="same_kind", order="K", subok=True),
    "add(dtype=)": lambda t: np.add(t, 1, dtype=np.float64),
    "maximum(x, number)": lambda t: np.maximum(t, 2),
    "abs, absolute": lambda t: np.abs(t) + np.absolute(t),
    "true_divide": lambda t: np.true_divide(1, t),
    "copy": lambda t: np.copy(t),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_forms_of_numpy(form):
    for data in (M, M.astype(np.float64)):
        out, want = form(tg.tensor(data)), form(data)
        assert type(out) is Tensor
        assert out.shape == np.shape(want)
        assert out.dtype == want.dtype
        np.testing.assert_allclose(out.data, want, rtol=1e-6)


def test_dtype_of_a_reduction_is_recorded():
    x = matrix()
    out = np.sum(x, dtype=np.float64)
    out.backward()
    assert out.dtype == np.float64
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_methods_of_a_ufunc():
    x, y = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0])
    assert np.add.reduce(matrix()).tolist() == [5, 7, 9]
    assert np.add.reduce(matrix(), axis=None).item() == 21
    assert np.add.reduce(matrix(), 1, keepdims=True).tolist() == [[6], [15]]
    assert np.maximum.reduce(matrix()).tolist() == [4, 5, 6]
    assert np.minimum.reduce(matrix(), axis=-1).tolist() == [1, 4]
    out = np.multiply.outer(x, y)
    assert out.tolist() == [[4, 5], [8, 10], [12, 15]]
    out.sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([9, 9, 9], [6, 6])
    assert np.subtract.outer(np.ones(2, np.float32), x).tolist() == [[0, -1, -2], [0, -1, -2]]
    assert np.less.outer(x, y).shape == (3, 2)
    for name, call in {
        "np.maximum.accumulate": lambda: np.maximum.accumulate(x),
        "np.add.reduceat": lambda: np.add.reduceat(x, [0, 1]),
        "np.add.at": lambda: np.add.at(x, [0], 1.0),
        "np.tanh.at": lambda: np.tanh.at(x, [0]),
        "np.subtract.reduce": lambda: np.subtract.reduce(x),
    }.items():
        with refused(TypeError, f"{name} is no operation of tinygrad_lite"):
            call()
    array = np.zeros(3)
    with refused(TypeError, "np.add.at is no operation of tinygrad_lite"):
        np.add.at(array, [0], x)
    assert not array.any()


def test_out():
    x, out = tg.tensor([1.0, 2.0]), np.zeros(2, np.float32)
    assert np.add(x, 1, out=out) is out
    assert out.tolist() == [2, 3]
    assert np.multiply(x, 2, out) is out
    assert out.tolist() == [2, 4]
    assert np.exp(x, out=(out,)) is out
    np.testing.assert_allclose(out, np.exp([1.0, 2.0]), rtol=1e-6)
    total = np.zeros((), np.float32)
    assert np.sum(x, out=total) is total
    assert total == 3
    assert np.add.reduce(x, out=total) is total
    assert np.matmul(tg.ones((2, 2)), x, out=out).tolist() == [3, 3]
    assert np.concatenate([x[:1], x[1:]], out=out).tolist() == [1, 2]
    with tg.no_grad():
        assert np.negative(leaf([1.0, 2.0]), out=out).tolist() == [-1, -2]


def test_out_that_is_refused():
    x, plain, out = leaf([1.0, 2.0]), tg.tensor([1.0, 2.0]), np.zeros(2, np.float32)
    with refused(TypeError, "np.add: out= would drop the gradient of the result", "no_grad()"):
        np.add(x, 1, out=out)
    with refused(TypeError, "np.sum: out= would drop the gradient of the result"):
        np.sum(x, out=np.zeros(()))
    assert not out.any()
    for target in (x, plain):
        with refused(TypeError, "np.add: out= takes an ndarray", "t[...] = value"):
            np.add(np.ones(2), 1, out=target)
        with refused(TypeError, "np.sum: out= takes an ndarray"):
            np.sum(np.ones(2), out=target)
    assert plain.tolist() == x.tolist() == [1, 2]
    with refused(ValueError, "np.add: out=", "(2,)", "(3,)"):
        np.add(plain, 1, out=np.zeros(3))
    with refused(TypeError, "np.add: out=", "int64"):
        np.add(plain, 1, out=np.zeros(2, int))
    for call in (
        lambda: np.sum(tg.ones((2, 3)), axis=0, out=np.zeros((2, 3))),
        lambda: np.matmul(tg.ones((2, 3)), tg.ones((3, 2)), out=np.zeros((2, 2, 2))),
    ):
        with pytest.raises(ValueError, match=r"out="):
            call()


WINDOWS = np.lib.stride_tricks.sliding_window_view


@pytest.mark.parametrize(
    ("name", "keyword", "call"),
    [
        ("np.add", "where", lambda t: np.add(t, 1, where=[True, False])),
        ("np.logical_or.reduce", "initial", lambda t: np.logical_or.reduce(t, initial=True)),
        ("np.add", "casting", lambda t: np.add(t, 1, casting="unsafe")),
        ("np.add", "order", lambda t: np.add(t, 1, order="F")),
        ("np.add", "signature", lambda t: np.add(t, 1, signature="ff->f")),
        ("np.matmul", "axes", lambda t: np.matmul(t, t, axes=[0, 0, ()])),
        ("np.lib.stride_tricks.sliding_window_view", "writeable", lambda t: WINDOWS(t, 1, writeable=True)),
        ("np.pad", "stat_length", lambda t: np.pad(t, 1, "mean", stat_length=2)),
        ("np.pad", "end_values", lambda t: np.pad(t, 1, "linear_ramp", end_values=2)),
    ],
)
def test_keywords_that_are_refused_by_name(name, keyword, call):
    with refused(TypeError, f"{name}: {keyword}= is not supported for Tensors"):
        call(leaf([1.0, 2.0]))


def test_a_dtype_that_has_no_gradient_takes_it_off_or_is_refused():
    assert not np.sum(leaf([1.5, 2.0]), dtype=np.int64).requires_grad
    for dtype in (complex, object, np.longdouble):
        with pytest.raises(TypeError):
            np.add(leaf([1.5, 2.0]), 1, dtype=dtype)


def test_more_forms_of_numpy():
    array = np.array([[0.5, -2.0], [3.0, 0.0]], np.float32)
    t = tg.tensor(array)
    assert np.clip(t, 0, 1, dtype=np.float32).tolist() == np.clip(array, 0, 1, dtype=np.float32).tolist()
    for ours, theirs in zip(np.where(t > 0), np.where(array > 0), strict=True):
        assert ours.tolist() == theirs.tolist()
    for ours in (t.copy("F"), np.copy(t, order="F")):
        assert ours.data.flags.f_contiguous
    assert (t.item(2), t.item(1, 1)) == (3, 0)
    assert t.astype(np.float32, copy=False) is t
    assert t.astype(np.float64, copy=False).dtype == np.float64


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("clip", (0, 1)),
        ("round", (1,)),
        ("dot", (np.ones(2),)),
        ("take", ([1, 0], 0)),
        ("compress", ([True, False], 0)),
    ],
)
def test_out_of_methods(name, args):
    array = np.array([[0.5, -2.25], [3.0, 0.0]])
    t, wanted = tg.tensor(array), getattr(array, name)(*args)
    out = np.zeros_like(wanted)
    assert getattr(t, name)(*args, out=out) is out
    assert np.array_equal(out, wanted)
    with refused(TypeError, f"{name}: out= would drop the gradient"):
        getattr(tg.tensor(array, requires_grad=True), name)(*args, out=out)
