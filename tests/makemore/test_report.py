"""The page about a training: what is in it is right, whatever the alphabet and however far the run has come."""

import base64
import re
import subprocess
import sys
import textwrap
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from makemore import checkpoint
from makemore.__main__ import main
from makemore.report import pictures, style
from makemore.report.page import STYLE
from makemore.summary import some_names
from makemore.words import bundled_names, read_words

from .commands import full_disk
from .runs import ALPHABETS, GREEK, made, saved

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
ONE = ["loss", "activations", "gradients", "updates", "embedding", "bigrams"]
SEVERAL = ["loss", "updates", "saturation"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("report") / "run", read_words(bundled_names())[:1500], steps=700, hidden=30)


@pytest.fixture(scope="module")
def greek(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("report") / "greek")


@pytest.fixture(scope="module")
def page(folder):
    assert main(["report", str(folder)]) == 0
    return Page(folder / "report.html")


class Page(HTMLParser):
    """A page taken apart."""

    EMPTY = ("meta", "img")

    def __init__(self, path):
        super().__init__()
        self.tags, self.open, self.images, self.rows, self.known, self.text = [], [], {}, [], [], ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in self.EMPTY:
            self.open.append(tag)
        if tag == "img":
            kind, _, data = attributes["src"].partition(",")
            assert kind == "data:image/svg+xml;base64"
            self.images[attributes["alt"]] = ElementTree.fromstring(base64.b64decode(data))
        if tag == "tr":
            self.rows.append([attributes.get("class")])
        if tag == "li":
            self.known.append(attributes.get("class") == "known")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.rows and "table" in self.open and data.strip():
            self.rows[-1].append(data)


def report(capsys, *arguments, note=""):
    """The page that the command prints the path of."""
    assert main(["report", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == note
    assert out.endswith(".html\n")
    return Page(Path(out[:-1]))


def refusal(capsys, *arguments):
    assert main(["report", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("makemore: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("makemore: error: ").rstrip("\n")


def texts(image):
    return [element.text or "" for element in image.iter(f"{SVG}text")]


# One run.


def test_what_is_in_the_page(folder, page):
    run = checkpoint.load(folder)
    assert len(page.images) == len(ONE)
    rows = {row[1]: row[2] for row in page.rows}
    assert rows["step"] == "700 of 700"
    assert (rows["hidden"], rows["embedding"], rows["learning rate"], rows["batch size"]) == ("30", "4", "0.1", "16")
    for name, loss in run.final_losses().items():
        assert rows[f"{name} loss"] == f"{loss:.4f}"
    names = some_names(run, 60)
    assert page.known == [known for _, known in names]
    assert all(name in page.text for name, _ in names)
    assert f"{sum(page.known)} of these 60, marked *, are in the list" in page.text
    assert any(known for _, known in names)
    embedding = texts(page.images["The embedding"])
    assert set("abcdefghijklmnopqrstuvwxyz.") <= set(embedding)
    assert texts(page.images["Which letter follows which"]).count("q") == 4
    legend = texts(page.images["How far an update moves each parameter"])
    assert {"C", "W1", "b1 (below -6)", "W2", "b2", "gain", "bias"} <= set(legend)
    loss = texts(page.images["Loss and learning rate"])
    assert {"every step, lowest to highest", "mean of 14 steps", "dev words", "learning rate"} <= set(loss)
    assert [t for t in texts(page.images["Activations of the hidden layer"]) if t.startswith("step ")] == [
        "step 0",
        "step 35",
        "step 175",
        "step 699",
    ]
    assert [t for t in texts(page.images["Gradients of the weight matrices"]) if "(" in t] == [
        "C (27, 4)",
        "W1 (12, 30)",
        "W2 (30, 27)",
    ]


def test_it_needs_no_network(page):
    """All that the page names is in it."""
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe")
        assert "href" not in attributes
    assert "url(" not in page.source
    for image in page.images.values():
        for element in image.iter():
            for name, value in element.attrib.items():
                if name.endswith("href"):
                    assert value.startswith(("#", "data:image/png;base64,"))
            assert element.tag != f"{SVG}script"
            assert "http" not in "".join(v for n, v in element.attrib.items() if "rdf" not in n and "dc/" not in n)


def test_light_and_dark(page):
    """Every colour of a picture is one of the palette, which the reader's system chooses from."""
    for image in page.images.values():
        assert "@media(prefers-color-scheme:dark)" in image.find(f"{SVG}style").text
        styles = " ".join(element.get("style", "") for element in image.iter())
        assert not re.search(r"(fill|stroke): #", styles)
        assert {"paper", "ink", "faint"} <= set(re.findall(r"var\(--(\w+), #", styles))
    assert set(re.findall(r"var\(--(\w+)\)", STYLE)) <= set(style.PALETTE)
    assert "color-scheme:light dark" in page.source


def test_the_same_run_gives_the_same_bytes(greek, tmp_path, capsys):
    """Whatever the user's own style of matplotlib is; and that stays as it was."""
    report(capsys, greek, "--out", tmp_path / "a.html", "--pictures", tmp_path / "a")
    with matplotlib.rc_context({"axes.linewidth": 9, "axes.facecolor": "red", "svg.hashsalt": None}):
        before = dict(matplotlib.rcParams)
        report(capsys, greek, "--out", tmp_path / "b.html", "--pictures", tmp_path / "b")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(f"{name}.svg" for name in ONE)
    for name in ONE:
        written = (tmp_path / "a" / f"{name}.svg").read_bytes()
        assert written == (tmp_path / "b" / f"{name}.svg").read_bytes()
        assert base64.b64encode(written).decode() in (tmp_path / "a.html").read_text()


def test_no_window_is_touched(greek, tmp_path):
    program = """
        import sys
        from makemore.__main__ import main
        assert main(["report", sys.argv[1], "--out", sys.argv[2]]) == 0
        assert "matplotlib.pyplot" not in sys.modules
        print(*(name.rpartition(".")[2] for name in sys.modules if name.startswith("matplotlib.backends.backend_")))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(greek), str(tmp_path / "page.html")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    assert set(found.stdout.splitlines()[-1].split()) <= {"backend_svg", "backend_agg", "backend_mixed"}


def test_default_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "makemore-run", made=0)
    report(capsys)
    assert (tmp_path / "makemore-run" / "report.html").exists()
    saved(tmp_path / "other", made=0)
    report(capsys, "makemore-run", "other")
    assert (tmp_path / "makemore-run" / "comparison.html").exists()


# Any alphabet, any size, any time.


SIZES = {
    "arabic": {"hidden": 1},
    "chinese": {"block_size": 8},
    "devanagari": {"embedding": 1, "block_size": 1, "hidden": 1},
    "many": {"embedding": 1, "block_size": 2},
}


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_any_alphabet_and_size(tmp_path, capsys, alphabet):
    """No warning, which would be an error here; and each picture is well-formed and has the letters."""
    page = report(capsys, saved(tmp_path, ALPHABETS[alphabet], **SIZES.get(alphabet, {})))
    assert len(page.images) == len(ONE)
    letters = checkpoint.load(tmp_path).vocabulary.letters
    drawn = texts(page.images["The embedding"])
    for letter in letters if len(letters) < 100 else letters[:1]:
        if letter.isprintable() and not letter.isspace():
            assert any(letter in text for text in drawn), letter
    assert "\x01" not in page.source
    if alphabet == "signs":
        assert "\\x01" in drawn
        assert "\\u202e" in drawn
    if alphabet == "many":
        assert len(letters) == 201
        assert 120 <= len(drawn) < 140


@pytest.mark.parametrize("steps", [0, 1])
def test_run_that_is_not_finished(tmp_path, capsys, steps):
    page = report(capsys, saved(tmp_path, made=steps))
    assert f"{steps} of 60 steps on 18 words, not finished" in page.text
    assert len(page.images) == (len(ONE) if steps else 2)
    assert page.text.count("no step has been made") == (0 if steps else 4)


def test_learning_rate_too_high(tmp_path, capsys):
    """Losses of any size are drawn, by their logarithm."""
    saved(tmp_path, made=5, learning_rate=1e6)
    run = checkpoint.load(tmp_path)
    assert run.losses[:5].max() > 1e5
    assert len(report(capsys, tmp_path).images) == len(ONE)


def test_model_that_ends_every_name(tmp_path, capsys):
    run = made(made=0)
    run.model.b2.data[0] = 1e4
    checkpoint.save(run, tmp_path)
    assert "The model ends nearly every name before its first letter." in report(capsys, tmp_path).text


def without_diagnostics(folder):
    with np.load(folder / checkpoint.NAME) as file:
        arrays = {name: file[name] for name in file.files if name != "diagnostics"}
    np.savez(folder / checkpoint.NAME, **arrays)
    return folder


def noted(folder):
    text = "was trained without diagnostics, so the page lacks some pictures; `makemore train` again to have them"
    return f"makemore: note: {folder}: {text}\n"


def test_checkpoint_without_diagnostics(tmp_path, capsys):
    """What can be drawn is, and one line says what is missing and what to do."""
    page = report(capsys, without_diagnostics(saved(tmp_path)), note=noted(tmp_path))
    assert list(page.images) == ["Loss and learning rate", "The embedding", "Which letter follows which"]
    assert page.text.count("kept no diagnostics") == 3


# Several runs.


def test_two_runs(folder, tmp_path, capsys):
    """Of other words, letters and hyperparameters; what differs in these is marked, and only that."""
    other = saved(tmp_path / "b", GREEK, learning_rate=0.2, block_size=2)
    page = report(capsys, folder, other, "--out", tmp_path / "page.html", "--pictures", tmp_path / "pictures")
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == sorted(f"{name}.svg" for name in SEVERAL)
    assert list(page.images) == [
        "Loss and learning rate",
        "How far an update moves each parameter",
        "Saturated activations",
    ]
    for image in page.images.values():
        assert {pictures.short(str(folder)), pictures.short(str(other))} <= set(texts(image))
    marked = [row[1] for row in page.rows if row[0] == "differs"]
    assert marked == ["step", "block size", "hidden", "learning rate", "letters", "words"]
    assert all((row[-1] == "≠") is (row[0] == "differs") for row in page.rows)
    rows = {row[1]: row[2:4] for row in page.rows}
    assert rows["learning rate"] == ["0.1", "0.2"]
    assert rows["embedding"] == ["4", "4"]
    one, two = checkpoint.load(folder), checkpoint.load(other)
    assert rows["dev loss"] == [f"{run.final_losses()['dev']:.4f}" for run in (one, two)]
    assert len(page.known) == 120


def test_as_many_words_but_others(tmp_path, capsys):
    words = GREEK
    one, two = saved(tmp_path / "a", words), saved(tmp_path / "b", words[::-1])
    page = report(capsys, one, two)
    assert [row[1] for row in page.rows if row[0] == "differs"] == ["words"]


def test_runs_that_lack_something(tmp_path, capsys):
    """One that has not begun, one without diagnostics, and one that has all."""
    names = ["begun not", "old", "_whole"]
    paths = [saved(tmp_path / name, GREEK, made=i and 30) for i, name in enumerate(names)]
    without_diagnostics(paths[1])
    page = report(capsys, *paths, note=noted(paths[1]))
    assert len(page.images) == 3
    assert page.text.count(f"Without diagnostics, and so left out: {paths[0]}, {paths[1]}.") == 2
    page = report(capsys, *paths[:2], note=noted(paths[1]))
    assert list(page.images) == ["Loss and learning rate"]
    page = report(capsys, paths[0], saved(tmp_path / "too", made=0))
    assert len(page.images) == 0


def test_more_runs_than_colours(tmp_path, capsys):
    paths = [tmp_path / str(i) for i in range(11)]
    assert refusal(capsys, *paths) == "11 runs are too many for one picture; give 10 or fewer"
    assert pictures.SERIES[9]


def test_what_users_write_is_shown_and_never_interpreted(tmp_path, capsys):
    name = "<script>alert(1)</script>&amp;\"'$x$"
    words = ["<script>", "</bdi>", "&lt;", "<b>", "a&b", "''\""] * 3
    one, two = saved(tmp_path / name.replace("/", "|"), words), saved(tmp_path / "<i>", words)
    for page in (report(capsys, one), report(capsys, one, two)):
        assert not {tag for tag, _ in page.tags} & {"script", "b", "i"}
        assert str(one) in page.text
    assert any("<script>alert(1)<|script>&amp;\"'$x$" in text for text in texts(page.images["Saturated activations"]))


# What goes wrong.


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("report") / "begun", made=0)


def test_mistakes(begun, tmp_path, capsys):
    missing = tmp_path / "none"
    message = f"{missing}: holds no checkpoint; `makemore train --out {missing}` makes one"
    assert refusal(capsys, missing) == message
    assert refusal(capsys, begun, missing) == message
    assert refusal(capsys, begun, begun / ".." / begun.name) == (
        f"{begun / '..' / begun.name}: is given twice; give two runs to compare them"
    )
    assert refusal(capsys, begun, "--out", tmp_path) == (
        f"--out {tmp_path}: is the page, and ends in .html; the folder of the run goes without a flag"
    )
    assert refusal(capsys, begun, "--out", begun / checkpoint.NAME).startswith(
        f"--out {begun / checkpoint.NAME}: is the"
    )
    (tmp_path / "folder.html").mkdir()
    message = refusal(capsys, begun, "--out", tmp_path / "folder.html")
    assert message == f"{tmp_path / 'folder.html'}: can't be written: Is a directory"
    page = tmp_path / "none" / "page.html"
    assert refusal(capsys, begun, "--out", page) == f"{page}: can't be written: No such file or directory"
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "pictures"
    message = refusal(capsys, begun, "--out", tmp_path / "page.html", "--pictures", below)
    assert message == f"{below / 'embedding.svg'}: can't be written: Not a directory"
    assert refusal(capsys, tmp_path / "file") == f"{tmp_path / 'file'}: is no folder"
    assert refusal(capsys, "a" * 300).startswith("aaa")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.html"]


def test_damaged(tmp_path, capsys):
    path = saved(tmp_path, GREEK) / checkpoint.NAME
    path.write_bytes(path.read_bytes()[:-1000])
    assert refusal(capsys, tmp_path) == f"{path}: is damaged, or no makemore checkpoint"


def test_without_matplotlib(begun, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert refusal(capsys, begun) == (
        "report: draws with matplotlib, which is not installed; `pip install matplotlib` gets it, as does the extra "
        "[app] of tinygrad-lite"
    )


def test_disk_full(begun, monkeypatch, capsys):
    """The page that was there is still whole."""
    page = begun / "report.html"
    page.write_text("before")
    with full_disk(monkeypatch):
        assert refusal(capsys, begun) == f"{page}: can't be written: No space left on device"
    assert page.read_text() == "before"
    assert not list(begun.glob("*.tmp"))


def test_pictures_is_a_file(begun, words, capsys):
    assert refusal(capsys, begun, "--pictures", words) == f"--pictures {words}: is no folder"


# docs/.


def test_docs():
    """Every picture is explained, and those that are shown are there, small, and drawn by this code."""
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    for name in {*ONE, *SEVERAL}:
        assert f"{name}.svg" in text, name
    for name in re.findall(r"\]\((pictures/[^)]*)\)", text):
        assert (DOCS / name).exists()
    for name in ("loss", "embedding"):
        picture = DOCS / "pictures" / f"{name}.svg"
        assert f"(pictures/{name}.svg)" in text
        assert picture.stat().st_size < 150_000
        assert f"<style>{style.variables()}</style>" in picture.read_text(encoding="utf-8")
        ElementTree.fromstring(picture.read_bytes())
