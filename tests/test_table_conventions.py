"""What the operations do at ties and kinks, at the ends of their domains, and far out: torch's conventions."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import table

from . import torch_backend
from .checks import as_tensors, flat, gradients, in_torch, listed, wanted, weights_for
from .families import CASES


def test_every_kink_has_a_case():
    for op in table.values():
        ends = [interval for interval in op.domain.values() if interval.kinks or np.isfinite(interval[:2]).any()]
        assert op.name in CASES or not (ends or op.ties), f"{op.name}: no case for its kinks, ties or ends"


@pytest.mark.parametrize(("name", "args"), [(name, args) for name, cases in CASES.items() for args in cases])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_as_torch(name, args, dtype):
    op = table[name]
    args = tuple(each.astype(dtype) if getattr(each, "dtype", None) == np.float64 else each for each in args)
    positions = wanted(op, args)
    theirs = in_torch(op, args, positions)
    their_outputs = listed(torch_backend.OPERATIONS[name](*theirs))
    with np.errstate(all="ignore"):
        ours = as_tensors(op, args, positions)
        outputs = listed(op.call(*ours))
        weights = weights_for(outputs)
        grads = gradients(outputs, weights, flat(ours, positions))
    their_grads = torch_backend.gradients(
        their_outputs, [torch_backend.from_numpy(each.data) for each in weights], flat(theirs, positions)
    )
    rounding = 4 * np.finfo(dtype).eps
    for one, other in zip([*outputs, *grads], [*their_outputs, *their_grads], strict=True):
        assert one.dtype == dtype
        np.testing.assert_allclose(one.data, other.detach().numpy(), rounding, rounding)


@pytest.mark.parametrize("base", [0.0, 2.0, -2.0])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, -1, 0.0, 0.5, 1.0, 2.0, 3.0, -1.0])
def test_power_of_and_by_python_numbers(base, exponent):
    """x**2, x**0, 2**x and the like: value, first and second derivative."""
    torch = torch_backend.torch
    for x, function in ((base, lambda x: x**exponent), (float(exponent), lambda x: base**x)):
        with np.errstate(all="ignore"):
            ours = tg.tensor(np.array([x]), requires_grad=True)
            value = function(ours)
            (first,) = gradients([value], [tg.ones(1, np.float64)], [ours], create_graph=True)
            (second,) = gradients([first], [tg.ones(1, np.float64)], [ours])
        theirs = torch.tensor([x], dtype=torch.float64, requires_grad=True)
        their_value = function(theirs)
        their_first = torch_backend.gradients([their_value], [torch.ones(1)], [theirs], create_graph=True)
        their_second = torch_backend.gradients(their_first, [torch.ones(1)], [theirs])
        for one, other in zip([value, first, second], [their_value, *their_first, *their_second], strict=True):
            if one is second and base == 0:
                assert not np.isnan(one.data).all() or np.isnan(other.numpy()).all()  # torch has nan where we have 0
            else:
                np.testing.assert_allclose(one.data, other.detach().numpy(), 1e-12, 1e-12)


def grad(function, *arrays):
    inputs = [tg.tensor(np.asarray(each, float), requires_grad=True) for each in arrays]
    return [each.tolist() for each in gradients([function(*inputs)], [tg.tensor(1.0, dtype=np.float64)], inputs)]


def test_shares_among_equals():
    assert grad(tg.max, [3.0, 1.0, 3.0]) == [[0.5, 0.0, 0.5]]
    assert grad(tg.min, [[1.0, 1.0], [1.0, 1.0]]) == [[[0.25, 0.25], [0.25, 0.25]]]
    assert grad(lambda x: tg.maximum(x, x).sum(), [2.0]) == [[1.0]]
    assert grad(lambda x, y: tg.maximum(x, y).sum(), [2.0], [2.0]) == [[0.5], [0.5]]


def test_zero_at_kinks():
    assert grad(lambda x: abs(x).sum(), [0.0]) == [[0.0]]
    assert grad(lambda x: F.relu(x).sum(), [0.0]) == [[0.0]]


@pytest.mark.parametrize("ddof", [0, 1])
def test_std_of_a_constant(ddof):
    """Its gradient is 0, and so is the second; no nan."""
    x = tg.tensor(np.full((2, 3), 0.1), requires_grad=True)
    (first,) = gradients([tg.std(x, 1, ddof)], [tg.ones(2, np.float64)], [x], create_graph=True)
    (second,) = gradients([first], [tg.ones((2, 3), np.float64)], [x])
    assert first.tolist() == second.tolist() == np.zeros((2, 3)).tolist()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_large_logits(dtype):
    logits = tg.tensor(np.array([[1e4, 0.0], [-1e4, 1e4]], dtype), requires_grad=True)
    loss = F.cross_entropy(logits, np.array([1, 1]))
    loss.backward()
    assert loss.item() == 5e3
    assert logits.grad.tolist() == [[0.5, -0.5], [0.0, 0.0]]
    assert F.log_softmax(logits).tolist() == [[0.0, -1e4], [-2e4, 0.0]]
    assert F.softmax(logits).tolist() == [[1.0, 0.0], [0.0, 1.0]]
