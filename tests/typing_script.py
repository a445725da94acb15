"""A user's script that names everything public, for `mypy --strict`: what a name gives, as a user's editor sees it.

Not run by pytest as such: test_typing.py runs it, and holds it against the lists of public names.
"""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
from graphviz import Digraph
from numpy.typing import ArrayLike, NDArray

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.optim import SGD


def creation() -> tg.Tensor:
    a = assert_type(tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), tg.Tensor)
    assert_type(tg.from_numpy(np.ones(2)), tg.Tensor)
    assert_type(tg.zeros((2, 3), dtype=np.float64), tg.Tensor)
    assert_type(tg.ones(3), tg.Tensor)
    assert_type(tg.full((2,), 0.5), tg.Tensor)
    assert_type(tg.arange(3), tg.Tensor)
    assert_type(tg.linspace(0, 1, 5), tg.Tensor)
    assert_type(tg.eye(2), tg.Tensor)
    assert_type(tg.zeros_like(a), tg.Tensor)
    assert_type(tg.ones_like(np.ones(2), requires_grad=True), tg.Tensor)
    assert_type(tg.full_like(a, 2), tg.Tensor)
    return a


def elementwise(x: tg.Tensor, y: tg.Tensor) -> list[tg.Tensor]:
    two = [tg.add(x, y), tg.subtract(x, 1.0), tg.multiply(2, x), tg.divide(x, [1.0, 2.0]), tg.power(x, np.float32(2))]
    compared = [tg.equal(x, y), tg.not_equal(x, y), tg.less(x, y), tg.less_equal(x, 0), tg.greater(0, x)]
    logical = [tg.greater_equal(x, y), tg.logical_and(x > 0, y > 0), tg.logical_or(x, y), tg.logical_not(x)]
    one = [tg.negative(x), tg.exp(x), tg.log(tg.abs(x) + 1), tg.sqrt(tg.absolute(x)), tg.tanh(x), tg.sign(x)]
    asked = [tg.isnan(x), tg.isinf(x), tg.isfinite(x)]
    more = [tg.maximum(x, y), tg.minimum(x, 0), tg.where(x > y, x, 0.0), tg.copy(x)]
    return [*two, *compared, *logical, *one, *asked, *more]


def reductions_and_shapes(x: tg.Tensor) -> list[tg.Tensor]:
    reduced = [tg.sum(x), tg.mean(x, axis=0), tg.var(x, axis=(0, 1), ddof=1), tg.std(x, keepdims=True)]
    extreme = [tg.max(x, axis=-1), tg.min(x), tg.argmax(x, axis=1, keepdims=True)]
    moved = [tg.reshape(x, (-1,)), tg.transpose(x, (1, 0)), tg.swapaxes(x, 0, 1), tg.expand_dims(x, (0, -1))]
    joined = [tg.squeeze(x), tg.broadcast_to(x, (3, 2, 2)), tg.concatenate([x, x], axis=1), tg.stack((x, x))]
    return [*reduced, *extreme, *moved, *joined, tg.matmul(x, np.ones((2, 2)))]


def operators(x: tg.Tensor, array: NDArray[np.float32]) -> list[tg.Tensor]:
    numbers = [x + 1, 1 + x, x - 1, 1 - x, 2 * x, x * 2, x / 2, 2 / x, x**2, 2**x, -x, +x, abs(x), x @ x, x @ array]
    compared = [x < 0, x <= 0, x > 0, x >= 0, x[0], x[..., None], x[[0, 0], 1], x[x > 0], x[x.argmax(0)]]
    y = x.clone()
    y += x
    y -= 1
    y *= array
    y /= 2
    y **= 2
    y[0] = x[1] * 2
    y[y > 0] += 1.0
    return [*numbers, *compared, assert_type(y, tg.Tensor)]


def members(x: tg.Tensor) -> list[tg.Tensor]:
    assert_type(x.data, NDArray[Any])
    x.data = np.ones((2, 2), np.float32)
    x.data += 0.5
    assert_type(x.requires_grad, bool)
    x.requires_grad = True
    assert_type(x.is_leaf, bool)
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.ndim, int)
    assert_type(x.size, int)
    assert_type(x.dtype, np.dtype[Any])
    assert_type(x.numpy(), NDArray[Any])
    assert_type(x.tolist(), Any)
    assert_type(x.sum().item(), float | int | bool)
    assert_type(float(x.mean()), float)
    assert_type(int(x.argmax()), int)
    assert_type(bool(x.max() > 0), bool)
    assert_type(len(x), int)
    assert_type([row.shape for row in x], list[tuple[int, ...]])
    assert_type(f"{x.mean():.4f}", str)
    assert_type(2.0 in x, bool)

    y = x * 2
    y.retain_grad()
    loss = y.sum()
    loss.backward(retain_graph=True)
    loss.backward(np.float32(1), create_graph=True)
    y.backward(tg.ones_like(y), retain_graph=True)
    assert_type(x.grad, tg.Tensor | None)
    if x.grad is not None:
        x.grad *= 0.5
    x.zero_grad()
    x.grad = None

    same = [x.T, x.mT, x.detach(), x.clone(), x.astype(np.float64), x.exp(), x.log(), x.sqrt(), x.tanh(), x.sigmoid()]
    more = [x.relu(), x.abs(), x.softmax(), x.log_softmax(-1), x.sum(0), x.mean((0, 1)), x.max(1), x.min(0, True)]
    rest = [x.var(ddof=1), x.std(0), x.argmax(1), x.reshape(4), x.reshape((2, -1)), x.transpose(1, 0), x.transpose()]
    return [*same, *more, *rest, x.swapaxes(0, 1), x.squeeze()]


def neural(x: tg.Tensor, weight: tg.Tensor, bias: tg.Tensor) -> tg.Tensor:
    hidden = assert_type(F.linear(x, weight, bias), tg.Tensor)
    hidden = F.relu(hidden) + F.tanh(hidden) + F.sigmoid(hidden)
    hidden, mean, var = F.batch_norm(hidden, np.ones(2, np.float32), np.zeros(2, np.float32), eps=1e-5, ddof=1)
    evaluated, *_ = F.batch_norm(hidden, tg.ones(2), tg.zeros(2), mean=mean, var=var)
    assert_type(evaluated, tg.Tensor)
    assert_type(F.softmax(hidden), tg.Tensor)
    assert_type(F.log_softmax(hidden, axis=0), tg.Tensor)
    assert_type(F.one_hot([0, 1], 2), tg.Tensor)
    assert_type(F.embedding(tg.tensor([0, 1]), weight), tg.Tensor)
    return assert_type(F.cross_entropy(hidden, np.array([0, 1])), tg.Tensor)


@tg.no_grad()
def evaluate(x: tg.Tensor, power: int = 2) -> float:
    return (x**power).sum().item()


def training(x: tg.Tensor) -> float:
    weight = tg.tensor([[0.5, -0.5], [0.25, 1.0]], requires_grad=True)
    bias = tg.zeros(2, requires_grad=True)
    optimiser = SGD([weight, bias], lr=0.1, momentum=0.9, weight_decay=1e-4)
    loss = neural(x, weight, bias)
    optimiser.zero_grad()
    loss.backward()
    optimiser.lr *= 0.5
    optimiser.step()
    assert_type(optimiser, tg.optim.SGD)
    with tg.no_grad():
        weight -= 0.1
    return assert_type(evaluate(weight, power=3), float)


def scalars() -> Digraph:
    x = tg.Value(2.0, label="x")
    z = x * 3 + 2**x
    z.backward()
    assert_type(x.grad, float)
    return tg.draw_dot(z)


def randomness() -> list[tg.Tensor]:
    generator = assert_type(tg.Generator().manual_seed(2147483647), tg.Generator)
    return [generator.rand(3), generator.randn(2, 2), generator.randint(0, 5, (3,)), generator.randperm(4)]


@tg.primitive(vjp=lambda g, x: g * 3 * x * x)
def cube(x: ArrayLike) -> Any:
    """x cubed: an operation of the user's own."""
    return np.power(x, 3)


def own_operation(x: tg.Tensor) -> tg.Tensor:
    return assert_type(cube(x), tg.Tensor)


def numpy_functions(x: tg.Tensor, array: NDArray[np.float32]) -> tuple[tg.Tensor, ...]:
    """NumPy's own annotations say ndarray here: a user who is strict writes tg.<name> instead."""
    return tg.tanh(x), tg.sum(x, axis=0), tg.matmul(array, x)


def main() -> None:
    x = creation()
    array = np.ones((2, 2), np.float32)
    elementwise(x, x.detach())
    reductions_and_shapes(x)
    operators(x, array)
    training(x)
    members(x)
    scalars()
    randomness()
    own_operation(x)
    numpy_functions(x, array)
    print(f"{training(creation()):.4f}", tg.functional.__name__)


if __name__ == "__main__":
    main()
