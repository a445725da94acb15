"""From operations to lines: what NumPy is asked to do for each, and where the result goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..op import Op
from .steps import Cast, Draw, Read, Recording, Run, SetItem, Step, Value, Write, values_in

TAKE, RESHAPE, TRANSPOSE = "{0}.take({1}, 0)", "{0}.reshape({1})", "{0}.T"  # what passes know
COPY = "{0}.copy()"
PRODUCT, MATMUL, BROADCAST = "{0}.dot({1})", "np.matmul({0}, {1})", "np.broadcast_to({0}, {1})"
TAKE_OUT = "{0}.take({1}, 0, {out}, 'clip')"  # and the same in memory that is there
PRODUCT_OUT, MATMUL_OUT = "{0}.dot({1}, {out})", "np.matmul({0}, {1}, {out})"


@dataclass(eq=False)
class Line:
    """One statement. In its text {0}, {1}, ... stand for what it reads, and {out} for what it makes.

    with_out: NumPy's call that makes the same in memory that is there; `made` is then a buffer that belongs to it.
    elementwise: so that its buffer may be that of an operand. fixed: a view, made once where the memory stays.
    effects: values whose memory it writes to, though it did not make them. keeps: it can't be left out.
    phase, line: in which part of the function, and where in the user's code. step: which of the recording's it is of.
    parts: lines that are run in place of it, on some rows at a time.
    """

    text: str
    reads: tuple[Any, ...]
    made: tuple[Value, ...] = ()
    with_out: str | None = None
    elementwise: bool = False
    fixed: bool = False
    effects: tuple[Value, ...] = ()
    keeps: bool = False
    phase: str = ""
    line: tuple[str, int] | None = None
    step: int = -1
    parts: tuple[Line, ...] = ()

    @property
    def is_product(self) -> bool:
        """Whether it multiplies matrices."""
        return any(text in self.text for text in (PRODUCT, PRODUCT[:-1] + ",", MATMUL, MATMUL[:-1] + ","))

    @property
    def flops(self) -> int:
        """About how many operations it takes: two for each product in a matmul, else one for each element."""
        if self.parts:
            return sum(each.flops for each in self.parts)
        if self.is_product:
            return 2 * int(np.prod((*self.made, *self.effects)[0].shape)) * int(self.reads[0].shape[-1])
        sizes = [int(np.prod(each.shape)) for each in (*self.values, *self.made)]
        return max(sizes, default=0) if "np." in self.text else 0

    @property
    def values(self) -> Iterator[Value]:
        """All values that it reads."""
        return values_in(list(self.reads))


Lowering = Callable[["Lower", Run], bool]
LOWERINGS: dict[str, Lowering] = {}


def lowering(name: str) -> Callable[[Lowering], Lowering]:
    """Declare how an operation is written in NumPy's calls. It returns False where the usual way is to be taken."""

    def declare(function: Lowering) -> Lowering:
        LOWERINGS[name] = function
        return function

    return declare


class Lines:
    """Lines, as they are written one after the other."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.count = 0

    def add(self, text: str, *reads: Any, **more: Any) -> None:
        """A further line."""
        self.lines.append(Line(text, reads, **more))

    def ufunc(self, name: str, args: tuple[Any, ...], out: Value) -> None:
        """A call of a ufunc."""
        args = tuple([self.number(arg, args, out) for arg in args])
        places = ", ".join(f"{{{i}}}" for i in range(len(args)))
        place = "out={out}" if name in ("maximum", "minimum") else "{out}"  # NumPy deprecates it by position
        self.call(f"np.{name}({places})", f"np.{name}({places}, {place})", args, out, elementwise=name != "matmul")

    def call(
        self, text: str, with_out: str | None, reads: tuple[Any, ...], out: Value, elementwise: bool = False
    ) -> None:
        """A call that can write its result to memory that is there."""
        if not out.shape:
            text, with_out = f"np.asarray({text})", None
        self.lines.append(Line(text, reads, (out,), with_out if out.contiguous else None, elementwise))

    def number(self, arg: Any, args: tuple[Any, ...], out: Value) -> Any:
        """One of Python's numbers as an array of the dtype that NumPy would give it, which takes it less time."""
        floats = [each.dtype for each in args if isinstance(each, Value)]
        if type(arg) in (int, float) and floats == [out.dtype] and out.dtype.kind == "f":
            return np.array(arg, out.dtype)
        return arg

    def new(self, shape: tuple[int, ...], dtype: Any) -> Value:
        """A value that only lives within an operation."""
        self.count += 1
        return Value(f"t{self.count}", shape, np.dtype(dtype))

    def like(self, value: Value) -> Value:
        """Another one of the same shape and dtype."""
        return self.new(value.shape, value.dtype)


class Lower(Lines):
    """The lines of a recording."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.read = {value for step in recording.steps if isinstance(step, Run) for value in values_in(step.args)}
        for i, step in enumerate(recording.steps):
            before = len(self.lines)
            self.lower(step)
            for line in self.lines[before:]:
                line.phase, line.line, line.step = step.phase, step.line, i

    def lower(self, step: Step) -> None:
        """The lines of a step."""
        if isinstance(step, Run):
            self.run(step)
        elif isinstance(step, SetItem):
            self.add("{0}[{1}] = {2}", step.target, step.index, step.value, effects=(step.target,), keeps=True)
        elif isinstance(step, Write):
            text = "np.copyto({0}, {1}, 'same_kind')"
            self.add(text, step.target, step.value, effects=(step.target,), keeps=True)
        elif isinstance(step, Cast):
            copy = "np.copyto({out}, {0}, 'same_kind')" if can_cast(step) and step.output.contiguous else None
            self.add("np.array({0}, {1})", step.source, step.output.dtype, made=(step.output,), with_out=copy)
        elif isinstance(step, Draw):
            arguments = "".join(f", {{{i + 2}}}" for i in range(len(step.arguments)))
            text = f"{{0}}({{1}}._source{arguments})"
            self.add(text, step.draw, step.generator, *step.arguments, made=(step.output,), keeps=True)
        elif isinstance(step, Read):
            self.add(f"np.array({{0}}.{step.attribute}, {{1}})", step.owner, step.output.dtype, made=(step.output,))

    def run(self, step: Run) -> None:
        """An operation: in NumPy's calls where they are known, else by its forward."""
        ufunc = plain_ufunc(step.op)
        if ufunc is not None and len(step.outputs) == 1:
            return self.ufunc(ufunc.__name__, step.args, step.outputs[0])
        known = LOWERINGS.get(step.op.name)
        if known is not None and known(self, step):
            return None
        places = ", ".join(f"{{{i + 1}}}" for i in range(len(step.args)))
        text = f"{{0}}({places})"
        if any(not output.shape for output in step.outputs):  # NumPy gives a scalar where a Tensor has an array
            text = f"np.asarray({text})" if len(step.outputs) == 1 else f"map(np.asarray, {text})"
        view = step.op.view and all(value.base is not None for value in step.outputs)
        self.lines.append(Line(text, (step.op.forward, *step.args), step.outputs, fixed=view))
        return None

    def product(self, x: Value, y: Value, out: Value) -> None:
        """The product of two arrays: of matrices by `dot`, which is faster, and where they are dense gives the same.

        (But for a number: np.matmul adds to 0, and so gives 0 where `dot` gives -0; and 0 times inf is nan, where `dot`
        leaves it out.)
        """
        is_number = (1, 1) in (x.shape, y.shape)
        if (
            len(x.shape) == len(y.shape) == 2
            and x.dtype == y.dtype == out.dtype
            and x.dense
            and y.dense
            and not is_number
        ):
            self.call(PRODUCT, PRODUCT_OUT, (x, y), out)
        else:
            self.call(MATMUL, MATMUL_OUT, (x, y), out)


@cache
def plain_ufunc(op: Op) -> np.ufunc | None:
    """The ufunc that an operation's forward consists of."""
    ufunc = op.numpy[0] if op.numpy and isinstance(op.numpy[0], np.ufunc) else None
    if ufunc is None or ufunc.nout != 1:
        return None
    parameters = ", ".join(op.parameters)
    names: dict[str, Any] = {}
    exec(f"import numpy as np\ndef call({parameters}):\n    return np.{ufunc.__name__}({parameters})", names)
    code, call = op.forward.__code__, names["call"].__code__
    return ufunc if (code.co_code, code.co_names) == (call.co_code, call.co_names) else None


def can_cast(step: Cast) -> bool:
    """Whether a copy can be made in memory that is there."""
    return bool(step.output.shape) and np.can_cast(step.source.dtype, step.output.dtype, "same_kind")


def is_array(arg: Any, ndim: int | None = None) -> bool:
    """Whether an argument is a value of the program, of floats."""
    return isinstance(arg, Value) and arg.dtype.kind == "f" and (ndim is None or len(arg.shape) == ndim)
