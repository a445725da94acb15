"""A page that steps through a graph, forward and backward: one file, for a browser, without a network.

steps.py                        what happens in the backward, written down while the engine does it
markup.py                       graph and steps as the text of the page
page.html, page.css, page.js    what that is made of
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..describe import describe
from ..diagram import roots_of
from ..engine import Value
from ..mode import thread
from ..tensor import Tensor
from ..variable import Variable, refuse_stale

MOST = 600  # boxes on a page


def explore(root: Value | Tensor, path: str | os.PathLike[str] = "graph.html") -> Path:
    """Write a page that walks through the graph of `root` in a browser, and return its path.

    Forward, the values appear in order; backward, one node at a time passes its gradient on: the cotangent that comes
    in, the rule of the operation, what it reads, and the gradients that add up in the inputs. The order and the numbers
    are those of the engine's own backward, which is run for this. A root with several elements stands for their sum.
    Gradients, data and graph stay as they are; hooks are called.

    The page is one file that needs no network. Graphviz's program `dot` must be there.

    Raises TypeError where `root` is neither a Value nor a Tensor; ValueError for an empty graph, or one that is too
    large; RuntimeError where its arrays were freed by `backward()`; OSError where the path can't be written;
    graphviz.ExecutableNotFound without `dot`.
    """
    return write(root, path, None)


def write(root: Any, path: str | os.PathLike[str], names: dict[Any, str] | None) -> Path:
    """Write the page. names: of Tensors or Values; None: what the user's variables call them."""
    from .markup import page  # and with it json and html, when a page is written
    from .steps import steps_of

    if isinstance(root, (list, tuple)):
        raise TypeError(f"explore: takes a Value or a Tensor, the root of the graph, got {type(root).__name__}")
    roots_of("explore", root)
    if isinstance(root, Value) and not root._prev:
        raise ValueError("explore: the graph is empty: this Value is a number, not computed from others")
    target = Path(path)
    with told(target):
        refuse(target)
    if isinstance(root, Variable):
        if thread.mode.watch is not None:
            thread.mode.watch.asks("explore() asks for numbers")
        refuse_stale("explore", root)
    diagram = describe([root], names)
    if len(diagram.boxes) > MOST:
        raise ValueError(
            f"explore: the graph has {len(diagram.boxes):,} nodes, and a page shows {MOST:,} at most; "
            "explore a smaller part, or draw_dot(root, max_nodes=300)"
        )
    if any(getattr(call.node, "saved", ()) is None for call in diagram.calls):
        raise RuntimeError(
            "explore: the arrays of this graph were freed by backward(); "
            "call backward(retain_graph=True), or explore before backward()"
        )
    text = page(diagram, steps_of(root, diagram))
    with told(target):
        target.write_text(text, encoding="utf-8")
    return target


@contextmanager
def told(target: Path) -> Iterator[None]:
    """Tells what the system says of a path in one line of ours."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        raise type(error)(f"explore: can't write {target}: {error.strerror}") from None


def refuse(target: Path) -> None:
    """Raise where a file can't be there."""
    if target.is_dir():
        raise IsADirectoryError(f"explore: {target} is a folder; give a file in it, such as {target / 'graph.html'}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"explore: can't write {target}: there is no folder {target.parent}")
