"""Lists of words: where they are, and how one is read."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from pathlib import Path

from .errors import MakemoreError

BOUNDARY = "."


def bundled_names() -> Path:
    """The names that come with makemore: beside the package where it is installed, in data/ in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "names.txt"
    return installed if installed.exists() else package.parent / "data" / "names.txt"


def lecture_names() -> Path:
    """Where `makemore download` keeps the lecture's names, in the user's cache folder."""
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "makemore" / "names.txt"


def locate(data: str | None) -> Path:
    """The file that `--data` means: the bundled names unless given, the downloaded ones for `lecture`."""
    if data is None:
        return bundled_names()
    if data != "lecture":
        return Path(data)
    path = lecture_names()
    if not path.exists():
        raise MakemoreError("--data lecture: not downloaded yet; run `makemore download` first")
    return path


def read_words(path: Path) -> list[str]:
    """The words of a UTF-8 text file, one on each line, in order and with repeats; blank lines are passed over.

    Raises MakemoreError where the file can't be read, is no UTF-8, holds no word, or a word holds the boundary ".".
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise MakemoreError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise MakemoreError(f"{path}: this is a folder; give a text file with one word on each line") from None
    except OSError as error:
        raise MakemoreError(f"{path}: can't be read: {error.strerror}") from None
    raw = raw.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        bad = raw.count(b"\n", 0, error.start) + 1
        raise MakemoreError(f"{path}: line {bad} is not UTF-8; save the file as UTF-8") from None
    words = []
    lines = unicodedata.normalize("NFC", text).split("\n")
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if BOUNDARY in word or "\0" in word:
            shown = "NUL" if "\0" in word else repr(BOUNDARY)
            raise MakemoreError(f"{path}: line {number}: {word!r:.40} holds {shown}, which marks the ends of words")
        if word:
            words.append(word)
    if not words:
        raise MakemoreError(f"{path}: there are no words in it")
    return words
