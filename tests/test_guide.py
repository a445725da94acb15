"""The guide shows what its code does: what every block prints, and its pictures. All links of docs lead somewhere."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tinygrad_lite.op import table

from .scripts import script

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
PICTURES = GUIDE / "pictures"
PAGES = sorted(GUIDE.glob("[0-9]_*.md"))
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)
LINK = re.compile(r"\]\(([^()\s]+)\)")


@pytest.fixture(scope="module")
def run():
    return script(GUIDE / "run.py")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a place for pictures."""
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(picture: Path) -> list[str]:
    """What is written in a picture, whatever drew it."""
    found = [each for each in ET.parse(picture).iter() if each.tag.endswith("}text")]
    return sorted("".join(each.itertext()).strip() for each in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_chapter_prints_what_it_shows_and_makes_its_pictures(run, folder: Path, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if "draw_dot" in text and shutil.which("dot") is None:
        pytest.skip("needs the program dot (Graphviz)")
    assert run.rendered(page) == text, f"run `python docs/guide/run.py {page.name[0]}` and look at what changes"
    shown = set(re.findall(r"^!\[[^]]+\]\(pictures/(.*)\)$", text, re.M))
    assert {each.name for each in (folder / "pictures").iterdir()} == shown
    assert {each.name for each in PICTURES.glob(f"{page.name[0]}_*")} == shown
    for name in shown:
        assert texts(PICTURES / name) == texts(folder / "pictures" / name) != []


def test_the_chapters_are_seven_and_each_leads_to_the_next() -> None:
    assert [page.name[0] for page in PAGES] == list("1234567")
    contents = LINK.findall((GUIDE / "README.md").read_text(encoding="utf-8"))
    assert contents == [page.name for page in PAGES]
    for page, following in pairwise(PAGES):
        last = page.read_text(encoding="utf-8").splitlines()[-1]
        heading = following.read_text(encoding="utf-8").splitlines()[0]
        assert last == f"Next: [{heading.removeprefix('# ')}]({following.name})"


def page_of(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_outputs_are_written_anew(run, folder: Path) -> None:
    code = "```python\nx = 1\n```\n\nThen\n\n```python\nprint(x + 1)\n```\n"
    assert run.rendered(page_of(folder, code)) == code + "\n```text\n2\n```\n"
    assert run.rendered(page_of(folder, code + "\n```text\n3\n```\n\nend\n")) == code + "\n```text\n2\n```\n\nend\n"


def test_an_error_is_shown_only_where_one_is_expected(run, folder: Path) -> None:
    code = "```python\nprint(1)\n1 / 0\n```\n"
    with pytest.raises(ZeroDivisionError) as caught:
        run.rendered(page_of(folder, code))
    assert caught.traceback[-1].lineno == 2  # of the page, counted from 0
    shown = code + "\n```text\n1\nZeroDivisionError: division by zero\n```\n"
    assert run.rendered(page_of(folder, shown.replace("division by zero", ""))) == shown


def test_of_an_output_that_varies_the_words_count(run, folder: Path) -> None:
    code = "```python\nprint('took  12.5 us')\n```\n\n```text varies\n"
    assert run.rendered(page_of(folder, code + "took 3 us\n```\n")) == code + "took 3 us\n```\n"
    assert run.rendered(page_of(folder, code + "took 3 ms\n```\n")) == code + "took  12.5 us\n```\n"


def test_operations_of_a_chapter_leave_the_table_with_it(run, folder: Path) -> None:
    before = set(table)
    code = "import tinygrad_lite as tg\n@tg.composite()\ndef of_a_page(x):\n    return x + 1\nprint(of_a_page(1))\n"
    assert "```text\n2\n```" in run.rendered(page_of(folder, f"```python\n{code}```\n"))
    assert set(table) == before


@cache
def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[Path, str]]:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
            if not link.startswith("https://"):
                yield page, link


def test_links_lead_to_files_and_headings_that_there_are() -> None:
    found = list(links())
    assert len(found) > 300
    for page, link in found:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.relative_to(ROOT)}: there is no {link}"
        assert not anchor or anchor in anchors(target), f"{page.relative_to(ROOT)}: there is no heading {link}"
