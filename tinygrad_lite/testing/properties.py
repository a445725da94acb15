"""All that the operations of the table are tested for, of one operation: needs Hypothesis.

from tinygrad_lite.testing.properties import check_operation

def test_softplus():
    check_operation(softplus)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
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
    stays float32; no rule was forgotten; its first and second derivatives are those of central differences, each set of
    inputs gets the same gradients as all together, and `<v, J u> = <J' v, u>`; gradients can be written to, and nothing
    else changes.

    operation: what `primitive` or `composite` has made, or its entry in the table.
    args: how its arguments are drawn, a function of a dtype; as `strategies.arguments` does it, unless given.

    Raises AssertionError that names the property, and shows the arguments, where one does not hold; LookupError where
    it is no operation, or nothing draws its arguments.
    """
    op = operation if isinstance(operation, Op) else entry(operation)
    drawn = args or (lambda dtype: arguments(op, dtype))
    examine(op, CHECKS, drawn(np.float64), max_examples=max_examples)
    examine(op, [check_dtype], drawn(np.float32), max_examples=max_examples)


def examine(
    op: Op, checks: Sequence[Check], drawn: SearchStrategy[Arguments], found: Iterable[Arguments] = (), **options: Any
) -> None:
    """Run checks on arguments that are drawn, and on some found before; an error names operation and property.

    Drawing takes longer than a check: so all of them run on what is drawn once.
    """

    @settings(
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow],
        **options,
    )
    @given(drawn)
    def run(args: Arguments) -> None:
        for check in checks:
            try:
                check(op, args)
            except AssertionError as error:
                raise AssertionError(f"{op.name}: {(check.__doc__ or '').splitlines()[0]}\n{error}") from error

    for args in found:
        run = example(args)(run)
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
    if isinstance(value, list):
        return np.result_type(*value).kind if value else ""
    return np.asarray(value).dtype.kind


def as_tensors(op: Op, args: Arguments, requiring: tuple[int, ...] = ()) -> list[Any]:
    """The arguments with Tensors, in the layout of the arrays, for all inputs; some of them require a gradient."""
    return [
        change(value, partial(leaf, requires_grad=i in requiring)) if op.kinds[i] in (ONE, SEQUENCE) else value
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


def derivatives(op: Op, args: Arguments, requiring: tuple[int, ...]) -> list[Any]:
    """The gradients of randomly weighted outputs, as arrays."""
    inputs, outputs = run(op, args, requiring)
    return [each.data for each in gradients(outputs, weights_for(outputs), inputs)]


def replaced(args: Arguments, positions: tuple[int, ...], values: list[Any]) -> list[Any]:
    """The arguments with other arrays at these positions, also in lists."""
    new = iter(values)
    return [
        value if i not in positions else [next(new) for _ in value] if isinstance(value, list) else next(new)
        for i, value in enumerate(args)
    ]


# The checks.


def check_value(op: Op, args: Arguments) -> None:
    """Tensors and arrays in any layout give the same, Tensors and arrays."""
    right = listed(op.call(*args))
    copies = [change(value, np.copy) if op.kinds[i] in (ONE, SEQUENCE) else value for i, value in enumerate(args)]
    for same, kinds in ((copies, (np.ndarray, np.generic)), (as_tensors(op, args), Tensor)):
        for one, other in zip(listed(op.call(*same)), right, strict=True):
            assert isinstance(one, kinds), f"it returns a {type(one).__name__}"
            assert np.asarray(one).dtype == np.asarray(other).dtype
            np.testing.assert_allclose(np.asarray(one), other, 1e-12, 1e-12)


def check_rules(op: Op, args: Arguments) -> None:
    """Each input of floats has a rule, or None for a derivative that is not known."""
    for name, value in zip(op.parameters, args, strict=True):
        if isinstance(op.vjp, Mapping) and name in op.inputs and name not in op.vjp:
            assert value is None or kind(value) != "f", f"vjp says nothing of {name}"


def check_broadcasting(op: Op, args: Arguments) -> None:
    """What takes arrays only broadcasts them: the shape of its results is that of all of them together."""
    if is_elementwise(op):
        for each in listed(op.call(*args)):
            assert np.shape(each) == np.broadcast_shapes(*[np.shape(value) for value in args])


def check_dtype(op: Op, args: Arguments) -> None:
    """Floats keep their dtype: results, and gradients."""
    dtypes = {each.dtype for each in flat(args, wanted(op, args))}
    inputs, outputs = run(op, args, wanted(op, args))
    for each in [*outputs, *gradients(outputs, weights_for(outputs), inputs)]:
        assert not dtypes or each.dtype in dtypes, f"{each.dtype}, not {' or '.join(map(str, dtypes))}"


def check_memory(op: Op, args: Arguments) -> None:
    """A result shares memory with an input only where the operation is declared a view."""
    for inputs in (args, as_tensors(op, args)):
        results = listed(op.call(*inputs))
        arrays = [np.asarray(each) for each in flat(inputs, tuple(range(len(args)))) if hasattr(each, "dtype")]
        tensors = [each for each in flat(inputs, tuple(range(len(args)))) if isinstance(each, Tensor)]
        for i, result in enumerate(results):
            array = np.asarray(result)
            shared = any(np.shares_memory(each, array) for each in arrays)
            assert op.view or op.composed or not shared, "declare it with view=True, or copy"
            if shared and isinstance(result, Tensor):
                assert any(result._memory is each._memory for each in tensors)
            if all(each.flags.writeable for each in arrays):  # else it is an input that overlaps with itself
                assert not any(np.shares_memory(array, np.asarray(other)) for other in results[:i])


def check_first(op: Op, args: Arguments) -> None:
    """The gradients are those of central differences."""
    if wanted(op, args):
        gradcheck(op.call, *args, argnums=wanted(op, args))


def check_second(op: Op, args: Arguments) -> None:
    """The second derivatives are central differences of the first."""
    if wanted(op, args):
        gradgradcheck(op.call, *args, argnums=wanted(op, args))


def check_jacobian(op: Op, args: Arguments) -> None:
    """Each derivative by itself is that of central differences, not only along a random direction."""
    if wanted(op, args):
        gradcheck(op.call, *args, argnums=wanted(op, args), jacobian=True)


def check_subsets(op: Op, args: Arguments) -> None:
    """Each set of inputs that require a gradient gets the gradients that all get together."""
    positions = wanted(op, args)
    lists = [i for i in positions if isinstance(args[i], list)]
    if lists:
        return check_subsets_of_list(op, args, lists[0])
    together = dict(zip(positions, derivatives(op, args, positions), strict=True))
    for count in range(1, len(positions)):
        for some in combinations(positions, count):
            for i, grad in zip(some, derivatives(op, args, some), strict=True):
                np.testing.assert_array_equal(grad, together[i])
    return None


def check_subsets_of_list(op: Op, args: Arguments, place: int) -> None:
    """Each set of elements of a list gets the gradients that all get together."""
    arrays = args[place]
    outcome: list[dict[int, Any]] = []
    for requiring in range(1, 1 << len(arrays)):
        tensors = [leaf(array, bool(requiring >> i & 1)) for i, array in enumerate(arrays)]
        outputs = [
            each for each in listed(op.call(*args[:place], tensors, *args[place + 1 :])) if each.dtype.kind == "f"
        ]
        needed = [tensor for tensor in tensors if tensor.requires_grad]
        grads = gradients(outputs, weights_for(outputs), needed)
        outcome.append(dict(zip([i for i in range(len(arrays)) if requiring >> i & 1], grads, strict=True)))
    for found in outcome:
        for i, grad in found.items():
            np.testing.assert_array_equal(grad.data, outcome[-1][i].data)


def check_duality(op: Op, args: Arguments) -> None:
    """<v, J u> = <J' v, u>, with J u by differentiating J' v by v, and both with J u by differences."""
    positions = wanted(op, args)
    inputs, outputs = run(op, args, positions)
    if not inputs:
        return
    weights = [leaf(each.data) for each in weights_for(outputs, 1)]
    directions = weights_for(inputs, 2)
    transposed = gradients(outputs, weights, inputs, create_graph=True)
    forward = gradients(transposed, directions, weights)
    left = sum(np.vdot(v.data, ju.data) for v, ju in zip(weights, forward, strict=True))
    right = sum(np.vdot(jv.data, u.data) for jv, u in zip(transposed, directions, strict=True))
    size = sum(np.sum(np.abs(v.data * ju.data)) for v, ju in zip(weights, forward, strict=True))
    np.testing.assert_allclose(left, right, 1e-10, 1e-10 * (1 + size))

    def at(step: float) -> list[Any]:
        moved = [x.data + step * u.data for x, u in zip(inputs, directions, strict=True)]
        results = listed(op.call(*replaced(args, positions, moved)))
        return [each for each in results if np.asarray(each).dtype.kind == "f"]

    for ju, after, before in zip(forward, at(1e-6), at(-1e-6), strict=True):
        scale = 1 + np.abs(ju.data).max(initial=0)
        np.testing.assert_allclose(ju.data / scale, (after - before) / 2e-6 / scale, 1e-6, 1e-7)


def check_gradients_are_free(op: Op, args: Arguments) -> None:
    """Gradients can be written to, and nothing else changes; a second backward gives the same."""
    inputs, outputs = run(op, args, wanted(op, args))
    weights = weights_for(outputs)
    grads = gradients(outputs, weights, inputs)
    again = gradients(outputs, weights, inputs)
    everything = [*inputs, *outputs, *weights, *grads, *again]
    for grad in grads:
        assert grad.data.flags.writeable
        for other in everything:
            assert other is grad or not np.shares_memory(grad.data, other.data)
    for one, other in zip(grads, again, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


DERIVATIVES: tuple[Check, ...] = (
    check_first,
    check_second,
    check_jacobian,
    check_duality,
    check_subsets,
    check_gradients_are_free,
)
CHECKS: tuple[Check, ...] = (check_value, check_rules, check_broadcasting, check_memory, *DERIVATIVES)
