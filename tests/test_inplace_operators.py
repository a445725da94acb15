"""The operators +=, -=, *=, /= and **= as in torch, also where the target is its own operand."""

from __future__ import annotations

import operator
from typing import Any

import pytest

import tinygrad_lite as tg

from .inplace import OPERATORS, A, B, agrees, leaf


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("other", ["vector", "number", "same", "constant", "row"])
def test_operators(name: str, other: str) -> None:
    def script(lib: Any, a: Any, b: Any) -> Any:
        x = a * 2.0
        others = {"vector": b, "number": 3.0, "same": a, "constant": b.detach(), "row": x[0].clone()}
        return OPERATORS[name](x, others[other])

    agrees(script)


def test_power() -> None:
    for exponent in (2, 3, 0.5, -1, 0):
        agrees(lambda lib, a, b, e=exponent: operator.ipow(a * a + 1.0, e))
    agrees(lambda lib, a, b: operator.ipow(a * a + 1.0, b))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_return_and_write_the_very_tensor(name: str) -> None:
    for x in (leaf(A) * 1.0, tg.tensor(A)):
        array, before = x.data, x
        x = OPERATORS[name](x, leaf(B))
        assert x is before
        assert x.data is array
        assert x.requires_grad


def swap_products(lib, a, b, copy):
    c = a * 1.0
    c[0] *= copy(c[1])
    c[1] *= copy(c[0])
    return c


def squares(lib, a, b, copy):
    x = a * 2.0
    x *= copy(x)
    x *= copy(x)
    return x


def quotient_of_itself(lib, a, b, copy):
    x = a * 2.0
    x[0] /= copy(x[0])
    x -= copy(x[0])
    return x


def reversed_rows(lib, a, b, copy):
    x = a * b
    x[[0, 1]] = copy(x[[1, 0]])
    return x


def transposed(lib, a, b, copy):
    x = (a * b)[:, :2].clone()
    x += copy(x.T)
    x *= copy(x.T)
    return x


def power_of_itself(lib, a, b, copy):
    x = a * a + 1.0
    x **= copy(x)
    return x / 100.0


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize(
    "script", [swap_products, squares, quotient_of_itself, reversed_rows, transposed, power_of_itself]
)
def test_a_target_that_is_its_own_operand(script: Any, copies: bool) -> None:
    """As torch: refused, in forward or in backward, where the operand is not a clone."""
    agrees(lambda lib, a, b: script(lib, a, b, (lambda x: x.clone()) if copies else lambda x: x))
