"""What an operation is, and the table that holds them all.

An operation is declared once, by decorating its NumPy forward (see `graph.primitive`):

    @primitive(np.multiply, vjp={"x": lambda g, y: g * y, "y": lambda g, x: g * x})
    def multiply(x: ArrayLike, y: ArrayLike) -> Array:
        return np.multiply(x, y)

The annotations say what each parameter is: `ArrayLike` (or `ArrayLike | None`) one array, `Sequence[ArrayLike]`
several, `Index` an index as NumPy takes it; everything else is a plain argument such as `axis`. Without annotations
the parameters without a default are arrays, the others plain.

A rule receives `g`, the cotangent of the output, and what it names: an input (`x`), the shape of an input
(`x_shape`, which does not keep the array alive), an output (`out`), a plain argument (`axis`). That is all that
is kept between forward and backward. With several outputs `g` is a tuple, None where there is no cotangent.

What is best said in terms of other operations is a composite (see `graph.composite`): an entry without a rule, whose
body runs on Tensors and leaves the nodes of what it calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any, NamedTuple, TypeAlias

Array: TypeAlias = Any  # an ndarray or NumPy scalar: what a forward computes with
Index: TypeAlias = Any  # what stands between the brackets of `x[...]`
Rule: TypeAlias = Callable[..., Any]

CO_VARARGS, CO_VARKEYWORDS = 4, 8  # as in inspect

ONE, SEQUENCE, INDEX, PLAIN = "one array", "several arrays", "an index", "a plain argument"
INPUT, SHAPE, OUTPUT, ARGUMENT = range(4)  # where a value that a rule reads comes from


class Interval(NamedTuple):
    """Where an input may lie (open at finite ends), where its rule is not smooth, and why it is not all of R."""

    low: float = -inf
    high: float = inf
    kinks: tuple[float, ...] = ()
    why: str = ""


REAL = Interval()


class Plan(NamedTuple):
    """For one set of inputs that need a gradient: what is kept for the backward, and which rules then run."""

    inputs: tuple[int, ...]  # their positions among the parameters
    keep: tuple[tuple[int, int], ...]  # (INPUT | SHAPE | OUTPUT | ARGUMENT, position)
    rules: tuple[tuple[int | tuple[int, ...], Rule, tuple[int, ...]], ...]  # (input(s), rule, its reads in keep)
    holds_arrays: bool


class Op:
    """One entry of the table. All that is derived from the declaration is derived here, once, at import."""

    __slots__ = (
        "composed",
        "domain",
        "floats",
        "forward",
        "function",
        "kinds",
        "name",
        "numpy",
        "others",
        "outputs",
        "parameters",
        "plain",
        "plans",
        "promoted",
        "singles",
        "ties",
        "view",
        "visible",
        "vjp",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        vjp: Mapping[str, Rule] | Rule | None,
        *,
        composed: bool = False,
        numpy: tuple[Any, ...] = (),
        outputs: tuple[str, ...] = ("out",),
        hidden: int = 0,
        floats: bool = False,
        promotes: Iterable[str] | None = None,
        view: bool = False,
        domain: Mapping[str, Interval] | None = None,
        ties: bool = False,
    ) -> None:
        self.name = forward.__name__.strip("_")
        self.forward = forward
        self.function: Callable[..., Any] = forward  # the public function; set by the decorator
        code = forward.__code__
        if code.co_kwonlyargcount or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
            raise TypeError(f"{self.name}: an operation takes plain parameters only: no *args, no **keywords, no *, k")
        self.parameters = code.co_varnames[: code.co_argcount]
        annotations, required = forward.__annotations__, len(self.parameters) - len(forward.__defaults__ or ())
        self.kinds = tuple(kind_of(annotations.get(name), i < required) for i, name in enumerate(self.parameters))
        self.plain = tuple(i for i, kind in enumerate(self.kinds) if kind is PLAIN)
        self.vjp, self.composed = vjp, composed
        if promotes is None:
            promotes = vjp.keys() if isinstance(vjp, Mapping) else self.inputs
        self.promoted = tuple(i for i, name in enumerate(self.parameters) if name in promotes)
        self.singles = tuple(i for i in self.promoted if self.kinds[i] is ONE)
        self.others = tuple(i for i, k in enumerate(self.kinds) if k is not PLAIN and i not in self.singles)
        self.numpy = tuple(function for function in numpy if function is not None)  # None: not in this NumPy
        self.outputs, self.visible = outputs, len(outputs) - hidden
        self.floats, self.view = floats, view
        self.domain = dict(domain or {})
        for name in vjp if isinstance(vjp, Mapping) else ():
            if name not in self.inputs:
                raise TypeError(
                    f"{self.name}: a rule is given for {name!r}, which is no array; annotate it as ArrayLike"
                )
        if vjp is not None and not self.inputs:
            raise TypeError(f"{self.name}: a rule is given, but no parameter is an array; annotate one as ArrayLike")
        self.ties = ties
        self.plans: dict[int, Plan] = {}
        if vjp is not None:
            self.plan((1 << len(self.parameters)) - 1)  # a rule that reads what there is not raises here

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the parameters that hold arrays which may carry a gradient."""
        return tuple(n for n, kind in zip(self.parameters, self.kinds, strict=True) if kind in (ONE, SEQUENCE))

    @property
    def carriers(self) -> tuple[str, ...]:
        """Names of the inputs whose gradient the operation knows; none where it has no derivative."""
        if self.composed:
            return tuple(self.parameters[i] for i in self.promoted)
        return tuple(self.vjp) if isinstance(self.vjp, Mapping) else self.inputs if self.vjp is not None else ()

    def plan(self, needed: int) -> Plan:
        """The plan for the inputs whose parameters' bits are set in `needed`."""
        if needed not in self.plans:
            self.plans[needed] = self._plan([i for i in range(len(self.parameters)) if needed >> i & 1])
        return self.plans[needed]

    def _plan(self, needed: list[int]) -> Plan:
        inputs = tuple(self.parameters.index(name) for name in self.inputs)
        chosen: list[tuple[int | tuple[int, ...], Rule]]
        if isinstance(self.vjp, Mapping):
            needed = [i for i in needed if self.parameters[i] in self.vjp]
            chosen = [(i, self.vjp[self.parameters[i]]) for i in needed]
        else:
            assert self.vjp is not None
            needed = [i for i in needed if i in inputs]
            chosen = [(inputs[0] if len(inputs) == 1 else inputs, self.vjp)]
        keep: list[tuple[int, int]] = []
        rules = []
        for target, rule in chosen:
            code = rule.__code__
            sources = [self.source(name) for name in code.co_varnames[1 : code.co_argcount]]
            keep += [source for source in sources if source not in keep]
            rules.append((target, rule, tuple(keep.index(source) for source in sources)))
        return Plan(tuple(needed), tuple(keep), tuple(rules), any(kind in (INPUT, OUTPUT) for kind, _ in keep))

    def source(self, name: str) -> tuple[int, int]:
        """Where the value comes from that a rule's parameter `name` asks for."""
        if name in self.parameters:
            position = self.parameters.index(name)
            return (ARGUMENT if self.kinds[position] is PLAIN else INPUT), position
        if name in self.outputs:
            return OUTPUT, self.outputs.index(name)
        if name.endswith("_shape") and name[:-6] in self.parameters:
            return SHAPE, self.parameters.index(name[:-6])
        raise TypeError(
            f"{self.name}: a rule reads {name!r}, but it can read only g, {', '.join(self.parameters)}, "
            f"{', '.join(self.outputs)}, or the shape of an input, such as {self.parameters[0]}_shape"
        )


def kind_of(annotation: Any, required: bool) -> str:
    """What a parameter is, by its annotation; without one, an array where it is required, else a plain argument."""
    if annotation is None:
        return ONE if required else PLAIN
    text = annotation if isinstance(annotation, str) else str(annotation)
    if any(name in text for name in ("ArrayLike", "_SupportsArray", "ndarray", "NDArray", "Tensor")):
        return SEQUENCE if "Sequence[" in text.split("_NestedSequence")[0] or text.startswith("list[") else ONE
    return INDEX if text == "Index" else PLAIN


table: dict[str, Op] = {}
"""Every operation, by name."""

numpy_functions: dict[Any, Op] = {}
"""The operation that answers for a function of NumPy."""


def register(op: Op) -> None:
    """Add `op` to the table.

    Raises ValueError where its name, or a function of NumPy that it answers for, is taken already.
    """
    taken = [op.name] if op.name in table else [f.__name__ for f in op.numpy if f in numpy_functions]
    if taken:
        raise ValueError(f"{op.name}: the table has an operation for {taken[0]} already; choose another name")
    table[op.name] = op
    numpy_functions.update((function, op) for function in op.numpy)
