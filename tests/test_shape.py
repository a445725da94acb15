"""Views as NumPy has them, what joins and repeats by more than one way, and what is refused."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing import gradcheck, gradgradcheck

from .messages import refused

A = np.arange(1.0, 13.0).reshape(3, 4)

VIEWS = {
    "reshape": lambda a: np.reshape(a, (2, 6)),
    "ravel": np.ravel,
    "transpose": np.transpose,
    "reshape of the transposed": lambda a: np.reshape(np.transpose(a), 12, order="F"),
    "matrix_transpose": np.matrix_transpose,
    "swapaxes": lambda a: np.swapaxes(a, 0, 1),
    "moveaxis": lambda a: np.moveaxis(a, 0, 1),
    "rollaxis": lambda a: np.rollaxis(a, 1),
    "squeeze": lambda a: np.squeeze(np.expand_dims(a, 0)),
    "flip": np.flip,
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": np.rot90,
    "no turn": lambda a: np.rot90(a, 4),
    "atleast_1d": np.atleast_1d,
    "atleast_3d": np.atleast_3d,
    "one of several": lambda a: np.atleast_2d(1.0, a)[1],
    "split": lambda a: np.split(a, 2, 1)[1],
    "array_split": lambda a: np.array_split(a, 2)[0],
    "hsplit": lambda a: np.hsplit(a, [1])[1],
    "vsplit": lambda a: np.vsplit(a, [1])[0],
    "broadcast_arrays of one shape": lambda a: np.broadcast_arrays(a, A)[0],
    "broadcast_arrays": lambda a: np.broadcast_arrays(a, np.ones((2, 1, 1)))[0],
    "broadcast_to": lambda a: np.broadcast_to(a, (2, 3, 4)),
    "meshgrid": lambda a: np.meshgrid(a, copy=False, sparse=True)[0],
    "diagonal": np.diagonal,
    "diag": np.diag,
    "sliding_window_view": lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, 0),
}
COPIES = {
    "flatten": lambda a: a.flatten(),
    "copy": lambda a: a.reshape(4, 3, copy=True),
    "another order": lambda a: a.ravel("F"),
    "roll": lambda a: np.roll(a, 0),
    "tile": lambda a: np.tile(a, 1),
    "repeat": lambda a: np.repeat(a, 1, 0),
    "pad by nothing": lambda a: np.pad(a, 0, "edge"),
    "resize": lambda a: np.resize(a, (3, 4)),
    "delete of nothing": lambda a: np.delete(a, []),
    "concatenate of one": lambda a: np.concatenate([a]),
    "meshgrid": lambda a: np.meshgrid(a)[0],
    "tril": lambda a: np.tril(a, 9),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_are_views(view):
    """What is written to a view is written to the array, and the array knows; where NumPy refuses it, so do we."""
    x = tg.tensor(A, requires_grad=True)
    y, array = x * 1, A.copy()
    mine, theirs = view(y), view(array)
    assert np.shares_memory(mine.data, y.data)
    np.testing.assert_array_equal(mine.data, theirs)
    if mine.size > A.size or not theirs.flags.writeable:
        with refused(ValueError, "in-place multiply: the array is read-only"):
            mine *= 3
        y *= 3
        assert np.array_equal(mine.data, theirs * 3)
    else:
        theirs *= 3
        mine *= 3
        assert np.array_equal(y.data, array)
        with pytest.raises(RuntimeError, match="take the view again"):
            y * 1
        mine.sum().backward()
        assert np.array_equal(x.grad.data, np.where(array == A, 0, 3))


@pytest.mark.parametrize("order", "CFAK")
@pytest.mark.parametrize("lay", [lambda a: a, lambda a: a.T, lambda a: a.transpose(1, 2, 0), lambda a: a[:, ::2]])
def test_orders_of_memory(lay, order):
    array = np.arange(24.0).reshape(2, 3, 4)
    x = tg.tensor(array, requires_grad=True)
    given, expected = lay(x * 1), lay(array)
    flat = expected.ravel(order)
    weights = np.linspace(1, 2, flat.size)
    flats = [given.ravel(order), np.ravel(given, order), given.flatten(order)]
    if order != "K":
        flats += [
            given.reshape(-1, order=order),
            np.reshape(given, -1, order),
            given.reshape(-1, order=order, copy=True),
        ]
    for each in flats:
        np.testing.assert_array_equal(each.data, flat)
        x.grad = None
        (each * weights).sum().backward(retain_graph=True)
        places = np.zeros(24)
        places[flat.astype(int)] = weights
        np.testing.assert_array_equal(x.grad.data.reshape(-1), places)
    assert np.shares_memory(flats[0].data, given.data) == np.shares_memory(flat, expected)
    assert not np.shares_memory(flats[2].data, given.data)


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_copies_are_copies(change):
    x = tg.tensor(A)
    result = change(x)
    assert not np.shares_memory(result.data, x.data)
    if change is not COPIES["copy"]:  # ndarray.reshape has no copy= in NumPy 2.0
        np.testing.assert_array_equal(result.data, change(A))
    result *= 2
    assert x.tolist() == A.tolist()


def test_what_is_joined_into_one_keeps_dtypes_and_what_stands_side_by_side_does_not():
    x, wide, whole = tg.tensor([1.0, 2.0], requires_grad=True), np.ones(2), np.array([1, 2])
    assert np.append(x, whole).dtype == np.float32
    assert np.vstack([x, whole, wide]).dtype == np.float64
    for function in (np.broadcast_arrays, np.atleast_2d, np.meshgrid):
        results = function(x, wide, whole, [1.0, 2.0], 3)
        assert all(type(each) is tg.Tensor for each in results)
        assert [each.dtype.name for each in results] == ["float32", "float64", "int64", "float32", "int64"]
        assert [each.requires_grad for each in results] == [True, False, False, False, False]


def test_dtype_of_what_is_joined():
    x = tg.tensor([1.5, 2.0], requires_grad=True)
    y = tg.concatenate([x, x], dtype=np.float64)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype, x.grad.tolist()) == (np.float64, np.float32, [2, 2])
    whole = tg.stack([x, x], dtype=int, casting="unsafe")
    assert (whole.dtype, whole.requires_grad) == (np.int64, False)
    for function in (tg.concatenate, tg.stack, tg.hstack, tg.vstack):
        with refused(TypeError, f"{function.__name__}: ", "Cannot cast", "same_kind"):
            function([x, x], dtype=int)
        with refused(TypeError, f"{function.__name__}: ", "complex128"):
            function([x, x], dtype=complex)


def test_windows_that_overlap():
    x = tg.tensor(np.arange(5.0), requires_grad=True)
    windows = tg.sliding_window_view(x, 3)
    assert windows.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    (windows * np.array([[1.0], [10.0], [100.0]])).sum().backward()
    assert x.grad.tolist() == [1, 11, 111, 110, 100]


def test_repetitions_are_those_of_the_call():
    """The array that says how often may be changed afterwards, and may be a Tensor."""
    counts = np.array([2, 0, 1])
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = tg.repeat(x, counts)
    counts[:] = 1
    assert y.tolist() == [1, 1, 3]
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [11, 0, 100]
    assert np.repeat(x, tg.tensor([2, 0, 1])).tolist() == np.tile(x[[0, 0, 2]], tg.tensor(1)).tolist() == [1, 1, 3]


def test_constants_around_an_array_have_gradients():
    x, edge = tg.tensor(A, requires_grad=True), tg.tensor([5.0, 7.0], dtype=np.float64, requires_grad=True)
    for array in (x, A):  # np.pad does not look for Tensors there
        y = tg.pad(array, ((1, 0), (2, 3)), constant_values=edge)
        np.testing.assert_array_equal(y.data, np.pad(A, ((1, 0), (2, 3)), constant_values=(5.0, 7.0)))
        edge.grad = None
        y.sum().backward()
        assert edge.grad.tolist() == [4 + 2 * 4, 3 * 4]
    for constants in (edge, edge[0], edge[None], tg.stack([edge, edge]), edge[:, None]):
        gradcheck(lambda a, c: tg.pad(a, ((1, 2), (0, 1)), constant_values=c), x, constants, argnums=(0, 1))
        gradgradcheck(lambda a, c: tg.pad(a * a, 1, constant_values=c * c), x, constants, argnums=(0, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_padding_keeps_the_dtype_of_what_is_padded(dtype):
    for x in (A.astype(dtype), np.array(1.0, dtype)):
        assert tg.pad(x, 0, constant_values=tg.tensor(0.0)).dtype == dtype
        assert tg.pad(x, 0, constant_values=tg.zeros((), np.float64)).dtype == dtype


def test_parts_that_overlap_or_that_there_are_not():
    x = tg.tensor(np.arange(4.0), requires_grad=True)
    parts = np.split(x, [3, 1, -1])
    assert [each.tolist() for each in parts] == [each.tolist() for each in np.split(x.data, [3, 1, -1])]
    sum(each.sum() for each in parts).backward()
    assert x.grad.tolist() == [1, 2, 2, 1]
    assert np.unstack(tg.zeros((0, 2))) == ()
    assert np.array_split(tg.zeros(1), 3)[2].shape == (0,)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_padding_that_is_wider_than_the_array(mode):
    for length in range(1, 5):
        for width in ((0, 13), (11, 0), (7, 9)):
            x = np.arange(1.0, length + 1)
            np.testing.assert_array_equal(tg.pad(tg.tensor(x), width, mode).data, np.pad(x, width, mode))


def test_names_for_the_same():
    assert tg.permute_dims is tg.transpose
    assert tg.concat is tg.concatenate
    x = tg.tensor(A)
    assert np.linalg.matrix_transpose(x).tolist() == np.permute_dims(x).tolist() == x.mT.tolist() == A.T.tolist()


X = tg.tensor(A)
V = tg.tensor([1.0, 2.0, 3.0])
REFUSED = [
    (ValueError, lambda: tg.reshape(X, 12, order="K"), ["reshape: order= must be 'C', 'F' or 'A'", "got 'K'"]),
    (ValueError, lambda: X.ravel("X"), ["ravel: order= must be 'C', 'F', 'A' or 'K'", "got 'X'"]),
    (ValueError, lambda: X.T.reshape(12, copy=False), ["reshape: there is no view of shape 12", "copy=False"]),
    (ValueError, lambda: tg.matrix_transpose(V), ["matrix_transpose: takes matrices (..., N, M), got shape (3,)"]),
    (IndexError, lambda: tg.moveaxis(X, 2, 0), ["moveaxis: ", "axis 2 is out of bounds"]),
    (ValueError, lambda: tg.moveaxis(X, (0, 1), 0), ["moveaxis: ", "same number of elements"]),
    (IndexError, lambda: tg.rollaxis(X, 2), ["rollaxis: ", "axis 2 is out of bounds"]),
    (IndexError, lambda: tg.rollaxis(X, 0, 3), ["rollaxis: start must be from -2 to 2 for 2 axes, got 3"]),
    (IndexError, lambda: tg.flip(X, 2), ["flip: ", "axis 2 is out of bounds"]),
    (ValueError, lambda: tg.fliplr(V), ["fliplr: ", "2-d"]),
    (ValueError, lambda: tg.rot90(V), ["rot90: ", "Axes must be different"]),
    (IndexError, lambda: tg.roll(X, 1, 2), ["roll: ", "axis 2 is out of bounds"]),
    (ValueError, lambda: tg.roll(X, (1, 2, 3), (0, 1)), ["roll: ", "shape mismatch"]),
    (ValueError, lambda: tg.broadcast_arrays(X, V), ["broadcast_arrays: ", "(3, 4)", "(3,)"]),
    (ValueError, lambda: tg.meshgrid(V, V, indexing="yx"), ["meshgrid: indexing= must be 'xy' or 'ij', got 'yx'"]),
    (ValueError, lambda: tg.sliding_window_view(V, 4), ["sliding_window_view: ", "larger than input array"]),
    (ValueError, lambda: tg.sliding_window_view(X, 2), ["sliding_window_view: ", "must provide window_shape for all"]),
    (ValueError, lambda: tg.diagonal(V), ["diagonal: ", "at least two dimensions"]),
    (ValueError, lambda: tg.diag(X[None]), ["diag: takes a vector or a matrix, got shape (1, 3, 4)"]),
    (ValueError, lambda: tg.tril(V.sum()), ["tril: takes matrices (..., N, M), got a single number"]),
    (ValueError, lambda: tg.concatenate([X, V]), ["concatenate: ", "2 dimension(s)"]),
    (ValueError, lambda: tg.vstack([X, V]), ["vstack: all the input array", "size 4", "size 3"]),
    (ValueError, lambda: tg.hstack([]), ["hstack: ", "at least one array"]),
    (ValueError, lambda: tg.split(V, 2), ["split: 3 elements do not make 2 equal parts", "array_split()"]),
    (ValueError, lambda: tg.array_split(V, 0), ["array_split: takes 1 part or more, got 0"]),
    (TypeError, lambda: tg.array_split(V, 1.5), ["array_split: ", "float"]),
    (IndexError, lambda: tg.split(V, 1, 1), ["split: ", "axis 1 is out of bounds"]),
    (ValueError, lambda: tg.hsplit(V.sum(), 1), ["hsplit: takes 1 or more axes, got shape ()"]),
    (ValueError, lambda: tg.vsplit(V, 1), ["vsplit: takes 2 or more axes, got shape (3,)"]),
    (ValueError, lambda: tg.dsplit(X, 1), ["dsplit: takes 3 or more axes, got shape (3, 4)"]),
    (ValueError, lambda: tg.unstack(V.sum()), ["unstack: takes one axis or more, got a single number"]),
    (IndexError, lambda: tg.delete(V, 3), ["delete: ", "index 3 is out of bounds", "size 3"]),
    (ValueError, lambda: tg.repeat(V, [1, 2]), ["repeat: ", "(3,) (2,)"]),
    (ValueError, lambda: tg.repeat(V, -1), ["repeat: ", "negative"]),
    (TypeError, lambda: tg.repeat(V, 1.5), ["repeat: ", "float64"]),
    (TypeError, lambda: tg.tile(V, 1.5), ["tile: ", "float"]),
    (ValueError, lambda: tg.tile(V, -1), ["tile: ", "negative"]),
    (ValueError, lambda: tg.resize(V, (2, -1)), ["resize: no length can be negative, got (2, -1)"]),
    (ValueError, lambda: tg.pad(V, -1), ["pad: pad_width can't be negative, got -1"]),
    (TypeError, lambda: tg.pad(V, 0.5), ["pad: pad_width takes integers, got 0.5"]),
    (ValueError, lambda: tg.pad(X, (1, 2, 3)), ["pad: pad_width of shape (3,) for 2 axes; give a number, a pair"]),
    (IndexError, lambda: tg.pad(X, {2: 1}), ["pad: ", "axis 2 is out of bounds"]),
    (ValueError, lambda: tg.pad(X, 1, constant_values=[1, 2, 3]), ["pad: constant_values of shape (3,) for 2 axes"]),
    (TypeError, lambda: tg.pad(X, 1, constant_values=[V[0], 1.0]), ["pad: constant_values", "stack()"]),
    (TypeError, lambda: tg.pad(X, 1, constant_values=1j), ["pad: ", "takes real numbers, got complex128"]),
    (ValueError, lambda: tg.pad(X, 1, "edge", 2.0), ["pad: constant_values= is for mode 'constant', not for 'edge'"]),
    (ValueError, lambda: np.pad(X, 1, "mean"), ["pad: mode 'mean' is not supported; there are constant, edge"]),
    (ValueError, lambda: tg.pad(X, 1, lambda *_: None), ["pad: mode <function", "is not supported"]),
    (ValueError, lambda: np.pad(X, 1, "wrap", reflect_type="odd"), ["pad: reflect_type='odd' in mode 'wrap'"]),
    (ValueError, lambda: np.pad(X, 1, "reflect", reflect_type="x"), ["pad: reflect_type='x' in mode 'reflect'"]),
    (ValueError, lambda: tg.pad(X[:, :0], 1, "wrap"), ["pad: axis 1 of shape (3, 0) is empty", "'constant'"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "call", "words"), REFUSED, ids=[words[0] for _, _, words in REFUSED])
def test_what_is_refused(kind, call, words):
    with refused(kind, *words):
        call()


@pytest.mark.parametrize("function", [np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack])
def test_a_tensor_for_the_sequence_of_its_parts(function):
    for array in (np.arange(24.0).reshape(2, 3, 4), np.arange(6.0).reshape(3, 2)):
        x = tg.tensor(array, requires_grad=True)
        out = function(x)
        np.testing.assert_array_equal(out.data, function(array))
        weights = np.linspace(1, 2, out.size).reshape(out.shape)
        (out * weights).sum().backward()
        y = tg.tensor(array, requires_grad=True)
        (function([y[i] for i in range(len(array))]) * weights).sum().backward()
        np.testing.assert_array_equal(x.grad.data, y.grad.data)


def test_one_number_repeated_along_an_axis():
    x = tg.tensor(2.5, requires_grad=True)
    np.repeat(x, 3, axis=0).sum().backward()
    assert x.grad.item() == 3
