"""SGD against torch.optim.SGD, step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.optim import SGD

from .torch_backend import torch

SHAPES = [(3, 4), (4,), (), (2, 1, 3), (0, 2)]


def pair(seed=0, dtype=np.float32, **options):
    """Parameters and an optimiser, ours and torch's."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    ours = [tg.tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    return rng, ours, theirs, SGD(ours, **options), torch.optim.SGD(theirs, **options)


def step(rng, ours, theirs, optimizers, left_out=()):
    """The same random gradients for both, and a step."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        grad = rng.normal(size=p.shape).astype(p.dtype)
        if i not in left_out:
            p.grad, q.grad = tg.tensor(grad), torch.tensor(grad)
    for optimizer in optimizers:
        optimizer.step()


def assert_equal(ours, theirs, dtype=np.float32):
    for p, q in zip(ours, theirs, strict=True):
        assert p.dtype == dtype
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


OPTIONS = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1},
    {"lr": 0.0, "momentum": 0.9},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_as_torch(options, dtype):
    rng, ours, theirs, *optimizers = pair(dtype=dtype, **options)
    for _ in range(5):
        step(rng, ours, theirs, optimizers)
        assert_equal(ours, theirs, dtype)


@settings(max_examples=40, deadline=None, database=None)
@given(
    seed=st.integers(0, 1000),
    momentum=st.sampled_from([0.0, 0.3, 0.99]),
    weight_decay=st.sampled_from([0.0, 0.5]),
    steps=st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.5]), st.sets(st.integers(0, 4))), min_size=1, max_size=5),
)
def test_as_torch_with_changing_rates_and_missing_gradients(seed, momentum, weight_decay, steps):
    rng, ours, theirs, *optimizers = pair(seed, lr=1.0, momentum=momentum, weight_decay=weight_decay)
    for lr, left_out in steps:
        optimizers[0].lr = optimizers[1].param_groups[0]["lr"] = lr
        step(rng, ours, theirs, optimizers, left_out)
        assert_equal(ours, theirs)


def test_all_three_numbers_may_change():
    rng, ours, theirs, *optimizers = pair(lr=0.1, momentum=0.9)
    for changed in ({"momentum": 0.5}, {"weight_decay": 0.1}, {"lr": 0.01, "momentum": 0.1}):
        step(rng, ours, theirs, optimizers)
        for name, value in changed.items():
            setattr(optimizers[0], name, value)
            optimizers[1].param_groups[0][name] = value
    step(rng, ours, theirs, optimizers)
    assert_equal(ours, theirs)


def test_a_model_trains_as_in_torch():
    rng, ours, theirs, *optimizers = pair(lr=0.1, momentum=0.9, weight_decay=0.01)
    x = rng.normal(size=(5, 3)).astype(np.float32)
    for _ in range(10):
        for optimizer in optimizers:
            optimizer.zero_grad()
        ((x @ ours[0] + ours[1]).tanh() ** 2).mean().backward()
        ((torch.tensor(x) @ theirs[0] + theirs[1]).tanh() ** 2).mean().backward()
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_parameter_without_a_gradient_stays_with_its_velocity():
    _, ours, _, optimizer, _ = pair(lr=0.1, momentum=0.9, weight_decay=0.5)
    before = [p.tolist() for p in ours]
    optimizer.step()
    assert [p.tolist() for p in ours] == before
    assert not any(v.any() for v in optimizer.velocities)


@pytest.mark.parametrize("options", OPTIONS[:4], ids=str)
def test_a_step_writes_in_place_and_leaves_gradients_alone(options):
    rng, ours, theirs, *optimizers = pair(**options)
    arrays = [p.data for p in ours]
    step(rng, ours, theirs, optimizers)
    kept = [(p.grad, p.grad.tolist()) for p in ours]
    optimizers[0].step()
    assert all(p.data is array for p, array in zip(ours, arrays, strict=True))
    assert all(p.is_leaf and p.requires_grad for p in ours)
    for p, (grad, numbers) in zip(ours, kept, strict=True):
        assert p.grad is grad
        assert grad.tolist() == numbers
        assert not np.shares_memory(p.data, grad.data)
    for velocity, p in zip(optimizers[0].velocities, ours, strict=True):
        assert not np.shares_memory(velocity, p.grad.data)
        assert velocity.shape == p.shape
        assert velocity.dtype == p.dtype


def test_a_step_between_forward_and_backward_is_noticed():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = SGD([x], 0.1)
    x.grad = tg.ones(2)
    loss = (x * x).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="multiply needs an array that was changed in place"):
        loss.backward()


def test_data_that_was_replaced_is_what_a_step_changes():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = SGD([x], 0.5)
    x.data = np.array([3.0, 4.0], np.float32)
    x.grad = tg.ones(2)
    optimizer.step()
    assert x.tolist() == [2.5, 3.5]


def test_a_step_within_no_grad_and_with_a_gradient_that_has_a_graph():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = SGD([x], 0.5, momentum=0.5)
    (x**3).sum().backward(create_graph=True)
    with tg.no_grad():
        optimizer.step()
    assert x.tolist() == [-0.5, -4.0]
    assert x.is_leaf


def test_zero_grad():
    rng, ours, theirs, *optimizers = pair(lr=0.1)
    step(rng, ours, theirs, optimizers)
    optimizers[0].zero_grad()
    assert all(p.grad is None for p in ours)


def test_parameters_may_come_from_a_generator():
    x = tg.tensor([1.0], requires_grad=True)
    optimizer = SGD((p for p in [x]), lr=0.1)
    assert optimizer.parameters == [x]


def test_resuming_from_velocities():
    rng, ours, theirs, first, other = pair(lr=0.1, momentum=0.9)
    step(rng, ours, theirs, (first, other))
    second = SGD(ours, lr=0.1, momentum=0.9)
    second.velocities = [v.copy() for v in first.velocities]
    step(rng, ours, theirs, (second, other))
    assert_equal(ours, theirs)


def test_what_is_refused():
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"^SGD: there are no parameters$"):
        SGD([], 0.1)
    for bad in (tg.ones(2), x * 2, np.ones(2), None, 1.0):
        with pytest.raises(
            TypeError, match=r"^SGD: a parameter must be a leaf Tensor with requires_grad=True, got [^\n]+$"
        ):
            SGD([x, bad], 0.1)
    with pytest.raises(TypeError, match=r"^SGD: [^\n]*parameter[^\n]*$"):
        SGD(x, 0.1)
    with pytest.raises(TypeError, match=r"^SGD: [^\n]+$"):
        SGD([tg.zeros((2, 2))], 0.1)
    with pytest.raises(ValueError, match=r"^SGD: a parameter is given twice$"):
        SGD([x, x], 0.1)
    for name in ("lr", "momentum", "weight_decay"):
        for bad in (-0.1, float("nan")):
            with pytest.raises(ValueError, match=rf"^SGD: {name} must be 0 or more, got {bad}$"):
                SGD([x], **{"lr": 0.1, name: bad})
    with pytest.raises(TypeError, match=r"^SGD: lr must be a number, got [^\n]+$"):
        SGD([x], "0.1")
