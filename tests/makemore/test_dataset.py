"""Letters and their numbers, contexts and targets, and the split."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makemore.dataset import examples, split
from makemore.errors import MakemoreError
from makemore.vocabulary import Vocabulary

LETTERS = "abcxyzABCéñüßאבβδΩжщのア村बर한- '\U00010400"
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=30)


def test_vocabulary_of_the_lecture():
    vocabulary = Vocabulary.of(["zoe", "abcdefghijklmnopqrstuvwxyz"])
    assert vocabulary.letters == ".abcdefghijklmnopqrstuvwxyz"
    assert len(vocabulary) == 27
    assert vocabulary.encode("emma.") == [5, 13, 13, 1, 0]
    assert vocabulary.decode([26, 15, 5, 0]) == "zoe."


@given(WORDS)
def test_vocabulary(words):
    vocabulary = Vocabulary.of(words)
    letters = set("".join(words))
    assert vocabulary.letters[0] == "."
    assert list(vocabulary.letters[1:]) == sorted(letters)
    assert len(vocabulary) == len(letters) + 1
    for letter in LETTERS:
        assert (letter in vocabulary) == (letter in letters)
    for word in words:
        numbers = vocabulary.encode(word)
        assert all(0 < number < len(vocabulary) for number in numbers)
        assert vocabulary.decode(numbers) == word
    assert Vocabulary.of(reversed(words)).letters == vocabulary.letters


def test_vocabulary_without():
    vocabulary = Vocabulary.of(["anna"])
    assert "." not in vocabulary
    assert "b" not in vocabulary
    with pytest.raises(KeyError):
        vocabulary.encode("b")


def test_examples_of_the_lecture():
    vocabulary = Vocabulary.of(["emma", "abcdefghijklmnopqrstuvwxyz"])
    contexts, targets = examples(["emma"], vocabulary, 3)
    assert [vocabulary.decode(context) for context in contexts] == ["...", "..e", ".em", "emm", "mma"]
    assert vocabulary.decode(targets) == "emma."


@given(WORDS, st.integers(1, 10))
def test_examples(words, block_size):
    """Each letter, and each end, follows what stands before it, as far as the context reaches."""
    vocabulary = Vocabulary.of(words)
    found = examples(words, vocabulary, block_size)
    right = [
        (("." * block_size + word)[i : i + block_size], (word + ".")[i]) for word in words for i in range(len(word) + 1)
    ]
    assert len(found) == len(right) == sum(map(len, words)) + len(words)
    assert found.contexts.shape == (len(right), block_size)
    assert found.targets.shape == (len(right),)
    assert found.contexts.dtype == found.targets.dtype == np.int64
    for context, target, pair in zip(found.contexts, found.targets, right, strict=True):
        assert (vocabulary.decode(context), vocabulary.decode([target])) == pair


@settings(deadline=None)
@given(st.integers(6, 400))
def test_split(number):
    """80, 10 and 10 %, by words, none lost and none twice; as the lecture shuffles, and the words given stay as is."""
    words = [f"{i:b}".replace("0", "a").replace("1", "b") for i in range(number)]
    given_words = list(words)
    vocabulary = Vocabulary.of(words)
    parts = split(words, vocabulary, 3)
    assert words == given_words

    random.seed(42)
    random.shuffle(given_words)
    ends = [0, int(0.8 * number), int(0.9 * number), number]
    for part, start, end in zip(parts, ends, ends[1:], strict=False):
        right = examples(given_words[start:end], vocabulary, 3)
        np.testing.assert_array_equal(part.contexts, right.contexts)
        np.testing.assert_array_equal(part.targets, right.targets)
    assert sum(map(len, parts)) == len(examples(words, vocabulary, 3))


@pytest.mark.parametrize("number", range(1, 6))
def test_too_few_words(number):
    words = ["anna"] * number
    message = f"^{number} words are too few to split into train, dev and test; give at least 6$"
    with pytest.raises(MakemoreError, match=message) as caught:
        split(words, Vocabulary.of(words), 3)
    assert caught.value.status == 2


def test_least_number_of_words():
    words = ["anna", "ben"] * 3
    assert all(split(words, Vocabulary.of(words), 3))
