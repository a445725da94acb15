"""grad and its kin: against torch.func, against each other, and on all structures."""

from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite import graph
from tinygrad_lite.backward import gradients
from tinygrad_lite.op import Op

from . import torch_backend
from .messages import refused

torch = torch_backend.torch
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch.func uses it
Point = namedtuple("Point", "x y")


def leaf(data, dtype=np.float64):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def arrays(tree):
    """The same dicts, lists and tuples, with arrays for Tensors."""
    if isinstance(tree, dict):
        return {key: arrays(each) for key, each in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [arrays(each) for each in tree]
    return tree.data if isinstance(tree, tg.Tensor) else tree


def assert_same(one, other, rtol=1e-9):
    one, other = arrays(one), arrays(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_same(*pair, rtol)
    else:
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol, 1e-12)


# Functions that run on both libraries, of a vector: to a number, and to several.

NUMBERS = {
    "polynomial": lambda lib: lambda x: (x * x * x - 2 * x * x).sum(),
    "tanh": lambda lib: lambda x: (lib.tanh(x) * lib.exp(x * 0.5)).sum(),
    "rosenbrock": lambda lib: lambda x: (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum(),
    "products": lambda lib: lambda x: (x[:, None] * lib.tanh(x[None, :])).sum() / (1.0 + (x * x).sum()),
    "not of x": lambda lib: lambda x: (x[:0]).sum(),
}
VECTORS = {
    "tanh": lambda lib: lambda x: lib.tanh(x) * x[0],
    "outer": lambda lib: lambda x: x[:, None] * lib.exp(-x * x)[None, :],
    "view": lambda lib: lambda x: x[None, ::2],
    "same": lambda lib: lambda x: x,
}


def vectors(low=2, high=5):
    return st.integers(low, high).flatmap(
        lambda n: st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=n))
    )


few = settings(max_examples=8, deadline=None)


@pytest.mark.parametrize("name", NUMBERS)
@few
@given(x=vectors())
def test_of_a_number_as_torch(name, x):
    f, judge = NUMBERS[name](tg), NUMBERS[name](torch)
    assert_same(tg.grad(f)(x), torch_backend.transform("grad", judge, x))
    value, gradient = tg.value_and_grad(f)(x)
    assert_same(value, f(tg.tensor(x)))
    assert_same(gradient, tg.grad(f)(x))
    assert_same(tg.jacobian(f)(x), gradient)
    assert_same(tg.hessian(f)(x), torch_backend.transform("hessian", judge, x), 1e-7)
    v = np.cos(np.arange(len(x)))
    assert_same(tg.hvp(f)(x, v), tg.hessian(f)(x) @ v, 1e-7)
    assert_same(tg.jvp(tg.grad(f), (x,), (v,))[1], tg.hvp(f)(x, v), 1e-7)
    assert_same(tg.jacobian(tg.grad(f))(x), tg.hessian(f)(x))


@pytest.mark.parametrize("name", VECTORS)
@few
@given(x=vectors())
def test_of_an_array_as_torch(name, x):
    f, judge = VECTORS[name](tg), VECTORS[name](torch)
    jacobian = tg.jacobian(f)(x)
    assert jacobian.shape == f(tg.tensor(x)).shape + x.shape
    assert_same(jacobian, torch_backend.transform("jacobian", judge, x))
    u = np.sin(np.arange(len(x)) + 1)
    assert_same(tg.jvp(f, (x,), (u,)), torch_backend.transform("jvp", judge, (x,), (u,)))
    output, product = tg.vjp(f, x)
    v = np.cos(np.arange(output.size)).reshape(output.shape)
    assert_same(product(v), torch_backend.pull(judge, v, x)[0])
    assert float((product(v) * u).sum()) == pytest.approx(float((tg.jvp(f, (x,), (u,))[1] * v).sum()), rel=1e-9)
    assert_same(tg.hessian(f)(x), torch_backend.transform("hessian", judge, x), 1e-7)
    assert_same(tg.elementwise_grad(f)(x), product(np.ones(output.shape)))


@few
@given(x=vectors(3, 3), v=vectors(3, 3), seed=st.integers(0, 5))
def test_mixed_towers_as_torch(x, v, seed):
    """grad of jvp, jvp of grad, vjp of jacobian, third derivatives."""

    def along(lib, func):
        f = NUMBERS["tanh"](lib)
        return lambda x, v: (func.jvp(f, (x,), (v,))[1] * x).sum()

    ours, judge = along(tg, tg), along(torch, torch.func)
    for argnums in (0, 1, (0, 1)):
        assert_same(tg.grad(ours, argnums)(x, v), torch_backend.transform("grad", judge, x, v, argnums=argnums))
    third = tg.jacobian(tg.hessian(NUMBERS["tanh"](tg)))(x)
    judge = torch.func.jacrev(torch.func.hessian(NUMBERS["tanh"](torch)))(torch.from_numpy(x))
    assert_same(third, judge.numpy(), 1e-7)

    def norm(lib, func):
        return lambda x: (func.grad(NUMBERS["products"](lib))(x) ** 2).sum()

    assert_same(tg.grad(norm(tg, tg))(x), torch_backend.transform("grad", norm(torch, torch.func), x), 1e-7)


@pytest.mark.parametrize("order", range(7))
def test_any_order(order):
    f, value = (lambda x: x**6), 1.5**6
    expected = [1.5**6, 6 * 1.5**5, 30 * 1.5**4, 120 * 1.5**3, 360 * 1.5**2, 720 * 1.5, 720.0][order]
    for _ in range(order):
        f = tg.grad(f)
    value = f(tg.tensor(1.5, dtype=np.float64))
    assert value.item() == pytest.approx(expected, rel=1e-12)
    g = lambda x: np.exp(2 * x)  # noqa: E731
    for _ in range(order):
        g = tg.elementwise_grad(g)
    np.testing.assert_allclose(
        g(np.array([0.1, 0.2])).data if order else 1, 2**order * np.exp([0.2, 0.4]) if order else 1
    )


def test_inner_and_outer_derivatives_are_not_confused():
    """Siskind and Pearlmutter, "Perturbation confusion and referential transparency", 2005."""
    inner = lambda x: tg.grad(lambda y: x + y)(tg.tensor(1.0))  # noqa: E731
    assert tg.grad(lambda x: x * inner(x))(3.0).item() == 1
    assert tg.grad(lambda x: x * tg.grad(lambda y: x * y)(2.0))(3.0).item() == 6
    assert tg.grad(lambda x: tg.grad(lambda y: x * x * y)(x))(3.0).item() == 6
    assert tg.grad(lambda x: tg.jvp(lambda y: x * y, (x,), (x,))[1])(3.0).item() == 6


# Structures and arguments.


def test_structures():
    def f(p, q, *, scale):
        return (p["w"] @ p["layers"][0] + q.x * q.y).sum() * scale

    p = {"w": np.ones((2, 3)), "layers": [np.full(3, 2.0), None], "none": None}
    q = Point(np.ones(2), 3.0)
    gradient = tg.grad(f, (0, 1))(p, q, scale=2.0)
    assert isinstance(gradient, tuple)
    assert_same(gradient[0]["w"], np.full((2, 3), 4.0))
    assert_same(gradient[0]["layers"][0], np.full(3, 4.0))
    assert gradient[0]["layers"][1] is None
    assert gradient[0]["none"] is None
    assert isinstance(gradient[1], Point)
    assert_same(gradient[1].x, np.full(2, 6.0))
    assert gradient[1].y.item() == 4
    assert tg.grad(f, -1)(p, q, scale=2.0).y.item() == 4


def test_keys_in_any_order():
    a, b = tg.tensor([2.0]), tg.tensor([3.0])

    def f(p):
        return (p["a"] ** 2 * p["b"]).sum()

    for vector in ({"a": a, "b": b}, {"b": b, "a": a}):
        found = tg.hvp(f)({"a": a, "b": b}, vector)
        assert (found["a"].item(), found["b"].item()) == (2 * 3 * 2 + 2 * 2 * 3, 2 * 2 * 2)


def test_structures_of_outputs():
    def f(x, y):
        return {"product": x * y, "rest": [x.sum(), y]}

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    judge = lambda x, y: {"product": x * y, "rest": [x.sum(), y]}  # noqa: E731
    assert_same(tg.jacobian(f, (0, 1))(x, y), torch_backend.transform("jacobian", judge, x, y, argnums=(0, 1)))
    output, product = tg.vjp(f, x, y)
    assert_same(output, f(tg.tensor(x), tg.tensor(y)))
    v = {"product": np.ones(2), "rest": [np.array(2.0), np.zeros(2)]}
    for _ in range(3):  # as often as one likes
        assert_same(product(v), [y + 2, x])
    _, derivative = tg.jvp(f, (x, y), (np.ones(2), np.zeros(2)))
    assert_same(derivative, {"product": y, "rest": [np.array(2.0), np.zeros(2)]})


def test_hessian_of_several_inputs_as_torch():
    def f(x, p):
        return (x * x * p["w"]).sum() + (p["b"] ** 3) * x[0]

    x, p = np.array([1.0, 2.0]), {"w": np.array([3.0, 4.0]), "b": np.array(2.0)}
    assert_same(tg.hessian(f, (0, 1))(x, p), torch_backend.transform("hessian", f, x, p, argnums=(0, 1)))
    assert tg.hessian(f, (0, 1))(x, p)[0][1]["w"].shape == (2, 2)
    assert tg.hessian(f, (0, 1))(x, p)[1]["b"][0].shape == (2,)
    v = {"w": np.array([1.0, -1.0]), "b": np.array(0.5)}
    product = tg.hvp(f, (0, 1))(x, p, (np.ones(2), v))
    judge = torch_backend.pull(torch.func.grad(f, (0, 1)), (np.ones(2), v), x, p)
    assert_same(product, judge)
    assert_same(
        tg.hvp(f, 1)(x, p, v), torch_backend.pull(lambda p: torch.func.grad(f, 1)(torch.from_numpy(x), p), v, p)[0]
    )


@pytest.mark.parametrize("x", [1.5, np.float32(1.5), np.array(1.5), tg.tensor(1.5), leaf(1.5)], ids=repr)
def test_numbers_and_arrays(x):
    gradient = tg.grad(lambda x: x * x)(x)
    assert gradient.item() == 3
    assert gradient.dtype == (x.dtype if hasattr(x, "dtype") else np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_the_dtype_is_that_of_the_input(dtype):
    x = np.ones(3, dtype)
    f = lambda x: (np.tanh(x) * 2.0).sum()  # noqa: E731
    assert tg.grad(f)(x).dtype == dtype
    assert tg.hessian(f)(x).dtype == dtype
    assert tg.jvp(np.tanh, (tg.tensor(x),), (np.ones(3),))[1].dtype == dtype
    mixed = tg.grad(lambda x, y: (x * y).sum(), (0, 1))(np.ones(3, np.float32), np.ones(3))
    assert [each.dtype for each in mixed] == [np.float32, np.float64]


def test_size_0():
    x = np.zeros((0, 3))
    assert tg.grad(lambda x: x.sum())(x).shape == (0, 3)
    assert tg.jacobian(lambda x: x * 2)(x).shape == (0, 3, 0, 3)
    assert tg.hessian(lambda x: (x * x).sum())(x).shape == (0, 3, 0, 3)


def test_a_tensor_given_twice():
    x = tg.tensor([1.0, 2.0])
    assert_same(tg.grad(lambda x, y: (x * x * y).sum(), (0, 1))(x, x), [np.array([2, 8], "f"), np.array([1, 4], "f")])
    assert_same(tg.grad(lambda p: (p[0] * p[1]).sum())([x, x]), [x, x])


def test_the_input_is_also_captured():
    """Only the way through the argument counts."""
    x = leaf([1.0, 2.0])
    assert_same(tg.grad(lambda y: (x * y).sum())(x), x)


def test_has_aux():
    def f(x):
        return (x * x).sum(), {"twice": x * 2, "name": "f", "x": [x]}

    x = tg.tensor([1.0, 2.0])
    gradient, aux = tg.grad(f, has_aux=True)(x)
    assert_same(gradient, np.array([2, 4], "f"))
    assert_same(aux["twice"], np.array([2, 4], "f"))
    assert aux["name"] == "f"
    assert not aux["twice"].requires_grad
    assert not aux["x"][0].requires_grad
    (value, aux), gradient = tg.value_and_grad(f, has_aux=True)(x)
    assert (value.item(), aux["name"]) == (5, "f")
    assert tg.jacobian(f, has_aux=True)(x)[1]["name"] == "f"
    output, product, aux = tg.vjp(f, x, has_aux=True)
    assert (output.item(), product(1.0).tolist(), aux["name"]) == (5, [2, 4], "f")
    output, derivative, aux = tg.jvp(f, (x,), (x,), has_aux=True)
    assert (output.item(), derivative.item(), aux["name"]) == (5, 10, "f")


def test_the_function_keeps_its_name():
    def loss(x):
        """How wrong."""
        return x

    assert (tg.grad(loss).__name__, tg.grad(loss).__doc__) == ("loss", "How wrong.")


def test_zeros_where_nothing_depends():
    x, y = tg.tensor([1.0, 2.0]), tg.tensor(3.0, dtype=np.float64)
    for other in (lambda x, y: (x * 2).sum(), lambda x, y: (x + y.detach()).sum()):
        zero = tg.grad(other, 1)(x, y)
        assert (zero.item(), zero.dtype) == (0, np.float64)
    constant = lambda x: tg.ones(2)  # noqa: E731
    assert tg.jacobian(constant)(x).tolist() == [[0, 0], [0, 0]]
    assert tg.jvp(constant, (x,), (x,))[1].tolist() == [0, 0]
    assert tg.vjp(constant, x)[1](np.ones(2)).tolist() == [0, 0]
    assert tg.hessian(lambda x: x.sum())(x).tolist() == [[0, 0], [0, 0]]
    assert tg.hvp(lambda x: x.sum())(x, x).tolist() == [0, 0]
    assert tg.jvp(tg.grad(lambda x: x.sum()), (x,), (x,))[1].tolist() == [0, 0]


# The engine's own function.


def test_gradients_of_inner_results_as_torch():
    def run(lib, x):
        y = x * x
        z = lib.exp(y) * x
        return [x, y, z], [z * y, y.sum()]

    ours, outputs = run(tg, leaf([0.5, 1.0]))
    weights = [tg.tensor([1.0, 2.0], dtype=np.float64), tg.tensor(3.0, dtype=np.float64)]
    found = gradients(outputs, ours, weights, retain_graph=True)
    theirs, judged = run(torch, torch.tensor([0.5, 1.0], dtype=torch.float64, requires_grad=True))
    expected = torch.autograd.grad(judged, theirs, [torch.from_numpy(w.data) for w in weights], retain_graph=True)
    assert_same(found, [each.numpy() for each in expected])
    assert all(each.grad is None for each in ours)
    assert not any(each.requires_grad for each in found)
    again = gradients(outputs, ours, weights, create_graph=True)
    assert_same(found, again)
    assert all(each.requires_grad for each in again)
    assert_same(gradients(outputs[1:], ours, weights[1:])[2], np.zeros(2))


def test_rules_that_are_not_needed_do_not_run():
    ran = []
    rule = {"x": lambda g: (ran.append("x"), g)[1], "y": lambda g: (ran.append("y"), g)[1]}

    def plus(x, y):
        return np.add(x, y)

    op = Op(plus, rule)
    x, w = leaf(1.0), leaf(2.0)
    branch = graph.apply(op, (w, w * 2))
    total = graph.apply(op, (graph.apply(op, (x, branch)), x))
    assert [each.item() for each in gradients([total], [x], [np.ones(())])] == [2]
    assert ran == ["x", "y", "x"]
    ran.clear()
    total = graph.apply(op, (graph.apply(op, (x, w)), 1.0))
    assert tg.grad(lambda y: graph.apply(op, (graph.apply(op, (y, total)), w)))(x).item() == 1
    assert ran == ["x", "x"]


def test_several_outputs_get_their_cotangents_together():
    x = leaf([[1.0, 2.0], [3.0, 5.0]])
    outputs = F.batch_norm(x, np.ones(2), np.zeros(2))
    weights = [np.cos(np.arange(each.size)).reshape(each.shape) for each in outputs]
    together = gradients(outputs, [x], weights, retain_graph=True)[0].data
    one_by_one = [gradients([y], [x], [w], retain_graph=True)[0].data for y, w in zip(outputs, weights, strict=True)]
    np.testing.assert_allclose(together, sum(one_by_one))
    mean = outputs[1]
    assert gradients([mean * 2], [mean], [np.ones(mean.shape)])[0].tolist() == [[2, 2]]


# Errors.

X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("run", "kind", "words"),
    [
        (lambda: tg.grad(3), TypeError, ("grad: takes a function, got 3",)),
        (
            lambda: tg.grad(lambda x: x)(X),
            ValueError,
            ("grad: the function must return one number", "(3,)", "jacobian"),
        ),
        (lambda: tg.grad(lambda x: 1.0)(X), TypeError, ("grad: the function must return a Tensor, got float",)),
        (lambda: tg.grad(lambda x: None)(X), TypeError, ("grad: the function must return one Tensor, got None",)),
        (lambda: tg.grad(lambda x: (x.sum(), x))(X), TypeError, ("grad: the function must return one Tensor",)),
        (lambda: tg.grad(lambda x: x.sum() > 1)(X), TypeError, ("grad: the function returned bool",)),
        (lambda: tg.grad(lambda x: x)(3), TypeError, ("grad: argument 0 is int64", "argnums")),
        (lambda: tg.grad(lambda p: p)({"n": [X, 3]}), TypeError, ("grad: argument 0['n'][1] is int64",)),
        (lambda: tg.grad(lambda x: x)("text"), TypeError, ("grad: argument 0 is 'text'; takes Tensors",)),
        (lambda: tg.grad(lambda x: x, 1)(X), ValueError, ("grad: argnums has 1", "given 1 positional")),
        (lambda: tg.grad(lambda x: x, (0, -2))(X), ValueError, ("grad: argnums has -2",)),
        (lambda: tg.grad(lambda x: x, "x")(X), TypeError, ("grad: argnums are integers, got 'x'",)),
        (lambda: tg.grad(lambda x: x, (0, 0))(X), ValueError, ("grad: argnums names an argument twice",)),
        (lambda: tg.grad(lambda x: x, has_aux=True)(X), TypeError, ("grad: with has_aux", "a pair")),
        (lambda: tg.hessian(lambda x: 1)(X), TypeError, ("hessian: the function must return a Tensor, got int",)),
        (lambda: tg.vjp(lambda x: x), TypeError, ("vjp: takes a function and its arguments",)),
        (lambda: tg.vjp(lambda x: x, X)[1](np.ones(2)), ValueError, ("vjp: the vector has shape (2,), wanted (3,)",)),
        (lambda: tg.vjp(lambda x: x, X)[1]((X, X)), ValueError, ("vjp: the vector must have the structure", "[1]")),
        (
            lambda: tg.vjp(lambda x: {"a": x}, X)[1]({"a": np.ones(2)}),
            ValueError,
            ("vjp: the vector['a'] has shape (2,), wanted (3,)",),
        ),
        (lambda: tg.jvp(lambda x: x, X, X), TypeError, ("jvp: primals must be a tuple, got ndarray",)),
        (lambda: tg.jvp(lambda x: x, (X,), (X, X)), ValueError, ("jvp: the vector must have the structure",)),
        (lambda: tg.jvp(lambda x: x, (X,), (1.0,)), ValueError, ("jvp: the vector[0] has shape (), wanted (3,)",)),
        (lambda: tg.hvp(lambda x: x.sum())(X), TypeError, ("hvp: takes the arguments of the function and then a",)),
        (lambda: tg.hvp(lambda x: x)(X, X), ValueError, ("hvp: the function must return one number",)),
        (lambda: tg.hvp(lambda x: x.sum())(X, 1.0), ValueError, ("hvp: the vector has shape ()",)),
    ],
)
def test_errors(run, kind, words):
    with refused(kind, *words):
        run()


def test_a_stale_view_is_refused():
    def f(x):
        y = x * 1
        view = y[:1]
        y *= 2
        return view

    with refused(RuntimeError, "jacobian: the tensor shares memory with one that was since written to"):
        tg.jacobian(f)(X)
