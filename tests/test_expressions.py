"""Random expressions over the whole table, against torch and against differences."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings

from tinygrad_lite.op import table
from tinygrad_lite.testing import gradcheck, strategies
from tinygrad_lite.testing.gradcheck import gradients, leaf
from tinygrad_lite.testing.strategies import Write

from . import torch_backend
from .checks import broken, differentiable, in_torch, weights_for

OPTIONS = {"deadline": None, "suppress_health_check": list(HealthCheck)}
AT_LENGTH = {"max_examples": 2000, "derandomize": False, "print_blob": True}
IN_TORCH = [op for op in table.values() if op.carriers and op.name not in torch_backend.WITHOUT]


class Torch(strategies.Backend):
    """Writes go to copies: torch's own rules may read a result that ours do not read."""

    def call(self, op, args):
        return torch_backend.OPERATIONS[op.name](*in_torch(op, args))

    def write(self, target, sign, value, index):
        if index is None:
            return super().write(target.clone(), sign, value, index)
        if sign != "=":
            part = torch_backend.OPERATIONS["getitem"](target, *index)
            value = super().write(part.clone(), sign, value, None)
        return torch_backend.OPERATIONS["setitem"](target, value, *index)


def check_against_torch(expression):
    """Values, gradients and second gradients."""
    inputs = [leaf(array) for array in expression.leaves]
    outputs = expression.run(inputs)
    weights = weights_for(outputs, 1)
    grads = gradients(outputs, weights, inputs, create_graph=True)
    second = gradients(grads, weights_for(grads, 2), inputs)

    their_inputs = [torch_backend.from_numpy(array, True) for array in expression.leaves]
    their_outputs = expression.run(their_inputs, Torch())
    their_weights = [torch_backend.from_numpy(each.data) for each in weights]
    their_grads = torch_backend.gradients(their_outputs, their_weights, their_inputs, create_graph=True)
    their_weights = [torch_backend.from_numpy(each.data) for each in weights_for(grads, 2)]
    their_second = torch_backend.gradients(their_grads, their_weights, their_inputs)
    for some, others in ((outputs, their_outputs), (grads, their_grads), (second, their_second)):
        for one, other in zip(some, others, strict=True):
            other = other.detach().numpy(force=True)
            assert one.shape == other.shape
            scale = 1 + np.abs(other).max(initial=0)
            np.testing.assert_allclose(one.data / scale, other / scale, 1e-8, 1e-9)


def check_against_differences(expression):
    gradcheck(expression, *expression.leaves, argnums=range(len(expression.leaves)), rtol=1e-5)


def check(expression):
    for step in expression.steps:
        event(step.sign if isinstance(step, Write) else step.op.name)
    check_against_differences(expression)
    if expression.operations <= set(IN_TORCH):
        check_against_torch(expression)


@settings(max_examples=200, **OPTIONS)
@given(strategies.expressions(among=IN_TORCH))
def test_as_torch(expression):
    check(expression)


@settings(max_examples=100, **OPTIONS)
@given(strategies.expressions())
def test_as_differences(expression):
    check_against_differences(expression)


@pytest.mark.slow
@settings(**AT_LENGTH, **OPTIONS)
@given(strategies.expressions(among=IN_TORCH))
def test_as_torch_at_length(expression):
    check(expression)


@pytest.mark.slow
@settings(**AT_LENGTH, **OPTIONS)
@given(strategies.expressions())
def test_as_differences_at_length(expression):
    check_against_differences(expression)


@differentiable
def test_every_operation_takes_part(op):
    """Also one that has just been added to the table."""

    @settings(max_examples=4, database=None, **OPTIONS)
    @given(strategies.expressions(max_steps=3, containing=op))
    def test(expression):
        assert op in expression.operations
        check(expression)

    test()


@pytest.mark.parametrize("name", ["add", "multiply", "tanh", "reshape", "getitem"])
def test_a_wrong_rule_is_noticed(name):
    """By the very check of test_as_torch, whatever is drawn."""
    notices(table[name], strategies.expressions())


@pytest.mark.parametrize("name", ["sum", "matmul", "maximum", "log", "concatenate", "batch_norm"])
def test_a_wrong_rule_of_an_operation_that_takes_part_is_noticed(name):
    notices(table[name], strategies.expressions(max_steps=4, containing=table[name]))


def notices(op, expressions):
    options = settings(max_examples=100, database=None, phases=[Phase.generate], report_multiple_bugs=False, **OPTIONS)
    with broken(op, op.parameters.index(op.carriers[0]), lambda grad: -grad), pytest.raises(AssertionError):
        options(given(expressions)(check))()
