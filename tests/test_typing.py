"""typing_script.py names everything public, and does what it says. (CI holds it against `mypy --strict`.)"""

import ast
import inspect
import warnings
from pathlib import Path

import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional, optim

from . import typing_script

TREE = ast.parse(Path(typing_script.__file__).read_text())
NAMED = {ast.unparse(node) for node in ast.walk(TREE) if isinstance(node, (ast.Attribute, ast.Name))}
ATTRIBUTES = {node.attr for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}


def members(cls):
    return [
        name
        for each in cls.__mro__[:-1]
        for name, member in vars(each).items()
        if not name.startswith("_") and not inspect.ismemberdescriptor(member)
    ]


@pytest.mark.parametrize("name", tg.__all__)
def test_the_script_names(name):
    assert f"tg.{name}" in NAMED


@pytest.mark.parametrize("name", functional.__all__)
def test_the_script_names_of_functional(name):
    assert f"F.{name}" in NAMED


@pytest.mark.parametrize("name", members(tg.Tensor))
def test_the_script_uses_the_member(name):
    assert name in ATTRIBUTES


def test_the_script_uses_optimisers():
    assert "SGD" in NAMED
    assert set(members(optim.SGD)) <= ATTRIBUTES


def test_the_script_runs(capsys):
    with warnings.catch_warnings(action="error"):
        typing_script.main()
    assert capsys.readouterr().out.endswith(" tinygrad_lite.functional\n")
