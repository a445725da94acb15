"""Inventing names, letter by letter."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from math import inf

import numpy as np
from numpy.typing import NDArray

import tinygrad_lite as tg
import tinygrad_lite.functional as F

from .errors import MakemoreError
from .model import Model
from .vocabulary import Vocabulary

LONGEST = 100  # letters; a name is ended there, whatever the model says
FRUITLESS = 10_000  # names that were known already, one after another, before the search for new ones is given up
DRAWN_AT_ONCE = 32_768  # numbers
TOGETHER = 32  # contexts whose probabilities are computed at once
REMEMBERED = 10_000_000  # probabilities: 40 MB


def checked_temperature(temperature: float) -> np.float32:
    """What logits are divided by. Raises MakemoreError where it is out of range."""
    if not 0 < temperature < inf:
        raise MakemoreError(f"--temperature must be a number above 0, got {temperature}")
    return np.float32(np.clip(temperature, 1e-30, 1e30))  # beyond, float32 overflows


def known_letters(flag: str, text: str, vocabulary: Vocabulary) -> str:
    """The text in composed letters, as the words are. Raises MakemoreError for one that was never learned."""
    text = unicodedata.normalize("NFC", text)
    for letter in text:
        if letter not in vocabulary:
            raise MakemoreError(f"{flag}: the model never saw {letter!r}; it knows {vocabulary.letters[1:]:.80}")
    return text


class Predictor:
    """The probabilities of the next letter after any context.

    They are computed for up to 32 contexts at once that differ in the last letter, and always for the same ones
    together, so that a context gives the same numbers to the last bit, whatever was asked before.
    """

    def __init__(self, model: Model, letters: int, temperature: float = 1.0) -> None:
        self._model, self._letters = model, letters
        self._temperature = checked_temperature(temperature)
        self._known: dict[tuple[int, ...], NDArray[np.float32]] = {}

    def __call__(self, context: tuple[int, ...]) -> NDArray[np.float32]:
        """context (block_size,) -> (letters,), which sums to 1."""
        known = self._known.get(context)
        return self._compute(context) if known is None else known

    def _compute(self, context: tuple[int, ...]) -> NDArray[np.float32]:
        if len(self._known) * self._letters > REMEMBERED:
            self._known.clear()
        first = context[-1] // TOGETHER * TOGETHER
        together = [(*context[:-1], last) for last in range(first, min(first + TOGETHER, self._letters))]
        logits = self._model.logits(np.array(together, np.int64))
        self._known.update(zip(together, np.asarray(F.softmax(logits / self._temperature)), strict=True))
        return self._known[context]


def sample(
    model: Model,
    vocabulary: Vocabulary,
    block_size: int,
    generator: tg.Generator,
    *,
    temperature: float = 1.0,
    start: str = "",
    known: Collection[str] = (),
) -> Iterator[str]:
    """Names without end, all beginning with `start`, none of them in `known`.

    Each letter takes one draw as torch's `multinomial` makes it, argmax(p / q) with q from `exponential`, name by
    name; so the first names are the same however many are asked for.

    Raises MakemoreError where a letter of `start` was never learned, the temperature is out of range, or no new
    name turns up among very many.
    """
    start = known_letters("--start", start, vocabulary)
    predict = Predictor(model, len(vocabulary), temperature)
    return _names(predict, vocabulary, block_size, generator, vocabulary.encode(start), known)


def _names(
    predict: Predictor,
    vocabulary: Vocabulary,
    block_size: int,
    generator: tg.Generator,
    prefix: list[int],
    known: Collection[str],
) -> Iterator[str]:
    draws = exponentials(generator, len(vocabulary))
    first = ((0,) * block_size + tuple(prefix))[-block_size:]
    fruitless = 0
    while True:
        numbers, context = list(prefix), first
        while len(numbers) < LONGEST:
            number = int(np.argmax(predict(context) / next(draws)))
            if number == 0:
                break
            numbers.append(number)
            context = (*context[1:], number)
        name = vocabulary.decode(numbers)
        if name and name not in known:
            fruitless = 0
            yield name
        else:
            fruitless += 1
            if fruitless == FRUITLESS:
                found = "none was new" if known else "all were empty"
                raise MakemoreError(f"{FRUITLESS} names in a row, and {found}; try a higher --temperature")


def exponentials(generator: tg.Generator, letters: int) -> Iterator[NDArray[np.float32]]:
    """One draw (letters,) after another, from the stream of single ones."""
    while True:
        yield from np.asarray(generator.exponential(max(1, DRAWN_AT_ONCE // letters), letters))
