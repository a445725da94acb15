"""From words to what the model learns from: contexts, and the letter that follows each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import MakemoreError
from .vocabulary import Vocabulary


class Examples(NamedTuple):
    """contexts (N, block_size) and targets (N,), both numbers of letters, int64."""

    contexts: NDArray[np.int64]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)


class Split(NamedTuple):
    """Examples to learn from, to choose hyperparameters by, and to judge the result."""

    train: Examples
    dev: Examples
    test: Examples


def examples(words: Sequence[str], vocabulary: Vocabulary, block_size: int) -> Examples:
    """Every letter of every word, and its end, after the `block_size` letters before it (0 before the first)."""
    contexts, targets = [], []
    for word in words:
        numbers = [0] * block_size + vocabulary.encode(word) + [0]
        for i in range(len(word) + 1):
            contexts.append(numbers[i : i + block_size])
            targets.append(numbers[i + block_size])
    return Examples(np.array(contexts, np.int64), np.array(targets, np.int64))


def split(words: Sequence[str], vocabulary: Vocabulary, block_size: int) -> Split:
    """80 % of the words for training, 10 % for dev, 10 % for test, after the lecture's shuffle (seed 42).

    Raises MakemoreError where that leaves a part without words.
    """
    shuffled = list(words)
    random.Random(42).shuffle(shuffled)
    one, two = int(0.8 * len(words)), int(0.9 * len(words))
    parts = shuffled[:one], shuffled[one:two], shuffled[two:]
    if not all(parts):
        raise MakemoreError(f"{len(words)} words are too few to split into train, dev and test; give at least 6")
    return Split(*(examples(part, vocabulary, block_size) for part in parts))
