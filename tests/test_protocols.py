"""A Tensor among NumPy's functions and operators: what works, what is refused, and by what name."""

import pickle
import warnings

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.op import numpy_functions, table
from tinygrad_lite.protocols import LIKE, QUERIES, READS
from tinygrad_lite.tensor import Tensor
from tinygrad_lite.writing import WRITES

from .messages import refused


def leaf(data, dtype=None):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def matrix():
    return leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


M = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)


# NumPy's functions.


def test_numpy_functions_give_tensors_that_carry_gradients():
    x, a = matrix(), np.ones((4, 2), np.float32)
    for out in (np.tanh(x), np.sum(x, axis=0), np.matmul(a, x), M + x, np.float32(2) * x, np.where(M > 2, x, 0.0)):
        assert type(out) is Tensor
        assert out.requires_grad
        assert out.dtype == np.float32
    np.matmul(a, x).sum().backward()
    assert x.grad.tolist() == [[4, 4, 4], [4, 4, 4]]


def test_a_tensor_anywhere_in_a_sequence_is_found():
    x = leaf([1.0, 2.0])
    for parts in ([np.zeros(2, np.float32), x], (x, [3.0, 4.0]), [[3.0, 4.0], x]):
        for function in (np.concatenate, np.stack):
            out = function(parts)
            assert type(out) is Tensor
            x.grad = None
            out.sum().backward()
            assert x.grad.tolist() == [1, 1]


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


# Queries.


def test_queries():
    x, ints = matrix(), tg.tensor([1, 2])
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 0)) == ((2, 3), 2, 6, 2)
    assert np.result_type(x) == np.float32
    assert np.result_type(ints, np.float64) == np.float64
    assert np.can_cast(x, np.float64)
    assert not np.iscomplexobj(x)
    assert np.isrealobj(x)
    assert np.allclose(x, M)
    assert np.allclose(M, x)
    assert not np.allclose(x, M + 1)
    assert np.array_equal(x, M)
    assert np.array_equiv(x[:1], M[:1])
    assert np.isclose(x, M).all()
    assert np.may_share_memory(x, x[0])
    assert np.shares_memory(x, x.data)
    assert not np.shares_memory(x, x.clone())
    assert np.iterable(x)
    assert np.array_str(x) == np.array_str(M)
    assert np.array_repr(x) == np.array_repr(M)
    assert np.array2string(x, precision=1) == np.array2string(M, precision=1)


def test_isfinite_and_its_like_are_tensors():
    x = leaf([1.0, np.inf, np.nan])
    for function, want in [
        (np.isfinite, [True, False, False]),
        (np.isinf, [False, True, False]),
        (np.isnan, [False, False, True]),
    ]:
        out = function(x)
        assert type(out) is Tensor
        assert not out.requires_grad
        assert out.tolist() == want


def test_like():
    for x in (matrix(), tg.tensor([[1, 2, 3]]), matrix().T):
        for function, value in [(np.zeros_like, 0), (np.ones_like, 1), (lambda t: np.full_like(t, 7), 7)]:
            out = function(x)
            assert type(out) is Tensor
            assert (out.shape, out.dtype, out.requires_grad) == (x.shape, x.dtype, False)
            assert (out.data == value).all()
            assert not np.shares_memory(out, x)
    assert np.empty_like(matrix()).shape == (2, 3)
    assert np.zeros_like(matrix(), dtype=np.int64).dtype == np.int64
    assert np.full_like(matrix(), tg.tensor(2.0)).data.mean() == 2
    for function in (lambda x: np.full_like(a=x, fill_value=2.0), tg.jit(lambda x: np.full_like(a=x, fill_value=2.0))):
        assert function(matrix()).data.mean() == 2
    with refused(tg.JitError, "jit: np.full_like asks for numbers"):
        tg.jit(lambda x: np.full_like(a=x, fill_value=x[0, 0]))(matrix().detach())


def test_saving(tmp_path):
    x = matrix()
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    np.savetxt(tmp_path / "x.txt", x)
    for read in (np.load(tmp_path / "x.npy"), np.load(tmp_path / "x.npz")["x"], np.loadtxt(tmp_path / "x.txt")):
        np.testing.assert_array_equal(read, M)


def test_numpys_own_assertions():
    np.testing.assert_allclose(matrix(), M)
    np.testing.assert_array_equal(matrix(), M)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(matrix(), M + 1)


# What there is not.


def namespace(module):
    """The functions of a module of NumPy that ask a Tensor first, by the name under which users know them."""
    prefix = module.__name__.replace("numpy", "np")
    for name in dir(module):
        function = getattr(module, name)
        if not name.startswith("_") and (isinstance(function, np.ufunc) or hasattr(function, "_implementation")):
            yield f"{prefix}.{name}", function


EVERYTHING = [pair for module in (np, np.linalg, np.fft) for pair in namespace(module)]
KNOWN = {*numpy_functions, *QUERIES, *READS, *LIKE, *WRITES}
UNKNOWN = [pair for pair in EVERYTHING if pair[1] not in KNOWN]


def calls():
    """Arguments with a Tensor where a function of NumPy may look for its array."""
    x, m, ints = leaf([1.0, 2.0]), leaf([[1.0, 2.0], [3.0, 5.0]]), tg.tensor([0, 1])
    for first in (x, m, ints):
        yield from ((first,), *((first, second) for second in (0, x, m)), (first, 0, 1), (first, x, x), (first, m, 0))
    yield from (([x, x],), ([x > 0], [x]), (0, x), ("i->", x), ("i,i->", x, x), (len, 0, x), (np.sum, x, [0]))
    yield from ((x, [x > 0], [1]), (x, ints, x, 0))


def names(name, function):
    """What the error may call it: as users do, or as NumPy does where one function has several names."""
    module = getattr(function, "__module__", None) or "numpy"
    return {name, f"np.{function.__name__}", f"{module.replace('numpy', 'np')}.{function.__name__}"}


@pytest.mark.parametrize(("name", "function"), UNKNOWN, ids=[name for name, _ in UNKNOWN])
def test_all_else_of_numpy_is_refused_in_one_line_that_names_it(name, function):
    """Whatever it is called with: no function gives an array, and so drops the gradient, in silence."""
    refusals = set()
    for args in calls():
        try:
            with warnings.catch_warnings(action="ignore"):
                result = function(*args)
        except TypeError as error:
            refusals.add(str(error))
        except Exception:  # of arguments that make no sense to it
            continue
        else:  # NumPy asks the elements of a list only in its joining functions
            assert not isinstance(args[0], Tensor), f"{name}{args} gave {result!r}"
    refusals = {refusal for refusal in refusals if "is no operation of tinygrad_lite" in refusal}
    assert refusals & {f"{each} {REFUSAL}" for each in names(name, function)}
    assert all(len(refusal.splitlines()) == 1 for refusal in refusals)


REFUSAL = "is no operation of tinygrad_lite, and would drop the gradient; call it on t.numpy() where none is wanted"


def test_the_names_of_modules_are_in_the_message():
    x = matrix()
    for name, call in {
        "np.linalg.eig": lambda: np.linalg.eig(x),
        "np.fft.fft": lambda: np.fft.fft(x),
        "np.histogram": lambda: np.histogram(x),
        "np.unique": lambda: np.unique(x),
        "np.ix_": lambda: np.ix_(x[0], x[1]),
        "np.spacing": lambda: np.spacing(x),
        "np.lib.scimath.sqrt": lambda: np.lib.scimath.sqrt(x),
    }.items():
        with pytest.raises(TypeError, match=rf"^{name.replace('.', '[.]')} is no operation of tinygrad_lite"):
            call()


def test_the_table_answers_for_what_it_names():
    for function, op in numpy_functions.items():
        assert table[op.name] is op
        assert function in op.numpy
        assert op.name.removeprefix("linalg_") in [each.__name__ for each in op.numpy]


# As an array.


def test_array():
    x = matrix()
    assert np.asarray(x) is x.data
    assert np.array(x, copy=False) is x.data
    assert x.__array__() is not None
    assert x.__array__(copy=False) is x.data
    assert not np.shares_memory(np.array(x), x.data)
    assert not np.shares_memory(x.__array__(copy=True), x.data)
    assert np.asarray(x, dtype=np.float32) is x.data
    wide = np.asarray(x, dtype=np.float64)
    assert (wide.dtype, wide.tolist()) == (np.float64, M.tolist())
    assert x.__array__(np.float64).dtype == np.float64
    assert np.array([x, x]).shape == (2, 2, 3)
    assert np.array([x.sum(), x.sum()]).tolist() == [21, 21]
    with pytest.raises(ValueError, match="copy"):
        np.array(x, dtype=np.float64, copy=False)


def test_a_tensor_as_index_of_an_array_and_of_a_list():
    array = np.arange(5.0)
    assert array[tg.tensor([0, 3])].tolist() == [0, 3]
    assert array[tg.tensor(2)] == 2
    assert array[tg.tensor([True, False, False, True, False])].tolist() == [0, 3]
    assert ["a", "b"][tg.tensor(1)] == "b"
    assert list(range(tg.tensor(3))) == [0, 1, 2]


def test_a_refused_function_leaves_no_trace():
    x = matrix()
    with pytest.raises(TypeError):
        np.unique(x)
    assert pickle.loads(pickle.dumps(x)).tolist() == M.tolist()
    assert x.is_leaf
    x.sum().backward()
    assert x.grad.tolist() == [[1, 1, 1], [1, 1, 1]]


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
