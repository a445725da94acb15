"""The command `python -m tinygrad_lite explore`: its expressions, what is no expression, and its arguments."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lite.__main__ import main
from tinygrad_lite.expression import ExpressionError, evaluate

from .test_drawing import needs_dot


@pytest.mark.parametrize(
    ("text", "value", "grads"),
    [
        ("x=2; y=3; x*y + x**2", 10.0, {"x": 7.0, "y": 2.0}),
        ("x=2\ny = -x\ny / 4", -0.5, {"x": -0.25}),
        ("x=[1, 2]; sum(x * [3, 4.5])", 12.0, {"x": [3.0, 4.5]}),
        ("w=[[1,2],[3,4]]; x=[1,-1]; sum(w @ x, axis=0)", -2.0, {"w": [[1, -1], [1, -1]], "x": [4.0, 6.0]}),
        ("x=0.5; tanh(x)", math.tanh(0.5), {"x": 1 - math.tanh(0.5) ** 2}),
        ("x=-3; abs(x)", 3.0, {"x": -1.0}),
        ("x=[1,2]; y=[3]; sum(concatenate([x, y*2]), 0)", 9.0, {"x": [1, 1], "y": [2]}),
        ("x=[[1,2],[3,4]]; cross_entropy(x, [0, 1])", None, {}),
        ("x=2*3; x**0.5 - +x", 6**0.5 - 6, {"x": 0.5 / 6**0.5 - 1}),
        ("x=2; log(x-3)", math.nan, {}),
    ],
)
def test_expressions(text, value, grads):
    root, variables = evaluate(text)
    if value is not None:
        assert np.isclose(root.item(), value, equal_nan=True)
    root.backward()
    for name, grad in grads.items():
        assert np.allclose(variables[name].grad.data, grad)


ONLY = "is not allowed: there are numbers, lists of them, names, + - * / ** @, and functions"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'there is no expression at the end; write it like "x=2; y=3; x*y + x**2"'),
        ("x=2", "there is no expression at the end"),
        ("x=2; x +", "this is not an expression: invalid syntax at character 9"),
        ("x=[1", "this is not an expression: '[' was never closed"),
        ("3 + 4", 'the last expression computes nothing of a variable; write it like "x=2; x*x"'),
        ("x=2; x", "the last expression computes nothing of a variable"),
        ("x=2; x + y", "y has no value; assign one before, such as y=2"),
        ("x=2; y = x = 3; x*y", "only assignments such as x=2 come before the last expression: y = x = 3"),
        ("import os; x=2; x*x", "only assignments such as x=2 come before the last expression: import os"),
        ("x=2; x.__class__", f"x.__class__ {ONLY}"),
        ("__import__('os').system('ls')", f"__import__('os').system('ls') {ONLY}"),
        ("x=2; (lambda: x)()", ONLY),
        ("x=2; [x for x in x]", ONLY),
        ("x=2; x[0]", ONLY),
        ("x=2; x if x else x", ONLY),
        ("x=2; x and x", ONLY),
        ("x=2; x // 2", ONLY),
        ("x=2; 'a' * x", ONLY),
        ("x=2; True * x", ONLY),
        ("x=2; 2j * x", ONLY),
        ("x=2; eval(x)", "there is no function eval"),
        ("x=2; tanh(*x)", f"*x {ONLY}"),
        ("x=2; tanh(**x)", "** is not allowed among arguments"),
        ("x=2; tanh(x, x, x)", "tanh(x, x, x): "),
        ("x=2; x**9**9**9", "9 ** 9 ** 9 is too large for a float"),
        ("x=1/0; x*x", "1 / 0: float division by zero"),
        ("x=(-1)**0.5; x*x", "(-1) ** 0.5 is not a real number"),
        ("x=[1, [2]]; x*x", "a list holds numbers, or lists of equal length"),
        ("x=['a']; x*x", "a list holds numbers"),
        ("x=[1, 2]; x @ [1, 2, 3]", "x @ [1, 2, 3]: matmul: inner dimensions differ: (2,) @ (3,), 2 != 3"),
        ("x=[1, 2]; tile(x, 10000)", "tile(x, 10000) has 20,000 elements; 10,000 are the most"),
        ("x=[1, 2]; tile(x, 10**9)", "10 ** 9: numbers may stand here"),
        ("x=[1, 2]; tile(x, 1000000000)", "1000000000: whole numbers up to 10,000 may stand here"),
        ("x=[[2,1],[1,2]]; qr(x)", "is not a real number or an array"),
        ("x=2; x" + "+x" * 6000, "the text has 12,006 characters; 5,000 are the most"),
        ("x=2; x" + "+x" * 2400, "the expression is too deep or too large"),
        ("x=2; " + "(" * 2000, "t"),
        ("x=2; " + "-" * 4000 + "x", "the expression is too deep or too large"),
        ("x=2; x\0", "this is not an expression"),
    ],
)
def test_what_is_no_expression(text, said, capsys, tmp_path):
    """One line, and status 2."""
    assert main(["explore", text, "--out", str(tmp_path / "page.html")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("explore: ")
    assert err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "page.html").exists()


@settings(deadline=None)
@given(st.text("xy=;+-*/()[]@,.1290 tanhsum\n'\"\\_:#"))
def test_any_text_gives_a_tensor_or_one_line(text):
    said = ""
    try:
        root, variables = evaluate(text)
        assert root.requires_grad
        assert variables
    except ExpressionError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


@needs_dot
def test_the_command(tmp_path):
    command = [sys.executable, "-m", "tinygrad_lite", "explore", "x=2; y=3; x*y + x**2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(tmp_path / "graph.html")
    text = (tmp_path / "graph.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])
    assert [box["name"] for box in data["boxes"]][:3] == ["x", "y", ""]


def test_the_command_without_or_with_a_wrong_argument(capsys, tmp_path):
    for arguments in ([], ["explore"], ["draw"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["explore", "x=2; x*x", "--out", str(tmp_path / "no" / "x.html")]) == 2
    assert capsys.readouterr().err.startswith(f"explore: can't write {tmp_path}/no/x.html: there is no folder")
