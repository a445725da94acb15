"""Which attributes a function's code asks of what, read off its instructions."""

from __future__ import annotations

import builtins
import sys
from dis import get_instructions
from types import CodeType
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, type(None))  # None last
BY_NAME = {"getattr", "hasattr", "vars", "attrgetter", "__dict__", "__getattribute__", "globals", "locals"}
UNKNOWN = object()


class Asked:
    """All that was found so far.

    known: by the id of an object, the attributes that are asked of it. loose: those asked of what is not known.
    first: of an object's attribute, whether it is first stored or loaded. everything: whether attributes may be asked
    for by names that are computed.
    """

    def __init__(self) -> None:
        self.known: dict[int, set[str]] = {}
        self.loose: set[str] = set()
        self.first: dict[tuple[int, str], str] = {}
        self.everything = False

    def size(self) -> tuple[int, int, bool]:
        """How much was found."""
        return len(self.loose), sum(map(len, self.known.values())), self.everything

    def of(self, thing: Any) -> set[str]:
        """The attributes that are asked of an object, by name."""
        return self.known.get(id(thing), set())

    def may_be(self, thing: Any, name: str) -> bool:
        """Whether an attribute may be asked of an object."""
        return self.everything or name in self.loose or name in self.of(thing)

    def stored_first(self, thing: Any) -> set[str]:
        """The attributes of an object that are set before anybody looks at them."""
        return {name for (number, name), how in self.first.items() if number == id(thing) and how == "stored"}

    def read(
        self, code: CodeType, roots: dict[str, Any], outside: dict[str, Any]
    ) -> tuple[list[str], list[tuple[str, Any]]]:
        """Find what code asks: of `a.b.c`, b of a, and c of what b is now.

        roots: what local names are; outside: what global ones are. Returns the global names that are not there, and
        the modules that are imported, by name.
        """
        absent, imported = list[str](), list[tuple[str, Any]]()
        thing: Any = UNKNOWN
        for step in get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                thing = outside.get(step.argval, UNKNOWN)
                if thing is UNKNOWN and not hasattr(builtins, step.argval):
                    absent.append(step.argval)
            elif step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")):  # some of newer Pythons load two at once
                thing = roots.get(step.argval[-1] if isinstance(step.argval, tuple) else step.argval, UNKNOWN)
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                if thing is UNKNOWN or isinstance(thing, PLAIN):
                    self.loose.add(step.argval)
                    thing = UNKNOWN
                    continue
                self.known.setdefault(id(thing), set()).add(step.argval)
                self.first.setdefault((id(thing), step.argval), "loaded")
                thing = getattr(thing, "__dict__", {}).get(step.argval, UNKNOWN)
            elif step.opname == "STORE_ATTR":
                if thing is not UNKNOWN:
                    self.first.setdefault((id(thing), step.argval), "stored")
                thing = UNKNOWN
            elif step.opname == "IMPORT_NAME":
                thing = sys.modules.get(step.argval, UNKNOWN)
                imported.append((step.argval, thing))
            elif step.opname == "IMPORT_FROM":
                self.known.setdefault(id(thing), set()).add(step.argval)
            elif "ATTR" in step.opname and isinstance(step.argval, str) and not step.opname.startswith("STORE"):
                self.loose.add(step.argval)
            elif step.opname not in ("CACHE", "RESUME", "PUSH_NULL", "EXTENDED_ARG"):
                thing = UNKNOWN
            if step.opname == "MATCH_CLASS":
                self.everything = True
        self.everything = self.everything or not names_in(code).isdisjoint(BY_NAME)
        for each in code.co_consts:
            if isinstance(each, CodeType):
                inner = self.read(each, {name: v for name, v in roots.items() if name not in each.co_varnames}, outside)
                absent, imported = absent + inner[0], imported + inner[1]
        return absent, imported


def names_in(code: CodeType) -> set[str]:
    """The names of globals and attributes in a function, and in those within it."""
    inner = [names_in(each) for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*inner)
