"""What the tests of the table do with an operation and a set of arguments for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

import tinygrad_lite as tg
from tinygrad_lite.op import ONE, SEQUENCE, Op, table
from tinygrad_lite.testing import strategies
from tinygrad_lite.testing.gradcheck import gradients, leaf, uneven

from . import torch_backend
from .families import FOUND

Check = Callable[[Op, tuple[Any, ...]], None]


def those(condition: Callable[[Op], bool]) -> pytest.MarkDecorator:
    """A test of each operation for which the condition holds."""
    return pytest.mark.parametrize("op", [op for op in table.values() if condition(op)], ids=lambda op: op.name)


operations = those(lambda op: True)
differentiable = those(lambda op: op.carriers)


def every(op: Op, check: Check, dtype: Any = np.float64, examples: int = 25, **options: Any) -> None:
    """Run a check of an operation on arguments that are drawn, and on those with which it failed once."""

    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], **options
    )
    @given(strategies.arguments(op, dtype))
    def run(args: tuple[Any, ...]) -> None:
        check(op, args)

    for args in FOUND.get(op.name, ()):
        run = example(tuple(cast(each, dtype) for each in args))(run)
    run()


def cast(value: Any, dtype: Any) -> Any:
    """Arrays of floats in another dtype; all else as it is."""
    if isinstance(value, list):
        return [cast(each, dtype) for each in value]
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def wanted(op: Op, args: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions of the arguments by which an operation can be differentiated."""
    positions = [op.parameters.index(name) for name in op.carriers]
    return tuple(i for i in positions if args[i] is not None and kind(args[i]) == "f")


def kind(value: Any) -> str:
    return np.result_type(*value).kind if isinstance(value, list) else np.asarray(value).dtype.kind


def as_tensors(op: Op, args: tuple[Any, ...], requiring: tuple[int, ...] = ()) -> list[Any]:
    """The arguments with Tensors, in the layout of the arrays, for all inputs; some of them require a gradient."""
    return [
        change(value, lambda array, i=i: leaf(array, i in requiring)) if op.kinds[i] in (ONE, SEQUENCE) else value
        for i, value in enumerate(args)
    ]


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


def change(value: Any, how: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    return [how(each) for each in value] if isinstance(value, list) else how(value)


def listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def flat(args: Any, positions: tuple[int, ...]) -> list[Any]:
    """What stands at these positions, with what is in lists taken out of them."""
    return [each for i in positions for each in listed(args[i])]


def run(op: Op, args: tuple[Any, ...], requiring: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
    """The leaves that require a gradient, and the outputs that are floats."""
    tensors = as_tensors(op, args, requiring)
    outputs = [each for each in listed(op.call(*tensors)) if each.dtype.kind == "f"]
    return flat(tensors, requiring), outputs


def weights_for(arrays: list[Any], seed: int = 0) -> list[Any]:
    """Random weights, as Tensors, in the shapes and dtypes of some arrays."""
    rng = np.random.default_rng(seed)
    return [leaf(uneven(rng, each.shape).astype(each.dtype), False) for each in arrays]


def derivatives(op: Op, args: tuple[Any, ...], requiring: tuple[int, ...]) -> list[Any]:
    """The gradients of randomly weighted outputs, as arrays."""
    inputs, outputs = run(op, args, requiring)
    return [each.data for each in gradients(outputs, weights_for(outputs), inputs)]


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
    try:
        for needed in range(1, 1 << len(op.parameters)):
            plan = op._plan([i for i in range(len(op.parameters)) if needed >> i & 1])
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
    for name in {op.name, *[function.__name__ for function in op.numpy], {"absolute": "abs"}.get(op.name, op.name)}:
        method = getattr(tg.Tensor, name, None)
        if method is not None and name not in IN_PLACE:
            taken = inspect.signature(method).parameters.values()
            if len(taken) >= len(op.parameters) or any(each.kind == each.VAR_POSITIONAL for each in taken):
                called = by_position(method, op)
                yield lambda *args, f=called: f(args[place], *args[:place], *args[place + 1 :])


def by_position(method: Callable[..., Any], op: Op) -> Callable[..., Any]:
    """A method that takes some arguments by keyword only, such as reshape(*shape, order=...), without keywords."""
    names = op.parameters[1:]
    if set(names) <= set(signature(method).parameters):
        return lambda x, *args: method(x, **dict(zip(names, args, strict=True)))
    keywords = op.parameters[2:] if getattr(method, "__kwdefaults__", None) else ()
    count = len(op.parameters) - len(keywords)
    return lambda *args: method(*args[:count], **dict(zip(keywords, args[count:], strict=True)))
