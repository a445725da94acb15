"""Drawings of graphs by Graphviz, in the form of Andrej Karpathy's lecture on micrograd.

(The spelled-out intro to neural networks and backpropagation, 2022, https://youtu.be/VMj-3S1tku0.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .describe import describe
from .diagram import ARRAY, CONSTANT, PARAMETER, RESULT, Box, Diagram, roots_of
from .engine import Value
from .program.compiled import Bound, Compiled
from .program.flow import Flow, flow_of
from .tensor import Tensor
from .variable import Variable

if TYPE_CHECKING:
    import graphviz

__all__ = ["draw_dot"]

RANKDIRS = ("LR", "TB", "RL", "BT")
NO_DOT = (
    "the program dot (Graphviz) is not installed; get it by `apt install graphviz`, `brew install graphviz` "
    "or `conda install graphviz`"
)
COLOURS = {PARAMETER: "#cde9d3", ARRAY: "#d3e4f8", CONSTANT: "#e6e6e6", RESULT: "#ffffff", "operation": "#ffefc9"}
TEXT, FONT = "#1c1e21", "Helvetica,Arial,sans-serif"
MANY = 100  # boxes
LONGEST = 60  # characters of a line of a program that are shown
# What has a meaning in the label of a node; quotes are escaped by the package graphviz.
ESCAPES = str.maketrans({"\n": r"\n", "\\": r"\\", "&": "&amp;"} | {c: "\\" + c for c in "{}|<>"})


def draw_dot(
    root: Value | Tensor | Sequence[Value | Tensor] | Compiled | Bound,
    format: str = "svg",
    rankdir: str = "LR",
    depth: int | None = None,
    max_nodes: int | None = 300,
) -> graphviz.Digraph:
    """Draw how `root` was computed: a box for each number or array, an oval for each operation with its arguments.

    root: a Value, a Tensor, a list of either; or a jitted function that was called, of which the program is drawn: its
    lines, and the arrays that they hand on. The box of a Value is `label | data | grad`, that of a Tensor its name,
    where a variable or an attribute has one, dtype and shape, and mean and standard deviation of data and gradient,
    where they are there. Parameters are green, inputs blue, constants grey. It works after `backward()`, too: data that
    the graph does not keep are computed again, and left out where something was changed since.

    depth: how many operations to go back from the root. max_nodes: how many boxes to show, those nearest to the root;
    None for all. A box tells how many were left out.

    The drawing shows itself in a notebook; `.render("name")` writes it to a file, `.pipe()` returns it as bytes,
    `.source` is its text in the DOT language. `format` is "svg", "png", "pdf" or another of Graphviz's, `rankdir`
    the direction of the arrows: "LR" (left to right), "TB" (top to bottom), "RL" or "BT".

    Raises TypeError where `root` is none of these, and ValueError for an empty graph, an unknown format or direction,
    or a limit that is no number; JitError for a jitted function that was not called yet. Without Graphviz's program
    `dot` only showing, `.render` and `.pipe` fail: graphviz.ExecutableNotFound says what to install.
    """
    program = isinstance(root, (Compiled, Bound))
    roots = [] if program else roots_of("draw_dot", root)
    if rankdir not in RANKDIRS:
        raise ValueError(f"draw_dot: unknown rankdir {rankdir!r}, choose from {', '.join(RANKDIRS)}")
    for name, limit, least in (("depth", depth, 0), ("max_nodes", max_nodes, 1)):
        if limit is not None and (not isinstance(limit, int) or limit < least):
            raise ValueError(f"draw_dot: {name}= takes a whole number from {least} on, or None; got {limit!r}")
    drawing = empty_drawing(format, rankdir)
    if program:
        if depth is not None:
            raise ValueError("draw_dot: depth= is for the graphs of Values and Tensors; a program has max_nodes= only")
        _draw_program(drawing, flow_of(cast(Any, root)._last("draw_dot")[0]), max_nodes)
    else:
        _draw_graph(drawing, describe(roots, {} if isinstance(roots[0], Value) else None), depth, max_nodes)
    return drawing


def _draw_graph(drawing: graphviz.Digraph, diagram: Diagram, depth: int | None, max_nodes: int | None) -> None:
    """Draw boxes, inputs before results, and the operations between them."""
    shown = diagram.nearest(depth, max_nodes)
    layout_quickly(drawing, len(shown))
    of_tensors = isinstance(diagram.boxes[diagram.roots[0]].thing, tuple)
    if of_tensors:
        _style(drawing)
    drawn: dict[int, str] = {}  # what stands for each call: its oval, or for one without a name, its result
    for i, box in enumerate(diagram.boxes):
        if i not in shown:
            continue
        colour = {"fillcolor": COLOURS[box.kind]} if of_tensors else {}
        drawing.node(f"n{i}", "{ " + " | ".join(map(shown_text, fields(box))) + " }", shape="record", **colour)
        if box.call is None:
            continue
        call, fresh = diagram.calls[box.call], box.call not in drawn
        if fresh:
            drawn[box.call] = f"op{i}" if call.name else f"n{i}"
            if call.name:
                label = shown_text(f"{call.name} {call.arguments}" if call.arguments else call.name)
                drawing.node(f"op{i}", label, **({"fillcolor": COLOURS["operation"]} if of_tensors else {}))
        target = drawn[box.call]
        if call.name:
            drawing.edge(target, f"n{i}")
        if fresh:
            sources = [f"n{j}" if j in shown else "more" for _, j in call.inputs]
            for j, source in enumerate(sources):
                if source != "more" or "more" not in sources[:j]:
                    drawing.edge(source, target)
    if len(shown) < len(diagram.boxes):
        drawing.node("more", f"... {len(diagram.boxes) - len(shown):,} more", shape="plaintext")


def fields(box: Box) -> list[str]:
    """What stands in a box."""
    if not isinstance(box.thing, (tuple, Variable)) and box.thing is not None:
        return [box.name, f"data {decimal(box.data)}", f"grad {decimal(box.grad)}"]
    if box.kind == CONSTANT:
        return [box.name if not isinstance(box.dtype, np.dtype) else box.name or summary(box.data)]
    texts = [box.name] if box.name else []
    texts.append(kind_of(box))
    texts += [f"data {summary(box.data)}"] if box.data is not None else []
    return texts + ([f"grad {summary(box.grad)}"] if box.grad is not None else [])


def kind_of(box: Box) -> str:
    """Dtype and shape: `float32[32, 200]`."""
    return f"{box.dtype}{list(box.shape) if box.shape else ''}"


def summary(array: Any) -> str:
    """The number in an array of one element; mean and standard deviation of others."""
    array = np.asarray(array)
    if array.size == 1:
        return decimal(float(array.item()))
    if not array.size:
        return "empty"
    with np.errstate(all="ignore"):
        numbers = array.astype(np.float64)
        return f"mean {decimal(float(numbers.mean()))} std {decimal(float(numbers.std()))}"


def _draw_program(drawing: graphviz.Digraph, flow: Flow, most: int | None) -> None:
    """Draw the lines of a program by its phases, and the arrays that lead from one to another."""
    _style(drawing)
    shown = len(flow.statements) if most is None else min(most, len(flow.statements))
    phases = dict.fromkeys(statement.line.phase for statement, _ in flow.statements[:shown])
    for phase in phases:
        with drawing.subgraph(name=f"cluster_{phase}") as part:
            part.attr(label=phase, color="#9a9a9a", style="rounded", fontname=FONT)
            for place, (statement, shapes) in enumerate(flow.statements[:shown]):
                if statement.line.phase == phase:
                    text = statement.text if len(statement.text) <= LONGEST else f"{statement.text[: LONGEST - 4]} ..."
                    label = shown_text("\n".join(filter(None, [text, shapes])))
                    part.node(f"line{place}", label, shape="box", fontname="monospace", fillcolor=COLOURS["operation"])
    edges: dict[tuple[str, str, str], None] = {}  # without repetition, in their order
    for source, reader, name in flow.edges:
        start = f"array_{source}" if isinstance(source, str) else f"line{source}" if source < shown else "more"
        end = "return" if reader < 0 else f"line{reader}" if reader < shown else "more"
        if end != "more":  # what the lines that are left out read is left out, too
            edges[start, end, "" if name == source else name] = None
    for name in dict.fromkeys(source for source, reader, _ in flow.edges if isinstance(source, str) and reader < shown):
        kind, shape = flow.outside[name]
        drawing.node(f"array_{name}", shown_text(f"{name}\n{shape}"), shape="box", fillcolor=COLOURS[kind])
    if any(end == "return" for _, end, _ in edges):
        drawing.node("return", "return", shape="box", fillcolor=COLOURS[RESULT])
    if shown < len(flow.statements):
        drawing.node("more", f"... {len(flow.statements) - shown:,} more", shape="plaintext")
        drawing.edge(f"line{shown - 1}", "more", style="dashed")
    for start, end, name in edges:
        drawing.edge(start, end, label=shown_text(name) if name else None)


def _style(drawing: graphviz.Digraph) -> None:
    """Dark text on light boxes and a white ground: readable in light and dark notebooks."""
    drawing.attr("graph", bgcolor="white", fontcolor=TEXT)
    text = {"fontname": FONT, "fontcolor": TEXT}
    drawing.attr("node", style="filled", fillcolor="white", color="#5f6368", fontsize="12", **text)
    drawing.attr("edge", color="#5f6368", fontsize="10", **text)


def layout_quickly(drawing: graphviz.Digraph, boxes: int) -> None:
    """Let dot not seek the very best layout where there are many boxes: it would take minutes."""
    if boxes > MANY:
        drawing.attr("graph", nslimit="0.3", nslimit1="2", mclimit="0.3")


def decimal(x: float) -> str:
    """Four decimals as in the lecture, or four digits where those would be all zeros or endless."""
    return f"{x:.4f}" if x == 0 or 1e-4 <= abs(x) < 1e7 else f"{x:.4g}"


def shown_text(text: str) -> str:
    """The text as a label that shows it: no character is syntax, and one without a glyph is its Python escape."""
    glyphs = (c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in str(text))
    # A record drops every space that does not follow a visible ASCII character; as an entity it stays.
    return re.sub(r"(?<![!-~]) ", "&#32;", "".join(glyphs).translate(ESCAPES))


def empty_drawing(format: str, rankdir: str, what: str = "drawing") -> graphviz.Digraph:
    """A Digraph that says what to install where `dot` is missing. what: what it is for."""
    import graphviz

    if str(format) not in graphviz.FORMATS:
        raise ValueError(f"draw_dot: unknown format {format!r}, choose svg, png, pdf or another of Graphviz's")

    @contextmanager
    def needs_dot() -> Iterator[None]:
        try:
            yield
        except graphviz.ExecutableNotFound as error:
            way = ", or take the drawing as text from `.source`, which works without it" if what == "drawing" else ""
            error.args = (f"{what}: {NO_DOT}{way}",)
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
