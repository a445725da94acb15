"""Composites: operations whose body is written in terms of others."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import ArrayLike

import tinygrad_lite as tg
from tinygrad_lite import op as table_of
from tinygrad_lite.testing import gradcheck, gradgradcheck

from .messages import refused


@pytest.fixture(autouse=True)
def own_table(monkeypatch):
    """What a test declares is gone after it."""
    for name in ("table", "numpy_functions"):
        monkeypatch.setattr(table_of, name, dict(getattr(table_of, name)))


@pytest.fixture
def composed():
    seen = []

    @tg.composite()
    def blend(x: ArrayLike, y: ArrayLike, t: ArrayLike | None = None, power: float = 1.0):
        """x + (y - x) * t ** power."""
        seen.append((type(x), type(y), type(t)))
        if np.shape(x) == (13,):
            return np.reshape(x, (5, 5))
        return x + (y - x) * (0.5 if t is None else t**power)

    blend.seen = seen
    return blend


@pytest.fixture
def several():
    @tg.composite()
    def tops(arrays: Sequence[ArrayLike], weight: ArrayLike = 1.0):
        """The first rows, weighted, and their sum."""
        first = [each[0] * weight for each in arrays]
        total = first[0]
        for each in first[1:]:
            total = total + each
        return first, total

    return tops


def leaf(data, dtype=np.float64):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def test_the_table_knows_it(composed):
    entry = table_of.table["blend"]
    assert entry.composed
    assert entry.function is composed
    assert entry.carriers == ("x", "y", "t")
    assert composed.__doc__ == "x + (y - x) * t ** power."


def test_derivatives_of_any_order(composed, several):
    rng = np.random.default_rng(0)
    x, y, t = rng.normal(size=3), rng.normal(size=(2, 3)), rng.uniform(0.5, 1, 3)
    assert gradcheck(composed, x, y, t, 1.7, argnums=(0, 1, 2))
    assert gradgradcheck(composed, x, y, t, 1.7, argnums=(0, 1, 2))
    assert gradgradcheck(lambda x, y: composed(x, y), x, y, argnums=(0, 1))
    assert gradgradcheck(lambda a, b, w: several([a, b], w)[1], y, y + 1, t, argnums=(0, 1, 2))


def test_arrays_in_arrays_out(composed, several):
    result = composed(np.array([1.0, 2.0]), [3.0, 4.0], 0.5)
    assert type(result) is np.ndarray
    assert result.tolist() == [2, 3]
    assert type(composed(1.0, 3.0)) in (np.float64, np.ndarray)
    first, total = several([np.ones((2, 2)), [[3.0, 4.0], [5.0, 6.0]]])
    assert type(first[0]) is type(total) is np.ndarray
    assert total.tolist() == [4, 5]


def test_one_tensor_is_enough(composed, several):
    for args in ((tg.ones(2), 1.0), (1.0, tg.ones(2)), (np.ones(2), np.ones(2), tg.ones(2))):
        assert isinstance(composed(*args), tg.Tensor)
    assert isinstance(several([np.ones((2, 2)), tg.ones((2, 2))])[1], tg.Tensor)
    assert isinstance(several([np.ones((2, 2))], weight=tg.ones(2))[1], tg.Tensor)


@pytest.mark.parametrize(
    ("args", "dtype"),
    [
        ((tg.ones(2), 2.5), np.float32),
        ((tg.ones(2), np.float64(2.5)), np.float32),
        ((tg.ones(2), np.array(2.5)), np.float32),
        ((tg.ones(2), [1.5, 2.5]), np.float32),
        ((tg.ones(2), np.array([1, 2])), np.float32),
        ((tg.ones(2), np.array([True, False])), np.float32),
        ((tg.ones(2), tg.tensor([1, 2])), np.float32),
        ((tg.ones(2), tg.tensor(2.5, dtype=np.float64)), np.float32),
        ((tg.ones(2), np.array([1.0, 2.0])), np.float64),
        ((tg.ones(2), tg.ones(2), np.array([1.0, 2.0])), np.float64),
        ((tg.ones(2, dtype=np.float64), 1.0, 2), np.float64),
    ],
)
def test_its_inputs_are_brought_to_one_dtype(composed, args, dtype):
    assert composed(*args).dtype == dtype


def test_its_body_gets_tensors_or_arrays(composed):
    composed(tg.ones(2), [1.0, 2.0])
    composed(np.ones(2), 1.0, tg.ones(2))
    composed([1.0], 1.0)
    tensor, array, none = tg.Tensor, np.ndarray, type(None)
    assert composed.seen == [(tensor, tensor, none), (tensor, tensor, tensor), (array, array, none)]


def test_gradients_come_back_in_their_own_dtype(composed):
    x, y = leaf([1.0, 2.0], np.float32), leaf([3.0, 4.0], np.float64)
    composed(x, y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
    assert x.grad.tolist() == y.grad.tolist() == [0.5, 0.5]


def test_views_are_tracked():
    @tg.composite()
    def corner(x: ArrayLike):
        """The first two rows and columns."""
        return x[:2, :2]

    x = leaf(np.arange(9.0).reshape(3, 3))
    y = x * 1
    view = corner(y)
    view *= 10
    assert y.tolist() == [[0, 10, 2], [30, 40, 5], [6, 7, 8]]
    with refused(RuntimeError, "sum: the tensor shares memory"):
        y.sum()
    view.sum().backward()
    assert x.grad.tolist() == [[10, 10, 0], [10, 10, 0], [0, 0, 0]]
    z = x * 1
    total = (corner(z) ** 2).sum()
    z += 1
    with refused(RuntimeError, "backward: power needs an array that was changed in place"):
        total.backward()


def test_within_no_grad(composed):
    x = leaf([1.0, 2.0])
    with tg.no_grad():
        assert not composed(x, x).requires_grad
    assert composed(x, x).requires_grad
    assert not composed(x.detach(), 1.0).requires_grad


def test_in_transforms(composed):
    f = lambda x: (composed(x, 3.0, x, power=2.0) ** 2).sum()  # noqa: E731
    judge = lambda x: ((x + (3.0 - x) * x**2) ** 2).sum()  # noqa: E731
    x = np.array([0.5, 1.5])
    np.testing.assert_allclose(tg.hessian(f)(x).data, tg.hessian(judge)(x).data)
    np.testing.assert_allclose(tg.hessian(tg.checkpoint(f))(x).data, tg.hessian(judge)(x).data)


def test_for_a_function_of_numpy():
    def stub(x, y):
        raise AssertionError

    @tg.composite(stub)
    def joined(x: ArrayLike, y: ArrayLike):
        """One after the other."""
        return np.concatenate([x, y])

    assert table_of.numpy_functions[stub].function is joined


def test_errors(composed, several):
    with refused(TypeError, "blend: x takes an array or a number, got None"):
        composed(None, 1.0)
    with refused(TypeError, "blend: y takes an array or a number, got None"):
        composed(np.ones(2), None)
    for given in ([tg.ones(2), tg.ones(2)], (leaf(1.0), 2.0)):
        with refused(TypeError, f"blend: got a {type(given).__name__} of Tensors where one is wanted; stack() them"):
            composed(given, 1.0)
    with refused(ValueError, "blend: ", "(2,)", "(3,)"):
        composed(np.ones(2), np.ones(3))
    with refused(ValueError, "blend: ", "(3,)", "(2,)"):
        composed(tg.ones(2), np.ones(3))
    with refused(ValueError, "blend: ", "13"):
        composed(tg.ones(13), 1.0)
    with refused(TypeError, "blend: takes real numbers, got 'text'"):
        composed(tg.ones(2), "text")
    with refused(TypeError, "tops: arrays takes an array or a number, got None"):
        several([tg.ones((2, 2)), None])
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        composed(tg.ones(2), 1.0, pow=2.0)


def test_a_name_that_is_taken(composed):
    with refused(ValueError, "blend: the table has an operation for blend already; choose another name"):

        @tg.composite()
        def blend(x: ArrayLike):
            """Again."""

    with refused(ValueError, "sums: the table has an operation for sum already"):

        @tg.composite(np.sum)
        def sums(x: ArrayLike):
            """Again."""

    with refused(TypeError, "many: an operation takes plain parameters"):

        @tg.composite()
        def many(x: ArrayLike, **options):
            """With keywords."""
