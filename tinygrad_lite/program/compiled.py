"""The function that users call: recorded for each kind of arguments, and replayed from then on."""

from __future__ import annotations

import builtins
import inspect
import keyword
import os
import re
import warnings
from collections.abc import Callable, Collection
from functools import update_wrapper
from pathlib import Path
from threading import RLock
from types import MethodType
from typing import Any, overload
from weakref import ref

import numpy as np

from ..mode import thread
from ..tensor import Tensor
from ..transforms import leaves, rebuild
from ..variable import Variable, make, ndarray
from .asked import PLAIN
from .guards import Surroundings
from .passes import PASSES, ROUNDING
from .record import watched
from .replay import Replay
from .saved import RESERVED, save
from .steps import Captured, JitError
from .trace import report, verified

OFF = os.environ.get("TINYGRAD_LITE_JIT") == "0"
MANY = 16  # kinds of arguments, or recordings of one kind


class Compiled:
    """What `jit` makes of a function."""

    def __init__(
        self, function: Callable[..., Any], copy: bool = True, verify: int = 0, without: Collection[str] = ROUNDING
    ) -> None:
        self.is_static = isinstance(function, staticmethod)
        if isinstance(function, staticmethod):
            function = function.__func__
        if not callable(function):
            raise TypeError(f"jit: takes a function, got {type(function).__name__}")
        unknown = set(without) - set(PASSES)
        if unknown:
            raise ValueError(f"jit: there is no pass {min(unknown)!r}; there are {', '.join(PASSES)}")
        self.function, self.copy, self.verify, self.without = function, copy, verify, frozenset(without)
        self.replays: dict[Any, list[Replay]] = {}
        self.quick: dict[Any, list[Replay]] = {}  # of `replays`, those with Tensors and arrays alone for arguments
        self.lock = RLock()
        self.last: tuple[Replay, list[Variable]] | None = None
        self.methods: dict[int, tuple[ref[Any], Method]] = {}
        self.restless = 0  # how many recordings could not be kept
        name = getattr(function, "__name__", "")
        taken = keyword.iskeyword(name) or hasattr(np, name) or hasattr(builtins, name) or name in RESERVED
        self.title = name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and not taken else "step"
        code = getattr(inspect.unwrap(function), "__code__", None)
        self.sorts = code is not None and not code.co_flags & inspect.CO_VARKEYWORDS
        update_wrapper(self, function, updated=())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A jitted method: each instance has its own recordings."""
        if instance is None or self.is_static:
            return self
        known = self.methods.get(id(instance))
        if known is None or known[0]() is not instance:
            number = id(instance)
            try:
                gone = ref(instance, lambda _: self.methods.pop(number, None))
            except TypeError:
                raise JitError(
                    f"jit: {type(instance).__name__} has __slots__ without '__weakref__', which a jitted method needs"
                ) from None
            known = self.methods[number] = gone, Method(self, gone)
        return Bound(known[1], instance)

    def bound(self) -> Callable[..., Any]:
        """The function itself."""
        return self.function

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if OFF or thread.mode.watch is not None:  # in a recording it is part of that
            tree = args, keywords
            parts = [make(Tensor, each) if isinstance(each, ndarray) else each for _, each in leaves(tree)]
            args, keywords = rebuild(tree, iter(parts))
            return self.bound()(*args, **keywords)
        key = None if keywords else key_of(args)
        known = self.quick.get(key)
        if known is not None:
            inputs: list[Any] = [each if each.__class__ is Tensor else make(Tensor, each) for each in args]
            with self.lock:
                if self.verify == 0 and known[0].fits(inputs):
                    result = known[0].run(inputs)
                    self.last = known[0], inputs
                    return result
        tree = args, {name: keywords[name] for name in sorted(keywords)} if self.sorts else keywords
        parts = [make(Tensor, each) if isinstance(each, ndarray) else each for _, each in leaves(tree)]
        inputs = [each for each in parts if isinstance(each, Variable)]
        signature = signature_of(tree, parts, inputs)
        with self.lock:
            for replay in self.replays.get(signature, ()):
                if replay.fits(inputs):
                    if self.verify > 0:
                        self.verify -= 1
                        result = verified(replay, self.bound(), tree, parts, inputs)
                    else:
                        result = replay.run(inputs)
                    self.last = replay, inputs
                    return result
            result = self.record(signature, tree, parts, inputs)
            if key is not None and signature in self.replays:
                self.quick[key] = self.replays[signature]
            return result

    def record(self, signature: Any, tree: Any, parts: list[Any], inputs: list[Variable]) -> Any:
        """Run the function, watched, and write its program."""
        function = self.bound()
        surroundings = Surroundings(function)
        for each in inputs:
            if each._requires_grad and any(each is thing for thing in surroundings.things.values()):
                raise JitError(
                    "jit: an argument that requires a gradient is also known to the function from outside; "
                    "pass it, or let it be known, not both"
                )
        recorder, recording, result, given = watched(function, tree, parts)
        outside = {each.value for each in recording.captured}
        captured = {each.tensor for each in recording.captured}
        for each in surroundings.things.values():  # several may have one array
            if isinstance(each, Variable) and each not in captured:
                value = recorder.values.get(id(each._data))
                if value in outside:
                    recording.captured.append(Captured(each, value))
        del recorder, function, captured, each
        captured = {each.tensor for each in recording.captured}
        referred = {id(array) for array, _ in recording.references} | {id(each._data) for each in captured}
        lasts = surroundings.settle(captured, referred)
        hooked = any(each._hooks for each in captured) or any(each._hooks for each in inputs)
        del captured
        if hooked:  # they are called each time
            return result
        if not lasts:
            self.restless += 1
            if self.restless == MANY + 1:
                self.warn(surroundings.changed())
            return result
        known = self.replays.setdefault(signature, [])
        known.insert(0, Replay(recording, given, surroundings, self.without, not self.copy, self.title))
        self.last = known[0], inputs
        if len(known) > MANY:
            self.warn(known[1].surroundings.changed())
            del known[MANY:]
        elif len(self.replays) == MANY + 1 and len(known) == 1:
            warnings.warn(
                f"jit: {self.title} was recorded for more than {MANY} kinds of arguments; pass numbers that change as "
                "Tensors, and arrays of few shapes",
                stacklevel=4,
            )
        return result

    def warn(self, what: str) -> None:
        """Say that there are very many recordings."""
        warnings.warn(
            f"jit: {self.title} was recorded more than {MANY} times for the same arguments"
            + (f", because {what} changed" if what else "")
            + "; pass what changes as an argument, as a Tensor",
            stacklevel=5,
        )

    @property
    def signatures(self) -> list[Any]:
        """The kinds of arguments that were recorded."""
        return list(self.replays)

    @property
    def source(self) -> str:
        """The program, of each recording, the newest last."""
        return "\n".join(replay.source.text() for known in self.replays.values() for replay in reversed(known))

    def report(self, profile: bool = False) -> None:
        """Print what the program that ran last consists of. profile: with the time that each line takes."""
        replay, inputs = self._last("report")
        if profile and not replay.fits(inputs):
            raise JitError("jit: report: what the program depends on has changed since; call the function again first")
        print(report(replay, replay.arrays_of(inputs) if profile else None))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program that ran last to a module that needs NumPy alone, with its arrays in a file beside it.

        `module.step(x, y)` takes and returns arrays; it has its own copy of the parameters, `module.arrays`, and of
        generators and optimisers, as they are now. Raises JitError where there is no program yet.
        """
        replay, _ = self._last("save")
        if not replay.lasts():
            raise JitError("jit: save: what the program depends on has changed since; call the function again first")
        save(replay, Path(path))

    def _last(self, what: str) -> tuple[Replay, list[Variable]]:
        if self.last is None:
            raise JitError(f"jit: {what}: there is no program yet; call the function first")
        return self.last

    def __reduce__(self) -> Any:
        raise TypeError("jit: a jitted function can't be pickled or copied; do that with the function itself")


class Bound:
    """A jitted method together with its instance, which lives as long as this is held."""

    __slots__ = ("__self__", "method")

    def __init__(self, method: Method, instance: Any) -> None:
        self.method, self.__self__ = method, instance

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.method(*args, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.method, name)


class Method(Compiled):
    """A jitted function for one instance, which it does not keep alive."""

    def __init__(self, compiled: Compiled, instance: ref[Any]) -> None:
        super().__init__(compiled.function, compiled.copy, compiled.verify, compiled.without)
        self.instance = instance

    def bound(self) -> Callable[..., Any]:
        return MethodType(self.function, self.instance())


def key_of(args: tuple[Any, ...]) -> Any:
    """The signature of arguments that are all Tensors and arrays, each another one, and leaves; None for others."""
    kinds: list[Any] = [thread.mode.grad]
    for each in args:
        if each.__class__ is Tensor and each._node is None:
            data = each._data
            kinds.append((data.shape, data.dtype, data.strides, each._requires_grad))
        elif each.__class__ is ndarray:
            kinds.append((each.shape, each.dtype, each.strides))
        else:
            return None
    if len(args) > 1 and len({id(each._data) if each.__class__ is Tensor else id(each) for each in args}) < len(args):
        return None
    return tuple(kinds)


def signature_of(tree: Any, parts: list[Any], inputs: list[Variable]) -> Any:
    """What two calls have in common that run the same program."""
    arrays = [id(each._data) for each in inputs]
    tensors = [id(each) for each in inputs]
    alike = tuple([arrays.index(each) for each in arrays]), tuple([tensors.index(each) for each in tensors])
    kinds: list[tuple[Any, ...]] = []
    for each in parts:
        if isinstance(each, Variable):
            data = each._data
            kinds.append((data.shape, data.dtype, data.strides, each._requires_grad, each._node is None))
        elif isinstance(each, PLAIN):
            kinds.append((type(each), repr(each)))
        else:
            raise JitError(
                f"jit: an argument is a {type(each).__name__}; take Tensors, arrays, Python's numbers and strings, or "
                "lists and dicts of them, and let the function know the rest from outside"
            )
    return structure(tree), tuple(kinds), alike, thread.mode.grad


def structure(tree: Any) -> Any:
    """Dicts, lists and tuples without what is in them."""
    if isinstance(tree, dict):
        return dict, tuple([(key, structure(each)) for key, each in tree.items()])
    if isinstance(tree, (list, tuple)):
        return type(tree), tuple([structure(each) for each in tree])
    return tree is None


@overload
def jit(
    function: Callable[..., Any], *, copy: bool = True, verify: int = 0, without: Collection[str] = ROUNDING
) -> Compiled: ...


@overload
def jit(
    *, copy: bool = True, verify: int = 0, without: Collection[str] = ROUNDING
) -> Callable[[Callable[..., Any]], Compiled]: ...


def jit(
    function: Callable[..., Any] | None = None,
    *,
    copy: bool = True,
    verify: int = 0,
    without: Collection[str] = ROUNDING,
) -> Any:
    """Record a function of Tensors when it is called, and replay it as a NumPy program from then on.

    The function may do a whole training step: forward, backward, updates, draws of a `Generator`. Its first call for
    each kind of arguments (shapes, dtypes, structure, Python's values) runs it and writes the program; further calls
    run that, and give the same numbers bit for bit. What it does besides, such as printing, happens only when it is
    recorded. What it knows from outside is looked at before each call, and recorded anew when it has changed. Its
    results carry no graph.

    copy: whether results are the caller's; if not, the next call may overwrite them. verify: for how many calls to run
    the function beside its program, and compare. without: names of passes to leave out; by default, and in
    `program.passes.ROUNDING`, those that may change a result by rounding.

    Raises JitError, with the line and the way out, where the function asks for the numbers of a Tensor (`.item()`,
    `if loss > 3`), or does what depends on them in shape. TINYGRAD_LITE_JIT=0 in the environment lets every jitted
    function run as it is.
    """
    if function is None:
        return lambda function: Compiled(function, copy, verify, without)
    return Compiled(function, copy, verify, without)
