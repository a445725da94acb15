"""What the user calls a thing: the name of a variable, of an attribute, or of a place in a list or dict."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

LIBRARIES = {"tinygrad_lite", "numpy"}
MANY = 100  # things in a list or dict, in which nobody looks for a name


def users_frames() -> Iterator[FrameType]:
    """The frames of the user's code that is running, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "numpy").partition(".")[0] not in LIBRARIES:
            yield frame
        frame = frame.f_back


def names_in(frame: FrameType, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """The things of some kinds that a frame knows, with their names: variables first, then what is in other things."""
    known = frame.f_globals
    things = {name: known[name] for name in frame.f_code.co_names if name in known} | frame.f_locals
    for depth in (0, 2):
        for name, thing in things.items():
            yield from named(name, thing, kinds, depth)


def named(name: str, thing: Any, kinds: tuple[type, ...], depth: int) -> Iterator[tuple[str, Any]]:
    """A thing of these kinds with its name, or those in it: attributes, places in a list or dict."""
    if isinstance(thing, kinds):
        yield name, thing
    elif not depth:
        return
    elif isinstance(thing, (list, tuple)) and len(thing) < MANY:
        for i, each in enumerate(thing):
            yield from named(f"{name}_{i}", each, kinds, depth - 1)
    elif isinstance(thing, dict) and len(thing) < MANY:
        for key, each in list(thing.items()):
            if isinstance(key, (str, int)):
                yield from named(str(key), each, kinds, depth - 1)
    elif is_a_users(thing):
        for key, each in list(vars(thing).items()):
            if isinstance(each, (*kinds, list, tuple, dict)):
                yield from named(key, each, kinds, depth - 1)


def is_a_users(thing: Any) -> bool:
    """Whether a thing is an object with attributes, of a class that neither NumPy nor this package defines."""
    if not hasattr(thing, "__dict__") or isinstance(thing, (type, ModuleType, FunctionType)):
        return False
    return type(thing).__module__.partition(".")[0] not in LIBRARIES
