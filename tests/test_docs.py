"""docs/operations.md is what the table says, and docs/in_place.md what happens."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.op import table

from .scripts import script
from .torch_backend import torch

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def docs():
    return script(DOCS / "generate.py")


@pytest.fixture(scope="module")
def text(docs):
    return docs.generate()


def test_operations_are_current(text):
    written = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert written == text, "the table has changed: run `python docs/generate.py` and commit operations.md"


def test_every_operation_is_there_with_its_docstring_and_its_rule(docs, text):
    entries = {part.partition("\n")[0]: part for part in text.split("\n### ")[1:]}
    for op in table.values():
        if op.function.__module__.startswith("tinygrad_lite.ops."):
            lines = entries[op.name].splitlines()
            assert lines[2].startswith("`"), op.name
            assert docs.escaped(op.function.__doc__.splitlines()[0]) in lines, op.name
            if op.vjp is not None:
                assert all(any(f"g_{name}" in line for line in lines) for name in op.carriers), op.name
    assert "lambda>" not in text


def test_an_entry(docs):
    """What a lambda computes, whatever stands beside it; a rule that several share; a composite; outputs."""

    def entry(name, shown=None):
        return "\n".join(docs.entry(table[name], {} if shown is None else shown))

    assert entry("divide").endswith("```python\ng_x = g / y\ng_y = -g * (x / y / y)\n```")
    assert "`tg.divide(x, y)` · `np.divide`" in entry("divide")
    assert "Smooth for `y` not at 0." in entry("divide")
    shown = {}
    assert "def _extreme_rule(" in entry("max", shown)
    assert "# as for max" in entry("min", shown)
    assert "def _extreme_rule(" not in entry("min", shown)
    assert "*A composite:*" in entry("hstack")
    assert "Returns `out`; `tanh` is kept for the rule." in entry("gelu")
    assert "*No derivative.*" in entry("argmax")


IN_PLACE = (DOCS / "in_place.md").read_text(encoding="utf-8").partition("## Followed here")
REFUSED, FOLLOWED = (re.findall(r"```python\n(.*?)```", part, re.DOTALL) for part in IN_PLACE[::2])


@pytest.mark.parametrize("block", REFUSED)
def test_what_is_refused_in_place_beyond_torch(block):
    """The last line raises what stands beside it; torch goes on."""
    exec(block, {"tg": torch})
    kind, message = re.search(r"# (\w+): (.*)$", block).groups()
    with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
        exec(block, {"tg": tg})
    assert caught.typename == kind
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("block", FOLLOWED)
def test_what_is_followed_in_place_beyond_torch(block):
    """The gradient is what stands beside the last line; torch raises."""
    namespace = {"tg": tg}
    exec(block, namespace)
    assert str(namespace["leaf"].grad.tolist()) == re.search(r"# leaf.grad: (.*)$", block)[1]
    with pytest.raises(RuntimeError):
        exec(block, {"tg": torch})


def test_the_ways_out_that_are_mentioned():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True) * 1.0
    x[0] *= 2.0
    x[np.arange(2), np.arange(2)] *= 2.0
    np.fill_diagonal(x, 1.0)
    x.sum().backward()
    assert x.tolist() == [[1.0, 4.0], [3.0, 1.0]]
    assert len(REFUSED) == 6
    assert len(FOLLOWED) == 3
