"""A program as a module of its own, which needs NumPy alone."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import combinations
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..random import Generator
from ..variable import Variable
from .replay import Flat, Replay
from .steps import JitError, Value

HEAD = '''"""{title}: the NumPy program that tinygrad_lite's jit wrote. It needs NumPy alone, and {data} beside it.

`{title}({inputs})` takes and returns arrays. `arrays` holds the parameters, which it changes in place.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
'''


def save(replay: Replay, path: Path) -> None:
    """Write a program to `path`, and the arrays that it is built from beside it, to the path with the suffix .npz."""
    source = replay.source
    if any(value is not None for _, value in replay.before):
        raise JitError(
            "jit: save: the program adds to gradients that are there before; call zero_grad() in the function"
        )
    arrays: dict[str, Any] = {}
    bundle = Bundle()
    made = []
    for name, thing in source.arguments.items():
        if isinstance(thing, np.ndarray):
            if isinstance(thing.base, Flat):
                begin = thing.__array_interface__["data"][0] - thing.base.__array_interface__["data"][0]
                start = begin // thing.itemsize
                whole = next(n for n, each in source.arguments.items() if getattr(each, "base", None) is thing.base)
                if whole != name:
                    part = f"arrays[{whole!r}][{start}:{start + thing.size}].reshape({thing.shape})"
                    made.append(f"arrays[{name!r}] = {part}")
                    continue
            arrays[name] = np.asarray(thing)
        else:
            made.append(f"{name} = {bundle.expression(thing, source.text(), name)}")
    for one, other in combinations(arrays, 2):
        changes = {one, other} & set(source.written)
        if changes and np.may_share_memory(arrays[one], arrays[other]):
            raise JitError(f"jit: save: {one} and {other} share memory, which a module's own copies would not")
    parts = [HEAD.format(title=source.title, data=path.with_suffix(".npz").name, inputs=", ".join(source.inputs))]
    parts += [*bundle.text(), 'arrays = dict(np.load(Path(__file__).with_suffix(".npz")))', *made, "\n"]
    parts.append(source.text())
    given = [f"arrays[{n!r}]" if isinstance(each, np.ndarray) else n for n, each in source.arguments.items()]
    parts.append(f"\n_program = build({', '.join(given)})\n\n")
    places = iter(range(len(replay.fresh)))
    result = written(replay.recording.result, places, replay.fresh)
    parts.append(f"def {source.title}({', '.join(source.inputs)}):")
    parts.append(f"    found = _program({', '.join(source.inputs)})\n    return {result}\n")
    np.savez(path.with_suffix(".npz"), **arrays)
    path.write_text("\n".join(parts), encoding="utf-8")


def written(result: Any, places: Iterator[int], fresh: list[bool]) -> str:
    """The text of a result, with what was found in place of its values."""
    if isinstance(result, Value):
        place = next(places)
        return f"found[{place}]" if fresh[place] else f"found[{place}].copy()"
    if isinstance(result, dict):
        return "{" + ", ".join(f"{key!r}: {written(each, places, fresh)}" for key, each in result.items()) + "}"
    if isinstance(result, (list, tuple)):
        inner = ", ".join(written(each, places, fresh) for each in result)
        return f"[{inner}]" if isinstance(result, list) else f"({inner}{',' if len(result) == 1 else ''})"
    return f"float({str(result)!r})" if isinstance(result, float) else repr(result)


class Bundle:
    """Definitions of this package that a program calls, and all that they need in turn, without the package."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}  # by name, in the order in which they are to stand
        self.known: dict[str, Any] = {}

    def text(self) -> list[str]:
        """The definitions."""
        return list(self.parts.values())

    def expression(self, thing: Any, text: str, name: str) -> str:
        """What a thing is written as, where its definitions stand before it."""
        if isinstance(thing, Generator):
            self.enter("MersenneTwister", type(thing._source), inspect.getmodule(type(thing._source)))
            state = f"np.frombuffer({thing.get_state().tobytes()!r}, np.uint8)"
            return f"SimpleNamespace(_source=MersenneTwister(0))\n{name}._source.load({state})"
        if isinstance(thing, (np.dtype, type)) and np.dtype(thing).isbuiltin:
            return f"np.dtype({np.dtype(thing).name!r})"
        name_of = getattr(thing, "__name__", "")
        if getattr(np, name_of, None) is thing:
            return f"np.{name_of}"
        if getattr(thing, "__qualname__", "").startswith("gathered."):  # it takes several arrays as one sequence
            known = dict(
                zip(thing.__code__.co_freevars, [cell.cell_contents for cell in thing.__closure__], strict=True)
            )
            star, keywords = known["star"], known["keywords"]
            forward = self.expression(known["forward"], text, name)
            named = f", **dict(zip({keywords!r}, args[{star + 1}:]))" if keywords else ""
            return f"lambda *args: {forward}(*args[:{star}], *args[{star}]{named})"
        if callable(thing):
            function = inspect.unwrap(thing)
            called = f"{function.__name__}_" if hasattr(builtins, function.__name__) else str(function.__name__)
            self.enter(called, function, inspect.getmodule(function))
            return called
        if isinstance(thing, np.generic):
            return f"np.{thing.dtype}({thing.item()!r})"
        attributes = set(re.findall(rf"\b{name}\.(\w+)", text))
        if attributes:
            return f"SimpleNamespace({', '.join(f'{each}={getattr(thing, each)!r}' for each in sorted(attributes))})"
        raise JitError(f"jit: save: a {type(thing).__name__} can't be written to a module of NumPy alone")

    def enter(self, name: str, thing: Any, module: ModuleType | None) -> None:
        """Add the definition of `name` in a module, and before it what it names itself."""
        thing = inspect.unwrap(thing) if callable(thing) else thing
        if name in self.known:
            if self.known[name] is not thing:
                raise JitError(f"jit: save: the program needs two different things of the name {name}")
            return
        self.known[name] = thing
        if inspect.isbuiltin(thing) and thing.__module__:
            self.parts[name] = f"from {thing.__module__} import {thing.__name__} as {name}"
            return
        if thing is Variable:
            self.parts[name] = f"class {name}:\n    pass  # no array is one"
            return
        if module is not None and name in imports(module):
            self.parts[name] = imports(module)[name]
            return
        if isinstance(thing, (FunctionType, type)):
            module = inspect.getmodule(thing)
        assert module is not None
        wanted = thing.__name__ if isinstance(thing, (FunctionType, type)) else name
        while wanted in relatives(module):  # imported from another room of the package
            module, wanted = relatives(module)[wanted]
        node = definitions(module).get(wanted)
        if node is None:
            raise JitError(f"jit: save: the definition of {name} was not found")
        node = Plain(module).visit(ast.parse(ast.unparse(node)).body[0])
        for each in ast.walk(node):
            used = each.id if isinstance(each, ast.Name) else "np"
            if used not in ("np", wanted) and not hasattr(builtins, used) and used in vars(module):
                self.enter(used, vars(module)[used], module)
        for attribute, home in Plain.found(node):
            self.enter(attribute, getattr(home, attribute), home)
        if isinstance(node, ast.FunctionDef) and hasattr(builtins, wanted):
            node.name = wanted = name  # others mean Python's by it
        self.parts[name] = ast.unparse(node) + (f"\n{name} = {wanted}" if wanted != name else "")


class Plain(ast.NodeTransformer):
    """Takes what only the package needs from a definition: decorators, annotations, and the names of its modules."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.decorator_list = [
            each for each in node.decorator_list if ast.unparse(each) in ("staticmethod", "property")
        ]
        node.returns = None
        for each in [*node.args.args, *node.args.posonlyargs, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]:
            if each is not None:
                each.annotation = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return node
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        value = node.value
        if isinstance(value, ast.Name):
            thing = vars(self.module).get(value.id)
            if isinstance(thing, ModuleType) and thing.__name__.startswith("tinygrad_lite"):
                name = ast.Name(node.attr, node.ctx)
                name.home = thing  # type: ignore[attr-defined]
                return name
        return self.generic_visit(node)

    @staticmethod
    def found(node: ast.AST) -> list[tuple[str, ModuleType]]:
        """The names that stood behind one of the package's modules."""
        names = [each for each in ast.walk(node) if isinstance(each, ast.Name) and hasattr(each, "home")]
        return [(each.id, each.home) for each in names]


@cache
def definitions(module: ModuleType) -> dict[str, ast.stmt]:
    """What a module defines by name, as it stands in its source."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                        found[each.id] = node
    return found


@cache
def relatives(module: ModuleType) -> dict[str, tuple[ModuleType, str]]:
    """What a module imports from others of this package, by name: from where, and under which name."""
    found: dict[str, tuple[ModuleType, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            home = import_module("." * node.level + node.module, module.__package__)
            found |= {each.asname or each.name: (home, each.name) for each in node.names}
    return found


@cache
def imports(module: ModuleType) -> dict[str, str]:
    """What a module imports from elsewhere, by name, and how."""
    found: dict[str, str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0):
            source = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
            for each in node.names:
                alias = f" as {each.asname}" if each.asname else ""
                found[each.asname or each.name.partition(".")[0]] = f"{source}import {each.name}{alias}"
    return found
