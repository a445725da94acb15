"""What the results of transforms carry, what transforms leave alone, and how they are used in training."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite import graph

from . import torch_backend
from .messages import refused
from .test_transforms import assert_same, leaf

torch = torch_backend.torch
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch.func uses it


def test_leaves_are_left_alone():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    w.grad = tg.tensor([1.0, 1.0], dtype=np.float64)
    tg.grad(lambda x: (x * w).tanh().sum())(x)
    tg.hessian(lambda x: (x * w).tanh().sum())(x)
    assert x.grad is None
    assert w.grad.tolist() == [1, 1]
    assert x.requires_grad
    assert x.is_leaf


def test_plain_inputs_record_no_backward(monkeypatch):
    recorded = []
    record = graph.record
    monkeypatch.setattr(graph, "record", lambda op, *rest: (recorded.append(op.name), record(op, *rest)))
    gradient = tg.grad(lambda x: (x.tanh() * x).sum())(tg.tensor([1.0, 2.0]))
    assert recorded == ["tanh", "multiply", "sum"]
    assert not gradient.requires_grad
    assert not tg.jacobian(lambda x: x.tanh())(tg.tensor([1.0])).requires_grad
    assert not tg.hessian(lambda x: (x.tanh() * x).sum())(tg.tensor([1.0])).requires_grad
    assert not tg.hvp(lambda x: (x.tanh() * x).sum())(tg.tensor([1.0]), tg.tensor([1.0])).requires_grad
    assert not any(each.requires_grad for each in tg.jvp(np.tanh, (tg.tensor([1.0]),), (tg.tensor([1.0]),)))
    value, _ = tg.value_and_grad(lambda x: x * x)(2.0)
    assert not value.requires_grad


V = np.array([0.5, -1.0, 2.0])
TRANSFORMS = {
    "grad": lambda f, x: tg.grad(f)(x),
    "value": lambda f, x: tg.value_and_grad(f)(x)[0],
    "elementwise_grad": lambda f, x: tg.elementwise_grad(f)(x),
    "jacobian": lambda f, x: tg.jacobian(lambda x: f(x) * x)(x),
    "hessian": lambda f, x: tg.hessian(f)(x),
    "hvp": lambda f, x: tg.hvp(f)(x, V),
    "vjp": lambda f, x: tg.vjp(f, x)[1](2.0),
    "jvp": lambda f, x: tg.jvp(f, (x,), (V,))[1],
    "aux": lambda f, x: tg.grad(lambda x: (f(x), f(x) * 2), has_aux=True)(x)[1],
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_results_carry_the_graph_of_parameters_and_of_inputs(name):
    """By differences: of a captured leaf, a captured result, and the input itself."""
    rng = np.random.default_rng(0)
    given = [rng.normal(size=3) for _ in range(3)]
    weights = None

    def run(arrays, requires_grad):
        nonlocal weights
        x, w, b = (tg.tensor(each, requires_grad=requires_grad) for each in arrays)
        h = np.exp(b)
        result = TRANSFORMS[name](lambda y: ((y * w).tanh() * h * y).sum(), x)
        weights = np.cos(np.arange(result.size)).reshape(result.shape)
        return (x, w, b), (result * weights).sum()

    inputs, total = run(given, True)
    total.backward()
    for k, each in enumerate(inputs):
        for i in range(3):
            values = []
            for step in (1e-6, -1e-6):
                changed = [a.copy() for a in given]
                changed[k][i] += step
                values.append(run(changed, False)[1].item())
            assert each.grad.data[i] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_within_no_grad(name):
    """They work, and carry nothing outward."""
    x, w = leaf([0.1, 0.2, 0.3]), leaf([1.0, 2.0, 3.0])
    f = lambda y: ((y * w).tanh() * y).sum()  # noqa: E731
    recorded = TRANSFORMS[name](f, x)
    with tg.no_grad():
        result = TRANSFORMS[name](f, x)
        assert not (x * 1).requires_grad
    assert recorded.requires_grad
    assert not result.requires_grad
    assert_same(recorded, result)
    assert (x * 1).requires_grad


def test_a_cotangent_that_carries_a_gradient():
    x, v = tg.tensor([1.0, 2.0]), leaf([3.0, 4.0], np.float32)
    _, product = tg.vjp(lambda x: x * x, x)
    product(v).sum().backward()
    assert v.grad.tolist() == [2, 4]
    v.zero_grad()
    tg.jvp(lambda x: x * x, (x,), (v,))[1].sum().backward()
    assert v.grad.tolist() == [2, 4]
    v.zero_grad()
    tg.hvp(lambda x: (x * x * x).sum())(x, v).sum().backward()
    assert v.grad.tolist() == [6, 12]


def test_no_grad_within_the_function_is_kept():
    def f(x):
        with tg.no_grad():
            factor = x * 2
        return (x * factor).sum()

    assert tg.grad(f)(tg.tensor([1.0, 2.0])).tolist() == [2, 4]


def test_an_error_in_the_function_leaves_the_mode_as_it_was():
    def fails(x):
        raise ZeroDivisionError

    with tg.no_grad():
        with pytest.raises(ZeroDivisionError):
            tg.grad(fails)(1.0)
        assert not (leaf(1.0) * 2).requires_grad


def test_gradients_share_memory_with_nothing():
    x = tg.tensor([1.0, 2.0])
    one, other = tg.grad(lambda x, y: (x + y).sum(), (0, 1))(x, x)
    one += 1
    assert other.tolist() == [1, 1]
    v = np.ones(2, np.float32)
    _, product = tg.vjp(lambda x, y: x + y, x, x)
    for each in product(v):
        each *= 0
    assert v.tolist() == [1, 1]
    assert product(v)[0].tolist() == [1, 1]


def test_in_place_within_the_function():
    def f(x):
        y = x * 2
        y *= x
        z = tg.zeros(3, dtype=np.float64)
        z[1:] = y[:2]
        return (z * z).sum()

    x = np.array([1.0, 2.0, 3.0])
    assert_same(tg.grad(f)(x), np.array([16 * 1.0, 16 * 8.0, 0]))
    with refused(RuntimeError, "in-place add: a leaf that requires a gradient"):
        tg.grad(lambda x: x.__iadd__(1).sum())(x)
    assert x.tolist() == [1, 2, 3]
    w = leaf(x) * 1
    with refused(RuntimeError, "backward: multiply needs an array that was changed in place"):
        tg.grad(lambda y: ((y * w), w.__imul__(2))[0].sum())(x)


def test_deep_chains():
    def f(x):
        for _ in range(50_000):
            x = x * 1.0 + 0.0
        return x.sum()

    assert tg.grad(f)(np.ones(2)).tolist() == [1, 1]

    def g(x):
        for _ in range(3000):
            x = x * 1.0
        return (x * x).sum()

    assert tg.hvp(g)(np.ones(2), np.ones(2)).tolist() == [2, 2]
    assert tg.jvp(g, (np.ones(2),), (np.ones(2),))[1].item() == 4


def test_64_doublings():
    def f(x):
        for _ in range(64):
            x = x + x
        return x

    assert tg.grad(f)(np.array(1.0)).item() == 2.0**64
    assert tg.jvp(f, (np.array(1.0),), (np.array(1.0),))[1].item() == 2.0**64
    assert tg.grad(tg.checkpoint(f))(np.array(1.0)).item() == 2.0**64


def test_in_a_training_step():
    """A gradient penalty: the parameters' gradients go through the gradient of the input; as torch."""
    rng = np.random.default_rng(0)
    data = {"w": rng.normal(size=(4, 5)), "v": rng.normal(size=5)}
    x = rng.normal(size=(3, 4))

    def penalty(lib, func):
        def loss(p):
            critic = lambda x: (lib.tanh(x @ p["w"]) @ p["v"]).sum()  # noqa: E731
            slopes = func.grad(critic)(lib.tensor(x))
            return ((slopes * slopes).sum(1) ** 0.5 - 1.0).sum() + critic(lib.tensor(x))

        return loss

    expected = torch_backend.transform("grad", penalty(torch, torch.func), data)
    assert_same(tg.grad(penalty(tg, tg))(data), expected)
    leaves = {name: leaf(each) for name, each in data.items()}
    penalty(tg, tg)(leaves).backward()
    assert_same({name: each.grad for name, each in leaves.items()}, expected)


def test_of_fused_operations_as_torch():
    rng = np.random.default_rng(0)
    x, w, targets = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), np.array([0, 4, 2, 2])

    def ours(w):
        normal, _, _ = F.batch_norm(tg.tensor(x) @ w, np.ones(5), np.zeros(5))
        return F.cross_entropy(normal, targets)

    def judge(w):
        h = torch.from_numpy(x) @ w
        normal = (h - h.mean(0)) / torch.sqrt(h.var(0, correction=0) + 1e-5)
        return torch.nn.functional.cross_entropy(normal, torch.from_numpy(targets))

    assert_same(tg.grad(ours)(w), torch_backend.transform("grad", judge, w), 1e-7)
    assert_same(tg.hessian(ours)(w), torch_backend.transform("hessian", judge, w), 1e-6)


@pytest.mark.parametrize(
    "inner",
    [
        lambda x, v: tg.grad(lambda a: (a**2 * v).sum())(x),
        lambda x, v: tg.hvp(lambda a: (a**3 * v).sum())(x, v),
        lambda x, v: tg.vjp(lambda a: a**2 * v, x)[1](v),
        lambda x, v: tg.jvp(lambda a: a**2 * v, (x,), (v,))[1],
        lambda x, v: tg.jacobian(lambda a: a**2 * v)(x),
        lambda x, v: tg.hessian(lambda a: (a**2 * v).sum())(x),
    ],
)
def test_a_call_inside_leaves_no_graph(inner):
    """Where nothing outside requires a gradient, nothing that is returned does."""
    x, v = tg.tensor([1.0, 2.0, 3.0]), tg.tensor([0.5, -1.0, 2.0])
    for outer in (tg.grad(lambda v: (inner(x, v) ** 2).sum()), tg.jacobian(lambda v: inner(x, v))):
        result = outer(v)
        assert not result.requires_grad
    w = tg.tensor([0.5, -1.0, 2.0], requires_grad=True)
    assert tg.grad(lambda v: (inner(x * w, v) ** 2).sum())(v).requires_grad


def tripled(b):
    b *= 3.0
    return (b**2).sum()


def replaced(b):
    b[0] = 5.0
    return (b**2).sum()


@pytest.mark.parametrize(("f", "slope"), [(tripled, [18.0, 36.0]), (replaced, [0.0, 4.0])])
def test_of_a_function_that_writes_to_its_argument(f, slope):
    """The derivative is by what the argument was when the function got it; a leaf can't be written to."""

    def inner():
        return tg.tensor([1.0, 2.0], requires_grad=True) * 1.0

    assert tg.grad(f)(inner()).tolist() == slope
    assert tg.value_and_grad(f)(inner())[1].tolist() == slope
    assert tg.jacobian(f)(inner()).tolist() == slope
    assert tg.vjp(f, inner())[1](2.0).tolist() == [2 * each for each in slope]
    assert tg.jvp(f, (inner(),), (np.ones(2),))[1].item() == sum(slope)
    weighted = tg.grad(lambda a: (tg.grad(f)(a * 1.0) * [1.0, 2.0]).sum())(tg.tensor([1.0, 2.0]))
    assert weighted.tolist() == slope  # the second derivatives are 18, or 0 and 2, times 1 and 2
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient can't be written in place"):
        tg.grad(f)(tg.tensor([1.0, 2.0]))


def test_vjp_of_an_array_that_is_changed_since():
    """What an operation keeps of an array is a copy, as anywhere."""
    array = np.array([1.0, 2.0])
    _, product = tg.vjp(lambda x: x**2, array)
    array[:] = 9
    assert product(np.ones(2)).tolist() == [2.0, 4.0]
