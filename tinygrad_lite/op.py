"""What an operation is, and the table that holds them all.

An operation is declared once, by decorating its NumPy forward (see `declare.primitive`):

    @primitive(np.multiply, vjp={"x": lambda g, y: g * y, "y": lambda g, x: g * x})
    def multiply(x: ArrayLike, y: ArrayLike) -> Array:
        return np.multiply(x, y)

The annotations say what each parameter is: `ArrayLike` (or `ArrayLike | None`) one array, `Sequence[ArrayLike]`
several, `*arrays: ArrayLike` several as arguments of their own, `Index` an index as NumPy takes it; everything else
is a plain argument such as `axis`, which has no gradient. Without annotations the parameters without a default are
arrays, the others plain.

A rule receives `g`, the cotangent of the output, and what it names: an input (`x`), the shape of an input
(`x_shape`, which does not keep the array alive), which of several arrays need a gradient (`arrays_needed`; for the
others the rule may give None), an output (`out`), a plain argument (`axis`). That is all that is kept between forward
and backward. With several outputs `g` is a tuple, None where there is no cotangent.

What is best said in terms of other operations is a composite (see `declare.composite`): an entry without a rule, whose
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
INPUT, SHAPE, NEEDED, OUTPUT, ARGUMENT = range(5)  # where a value that a rule reads comes from


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
    keep: tuple[tuple[int, int], ...]  # (INPUT | SHAPE | NEEDED | OUTPUT | ARGUMENT, position)
    rules: tuple[tuple[int | tuple[int, ...], Rule, tuple[int, ...]], ...]  # (input(s), rule, its reads in keep)
    holds_arrays: bool
    constants: tuple[int, ...] = ()  # the arrays and indices that need no gradient, or of whose parts some need none


class Op:
    """One entry of the table. All that is derived from the declaration is derived here, once, at import."""

    __slots__ = (
        "call",
        "composed",
        "defaults",
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
        "star",
        "ties",
        "together",
        "view",
        "visible",
        "vjp",
        "wide",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        vjp: Mapping[str, Rule | None] | Rule | None,
        *,
        composed: bool = False,
        numpy: tuple[Any, ...] = (),
        outputs: tuple[str, ...] = ("out",),
        hidden: int = 0,
        floats: bool = False,
        promotes: Iterable[str] | None = None,
        together: bool = True,
        view: bool = False,
        wide: bool = False,
        domain: Mapping[str, Interval] | None = None,
        ties: bool = False,
    ) -> None:
        self.name = forward.__name__.strip("_")
        # the public function, and the same with one argument for each parameter; set by the decorator
        self.function: Callable[..., Any] = forward
        self.call: Callable[..., Any] = forward
        code, annotations = forward.__code__, forward.__annotations__
        count, names = code.co_argcount, code.co_varnames
        self.star = count if code.co_flags & CO_VARARGS else None  # the position of *arrays
        if code.co_flags & CO_VARKEYWORDS or (code.co_kwonlyargcount and self.star is None):
            raise TypeError(
                f"{self.name}: an operation takes plain parameters and *arrays only: no **keywords, no *, k"
            )
        self.parameters = names[:count]
        self.defaults = dict(zip(reversed(self.parameters), reversed(forward.__defaults__ or ()), strict=False))
        if self.star is not None:
            end = count + code.co_kwonlyargcount
            self.parameters += (names[end], *names[count:end])
            self.defaults |= forward.__kwdefaults__ or {}
        kinds = [kind_of(annotations.get(name), name not in self.defaults) for name in self.parameters]
        if self.star is not None:
            if kinds[self.star] is not ONE:
                raise TypeError(f"{self.name}: *{self.parameters[self.star]} must be arrays; annotate it as ArrayLike")
            kinds[self.star] = SEQUENCE
        self.kinds = tuple(kinds)
        self.forward = forward if self.star is None else gathered(forward, self.star)  # one argument for each parameter
        self.plain = tuple(i for i, kind in enumerate(self.kinds) if kind is PLAIN)
        self.vjp, self.composed = vjp, composed
        if promotes is None:
            promotes = vjp.keys() if isinstance(vjp, Mapping) else self.inputs
        self.promoted = tuple(i for i, name in enumerate(self.parameters) if name in promotes)
        self.singles = tuple(i for i in self.promoted if self.kinds[i] is ONE)
        self.others = tuple(i for i, k in enumerate(self.kinds) if k is not PLAIN and i not in self.singles)
        self.numpy = tuple(function for function in numpy if function is not None)  # None: not in this NumPy
        self.outputs, self.visible = outputs, len(outputs) - hidden
        self.floats, self.together, self.view, self.wide = floats, together, view, wide
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
            self._plan([self.parameters.index(name) for name in self.carriers])  # a rule that reads what there is not

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
        if isinstance(self.vjp, Mapping):
            return tuple(name for name, rule in self.vjp.items() if rule is not None)
        return self.inputs if self.vjp is not None else ()

    def plan(self, needed: int) -> Plan:
        """The plan for the inputs whose parameters' bits are set in `needed`.

        Raises TypeError for one that has no rule: its gradient would be dropped.
        """
        if needed not in self.plans:
            positions = [i for i in range(len(self.parameters)) if needed >> i & 1]
            for name in [self.parameters[i] for i in positions]:
                if name not in self.carriers:
                    raise unknown_gradient(self.name, name)
            self.plans[needed] = self._plan(positions)
        return self.plans[needed]

    def _plan(self, needed: list[int]) -> Plan:
        inputs = tuple(self.parameters.index(name) for name in self.inputs)
        chosen: list[tuple[int | tuple[int, ...], Rule]]
        if isinstance(self.vjp, Mapping):
            chosen = [(i, rule) for i in needed if (rule := self.vjp[self.parameters[i]]) is not None]
        else:
            assert self.vjp is not None
            chosen = [(inputs[0] if len(inputs) == 1 else inputs, self.vjp)]
        keep: list[tuple[int, int]] = []
        rules = []
        for target, rule in chosen:
            code = rule.__code__
            sources = [self.source(name) for name in code.co_varnames[1 : code.co_argcount]]
            keep += [source for source in sources if source not in keep]
            rules.append((target, rule, tuple(keep.index(source) for source in sources)))
        holds_arrays = any(kind in (INPUT, OUTPUT) for kind, _ in keep)
        constants = [i for i, k in enumerate(self.kinds) if k is SEQUENCE or (k is not PLAIN and i not in needed)]
        return Plan(tuple(needed), tuple(keep), tuple(rules), holds_arrays, tuple(constants))

    def source(self, name: str) -> tuple[int, int]:
        """Where the value comes from that a rule's parameter `name` asks for."""
        if name in self.parameters:
            position = self.parameters.index(name)
            return (ARGUMENT if self.kinds[position] is PLAIN else INPUT), position
        if name in self.outputs:
            return OUTPUT, self.outputs.index(name)
        owner, _, what = name.rpartition("_")
        if owner in self.parameters and what in ("shape", "needed"):
            return (SHAPE if what == "shape" else NEEDED), self.parameters.index(owner)
        raise TypeError(
            f"{self.name}: a rule reads {name!r}, but it can read only g, {', '.join(self.parameters)}, "
            f"{', '.join(self.outputs)}, or the shape of an input, such as {self.parameters[0]}_shape"
        )


def unknown_gradient(name: str, parameter: str) -> TypeError:
    """What is raised where the gradient of an argument would be dropped."""
    return TypeError(f"{name}: no gradient of {parameter} is known; give {parameter}.detach()")


def gathered(forward: Callable[..., Any], star: int) -> Callable[..., Any]:
    """A forward that takes *arrays as a function that takes all by position, and these as one sequence."""
    count = forward.__code__.co_argcount
    keywords = forward.__code__.co_varnames[count : count + forward.__code__.co_kwonlyargcount]

    def gathering(*args: Any) -> Any:
        return forward(*args[:star], *args[star], **dict(zip(keywords, args[star + 1 :], strict=True)))

    return gathering


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
