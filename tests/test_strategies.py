"""The strategies draw what they promise: each kind of it, and nothing else."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.op import Interval, table
from tinygrad_lite.testing import strategies

FOUND_SOON = settings(
    max_examples=10_000, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(
    "condition",
    [
        lambda shape: shape == (),
        lambda shape: 0 in shape,
        lambda shape: shape == (1,),
        lambda shape: len(shape) == 3 and min(shape) > 1,
    ],
)
def test_shapes(condition):
    assert condition(find(strategies.shapes(), condition, settings=FOUND_SOON))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_shapes_keep_their_bounds(data):
    shape = data.draw(strategies.shapes(max_dims=2, max_side=2, min_dims=1, min_side=1))
    assert 1 <= len(shape) <= 2
    assert set(shape) <= {1, 2}


@given(strategies.broadcasting(3))
@settings(max_examples=50, deadline=None)
def test_broadcasting(shapes):
    assert len(np.broadcast_shapes(*shapes)) <= 3


@pytest.mark.parametrize(
    "condition",
    [
        lambda x, y: len(x) == len(y) == 2 and x[0] > y[0] == 1 == x[1] < y[1],
        lambda x, y: x == () and len(y) == 3,
        lambda x, y: len(x) == 3 and len(y) == 1,
        lambda x, y: x == y and len(x) == 2 and min(x) > 1,
        lambda x, y: 0 in x and 1 in y,
    ],
)
def test_shapes_broadcast_in_all_positions(condition):
    find(strategies.broadcasting(2), lambda shapes: condition(*shapes), settings=FOUND_SOON)


@given(
    shape=strategies.shapes(),
    domain=st.sampled_from(
        [
            Interval(),
            Interval(0.0),
            Interval(-1.0, 1.0),
            Interval(high=-2.0),
            Interval(5.0, kinks=(6.0,)),
            Interval(kinks=(0.0, 1.0, -3.0)),
            Interval(0.0, 0.2),
        ]
    ),
    distinct=st.booleans(),
    data=st.data(),
)
@settings(max_examples=100, deadline=None)
def test_arrays(shape, domain, distinct, data):
    array = data.draw(strategies.arrays(shape, np.float64, domain, distinct))
    assert array.shape == shape
    assert array.dtype == np.float64
    assert ((array > domain.low) & (array < domain.high)).all()
    assert all((abs(array - kink) >= 0.04).all() for kink in domain.kinks)
    if distinct:
        gaps = np.diff(np.sort(array.reshape(-1)))
        assert (gaps > 0.001 * (min(domain.high, 3) - max(domain.low, -3)) / max(array.size, 1)).all()


@pytest.mark.parametrize(
    "condition",
    [
        lambda array: array.size > 1 and len(np.unique(array)) < array.size,
        lambda array: array.ndim == 2 and (array.strides < np.array(0)).any(),
        lambda array: array.ndim == 2 and array.flags.f_contiguous and not array.flags.c_contiguous,
        lambda array: array.ndim == 2 and not (array.flags.f_contiguous or array.flags.c_contiguous),
        lambda array: array.size > 1 and 0 in array.strides,
        lambda array: (array == 0).any(),
        lambda array: array.shape == (),
        lambda array: array.size > 3 and (array < 0).any() and (array > 2).any(),
    ],
)
def test_arrays_of_all_kinds(condition):
    find(strategies.arrays(), condition, settings=FOUND_SOON)


def test_simplest_array():
    assert find(strategies.arrays((2, 2)), lambda array: True).tolist() == [
        [1.0, 1.0],
        [1.0, 1.0],
    ]


@given(strategies.tensors(dtype=np.float32))
@settings(max_examples=20, deadline=None)
def test_tensors(tensor):
    assert type(tensor) is tg.Tensor
    assert tensor.requires_grad
    assert tensor.dtype == np.float32


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_axes(data):
    shape = data.draw(strategies.shapes())
    np.empty(shape).sum(data.draw(strategies.axes(len(shape))))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_indices(data):
    shape = data.draw(strategies.shapes())
    index = data.draw(strategies.indices(shape))
    assert isinstance(np.empty(shape)[index], (np.ndarray, np.generic))


def parts(index):
    return index if isinstance(index, tuple) else (index,)


@pytest.mark.parametrize(
    "condition",
    [
        lambda index: isinstance(index, int),
        lambda index: any(isinstance(part, np.int64) for part in parts(index)),
        lambda index: any(isinstance(part, list) for part in parts(index)),
        lambda index: any(part is Ellipsis for part in parts(index)),
        lambda index: any(part is None for part in parts(index)),
        lambda index: any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts(index)),
        lambda index: any(getattr(part, "dtype", int) == np.dtype(bool) and part.ndim == 2 for part in parts(index)),
        lambda index: any(getattr(part, "ndim", 0) == 2 and part.dtype == int for part in parts(index)),
        lambda index: any(isinstance(part, np.ndarray) and len(np.unique(part)) < part.size for part in parts(index)),
        lambda index: len({type(part) for part in parts(index)}) > 2,
    ],
)
def test_indices_of_all_kinds(condition):
    find(strategies.indices((2, 3, 2)), condition, settings=FOUND_SOON)


@pytest.mark.parametrize(
    "condition",
    [
        lambda axis: axis is None,
        lambda axis: axis == (),
        lambda axis: axis == -3,
        lambda axis: axis == 2,
        lambda axis: axis == (0, 2),
        lambda axis: isinstance(axis, tuple) and min(axis, default=0) < 0 < max(axis),
    ],
)
def test_axes_of_all_kinds(condition):
    find(strategies.axes(3), condition, settings=FOUND_SOON)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_axes_keep_their_bounds(data):
    assert isinstance(data.draw(strategies.axes(3, none=False, several=False)), int)
    assert data.draw(strategies.axes(2, none=False)) is not None
    assert not isinstance(data.draw(strategies.axes(2, several=False)), tuple)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_masks(data):
    shape = data.draw(strategies.shapes())
    mask = data.draw(strategies.masks(shape))
    assert (mask.shape, mask.dtype) == (shape, bool)


# Tensors.


@pytest.mark.parametrize(
    "condition",
    [
        lambda tensor: tensor.shape == (),
        lambda tensor: tensor.size == 0 and tensor.ndim == 2,
        lambda tensor: tensor.ndim == 2 and tensor.data.flags.f_contiguous and not tensor.data.flags.c_contiguous,
        lambda tensor: tensor.ndim == 1 and tensor.size > 1 and tensor.data.strides == (8,),
        lambda tensor: tensor.ndim == 1 and tensor.size > 1 and tensor.data.strides == (-4,),
        lambda tensor: tensor.size > 1 and 0 in tensor.data.strides,
    ],
)
def test_tensors_of_all_kinds(condition):
    find(strategies.tensors(dtype=np.float32), condition, settings=FOUND_SOON)


@given(
    strategies.tensors(strategies.shapes(max_dims=1, min_side=1), domain=Interval(0.0, kinks=(1.0,)), distinct=True),
    strategies.tensors((2,), requires_grad=False),
)
@settings(max_examples=50, deadline=None)
def test_tensors_are_what_is_asked_for(tensor, other):
    assert tensor.ndim < 2
    assert tensor.size
    assert tensor.dtype == np.float64
    assert (tensor.data > 0).all()
    assert (abs(tensor.data - 1) > 0.04).all()
    assert 0 not in tensor.data.strides
    assert not other.requires_grad


def test_layouts_are_those_of_the_list():
    array = np.arange(6.0).reshape(2, 3)
    for layout in strategies.LAYOUTS:
        np.testing.assert_array_equal(strategies.lay_out(array, layout), array)
    assert len({strategies.lay_out(array, layout).strides for layout in strategies.LAYOUTS}) == 4


@given(st.integers(1, 3).flatmap(strategies.broadcastable_arrays))
@settings(max_examples=50, deadline=None)
def test_broadcastable_arrays(arrays):
    assert np.broadcast_shapes(*[array.shape for array in arrays]) is not None
    assert all(array.dtype == np.float64 for array in arrays)


@given(
    strategies.broadcastable_tensors(3, np.float32, [Interval(), Interval(0.0), Interval(kinks=(1.0,))], distinct=True)
)
@settings(max_examples=50, deadline=None)
def test_broadcastable_tensors(tensors):
    x, y, z = (tensor.data for tensor in tensors)
    assert (tensors[0] + tensors[1] + tensors[2]).requires_grad
    assert x.dtype == y.dtype == z.dtype == np.float32
    assert (y > 0).all()
    assert (abs(z - 1) > 0.04).all()
    assert len(np.unique(np.concatenate([x, y, z], None))) == x.size + y.size + z.size


@pytest.mark.parametrize(
    "condition",
    [
        lambda x, y: x.shape == () and y.ndim == 3,
        lambda x, y: x.shape == y.shape and x.ndim == 2 and x.size > 3,
        lambda x, y: x.ndim == y.ndim == 2 and x.shape[0] > y.shape[0] == 1 == x.shape[1] < y.shape[1],
        lambda x, y: x.size == 0 < y.size,
        lambda x, y: x.ndim == 2 and not x.flags.c_contiguous and y.ndim == 1,
    ],
)
def test_broadcastable_arrays_of_all_kinds(condition):
    find(strategies.broadcastable_arrays(), lambda pair: condition(*pair), settings=FOUND_SOON)


# Subscripts.


def terms(subscripts):
    return subscripts.replace(" ", "").replace("...", ".").partition("->")[0].split(",")


def in_order(subscripts):
    """With the letters i, j, k, in the order in which they come."""
    letters = dict.fromkeys(each for each in subscripts if each.isalpha())
    return subscripts.translate(str.maketrans(dict(zip(letters, "ijklm", strict=False))))


@given(strategies.einsums())
@settings(max_examples=300, deadline=None)
def test_einsums(drawn):
    subscripts, *operands = drawn
    assert len(terms(subscripts)) == len(operands)
    np.einsum(subscripts, *operands)


@given(strategies.einsums(max_operands=2, dtype=np.float32, broadcast=False))
@settings(max_examples=100, deadline=None)
def test_einsums_without_broadcasting(drawn):
    subscripts, *operands = drawn
    assert len(operands) <= 2
    assert np.einsum(subscripts, *operands).dtype == np.float32
    lengths = {}
    for term, operand in zip(terms(subscripts), operands, strict=True):
        front, _, back = term.partition(".")
        for letters, shape in ((front, operand.shape), (back[::-1], operand.shape[::-1])):
            for letter, length in zip(letters, shape, strict=False):
                assert lengths.setdefault(letter, length) == length


@pytest.mark.parametrize(
    "condition",
    [
        lambda subscripts, *operands: "ij,jk" in subscripts,
        lambda subscripts, *operands: "->" not in subscripts and "." not in subscripts and len(operands) == 3,
        lambda subscripts, *operands: subscripts.startswith("ii") and operands[0].size > 1,
        lambda subscripts, *operands: "->ji" in subscripts.replace(" ", ""),
        lambda subscripts, *operands: subscripts.endswith("->") and len(operands) == 2,
        lambda subscripts, *operands: subscripts.startswith("i...j") and operands[0].ndim > 2,
        lambda subscripts, *operands: subscripts.count("...") == 2 and "->" not in subscripts,
        lambda subscripts, *operands: subscripts.count("...") == 3 and operands[0].ndim > operands[1].ndim,
        lambda subscripts, *operands: subscripts.startswith("i,i") and operands[0].size == 1 < operands[1].size,
        lambda subscripts, *operands: " -> " in subscripts and ", " in subscripts,
        lambda subscripts, *operands: subscripts.startswith(","),
    ],
)
def test_einsums_of_all_kinds(condition):
    find(strategies.einsums(), lambda drawn: condition(in_order(drawn[0]), *drawn[1:]), settings=FOUND_SOON)


# Expressions.


def named(name):
    return lambda step: isinstance(step, strategies.Call) and step.op.name == name


def writes(expression):
    return [step for step in expression.steps if isinstance(step, strategies.Write)]


def makes_and_writes(expression):
    """What an operation has just made is written to, and not a copy."""
    return any(
        isinstance(w, strategies.Write) and not named("copy")(s) and getattr(s, "results", ()) == (w.target,)
        for s, w in zip(expression.steps, expression.steps[1:], strict=False)
    )


def reads(expression):
    """How often each value is read."""
    found = []

    def look(value):
        if isinstance(value, (list, tuple)):
            for each in value:
                look(each)
        elif hasattr(value, "number"):
            found.append(value.number)

    for step in expression.steps:
        look(step.args if isinstance(step, strategies.Call) else step.value)
    return found


@given(strategies.expressions())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_expressions(expression):
    """Values are finite and of moderate size on the way; Tensors give what arrays give; and so does the repr."""
    values = expression(*expression.leaves)
    assert len(values) == len(expression.outputs) > 0
    everything = [name for step in expression.steps for name in getattr(step, "results", ()) if name is not None]
    for each in strategies.Expression(expression.leaves, expression.steps, tuple(everything))(*expression.leaves):
        assert np.abs(each).max(initial=0) <= 60  # 30 before the last write
        assert np.size(each) <= 100
    namespace = {}
    exec(repr(expression), namespace)
    tensors = [tg.tensor(array, requires_grad=True) for array in expression.leaves]
    for others in (namespace["expression"](*namespace["leaves"]), expression(*tensors)):
        for one, other in zip(values, others, strict=True):
            np.testing.assert_allclose(one, np.asarray(other), 1e-12, 1e-12)


@pytest.mark.parametrize(
    "condition",
    [
        lambda expression: len(expression.outputs) > 3,
        lambda expression: len(expression.leaves) == 3,
        lambda expression: len(expression.operations) > 12,
        lambda expression: max(map(reads(expression).count, range(5))) > 3,
        lambda expression: any(len(step.results) > 1 for step in expression.steps if isinstance(step, strategies.Call)),
        *[
            lambda e, sign=sign: any(w.sign == sign and w.index is None for w in writes(e))
            for sign in ("+=", "-=", "*=")
        ],
        *[lambda e, sign=sign: any(w.sign == sign and w.index for w in writes(e)) for sign in ("=", "+=", "-=", "*=")],
        lambda expression: any(w.target == w.value for w in writes(expression)),
        makes_and_writes,
        lambda expression: len({w.target for w in writes(expression)}) < len(writes(expression)),
        lambda expression: len(expression.steps) < 4,
    ],
)
def test_expressions_of_all_kinds(condition):
    find(strategies.expressions(), condition, settings=settings(FOUND_SOON, max_examples=3000))


def test_expressions_connect_what_is_in_a_list():
    joins = strategies.expressions(containing=table["concatenate"])
    find(joins, lambda e: any(named("concatenate")(s) and len(s.args[0]) > 1 for s in e.steps), settings=FOUND_SOON)


def test_expressions_keep_to_what_they_are_given():
    ops = [table["tanh"], table["sum"]]

    @given(strategies.expressions(max_steps=2, among=ops, containing=table["log"]))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test(expression):
        connecting = {table[name] for name in ("reshape", "getitem", "tanh", "multiply", "add", "copy")}
        assert table["log"] in expression.operations <= {*ops, table["log"], *connecting}

    test()


def test_an_expression_is_a_program():
    """What a failing example looks like."""
    expression = find(
        strategies.expressions(),
        lambda e: len(writes(e)) and len(e.leaves) == 1 and e.leaves[0].ndim,
        settings=FOUND_SOON,
    )
    assert repr(expression).splitlines() == [
        "import numpy as np",
        "from numpy import inf, nan",
        "import tinygrad_lite as tg",
        "from tinygrad_lite.op import table",
        "from tinygrad_lite.testing.strategies import Repeating",
        "",
        "op = {name: each.call for name, each in table.items()}",
        f"arrays = [{', '.join(f'np.array({leaf.tolist()})' for leaf in expression.leaves)}]",
        "leaves = [tg.tensor(array, requires_grad=True) for array in arrays]",
        "",
        "def expression(v0):",
        *[f"    {step}" for step in expression.steps],
        f"    return {', '.join(map(str, expression.outputs))},",
    ]
