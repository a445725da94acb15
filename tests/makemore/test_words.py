"""Reading lists of words, and the list that comes with makemore."""

import errno
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import makemore
from makemore import words
from makemore.errors import MakemoreError
from makemore.words import bundled_names, lecture_names, locate, read_words

LETTERS = "abcxyzABCéñüßœåžłőşאבβδΩжщфのアミ村林बर한글'- \U00010400"
WORDS = st.text(LETTERS, min_size=1, max_size=12) | st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), exclude_characters=".\ufeff"), min_size=1
)


def composed(word):
    return unicodedata.normalize("NFC", word).strip()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "words.txt"


def refusal(path):
    with pytest.raises(MakemoreError) as caught:
        read_words(path)
    message = str(caught.value)
    assert caught.value.status == 2
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@settings(max_examples=200, deadline=None)
@given(
    given_words=st.lists(WORDS, min_size=1).filter(lambda found: any(map(composed, found))),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    blank=st.sampled_from(["", " ", "\t "]),
    bom=st.booleans(),
    last=st.booleans(),
)
@example(["emma", "olivia", "emma"], "\r\n", "", True, False)
@example(["e\u0301va", "éva"], "\n", " ", False, True)
def test_any_list(tmp_path_factory, given_words, newline, blank, bom, last):
    """Every alphabet, end of line and blank line; with a byte order mark, or without an end of the last line."""
    path = tmp_path_factory.getbasetemp() / "any.txt"
    lines = [line for word in given_words for line in (word, blank)]
    text = newline.join(lines[:-1]) + (newline if last else "")
    path.write_bytes(("\ufeff" if bom else "").encode() + text.encode())
    assert read_words(path) == [word for word in map(composed, given_words) if word]


def test_capitals_duplicates_and_order_stay(file):
    file.write_text("Zoë\nanna\nZoë\nAnna", "utf-8")
    assert read_words(file) == ["Zoë", "anna", "Zoë", "Anna"]


def test_missing(file):
    assert refusal(file) == "there is no such file"


def test_path_through_a_file(file):
    file.write_text("emma\n")
    assert refusal(file / "names.txt") == "can't be read: Not a directory"


@pytest.mark.parametrize("content", ["", "\n", " \r\n\t\n", "\ufeff"])
def test_no_words(file, content):
    file.write_bytes(content.encode())
    assert refusal(file) == "there are no words in it"


def test_folder(tmp_path):
    assert refusal(tmp_path) == "this is a folder; give a text file with one word on each line"


def test_forbidden(file, monkeypatch):
    def read_bytes(self):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert refusal(file) == "can't be read: Permission denied"


@settings(max_examples=50, deadline=None)
@given(
    before=st.lists(st.text("añж", max_size=5), max_size=20),
    bad=st.sampled_from([b"\xff", b"\xe9va", b"\xc3"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
)
@example([], b"\xff\xfee\x00m\x00", "\n", False)
@example([""], b"\xff", "\r", False)
@example(["", "", ""], b"\xff", "\n", True)
def test_not_utf8(tmp_path_factory, before, bad, newline, bom):
    path = tmp_path_factory.getbasetemp() / "bad.txt"
    text = "\ufeff" * bom + "".join(line + newline for line in before)
    path.write_bytes(text.encode() + bad + newline.encode() + b"anna")
    assert refusal(path) == f"line {len(before) + 1} is not UTF-8; save the file as UTF-8"


@pytest.mark.parametrize(("number", "newline"), [(1, "\n"), (3, "\r\n"), (4, "\r"), (7, "\n")])
def test_boundary_in_a_word(file, number, newline):
    lines = ["emma", "", "olivia", "ava", "isabella", "sophia", "mia"]
    lines[number - 1] = "j.r."
    file.write_bytes(newline.join(lines).encode())
    assert refusal(file) == f"line {number}: 'j.r.' holds '.', which marks the ends of words"


def test_long_line_is_told_shortened(file):
    file.write_text("emma\n" + "a." * 5000)
    assert re.fullmatch(r"line 2: '.{1,50} holds '\.', which marks the ends of words", refusal(file))


def test_control_characters(file):
    file.write_bytes(b"emma\nol\0ivia\n")
    assert refusal(file).startswith("line 2: ")


def test_bundled_names():
    """Real names, a-z, lower case, each once and on a line of its own; read just as they stand."""
    raw = bundled_names().read_text("ascii")
    assert re.fullmatch(r"([a-z]+\n)+", raw)
    names = read_words(bundled_names())
    assert names == raw.split()
    assert len(names) >= 5000
    assert len(set(names)) == len(names)
    assert set("".join(names)) == set("abcdefghijklmnopqrstuvwxyz")


def test_bundled_names_in_a_checkout():
    root = Path(makemore.__file__).parents[1]
    if (root / "makemore" / "names.txt").exists():
        pytest.skip("makemore is installed from a wheel")
    assert bundled_names() == root / "data" / "names.txt"


def test_bundled_names_beside_an_installed_package(tmp_path):
    """A copy of the package that has names.txt in it, as a wheel has, finds that and not the checkout's."""
    here = Path(makemore.__file__).parent
    shutil.copytree(here, tmp_path / "makemore", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "makemore" / "names.txt").write_text("emma\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "names.txt").write_text("olivia\n")
    program = "from makemore.words import *; print(bundled_names(), *read_words(locate(None)))"
    found = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(tmp_path.resolve() / "makemore" / "names.txt"), "emma"]


def test_locate(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "lecture_names", lambda: tmp_path / "makemore" / "names.txt")
    assert locate(None) == bundled_names()
    assert locate("some/file.txt") == Path("some/file.txt")
    with pytest.raises(MakemoreError, match=r"^--data lecture: not downloaded yet; run `makemore download` first$"):
        locate("lecture")
    (tmp_path / "makemore").mkdir()
    (tmp_path / "makemore" / "names.txt").write_text("emma\n")
    assert locate("lecture") == tmp_path / "makemore" / "names.txt"


def test_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert lecture_names() == tmp_path / ".cache" / "makemore" / "names.txt"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert lecture_names() == tmp_path / "x" / "makemore" / "names.txt"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert lecture_names() == tmp_path / "Library" / "Caches" / "makemore" / "names.txt"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert lecture_names() == tmp_path / "local" / "makemore" / "names.txt"
