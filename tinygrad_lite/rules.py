"""The rules of the table as text: what the documentation and the page show stands in the source, and only there."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

from .op import Rule


@cache
def tree(path: str) -> tuple[str, ast.Module]:
    """The source of a file, and what it means."""
    try:
        source = Path(path).read_text(encoding="utf-8")
    except OSError:
        raise LookupError(f"the source {path} is not there") from None
    return source, ast.parse(source)


def definition(function: Any) -> tuple[str, ast.FunctionDef]:
    """The source of the file that a function stands in, and its definition there."""
    code = inspect.unwrap(function).__code__
    source, module = tree(code.co_filename)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *[each.lineno for each in node.decorator_list]])
            if first <= code.co_firstlineno <= node.body[0].lineno:
                return source, node
    raise LookupError(f"the source of {function} is not where it says")


def code_of(source: str, first: int, last: int | None) -> str:
    """Some lines of a file, as far to the left as they go, without remarks for the type checker."""
    text = textwrap.dedent("\n".join(source.splitlines()[first - 1 : last]))
    return re.sub(r"  # type: ignore.*", "", text)


@cache
def lambdas(path: str) -> list[tuple[tuple[int, int], tuple[int, int], str]]:
    """Where each lambda of a file begins and ends to compute, by line and column, and what; inner ones first."""
    source, module = tree(path)
    bodies = [node.body for node in ast.walk(module) if isinstance(node, ast.Lambda)][::-1]
    return [
        (
            (body.lineno, body.col_offset),
            (body.end_lineno or 0, body.end_col_offset or 0),
            " ".join((ast.get_source_segment(source, body) or "").split()),
        )
        for body in bodies
    ]


def rule_text(rule: Rule) -> str:
    """What a rule computes: a lambda as it stands in the source, `g * (1 - out * out)`; a function as a call of it.

    Raises LookupError where the source of a lambda is not there.
    """
    code = rule.__code__
    if rule.__name__ != "<lambda>":
        return f"{rule.__name__}({', '.join(code.co_varnames[: code.co_argcount])})"
    places = [(line, column) for line, _, column, end in code.co_positions() if end]
    for first, last, text in lambdas(code.co_filename):
        if any(first <= place < last for place in places):
            return text
    raise LookupError(f"the source of {rule} is not where it says")


def rule_source(rule: Rule) -> str:
    """The definition of a rule that is a function. Raises LookupError where its source is not there."""
    source, node = definition(rule)
    return code_of(source, node.lineno, node.end_lineno)
