"""Declaring operations: what makes an entry in the table of a NumPy function and its rules, or of other operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, update_wrapper
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .graph import apply, compose
from .op import Interval, Op, Rule, register

if TYPE_CHECKING:
    from .tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")


@overload
def primitive(
    *numpy: Any,
    vjp: Mapping[str, Rule | None] | Rule | None,
    outputs: tuple[str, ...],
    floats: bool = False,
    promotes: tuple[str, ...] | None = None,
    wide: bool = False,
    domain: Mapping[str, Interval] | None = None,
    ties: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...  # several Tensors: as declared
@overload
def primitive(
    *numpy: Any,
    vjp: Mapping[str, Rule | None] | Rule | None,
    outputs: tuple[str, ...] = ("out",),
    hidden: int = 0,
    floats: bool = False,
    promotes: tuple[str, ...] | None = None,
    view: bool = False,
    prepare: Callable[..., tuple[Any, ...]] | None = None,
    wide: bool = False,
    domain: Mapping[str, Interval] | None = None,
    ties: bool = False,
) -> Callable[[Callable[P, Any]], Callable[P, Tensor]]: ...
def primitive(
    *numpy: Any,
    vjp: Mapping[str, Rule | None] | Rule | None,
    outputs: tuple[str, ...] = ("out",),
    hidden: int = 0,
    floats: bool = False,
    promotes: tuple[str, ...] | None = None,
    view: bool = False,
    prepare: Callable[..., tuple[Any, ...]] | None = None,
    wide: bool = False,
    domain: Mapping[str, Interval] | None = None,
    ties: bool = False,
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Make an operation of a NumPy function, and enter it into the table under the function's name.

    numpy: the functions of NumPy that it answers for when they are given a Tensor.
    vjp: the rule of each input, by name (one without a rule, or with None for it, may not require a gradient);
        or one function that gives the gradients of all inputs, in their order; or None for an operation without a
        derivative. `op.py` tells what a rule may read.
    outputs: their names, where the function returns a tuple. The last `hidden` of them are for the rules only.
    floats: integers and bools are taken as float32.
    promotes: the inputs that are brought to one dtype: those with a rule, unless stated.
    view: the result may lie in the memory of the first input.
    prepare: makes of the arguments those that the operation is run with.
    wide: Tensors of float16 are brought to float32 for it, and the results back: on the way there are larger numbers.
    domain, ties: for the tests: where each input may lie; whether equal elements are a kink.

    Raises ValueError where the name is taken, TypeError where a rule reads what there is not.
    """

    def declare(forward: Callable[P, Any]) -> Callable[P, Any]:
        op = Op(
            forward,
            vjp,
            numpy=numpy,
            outputs=outputs,
            hidden=hidden,
            floats=floats,
            promotes=promotes,
            view=view,
            wide=wide,
            domain=domain,
            ties=ties,
        )
        forward.__annotations__["return"] = "Tensor" if op.visible == 1 else "tuple[Tensor, ...]"
        return public(op, forward, apply if prepare is None else lambda op, args: apply(op, prepare(*args)))

    return declare


def composite(
    *numpy: Any,
    floats: bool = False,
    promotes: tuple[str, ...] | None = None,
    together: bool = True,
    domain: Mapping[str, Interval] | None = None,
    ties: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make an operation of a function that is written in terms of other operations, and enter it into the table.

    Its body is given arrays, or Tensors of one dtype, and calls NumPy's functions and other operations; so
    it has their derivatives, of any order, and any number of outputs. The arguments are those of `primitive`, and

    together: whether its arrays are brought to one dtype. If not, each keeps its own, and all are Tensors if one is.

    Raises ValueError where the name is taken.
    """

    def declare(forward: Callable[P, R]) -> Callable[P, R]:
        op = Op(
            forward,
            None,
            composed=True,
            numpy=numpy,
            floats=floats,
            promotes=promotes,
            together=together,
            domain=domain,
            ties=ties,
        )
        return public(op, forward, compose)

    return declare


def public(op: Op, forward: Callable[..., Any], run: Callable[[Op, tuple[Any, ...]], Any]) -> Callable[..., Any]:
    """The function that users call, with the forward's own signature, so that Python itself binds the arguments."""
    function = FunctionType(caller(op.parameters, op.star), {"run": run, "op": op}, op.name, forward.__defaults__)
    function.__kwdefaults__ = forward.__kwdefaults__
    op.function = op.call = update_wrapper(function, forward)
    if op.star is not None:
        op.call = FunctionType(caller(op.parameters), {"run": run, "op": op}, op.name)
    register(op)
    return function


@cache
def caller(parameters: tuple[str, ...], star: int | None = None) -> CodeType:
    """The code of a function that hands its arguments over as a tuple; `star`: the position of *arrays."""
    signature = ", ".join("*" * (i == star) + name for i, name in enumerate(parameters))
    code: CodeType = eval(f"lambda {signature}: run(op, ({', '.join(parameters)},))").__code__
    return code
