"""The scalar engine: one number, the operations on it, and the chain rule. It needs nothing but `math`.

An operation computes its result and, in the same breath, its slopes: the derivatives of the result by its
inputs. `backward` multiplies slopes along the edges of the graph and adds them up; that is all there is to it.
In the manner of Andrej Karpathy's micrograd (https://github.com/karpathy/micrograd).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import SupportsFloat, SupportsIndex, TypeVar

__all__ = ["Value"]

Number = SupportsFloat | SupportsIndex  # a Value is one too
T = TypeVar("T")


def _operator(method: Callable[[Value, Value], T]) -> Callable[[Value, Number], T]:
    """Lets the other side be a plain number; what is no number at all is left to Python's TypeError."""

    def operator(self: Value, other: Number) -> T:
        operand = _operand(other)
        return NotImplemented if operand is None else method(self, operand)

    return operator


class Value:
    """A real number that remembers how it was computed, so that `backward` can find gradients.

    `data` is the number, always a float; `grad` the gradient; `label` a name for drawings. `_prev` is the tuple
    of inputs, each once (micrograd has a set: a tuple keeps their order), and `_op` names the operation.
    Slopes are taken as an operation runs: a later change of `data` does not alter them.

    An operation of your own passes its inputs, its name and its slopes,
    `Value(x.data**3, (x,), "cube", _slopes=[3 * x.data**2])`, or assigns `_backward` as in the lecture.

    Raises TypeError for data that are not one real number. Operations that are not defined for their numbers
    raise ValueError or ZeroDivisionError, and `exp` and `**` of too large ones OverflowError; all say which.
    """

    __array_ufunc__ = None  # NumPy scalars on the left then leave the operation to Value

    def __init__(
        self,
        data: Number,
        _children: Iterable[Value] = (),
        _op: str = "",
        label: str = "",
        *,
        _slopes: Sequence[float] = (),
    ) -> None:
        inputs = tuple(_children)
        self.data = data
        self.grad = 0.0
        self.label = label
        self._prev = tuple(dict.fromkeys(inputs))
        self._op = _op
        self._edges = tuple(zip(inputs, _slopes, strict=True)) if _slopes else ()

    @property
    def data(self) -> float:
        """The number; what is written to it becomes a float, and is not part of the graph."""
        return self._data

    @data.setter
    def data(self, data: Number) -> None:
        self._data = _number(data)

    def _backward(self) -> None:
        """Pass this gradient on to the inputs. (No closure over self: that would be a reference cycle.)"""
        for child, slope in self._edges:
            child.grad += slope * self.grad

    def backward(self) -> None:
        """Add d(self)/d(leaf) to the `grad` of every leaf; inner nodes get the gradient of this call alone."""
        order = self._topological()
        for node in order:
            if node._prev:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            node._backward()

    def _topological(self) -> list[Value]:
        """This node and all it was computed from, inputs before results: depth first, without recursion."""
        order: list[Value] = []
        seen: set[Value] = set()
        stack = [(self, False)]
        while stack:
            node, inputs_are_done = stack.pop()
            if inputs_are_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(node._prev))
        return order

    @_operator
    def __add__(self, other: Value) -> Value:
        return Value(self.data + other.data, (self, other), "+", _slopes=(1.0, 1.0))

    @_operator
    def __sub__(self, other: Value) -> Value:
        return Value(self.data - other.data, (self, other), "-", _slopes=(1.0, -1.0))

    @_operator
    def __mul__(self, other: Value) -> Value:
        return Value(self.data * other.data, (self, other), "*", _slopes=(other.data, self.data))

    @_operator
    def __truediv__(self, other: Value) -> Value:
        a, b = self.data, other.data
        out = _evaluate("{} / {}", lambda a, b: a / b, a, b)
        return Value(out, (self, other), "/", _slopes=(1.0 / b, -out / b))

    def __pow__(self, other: Number) -> Value:
        """self**other; a plain number as exponent is part of the operation's name, not an input.

        The slope by the base is 0 for x**0, and inf for 0**y with 0 < y < 1; by the exponent it is 0 for a base
        of 0 and nan for a negative one. PyTorch has the same.
        """
        exponent = _operand(other)
        if exponent is None:
            return NotImplemented
        a, b = self.data, exponent.data
        out = _evaluate("({}) ** ({})", _power, a, b)
        slopes = _power_slopes(a, b, out)
        if exponent is other:
            return Value(out, (self, exponent), "**", _slopes=slopes)
        return Value(out, (self,), f"**{b:g}", _slopes=slopes[:1])

    __radd__ = __add__
    __rmul__ = __mul__
    __rsub__ = _operator(lambda self, other: other - self)
    __rtruediv__ = _operator(lambda self, other: other / self)
    __rpow__ = _operator(lambda self, other: other**self)

    # No __eq__: equality is identity, so that Values can be kept in sets.
    __lt__ = _operator(lambda self, other: self.data < other.data)
    __le__ = _operator(lambda self, other: self.data <= other.data)
    __gt__ = _operator(lambda self, other: self.data > other.data)
    __ge__ = _operator(lambda self, other: self.data >= other.data)

    def __neg__(self) -> Value:
        return Value(-self.data, (self,), "neg", _slopes=(-1.0,))

    def exp(self) -> Value:
        """e**self."""
        out = _evaluate("exp({})", math.exp, self.data)
        return Value(out, (self,), "exp", _slopes=(out,))

    def log(self) -> Value:
        """The natural logarithm."""
        out = _evaluate("log({})", math.log, self.data)
        return Value(out, (self,), "log", _slopes=(1.0 / self.data,))

    def sqrt(self) -> Value:
        """The square root; its slope at 0 is inf, as in PyTorch."""
        out = _evaluate("sqrt({})", math.sqrt, self.data)
        return Value(out, (self,), "sqrt", _slopes=(0.5 / out if out else math.inf,))

    def sin(self) -> Value:
        """The sine of an angle in radians."""
        out = _evaluate("sin({})", math.sin, self.data)
        return Value(out, (self,), "sin", _slopes=(math.cos(self.data),))

    def cos(self) -> Value:
        """The cosine of an angle in radians."""
        out = _evaluate("cos({})", math.cos, self.data)
        return Value(out, (self,), "cos", _slopes=(-math.sin(self.data),))

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        out = math.tanh(self.data)
        return Value(out, (self,), "tanh", _slopes=(1.0 - out * out,))

    def sigmoid(self) -> Value:
        """1 / (1 + e**-self)."""
        e = math.exp(-abs(self.data))  # at most 1: never overflows
        out = (1.0 if self.data > 0 else e) / (1.0 + e)
        return Value(out, (self,), "sigmoid", _slopes=(e / (1.0 + e) ** 2,))

    def relu(self) -> Value:
        """self where it is positive, else 0; its slope at 0 is 0, as in PyTorch."""
        return Value(max(self.data, 0.0), (self,), "relu", _slopes=(float(self.data > 0),))

    def abs(self) -> Value:
        """The distance from 0; its slope at 0 is 0, as in PyTorch."""
        sign = float(self.data > 0) - float(self.data < 0)
        return Value(abs(self.data), (self,), "abs", _slopes=(sign,))

    __abs__ = abs

    def __float__(self) -> float:
        return self.data

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"


def _number(x: Number) -> float:
    """float(x), but never by parsing text, dropping an imaginary part or losing a gradient that x carries."""
    if type(x) is float:
        return x
    text_or_complex = getattr(getattr(x, "dtype", None), "kind", "f") in "SUc"
    if isinstance(x, Number) and not text_or_complex and not getattr(x, "requires_grad", False):
        try:
            return float(x)
        except (TypeError, ValueError, RuntimeError):  # from an array or tensor with several elements
            pass
    raise TypeError(f"Value: takes one real number (what float() takes, except text), not a {type(x).__name__}")


def _operand(x: Number) -> Value | None:
    """x itself if it is a Value, a new leaf if it is a number, else None."""
    try:
        return x if isinstance(x, Value) else Value(x)
    except TypeError:
        return None


def _evaluate(call: str, function: Callable[..., float], *args: float) -> float:
    """function(*args); where there is no such real number, an error of the same type that names the call."""
    try:
        return function(*args)
    except OverflowError:
        raise OverflowError(f"{call.format(*args)} is too large for a float") from None
    except (ValueError, ZeroDivisionError) as error:
        raise type(error)(f"{call.format(*args)} is not a real number") from None


def _power(a: float, b: float) -> float:
    if a == 0 and b < 0:
        raise ZeroDivisionError
    return math.pow(a, b)  # raises where ** would return a complex number


def _power_slopes(a: float, b: float, out: float) -> tuple[float, float]:
    """The derivatives of out = a**b by a and by b."""
    if b == 0:
        by_a = 0.0
    elif a == 0 and b < 1:
        by_a = math.inf
    else:
        try:
            by_a = b * math.pow(a, b - 1)
        except OverflowError:
            by_a = b * out / a  # infinite or nearly so, with the right sign
    by_b = 0.0 if a == 0 else out * math.log(a) if a > 0 else math.nan
    return by_a, by_b
