"""Every operation of the table: its values, in every way to call it, its dtypes and its memory."""

import inspect
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.op import INDEX, PLAIN, SEQUENCE, Interval, numpy_functions, table
from tinygrad_lite.testing import strategies
from tinygrad_lite.testing.gradcheck import gradients, leaf
from tinygrad_lite.testing.properties import check_broadcasting, check_memory, check_rules

from . import torch_backend
from .checks import (
    as_tensors,
    every,
    in_torch,
    kind,
    listed,
    methods,
    operations,
    run,
    those,
    wanted,
    weights_for,
)
from .families import REFERENCES

# Python's operators, each on two operands but the last two.
OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "matmul": operator.matmul,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "negative": operator.neg,
    "absolute": operator.abs,
}

# Where NumPy's function does not look for a Tensor, so that only ours finds one that stands alone.
UNSEEN = {("interp", "left"), ("interp", "right"), ("select", "default"), ("take", "indices")}


def by_numpy(function, op, args):
    """Call a function of NumPy: the first arrays by position, all else by keyword; no None for <no value>.

    *arrays, and what is before them, go by position. What is our default is left out: it is to be NumPy's, too.
    """
    if op.star is not None:
        return function(*args[: op.star], *args[op.star], **by_name(op, args, op.star + 1))
    arrays, keywords, by_position = [], {}, True
    for i, (name, value) in enumerate(zip(op.parameters, args, strict=True)):
        known = parameter(function, name)
        if i in op.plain or (known and known.kind is known.KEYWORD_ONLY):
            by_position = False
        if by_position:
            arrays.append(value)
        elif value is not op.defaults.get(name, ...) and (
            value is not None or not known or known.default is not np._NoValue
        ):
            keywords[name] = value
    if all(value is None for value in arrays[1:]):
        arrays = arrays[:1]
    return function(*arrays, **keywords)


def parameter(function, name):
    """What NumPy tells of a parameter of one of its functions."""
    try:
        return inspect.signature(function).parameters.get(name)
    except ValueError:  # it is written in C
        return None


def by_name(op, args, start=0):
    return dict(zip(op.parameters[start:], args[start:], strict=True))


def by_keyword(op, args):
    """Call an operation with all of its arguments by keyword, but for *arrays and what is before them."""
    return op.function(**by_name(op, args)) if op.star is None else by_numpy(op.function, op, args)


def expected(op, args):
    return listed(by_numpy(op.numpy[0], op, args) if op.numpy else REFERENCES[op.name](*args))


def assert_same(got, wanted, rtol=1e-12, atol=1e-12):
    """Equal within rounding, and of the same shape and dtype."""
    assert len(listed(got)) == len(wanted)
    for one, other in zip(listed(got), wanted, strict=True):
        other = np.asarray(other)
        one = one.data if isinstance(one, tg.Tensor) else np.asarray(one)
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol, atol)


def test_nothing_is_without_a_test():
    """An entry must have what its tests need; what they have must be an entry."""
    for op in table.values():
        assert op.name in strategies.SAMPLERS or strategies.is_elementwise(op), f"{op.name}: no sampler of arguments"
        assert bool(op.numpy) != (op.name in REFERENCES), f"{op.name}: no function of NumPy and no reference, or both"
        assert (op.name in torch_backend.OPERATIONS) != (op.name in torch_backend.WITHOUT), f"{op.name}: not in torch"
        assert op.function.__doc__, f"{op.name}: no docstring"
    assert all(torch_backend.WITHOUT.values())
    for names in (strategies.SAMPLERS, REFERENCES, OPERATORS, torch_backend.OPERATIONS, torch_backend.WITHOUT):
        assert set(names) <= set(table)


@operations
def test_values(op):
    values = (check_value, check_one_tensor_is_enough, check_torch_value)
    every(op, *values, check_memory, check_rules, check_nothing_is_recorded)


def check_value(op, args):
    """Each way to call it gives what NumPy gives."""
    right = expected(op, args)
    plain = op.call(*args)
    assert all(isinstance(each, (np.ndarray, np.generic)) for each in listed(plain))
    assert_same(plain, right)
    assert_same(by_keyword(op, args), right)
    tensors = as_tensors(op, args)
    calls = [
        lambda *args: op.call(*args),
        lambda *args: by_keyword(op, args),
        *[lambda *args, f=function: by_numpy(f, op, args) for function in op.numpy],
        *methods(op),
    ]
    for call in calls:
        result = call(*tensors)
        assert all(type(each) is tg.Tensor and not each.requires_grad for each in listed(result))
        assert_same(result, right)


def check_one_tensor_is_enough(op, args):
    """A Tensor in any position, also in a list or an index, makes the results Tensors."""
    right = expected(op, args)
    tensors = as_tensors(op, args)
    promoted = [each for i in op.promoted if args[i] is not None for each in listed(args[i])]
    strong = not promoted or any(np.ndim(each) for each in promoted)
    for i, value in enumerate(args):
        mixed = list(args)
        mixed[i] = tensors[i]
        if op.kinds[i] is SEQUENCE and value:
            mixed[i] = [tensors[i][0], *value[1:]]
        elif op.kinds[i] is INDEX:
            mixed[i] = with_tensors(value)
        if value is None or not holds_tensor(mixed[i]):
            continue
        numpy = op.numpy if (op.name, op.parameters[i]) not in UNSEEN else ()
        for function in (op.call, *[lambda *args, f=f: by_numpy(f, op, args) for f in numpy]):
            result = function(*mixed)
            assert all(type(each) is tg.Tensor for each in listed(result))
            if i in op.promoted or strong:
                assert_same(result, right)
            else:  # 0-d arrays beside a Tensor of bools: they count as numbers, and numbers give float32
                assert_same(result, [right[0].astype(np.float32)], 1e-6)


def check_torch_value(op, args):
    """Its values are those of torch."""
    if op.name in torch_backend.OPERATIONS:
        right = torch_backend.OPERATIONS[op.name](*in_torch(op, args))
        for one, other in zip(listed(op.call(*args)), listed(right), strict=True):
            np.testing.assert_allclose(one, other.numpy(), 1e-9, 1e-11)
            assert np.shape(one) == tuple(other.shape)


def check_nothing_is_recorded(op, args):
    """An operation without a derivative returns Tensors that require none."""
    if not op.carriers:
        floats = tuple(i for i, value in enumerate(args) if op.kinds[i] is not PLAIN and kind(value) == "f")
        for result in listed(op.call(*as_tensors(op, args, floats))):
            assert type(result) is tg.Tensor
            assert not result.requires_grad
            assert result.is_leaf


def with_tensors(index):
    """An index with Tensors for its arrays."""
    if isinstance(index, tuple):
        return tuple(with_tensors(each) for each in index)
    if isinstance(index, list):
        return leaf(np.array(index, int), False)
    return leaf(index, False) if isinstance(index, np.ndarray) and index.ndim else index


def holds_tensor(value):
    return any(isinstance(each, tg.Tensor) for each in (value if isinstance(value, (list, tuple)) else [value]))


@those(lambda op: op.name in OPERATORS)
def test_operators(op):
    function = OPERATORS[op.name]

    def check(op, args):
        right = [function(*args)]
        tensors = as_tensors(op, args)
        mixed = [[tensors[0], args[1]], [args[0], tensors[1]]] if len(args) == 2 else []
        for operands in (tensors, *mixed):
            result = function(*operands)
            assert type(result) is tg.Tensor
            assert_same(result, right)
        if len(args) == 2 and op.name != "matmul":
            for number in (2, 0.5, np.float32(3), np.int64(2)):
                assert_same(function(tensors[0], number), [function(args[0], number)])
                assert_same(function(number, tensors[1]), [function(number, args[1])])

    every(op, check)


@operations
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_dtype_is_kept(op, dtype):
    """What is float32 stays float32: values, and gradients."""

    def check(op, args):
        result = listed(op.call(*as_tensors(op, args)))
        rounding = 20 * np.finfo(dtype).eps
        floats = [each for each in result if each.dtype.kind == "f"]
        assert all(each.dtype == dtype for each in floats)
        if dtype == np.float32 or (not floats and op.name != "matrix_rank"):  # NumPy has no svd of float16
            for one, other in zip(result, expected(op, args), strict=True):
                np.testing.assert_allclose(one.data, other, rounding, rounding)
        inputs, outputs = run(op, args, wanted(op, args))
        for grad in gradients(outputs, weights_for(outputs), inputs):
            assert grad.dtype == dtype

    with np.errstate(over="ignore" if dtype == np.float16 else "warn"):  # 3**12 is more than float16 holds
        every(op, check, dtype=dtype, max_examples=15)


@those(lambda op: op.carriers and len(op.singles) > 1)
def test_scalars_never_widen(op):
    """Python's and NumPy's scalars, 0-d arrays, integers and bools leave a float32 Tensor what it is."""

    def check(op, args):
        for i in op.singles:
            if args[i] is None or args[i].ndim == 0:
                continue
            for j in op.singles:
                if j == i or args[j] is None:
                    continue
                narrow = list(args)
                narrow[i] = leaf(args[i].astype(np.float32), op.parameters[i] in op.carriers)
                for other in op.singles:
                    if other != i and args[other] is not None:
                        narrow[other] = args[other].astype(np.float32)
                others = [np.ones(args[j].shape, int), np.ones(args[j].shape, bool)]
                if op.domain.get(op.parameters[j], Interval()).why:  # such as: must be invertible
                    others = [np.random.default_rng(0).integers(1, 20, args[j].shape)]  # exp() of it is finite
                others += [2, 2.0, np.float64(2), np.array(2.0)] if strategies.is_elementwise(op) else []
                for other in others:
                    narrow[j] = other
                    for result in listed(op.call(*narrow)):
                        assert result.dtype == np.float32

    every(op, check, max_examples=10)


# Domains: what is not tested must have a reason.


def unexplained(op, domain):
    """Numbers outside of the stated domain, at which the operation nonetheless has a finite value; and no why."""
    rng = np.random.default_rng(0)
    wide = rng.choice((-1.0, 1.0), (len(op.parameters), 4000)) * 10 ** rng.uniform(-3, 3, (len(op.parameters), 4000))
    points = np.where(rng.random(wide.shape) < 0.5, wide, rng.integers(-5, 6, wide.shape))
    with np.errstate(all="ignore"):
        finite = np.isfinite(op.call(*points))
    found = {}
    for name, numbers in zip(op.parameters, points, strict=True):
        interval = domain.get(name, Interval())
        outside = finite & ((numbers < interval.low) | (numbers > interval.high))
        if outside.any() and not interval.why:
            found[name] = numbers[outside][0]
    return found


@those(strategies.is_elementwise)
def test_domain_is_whole(op):
    assert unexplained(op, op.domain) == {}


def test_a_domain_that_leaves_something_out_is_noticed():
    assert unexplained(table["exp"], {"x": Interval(high=5.0)}).keys() == {"x"}
    assert unexplained(table["power"], {"x": Interval(0.0)}).keys() == {"x"}
    assert unexplained(table["log"], {"x": Interval(1.0)}).keys() == {"x"}
    assert unexplained(table["log"], {"x": Interval(1.0, why="for fun")}) == {}


ELEMENTWISE = ("elementwise", "activations", "rounding")  # families of functions of numbers


@those(
    lambda op: (
        op.function.__module__.endswith(ELEMENTWISE)
        and op.name != "glu"  # of pairs of numbers
        and len(op.carriers) == len(op.inputs) == 1
        and len(op.defaults) == len(op.parameters) - 1
    )
)
def test_kinks_are_those_that_the_domain_states(op):
    """Where the value, or the first or second derivative, jumps, or there is none; nowhere else where we look."""
    low, high, kinks = op.domain.get(op.parameters[0], Interval())[:3]
    first = tg.elementwise_grad(op.function)
    found = []
    for point in (*np.arange(-3, 3.5, 0.5), -np.pi / 2, np.pi / 2):
        if low < point < high:
            sides = tg.tensor(np.array([point - 1e-6, point + 1e-6]))
            with np.errstate(all="ignore"):
                values = [function(sides).data for function in (op.function, first, tg.elementwise_grad(first))]
            if not all(abs(left - right) < 1e-3 * (1 + abs(left)) for left, right in values):
                found.append(float(point))
    assert found == [kink for kink in sorted(kinks) if low < kink < high]


@operations
def test_annotation_of_what_is_returned(op):
    """For help(), where the function that is declared returns arrays."""
    if not op.composed:
        returned = op.function.__annotations__["return"]
        assert returned == ("Tensor" if op.visible == 1 else "tuple[Tensor, ...]")


@those(strategies.is_elementwise)
def test_generic_sampler_is_for_elementwise_operations(op):
    """Only what broadcasts its inputs can do without a sampler of its own."""
    every(op, check_broadcasting)


def test_numpy_functions_lead_to_their_operation():
    assert all(function in op.numpy for function, op in numpy_functions.items())
    assert numpy_functions[np.tanh] is table["tanh"]


@settings(max_examples=50, deadline=None)
@given(args=st.one_of([strategies.arguments(table[name]) for name in ("isnan", "isinf", "isfinite", "logical_not")]))
def test_not_finite(args):
    (x,) = args
    x = np.where(x > 1, np.inf, np.where(x < -1, np.nan, np.where(x < -2, -np.inf, x)))
    for function in (np.isnan, np.isinf, np.isfinite, np.logical_not):
        np.testing.assert_array_equal(function(tg.from_numpy(x)).data, function(x))
