"""The command line: every mistake and failure gets one line and exit status 2, and it fits in with other programs."""

import errno
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from makemore import checkpoint
from makemore.__main__ import main
from makemore.errors import MakemoreError

from .commands import SMALL, python, refusal

# Mistakes.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND; see `makemore --help`"),
        (["fly"], "argument COMMAND: invalid choice: 'fly'"),
        (["train", "--fly"], "unrecognized arguments: --fly; see `makemore --help`"),
        (["train", "a\nb"], "unrecognized arguments: a b; see `makemore --help`"),
        (["train", "--steps"], "argument --steps: expected one argument; see `makemore train --help`"),
        (["train", "--steps", "many"], "argument --steps: invalid int value: 'many'; see `makemore train --help`"),
        (["train", "--steps", "1e3"], "argument --steps: invalid int value: '1e3'"),
        (["train", "--steps", "9" * 5000], "argument --steps: invalid int value: "),
        (["train", "--resume", "--overwrite"], "argument --overwrite: not allowed with argument --resume"),
        (["train", "--steps", "0"], "--steps must lie between 1 and 2147483647, got 0"),
        (["train", "--hidden", "-2"], "--hidden must lie between 1 and 2147483647, got -2"),
        (["train", "--embedding", "0"], "--embedding must lie between 1 and 2147483647, got 0"),
        (["train", "--block-size", "0"], "--block-size must lie between 1 and 2147483647, got 0"),
        (["train", "--batch-size", "1"], "--batch-size must be 2 or more, got 1: BatchNorm"),
        (["train", "--batch-size", "1000000000"], "--batch-size 1000000000 makes "),
        (["train", "--hidden", "1000000000"], "--block-size x --embedding x --hidden makes "),
        (["train", "--learning-rate", "0"], "--learning-rate must be a number above 0, got 0.0"),
        (["train", "--learning-rate", "nan"], "--learning-rate must be a number above 0, got nan"),
        (["train", "--seed", str(1 << 64)], "--seed must lie between "),
        (["train", "--data", "none.txt"], "none.txt: there is no such file"),
        (["train", "--data", "."], ".: this is a folder; give a text file with one word on each line"),
        (["train", "--data", ""], ".: this is a folder"),
        (["train", "--resume"], "makemore-run: holds no checkpoint; `makemore train --out makemore-run` makes one"),
        (["sample"], "makemore-run: holds no checkpoint; "),
        (["evaluate"], "makemore-run: holds no checkpoint; "),
        (["info"], "makemore-run: holds no checkpoint; "),
        (["report"], "makemore-run: holds no checkpoint; "),
        (["sample", "--explain", "anna"], "makemore-run: holds no checkpoint; "),
        (["info", "--out", "a\nb"], "a b: holds no checkpoint; "),
        (["sample", "-n", "few"], "argument -n: invalid int value: 'few'"),
        (["sample", "--temperature", "hot"], "argument --temperature: invalid float value: 'hot'"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert refusal(capsys, *arguments).startswith(message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "there are no words in it"),
        (b"\r\n\r\n", "there are no words in it"),
        (b"anna\nm\xfcller\n", "line 2 is not UTF-8; save the file as UTF-8"),
        (b"anna\nj.r.\n", "line 2: 'j.r.' holds '.', which marks the ends of words"),
    ],
)
def test_bad_words(tmp_path, capsys, content, message):
    data = tmp_path / "words.txt"
    data.write_bytes(content)
    assert refusal(capsys, "train", "--data", data, "--out", tmp_path / "run") == f"{data}: {message}"
    assert not (tmp_path / "run").exists()


def test_too_few_words(tmp_path, capsys):
    data = tmp_path / "words.txt"
    data.write_text("anna\nben\n")
    message = refusal(capsys, "train", "--data", data, "--out", tmp_path / "run")
    assert message == "2 words are too few to split into train, dev and test; give at least 6"


def test_out_is_a_file(words, capsys):
    assert refusal(capsys, "train", "--out", words) == f"--out {words}: is no folder"
    assert refusal(capsys, "sample", "--out", words) == f"{words}: is no folder"


def test_out_below_a_file(words, capsys):
    out = words / "run"
    status = main(["train", "--out", str(out), *SMALL])
    err = capsys.readouterr().err
    assert status == 2
    assert err == f"makemore: error: {out / checkpoint.NAME}: can't be written: Not a directory\n"


def test_out_forbidden(tmp_path, monkeypatch, capsys):
    def mkdir(self, *arguments, **keywords):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert main(["train", "--out", str(tmp_path / "run"), *SMALL]) == 2
    path = tmp_path / "run" / checkpoint.NAME
    assert capsys.readouterr().err == f"makemore: error: {path}: can't be written: Permission denied\n"


def test_disk_full_in_the_middle(tmp_path, monkeypatch, capsys):
    """Not the first save, but the fifth: the fourth is still there."""
    savez, calls = np.savez, []

    def fourth_is_the_last(*arguments, **keywords):
        calls.append(1)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        savez(*arguments, **keywords)

    monkeypatch.setattr(np, "savez", fourth_is_the_last)
    assert main(["train", "--out", str(tmp_path), *SMALL]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("step ")]
    path = tmp_path / checkpoint.NAME
    assert errors == [
        f"makemore: error: {path}: can't be written: No space left on device; the last good checkpoint is still there"
        f" (the checkpoint in {tmp_path} is from step 3)"
    ]
    assert checkpoint.load(tmp_path).step == 3


def test_resume_with_another_vocabulary(trained, words, capsys):
    message = refusal(capsys, "train", "--out", trained, "--resume", "--data", words)
    assert message.startswith("--data has another vocabulary than the run: they differ in ")


def test_resume_with_other_words(trained, tmp_path, capsys):
    data = tmp_path / "other.txt"
    data.write_text("abcdefghijklm\nnopqrstuvwxyz\n" * 3)
    message = refusal(capsys, "train", "--out", trained, "--resume", "--data", data)
    assert message == "--data holds other words than the run; leave it out to go on with the run's own"


@pytest.mark.parametrize("command", ["sample", "evaluate", "info", "train"])
def test_truncated_checkpoint(trained, tmp_path, capsys, command):
    path = tmp_path / checkpoint.NAME
    path.write_bytes((trained / checkpoint.NAME).read_bytes()[:-1000])
    flags = ["--resume"] if command == "train" else []
    message = refusal(capsys, command, "--out", tmp_path, *flags)
    assert message == f"{path}: is damaged, or no makemore checkpoint"


def test_out_of_memory(tmp_path, monkeypatch, capsys):
    def randn(*arguments):
        raise MemoryError("Unable to allocate 7 GiB")

    monkeypatch.setattr("tinygrad_lite.Generator.randn", randn)
    message = refusal(capsys, "train", "--out", tmp_path)
    assert message == "not enough memory for a run of this size: Unable to allocate 7 GiB"


# Being one program among others.


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX pipes")
def test_reader_that_has_had_enough(trained):
    """`makemore sample | head -1` ends without a complaint."""
    command = [sys.executable, "-m", "makemore", "sample", "-n", "100000", "--out", str(trained)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().strip()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


LOST = {  # what becomes of a program's output
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "all closed": ">&- 2>&-",
    "no room for stderr": "2>/dev/full",
    "nobody listens": "2>&1 | head -1",
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("how", LOST)
def test_a_training_whose_output_is_lost(tmp_path, how, buffered):
    """It goes on to its end."""
    command = f"{sys.executable} -m makemore train --out {tmp_path / 'run'} {' '.join(SMALL)} {LOST[how]}"
    environment = {**os.environ, "PYTHONUNBUFFERED": buffered}
    found = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=environment, check=False
    )
    assert (found.returncode, "Traceback" in found.stdout + found.stderr) == (0, False)
    assert checkpoint.load(tmp_path / "run").done


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_a_training_that_is_interrupted_with_its_reader(tmp_path):
    """As by Ctrl-C in `makemore train 2>&1 | tee log`, which both get."""
    command = [sys.executable, "-m", "makemore", "train", "--steps", "1000000", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while checkpoint.NAME not in os.listdir(tmp_path):
            time.sleep(0.01)
        time.sleep(0.5)
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert checkpoint.load(tmp_path).step > 0


@pytest.mark.skipif(os.name != "posix", reason="needs the locks of POSIX")
def test_two_trainings_on_one_folder(tmp_path, capsys):
    """The second one is refused, and the first one does not notice."""
    fcntl = pytest.importorskip("fcntl")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert main(["train", "--out", str(tmp_path), *SMALL]) == 2
    finally:
        os.close(descriptor)
    message = f"makemore: error: --out {tmp_path}: another training writes to it; wait until it ends\n"
    assert capsys.readouterr().err == message
    assert list(tmp_path.iterdir()) == []
    assert main(["train", "--out", str(tmp_path), *SMALL]) == 0


def test_a_model_that_invents_no_names(tmp_path, monkeypatch, capsys):
    def none(run, number):
        raise MakemoreError("10000 names in a row, and all were empty")

    monkeypatch.setattr("makemore.commands.some_names", none)
    assert main(["train", "--out", str(tmp_path), *SMALL]) == 0
    out = capsys.readouterr().out
    assert "\n  none: the model ends nearly every name before its first letter\n" in out
    assert "The model is in " in out


@pytest.mark.parametrize(
    ("folder", "quoted"), [("my run", "'my run'"), ("it's", "'it'\"'\"'s'"), ("-x", "./-x"), ("a", "a")]
)
def test_commands_that_are_told_can_be_run(tmp_path, monkeypatch, capsys, folder, quoted):
    monkeypatch.chdir(tmp_path)
    assert refusal(capsys, "info", f"--out={folder}").endswith(f"; `makemore train --out {quoted}` makes one")
    assert main(["train", f"--out={folder}", *SMALL]) == 0
    out = capsys.readouterr().out
    assert f"More names: makemore sample --out {quoted}\n" in out
    assert main(["sample", "--out", *shlex.split(quoted)]) == 0


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_interrupted_sample(trained):
    command = [sys.executable, "-m", "makemore", "sample", "-n", "10000000", "--out", str(trained)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b""


def test_output_that_knows_no_such_letters(tmp_path, words):
    """Where the terminal's encoding lacks a letter, it is replaced; nothing fails."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    flags = ["--data", words, "--out", tmp_path / "run", *SMALL]
    found = python("-m", "makemore", "train", *flags, env=environment)
    assert (found.returncode, "Traceback" in found.stderr) == (0, False), found.stderr
    found = python("-m", "makemore", "info", "--out", tmp_path / "run", env=environment)
    assert (found.returncode, found.stderr) == (0, "")
    found = python("-m", "makemore", "sample", "--start", "Zo", "--out", tmp_path / "run", env=environment)
    assert (found.returncode, found.stderr) == (0, "")
