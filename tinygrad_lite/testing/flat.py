"""A function of nested inputs, seen as one of a flat list of float64 arrays to a flat list of Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..creation import from_numpy
from ..ops.reduction import sum as sum_
from ..tensor import Tensor
from .errors import NotDifferentiableError

Arrays: TypeAlias = list[NDArray[Any]]
Path: TypeAlias = tuple[Any, ...]


class Checked:
    """A function seen as one of a flat list of float64 arrays, `points`, to a flat list of Tensors."""

    def __init__(self, name: str, f: Callable[..., Any], inputs: tuple[Any, ...], argnums: Any) -> None:
        if not callable(f):
            raise TypeError(f"{name}: takes a function and its inputs, got {type(f).__name__}")
        self.name, self.f, self.inputs = name, f, inputs
        self.paths = list(self._find(argnums))
        if not self.paths:
            raise ValueError(
                f"{name}: no input requires a gradient; give Tensors with requires_grad=True, or name the inputs "
                "to be checked by argnums="
            )
        self.labels = [label("input", path) for path in self.paths]
        self.outputs: list[str] = []  # the labels of what the last call returned
        self.points = [self._point(*each) for each in zip(self.paths, self.labels, strict=True)]

    def _find(self, argnums: Any) -> Iterator[Path]:
        """Where in the inputs there is something to be checked."""
        for position in range(len(self.inputs)) if argnums is None else np.atleast_1d(argnums):
            if not -len(self.inputs) <= position < len(self.inputs):
                raise ValueError(f"{self.name}: argnums={argnums}, but there are {len(self.inputs)} inputs")
            for path, value in leaves(self.inputs[position]):
                if argnums is not None or (isinstance(value, Tensor) and value.requires_grad):
                    yield (int(position) % len(self.inputs), *path)

    def _point(self, path: Path, name: str) -> NDArray[Any]:
        value: Any = self.inputs
        for i in path:
            value = value[i]
        array = np.asarray(value)
        if array.dtype.kind != "f":
            raise TypeError(f"{self.name}: {name} is {array.dtype}; only floats have a derivative")
        if not np.isfinite(array).all():
            raise ValueError(f"{self.name}: {name} holds {array[~np.isfinite(array)][0]}; give finite numbers")
        return array.astype(np.float64, copy=False)

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The outputs of the function that may have a derivative."""
        given = dict(zip(self.paths, tensors, strict=True))
        result = self.f(*[replace(value, (i,), given) for i, value in enumerate(self.inputs)])
        found = [(label("output", path), each) for path, each in leaves(result)]
        for name, each in found:
            if not isinstance(each, Tensor):
                raise TypeError(f"{self.name}: the function must return Tensors, got {type(each).__name__}")
            if each.dtype.kind == "f" and each.dtype != np.float64:
                raise TypeError(
                    f"{self.name}: {name} is {each.dtype}, too coarse for differences; let the function work in the "
                    "dtype of its inputs, which is float64 here"
                )
        found = [(name, each) for name, each in found if each.dtype.kind == "f"]
        if not found:
            raise TypeError(f"{self.name}: the function returned no floats; only floats have a derivative")
        self.outputs = [name for name, _ in found]
        return [each for _, each in found]


class Gradients:
    """The gradients of a function as a function: of its inputs, and of the weights of its outputs."""

    def __init__(self, function: Checked, seed: int) -> None:
        self.function, self.name = function, function.name
        outputs = function([leaf(point, False) for point in function.points])
        check_finite(function, [output.data for output in outputs])
        self.labels = [*function.labels, *[f"the weights of {name}" for name in function.outputs]]
        self.outputs = [f"gradient of {name}" for name in function.labels]
        rng = np.random.default_rng([seed, 2])
        self.points: Arrays = [*function.points, *[uneven(rng, output.shape) for output in outputs]]

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        count = len(self.function.points)
        inputs = [each if each.requires_grad else leaf(each.data) for each in tensors[:count]]
        return gradients(self.function(inputs), tensors[count:], inputs, create_graph=True)


def check_finite(function: Checked | Gradients, outputs: Arrays) -> None:
    """Refuse a nan or an inf in the outputs."""
    for i, values in enumerate(outputs):
        for place in np.argwhere(~np.isfinite(values))[:1]:
            where = function.outputs[i] + subscript(place)
            raise NotDifferentiableError(f"{function.name}: {where} is {values[tuple(place)]}; choose another point")


def gradients(
    outputs: Sequence[Tensor], weights: Sequence[Tensor], inputs: Sequence[Tensor], create_graph: bool = False
) -> list[Tensor]:
    """The gradients of leaves, leaving what stands in their `grad` as it was."""
    before = [each.grad for each in inputs]
    try:
        for each in inputs:
            each.grad = None
        pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
        if len(pairs) == 1:
            pairs[0][0].backward(pairs[0][1], retain_graph=True, create_graph=create_graph)
        elif pairs:  # together: a rule with several outputs is to see all of their cotangents at once
            total = sum_(pairs[0][0] * pairs[0][1])
            for y, w in pairs[1:]:
                total = total + sum_(y * w)
            total.backward(retain_graph=True, create_graph=create_graph)
        return [leaf(np.zeros_like(each.data), False) if each.grad is None else each.grad for each in inputs]
    finally:
        for each, grad in zip(inputs, before, strict=True):
            each.grad = grad


def leaf(array: Any, requires_grad: bool = True) -> Tensor:
    """A Tensor that shares the memory of the array, and so has its layout."""
    tensor = from_numpy(np.asarray(array))
    tensor.requires_grad = requires_grad
    return tensor


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """What stands in nested lists, tuples and dicts, and where."""
    if isinstance(value, (list, tuple, Mapping)):
        for i, each in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from leaves(each, (*path, i))
    else:
        yield path, value


def replace(value: Any, path: Path, given: dict[Path, Tensor]) -> Any:
    """The value with what is given in place of what stands at these paths."""
    if isinstance(value, Mapping):
        return {key: replace(each, (*path, key), given) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [replace(each, (*path, i), given) for i, each in enumerate(value)]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)  # a named tuple
    return given.get(path, value)


def label(what: str, path: Path) -> str:
    """What stands at a path is called: input 0, input 1['w'][2], output, output['loss']."""
    if path and isinstance(path[0], int):
        what, path = f"{what} {path[0]}", path[1:]
    return what + "".join(f"[{key!r}]" for key in path)


def uneven(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """Random numbers of both signs, none of them near 0."""
    return np.asarray(rng.choice((-1.0, 1.0), shape) * rng.uniform(0.5, 1.5, shape))


def subscript(place: Any) -> str:
    """An index as it is written; nothing for a number, or for none in particular."""
    return "" if place is None or not len(place) else f"[{', '.join(str(i) for i in place)}]"
