"""What an import brings along, and that every public name is where it should be."""

import ast
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_lite as tg

SCRIPT = Path(__file__).with_name("typing_script.py")
MODULES = {
    "tg": tg.__all__,
    "F": tg.functional.__all__,
    "Tensor": [name for name in vars(tg.Tensor) if not name.startswith("_")],
    "linalg": tg.linalg.__all__,
    "testing": tg.testing.__all__,
    "optim": ["SGD"],
}


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("module", ["tinygrad_lite", "tinygrad_lite.engine", "tinygrad_lite.testing"])
def test_an_import_brings_numpy_and_the_standard_library_only(module):
    code = f"import sys; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    loaded = {name.partition(".")[0] for name in run(code).split()}
    assert "tinygrad_lite" in loaded
    assert loaded - sys.stdlib_module_names <= {"tinygrad_lite", "numpy"}


def test_numpy_s_slower_parts_are_not_imported_either():
    code = "import sys, numpy; before = set(sys.modules); import tinygrad_lite; print(*(set(sys.modules) - before))"
    assert not {name for name in run(code).split() if name.startswith("numpy.random")}


def test_no_submodule_has_the_name_of_a_public_function():
    modules = {name for _, name, _ in pkgutil.walk_packages(tg.__path__)}
    assert {name for name in modules & set(tg.__all__) if not inspect.ismodule(getattr(tg, name))} <= {"tensor"}
    assert callable(tg.tensor)


def test_public_names_exist_once_and_are_documented():
    for module in (tg, tg.functional, tg.linalg, tg.testing):
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            assert getattr(module, name).__doc__, name
    for name in MODULES["Tensor"]:
        assert getattr(tg.Tensor, name).__doc__, name


def test_star_import():
    code = "from tinygrad_lite import *; from tinygrad_lite.functional import *; print(tensor([1.0]), relu)"
    assert run(code).startswith("tensor([1.])")


@pytest.mark.parametrize("owner", MODULES)
def test_the_typing_script_names_every_public_name(owner):
    """`.ci/run` runs `mypy --strict` on it."""
    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    places = ("x", "y", "loss") if owner == "Tensor" else (owner,)
    assert not [name for name in MODULES[owner] if not any((place, name) in used for place in places)]


def test_the_typing_script_runs():
    subprocess.run([sys.executable, str(SCRIPT)], check=True, timeout=60)


@pytest.mark.slow
def test_the_typing_script_passes_mypy():
    command = [sys.executable, "-m", "mypy", "--strict", str(SCRIPT)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout
