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
