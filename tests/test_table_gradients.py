"""Every rule of the table: first and second derivatives, for each set of inputs; and that a wrong rule is noticed."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import Phase

from tinygrad_lite.op import Interval, table
from tinygrad_lite.testing import GradientError, gradcheck, gradgradcheck, strategies
from tinygrad_lite.testing.gradcheck import gradients, leaf

from . import torch_backend
from .checks import (
    broken,
    derivatives,
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


def check_first(op, args):
    """The check that finds each wrong rule, as is tested below."""
    if wanted(op, args):
        gradcheck(op.call, *args, argnums=wanted(op, args))


def check_second(op, args):
    if wanted(op, args):
        gradgradcheck(op.call, *args, argnums=wanted(op, args))


def check_jacobian(op, args):
    if wanted(op, args):
        gradcheck(op.call, *args, argnums=wanted(op, args), jacobian=True)


@differentiable
def test_first_order(op):
    every(op, check_first)


@differentiable
def test_second_order(op):
    every(op, check_second, examples=15)


@differentiable
def test_jacobian(op):
    """Each derivative by itself, not only along a random direction."""
    every(op, check_jacobian, examples=10)


@pytest.mark.slow
@differentiable
def test_at_length(op):
    for check in (check_first, check_second, check_jacobian, check_torch, check_duality, check_subsets):
        every(op, check, examples=150, derandomize=False, print_blob=True)


def check_subsets(op, args):
    """Each set of inputs that require a gradient gives the gradients that all of them give together."""
    positions = wanted(op, args)
    if any(isinstance(args[i], list) for i in positions):
        return check_subsets_of_list(op, args, next(i for i in positions if isinstance(args[i], list)))
    together = dict(zip(positions, derivatives(op, args, positions), strict=True))
    for count in range(1, len(positions)):
        for some in combinations(positions, count):
            for i, grad in zip(some, derivatives(op, args, some), strict=True):
                np.testing.assert_array_equal(grad, together[i])
    return None


def check_subsets_of_list(op, args, place):
    arrays = args[place]
    outcome = []
    for requiring in range(1, 1 << len(arrays)):
        tensors = [leaf(array, bool(requiring >> i & 1)) for i, array in enumerate(arrays)]
        outputs = [
            each for each in listed(op.call(*args[:place], tensors, *args[place + 1 :])) if each.dtype.kind == "f"
        ]
        needed = [tensor for tensor in tensors if tensor.requires_grad]
        grads = gradients(outputs, weights_for(outputs), needed)
        outcome.append(dict(zip([i for i in range(len(arrays)) if requiring >> i & 1], grads, strict=True)))
    for grads in outcome:
        for i, grad in grads.items():
            np.testing.assert_array_equal(grad.data, outcome[-1][i].data)


@differentiable
def test_each_set_of_inputs(op):
    every(op, check_subsets)


def check_duality(op, args):
    """<v, J u> = <J' v, u>, with J u by differentiating J' v by v, and both with J u by differences."""
    positions = wanted(op, args)
    inputs, outputs = run(op, args, positions)
    if not inputs:
        return
    weights = [leaf(each.data) for each in weights_for(outputs, 1)]
    directions = weights_for(inputs, 2)
    transposed = gradients(outputs, weights, inputs, create_graph=True)
    forward = gradients(transposed, directions, weights)
    left = sum(np.vdot(v.data, ju.data) for v, ju in zip(weights, forward, strict=True))
    right = sum(np.vdot(jv.data, u.data) for jv, u in zip(transposed, directions, strict=True))
    size = sum(np.sum(np.abs(v.data * ju.data)) for v, ju in zip(weights, forward, strict=True))
    np.testing.assert_allclose(left, right, 1e-10, 1e-10 * (1 + size))

    def at(step):
        places = iter([x.data + step * u.data for x, u in zip(inputs, directions, strict=True)])
        moved = [
            ([next(places) for _ in value] if isinstance(value, list) else next(places)) if i in positions else value
            for i, value in enumerate(args)
        ]
        return listed(op.call(*moved))

    for ju, after, before in zip(forward, at(1e-6), at(-1e-6), strict=True):
        scale = 1 + np.abs(ju.data).max(initial=0)
        np.testing.assert_allclose(ju.data / scale, (after - before) / 2e-6 / scale, 1e-6, 1e-7)


@differentiable
def test_duality(op):
    every(op, check_duality)


def check_torch(op, args):
    """Values, gradients and second gradients are torch's."""
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


@differentiable
def test_torch(op):
    if op.name in torch_backend.WITHOUT:
        assert torch_backend.WITHOUT[op.name]
    else:
        every(op, check_torch, examples=20)


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
    """The very check of test_first_order fails, and names the input."""
    position = op.parameters.index(name)
    message = rf"input {position}.*: expected .*, got"
    with broken(op, position, BREAKS[how]), pytest.raises(GradientError, match=message):
        every(op, check_first, phases=[Phase.generate], report_multiple_bugs=False)


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
