"""Bounds that hold whatever is given: of memory, of numbers, of what is told."""

import io
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import makemore
import tinygrad_lite as tg
from makemore import checkpoint, sampling
from makemore.__main__ import main
from makemore.errors import MakemoreError
from makemore.sampling import Predictor, sample
from makemore.training import Run, Settings

WORDS = ["anna", "otto", "bob", "eve", "ada", "hannah", "ana", "lol", "élan", "ño"]


def small(words=WORDS):
    return Run(words, Settings(steps=10, batch_size=16, hidden=6, embedding=3))


def test_statistic_out_of_bounds_stops_at_its_step():
    """The variance overflows and so the hidden units are 0: the loss of that step is as finite as can be."""
    run = small()
    run.advance(3)
    run.model.W1.data[...] *= np.float32(1e25)
    with pytest.raises(MakemoreError, match=r"^step 3: running_std holds nan or inf: .*--learning-rate") as caught:
        run.advance(5)
    assert caught.value.status == 1
    assert run.step == 3


@pytest.mark.parametrize("name", ["model.C", "model.running_std", "velocity.2", "losses"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_checkpoint_with_nan_or_inf_is_refused(tmp_path, name, bad):
    run = small()
    run.advance(5)
    raw = checkpoint.save(run, tmp_path).read_bytes()
    with np.load(io.BytesIO(raw)) as file:
        arrays = {key: file[key] for key in file.files}
    arrays[name].flat[-1] = bad
    np.savez(tmp_path / checkpoint.NAME, **arrays)
    with pytest.raises(MakemoreError, match=r"checkpoint.npz: is damaged: an array holds nan or inf$"):
        checkpoint.load(tmp_path)


def test_block_size(tmp_path, capsys):
    assert main(["train", "--block-size", "101", "--steps", "1", "--hidden", "2", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == "makemore: error: --block-size must be 100 or less, got 101\n"


def test_many_letters_take_little_memory(monkeypatch):
    """Names of an alphabet of 300 letters are the same when next to nothing is remembered."""
    run = small([*WORDS, "".join(map(chr, range(0x4E00, 0x4E00 + 300)))])
    letters = len(run.vocabulary)

    def names():
        return list(islice(sample(run.model, run.vocabulary, 3, tg.Generator().manual_seed(1)), 5))

    right = names()
    monkeypatch.setattr(sampling, "REMEMBERED", 50 * letters)
    assert names() == right
    predict = Predictor(run.model, letters)
    for last in range(letters):
        predict((1, 2, last))
        assert len(predict._known) <= 50 + sampling.TOGETHER


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk(tmp_path):
    checkpoint.save(small(), tmp_path)
    command = [sys.executable, "-m", "makemore", "sample", "--seed", "1", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(makemore.__file__).parents[1])}
    with open("/dev/full", "w") as full:
        child = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, timeout=60)
    assert (child.returncode, child.stderr) == (2, "makemore: error: the output: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="needs the limits of POSIX")
@pytest.mark.parametrize("command", ["train", "sample", "evaluate", "info"])
def test_name_of_a_folder_that_is_too_long(command, capsys):
    assert main([command, "--out", "a" * 300]) == 2
    error = capsys.readouterr().err
    assert error.startswith("makemore: error: aaa")
    assert error.count("\n") == 1
