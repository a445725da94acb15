"""The page: one HTML file with all in it, that opens from disk and needs no network."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from ..errors import MakemoreError
from ..summary import facts, some_names
from ..training import Run
from ..vocabulary import printable
from . import pictures, texts
from .pictures import Named
from .style import svg, variables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = 60
MOST_RUNS = 10  # as many as there are colours

STYLE = """
:root{color-scheme:light dark}
body{margin:2rem auto;max-width:62rem;padding:0 1rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:2.5rem 0 .5rem}
img{display:block;width:100%;height:auto}img.narrow{max-width:40rem}
p{max-width:46rem}
table{border-collapse:collapse}
td,th{padding:.2rem 1.5rem .2rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--faint);
font-weight:normal;overflow-wrap:anywhere}
thead th,tr.differs *{font-weight:bold}
ul.names{columns:10rem;padding:0;list-style:none;overflow-wrap:anywhere}
li.known{color:var(--series1)}li.known::after{content:" *"}
"""


class Section(NamedTuple):
    """A heading, what stands under it for the reader, and the picture, an SVG image, if there is one."""

    name: str
    title: str
    text: str
    picture: str | None = None


def of_one(run: Named) -> list[Section]:
    """What the page of a run shows. To be called within `style.drawing`."""
    only = [run]
    step, points = run.run.step, len(run.run.points)
    drawn: dict[str, tuple[int, Callable[[], Figure]]] = {
        "loss": (step, lambda: pictures.loss(only)),
        "activations": (points, lambda: pictures.activations(run.run)),
        "gradients": (points, lambda: pictures.gradients(run.run)),
        "updates": (points, lambda: pictures.updates(run.run)),
        "embedding": (1, lambda: pictures.embedding(run.run)),
        "bigrams": (1, lambda: pictures.bigrams(run.run)),
    }
    return [
        Section(name, *texts.ONE[name], svg(draw()))
        if there
        else Section(name, texts.ONE[name][0], texts.NO_DIAGNOSTICS if step else texts.NO_STEP)
        for name, (there, draw) in drawn.items()
    ]


def of_several(runs: Sequence[Named]) -> list[Section]:
    """What the page of several runs shows, over each other. To be called within `style.drawing`."""
    begun = [each for each in runs if each.run.step]
    noted = [each for each in begun if len(each.run.points)]
    left_out = [each.name for each in runs if each not in noted]
    note = f" Without diagnostics, and so left out: {', '.join(left_out)}." if left_out else ""
    drawn: dict[str, tuple[list[Named], Callable[[], Figure], str]] = {
        "loss": (begun, lambda: pictures.loss(begun), ""),
        "updates": (noted, lambda: pictures.updates_of_each(noted), note),
        "saturation": (noted, lambda: pictures.saturation(noted), note),
    }
    return [
        Section(name, texts.SEVERAL[name][0], texts.SEVERAL[name][1] + more, svg(draw()))
        if there
        else Section(name, texts.SEVERAL[name][0], texts.NO_DIAGNOSTICS if begun else texts.NO_STEP)
        for name, (there, draw, more) in drawn.items()
    ]


def page(runs: Sequence[Named], sections: Sequence[Section]) -> str:
    """The page of one run or of several, as HTML."""
    title = " and ".join(name for name, _ in runs)
    parts = [f"<h1>makemore: {escape(title)}</h1>"]
    for name, run in runs:
        of = f"<bdi>{escape(name)}</bdi>: " if len(runs) > 1 else ""
        parts.append(f"<p>{of}{escape(headline(run))}</p>")
    for each in sections:
        parts.append(f"<h2>{escape(each.title)}</h2>")
        if each.picture is not None:
            data = base64.b64encode(each.picture.encode()).decode()
            narrow = ' class="narrow"' if each.name == "embedding" else ""
            parts.append(f'<img{narrow} alt="{escape(each.title)}" src="data:image/svg+xml;base64,{data}">')
        parts.append(f"<p>{escape(each.text)}</p>")
    for name, run in runs:
        heading = f"Names invented by {name}" if len(runs) > 1 else "Names invented"
        parts += [f"<h2>{escape(heading)}</h2>", names(run)]
    parts += [f"<h2>{'Side by side' if len(runs) > 1 else 'Hyperparameters and results'}</h2>", table(runs)]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>makemore: {escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<style>{variables()}{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def headline(run: Run) -> str:
    """How far it is, and how good."""
    text = f"{run.step:,} of {run.settings.steps:,} steps on {len(run.words):,} words"
    if not run.done:
        text += ", not finished"
    if run.dev_losses:
        text += f"; loss on the dev words {run.dev_losses[-1][1]:.4f}"
        text += f", where guessing all letters alike has {math.log(len(run.vocabulary)):.4f}"
    return text + "."


def names(run: Run) -> str:
    """Names, marked by whether they are in the list, as HTML."""
    try:
        drawn = some_names(run, NAMES)
    except MakemoreError:
        return "<p>The model ends nearly every name before its first letter.</p>"
    items = [f"<li{' class=known' if known else ''}><bdi>{escape(printable(name))}</bdi></li>" for name, known in drawn]
    number = sum(known for _, known in drawn)
    text = f"{number} of these {len(drawn)}, marked *, are in the list that was learned from; the others are new. "
    return f"<p>{text + texts.NAMES}</p>\n<ul class=names>\n" + "\n".join(items) + "\n</ul>"


def table(runs: Sequence[Named]) -> str:
    """Hyperparameters and results, a column for each run; hyperparameters and data that differ are marked, as HTML."""
    columns = []
    for _, run in runs:
        final = {f"{name} loss": f"{loss:.4f}" for name, loss in run.final_losses().items()}
        columns.append({**facts(run), **final})
    chosen = {"step", *runs[0].run.settings.as_dict(), "letters", "words"}
    several = len(runs) > 1
    rows = []
    for name in dict.fromkeys(name for column in columns for name in column):
        values = [column.get(name, "-") for column in columns]
        differs = name in chosen and len(set(values)) > 1
        if name == "words" and any(run.words != runs[0].run.words for _, run in runs):
            differs = True  # as many, perhaps, but others
        cells = "".join(f"<td><bdi>{escape(printable(value))}</bdi></td>" for value in values)
        mark = f"<td>{'≠' if differs else ''}</td>" if several else ""
        label = name.replace("_", " ")
        rows.append(f"<tr{' class=differs' if differs else ''}><th scope=row>{label}</th>{cells}{mark}</tr>")
    head = "".join(f"<th scope=col><bdi>{escape(name)}</bdi></th>" for name, _ in runs)
    heading = f"<thead><tr><th></th>{head}<th></th></tr></thead>\n" if several else ""
    note = f"<p>{texts.MARKED}</p>\n" if several else ""
    return f"{note}<table>\n{heading}<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"
