"""How pictures look, and how they are written: one file that suits a light page and a dark one."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MakemoreError
from ..files import write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = {  # on a light page, and on a dark one
    "paper": ("#ffffff", "#15181d"),
    "ink": ("#20242a", "#e4e8ee"),
    "faint": ("#d5dae1", "#3a414b"),
    "series0": ("#2563a8", "#6cb0f5"),
    "series1": ("#c8590a", "#f79a4b"),
    "series2": ("#2b7d4f", "#63c48d"),
    "series3": ("#a0357f", "#e07cc3"),
    "series4": ("#8f7500", "#d9bc3a"),
    "series5": ("#0f8391", "#4fc9d6"),
    "series6": ("#6a6f78", "#a3a9b3"),
    "series7": ("#b3282d", "#f2777a"),
    "series8": ("#6247b8", "#a896f5"),
    "series9": ("#7a4b2a", "#c99a74"),
}
PAPER, INK, FAINT, *SERIES = (light for light, _ in PALETTE.values())
NAMES = {light: name for name, (light, _) in PALETTE.items()}
SUFFIXES = (".png", ".svg", ".pdf")
MORE_LETTERS = (  # fonts that have what matplotlib's own lacks; a picture takes those that are installed
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", "Hiragino Sans"),
    *("Malgun Gothic", "Apple SD Gothic Neo", "Noto Sans Devanagari", "Nirmala UI", "Arial Unicode MS"),
)


def variables() -> str:
    """The palette as variables of CSS, light or dark as the reader's system is."""
    light, dark = ("".join(f"--{name}:{both[i]};" for name, both in PALETTE.items()) for i in (0, 1))
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


@contextmanager
def drawing(command: str) -> Iterator[None]:
    """Within it, figures are drawn and written in this style, whatever the user's own is, and missing glyphs are boxes.

    Raises MakemoreError where matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.font_manager import get_font_names
    except ImportError:
        raise MakemoreError(
            f"{command}: draws with matplotlib, which is not installed; `pip install matplotlib` gets it, "
            "as does the extra [app] of tinygrad-lite"
        ) from None
    installed = set(get_font_names())
    style: Any = {
        "font.family": ["DejaVu Sans", *(name for name in MORE_LETTERS if name in installed)],
        "font.size": 10,
        "text.parse_math": False,  # a dollar is a letter like any other
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.titlesize": 10,
        "axes.facecolor": PAPER,
        "axes.edgecolor": FAINT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "lines.linewidth": 1.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "savefig.dpi": 150,
        "svg.fonttype": "none",  # the reader's own fonts have any letter
        "svg.hashsalt": "makemore",  # the same picture has the same bytes
        "pdf.fonttype": 42,
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style)
        for message in ("Glyph .* missing", "Matplotlib currently does not support"):
            warnings.filterwarnings("ignore", message, UserWarning)
        yield


def figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, that no window knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg(drawn: Figure) -> str:
    """The figure as an SVG image whose colours follow the reader's choice of light or dark."""
    buffer = io.StringIO()
    drawn.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"(fill|stroke): (#[0-9a-f]{6})", _by_name, buffer.getvalue())
    return re.sub(r"(<svg [^>]*>)", rf"\1\n <style>{variables()}</style>", text, count=1)


def _by_name(found: re.Match[str]) -> str:
    what, colour = found.groups()
    return f"{what}: var(--{NAMES[colour]}, {colour})" if colour in NAMES else found[0]


def save(drawn: Figure, path: Path) -> None:
    """Write the figure to a .png, .svg or .pdf. Raises MakemoreError where it can't be written."""
    kind = path.suffix.lower()
    if kind == ".svg":
        write(path, svg(drawn).encode())
    else:
        buffer = io.BytesIO()
        metadata = {"CreationDate": None, "Creator": None, "Producer": None} if kind == ".pdf" else {"Software": None}
        drawn.savefig(buffer, format=kind[1:], metadata=metadata)
        write(path, buffer.getvalue())
