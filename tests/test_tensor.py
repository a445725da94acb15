"""What a Tensor is to Python: its attributes, its text, and the protocols that it takes part in."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import Tensor


def leaf(data, dtype=None):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


# Attributes.


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (1, 2, 3)])
def test_attributes(shape):
    array = np.ones(shape, np.float32)
    t = tg.tensor(array)
    assert (t.shape, t.ndim, t.size, t.dtype) == (shape, array.ndim, array.size, np.float32)
    assert isinstance(t.data, np.ndarray)
    assert isinstance(t.numpy(), np.ndarray)
    assert t.T.shape == shape[::-1]
    assert (t.grad, t.requires_grad, t.is_leaf) == (None, False, True)


def test_data_is_an_array_for_every_result():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    for out in (x.sum(), x[0, 0], x.mean(), x.max(), x.argmax(), x[0] @ x[1], x.std(), tg.tensor(1.0) * 2, -x.sum()):
        assert type(out.data) is np.ndarray
        assert out.data.shape == ()


def test_t_and_mt():
    x = leaf(np.arange(24.0).reshape(2, 3, 4))
    assert np.array_equal(x.T.data, x.data.T)
    assert np.array_equal(x.mT.data, x.data.mT)
    weights = np.arange(24.0).reshape(2, 4, 3)
    (x.mT * weights).sum().backward()
    assert np.array_equal(x.grad.data, weights.mT)


@pytest.mark.parametrize("name", ["shape", "ndim", "size", "dtype", "T", "mT", "is_leaf", "something_new"])
def test_attributes_that_can_not_be_set(name):
    with pytest.raises(AttributeError):
        setattr(tg.tensor(1.0), name, 1)


def test_is_leaf():
    x = leaf(1.0)
    assert x.is_leaf
    assert not (x * 2).is_leaf
    assert (tg.tensor(1.0) * 2).is_leaf
    assert x.detach().is_leaf
    assert not x.clone().is_leaf


# .data


def test_tensor_copies_and_from_numpy_shares():
    array = np.array([1.0, 2.0])
    copied, shared = tg.tensor(array), tg.from_numpy(array)
    array[0] = 9
    assert (copied.tolist(), shared.tolist()) == ([1, 2], [9, 2])
    assert shared.data is array
    assert shared.numpy() is shared.data


def test_a_write_through_data_is_outside_of_the_graph():
    p = leaf([1.0, 2.0])
    (p * p).sum().backward()
    p.data += -0.5 * p.grad
    assert p.tolist() == [0, 0]
    p.data[0] = 7
    p.data -= 1.0
    assert p.tolist() == [6, -1]
    assert p.is_leaf
    assert p.requires_grad
    assert p.grad.tolist() == [2, 4]
    assert p.dtype == np.float32


def test_data_can_be_replaced():
    x = tg.tensor([1.0, 2.0])
    array = np.array([3.0, 4.0], np.float32)
    x.data = array
    assert x.data is array
    x.data = tg.tensor([5.0, 6.0])
    assert x.tolist() == [5, 6]
    p = leaf([1.0, 2.0])
    p.data = np.array([3.0, 4.0], np.float32)
    (p * p).sum().backward()
    assert p.grad.tolist() == [6, 8]
    for bad in (np.array([1, 2]), np.array([1j, 2]), "ab", None):
        with pytest.raises((TypeError, ValueError), match=r"^[^\n]+$"):
            p.data = bad
    assert p.tolist() == [3, 4]


def test_data_replaced_leaves_no_gradient_of_another_shape():
    p = leaf([1.0, 2.0])
    (p * p).sum().backward()
    with pytest.raises((TypeError, ValueError), match=r"^data: [^\n]+$"):
        p.data = np.ones(3, np.float32)
    assert p.grad.shape == p.shape


# .grad and .requires_grad


def test_grad_can_be_set():
    x = leaf([1.0, 2.0])
    given = tg.tensor([3.0, 4.0])
    x.grad = given
    assert x.grad is given
    (x * 2).sum().backward()
    assert x.grad.tolist() == [5, 6]
    x.grad = None
    assert x.grad is None


@pytest.mark.parametrize(
    "bad", [0, 0.0, [1.0, 2.0], np.ones(2, np.float32), tg.tensor([1.0]), tg.tensor(np.ones(2)), tg.tensor([1, 2])]
)
def test_a_grad_that_does_not_fit_is_refused(bad):
    x = leaf([1.0, 2.0])
    with pytest.raises(TypeError, match=r"^grad: takes None or a Tensor float32\[2\], got [^\n]+$"):
        x.grad = bad
    assert x.grad is None


def test_requires_grad_can_be_set():
    x = tg.tensor([1.0, 2.0])
    x.requires_grad = True
    y = x * 2
    assert y.requires_grad
    y.requires_grad = True
    with pytest.raises(
        RuntimeError, match=r"^requires_grad: only a leaf can stop requiring a gradient; use detach\(\)$"
    ):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2).requires_grad
    assert not x.requires_grad


def test_zero_grad():
    x = leaf(1.0)
    x.backward()
    assert x.grad is not None
    x.zero_grad()
    assert x.grad is None
    x.zero_grad()


# detach and clone


def test_detach_shares_memory_and_clone_does_not():
    x = leaf([1.0, 2.0])
    y = x * 2
    detached, cloned = y.detach(), y.clone()
    assert np.shares_memory(detached.data, y.data)
    assert not np.shares_memory(cloned.data, y.data)
    assert (detached.requires_grad, cloned.requires_grad) == (False, True)
    assert (detached.grad, detached.is_leaf) == (None, True)
    cloned.sum().backward()
    assert x.grad.tolist() == [2, 2]
    detached += 1
    assert y.tolist() == [3, 5]


def test_a_write_through_detach_is_seen_by_the_backward():
    x = leaf([1.0, 2.0])
    y = x.exp()
    z = y.sum()
    detached = y.detach()
    detached += 1
    with pytest.raises(RuntimeError, match="exp needs an array that was changed in place"):
        z.backward()


# Text.


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tg.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (lambda: tg.tensor(3.0), "tensor(3.)"),
        (lambda: tg.tensor([1, 2]), "tensor([1, 2])"),
        (lambda: tg.tensor(True), "tensor(True)"),
        (lambda: tg.tensor(np.array([1.0])), "tensor([1.], dtype=float64)"),
        (lambda: tg.tensor([1], dtype=np.uint8), "tensor([1], dtype=uint8)"),
        (lambda: tg.zeros((2, 0)), "tensor([])"),
        (lambda: leaf([1.0]), "tensor([1.], requires_grad=True)"),
        (lambda: leaf([1.0]) * 2, "tensor([2.], op=multiply)"),
        (lambda: leaf(np.array([1.0])).sum(), "tensor(1., dtype=float64, op=sum)"),
        (lambda: tg.functional.batch_norm(leaf([[1.0], [3.0]]), [1.0], [0.0])[1], "tensor([[2.]], op=batch_norm)"),
        (lambda: tg.tensor([[1.0, 2.0], [3.0, 4.0]]), "tensor([[1., 2.],\n        [3., 4.]])"),
    ],
)
def test_repr(make, text):
    assert repr(make()) == str(make()) == f"{make()}" == text


def test_a_long_repr_is_shortened():
    assert len(repr(tg.zeros((1000, 1000)))) < 1000


def test_format():
    loss = leaf([1.0, 2.5]).sum()
    assert f"{loss:.4f}" == format(loss, ".4f") == "3.5000"
    assert f"{tg.tensor([[7]]):03d}" == "007"
    assert f"{loss}" == "tensor(3.5, op=sum)"
    with pytest.raises(ValueError, match=r"^format: '.4f' is for one number; a tensor of shape \(2,\) has 2$"):
        format(tg.ones(2), ".4f")


# Numbers.


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_is_a_number(shape):
    t = tg.tensor(np.full(shape, 2.75, np.float32))
    assert (t.item(), float(t), int(t), bool(t)) == (2.75, 2.75, 2, True)
    assert type(t.item()) is type(float(t)) is float
    i = tg.tensor(np.full(shape, 2))
    assert (i.item(), float(i), int(i), bool(i - 2)) == (2, 2.0, 2, False)
    assert type(i.item()) is int
    b = tg.tensor(np.full(shape, True))
    assert b.item() is True


@pytest.mark.parametrize("shape", [(0,), (2,), (2, 2)])
def test_several_elements_are_no_number(shape):
    t = tg.ones(shape)
    for convert, name in ((Tensor.item, "item"), (float, "float"), (int, "int")):
        with pytest.raises((ValueError, TypeError), match=rf"^{name}[^\n]*{t.size}"):
            convert(t)
    with pytest.raises(ValueError, match=r"^the truth of a tensor of shape .* is ambiguous; compare single elements$"):
        bool(t)


def test_index():
    assert [10, 20, 30][tg.tensor(1)] == 20
    assert list(range(tg.tensor([3]))) == [0, 1, 2]
    for bad in (tg.tensor(1.0), tg.tensor([1, 2]), tg.tensor(True)):
        with pytest.raises(TypeError, match=r"^only a tensor of one integer is an index, not [^\n]+$"):
            [10, 20][bad]


def test_tolist():
    assert tg.tensor([[1.0, 2.0]]).tolist() == [[1.0, 2.0]]
    assert tg.tensor(3).tolist() == 3
    assert type(tg.tensor([1]).tolist()[0]) is int
    assert tg.zeros((2, 0)).tolist() == [[], []]


# Containers.


def test_len_and_iteration():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    rows = list(x)
    assert [row.tolist() for row in rows] == [[1, 2], [3, 4]]
    (rows[1] * 5).sum().backward()
    assert x.grad.tolist() == [[0, 0], [5, 5]]
    first, second = x
    assert second.tolist() == [3, 4]
    assert list(tg.zeros((0, 3))) == []
    assert [t.tolist() for t in reversed(tg.tensor([1, 2]))] == [2, 1]
    assert first.tolist() == [1, 2]
    for function in (len, iter):
        with pytest.raises(TypeError, match="without axes"):
            function(tg.tensor(1.0))


def test_contains():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert 2.0 in x
    assert 5 not in x
    assert tg.tensor(3.0) in x
    assert np.float64(4) in x
    assert "a" not in x
    assert None not in x


def test_numpy_s_array():
    x = leaf([1.0, 2.0])
    assert np.asarray(x) is x.data
    assert not np.shares_memory(np.array(x), x.data)
    assert np.asarray(x, np.float64).dtype == np.float64
    assert np.array(x, copy=False) is x.data
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        np.array(x, dtype=np.float64, copy=False)


# Identity.


def test_hash_is_identity_and_equality_is_of_elements():
    x, y = tg.tensor([1.0, 2.0]), tg.tensor([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert (x != y).tolist() == [False, True]
    assert (x == 1.0).dtype == bool
    assert (1.0 == x).tolist() == [True, False]  # noqa: SIM300
    assert (x == [1.0, 3.0]).tolist() == [True, False]
    assert hash(x) == hash(x)
    assert len({x, y, x}) == 2
    assert {x: "x", y: "y"}[x] == "x"
    assert len({tg.tensor(1.0), tg.tensor(1.0)}) == 2


def test_comparison_with_what_is_no_number():
    x = tg.tensor([1.0, 2.0])
    assert (x == None) is False  # noqa: E711
    assert (None == x) is False  # noqa: E711, SIM300
    assert (x != None) is True  # noqa: E711
    assert (x == "a") is False
    assert (x != "a") is True
    for compare in (lambda: x < None, lambda: x >= "a"):
        with pytest.raises(TypeError, match=r"^[^\n]+$"):
            compare()


# Copies.


def through_pickle(t):
    return pickle.loads(pickle.dumps(t))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0)])
def test_pickle(shape, dtype, protocol):
    t = tg.ones(shape, dtype)
    if dtype.startswith("float"):
        t.requires_grad = True
        t.backward(np.ones(shape))
    back = pickle.loads(pickle.dumps(t, protocol))
    assert type(back) is Tensor
    assert np.array_equal(back, t)
    assert (back.dtype, back.shape, back.requires_grad) == (t.dtype, t.shape, t.requires_grad)
    assert (back.grad is None) == (t.grad is None)
    assert t.grad is None or np.array_equal(back.grad, t.grad)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, through_pickle])
def test_deepcopy_and_pickle_share_nothing(duplicate):
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    y = duplicate(x)
    y.data[0] = 9
    y.grad *= 0.0
    assert (x.tolist(), x.grad.tolist()) == ([1, 2], [3, 3])
    (y * y).sum().backward()
    assert (y.grad.tolist(), x.grad.tolist()) == ([18, 4], [3, 3])
    view = duplicate(tg.ones(4)[1:3])
    view += 1
    assert view.tolist() == [2, 2]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, through_pickle])
def test_what_is_shared_stays_shared(duplicate):
    x = leaf([1.0, 2.0])
    one, other = duplicate([x, x])
    assert one is other


def test_copy_shares_the_array():
    x = leaf([1.0, 2.0])
    y = copy.copy(x)
    assert np.shares_memory(x.data, y.data)
    assert y.requires_grad
    assert y is not x
    (y * 2).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_only_leaves_can_be_copied(duplicate):
    with pytest.raises(RuntimeError, match=r"^tensor: only leaves can be copied or pickled; use clone\(\) or detach"):
        duplicate(leaf(1.0) * 2)


class Parameter(Tensor):
    """A subclass whose results are Tensors."""

    __slots__ = ()


def test_a_subclass():
    p = Parameter([1.0, 2.0], requires_grad=True)
    assert type(p * 2) is type(np.exp(p)) is type(p[0]) is type(p.detach()) is Tensor
    assert isinstance(p, Tensor)
    (p * p).sum().backward()
    assert type(p.grad) is Tensor
    assert p.grad.tolist() == [2, 4]
    for duplicate in (copy.deepcopy, through_pickle):
        assert type(duplicate(p)) is Parameter
        assert duplicate(p).requires_grad
    p.zero_grad()
    (p * p).sum().backward(create_graph=True)
    assert type(p.grad) is Tensor
