"""Value against complex-step and central differences, against hand computation, and in large graphs."""

from __future__ import annotations

import cmath
import gc
import math
import operator
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tinygrad_lite import engine
from tinygrad_lite.engine import Value

from .values import BINARY, OPERATIONS

Program = list[tuple[str, list[int]]]


def run(program: Program, leaves: list[Any], language: int) -> list[Any]:
    """All numbers of the program: its leaves, then the result of each instruction."""
    numbers = list(leaves)
    for name, places in program:
        numbers.append(OPERATIONS[name][language](*(numbers[i] for i in places)))
    return numbers


@st.composite
def programs(draw: st.DrawFn) -> tuple[Program, list[float]]:
    """Up to 12 instructions on up to 4 leaves; one that would leave its domain or grow too large becomes a tanh."""
    leaves = draw(st.lists(st.floats(-3, 3), min_size=1, max_size=4))
    program: Program = []
    numbers: list[complex] = [complex(leaf) for leaf in leaves]
    for name in draw(st.lists(st.sampled_from(list(OPERATIONS)), min_size=1, max_size=12)):
        places = [draw(st.integers(0, len(numbers) - 1)) for _ in range(2 if name in BINARY else 1)]
        inputs = [numbers[i] for i in places]
        _, on_complex, domain = OPERATIONS[name]
        if not domain(*(z.real for z in inputs)) or abs(on_complex(*inputs)) > 100:
            name, places, on_complex, inputs = "tanh", places[:1], cmath.tanh, inputs[:1]
        program.append((name, places))
        numbers.append(complex(on_complex(*inputs)))
    return program, leaves


@settings(max_examples=500, deadline=None)
@given(programs())
@example(([("x * y", [0, 0]), ("x * y", [1, 1])], [3.0]))
@example(([("x + y", [0, 0]), ("x ** y", [1, 1])], [0.3]))
def test_random_programs_match_complex_step_derivatives(case: tuple[Program, list[float]]) -> None:
    """Im f(x + ih) / h has no cancellation: exact to the last digits (Squire and Trapp, SIAM Review 40, 1998)."""
    program, points = case
    numbers = run(program, [Value(point) for point in points], 0)
    numbers[-1].backward()
    scale = max(1.0, *(abs(number.grad) for number in numbers))
    h = 1e-30
    for i in range(len(points)):
        judge = complex(run(program, [complex(p, h * (i == j)) for j, p in enumerate(points)], 1)[-1])
        assert numbers[-1].data == pytest.approx(judge.real, rel=1e-9, abs=1e-12)
        assert numbers[i].grad == pytest.approx(judge.imag / h, rel=1e-9, abs=1e-11 * scale)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_matches_central_differences(name: str) -> None:
    on_values, on_complex, domain = OPERATIONS[name]
    arity, h = (2 if name in BINARY else 1), 1e-5

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.floats(-3, 3), min_size=arity, max_size=arity).filter(lambda at: domain(*at)))
    def check(at: list[float]) -> None:
        assume(all(abs(x) > 2 * h for x in at))  # no kink between the two points
        inputs = [Value(x) for x in at]
        out = on_values(*inputs)
        out.backward()
        assert out.data == pytest.approx(complex(on_complex(*map(complex, at))).real, rel=1e-12, abs=1e-12)
        for i, x in enumerate(inputs):
            up, down = ([Value(v + s * h * (i == j)) for j, v in enumerate(at)] for s in (1, -1))
            slope = (on_values(*up).data - on_values(*down).data) / (2 * h)
            assert x.grad == pytest.approx(slope, rel=1e-5, abs=1e-6)

    check()


# ------------------------------------------------------------------------------------------------ by hand


def test_the_opening_example() -> None:
    x = Value(2.0, label="x")
    y = Value(3.0, label="y")
    z = x * y + x**2
    z.label = "z"
    z.backward()
    assert (z.data, x.grad, y.grad, z.grad) == (10.0, 7.0, 2.0, 1.0)
    assert (x.label, z.label, Value(1).label) == ("x", "z", "")


def test_the_neuron_of_the_lecture() -> None:
    x1, x2, w1, w2, b = Value(2.0), Value(0.0), Value(-3.0), Value(1.0), Value(6.8813735870195432)
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.backward()
    assert o.data == pytest.approx(math.sqrt(0.5))
    assert [v.grad for v in (x1, x2, w1, w2, b)] == pytest.approx([-1.5, 0.5, 1.0, 0.0, 0.5])


def test_the_same_tanh_from_exp() -> None:
    n = Value(0.8813735870195432)
    e = (2 * n).exp()
    ((e - 1) / (e + 1)).backward()
    assert n.grad == pytest.approx(0.5)


def test_the_lecture_s_backward_by_hand() -> None:
    a, b = Value(2.0), Value(-3.0)
    e = a * b
    d = e + a
    d.grad = 1.0
    for node in (d, e, a, b):
        node._backward()
    assert (a.grad, b.grad, e.grad) == (-2.0, 2.0, 1.0)


def test_micrograd_s_sanity_check() -> None:
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_micrograd_s_readme() -> None:
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert g.data == pytest.approx(24.70408163265306)
    assert a.grad == pytest.approx(138.83381924198252)
    assert b.grad == pytest.approx(645.5772594752186)


def test_a_value_used_twice_gets_both_gradients() -> None:
    a = Value(3.0)
    (a + a).backward()
    assert a.grad == 2.0
    x = Value(3.0)
    (x - x).backward()
    assert x.grad == 0.0


def test_two_consumers() -> None:
    a, b = Value(-2.0), Value(3.0)
    d, e = a * b, a + b
    (d * e).backward()
    assert (a.grad, b.grad) == (-3.0, -8.0)


def test_a_consumer_outside_the_graph_does_not_take_part() -> None:
    x = Value(1.0)
    y, z = x * 2, x * 3
    z.backward()
    assert (x.grad, y.grad) == (3.0, 0.0)


def test_sums_of_values_start_from_the_number_0() -> None:
    values = [Value(i) for i in range(5)]
    total = sum(values)
    assert isinstance(total, Value)
    total.backward()
    assert total.data == 10.0
    assert [v.grad for v in values] == [1.0] * 5


def test_backward_twice_accumulates_in_leaves_alone() -> None:
    x = Value(3.0)
    inner = x * x
    root = inner**2
    root.backward()
    assert (x.grad, inner.grad, root.grad) == (108.0, 18.0, 1.0)
    root.backward()
    assert (x.grad, inner.grad, root.grad) == (216.0, 18.0, 1.0)


def test_backward_from_another_root_over_shared_nodes() -> None:
    x = Value(3.0)
    shared = x * 2
    (shared * 5).backward()
    (shared * 7).backward()
    assert (x.grad, shared.grad) == (24.0, 7.0)


def test_a_leaf_is_its_own_gradient() -> None:
    x = Value(5.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


# --------------------------------------------------------------------------- the surface that lectures touch


def test_inputs_and_names_of_operations() -> None:
    x, y = Value(2.0), Value(3.0)
    assert (x._prev, x._op) == ((), "")
    assert (x * y)._prev == (x, y)
    assert (x * x)._prev == (x,)
    names = {v._op for v in (x + y, x - y, x * y, x / y, x**y, x**2, x**0.5, x ** np.float32(-1), -x, abs(x))}
    assert names == {"+", "-", "*", "/", "**", "**2", "**0.5", "**-1", "neg", "abs"}
    for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "abs"):
        assert getattr(x, name)()._op == name
    assert (2**x)._op == "**"
    assert [child.data for child in (2 - x)._prev] == [2.0, 2.0]


def test_inputs_come_before_results_and_in_order() -> None:
    x, y = Value(2.0), Value(3.0)
    product = x * y
    total = product + x
    assert total._topological() == [x, y, product, total]


def test_an_exponent_that_is_a_value_is_an_input() -> None:
    x, y = Value(2.0), Value(3.0)
    assert (x**y)._prev == (x, y)
    assert (x**3)._prev == (x,)


def test_training_by_hand() -> None:
    x = Value(4.0)
    for _ in range(100):
        loss = (x - 1) ** 2
        x.grad = 0.0
        loss.backward()
        x.data += -0.1 * x.grad
    assert x.data == pytest.approx(1.0)
    assert loss < 1e-9


def test_a_later_change_of_data_does_not_alter_the_gradient() -> None:
    x, y = Value(2.0), Value(3.0)
    z = x * y
    x.data = 100.0
    z.backward()
    assert y.grad == 2.0


def test_an_operation_of_your_own_by_slopes() -> None:
    x = Value(2.0)
    cube = Value(x.data**3, (x,), "cube", _slopes=[3 * x.data**2])
    (2 * cube).backward()
    assert x.grad == 24.0
    y = Value(4.0, (x, x), "twice", _slopes=[1.0, 1.0])
    assert y._prev == (x,)
    with pytest.raises(ValueError, match="zip"):
        Value(4.0, (x, x), "twice", _slopes=[1.0])


def test_an_operation_of_your_own_as_in_the_lecture() -> None:
    x = Value(2.0)
    out = Value(x.data**3, (x,), "cube", label="c")

    def _backward() -> None:
        x.grad += 3 * x.data**2 * out.grad

    out._backward = _backward
    (2 * out).backward()
    assert (x.grad, out.grad, out.label) == (24.0, 2.0, "c")


def test_equality_and_hash_are_identity() -> None:
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert a != 1.0
    assert np.float64(1.0) != a
    assert len({a, b, a}) == 2


@given(st.floats() | st.integers(-3, 3), st.floats() | st.integers(-3, 3))
def test_comparisons_compare_data(a: float, b: float) -> None:
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        expected = compare(a, b)
        pairs = [
            (Value(a), Value(b)),
            (Value(a), b),
            (a, Value(b)),
            (np.float64(a), Value(b)),
            (Value(a), np.float64(b)),
        ]
        assert [compare(*pair) for pair in pairs] == [expected] * 5


def test_float_and_repr() -> None:
    x = Value(2)
    x.grad = -0.5
    assert float(x) == 2.0
    assert math.floor(float(x / 4)) == 0
    assert repr(x) == "Value(data=2.0, grad=-0.5)"
    x.grad = np.float64(1.5)
    assert repr(x) == "Value(data=2.0, grad=1.5)"


# ------------------------------------------------------------------------------------------ large and lonely


@pytest.mark.parametrize(
    ("step", "steps"),
    [(lambda v: -v, 100_000), (lambda v: v + 1.0, 100_000), (lambda v: v.relu() * v.relu() / v, 25_000)],
    ids=["-v", "v + 1.0", "v.relu() * v.relu() / v"],
)
def test_a_deep_chain_is_made_walked_and_deleted(step: Callable[[Value], Value], steps: int) -> None:
    x = v = Value(1.0)
    for _ in range(steps):
        v = step(v)
    v.backward()
    assert x.grad == 1.0
    root = weakref.ref(v)
    del v
    assert root() is None


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    x = Value(2.0)
    y = (x * x).exp().tanh() + x**x
    y.backward()
    refs = [weakref.ref(node) for node in y._topological() if node is not x]
    gc.disable()
    try:
        del y
        assert len(refs) == 5
        assert [ref() for ref in refs] == [None] * 5
    finally:
        gc.enable()


def test_64_doublings_take_64_steps() -> None:
    x = v = Value(1.0)
    for _ in range(64):
        v = v + v
    v.backward()
    assert x.grad == 2.0**64


def test_the_engine_stands_alone() -> None:
    """Loaded by its path, without the package: nothing but the standard library comes in."""
    script = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("engine", {str(Path(engine.__file__))!r})
engine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(engine)
x = engine.Value(2.0)
((2 * x).tanh() ** 2).backward()
foreign = {{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names)
print("numpy" in sys.modules, x.grad > 0, sorted(name for name in foreign if "tinygrad" in name))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True []"
