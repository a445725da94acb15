"""Why a name is probable: the numbers of the sampler, in columns and as a picture."""

import math
import re
import sys
import unicodedata
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makemore import explain
from makemore.__main__ import main
from makemore.dataset import examples
from makemore.errors import MakemoreError
from makemore.report import style
from makemore.sampling import Predictor
from makemore.words import bundled_names, read_words

from .runs import ALPHABETS, made, saved


@pytest.fixture(scope="module")
def run():
    return made(read_words(bundled_names())[:1500], steps=200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("run"), read_words(bundled_names())[:1500], steps=200)


@settings(max_examples=50, deadline=None)
@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), st.sampled_from([0.3, 1.0, 4.0]))
def test_numbers_are_those_of_the_sampler(run, name, temperature):
    choices = explain.explain(run, name, temperature)
    letters, predict = run.vocabulary.letters, Predictor(run.model, 27, temperature)
    assert "".join(choice.letter for choice in choices) == f"{name}."
    for i, choice in enumerate(choices):
        assert choice.context == f"...{name}"[i : i + 3]
        probabilities = predict(tuple(letters.index(letter) for letter in choice.context))
        mine = probabilities[letters.index(choice.letter)]
        assert choice.probability == pytest.approx(mine, rel=1e-4, abs=1e-9)
        assert choice.log_probability == pytest.approx(math.log(choice.probability))
        best = np.sort(probabilities)[::-1]
        np.testing.assert_allclose([p for _, p in choice.preferred], best[:3], rtol=1e-4)
        assert [p for _, p in choice.preferred] == sorted((p for _, p in choice.preferred), reverse=True)
        assert all(probabilities[letters.index(letter)] == pytest.approx(p, rel=1e-4) for letter, p in choice.preferred)
        assert np.count_nonzero(probabilities > mine * 1.0001) + 1 <= choice.rank
        assert choice.rank <= np.count_nonzero(probabilities > mine * 0.9999)


def test_the_whole_is_the_loss_of_the_model(run):
    for name in ("anna", "q"):
        choices = explain.explain(run, name)
        loss = run.model.evaluate(*examples([name], run.vocabulary, 3))
        assert -sum(choice.log_probability for choice in choices) / len(choices) == pytest.approx(loss, rel=1e-5)
        total, perplexity = -loss * len(choices), math.exp(loss)
        assert explain.summary(choices) == (
            f"log-likelihood {total:.4f}, loss {loss:.4f} for each letter, perplexity {perplexity:.2f}"
        )


CHOICES = [
    explain.Choice("...", "李", math.log(0.5), 2, [("a", 0.4567), ("李", 0.3), (".", 0.0001)]),
    explain.Choice("..李", " ", math.log(0.000456), 12, [("\u0301", 1.0), ("\x01", 0.0), ("\u200d", 0.001)]),
    explain.Choice(".李 ", ".", -1e5, 1, [(".", 1.0), ("a", 0.0), ("b", 0.0)]),
]


def test_columns():
    """Aligned, also where characters are two columns wide, or none; what can't be seen is shown by a sign."""
    assert explain.table(CHOICES).splitlines() == [
        "after  letter  probability  rank   most probable",
        "  ...  李           50.0 %     2   a 45.7 %   李 30.0 %   end 0.01 %",
        " ..李  ␣            0.05 %    12   ◌\u0301 100.0 %   \\x01 0.0 %   \\u200d 0.1 %",
        " .李␣  end           0.0 %     1   end 100.0 %   a 0.0 %   b 0.0 %",
    ]
    assert explain.summary(CHOICES).endswith(", perplexity inf")


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))


@pytest.mark.parametrize("alphabet", ["arabic", "chinese", "devanagari"])
def test_any_alphabet(alphabet, capsys, tmp_path):
    """The same width up to the last column, whatever the letters."""
    words = ALPHABETS[alphabet]
    assert main(["sample", str(saved(tmp_path, words)), "--explain", words[0], "--out", str(tmp_path / "a.svg")]) == 0
    lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert len(lines) == len(words[0]) + 2
    starts = {width(re.match(r".* %\s+\d+   ", line)[0]) for line in lines[1:]}
    assert len(starts) == 1
    ElementTree.parse(tmp_path / "a.svg")


def output(capsys, *arguments):
    assert main(["sample", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refusal(capsys, *arguments):
    assert main(["sample", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("makemore: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("makemore: error: ").rstrip("\n")


def test_command(run, folder, tmp_path, monkeypatch, capsys):
    choices = explain.explain(run, "anna")
    text = f"{explain.table(choices)}\n\n{explain.summary(choices)}\n"
    assert output(capsys, folder, "--explain", "anna") == text
    assert output(capsys, "--out", folder, "--explain", "anna") == text
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "makemore-run", read_words(bundled_names())[:1500], steps=200)
    assert output(capsys, "--explain", "anna") == text
    assert output(capsys, "--explain", "anna", "--out", "anna.svg") == f"{text}The picture is in anna.svg.\n"
    hot = explain.explain(run, "anna", 2.0)
    assert output(capsys, "--explain", "anna", "--temperature", 2).startswith(explain.table(hot))
    decomposed = explain.explain(made(["éva", "anna", "noah"] * 4), "e\u0301va")
    assert [choice.letter for choice in decomposed] == ["é", "v", "a", "."]


def test_the_folder_of_a_sample(folder, capsys):
    """It can be given without a flag, too."""
    assert output(capsys, folder, "--seed", 1) == output(capsys, "--out", folder, "--seed", 1)
    assert refusal(capsys, folder, "--out", "other") == f"--out other: the folder of the run is given already, {folder}"


@pytest.mark.parametrize(("name", "begin"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF")])
def test_pictures(folder, tmp_path, capsys, name, begin):
    output(capsys, folder, "--explain", "johanna", "--out", tmp_path / name)
    first = (tmp_path / name).read_bytes()
    assert first.startswith(begin)
    output(capsys, folder, "--explain", "johanna", "--out", tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_what_is_in_the_picture(run):
    """A bar as long as each letter is probable, and one for the letter that would have been before it."""
    choices = explain.explain(run, "xq")
    with style.drawing("test"):
        axes = explain.picture(choices).axes[0]
    bars = sorted((bar.get_y(), bar.get_width()) for bar in axes.patches)
    expected = [
        length for each in choices for length in (each.probability, *([each.preferred[0][1]] if each.rank > 1 else []))
    ]
    assert [length for _, length in bars] == pytest.approx(expected)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["... → x", "..x → q", ".xq → end"]
    assert any(f"rank {choices[0].rank}" in text.get_text() for text in axes.texts)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--explain", "Ünal"], "--explain: the model never saw 'Ü'; it knows abcdefghijklmnopqrstuvwxyz"),
        (["--explain", "a.b"], "--explain: the model never saw '.'; it knows abcdefghijklmnopqrstuvwxyz"),
        (["--explain", ""], "--explain: a name has 1 to 100 letters, this one 0"),
        (["--explain", "a" * 101], "--explain: a name has 1 to 100 letters, this one 101"),
        (["--explain", "a", "--temperature", "0"], "--temperature must be a number above 0, got 0.0"),
        (
            ["--explain", "a", "--seed", "0"],
            "--explain is about one name that is given; --seed is for names that are drawn",
        ),
        (
            ["--explain", "a", "--start", "b"],
            "--explain is about one name that is given; --start is for names that are drawn",
        ),
        (
            ["--explain", "a", "--new-only"],
            "--explain is about one name that is given; --new-only is for names that are drawn",
        ),
        (["--explain", "a", "--out", "a.gif"], "--out a.gif: is no folder, and a picture ends in .png, .svg, .pdf"),
        (["--explain", "a", "--out", "picture"], "--out picture: is no folder, and a picture ends in .png, .svg, .pdf"),
    ],
)
def test_mistakes(folder, capsys, flags, message):
    assert refusal(capsys, folder, *flags) == message


@pytest.mark.parametrize("flags", [["-n", "3"], ["-n", "0"], ["--seed", "0"], ["--start", "b"], ["--new-only"]])
def test_flags_of_names_that_are_drawn(folder, capsys, flags):
    message = f"--explain is about one name that is given; {flags[0]} is for names that are drawn"
    assert refusal(capsys, folder, "--explain", "a", *flags) == message


def test_out_is_the_folder(folder, capsys):
    message = refusal(capsys, folder, "--explain", "a", "--out", folder)
    assert message == f"--out {folder}: is a folder; that of the run is given already, {folder}"


def test_places_that_are_not_there(folder, tmp_path, capsys):
    none = tmp_path / "none"
    message = f"{none}: holds no checkpoint; `makemore train --out {none}` makes one"
    assert refusal(capsys, none, "--explain", "a") == message
    assert refusal(capsys, "--out", none, "--explain", "a") == message
    picture = none / "a.png"
    assert refusal(capsys, folder, "--explain", "a", "--out", picture) == (
        f"{picture}: can't be written: No such file or directory"
    )


def test_without_matplotlib(folder, monkeypatch, tmp_path, capsys):
    """Only the picture needs it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    output(capsys, folder, "--explain", "a")
    message = refusal(capsys, folder, "--explain", "a", "--out", tmp_path / "a.png")
    assert message.startswith("--explain: draws with matplotlib, which is not installed; ")


def test_long_contexts():
    """Of many letters the last twelve are shown, whatever the size of the picture."""
    run = made(block_size=50, steps=1)
    choices = explain.explain(run, "Μαρία" * 20)
    assert [line.split()[0] for line in explain.table(choices).splitlines()[-2:]] == ["…ρίαΜαρίαΜαρί", "…ίαΜαρίαΜαρία"]
    with style.drawing("test"):
        ElementTree.fromstring(style.svg(explain.picture(choices)))


@pytest.mark.parametrize("temperature", [1e-300, 1e-30, 1e300])
def test_extreme_temperatures(run, temperature):
    choices = explain.explain(run, "xqz", temperature)
    assert "nan" not in explain.table(choices) + explain.summary(choices)
    with style.drawing("test"):
        style.svg(explain.picture(choices))


def test_a_name_is_bounded(run):
    with pytest.raises(MakemoreError):
        explain.explain(run, "a" * 101)
    assert len(explain.explain(run, "a" * 100)) == 101
