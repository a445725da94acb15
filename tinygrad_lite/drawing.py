"""Drawings of graphs by Graphviz, in the form of Andrej Karpathy's lecture on micrograd.

(The spelled-out intro to neural networks and backpropagation, 2022, https://youtu.be/VMj-3S1tku0.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .engine import Value

if TYPE_CHECKING:
    import graphviz

__all__ = ["draw_dot"]

RANKDIRS = ("LR", "TB", "RL", "BT")
NO_DOT = (
    "drawing: the program dot (Graphviz) is not installed; get it by `apt install graphviz`, `brew install graphviz` "
    "or `conda install graphviz`, or take the drawing as text from `.source`, which works without it"
)
# What has a meaning in the label of a node; quotes are escaped by the package graphviz.
ESCAPES = str.maketrans({"\n": r"\n", "\\": r"\\", "&": "&amp;"} | {c: "\\" + c for c in "{}|<>"})


def draw_dot(root: Value, format: str = "svg", rankdir: str = "LR") -> graphviz.Digraph:
    """Draw how `root` was computed: a box `label | data | grad` for each Value, an oval for each operation.

    The drawing shows itself in a notebook; `.render("name")` writes it to a file, `.pipe()` returns it as bytes,
    `.source` is its text in the DOT language. `format` is "svg", "png", "pdf" or another of Graphviz's, `rankdir`
    the direction of the arrows: "LR" (left to right), "TB" (top to bottom), "RL" or "BT".

    Raises TypeError where `root` is not a Value, and ValueError for an unknown format or direction. Without
    Graphviz's program `dot` only showing, `.render` and `.pipe` fail: graphviz.ExecutableNotFound says what to
    install.
    """
    if not isinstance(root, Value):
        raise TypeError(f"draw_dot: takes a Value, the root of the graph to draw, not a {type(root).__name__}")
    if rankdir not in RANKDIRS:
        raise ValueError(f"draw_dot: unknown rankdir {rankdir!r}, choose from {', '.join(RANKDIRS)}")
    drawing = _empty_drawing(format, rankdir)
    for i, (fields, op, inputs) in enumerate(_nodes(root)):
        box = target = f"n{i}"
        drawing.node(box, "{ " + " | ".join(map(_shown, fields)) + " }", shape="record")
        if op:
            target = f"op{i}"
            drawing.node(target, _shown(op))
            drawing.edge(target, box)
        for j in inputs:
            drawing.edge(f"n{j}", target)
    return drawing


def _nodes(root: Value) -> Iterator[tuple[list[str], str, list[int]]]:
    """For each node, inputs before results: the fields of its box, its operation, the places of its inputs."""
    places: dict[Value, int] = {}
    for node in root._topological():
        places[node] = len(places)
        fields = [node.label, f"data {_decimal(node.data)}", f"grad {_decimal(node.grad)}"]
        yield fields, node._op, [places[child] for child in node._prev]


def _decimal(x: float) -> str:
    """Four decimals as in the lecture, or four digits where those would be all zeros or endless."""
    return f"{x:.4f}" if x == 0 or 1e-4 <= abs(x) < 1e7 else f"{x:.4g}"


def _shown(text: str) -> str:
    """The text as a label that shows it: no character is syntax, and one without a glyph is its Python escape."""
    glyphs = (c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in str(text))
    # A record drops every space that does not follow a visible ASCII character; as an entity it stays.
    return re.sub(r"(?<![!-~]) ", "&#32;", "".join(glyphs).translate(ESCAPES))


def _empty_drawing(format: str, rankdir: str) -> graphviz.Digraph:
    """A Digraph that says what to install where `dot` is missing."""
    import graphviz

    if str(format) not in graphviz.FORMATS:
        raise ValueError(f"draw_dot: unknown format {format!r}, choose svg, png, pdf or another of Graphviz's")

    @contextmanager
    def needs_dot() -> Iterator[None]:
        try:
            yield
        except graphviz.ExecutableNotFound as error:
            error.args = (NO_DOT,)
            raise error from None

    class Drawing(graphviz.Digraph):
        def pipe(self, *args: Any, **kwargs: Any) -> Any:
            with needs_dot():
                return super().pipe(*args, **kwargs)

        def render(self, *args: Any, **kwargs: Any) -> Any:
            with needs_dot():
                return super().render(*args, **kwargs)

    drawing: graphviz.Digraph = Drawing(format=format, graph_attr={"rankdir": rankdir})
    return drawing
