"""Anomaly mode: finding the operation, and the line, that a nan or an inf came from."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import numpy as np

from .graph import Node, Output
from .mode import Watch, thread
from .op import PLAIN, Op, Rule
from .variable import Variable, data_of


class AnomalyError(RuntimeError):
    """A nan or an inf, where it first came up."""


class detect_anomaly:
    """Within it, the first operation of this thread that gives a nan or an inf raises AnomalyError.

    The error names the operation, the range of what it was given and the line that called it: in the backward, the
    line of the forward, if that was run within such a block too. What counts:

    - an operation on Tensors gives an inf where its inputs have none, or any nan. An inf that was put in on purpose,
      such as in a mask of -inf, may go on, or become finite again; a nan may not, nor may inf - inf.
    - a rule gives a gradient with an inf or a nan.

    Every result is looked through, so all is slower. NumPy's own warnings are off: the errors say more.
    """

    def __enter__(self) -> None:
        Anomaly().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        watch = thread.mode.watch
        assert watch is not None
        watch.__exit__(kind, error, traceback)


class Anomaly(Watch):
    """Looks through all results."""

    def __enter__(self) -> None:
        super().__enter__()
        self.errors = np.errstate(all="ignore")
        self.errors.__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.errors.__exit__(*error)

    def ran(self, op: Op, given: tuple[Any, ...], args: tuple[Any, ...], results: Any, outputs: Any) -> None:
        super().ran(op, given, args, results, outputs)
        shown = results if isinstance(results, tuple) else (results,)
        node = shown[0]._node
        if node is not None:
            (node.node if isinstance(node, Output) else node).line = caller()
        assigned = op.name == "setitem" and results is args[0]  # then the rest of the target was seen before
        arrays = [results._data[data_of(args[2])]] if assigned else [each._data for each in shown]
        if not bad(arrays):
            return
        inputs = {name: arg for name, arg, kind in zip(op.parameters, args, op.kinds, strict=True) if kind is not PLAIN}
        if assigned:
            inputs = {"value": args[1]}
        if has_nan(arrays) or not bad(list(inputs.values())):
            was = "inputs that are not finite" if bad(list(inputs.values())) else "finite inputs"
            raise AnomalyError(f"{op.name}: gave {troubles(arrays)} from {was}: {ranges(inputs)}; {place(caller())}")

    def pull(self, node: Node, target: int | tuple[int, ...], rule: Rule, g: Any, reads: list[Any]) -> Any:
        inside = None
        try:
            grads = super().pull(node, target, rule, g, reads)
        except AnomalyError as error:
            inside = error
        code, op = rule.__code__, node.op
        given = dict(zip(code.co_varnames[1 : code.co_argcount], reads, strict=True))
        line = place(node.line) if hasattr(node, "line") else "it was not recorded within detect_anomaly()"
        where = f"from {ranges({'the cotangent': g, **given})}; {op.name}: {line}"
        if inside is not None:
            raise AnomalyError(f"backward of {op.name}: in its rule, {inside}; {where}") from inside
        for i, grad in zip(target, grads, strict=True) if isinstance(target, tuple) else [(target, grads)]:
            if grad is not None and bad([grad]):
                raise AnomalyError(
                    f"backward of {op.name}: the gradient of {op.parameters[i]} has {troubles([grad])} {where}"
                )
        return grads


def arrays_in(value: Any) -> Iterator[Any]:
    """The arrays of floats, and the numbers, in an argument."""
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from arrays_in(each)
    elif value is not None:
        array = np.asarray(data_of(value))
        if array.dtype.kind == "f":
            yield array


def bad(values: list[Any]) -> bool:
    """Whether there is a nan or an inf."""
    return not all(np.isfinite(array).all() for array in arrays_in(values))


def has_nan(values: list[Any]) -> bool:
    return any(np.isnan(array).any() for array in arrays_in(values))


def troubles(values: Iterable[Any]) -> str:
    """How many there are: `2 nan and 1 inf in 12 elements`."""
    arrays = list(arrays_in(list(values)))
    size = sum(array.size for array in arrays)
    counts = {"nan": sum(int(np.isnan(a).sum()) for a in arrays), "inf": sum(int(np.isinf(a).sum()) for a in arrays)}
    said = " and ".join(f"{n} {name}" for name, n in counts.items() if n)
    return f"{said} in {size} element{'s' if size > 1 else ''}"


def ranges(values: dict[str, Any]) -> str:
    """Dtype, shape, least and greatest of each array: `x float32[3] from -1 to 2`."""
    said = []
    for name, value in values.items():
        for array in arrays_in(value):
            finite = array[np.isfinite(array)]
            text = f"{name} {array.dtype}{list(array.shape)}" if array.ndim or isinstance(value, Variable) else name
            if finite.size:
                low, high = finite.min(), finite.max()
                text += f" = {low:.6g}" if low == high else f" from {low:.6g} to {high:.6g}"
            if finite.size < array.size:
                text += f" with {troubles([array])}"
            said.append(text)
    return ", ".join(said) or "no floats"


def caller() -> tuple[str, int]:
    """File and line of the innermost call that is outside of this package and of NumPy."""
    frame = sys._getframe(1)
    here = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", here).partition(".")[0] in (here, "numpy"):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def place(line: tuple[str, int]) -> str:
    """A line of the user's, in one line."""
    source = linecache.getline(*line).strip()
    return f"called in {line[0]}:{line[1]}" + (f": {source}" if source else "")
