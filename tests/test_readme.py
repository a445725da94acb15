"""What README.md says is so: its Python runs, and prints what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.op import table

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_python_runs_and_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) == 7
    before, namespace = set(table), {}
    try:
        for block in BLOCKS:
            if "def tanh" in block:  # an excerpt: the entry as it stands in the table
                rule = table["tanh"].vjp
                assert callable(rule)
                assert rule(2.0, 0.5) == 2.0 * (1 - 0.5 * 0.5)
            else:
                exec(block, namespace)
        namespace["test_bell"]()
    finally:
        for name in set(table) - before:
            del table[name]
    printed = capsys.readouterr().out
    assert "7.0 2.0\n" in printed
    assert printed.count("tensor([ 3., 12.])\n") == 2
    assert "0.2403\n" in printed
    assert "tensor([[ 3.,  0.],\n        [ 0., 12.]])\n" in printed


def test_the_error_that_is_shown() -> None:
    with pytest.raises(ValueError, match=r"matmul: .*") as caught:
        tg.zeros((32, 45)) @ tg.zeros((30, 200))
    assert f"ValueError: {caught.value}" in README


def test_both_lines_of_set_up_stand_at_the_top() -> None:
    lines = [line.strip() for line in README.splitlines()[:15]]
    for line in (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[app]' && .venv/bin/makemore train",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ):
        assert line in lines


def test_the_excerpt_of_the_table_is_what_stands_there() -> None:
    source = (Path(tg.__file__).parent / "ops" / "elementwise.py").read_text()
    excerpt = next(block for block in BLOCKS if "def tanh" in block)
    assert excerpt in source
    assert np.isclose(tg.tanh(tg.tensor(0.5)).item(), np.tanh(0.5))
