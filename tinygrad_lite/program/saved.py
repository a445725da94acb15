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


RESERVED = {"np", "Path", "SimpleNamespace", "arrays", "build", "_program"}


def save(replay: Replay, path: Path) -> None:
    """Write a program to `path`, and the arrays that it is built from beside it, to the path with the suffix .npz."""
    source = replay.source
    if any(value is not None for _, value in replay.before):
        raise JitError(
            "jit: save: the program adds to gradients that are there before; call zero_grad() in the function"
        )
    if path.suffix == ".npz":
        raise JitError("jit: save: the path is the module's; its arrays go beside it, to one that ends in .npz")
    arrays: dict[str, Any] = {}
    bundle = Bundle({source.title, *RESERVED})
    made = []
    wholes = {
        id(each.base): name
        for name, each in source.arguments.items()
        if isinstance(each, np.ndarray) and isinstance(each.base, Flat) and each.size == each.base.size
    }
    for name, thing in source.arguments.items():
        if isinstance(thing, np.ndarray):
            whole = wholes.get(id(thing.base), name)
            if whole != name:
                flat = source.arguments[whole]
                begin = thing.__array_interface__["data"][0] - flat.__array_interface__["data"][0]
                start = begin // thing.itemsize
                part = f"arrays[{whole!r}][{start}:{start + thing.size}].reshape({thing.shape})"
                made.append(f"arrays[{name!r}] = {part}")
                continue
            arrays[name] = np.asarray(thing)
            if thing.size and not thing.flags.forc:
                arrays[name], back = in_order(thing)
                made.append(f"arrays[{name!r}] = arrays[{name!r}]{back}")
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


def in_order(array: Any) -> tuple[Any, str]:
    """An array as it lies in memory, in C's order, and what brings it back: files know C's and Fortran's order only."""
    order = np.argsort([-abs(stride) for stride in array.strides], kind="stable")
    ways = tuple([slice(None, None, -1 if stride < 0 else 1) for stride in array.strides])
    text = ", ".join("::-1" if each.step < 0 else ":" for each in ways)
    back = f".transpose({tuple(np.argsort(order).tolist())})[{text}]"
    return np.ascontiguousarray(array[ways].transpose(order)), back


def written(result: Any, places: Iterator[int], fresh: list[bool]) -> str:
    """The text of a result, with what was found in place of its values."""
    if isinstance(result, Value):
        place = next(places)
        return f"found[{place}]" if fresh[place] else f"found[{place}].copy()"
    if isinstance(result, dict):
        pairs = [f"{written(key, places, fresh)}: {written(each, places, fresh)}" for key, each in result.items()]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(result, (list, tuple)):
        inner = ", ".join(written(each, places, fresh) for each in result)
        return f"[{inner}]" if isinstance(result, list) else f"({inner}{',' if len(result) == 1 else ''})"
    return f"float({str(result)!r})" if isinstance(result, float) else repr(result)


class Bundle:
    """Definitions of this package that a program calls, and all that they need in turn, without the package."""

    def __init__(self, taken: set[str]) -> None:
        self.parts: dict[str, str] = {}  # by name, in the order in which they are to stand
        self.known: dict[tuple[str, int], str] = {}  # by what a module calls a thing, and its id
        self.things: list[Any] = []  # alive, so that no id is given again
        self.taken = taken

    def text(self) -> list[str]:
        """The definitions."""
        return list(self.parts.values())

    def expression(self, thing: Any, text: str, name: str) -> str:
        """What a thing is written as, where its definitions stand before it."""
        if isinstance(thing, Generator):
            source = self.enter("MersenneTwister", type(thing._source), inspect.getmodule(type(thing._source)))
            state = f"np.frombuffer({thing.get_state().tobytes()!r}, np.uint8)"
            return f"SimpleNamespace(_source={source}(0))\n{name}._source.load({state})"
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
            return self.enter(function.__name__, function, inspect.getmodule(function))
        if isinstance(thing, np.generic):
            return f"np.{thing.dtype}({thing.item()!r})"
        attributes = set(re.findall(rf"\b{name}\.(\w+)", text))
        if attributes:
            known = {each: written(getattr(thing, each), iter(()), []) for each in sorted(attributes)}
            return f"SimpleNamespace({', '.join(f'{each}={text}' for each, text in known.items())})"
        raise JitError(f"jit: save: a {type(thing).__name__} can't be written to a module of NumPy alone")

    def enter(self, name: str, thing: Any, module: ModuleType | None) -> str:
        """Add the definition of `name` in a module, and before it what it names itself; return its name here."""
        thing = inspect.unwrap(thing) if callable(thing) else thing
        known = self.known.get((name, id(thing)))
        if known is not None:
            return known
        here, count = name, 1
        while here in self.taken or hasattr(builtins, here):
            count += 1
            here = f"{name}_{count}"
        self.known[name, id(thing)] = here
        self.taken.add(here)
        self.things.append(thing)
        self.parts[here] = self.definition(name, here, thing, module)
        return here

    def definition(self, name: str, here: str, thing: Any, module: ModuleType | None) -> str:
        """The text that gives a thing of a module the name that it has here."""
        if inspect.isbuiltin(thing) and thing.__module__:
            return f"from {thing.__module__} import {thing.__name__} as {here}"
        if thing is Variable:
            return f"class {here}:\n    pass  # no array is one"
        if module is not None and name in imports(module):
            return imports(module)[name] if here == name else f"{imports(module)[name].partition(' as ')[0]} as {here}"
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
        own = names_within(node) - {wanted}
        for each in [each for each in ast.walk(node) if isinstance(each, ast.Name)]:
            home = getattr(each, "home", None)  # it stood behind one of the package's modules
            if home is not None:
                each.id = self.enter(each.id, getattr(home, each.id), home)
            elif each.id == wanted:
                each.id = here
            elif each.id not in own and each.id != "np" and not hasattr(builtins, each.id) and each.id in vars(module):
                each.id = self.enter(each.id, vars(module)[each.id], module)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            node.name = here
        return ast.unparse(node)


def names_within(node: ast.AST) -> set[str]:
    """The names of arguments, and of what is assigned, within a definition."""
    names = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
    return names | {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


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
