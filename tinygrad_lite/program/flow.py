"""The flow of a program: which lines read what other lines wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..diagram import ARRAY, CONSTANT, PARAMETER
from .emit import Statement, shapes_of
from .replay import Replay
from .steps import Value


@dataclass(eq=False)
class Flow:
    """Statements with their shapes; what they read from outside; and who reads what.

    outside: by name, the kind ("parameter", "input", "constant") and the shape of an array.
    edges: (place of the writer among the statements, or name of an array from outside; place of the reader, or -1 for
    the caller; name of what is read).
    """

    statements: list[tuple[Statement, str]] = field(default_factory=list)
    outside: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    edges: list[tuple[int | str, int, str]] = field(default_factory=list)


def flow_of(replay: Replay) -> Flow:
    """The flow of a program, in the order in which it runs."""
    source, code = replay.source, replay.code
    flow = Flow()
    writers: dict[Value, int] = {}  # of memory
    parameters = {value for value, each in replay.tensors.items() if each.requires_grad}

    def read(value: Value, reader: int) -> None:
        name, root = source.names.get(value, value.name), value.root
        found = [writers[each] for each in (root, *code.flat.get(root, ())) if each in writers]
        for writer in dict.fromkeys(found):
            flow.edges.append((writer, reader, name))
        if not found:
            owner = source.names.get(root, name)
            parts = {root, *code.flat.get(root, ())}
            kind = PARAMETER if parts & parameters else ARRAY if parts & code.outside else CONSTANT
            flow.outside[owner] = kind, root.shape
            flow.edges.append((owner, reader, name))

    for place, statement in enumerate(source.body):
        line = statement.line
        flow.statements.append((statement, " @ ".join(map(str, shapes_of(line)))))
        for value in dict.fromkeys(line.values):
            read(value, place)
        for value in (*line.made, *line.effects):
            for each in (value.root, *code.flat.get(value.root, ())):
                writers[each] = place
    for value in code.results:
        read(value, -1)
    flow.edges = list(dict.fromkeys(flow.edges))
    return flow
