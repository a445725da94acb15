"""Why a name is probable or not: letter by letter, what the model gave it, and what it would have preferred."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import tinygrad_lite.functional as F

from .errors import MakemoreError
from .report.style import FAINT, INK, SERIES, figure
from .sampling import LONGEST, checked_temperature, known_letters
from .training import Run
from .vocabulary import shown
from .words import BOUNDARY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREFERRED = 3  # letters
SEEN = 12  # letters of the context that are shown, at most


class Choice(NamedTuple):
    """One letter of a name, or its end, as the model sees it."""

    context: str  # the letters before it that the model sees, and BOUNDARY where there is none
    letter: str  # BOUNDARY for the end
    log_probability: float
    rank: int  # 1: the most probable
    preferred: list[tuple[str, float]]  # the most probable letters with their probabilities

    @property
    def probability(self) -> float:
        return math.exp(self.log_probability)


def explain(run: Run, name: str, temperature: float = 1.0) -> list[Choice]:
    """All letters of a name, and its end.

    Raises MakemoreError where it is empty or too long, or has a letter that was never learned, or where the
    temperature is out of range.
    """
    name = known_letters("--explain", name, run.vocabulary)
    if not 1 <= len(name) <= LONGEST:
        raise MakemoreError(f"--explain: a name has 1 to {LONGEST} letters, this one {len(name)}")
    size, letters = run.settings.block_size, run.vocabulary.letters
    numbers = [0] * size + run.vocabulary.encode(name) + [0]
    contexts = np.array([numbers[i : i + size] for i in range(len(name) + 1)], np.int64)
    logits = run.model.logits(contexts).astype(np.float64) / checked_temperature(temperature)
    log_probabilities = np.asarray(F.log_softmax(logits))
    choices = []
    for context, number, row in zip(contexts, numbers[size:], log_probabilities, strict=True):
        best = np.argsort(-row, kind="stable")[:PREFERRED]
        preferred = [(letters[i], float(np.exp(row[i]))) for i in best]
        rank = int(np.count_nonzero(row > row[number])) + 1
        seen = run.vocabulary.decode(context)
        choices.append(Choice(seen, letters[number], float(row[number]), rank, preferred))
    return choices


def summary(choices: Sequence[Choice]) -> str:
    """How probable the name is as a whole."""
    total = sum(choice.log_probability for choice in choices)
    mean = -total / len(choices)
    perplexity = math.exp(mean) if mean < 700 else math.inf
    return f"log-likelihood {total:.4f}, loss {mean:.4f} for each letter, perplexity {perplexity:.2f}"


def called(letter: str) -> str:
    """The letter as it is shown; the boundary is the end of a name."""
    return "end" if letter == BOUNDARY else shown(letter)


def seen(choice: Choice) -> str:
    """The letters before, or of many the last few."""
    letters = "".join(map(shown, choice.context[-SEEN:]))
    return letters if len(choice.context) <= SEEN else f"…{letters}"


def percent(probability: float) -> str:
    """In as many digits as say something."""
    percentage = 100 * probability
    return f"{percentage:.1f} %" if percentage >= 0.1 or percentage == 0 else f"{percentage:.1g} %"


def table(choices: Sequence[Choice]) -> str:
    """Lines for a terminal, in columns."""
    rows = [["after", "letter", "probability", "rank", "most probable"]]
    for each in choices:
        preferred = "   ".join(f"{called(letter)} {percent(p)}" for letter, p in each.preferred)
        rows.append([seen(each), called(each.letter), percent(each.probability), str(each.rank), preferred])
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(aligned(cell, widths[i], to_the_right=i != 1) for i, cell in enumerate(row)) + f"   {preferred}"
        for *row, preferred in rows
    )


def aligned(text: str, width: int, to_the_right: bool) -> str:
    """The text with spaces before or after it, to fill so many columns of a terminal."""
    spaces = " " * (width - columns(text))
    return spaces + text if to_the_right else text + spaces


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: East Asian characters two, marks on others none."""
    marks = ("Mn", "Me", "Cf")
    return sum((unicodedata.east_asian_width(c) in "WF") + 1 for c in text if unicodedata.category(c) not in marks)


def picture(choices: Sequence[Choice]) -> Figure:
    """A bar for each letter, and a grey one for what the model would have preferred to it."""
    drawn = figure(7.5, 0.9 + 0.5 * len(choices))
    axes = drawn.subplots()

    def bar(place: float, length: float, colour: str, text: str) -> None:
        axes.barh(place, length, 0.34, color=colour)
        axes.annotate(text, (length, place), (4, 0), textcoords="offset points", va="center", fontsize=9)

    for i, each in enumerate(choices):
        bar(i - 0.2, each.probability, SERIES[0], f"{percent(each.probability)}, rank {each.rank}")
        if each.rank > 1:
            others = ", ".join(f"{called(letter)} {percent(p)}" for letter, p in each.preferred)
            bar(i + 0.2, each.preferred[0][1], FAINT, others)
    labels = [f"{seen(each)} → {called(each.letter)}" for each in choices]
    axes.set_yticks(range(len(choices)), labels, fontsize=11)
    axes.set_ylim(len(choices) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_title(summary(choices), loc="left", color=INK)
    axes.set_xlabel("probability of the letter (blue), and of the one that the model prefers (grey)")
    return drawn
