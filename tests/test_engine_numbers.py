"""Numbers of all kinds as data and as operands of Values, what is refused in one line, and the edges of floats."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygrad_lite.engine import Value

from .values import BINARY, OPERATIONS


@pytest.mark.parametrize("data", [2, True, Fraction(1, 2), Decimal("0.5"), np.float32(2), np.int8(2), np.array(2.0)])
def test_data_are_floats(data: Any) -> None:
    x = Value(data)
    assert type(x.data) is float
    assert x.data == float(data)
    x.data = data
    assert type(x.data) is float
    x.data += data if not isinstance(data, Decimal) else 1
    assert type(x.data) is float


def test_whatever_has_an_index_is_a_number() -> None:
    class Seven:
        def __index__(self) -> int:
            return 7

    assert Value(Seven()).data == 7.0
    assert (Seven() + Value(1)).data == 8.0


# ------------------------------------------------------------------------------------- the other operand

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
SCALARS = [3, 3.0, Fraction(3), Decimal(3), np.float64(3), np.float32(3), np.float16(3), np.int64(3), np.array(3.0)]


@pytest.mark.parametrize("number", SCALARS, ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("op", OPERATORS)
def test_numbers_of_all_kinds_on_either_side(op: Callable[..., Any], number: Any) -> None:
    x, y = Value(2.0), Value(2.0)
    left, right = op(number, x), op(y, number)
    assert (type(left), type(right)) == (Value, Value)
    assert (left.data, right.data) == (op(3.0, 2.0), op(2.0, 3.0))
    left.backward()
    right.backward()
    by_left = {"add": 1.0, "sub": -1.0, "mul": 3.0, "truediv": -0.75, "pow": 9 * math.log(3)}
    by_right = {"add": 1.0, "sub": 1.0, "mul": 3.0, "truediv": 1 / 3, "pow": 12.0}
    assert x.grad == pytest.approx(by_left[op.__name__], rel=1e-15)
    assert y.grad == pytest.approx(by_right[op.__name__], rel=1e-15)


class NeedsGradient:
    """A tensor of another engine, whose gradient float() would lose."""

    requires_grad = True

    def __float__(self) -> float:
        return 1.0


class Several:
    """A tensor of several elements, as torch has it."""

    def __float__(self) -> float:
        raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")


NO_NUMBERS = [
    "2",
    b"2",
    bytearray(b"2"),
    None,
    [1, 2],
    {},
    object(),
    1j,
    np.complex64(1),
    np.complex128(1),
    np.array(1j),
    np.array("2"),
    np.str_("2"),
    np.array([1.0, 2.0]),
    np.array([]),
    NeedsGradient(),
    Several(),
]


@pytest.mark.parametrize("other", NO_NUMBERS, ids=lambda x: f"{type(x).__name__}")
def test_what_is_no_number_is_refused_in_one_line(other: Any) -> None:
    with pytest.raises(TypeError, match=rf"^Value: takes one real number .*, not a {type(other).__name__}$"):
        Value(other)
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"^Value: takes one real number"):
        x.data = other
    for op in [*OPERATORS, operator.lt, operator.le, operator.gt, operator.ge]:
        for pair in ((x, other), (other, x)):
            with pytest.raises(TypeError, match=r"Value|concat|supported") as error:
                op(*pair)
            assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------------- at the edges


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Value(1000).exp(), OverflowError, "exp(1000.0) is too large for a float"),
        (lambda: Value(1e200) ** 2, OverflowError, "(1e+200) ** (2.0) is too large for a float"),
        (lambda: 2 ** Value(5000), OverflowError, "(2.0) ** (5000.0) is too large for a float"),
        (lambda: Value(0).log(), ValueError, "log(0.0) is not a real number"),
        (lambda: Value(-1.5).log(), ValueError, "log(-1.5) is not a real number"),
        (lambda: Value(-1.5).sqrt(), ValueError, "sqrt(-1.5) is not a real number"),
        (lambda: Value(-2) ** 0.5, ValueError, "(-2.0) ** (0.5) is not a real number"),
        (lambda: Value(-2) ** Value(0.5), ValueError, "(-2.0) ** (0.5) is not a real number"),
        (lambda: (-2) ** Value(0.5), ValueError, "(-2.0) ** (0.5) is not a real number"),
        (lambda: Value(0) ** -1, ZeroDivisionError, "(0.0) ** (-1.0) is not a real number"),
        (lambda: 0 ** Value(-1), ZeroDivisionError, "(0.0) ** (-1.0) is not a real number"),
        (lambda: Value(3) / 0, ZeroDivisionError, "3.0 / 0.0 is not a real number"),
        (lambda: 3 / Value(0), ZeroDivisionError, "3.0 / 0.0 is not a real number"),
        (lambda: np.float64(3) / Value(0), ZeroDivisionError, "3.0 / 0.0 is not a real number"),
        (lambda: Value(math.inf).sin(), ValueError, "sin(inf) is not a real number"),
        (lambda: Value(-math.inf).cos(), ValueError, "cos(-inf) is not a real number"),
    ],
)
def test_errors_name_the_operation_and_its_numbers(call: Callable[[], Value], error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
    assert caught.value.__suppress_context__


def slopes(function: Callable[..., Value], *at: float) -> list[float]:
    inputs = [Value(x) for x in at]
    function(*inputs).backward()
    return [x.grad for x in inputs]


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (Value.relu, [0.0], [0.0]),
        (Value.relu, [-0.0], [0.0]),
        (Value.abs, [0.0], [0.0]),
        (Value.sqrt, [0.0], [math.inf]),
        (Value.tanh, [1000.0], [0.0]),
        (Value.sigmoid, [1000.0], [0.0]),
        (Value.sigmoid, [-1000.0], [0.0]),
        (Value.sigmoid, [-700.0], [math.exp(-700.0)]),
        (Value.sigmoid, [700.0], [math.exp(-700.0)]),
        (Value.exp, [-1000.0], [0.0]),
        (Value.log, [5e-324], [math.inf]),
        (lambda x: x**0, [0.0], [0.0]),
        (lambda x: x**1, [0.0], [1.0]),
        (lambda x: x**2, [0.0], [0.0]),
        (lambda x: x**0.5, [0.0], [math.inf]),
        (lambda x: x**2, [-3.0], [-6.0]),
        (lambda x: x**-1, [-2.0], [-0.25]),
        (lambda x: x**-1, [1e-300], [-math.inf]),
        (lambda x: x**-2, [-1e-110], [math.inf]),
        (lambda x: x**0.001, [5e-324], [0.001 * 5e-324**0.001 / 5e-324]),
        (lambda x: x**2, [1e-200], [2e-200]),
        (lambda y: 0**y, [0.0], [0.0]),
        (lambda y: 0.0**y, [2.0], [0.0]),
        (lambda y: (-2) ** y, [3.0], [math.nan]),
        (operator.pow, [0.0, 0.0], [0.0, 0.0]),
        (operator.pow, [0.0, 2.0], [0.0, 0.0]),
        (operator.pow, [0.0, 0.5], [math.inf, 0.0]),
        (operator.pow, [-2.0, 3.0], [12.0, math.nan]),
        (operator.truediv, [1.0, 1e-200], [1e200, -math.inf]),
        (operator.mul, [math.inf, 2.0], [2.0, math.inf]),
    ],
)
def test_slopes_at_the_edges(function: Callable[..., Value], at: list[float], expected: list[float]) -> None:
    assert slopes(function, *at) == pytest.approx(expected, nan_ok=True, rel=1e-15, abs=0)


def test_results_at_the_edges() -> None:
    assert Value(1000.0).tanh().data == 1.0
    assert Value(-1000.0).tanh().data == -1.0
    assert Value(1000.0).sigmoid().data == 1.0
    assert Value(-1000.0).sigmoid().data == 0.0
    assert Value(-700.0).sigmoid().data == pytest.approx(math.exp(-700), rel=1e-15)
    assert Value(0.0).sigmoid().data == 0.5
    assert (Value(0.0) ** 0).data == 1.0
    assert (0 ** Value(0.0)).data == 1.0
    assert (Value(49.0) / 49.0).data == 1.0
    assert (Value(1e308) * 10).data == math.inf
    assert math.isnan(Value(math.nan).relu().data)


@given(st.sampled_from(list(OPERATIONS)), st.floats(), st.floats())
@example("x ** y", -math.inf, 0.5)
@example("x ** y", 5e-324, 0.5)
def test_any_floats_give_a_float_or_a_clear_error(name: str, a: float, b: float) -> None:
    inputs = [Value(a), Value(b)][: 2 if name in BINARY else 1]
    complaint = None
    try:
        out = OPERATIONS[name][0](*inputs)
    except (ArithmeticError, ValueError) as error:
        complaint = str(error)
    if complaint is None:
        out.backward()
        assert {type(number) for v in (out, *inputs) for number in (v.data, v.grad)} == {float}
    else:
        assert complaint.endswith(("is not a real number", "is too large for a float"))
        assert str(a) in complaint
