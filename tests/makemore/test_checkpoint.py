"""Checkpoints: they give back the run to the last bit, and whatever stops a run leaves a whole one."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from makemore import checkpoint
from makemore.__main__ import main
from makemore.training import Run, Settings
from makemore.words import bundled_names, read_words

from .checkpoints import arrays_of, refusal
from .runs import SMALL, WORDS, small_run


def assert_same_checkpoint(one, other):
    """To the last bit."""
    one, other = arrays_of(one), arrays_of(other)
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert (array.dtype, array.shape) == (other[name].dtype, other[name].shape), name
        assert array.tobytes() == other[name].tobytes(), name


# Round trips.


def test_round_trip(tmp_path):
    run = small_run(25)
    run.dev_loss()
    run.optimiser.momentum = 0.5
    run.optimiser.velocities[0][...] = 3
    assert checkpoint.save(run, tmp_path / "a") == tmp_path / "a" / "checkpoint.npz"
    again = checkpoint.load(tmp_path / "a")
    assert again.words == WORDS
    assert again.settings == SMALL
    assert again.vocabulary.letters == run.vocabulary.letters
    assert again.step == 25
    assert again.dev_losses == run.dev_losses
    assert again.optimiser.momentum == 0.5
    for name, array in run.model.state.items():
        np.testing.assert_array_equal(again.model.state[name], array)
    for one, other in zip(again.optimiser.velocities, run.optimiser.velocities, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.losses, run.losses)
    checkpoint.save(again, tmp_path / "b")
    assert_same_checkpoint(tmp_path / "a", tmp_path / "b")


def test_what_it_holds(saved):
    arrays = arrays_of(saved)
    assert not any(array.dtype.hasobject for array in arrays.values())
    header = json.loads(bytes(arrays["header"]))
    assert (header["format"], header["version"], header["step"]) == ("makemore checkpoint", 1, 10)
    assert header["settings"] == SMALL.as_dict()
    assert header["vocabulary"] == "." + "".join(sorted(set("".join(WORDS))))
    assert bytes(arrays["words"]).decode().split("\n") == WORDS
    assert arrays["losses"].shape == (10,)


@settings(max_examples=30, deadline=None)
@given(stops=st.lists(st.integers(0, 60), max_size=3).map(sorted))
@example([30])
@example([0, 60])
def test_resume_is_exact(tmp_path_factory, stops):
    """Stopped anywhere, and resumed from the file, it ends as in one go."""
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    checkpoint.save(small_run(60), one)
    run = small_run()
    for stop in stops:
        run.advance(stop - run.step)
        checkpoint.save(run, other)
        run = checkpoint.load(other)
    run.advance(60)
    assert run.done
    checkpoint.save(run, other)
    assert_same_checkpoint(one, other)


def test_resume_is_exact_across_what_is_drawn_at_once(tmp_path):
    """2,000 steps at one go, and stopped at 1,000 and some, where the next minibatches have been drawn already."""
    whole = Run(WORDS, Settings(2000, 16, 2, 3, 5))
    whole.advance(2000)
    for stop in (999, 1000, 1001):
        run = Run(WORDS, whole.settings)
        run.advance(stop)
        checkpoint.save(run, tmp_path / "other")
        run = checkpoint.load(tmp_path / "other")
        run.advance(2000)
        checkpoint.save(run, tmp_path / "other")
        checkpoint.save(whole, tmp_path / "one")
        assert_same_checkpoint(tmp_path / "one", tmp_path / "other")


# Interrupted in earnest.

FLAGS = ["--steps", "2000", "--hidden", "8", "--embedding", "4"]


def start(folder, *flags):
    command = [sys.executable, "-m", "makemore", "train", "--out", str(folder), *flags]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process, text):
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"ended without telling {text!r}")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert main(["train", "--out", str(folder), *FLAGS]) == 0
    return folder


def step_of(folder):
    return checkpoint.read(folder)[0]["step"]


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal(tmp_path, uninterrupted, number):
    """Ctrl-C saves, says how to go on, and going on ends as if nothing had happened."""
    with start(tmp_path, *FLAGS) as process:
        wait_for(process, "step     100 ")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    step = step_of(tmp_path)
    assert 100 <= step < 2000
    stopped = f"Stopped after step {step:,}; all is saved. Go on with: makemore train --resume --out {tmp_path}"
    assert out.splitlines()[-1] == stopped
    assert main(["train", "--out", str(tmp_path), "--resume"]) == 0
    assert_same_checkpoint(tmp_path, uninterrupted)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_killed(tmp_path, uninterrupted):
    """kill -9 after a save: the checkpoint is whole, and leads to the same end."""
    with start(tmp_path, *FLAGS) as process:
        wait_for(process, "step   1,000 ")
        while step_of(tmp_path) < 1000:
            time.sleep(0.001)
        process.kill()
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert 1000 <= step_of(tmp_path) < 2000
    assert main(["train", "--out", str(tmp_path), "--resume"]) == 0
    assert_same_checkpoint(tmp_path, uninterrupted)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_killed_while_saving(tmp_path):
    """At whatever moment of a save it ends, there is a whole checkpoint: the one before, or the new one."""
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from makemore import checkpoint
        run = checkpoint.load(Path({str(tmp_path)!r}))
        print("ready", flush=True)
        while True:
            run.advance(1)
            checkpoint.save(run, Path({str(tmp_path)!r}))
    """)
    run = Run(WORDS, Settings(10**6, 16, 2, 3, 5))
    checkpoint.save(run, tmp_path)
    for delay in (0.0, 0.003, 0.01, 0.017):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(delay)
            process.kill()
        checkpoint.load(tmp_path)
    checkpoint.save(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]


def test_left_over_temporary_files_go(saved):
    left = saved / f"{checkpoint.NAME}.12345.tmp"
    left.write_bytes(b"half")
    other = saved / "notes.tmp"
    other.write_text("mine")
    checkpoint.save(small_run(20), saved)
    assert sorted(entry.name for entry in saved.iterdir()) == [checkpoint.NAME, "notes.tmp"]
    assert checkpoint.load(saved).step == 20


# The data on --resume.


def test_same_data(saved):
    run = checkpoint.load(saved)
    checkpoint.check_same_data(run, WORDS)
    message = refusal(checkpoint.check_same_data, run, [*WORDS, "Øx"])
    assert message.startswith("--data has another vocabulary than the run: they differ in x Ø;")
    message = refusal(checkpoint.check_same_data, run, WORDS[::-1])
    assert message == "--data holds other words than the run; leave it out to go on with the run's own"


def test_reference_model_fits(tmp_path):
    """The size of the default model's checkpoint, which is written 20 times, and the time it takes."""
    run = Run(read_words(bundled_names()), Settings())
    path = checkpoint.save(run, tmp_path)
    assert path.stat().st_size < 2_000_000
