"""Inventing names: the same draws as torch's, letter by letter, whatever is asked for."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from makemore import checkpoint, sampling
from makemore.__main__ import main
from makemore.errors import MakemoreError
from makemore.model import Model
from makemore.sampling import LONGEST, Predictor, sample
from makemore.training import Run, Settings
from makemore.vocabulary import Vocabulary
from makemore.words import bundled_names, read_words

from ..torch_backend import NamesModel, torch


@pytest.fixture(scope="module")
def run():
    run = Run(read_words(bundled_names()), Settings(steps=300, hidden=16, embedding=6))
    run.advance(300)
    return run


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    checkpoint.save(run, folder)
    return folder


def generator(seed=1):
    return tg.Generator().manual_seed(seed)


def draw(run, number, seed=1, **options):
    return list(islice(sample(run.model, run.vocabulary, run.settings.block_size, generator(seed), **options), number))


def softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 26), min_size=3, max_size=3).map(tuple), min_size=1), st.floats(0.1, 10.0))
def test_probabilities(run, contexts, temperature):
    predict = Predictor(run.model, 27, temperature)
    for context in contexts:
        right = softmax(run.model.logits(np.array([context]))[0].astype(float) / temperature)
        found = predict(context)
        assert found.shape == (27,)
        assert found.dtype == np.float32
        assert found.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(found, right, rtol=2e-5, atol=1e-7)


def test_same_context_gives_the_same_bits_whatever_was_asked_before(run):
    contexts = [tuple(context) for context in run.data.dev.contexts[:300].tolist()]
    forward, backward = Predictor(run.model, 27), Predictor(run.model, 27)
    one = [forward(context).tobytes() for context in contexts]
    other = [backward(context).tobytes() for context in reversed(contexts)]
    assert one == other[::-1]


def naive(run, number, seed):
    """Names as the lecture draws them: one context, one distribution, one draw at a time."""
    g, predict, names = generator(seed), Predictor(run.model, 27), []
    while len(names) < number:
        context, numbers = (0, 0, 0), []
        while True:
            following = int(g.multinomial(predict(context), 1).item())
            context = (*context[1:], following)
            if following == 0:
                break
            numbers.append(following)
        if numbers:
            names.append(run.vocabulary.decode(numbers))
    return names


@pytest.mark.parametrize("seed", [1, 2147483657])
def test_equals_the_naive_loop(run, seed):
    assert draw(run, 300, seed) == naive(run, 300, seed)


def test_equals_torch(run):
    """torch's softmax and multinomial on torch's logits."""
    other, g, names = NamesModel(run.model.state), torch.Generator().manual_seed(5), []
    while len(names) < 100:
        context, numbers = [0, 0, 0], []
        while True:
            probabilities = torch.softmax(other.logits(np.array([context])), 1)
            following = torch.multinomial(probabilities, 1, replacement=True, generator=g).item()
            context = [*context[1:], following]
            if following == 0:
                break
            numbers.append(following)
        if numbers:
            names.append(run.vocabulary.decode(numbers))
    assert draw(run, 100, 5) == names


@pytest.mark.parametrize("options", [{}, {"temperature": 0.7}, {"start": "an"}, {"known": {"an"}}])
def test_first_names_are_the_same_however_many(run, options):
    many = draw(run, 1000, **options)
    assert len(many) == 1000
    for number in (0, 1, 5, 50):
        assert draw(run, number, **options) == many[:number]


def test_seeds(run):
    assert draw(run, 20, 1) == draw(run, 20, 1)
    assert draw(run, 20, 1) != draw(run, 20, 2)


def test_temperature(run):
    """Cold, it nearly always says the most probable; hot, all letters are alike."""
    cold = draw(run, 50, temperature=1e-3)
    assert len(set(cold)) == 1
    letters = np.array(list("".join(draw(run, 400, temperature=1e4))))
    _, counts = np.unique(letters, return_counts=True)
    assert len(counts) == 26
    assert counts.max() < 2 * counts.min()
    assert draw(run, 50, temperature=1.0) == draw(run, 50)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_temperature_out_of_range(run, temperature):
    with pytest.raises(MakemoreError, match=r"^--temperature must be a number above 0, got ") as caught:
        draw(run, 1, temperature=temperature)
    assert caught.value.status == 2


@pytest.mark.parametrize("temperature", [1e-30, 1e-45, 1e-300, 5e-324, 1e30, 1e300])
def test_extreme_temperatures(run, temperature):
    """Beyond what float32 holds: still names, with no warning."""
    assert len(draw(run, 5, temperature=temperature)) == 5


@pytest.mark.parametrize("start", ["a", "jo", "kath", "maximilian"])
def test_start(run, start):
    names = draw(run, 200, start=start)
    assert all(name.startswith(start) for name in names)
    assert len(set(names)) > 20


def test_start_is_what_the_model_sees(run):
    """The letters after a start are drawn from the context that it makes."""
    vocabulary = run.vocabulary
    g, predict = generator(), Predictor(run.model, 27)
    first = [vocabulary.decode([int(g.multinomial(predict((0, *vocabulary.encode("jo"))), 1).item())])]
    name = draw(run, 1, start="jo")[0] + "."
    assert name[2] == first[0]


@pytest.mark.parametrize("start", ["é", "annA", "an.", ".", " "])
def test_start_with_a_letter_never_seen(run, start):
    with pytest.raises(MakemoreError, match=r"^--start: the model never saw '.'; it knows abc") as caught:
        draw(run, 1, start=start)
    assert caught.value.status == 2


def test_only_new_ones(run):
    plain = draw(run, 500)
    known = set(plain[::2])
    assert draw(run, 200, known=known) == [name for name in plain if name not in known][:200]


def test_no_name_is_empty(run):
    class AlwaysEnds(Model):
        def logits(self, contexts):
            return np.tile(np.array([[3.0] + [0.0] * 26], np.float32), (len(contexts), 1))

    model = AlwaysEnds(27, 3, 2, 2, generator())
    names = list(islice(sample(model, run.vocabulary, 3, generator()), 100))
    assert all(names)


def test_gives_up_where_nothing_is_new(monkeypatch):
    class Only(Model):
        """Always says "a"."""

        def logits(self, contexts):
            ends = contexts[:, -1:] == 1
            return np.where(ends, [[200.0, 0.0]], [[0.0, 200.0]]).astype(np.float32)

    model, vocabulary = Only(2, 3, 2, 2, generator()), Vocabulary(".a")
    assert list(islice(sample(model, vocabulary, 3, generator()), 3)) == ["a"] * 3
    monkeypatch.setattr(sampling, "FRUITLESS", 20)
    with pytest.raises(MakemoreError, match=r"^20 names in a row, and none was new; try a higher --temperature$"):
        next(sample(model, vocabulary, 3, generator(), known={"a"}))


def test_nothing_but_empty_names(monkeypatch):
    class Silent(Model):
        def logits(self, contexts):
            return np.tile(np.float32([200, 0]), (len(contexts), 1))

    monkeypatch.setattr(sampling, "FRUITLESS", 20)
    with pytest.raises(MakemoreError, match=r"^20 names in a row, and all were empty; try a higher --temperature$"):
        next(sample(Silent(2, 3, 2, 2, generator()), Vocabulary(".a"), 3, generator()))


def test_length_is_bounded(run):
    class Endless(Model):
        def logits(self, contexts):
            return np.tile(np.array([[-200.0] + [0.0] * 26], np.float32), (len(contexts), 1))

    model = Endless(27, 3, 2, 2, generator())
    assert [len(name) for name in islice(sample(model, run.vocabulary, 3, generator()), 3)] == [LONGEST] * 3
    assert [len(name) for name in islice(sample(model, run.vocabulary, 3, generator(), start="anna"), 3)] == (
        [LONGEST] * 3
    )


@pytest.mark.parametrize("block_size", [1, 2, 8])
def test_other_block_sizes_and_alphabets(block_size):
    run = Run(["Zoë", "émile", "ида", "अमर", "anna", "noah", "leo"] * 3, Settings(30, 16, block_size, 3, 5))
    run.advance(30)
    names = draw(run, 50)
    assert set("".join(names)) <= set(run.vocabulary.letters[1:])
    assert draw(run, 5, start="Zoë")[0].startswith("Zoë")


# The command.


def command(capsys, folder, *flags):
    assert main(["sample", "--out", str(folder), *flags]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.split()


def test_command(run, folder, capsys):
    assert command(capsys, folder, "--seed", "1", "-n", "5") == draw(run, 5)
    assert command(capsys, folder, "--seed", "1", "-n", "300") == draw(run, 300)
    assert len(command(capsys, folder, "--seed", "1")) == 20
    assert command(capsys, folder, "--seed", "-3", "-n", "7", "--temperature", "0.8", "--start", "ma") == draw(
        run, 7, -3, temperature=0.8, start="ma"
    )
    assert command(capsys, folder, "-n", "0") == []


def test_command_is_random_without_a_seed(folder, capsys):
    assert command(capsys, folder) != command(capsys, folder)


def test_command_new_only(run, folder, capsys):
    flags = ["--seed", "1", "--temperature", "0.5", "--start", "an"]
    plain = command(capsys, folder, *flags, "-n", "1000")
    known = set(run.words)
    assert known & set(plain)
    new = command(capsys, folder, *flags, "-n", "50", "--new-only")
    assert new == [name for name in plain if name not in known][:50]


def test_command_start_in_decomposed_letters(tmp_path, capsys):
    """An accent typed as a character of its own finds the letter of the list, where it was composed."""
    run = Run(["éva", "anna", "noah"] * 4, Settings(10, 16, 2, 3, 5))
    checkpoint.save(run, tmp_path)
    assert all(name.startswith("\xe9") for name in command(capsys, tmp_path, "--start", "e\u0301", "-n", "3"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["-n", "-1"], "-n must be 0 or more, got -1"),
        (["--temperature", "0"], "--temperature must be a number above 0, got 0.0"),
        (["--temperature", "nan"], "--temperature must be a number above 0, got nan"),
        (["--start", "É"], "--start: the model never saw 'É'; it knows abcdefghijklmnopqrstuvwxyz"),
        (["--seed", str(1 << 64)], f"--seed must lie between -2**63 and 2**64 - 1, got {1 << 64}"),
    ],
)
@pytest.mark.parametrize("number", ["3", "0"])
def test_command_refuses(folder, capsys, flags, message, number):
    assert main(["sample", "--out", str(folder), "-n", number, *flags]) == 2
    assert capsys.readouterr() == ("", f"makemore: error: {message}\n")
