"""What the tests of the table do with an operation and a set of arguments for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.op import ONE, SEQUENCE, Op, table
from tinygrad_lite.testing import strategies
from tinygrad_lite.testing.flat import gradients, leaf
from tinygrad_lite.testing.properties import (
    Check,
    as_tensors,
    change,
    derivatives,
    examine,
    flat,
    kind,
    listed,
    run,
    wanted,
    weights_for,
)

from . import torch_backend
from .families import FOUND

__all__ = [
    "as_tensors",
    "broken",
    "derivatives",
    "differentiable",
    "every",
    "flat",
    "gradients",
    "in_torch",
    "kind",
    "leaf",
    "listed",
    "methods",
    "operations",
    "run",
    "those",
    "wanted",
    "weights_for",
]


def those(condition: Callable[[Op], bool]) -> pytest.MarkDecorator:
    """A test of each operation for which the condition holds."""
    return pytest.mark.parametrize("op", [op for op in table.values() if condition(op)], ids=lambda op: op.name)


operations = those(lambda op: True)
differentiable = those(lambda op: op.carriers)


def every(op: Op, *checks: Check, dtype: Any = np.float64, max_examples: int = 25, **options: Any) -> None:
    """Run checks of an operation on arguments that are drawn, and on those with which it failed once."""
    found = [tuple(cast(each, dtype) for each in args) for args in FOUND.get(op.name, ())]
    examine(op, checks, strategies.arguments(op, dtype), found, max_examples=max_examples, **options)


def cast(value: Any, dtype: Any) -> Any:
    """Arrays of floats in another dtype; all else as it is."""
    if isinstance(value, list):
        return [cast(each, dtype) for each in value]
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def in_torch(op: Op, args: tuple[Any, ...], requiring: tuple[int, ...] = ()) -> list[Any]:
    """The arguments with torch's tensors for all inputs; some of them require a gradient."""
    return [
        change(value, lambda array, i=i: to_torch(array, i in requiring)) if op.kinds[i] in (ONE, SEQUENCE) else value
        for i, value in enumerate(args)
    ]


def to_torch(value: Any, requires_grad: bool) -> Any:
    """An array as a tensor of torch; what is one stays as it is."""
    is_tensor = isinstance(value, torch_backend.torch.Tensor)
    return value if is_tensor else torch_backend.from_numpy(value, requires_grad)


@contextmanager
def broken(op: Op, position: int, how: Callable[[Any], Any]) -> Iterator[None]:
    """An operation whose rule for one input is wrong."""

    def spoil(target: Any, rule: Callable[..., Any]) -> Callable[..., Any]:
        def spoilt(g: Any, *reads: Any) -> Any:
            grads = rule(g, *reads)
            if target == position:
                return change(grads, how)
            return [change(grad, how) if i == position else grad for i, grad in zip(target, grads, strict=True)]

        return spoilt if position in np.atleast_1d(target) else rule

    before = dict(op.plans)
    carriers = [op.parameters.index(name) for name in op.carriers]
    try:
        for needed in range(1, 1 << len(op.parameters)):
            plan = op._plan([i for i in carriers if needed >> i & 1])
            rules = tuple((target, spoil(target, rule), reads) for target, rule, reads in plan.rules)
            op.plans[needed] = plan._replace(rules=rules)
        yield
    finally:
        op.plans.clear()
        op.plans.update(before)


IN_PLACE = {"partition", "sort"}  # what NumPy's methods of these names write to is the array itself


def methods(op: Op) -> Iterator[Callable[..., Any]]:
    """The methods of Tensor that are this operation and take all of its arguments, here by position."""
    place = op.parameters.index("a") if "a" in op.parameters else 0  # of what NumPy makes the method of
    names = [each.__name__ for each in op.numpy if getattr(np, each.__name__, None) is each]  # not those of np.linalg
    for name in {op.name, *names, {"absolute": "abs"}.get(op.name, op.name)}:
        method = getattr(tg.Tensor, name, None)
        if method is not None and name not in IN_PLACE:
            taken = inspect.signature(method).parameters.values()
            if len(taken) >= len(op.parameters) or any(each.kind == each.VAR_POSITIONAL for each in taken):
                called = by_position(method, op)
                yield lambda *args, f=called: f(args[place], *args[:place], *args[place + 1 :])


def by_position(method: Callable[..., Any], op: Op) -> Callable[..., Any]:
    """A method that takes some arguments by keyword only, such as reshape(*shape, order=...), without keywords."""
    taken = inspect.signature(method).parameters
    named = {name for name in op.parameters[1:] if name in taken and taken[name].kind is not taken[name].VAR_POSITIONAL}

    def call(x: Any, *args: Any) -> Any:
        given = list(zip(op.parameters[1:], args, strict=True))
        positional = [value for name, value in given if name not in named]
        return method(x, *positional, **{name: value for name, value in given if name in named})

    return call
