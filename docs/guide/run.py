"""Runs chapters of the guide: `python docs/guide/run.py 3`, in a checkout of the repository; all without a number.

The Python blocks of a page run from top to bottom in one namespace. What a block prints is written into the text block
below it, and its pictures into `pictures/`; so a page shows what its code does. An error is shown where the page shows
one of its kind; any other stops the run. In a block "text varies", for times, only the words count: where they are the
same, its numbers stay.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from time import perf_counter
from types import CodeType
from typing import Any

import matplotlib

from tinygrad_lite.op import table

HERE = Path(__file__).resolve().parent
PAGES = sorted(HERE.glob("[0-9]_*.md"))
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text(?P<varies> varies)?\n(?P<shown>.*?)^```\n)?", re.M | re.S
)
NUMBER = re.compile(r" *\d[\d,.]*")
STYLE: Any = {
    "backend": "Agg",
    "figure.figsize": (6, 3),
    "svg.fonttype": "none",
    "svg.hashsalt": "",
    "figure.constrained_layout.use": True,
}


def rendered(page: Path) -> str:
    """The text of a page with what its code prints; it runs in the current folder, and draws into `pictures/` there."""
    text = page.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    parts, end, known = [], 0, set(table)
    try:
        with matplotlib.rc_context(STYLE):
            for match in BLOCK.finditer(text):
                parts.append(text[end : match.start("code")])
                above, end = "".join(parts), match.end()
                parts.append(f"{match['code']}```\n")
                # Errors and programs name the lines of the page, and show them.
                code = "\n" * above.count("\n") + match["code"]
                linecache.cache[str(page)] = 0, None, (above + match["code"]).splitlines(True), str(page)
                shown, varies = match["shown"] or "", match["varies"] or ""
                now = printed(compile(code, page, "exec"), namespace, shown).replace(f"{page.parent}{os.sep}", "")
                if varies and NUMBER.sub("#", now) == NUMBER.sub("#", shown):
                    now = shown
                if now:
                    parts.append(f"\n```text{varies}\n{now}```\n")
    finally:
        for name in set(table) - known:  # operations that the chapter has added
            del table[name]
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    return "".join([*parts, text[end:]])


def printed(code: CodeType, namespace: dict[str, Any], expected: str) -> str:
    """What some code prints, with the error that ends it, if one of its kind is expected."""
    out = StringIO()
    with redirect_stdout(out):
        try:
            exec(code, namespace)
        except Exception as error:
            if f"{type(error).__name__}: " not in expected:
                raise
            print(f"{type(error).__name__}: {error}")
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


if __name__ == "__main__":
    pages = {page.name[0]: page for page in PAGES}
    wanted = sys.argv[1:] or list(pages)
    if unknown := set(wanted) - set(pages):
        raise SystemExit(
            f"run.py: there is no chapter {min(unknown)}; give numbers from 1 to {len(pages)}, or none for all"
        )
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # of pictures: those that are the same are the same file
    with chdir(HERE):
        for page in map(pages.__getitem__, wanted):
            start, before = perf_counter(), page.read_text(encoding="utf-8")
            after = rendered(page)
            page.write_text(after, encoding="utf-8")
            print(f"{page.name}: {perf_counter() - start:.1f} s, {'as before' if after == before else 'changed'}")
