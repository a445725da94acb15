"""What `import tinygrad_lite` brings with it, and the names that it offers."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys

import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional, optim


def modules_after(statement):
    """The top-level modules that a fresh interpreter holds after a statement."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_import_brings_numpy_and_the_standard_library_only():
    brought = modules_after("import tinygrad_lite") - modules_after("import numpy")
    assert brought - sys.stdlib_module_names == {"tinygrad_lite"}


def test_the_scalar_engine_needs_no_numpy_of_its_own():
    source = inspect.getsource(importlib.import_module("tinygrad_lite.engine"))
    assert "numpy" not in [line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith("import ")]
    assert not any(line.startswith("from numpy") for line in source.splitlines())


def test_no_third_party_before_it_is_needed():
    loaded = modules_after("import tinygrad_lite as tg; (tg.tensor([1.0], requires_grad=True) * 2).sum().backward()")
    assert not loaded & {"graphviz", "hypothesis", "torch", "pytest", "matplotlib", "tqdm", "scipy"}


def submodules():
    return [name.split(".")[-1] for _, name, _ in pkgutil.walk_packages(tg.__path__, "tinygrad_lite.")]


@pytest.mark.parametrize("name", submodules())
def test_no_submodule_has_the_name_of_a_public_function(name):
    public = getattr(tg, name, None) if name in tg.__all__ else None
    assert not callable(public) or name == "tensor"  # whose module must be the file of Tensor: DESIGN.md, section 3


def test_tensor_is_the_function_and_not_the_module():
    assert inspect.isfunction(tg.tensor)
    importlib.import_module("tinygrad_lite.tensor")
    assert inspect.isfunction(tg.tensor)


@pytest.mark.parametrize("module", [tg, functional], ids=lambda module: module.__name__)
def test_all_names_what_there_is(module):
    assert len(set(module.__all__)) == len(module.__all__)
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    if module is tg:
        here = {n for n, value in vars(tg).items() if not n.startswith("_") and not inspect.ismodule(value)}
        assert here <= set(tg.__all__)


def public():
    for module in (tg, functional):
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.ismodule(value):
                yield f"{module.__name__}.{name}", value
    for cls in (tg.Tensor, optim.SGD):
        for name, member in vars(cls).items():
            if not name.startswith("_"):
                yield f"{cls.__name__}.{name}", member


PUBLIC = dict(public())


@pytest.mark.parametrize("name", [name for name in PUBLIC if not isinstance(PUBLIC[name], (int, str))])
def test_everything_public_says_what_it_is(name):
    """A docstring whose first line is a sentence, and annotations for all that goes in and comes out."""
    member = PUBLIC[name]
    if inspect.ismemberdescriptor(member):
        pytest.skip("a slot")
    doc = inspect.getdoc(member)
    assert doc
    assert doc.split("\n\n")[0].rstrip(" )")[-1] in ".:"
    function = member.fget if isinstance(member, property) else member
    if inspect.isfunction(function):
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty
        parameters = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
        assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters)


def test_functions_have_their_own_name_and_signature():
    for name in ("tanh", "sum", "concatenate", "matmul"):
        assert getattr(tg, name).__name__ == name
    assert list(inspect.signature(tg.sum).parameters) == ["a", "axis", "keepdims"]
    assert list(inspect.signature(functional.cross_entropy).parameters) == ["logits", "targets"]
    assert list(inspect.signature(functional.linear).parameters) == ["x", "weight", "bias"]


def test_version():
    assert tg.__version__.count(".") == 2
