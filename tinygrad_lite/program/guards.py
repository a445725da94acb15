"""What a function knows from outside, and whether it still is what it was.

All that the code of a function names is followed: closure cells, globals, attributes of objects, elements of lists,
tuples and dicts, and the functions and methods that are called there in turn. Numbers, strings and flags are compared;
all else must be the same object.
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import is_
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..op import Op
from ..random import Generator
from ..variable import Variable
from .asked import PLAIN, Asked, names_in

CONTAINERS = (list, tuple, dict, set, frozenset, deque)
LIBRARIES = {"numpy", "tinygrad_lite", *sys.stdlib_module_names} - {"__main__"}
NOT_RUN = {"__init__", "__new__", "__repr__", "__str__", "__reduce__", "__getstate__", "__setstate__", "__del__"}


class Surroundings:
    """All that a function knows from outside, as it is now.

    tests: what must hold, as text that is evaluated among `things`; of each, what it speaks of and what was found.
    """

    def __init__(self, function: Any) -> None:
        self.asked = Asked()
        self.ours: set[int] = set()  # the ids of arrays that only this package computes with
        before = None
        while before != (before := self.asked.size()):  # an attribute may be asked for in code that is found only later
            self.seen: dict[Any, Any] = {}
            self.tests: dict[str, tuple[str, Any]] = {}
            self.things: dict[str, Any] = {"same": same, "alike": alike}
            self.ids: dict[int, str] = {}
            self.attributes: dict[tuple[int, str], str] = {}  # the tests of attributes
            self.enter(function, getattr(function, "__name__", "the function"))
        del self.seen
        self.write()

    def write(self) -> None:
        """Make one function of all tests."""
        self.test: Callable[[], bool] = eval(f"lambda: {' and '.join(self.tests) or 'True'}", self.things)

    def settle(self, captured: set[Any], referred: set[int]) -> bool:
        """After the function has run: leave out what it wrote itself before it read it, and lists that it fills.

        A layer may keep its last output as an attribute; that is a side effect, and nothing to wait for. Returns
        whether all else is as it was: if not, the function works on numbers that it changes, and must run each time.
        captured: the Tensors, referred: the ids of arrays that the program takes as they are.
        """
        stored = [key for key, how in self.asked.first.items() if how == "stored"]
        written = {self.attributes[key] for key in stored if key in self.attributes}
        for test in list(self.tests):
            _, found = self.tests[test]
            fills = test.startswith(("alike(", "len(")) and isinstance(found, (list, deque))
            fills = fills and not all(isinstance(each, PLAIN) for each in found)
            if (test in written or fills) and not self.passes(test):
                del self.tests[test]
        for name, thing in list(self.things.items()):
            if isinstance(thing, Variable) and thing not in captured:  # its shape may have been looked at
                shape = f"{name}._data.shape == {thing._data.shape} and {name}._requires_grad is {thing._requires_grad}"
                shape += f" and {name}._data.dtype == {self.bind(thing._data.dtype)}"
                self.tests[shape] = "the shape of a Tensor", thing
            elif isinstance(thing, np.ndarray) and id(thing) not in referred | self.ours:
                # NumPy may have computed with it
                seen = self.bind((thing.shape, thing.dtype, thing.tobytes()))
                self.tests[f"({name}.shape, {name}.dtype, {name}.tobytes()) == {seen}"] = "an array", thing
        self.write()
        return self.hold()

    def passes(self, test: str) -> bool:
        """Whether a test holds."""
        try:
            return bool(eval(test, self.things))
        except (AttributeError, KeyError, IndexError, ValueError):  # it is no longer there
            return False

    def hold(self) -> bool:
        """Whether all is as it was."""
        try:
            return self.test()
        except (AttributeError, KeyError, IndexError, ValueError):  # it is no longer there
            return False

    def changed(self) -> str:
        """The first thing that is not as it was."""
        return next((what for test, (what, _) in self.tests.items() if not self.passes(test)), "")

    def bind(self, thing: Any) -> str:
        """A name for a thing in the tests."""
        name = self.ids.get(id(thing))
        if name is None:
            name = self.ids[id(thing)] = f"t{len(self.ids)}"
            self.things[name] = thing
        return name

    def guard(self, lookup: str, thing: Any, what: str) -> str:
        """What `lookup` finds must stay this thing."""
        name = self.bind(thing)
        test = f"({lookup} is {name} or same({lookup}, {name}))" if isinstance(thing, PLAIN) else f"{lookup} is {name}"
        self.tests.setdefault(test, (what, thing))
        self.enter(thing, what)
        return test

    def enter(self, thing: Any, what: str) -> None:
        """Go on with what is in a thing, or known to it."""
        if isinstance(thing, (Variable, np.ndarray)):
            self.bind(thing)
        if type(thing) in (*PLAIN, np.ndarray) or isinstance(thing, (Variable, np.generic, Generator)):
            return
        if id(thing) in self.seen:
            return
        self.seen[id(thing)] = thing
        if isinstance(thing, MethodType):
            self.enter_function(thing.__func__, thing.__self__)
            self.enter(thing.__self__, "self")
        elif isinstance(thing, FunctionType):
            self.enter_function(thing)
            self.enter_attributes(thing.__dict__, thing, what)
        elif isinstance(thing, BuiltinMethodType) and not isinstance(thing.__self__, ModuleType):
            self.enter(thing.__self__, what)
        elif isinstance(thing, partial):
            self.guard(f"{self.bind(thing)}.keywords", thing.keywords, what)
            for each in (thing.func, *thing.args):
                self.enter(each, what)
        elif type(thing) in CONTAINERS:
            self.enter_container(thing, what)
        elif isinstance(thing, (bytearray, memoryview, array)):
            self.tests[f"bytes({self.bind(thing)}) == {self.bind(bytes(thing))}"] = what, thing
        elif isinstance(thing, ModuleType):
            if library_of(thing.__name__) not in LIBRARIES:
                self.enter_attributes(vars(thing), thing, what)
        elif isinstance(thing, type):
            self.enter_class(thing, thing)
        elif isinstance(thing, Op):
            rules = thing.vjp.values() if isinstance(thing.vjp, Mapping) else [thing.vjp]
            for each in (thing.forward, *rules):
                self.enter(each, what)
        elif type(thing).__module__ == "tinygrad_lite.program.compiled":
            self.enter_function(thing.function, getattr(thing, "__self__", None))
            self.enter(getattr(thing, "__self__", None), what)
        else:
            if isinstance(thing, CONTAINERS):
                self.enter_container(thing, what)
            self.enter_class(type(thing), thing)
            self.enter_attributes(getattr(thing, "__dict__", {}), thing, what)
            self.enter_absent(getattr(thing, "__dict__", None), thing, what)
            for name in slots_of(type(thing)):
                if self.is_asked(thing, name) and hasattr(thing, name):
                    self.guard(f"{self.bind(thing)}.{name}", getattr(thing, name), f"{what}.{name}")
                elif self.is_asked(thing, name):
                    self.tests[f"not hasattr({self.bind(thing)}, {name!r})"] = f"{what}.{name}", None

    def is_asked(self, thing: Any, name: str) -> bool:
        """Whether an attribute of this object may be asked for."""
        known = library_of(type(thing).__module__)
        if known in LIBRARIES and known != "tinygrad_lite" and not isinstance(thing, (type, ModuleType, FunctionType)):
            return True  # what the code of a library asks for is not known
        return self.asked.may_be(thing, name)

    def enter_function(self, function: Any, instance: Any = None) -> None:
        """Go on with what a function names, the method of `instance` perhaps."""
        key = id(function), id(instance)
        if not isinstance(function, FunctionType) or library_of(function.__module__) in LIBRARIES or key in self.seen:
            return
        self.seen[key] = function
        code, roots = function.__code__, {}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                roots[name] = cell.cell_contents
            except ValueError:  # it is empty yet
                continue
            self.guard(f"{self.bind(cell)}.cell_contents", roots[name], name)
        known = function.__globals__
        for name in sorted(names_in(code) & known.keys()):
            self.guard(f"{self.bind(known)}[{name!r}]", known[name], name)
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            if getattr(function, name):
                self.guard(f"{self.bind(function)}.{name}", getattr(function, name), function.__name__)
        if instance is not None and code.co_argcount:
            roots[code.co_varnames[0]] = instance
        absent, imported = self.asked.read(code, roots, known)
        for name in absent:
            self.tests[f"{name!r} not in {self.bind(known)}"] = name, None
        for name, module in imported:
            self.enter(module, name)

    def enter_container(self, thing: Any, what: str) -> None:
        name = self.bind(thing)
        elements = list(thing.items()) if isinstance(thing, dict) else list(enumerate(thing))
        for each in thing if isinstance(thing, (dict, set, frozenset)) else ():
            self.enter(each, what)
        if isinstance(thing, (set, frozenset)) or (all(isinstance(each, PLAIN) for _, each in elements)):
            if not isinstance(thing, (tuple, frozenset)):
                self.tests[f"alike({name}, {self.bind(thing.copy())})"] = what, thing
            return
        if isinstance(thing, dict):
            self.tests[f"tuple({name}) == {self.bind(tuple(thing))}"] = what, thing
        elif not isinstance(thing, tuple):
            self.tests[f"len({name}) == {len(thing)}"] = what, thing
        for key, each in elements:
            if isinstance(thing, tuple):
                self.bind(each)
                self.enter(each, f"{what}[{key}]")
            else:
                self.guard(f"{name}[{key if isinstance(key, int) else self.bind(key)}]", each, f"{what}[{key!r}]")

    def enter_class(self, cls: type, thing: Any) -> None:
        """Go on with the methods that may be called of a thing, which is of this class, and with class attributes."""
        if library_of(cls.__module__) in LIBRARIES:
            return
        own = getattr(thing, "__dict__", {}) if thing is not cls else {}
        for each in cls.__mro__[:-1]:
            for name, value in list(vars(each).items()):
                inner = value
                for way in ("fget", "__func__", "func", "function"):  # of property, classmethod, cached_property, jit
                    inner = getattr(inner, way, inner)
                if isinstance(inner, FunctionType):
                    special = name.startswith("__") and (name not in NOT_RUN or thing is cls)
                    if self.is_asked(thing, name) or special:
                        self.enter_function(inner, thing)
                    if self.is_asked(thing, name):
                        self.guard(f"{self.bind(each)}.__dict__[{name!r}]", value, f"{each.__name__}.{name}")
                        if isinstance(own, dict) and name not in own:
                            self.tests[f"{name!r} not in {self.bind(own)}"] = f"{cls.__name__}.{name}", None
                elif self.is_asked(thing, name) and not hasattr(type(value), "__get__"):
                    self.guard(f"{self.bind(each)}.{name}", value, f"{each.__name__}.{name}")
                    if isinstance(own, dict) and name not in own:
                        self.tests[f"{name!r} not in {self.bind(own)}"] = f"{cls.__name__}.{name}", None
                elif self.is_asked(thing, name):
                    self.enter(value, f"{each.__name__}.{name}")  # what the __get__ of it reads

    def enter_absent(self, own: Any, thing: Any, what: str) -> None:
        """Attributes that an object does not have, and is asked for, must stay away."""
        if not isinstance(own, dict) or library_of(type(thing).__module__) in LIBRARIES:
            return
        stored = self.asked.stored_first(thing)
        if self.asked.everything:
            self.tests[f"{self.bind(own)}.keys() <= {self.bind({*own, *stored})}"] = f"an attribute of {what}", thing
        for name in sorted(self.asked.of(thing) - stored - own.keys()):
            if not any(name in vars(each) for each in type(thing).__mro__):
                self.tests[f"{name!r} not in {self.bind(own)}"] = f"{what}.{name}", None

    def enter_attributes(self, attributes: dict[str, Any], thing: Any, what: str) -> None:
        """Guard those that are asked for; of objects of this package's, those that hold others."""
        ours = any(library_of(each.__module__) == "tinygrad_lite" for each in type(thing).__mro__)
        for name, each in list(attributes.items()):
            if self.is_asked(thing, name) or (ours and not isinstance(each, PLAIN)):
                test = self.guard(f"{self.bind(attributes)}[{name!r}]", each, f"{what}.{name}")
                self.attributes[id(thing), name] = test
                if ours and isinstance(each, list):
                    self.ours |= set(map(id, each))


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are the same: 1 is not True, nor 0.0 the same as -0.0."""
    return type(one) is type(other) and repr(one) == repr(other)


def alike(one: Any, other: Any) -> bool:
    """Whether two containers of plain values hold the same, in the same order."""
    if len(one) != len(other):
        return False
    if isinstance(one, (set, frozenset)):
        return bool(one == other)
    if isinstance(one, dict):
        one, other = [*one, *one.values()], [*other, *other.values()]
    return all(map(is_, one, other)) or all(map(same, one, other))


def library_of(module: str | None) -> str:
    """The package that a module belongs to."""
    return (module or "").partition(".")[0]


def slots_of(cls: type) -> Iterator[str]:
    """The names of an object's slots."""
    for each in cls.__mro__:
        slots = vars(each).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            is_private = name.startswith("__") and not name.endswith("__")
            yield f"_{each.__name__.lstrip('_')}{name}" if is_private else name
