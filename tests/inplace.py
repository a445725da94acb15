"""What the tests of writing in place share: two arrays, the operators, and a script run on ours and on torch."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lite as tg

from .torch_backend import torch

A = np.array([[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]])
B = np.array([0.75, 2.0, -1.25])
OPERATORS = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv}


def leaf(array: Any) -> tg.Tensor:
    return tg.tensor(np.asarray(array, float), requires_grad=True)


class Ours:
    tensor, no_grad = staticmethod(tg.tensor), tg.no_grad

    @staticmethod
    def leaf(array: Any) -> Any:
        return leaf(array)

    @staticmethod
    def zeros(*shape: int) -> Any:
        return tg.zeros(shape, dtype=np.float64)


class Torchs:
    no_grad = torch.no_grad

    @staticmethod
    def leaf(array: Any) -> Any:
        return torch.tensor(np.asarray(array, float), requires_grad=True)

    @staticmethod
    def zeros(*shape: int) -> Any:
        return torch.zeros(shape, dtype=torch.float64)


def outcome(lib: Any, script: Callable[..., Any]) -> Any:
    """What a script gives: the value, and the gradients of its two leaves; or that it is refused."""
    a, b = lib.leaf(A), lib.leaf(B)
    try:
        out = script(lib, a, b)
        (out * out).sum().backward()
    except RuntimeError:
        return "refused"
    return [None if t is None else np.asarray(t.detach()) for t in (out, a.grad, b.grad)]


def agrees(script: Callable[..., Any]) -> None:
    ours, torchs = outcome(Ours, script), outcome(Torchs, script)
    assert (ours == "refused") == (torchs == "refused"), (ours, torchs)
    if torchs == "refused":
        return
    for mine, its in zip(ours, torchs, strict=True):
        assert (mine is None) == (its is None), (ours, torchs)
        if mine is not None:
            np.testing.assert_allclose(mine, its, rtol=1e-12, atol=1e-12)
