"""Every rule of the table: first and second derivatives, for each set of inputs; and that a wrong rule is noticed."""

import numpy as np
import pytest
from hypothesis import Phase

from tinygrad_lite.op import Interval, table
from tinygrad_lite.testing import gradcheck, strategies
from tinygrad_lite.testing.gradcheck import gradients
from tinygrad_lite.testing.properties import DERIVATIVES, check_first

from . import torch_backend
from .checks import (
    broken,
    differentiable,
    every,
    flat,
    in_torch,
    listed,
    run,
    those,
    wanted,
    weights_for,
)


@differentiable
def test_derivatives(op):
    every(op, *DERIVATIVES, check_torch)


@pytest.mark.slow
@differentiable
def test_derivatives_at_length(op):
    every(op, *DERIVATIVES, check_torch, max_examples=150, derandomize=False, print_blob=True)


def check_torch(op, args):
    """Values, gradients and second gradients are torch's."""
    if op.name in torch_backend.WITHOUT:
        return
    positions = wanted(op, args)
    inputs, outputs = run(op, args, positions)
    weights = weights_for(outputs, 1)
    grads = gradients(outputs, weights, inputs, create_graph=True)
    second_weights = weights_for(grads, 2)
    second = gradients(grads, second_weights, inputs)

    theirs = in_torch(op, args, positions)
    their_inputs = flat(theirs, positions)
    their_outputs = [y for y in listed(torch_backend.OPERATIONS[op.name](*theirs)) if y.is_floating_point()]
    their_weights = [torch_backend.from_numpy(each.data) for each in weights]
    their_grads = torch_backend.gradients(their_outputs, their_weights, their_inputs, create_graph=True)
    their_weights = [torch_backend.from_numpy(each.data) for each in second_weights]
    their_second = torch_backend.gradients(their_grads, their_weights, their_inputs)
    if op.name in ("power", "float_power") and np.any(args[1] == 0):  # d/dy d/dx x**y at y = 0 is 1/x; torch says 0
        second = their_second = []

    for ours, others, rtol in (
        (outputs, their_outputs, 1e-9),
        (grads, their_grads, 1e-8),
        (second, their_second, 1e-6),
    ):
        for one, other in zip(ours, others, strict=True):
            assert one.shape == tuple(other.shape)
            np.testing.assert_allclose(one.data, other.detach().numpy(force=True), rtol, rtol * 1e-2)


# A wrong rule is noticed.

BREAKS = {
    "sign": lambda grad: -grad,
    "factor": lambda grad: grad * 2.0,
    "zero": lambda grad: grad * 0.0,
    "offset": lambda grad: grad + 1.0,
}
ZERO = {  # rules that always give 0: no sign or factor makes them wrong
    *((name, "x") for name in ("sign", "floor", "ceil", "trunc", "rint", "floor_divide", "heaviside")),
    *(("round", "a"), ("floor_divide", "y"), ("copysign", "y")),
}

RULES = [
    (op, name, how)
    for op in table.values()
    if op.vjp is not None
    for name in op.carriers
    for how in BREAKS
    if how == "offset" or (op.name, name) not in ZERO
]


@pytest.mark.parametrize(("op", "name", "how"), RULES, ids=lambda each: getattr(each, "name", each))
def test_a_wrong_rule_is_noticed(op, name, how):
    """The very check of test_derivatives fails, and names the input."""
    position = op.parameters.index(name)
    message = rf"those of central differences\.\n.*input {position}.*: expected .*, got"
    with broken(op, position, BREAKS[how]), pytest.raises(AssertionError, match=message):
        every(op, check_first, phases=[Phase.generate], max_examples=200)


# Far away: small and large numbers, where a rule may lose all digits, or overflow.


@those(lambda op: op.carriers and strategies.is_elementwise(op))
def test_far_from_one(op):
    rng = np.random.default_rng(3)
    domains = [op.domain.get(name, Interval()) for name in op.parameters]
    checked = 0
    for _ in range(60):
        sizes = 10 ** rng.uniform(-2, 3, len(domains))
        point = [
            size * rng.choice((-1.0, 1.0)) if d.low < 0 else d.low + size
            for size, d in zip(sizes, domains, strict=True)
        ]
        with np.errstate(all="ignore"):
            value = op.call(*point)
        if abs(value) < 1e30:
            checked += 1
            gradcheck(op.call, *point, argnums=range(len(point)), rtol=1e-5)
    assert checked > 20
