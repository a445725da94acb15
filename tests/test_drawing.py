"""draw_dot by its DOT source, and as rendered where the program dot is installed."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import graphviz
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinygrad_lite.drawing import draw_dot
from tinygrad_lite.engine import Value

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs the program dot (Graphviz)")


def test_the_source_of_a_small_graph() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    c.backward()
    drawing = draw_dot(c.tanh() ** 2)
    assert isinstance(drawing, graphviz.Digraph)
    assert [line.strip() for line in drawing.source.splitlines()] == [
        "digraph {",
        "graph [rankdir=LR]",
        'n0 [label="{ a | data 2.0000 | grad -3.0000 }" shape=record]',
        'n1 [label="{ b | data -3.0000 | grad 2.0000 }" shape=record]',
        'n2 [label="{ c | data -6.0000 | grad 1.0000 }" shape=record]',
        'op2 [label="*"]',
        "op2 -> n2",
        "n0 -> op2",
        "n1 -> op2",
        'n3 [label="{  | data -1.0000 | grad 0.0000 }" shape=record]',
        "op3 [label=tanh]",
        "op3 -> n3",
        "n2 -> op3",
        'n4 [label="{  | data 1.0000 | grad 0.0000 }" shape=record]',
        'op4 [label="**2"]',
        "op4 -> n4",
        "n3 -> op4",
        "}",
    ]


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=12))
@example([(0, 0)] * 12)
def test_every_value_and_edge_is_drawn_once(pairs: list[tuple[int, int]]) -> None:
    values = [Value(0.5, label="v0")]
    for i, j in pairs:
        out = values[i % len(values)] * values[j % len(values)]
        out.label = f"v{len(values)}"
        values.append(out)
    source = draw_dot(values[-1]).source
    labels = dict(re.findall(r"(n\d+) \[label=\"{ (v\d+) ", source))
    edges = re.findall(r"(\w+) -> (\w+)", source)
    result = {op: labels[box] for op, box in edges if op.startswith("op")}
    drawn = [(labels[box], result[op]) for box, op in edges if op.startswith("op")]
    expected = {(child.label, v.label) for v in values[-1]._topological() for child in v._prev}
    assert sorted(labels.values()) == sorted({values[-1].label} | {label for pair in expected for label in pair})
    assert sorted(drawn) == sorted(expected)
    assert source == draw_dot(values[-1]).source


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_direction_and_format(rankdir: str) -> None:
    drawing = draw_dot(Value(1.0), format="png", rankdir=rankdir)
    assert f"rankdir={rankdir}" in drawing.source
    assert drawing.format == "png"
    assert draw_dot(Value(1.0)).format == "svg"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0000"),
        (-1.0, "-1.0000"),
        (2 / 3, "0.6667"),
        (123456.789, "123456.7890"),
        (1e-4, "0.0001"),
        (-1.5e-9, "-1.5e-09"),
        (1e300, "1e+300"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_stay_readable(number: float, text: str) -> None:
    x = Value(number)
    x.grad = number
    assert f"| data {text} | grad {text} }}" in draw_dot(x).source


def test_an_operation_without_a_name_is_an_edge() -> None:
    source = draw_dot(Value(1.0, (Value(2.0),))).source
    assert re.findall(r"(\w+) -> (\w+)", source) == [("n0", "n1")]


def test_a_deep_chain_is_drawn_without_recursion() -> None:
    v = Value(1.0)
    for _ in range(50_000):
        v = -v
    assert draw_dot(v, max_nodes=None).source.count(" [label=") == 100_001


# --------------------------------------------------------------------------------------------- labels

HOSTILE = [
    '"',
    "|",
    "{}",
    "<b>bold</b>",
    "<>",
    "<port> x",
    "\\",
    '\\"',
    "\\N \\G \\n \\l",
    "&lt; &#60; &amp;",
    "<script>alert(1)</script>",
    '"]; evil [label="x',
    "two\nlines",
    "node",
    "3:n",
    "// no comment",
    "ä λ ☃ 🙂 x",
    "  two  and   three",
]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ('say "hi"', r"say \"hi\""),
        ("a|b", r"a\|b"),
        ("{a}", r"\{a\}"),
        ("<b>", r"\<b\>"),
        ("\\N", r"\\N"),
        ("a\nb", r"a\nb"),
        (" a  b c", "&#32;a &#32;b c"),
        ("ä b", "ä&#32;b"),
        ("&lt;", "&amp;lt;"),
        ("a\tb\0", r"a\\tb\\x00"),
        ("\ud800", r"\\ud800"),
        ("\u202e", r"\\u202e"),
    ],
)
def test_labels_are_escaped(label: str, shown: str) -> None:
    assert f'[label="{{ {shown} | data' in draw_dot(Value(1.0, label=label)).source
    assert f'op1 [label="{shown}"]' in draw_dot(Value(1.0, (Value(1.0),), label)).source


def test_a_label_that_is_no_text_is_shown_as_text() -> None:
    assert "{ 3 | data" in draw_dot(Value(1.0, label=3)).source


def inked(lines: list[str]) -> list[str]:
    """Without blank lines and blanks at the end of a line, which cannot be seen; an SVG has runs of blanks as nbsp."""
    return [line.replace("\xa0", " ").rstrip() for line in lines if line.strip()]


def nodes_shown(drawing: graphviz.Digraph) -> dict[str, list[str]]:
    """The lines of text in each rendered node."""
    svg = "{http://www.w3.org/2000/svg}"
    groups = ET.fromstring(drawing.pipe(format="svg")).iter(f"{svg}g")
    nodes = [g for g in groups if g.get("class") == "node"]
    return {g.findtext(f"{svg}title", ""): inked([t.text or "" for t in g.iter(f"{svg}text")]) for g in nodes}


@needs_dot
@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("\"'|{}<>\\&;:n \n[]-aé").filter(str.strip), min_size=1, max_size=15))
@example(HOSTILE)
def test_rendered_labels_read_as_written(labels: list[str]) -> None:
    """As the label of a Value, and as the name of an operation."""
    children = [Value(0.0, (Value(1.0, label=label),), label) for label in labels]
    shown = nodes_shown(draw_dot(Value(0.0, children)))
    for k, label in enumerate(labels):
        written = inked(label.split("\n"))
        assert shown[f"n{2 * k}"] == [*written, "data 1.0000", "grad 0.0000"]
        assert shown[f"op{2 * k + 1}"] == written


# ------------------------------------------------------------------------------------------- rendering


@needs_dot
@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_rendering(format: str, start: bytes, tmp_path: Path) -> None:
    x = Value(2.0, label="x")
    drawing = draw_dot(x * x, format=format)
    assert drawing.pipe().startswith(start)
    written = drawing.render(tmp_path / "graph")
    assert written == str(tmp_path / f"graph.{format}")
    assert Path(written).read_bytes().startswith(start)


@needs_dot
def test_it_shows_itself_in_a_notebook() -> None:
    (svg,) = draw_dot(Value(2.0, label="x"))._repr_mimebundle_().values()
    assert "data 2.0000" in svg


@pytest.mark.parametrize(
    "use", [lambda d: d.pipe(), lambda d: d.render("graph"), lambda d: d.view("graph"), lambda d: d._repr_mimebundle_()]
)
def test_without_dot_the_error_says_what_to_install(
    use: Callable[[graphviz.Digraph], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    drawing = draw_dot(Value(2.0, label="x"))
    assert "data 2.0000" in drawing.source
    with pytest.raises(graphviz.ExecutableNotFound) as caught:
        use(drawing)
    assert str(caught.value) == (
        "drawing: the program dot (Graphviz) is not installed; get it by `apt install graphviz`, "
        "`brew install graphviz` or `conda install graphviz`, "
        "or take the drawing as text from `.source`, which works without it"
    )
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_graphviz_is_imported_by_the_first_drawing() -> None:
    script = """
import sys
from tinygrad_lite.drawing import draw_dot
from tinygrad_lite.engine import Value
before = "graphviz" in sys.modules
draw_dot(Value(1.0))
print(before, "graphviz" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True"


# ---------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "draw_dot: takes a Value or a Tensor, the root of the graph, got int"),
        ((None,), TypeError, "draw_dot: takes a Value or a Tensor, the root of the graph, got NoneType"),
        (([],), ValueError, "draw_dot: the list of roots is empty"),
        (([Value(1), 2],), TypeError, "draw_dot: takes a Value or a Tensor, the root of the graph, got int"),
        (
            (Value(1), "xyz"),
            ValueError,
            "draw_dot: unknown format 'xyz', choose svg, png, pdf or another of Graphviz's",
        ),
        ((Value(1), None), ValueError, "draw_dot: unknown format None, choose svg, png, pdf or another of Graphviz's"),
        (
            (Value(1), ["a"]),
            ValueError,
            "draw_dot: unknown format ['a'], choose svg, png, pdf or another of Graphviz's",
        ),
        ((Value(1), "svg", "UP"), ValueError, "draw_dot: unknown rankdir 'UP', choose from LR, TB, RL, BT"),
        ((Value(1), "svg", None), ValueError, "draw_dot: unknown rankdir None, choose from LR, TB, RL, BT"),
    ],
)
def test_errors(arguments: tuple[Any, ...], error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        draw_dot(*arguments)
    assert str(caught.value) == message
