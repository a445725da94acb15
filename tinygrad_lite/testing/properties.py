"""All that the operations of the table are tested for, of one operation: needs Hypothesis.

    from tinygrad_lite.testing.properties import check_operation

    def test_softplus():
        check_operation(softplus)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from ..op import ONE, SEQUENCE, Op, table
from ..tensor import Tensor
from .flat import gradients, leaf, uneven
from .gradcheck import gradcheck, gradgradcheck
from .strategies import arguments, is_elementwise

Arguments = tuple[Any, ...]
Check = Callable[[Op, Arguments], None]


def check_operation(
    operation: Op | Callable[..., Any],
    args: Callable[[Any], SearchStrategy[Arguments]] | None = None,
    max_examples: int = 25,
) -> None:
    """Test an operation on arguments that are drawn: in all layouts, broadcast, 0-d and of size 0, too.

    Its values are those of its forward; it returns Tensors and shares no memory unless it is a view; what is float32
    stays float32; its first and second derivatives are those of central differences, each set of inputs gets the same
    gradients as all together, and `<v, J u> = <J' v, u>`; gradients can be written to, and nothing else changes.

    operation: what `primitive` or `composite` has made, or its entry in the table.
    args: how its arguments are drawn, a function of a dtype; as `strategies.arguments` does it, unless given.

    Raises AssertionError that names the property, and shows the arguments, where one does not hold; LookupError where
    it is no operation, or nothing draws its arguments.
    """
    op = operation if isinstance(operation, Op) else entry(operation)
    drawn = args or (lambda dtype: arguments(op, dtype))
    for check, dtype in CHECKS.items():

        @settings(
            max_examples=max_examples,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given],
        )
        @given(drawn(dtype))
        def run(args: Arguments, check: Check = check) -> None:
            try:
                check(op, args)
            except AssertionError as error:
                raise AssertionError(f"{op.name}: {(check.__doc__ or '').splitlines()[0]}\n{error}") from error

        run()


def entry(function: Callable[..., Any]) -> Op:
    """The entry of an operation in the table."""
    for op in table.values():
        if op.function is function:
            return op
    name = getattr(function, "__name__", repr(function))
    raise LookupError(f"{name} is no operation; decorate it with tinygrad_lite.primitive or composite")


# Operations and their arguments.


def wanted(op: Op, args: Arguments) -> tuple[int, ...]:
    """The positions of the arguments by which an operation can be differentiated."""
    positions = [op.parameters.index(name) for name in op.carriers]
    return tuple(i for i in positions if args[i] is not None and kind(args[i]) == "f")


def kind(value: Any) -> str:
    """The kind of dtype that an argument has."""
    return np.result_type(*value).kind if isinstance(value, list) else np.asarray(value).dtype.kind


def as_tensors(op: Op, args: Arguments, requiring: tuple[int, ...] = ()) -> list[Any]:
    """The arguments with Tensors, in the layout of the arrays, for all inputs; some of them require a gradient."""
    return [
        change(value, lambda array, i=i: leaf(array, i in requiring)) if op.kinds[i] in (ONE, SEQUENCE) else value
        for i, value in enumerate(args)
    ]


def change(value: Any, how: Callable[[Any], Any]) -> Any:
    """An argument, or each element of a list, changed; None stays."""
    if value is None:
        return None
    return [how(each) for each in value] if isinstance(value, list) else how(value)


def listed(result: Any) -> list[Any]:
    """One output or several as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def flat(args: Any, positions: tuple[int, ...]) -> list[Any]:
    """What stands at these positions, with what is in lists taken out of them."""
    return [each for i in positions for each in listed(args[i])]


def run(op: Op, args: Arguments, requiring: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
    """The leaves that require a gradient, and the outputs that are floats."""
    tensors = as_tensors(op, args, requiring)
    outputs = [each for each in listed(op.call(*tensors)) if each.dtype.kind == "f"]
    return flat(tensors, requiring), outputs


def weights_for(arrays: list[Any], seed: int = 0) -> list[Any]:
    """Random weights, as Tensors, in the shapes and dtypes of some arrays."""
    rng = np.random.default_rng(seed)
    return [leaf(uneven(rng, each.shape).astype(each.dtype), False) for each in arrays]
