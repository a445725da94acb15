"""Random expressions: many operations, with shared parts, views, writes in place and several outputs.

An expression is drawn as a program, a list of steps that runs on any backend; each step adds one value to those that
later steps may use.
"""

import operator
from dataclasses import dataclass
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from tinygrad_lite.op import OUTPUT, REAL, table
from tinygrad_lite.testing import gradcheck, strategies
from tinygrad_lite.testing.gradcheck import gradients, leaf

from . import torch_backend
from .checks import broken, listed, weights_for

LARGEST = 30.0  # of all numbers on the way
MARGIN = 0.1  # to kinks, ties and the ends of domains: far enough for differences


@dataclass(frozen=True)
class Step:
    """values.append(operation(*values at operands, *plain)); for a write, of a copy if the value is needed as it is."""

    name: str
    operands: tuple[int, ...]
    plain: tuple = ()
    copy: bool = False

    def __repr__(self):
        return f"Step({self.name!r}, {self.operands}, {self.plain}{', True' if self.copy else ''})"


@dataclass
class Program:
    leaves: list
    steps: list
    outputs: tuple

    def run(self, leaves, call, write):
        """The outputs on some backend, given by how it calls an operation and how it writes in place."""
        values = list(leaves)
        for step in self.steps:
            operands = [values[i] for i in step.operands]
            if step.name in WRITES:
                target = call("copy", [operands[0]], ()) if step.copy else operands[0]
                values.append(write(step.name, target, *operands[1:], *step.plain))
            else:
                values.append(call(step.name, operands, step.plain))
        return [values[i] for i in self.outputs]


# Writes in place.


def set_at(target, value, index):
    target[index] = value
    return target


def add_at(target, value, index):
    target[index] += value
    return target


WRITES = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "[]=": set_at, "[]+=": add_at}
PLACES = [
    0,
    -1,
    slice(1, None),
    slice(None, None, 2),
    ...,
    (..., 0),
    (None, ...),
    np.array([0]),
    [-1],
    np.array([True]),
]


def writes(name, target, *rest):
    return WRITES[name](target, *rest)


# How the operations are called on arrays and Tensors, and in torch.


def ours(name, operands, plain):
    return listed(table[name].function(*arranged(name, operands, plain)))[0]


def theirs(name, operands, plain):
    return listed(torch_backend.OPERATIONS[name](*arranged(name, operands, plain, torch_backend.from_numpy)))[0]


def arranged(name, operands, plain, convert=np.asarray):
    """The arguments of an operation, in order: operands where it takes arrays of floats, all else from `plain`."""
    if name in ("concatenate", "stack"):
        return [operands, *plain]
    if name in ("where", "embedding"):
        return [convert(plain[0]), *operands]
    if name in ("cross_entropy", "scatter_rows"):
        return [*operands, convert(plain[0]), *plain[1:]]
    return [*operands, *plain]


def their_write(name, target, *rest):
    *values, index = rest if "[]" in name else (*rest, None)
    if isinstance(index, (list, np.ndarray)):
        index = torch_backend.torch.tensor(index)
    return WRITES[name](target, *values, *([] if "[]" not in name else [index]))


# Drawing: each kind of operation chooses operands among the values there are, and its plain arguments.


class NothingFits(Exception):
    """No value suits an operation."""


def pick(draw, values, condition=lambda array: True):
    """The number of a value; late ones are simpler, so that what is drawn is deep."""
    found = [i for i, value in enumerate(values) if condition(value)]
    if not found:
        raise NothingFits
    return draw(st.sampled_from(found[::-1]))


def elementwise(draw, op, values, count=None):
    chosen, shape = [], ()
    for _ in range(count or len(op.parameters)):
        chosen.append(pick(draw, values, lambda value, shape=shape: broadcasts(value.shape, shape)))
        shape = np.broadcast_shapes(shape, values[chosen[-1]].shape)
    return tuple(chosen), ()


def broadcasts(*shapes):
    try:
        return bool(np.broadcast_shapes(*shapes)) or True
    except ValueError:
        return False


def where(draw, op, values):
    chosen, _ = elementwise(draw, op, values, 2)
    shape = np.broadcast_shapes(*[values[i].shape for i in chosen])
    return chosen, (np.arange(prod(shape)).reshape(shape) % 2 == draw(st.integers(0, 1)),)


def unary(draw, op, values):
    return (pick(draw, values),), {"astype": (np.dtype(np.float64),)}.get(op.name, ())


def reduction(draw, op, values):
    i = pick(draw, values, lambda value: value.size)
    return (i,), (draw(strategies.axes(values[i].ndim)), draw(st.booleans()))


def variance(draw, op, values):
    i = pick(draw, values, lambda value: value.size and value.shape[-1:] > (1,))
    return (i,), (draw(st.sampled_from([-1, None])), draw(st.integers(0, 1)), draw(st.booleans()))


def along_axis(draw, op, values):
    i = pick(draw, values, lambda value: value.ndim and value.size)
    return (i,), (draw(strategies.axes(values[i].ndim, none=False, several=False)),)


def reshape(draw, op, values):
    i = pick(draw, values)
    return (i,), (draw(st.sampled_from([(values[i].size,), values[i].shape[::-1], (1, *values[i].shape)])),)


def transpose(draw, op, values):
    i = pick(draw, values)
    return (i,), (draw(st.sampled_from([None, tuple(draw(st.permutations(range(values[i].ndim))))])),)


def swapaxes(draw, op, values):
    i = pick(draw, values, lambda value: value.ndim)
    axis = strategies.axes(values[i].ndim, none=False, several=False)
    return (i,), (draw(axis), draw(axis))


def squeeze(draw, op, values):
    i = pick(draw, values, lambda value: 1 in value.shape)
    return (i,), (draw(st.sampled_from([None, values[i].shape.index(1)])),)


def expand_dims(draw, op, values):
    return (pick(draw, values),), (draw(st.sampled_from([0, -1])),)


def broadcast_to(draw, op, values):
    i = pick(draw, values)
    return (i,), ((draw(st.integers(1, 3)), *values[i].shape),)


def several(draw, op, values):
    i = pick(draw, values, lambda value: value.ndim)
    j = pick(draw, values, lambda value: value.shape == values[i].shape)
    return (i, j), (draw(strategies.axes(values[i].ndim, none=False, several=False)),)


def getitem(draw, op, values):
    i = pick(draw, values)
    return (i,), (draw(strategies.indices(values[i].shape)),)


def setitem(draw, op, values):
    i = pick(draw, values)
    index = draw(strategies.indices(values[i].shape))
    return (i, pick(draw, values, lambda value: fits(value.shape, values[i][index].shape))), (index,)


def scatter_add(draw, op, values):
    shape = draw(strategies.shapes(min_dims=1, min_side=1))
    index = draw(strategies.indices(shape))
    return (pick(draw, values, lambda value: fits(value.shape, np.empty(shape)[index].shape)),), (index, shape)


def fits(shape, into):
    return broadcasts(shape, into) and np.broadcast_shapes(shape, into) == into


def matmul(draw, op, values):
    i = pick(draw, values, lambda value: value.ndim)
    return (i, pick(draw, values, lambda value: multiplies(values[i], value))), ()


def multiplies(x, y):
    try:
        return bool(np.matmul(x, y).shape) or True
    except ValueError:
        return False


def linear(draw, op, values):
    weight = pick(draw, values, lambda value: value.ndim == 2)
    x = pick(draw, values, lambda value: value.ndim and value.shape[-1] == values[weight].shape[0])
    if draw(st.booleans()):
        return (x, weight), (None,)
    return (x, weight, pick(draw, values, lambda value: value.shape == values[weight].shape[1:])), ()


def rows(draw, op, values):
    i = pick(draw, values, lambda value: value.ndim == 2 and value.size)
    length, width = values[i].shape
    if op.name == "embedding":
        return (i,), (draw(integers(3, length)),)
    if op.name == "cross_entropy":
        return (i,), (draw(integers(length, width)),)
    return (i,), (draw(integers(length, 3)), 3)


def integers(length, count):
    return st.lists(st.integers(0, count - 1), min_size=length, max_size=length).map(np.array)


def batch_norm(draw, op, values):
    i = pick(draw, values, lambda value: value.ndim == 2 and value.size and value.std(0).min() > 0.3)
    gain, bias = (pick(draw, values, lambda value: value.shape == values[i].shape[1:]) for _ in range(2))
    return (i, gain, bias), (0, 1e-5, draw(st.integers(0, 1)))


DRAWN = {
    "astype": unary,
    "batch_norm": batch_norm,
    "broadcast_to": broadcast_to,
    "concatenate": several,
    "cross_entropy": rows,
    "embedding": rows,
    "expand_dims": expand_dims,
    "getitem": getitem,
    "linear": linear,
    "log_softmax": along_axis,
    "matmul": matmul,
    "max": reduction,
    "mean": reduction,
    "min": reduction,
    "reshape": reshape,
    "scatter_add": scatter_add,
    "scatter_rows": rows,
    "setitem": setitem,
    "softmax": along_axis,
    "squeeze": squeeze,
    "stack": several,
    "std": variance,
    "sum": reduction,
    "swapaxes": swapaxes,
    "transpose": transpose,
    "var": variance,
    "where": where,
}
NAMES = [op.name for op in table.values() if op.carriers]


def test_every_operation_is_drawn():
    """An expression may hold each operation of the table that has a derivative."""
    assert [name for name in NAMES if name not in DRAWN and not strategies.is_elementwise(table[name])] == []


def draw_step(draw, values, writable):
    """One more step, which is smooth and whose value is of moderate size; a tanh where none is found soon."""
    for _ in range(4):
        name = draw(st.sampled_from([*NAMES, *WRITES, *WRITES]))
        try:
            if name in WRITES:
                step, result = draw_write(draw, name, values, writable)
            else:
                step = Step(name, *DRAWN.get(name, elementwise)(draw, table[name], values))
                result = smooth_value(table[name], step, [values[i] for i in step.operands])
        except NothingFits:
            continue
        if result.ndim <= 3 and result.size <= 100 and np.abs(result).max(initial=0) <= LARGEST:
            return step, result
    i = pick(draw, values)
    return Step("tanh", (i,)), np.asarray(np.tanh(values[i]))


def smooth_value(op, step, operands):
    """What a step computes, if the operation is smooth there, as the table states."""
    for name, operand in zip(op.inputs, operands, strict=False):
        low, high, kinks, _ = op.domain.get(name, REAL)
        near = [np.abs(operand - kink) for kink in (*kinks, low, high) if np.isfinite(kink)]
        if any((distance < MARGIN).any() for distance in near) or (operand < low).any() or (operand > high).any():
            raise NothingFits
    if op.ties and (np.diff(np.sort(np.concatenate([each.reshape(-1) for each in operands]))) < MARGIN).any():
        raise NothingFits
    return np.asarray(ours(step.name, operands, step.plain))


def draw_write(draw, name, values, writable):
    i = draw(st.sampled_from(sorted(writable))) if writable and draw(st.booleans()) else pick(draw, values)
    target = values[i].copy()
    plain = (draw(st.sampled_from([place for place in PLACES if indexes(target, place)])),) if "[]" in name else ()
    shape = target[plain[0]].shape if plain else target.shape
    j = pick(draw, values, lambda value: fits(value.shape, shape))
    return Step(name, (i, j), plain, copy=i == j or i not in writable), writes(name, target, values[j], *plain)


def indexes(target, place):
    try:
        target[place]
    except IndexError:
        return False
    return True


@st.composite
def programs(draw, most=8):
    """Programs of up to `most` steps on one to three leaves."""
    shapes = draw(strategies.broadcasting(draw(st.integers(1, 3)), max_dims=2))
    leaves = draw(strategies.numbers(shapes, [REAL] * len(shapes), True))
    values, steps = list(leaves), []
    writable = set()  # what nothing has read yet, not even its own rule
    for _ in range(draw(st.one_of(st.integers(1, most), st.just(most)))):
        step, result = draw_step(draw, values, writable)
        steps.append(step)
        values.append(result)
        writable -= set(step.operands)
        if step.name in WRITES:
            if not step.copy:
                values[step.operands[0]] = result
        elif not reads_output(step.name) and not table[step.name].view:
            writable.add(len(values) - 1)
    outputs = {len(values) - 1, *draw(st.lists(st.integers(0, len(values) - 1), max_size=2))}
    return Program(leaves, steps, tuple(sorted(outputs)))


def reads_output(name):
    op = table[name]
    return any(kind == OUTPUT for kind, _ in op.plan((1 << len(op.parameters)) - 1).keep)


# The proofs.


def check_against_torch(program):
    inputs = [leaf(array) for array in program.leaves]
    outputs = program.run(inputs, ours, writes)
    weights = weights_for(outputs, 1)
    grads = gradients(outputs, weights, inputs, create_graph=True)
    second = gradients(grads, weights_for(grads, 2), inputs)

    their_inputs = [torch_backend.from_numpy(array, True) for array in program.leaves]
    their_outputs = program.run(their_inputs, theirs, their_write)
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


def check_against_differences(program):
    gradcheck(
        lambda *leaves: program.run(leaves, ours, writes),
        *program.leaves,
        argnums=range(len(program.leaves)),
        rtol=1e-5,
    )


def check(program):
    for step in program.steps:
        event(f"in a copy: {step.name}" if step.copy else step.name)
    check_against_torch(program)
    check_against_differences(program)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_expressions(program):
    check(program)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, derandomize=False, print_blob=True, suppress_health_check=list(HealthCheck))
@given(programs(most=12))
def test_expressions_at_length(program):
    check(program)


@pytest.mark.parametrize("name", ["multiply", "sum", "tanh", "getitem", "matmul"])
def test_a_wrong_rule_is_noticed(name):
    """The very check of test_expressions fails."""
    first = table[name].inputs[0]
    options = settings(
        max_examples=500,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with broken(table[name], table[name].parameters.index(first), lambda grad: -grad), pytest.raises(AssertionError):
        options(given(programs())(check))()
