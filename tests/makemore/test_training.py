"""Training: settings, schedule, what is drawn and kept, what goes wrong, and what is shown."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from makemore import checkpoint, progress, training
from makemore.__main__ import main
from makemore.errors import MakemoreError
from makemore.training import Run, Settings
from makemore.words import bundled_names, read_words

from .runs import WORDS

SMALL = ["--hidden", "8", "--embedding", "4"]


def small_run(**changes):
    return Run(WORDS, Settings(**{"steps": 60, "batch_size": 16, "embedding": 3, "hidden": 5, **changes}))


# Settings.


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", 0, "--steps must lie between 1 and 2147483647, got 0"),
        ("steps", -5, "--steps must lie between 1 and 2147483647, got -5"),
        ("block_size", 0, "--block-size must lie between 1 and 2147483647, got 0"),
        ("embedding", 0, "--embedding must lie between 1 and 2147483647, got 0"),
        ("hidden", -1, "--hidden must lie between 1 and 2147483647, got -1"),
        ("batch_size", 1, "--batch-size must be 2 or more, got 1: BatchNorm divides by the standard deviation of a"),
        ("batch_size", 0, "--batch-size must be 2 or more, got 0: "),
        ("learning_rate", 0.0, "--learning-rate must be a number above 0, got 0.0"),
        ("learning_rate", -0.1, "--learning-rate must be a number above 0, got -0.1"),
        ("learning_rate", float("nan"), "--learning-rate must be a number above 0, got nan"),
        ("learning_rate", float("inf"), "--learning-rate must be a number above 0, got inf"),
        ("seed", 1 << 64, f"--seed must lie between -2**63 and 2**64 - 1, got {1 << 64}"),
        ("seed", -(1 << 63) - 1, f"--seed must lie between -2**63 and 2**64 - 1, got {-(1 << 63) - 1}"),
        ("hidden", 10**8, "--block-size x --embedding x --hidden makes 4,500,000,000 weights; more than 100,000,000"),
    ],
)
def test_settings_out_of_range(name, value, message):
    with pytest.raises(MakemoreError) as caught:
        Settings(**{name: value})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert caught.value.status == 2


@pytest.mark.parametrize("name", ["steps", "batch_size", "hidden", "embedding", "block_size"])
def test_huge_settings(name):
    """More than any laptop holds: refused before memory is asked for."""
    with pytest.raises(MakemoreError, match=f"^--.*{name.replace('_', '-')}"):
        Settings(**{name: 1 << 62})


@pytest.mark.parametrize("seed", [-(1 << 63), -1, 0, (1 << 64) - 1])
def test_all_seeds(seed):
    small_run(seed=seed).advance(2)


# The schedule.


def test_schedule_of_the_lecture():
    rates = Settings().rate
    assert [rates(step) for step in (0, 99_999, 100_000, 199_999)] == [0.1, 0.1, 0.01, 0.01]


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 11])
def test_rates_that_a_training_uses(steps, monkeypatch):
    run, rates = small_run(steps=steps, learning_rate=0.5), []
    step = run.optimiser.step
    monkeypatch.setattr(run.optimiser, "step", lambda: (rates.append(run.optimiser.lr), step()))
    run.advance(steps)
    assert rates == [0.5] * (steps // 2) + [0.05] * (steps - steps // 2)


def test_schedule_in_words():
    chosen = Settings(steps=3000)
    assert chosen.schedule(0) == "steps 0 to 1,499 at 0.1, steps 1,500 to 2,999 at 0.01"
    assert chosen.schedule(1000) == "steps 1,000 to 1,499 at 0.1, steps 1,500 to 2,999 at 0.01"
    assert chosen.schedule(1499) == "steps 1,499 to 1,499 at 0.1, steps 1,500 to 2,999 at 0.01"
    assert chosen.schedule(1500) == "steps 1,500 to 2,999 at 0.01"
    assert chosen.schedule(2000) == "steps 2,000 to 2,999 at 0.01"


# What is drawn, and kept.


@settings(max_examples=20, deadline=None)
@given(parts=st.lists(st.integers(1, 30), min_size=1, max_size=8), at_once=st.integers(1, 600))
def test_drawn_at_once_or_one_by_one(parts, at_once):
    """The minibatches are those of one randint a step, however many are drawn at once and wherever it is stopped."""
    run = small_run(steps=240)
    one_by_one = tg.Generator()
    one_by_one.set_state(run.generator.get_state())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "DRAWN_AT_ONCE", at_once)  # examples, of which a minibatch has 16
        for part in parts:
            for _ in range(part):
                right = one_by_one.randint(0, len(run.data.train), (16,))
                np.testing.assert_array_equal(run._next_rows(), right)
            np.testing.assert_array_equal(run.generator_state(), one_by_one.get_state())


def test_losses_are_kept():
    """Of every step, as they were."""
    run, again = small_run(), small_run()
    run.advance(25)
    contexts, targets = again.data.train
    for step in range(25):
        rows = again._next_rows()
        loss = again.model.loss(contexts[rows], targets[rows])
        assert run.losses[step] == loss.item()
        again.optimiser.zero_grad()
        loss.backward()
        again.optimiser.step()
    assert not run.losses[25:].any()
    assert run.losses.dtype == np.float32


def test_in_parts_or_at_one_go():
    whole, parts = small_run(), small_run()
    whole.advance(100)
    for _ in range(20):
        parts.advance(3)
        parts.dev_loss()
        parts.final_losses()
    assert whole.done
    assert parts.done
    np.testing.assert_array_equal(whole.losses, parts.losses)
    for name, array in whole.model.state.items():
        np.testing.assert_array_equal(array, parts.model.state[name])


def test_dev_losses_are_kept():
    run = small_run()
    losses = []
    for _ in range(3):
        run.advance(20)
        losses.append((run.step, run.dev_loss()))
    assert run.dev_losses == losses
    assert run.final_losses()["dev"] == losses[-1][1]


def test_it_learns():
    run = Run(read_words(bundled_names()), Settings(steps=1000, hidden=32))
    before = run.final_losses()["dev"]
    run.advance(1000)
    assert run.losses[:50].mean() > 2.9
    assert run.losses[-200:].mean() < 2.7
    assert run.final_losses()["dev"] < min(before, 2.7)


# What goes wrong.


def error_of(capsys, *flags, status):
    """The one line on stderr that begins with "makemore: error: ", without that."""
    assert main(["train", *map(str, flags)]) == status
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("step ")]
    assert len(lines) == 1
    assert lines[0].startswith("makemore: error: ")
    return lines[0].removeprefix("makemore: error: ")


def test_learning_rate_too_high(tmp_path, capsys):
    """It stops with the step, the cause and status 1; the last good checkpoint stays."""
    message = error_of(capsys, "--out", tmp_path, "--steps", 20, *SMALL, "--learning-rate", "1e30", status=1)
    found = re.fullmatch(
        r"step (\d+): the (?:loss is (?:nan|inf): the statistics of a batch overflowed; lower --learning-rate"
        r"|dev loss is (?:nan|inf): the weights have grown to 2e\+29; lower --learning-rate \(1e\+30\))"
        r" \(the checkpoint in (.*) is from step (\d+)\)",
        message,
    )  # which of them overflows first depends on how BLAS rounds
    assert found, message
    assert found[2] == str(tmp_path)
    run = checkpoint.load(tmp_path)
    assert run.step == int(found[3]) <= int(found[1]) < 20
    run.check()
    assert main(["evaluate", "--out", str(tmp_path)]) == 0


def test_dev_loss_that_overflows():
    """Weights that are finite, and too large to be evaluated, are told as what they are; the loss is not kept."""
    run = small_run()
    run.advance(5)
    for name in ("W1", "W2"):
        run.model.parameters[name].data[...] = 3e38
    message = r"^step 5: the dev loss is (nan|inf): the weights have grown to 3e\+38; lower --learning-rate \(0\.1\)$"
    with pytest.raises(MakemoreError, match=message) as caught:
        run.dev_loss()
    assert caught.value.status == 1
    assert run.dev_losses == []


@pytest.mark.parametrize("rate", ["1e4", "1e10", "1e20", "1e37", "1e300"])
def test_any_high_learning_rate(tmp_path, capsys, rate):
    """No traceback and no warning; and never a checkpoint with nan or inf."""
    status = main(["train", "--out", str(tmp_path), "--steps", "40", *SMALL, "--learning-rate", rate])
    assert status in (0, 1)
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("step ")]
    assert len(errors) == status
    assert all(
        re.fullmatch(r"makemore: error: step \d+: .*; lower --learning-rate.* \(the checkpoint .*\)", line)
        for line in errors
    )
    checkpoint.load(tmp_path).check()


def test_hidden_unit_that_never_varies(tmp_path, capsys):
    """With one and the same context in the whole batch, the standard deviation is 0."""
    data = tmp_path / "words.txt"
    data.write_text("a\n" * 20)
    out = tmp_path / "out"
    flags = ["--out", out, "--data", data, "--steps", 2000, "--batch-size", 2, "--hidden", 4]
    message = error_of(capsys, *flags, status=1)
    assert re.fullmatch(
        r"step \d+: the loss is nan: a hidden unit had the same value in the whole batch, so BatchNorm divided by 0; "
        rf"raise --batch-size \(the checkpoint in {out} is from step \d+\)",
        message,
    )
    checkpoint.load(out).check()


def poisoned(monkeypatch, name, step, bad):
    """Let an array of the model become nan or inf before some step."""
    next_rows = Run._next_rows

    def poison_and_draw(self):
        if self.step == step:
            self.model.state[name].flat[0] = bad
        return next_rows(self)

    monkeypatch.setattr(Run, "_next_rows", poison_and_draw)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["C", "b2", "running_mean", "running_std"])
def test_nan_or_inf_anywhere_stops_it(tmp_path, capsys, monkeypatch, name, bad):
    """A running statistic, which no loss of the training shows, too."""
    poisoned(monkeypatch, name, 31, bad)
    message = error_of(capsys, "--out", tmp_path, "--steps", 100, *SMALL, status=1)
    step = int(re.match(r"step (\d+): ", message)[1])
    assert 31 <= step <= 35
    assert message.endswith(f" (the checkpoint in {tmp_path} is from step 30)")
    monkeypatch.undo()
    assert checkpoint.load(tmp_path).step == 30


def test_resume_after_it_went_wrong(tmp_path, capsys, monkeypatch):
    """What a passing fault spoilt can be gone on with."""
    with monkeypatch.context() as patched:
        poisoned(patched, "W1", 31, float("nan"))
        error_of(capsys, "--out", tmp_path / "a", "--steps", 100, *SMALL, status=1)
    assert main(["train", "--out", str(tmp_path / "a"), "--resume"]) == 0
    assert main(["train", "--out", str(tmp_path / "b"), "--steps", "100", *SMALL]) == 0
    one, other = checkpoint.load(tmp_path / "a"), checkpoint.load(tmp_path / "b")
    np.testing.assert_array_equal(one.losses, other.losses)


def test_with_and_without_the_jit(tmp_path, capsys):
    """The same numbers to the last bit, also where one goes on with what the other began."""
    for name, flags in (("a", []), ("b", ["--no-jit"])):
        assert main(["train", "--out", str(tmp_path / name), "--steps", "60", *SMALL, *flags]) == 0
    for name, flags in (("a", ["--no-jit"]), ("b", [])):
        assert main(["train", "--out", str(tmp_path / name), "--steps", "90", "--resume", *flags]) == 0
    one, other = checkpoint.load(tmp_path / "a"), checkpoint.load(tmp_path / "b")
    np.testing.assert_array_equal(one.losses, other.losses)
    for name, array in one.model.state.items():
        np.testing.assert_array_equal(array, other.model.state[name])


# Going on with another number of steps.


def test_resume_with_other_steps(tmp_path, capsys):
    folder = str(tmp_path)
    assert main(["train", "--out", folder, "--steps", "40", *SMALL]) == 0
    capsys.readouterr()
    assert main(["train", "--out", folder, "--resume", "--steps", "100"]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == "Going on from step 40: steps 40 to 49 at 0.1, steps 50 to 99 at 0.01."
    run = checkpoint.load(tmp_path)
    assert (run.step, run.settings.steps, len(run.losses)) == (100, 100, 100)
    assert run.losses.all()


def test_resume_with_fewer_steps(tmp_path, capsys):
    run = small_run(steps=1000)
    run.advance(40)
    checkpoint.save(run, tmp_path)
    assert main(["train", "--out", str(tmp_path), "--resume", "--steps", "60"]) == 0
    assert capsys.readouterr().out.startswith("Going on from step 40: steps 40 to 59 at 0.01.\n")
    assert checkpoint.load(tmp_path).losses.shape == (60,)


@pytest.mark.parametrize("flags", [[], ["--steps", "60"], ["--steps", "10"]])
def test_resume_what_is_done(tmp_path, capsys, flags):
    run = small_run()
    run.advance(60)
    checkpoint.save(run, tmp_path)
    message = error_of(capsys, "--out", tmp_path, "--resume", *flags, status=2)
    assert message == "the run has made 60 steps already; give a larger --steps to go on"


def test_resume_with_the_same_steps_says_nothing_of_the_schedule(tmp_path, capsys):
    run = small_run()
    run.advance(20)
    checkpoint.save(run, tmp_path)
    assert main(["train", "--out", str(tmp_path), "--resume", "--steps", "60"]) == 0
    assert "Going on" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flag", "value", "was"),
    [("batch-size", 8, 16), ("hidden", 9, 5), ("learning-rate", 0.5, 0.1), ("seed", 3, 2147483647)],
)
def test_resume_with_other_settings(tmp_path, capsys, flag, value, was):
    checkpoint.save(small_run(), tmp_path)
    message = error_of(capsys, "--out", tmp_path, "--resume", f"--{flag}", value, status=2)
    assert message == f"--{flag} {value}: the run has {was}, and only --steps can be changed"


# What is shown.


def test_plain_lines_without_a_terminal(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path), "--steps", "200", *SMALL]) == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert len(lines) == 20
    for i, line in enumerate(lines, 1):
        assert re.fullmatch(
            rf"step {10 * i:>7} of 200   loss \d\.\d{{4}}   dev loss \d\.\d{{4}}   [\d,]+ steps/s   \d+ s left", line
        )
    assert lines[-1].endswith(" 0 s left")
    run = checkpoint.load(tmp_path)
    assert f"loss {run.losses.mean():.4f}   dev loss {run.dev_losses[-1][1]:.4f}" in lines[-1]
    assert [step for step, _ in run.dev_losses] == list(range(10, 201, 10))
    assert "\r" not in out + err


def test_shown_loss_is_smoothed():
    run = small_run(steps=3000)
    shown = progress.Progress(run)
    assert np.isnan(shown.loss())
    run.losses[:] = np.arange(3000)
    for run.step, right in ((1, 0.0), (4, 1.5), (1000, 499.5), (2500, 1999.5)):
        assert shown.loss() == right


PROGRAM = """
import sys
if sys.argv.pop(1) == "without":
    sys.modules["tqdm"] = None
from makemore.__main__ import main
sys.exit(main())
"""


def on_a_terminal(tmp_path, which):
    """What a training writes to stderr where that is a terminal."""
    pty = pytest.importorskip("pty", reason="there are no pseudo terminals")
    termios = pytest.importorskip("termios", reason="there are no pseudo terminals")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    command = [sys.executable, "-c", PROGRAM, which, "train", "--out", str(tmp_path), "--steps", "1500", *SMALL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        written = io.BytesIO()
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            written.write(part)
        out = process.stdout.read().decode()
    os.close(ours)
    assert process.returncode == 0, written.getvalue()
    assert out.splitlines()[-2].startswith("The model is in ")
    return written.getvalue().decode()


def test_bar_on_a_terminal(tmp_path):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    err = on_a_terminal(tmp_path, "with")
    assert "\r" in err
    assert re.search(r"1500/1500 \[00:\d\d<00:00, +[\d.]+step/s, loss \d\.\d{4}\]", err)
    assert len(re.findall(r"step +[\d,]+ of 1,500   loss \d\.\d{4}   dev loss \d\.\d{4}", err)) == 20


def test_lines_on_a_terminal_without_tqdm(tmp_path):
    err = on_a_terminal(tmp_path, "without")
    assert len(err.splitlines()) == 20
    assert all(re.fullmatch(r"step .* steps/s   \d+ s left", line) for line in err.splitlines())
