"""Letters and their numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from .words import BOUNDARY


class Vocabulary:
    """The boundary "." is number 0; the letters follow in sorted order."""

    def __init__(self, letters: str) -> None:
        self.letters = letters
        self._numbers = {letter: number for number, letter in enumerate(letters)}

    @classmethod
    def of(cls, words: Iterable[str]) -> Vocabulary:
        """The vocabulary of some words."""
        return cls(BOUNDARY + "".join(sorted(set("".join(words)))))

    def __len__(self) -> int:
        return len(self.letters)

    def __contains__(self, letter: str) -> bool:
        return letter in self._numbers and letter != BOUNDARY

    def encode(self, word: str) -> list[int]:
        """The numbers of the letters. Raises KeyError for a letter that is not in the vocabulary."""
        return [self._numbers[letter] for letter in word]

    def decode(self, numbers: Iterable[int]) -> str:
        """The letters of the numbers."""
        return "".join(self.letters[number] for number in numbers)


def shown(letter: str) -> str:
    """The letter so that it can be seen by itself: a space, a mark that belongs on another, what has no glyph."""
    if letter == " ":
        return "\N{OPEN BOX}"
    if unicodedata.category(letter).startswith("M"):
        return f"\N{DOTTED CIRCLE}{letter}"
    return printable(letter) if unicodedata.category(letter) != "Cf" else escaped(letter)


def printable(text: str) -> str:
    """The text, with escapes in place of what no page may hold."""
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Cf" else escaped(c) for c in text)


def escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
