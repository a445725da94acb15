"""What a random expression is: a program that runs on any backend, and can be read."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...op import Op


@dataclass(frozen=True)
class Name:
    """What a value is called: `v3`. The leaves come first, then the results of the steps."""

    number: int

    def __repr__(self) -> str:
        return f"v{self.number}"


@dataclass(frozen=True, eq=False)
class Call:
    """An operation on values and constants.

    `results`: the names of its outputs, None for one that is no float. `listed`: they come in a list, even one alone.
    """

    op: Op
    args: tuple[Any, ...]
    results: tuple[Name | None, ...]
    listed: bool

    def __repr__(self) -> str:
        results = ", ".join("_" if name is None else repr(name) for name in self.results)
        args = ", ".join(map(literal, self.args))
        return f"{f'[{results}]' if self.listed else results} = op[{self.op.name!r}]({args})"


@dataclass(frozen=True, eq=False)
class Write:
    """A value written to in place: `v3 += v1`, or with an index, `v3[0] += v1` and `v3[0] = v1`."""

    sign: str
    target: Name
    value: Name
    index: tuple[Any] | None = None

    def __repr__(self) -> str:
        where = "" if self.index is None else f"[{literal(self.index[0])}]"
        return f"{self.target}{where} {self.sign} {self.value}"


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "=": lambda target, value: value,
}


class Backend:
    """How the steps are run: as they stand, on Tensors or arrays. Another library takes a subclass."""

    def call(self, op: Op, args: list[Any]) -> Any:
        """The result of an operation, a list or tuple where it has several."""
        return op.call(*args)

    def write(self, target: Any, sign: str, value: Any, index: tuple[Any] | None) -> Any:
        """Write to a value, and return it."""
        target = np.array(target) if isinstance(target, np.generic) else target
        if index is None:
            return OPERATORS[sign](target, value)
        target[index[0]] = value if sign == "=" else OPERATORS[sign](target[index[0]], value)
        return target


HERE = Backend()


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """A function of several arrays, and a point at which it is smooth.

    It is called as any function is: `expression(*tensors)` gives a tuple of outputs, at least one. Its repr is a
    program that defines `expression` and `leaves`, as Tensors that want a gradient.
    """

    leaves: tuple[NDArray[Any], ...]
    steps: tuple[Call | Write, ...]
    outputs: tuple[Name, ...]

    def __call__(self, *leaves: Any) -> tuple[Any, ...]:
        """The outputs for some leaves."""
        return tuple(self.run(leaves))

    def run(self, leaves: Sequence[Any], backend: Backend = HERE) -> list[Any]:
        """The outputs for some leaves, which may be those of another library that the backend knows."""
        values = dict(enumerate(leaves))
        for step in self.steps:
            if isinstance(step, Write):
                target, value = step.target.number, values[step.value.number]
                values[target] = backend.write(values[target], step.sign, value, step.index)
            else:
                results = listed(backend.call(step.op, fill(step.args, values)))
                for name, result in zip(step.results, results, strict=True):
                    if name is not None:
                        values[name.number] = result
        return [values[name.number] for name in self.outputs]

    @property
    def operations(self) -> set[Op]:
        """The operations that it is made of."""
        return {step.op for step in self.steps if isinstance(step, Call)}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What Hypothesis shows of a failing example."""
        for i, line in enumerate(repr(self).splitlines()):
            if i:
                printer.break_()
            printer.text(line)

    def __repr__(self) -> str:
        names = ", ".join(f"v{i}" for i in range(len(self.leaves)))
        lines = [
            "import numpy as np",
            "from numpy import inf, nan",
            "import tinygrad_lite as tg",
            "from tinygrad_lite.op import table",
            "from tinygrad_lite.testing.strategies import Repeating",
            "",
            "op = {name: each.call for name, each in table.items()}",
            f"arrays = [{', '.join(literal(array) for array in self.leaves)}]",
            "leaves = [tg.tensor(array, requires_grad=True) for array in arrays]",
            "",
            f"def expression({names}):",
            *[f"    {step}" for step in self.steps],
            f"    return {', '.join(repr(name) for name in self.outputs)},",
        ]
        return "\n".join(lines)


def literal(value: Any) -> str:
    """A value as it is written in a program."""
    if isinstance(value, np.ndarray):
        if not value.size:
            return f"np.zeros({value.shape}, np.{value.dtype.name})"
        usual = value.dtype in (np.float64, np.int64, np.bool_)
        return f"np.array({value.tolist()}{'' if usual else f', np.{value.dtype.name}'})"
    if isinstance(value, list):
        return f"[{', '.join(literal(each) for each in value)}]"
    if isinstance(value, tuple):
        return f"({', '.join(literal(each) for each in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, np.dtype):
        return f"np.dtype({value.name!r})"
    if isinstance(value, type):
        return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
    return repr(value)


def listed(result: Any) -> list[Any]:
    """One output or several as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def fill(args: Any, values: Any) -> list[Any]:
    """The arguments with the values in place of their names."""
    return [
        values[arg.number] if isinstance(arg, Name) else fill(arg, values) if isinstance(arg, list) else arg
        for arg in args
    ]
