"""The command line: every command and flag; and every mistake gets one line and exit status 2."""

import errno
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import makemore
from makemore import checkpoint
from makemore.__main__ import main
from makemore.training import Settings

COMMANDS = ["train", "sample", "evaluate", "info", "report", "download"]
SMALL = ["--steps", "20", "--hidden", "8", "--embedding", "4"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "run"
    assert main(["train", "--out", str(folder), *SMALL]) == 0
    return folder


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("Zoë\r\némile\r\n\r\nинди\r\nZoë\r\nMaría José\r\n李\r\nben\r\nnoah\r\nmia".encode())
    return path


def run(capsys, *arguments):
    """What a command prints, which ends well."""
    assert main([str(each) for each in arguments]) == 0
    return capsys.readouterr().out


def refusal(capsys, *arguments):
    """The only line on stderr of a command that refuses."""
    try:
        status = main([str(each) for each in arguments])
    except SystemExit as stop:  # argparse's way
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert re.fullmatch(r"makemore: error: [^\n]+\n", err)
    return err.removeprefix("makemore: error: ").rstrip("\n")


def python(*arguments, **options):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)


# Help.


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr() == (f"makemore {makemore.__version__}\n", "")


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^ +{command} ", out, re.MULTILINE) for command in COMMANDS)


FLAGS = {
    "train": "--out --data --steps --batch-size --block-size --embedding --hidden --learning-rate --seed --no-jit"
    " --resume --overwrite",
    "sample": "--out -n --temperature --start --seed --new-only --explain",
    "evaluate": "--out",
    "info": "--out",
    "report": "--out --pictures",
    "download": "--url",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(capsys, command):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    found = set(re.findall(r"(?<![\w`-])--?[a-z][a-z-]*", out)) - {"-h", "--help"}
    assert found == set(FLAGS[command].split()) | ({"--data"} if command == "download" else set())


def test_defaults_in_the_help_are_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    for name, value in Settings().as_dict().items():
        assert re.search(rf"--{name.replace('_', '-')} [NF] [^(]*\(default: {value}\)", out), name


# Starting.


def test_as_a_module():
    found = python("-m", "makemore", "--version")
    assert (found.returncode, found.stdout, found.stderr) == (0, f"makemore {makemore.__version__}\n", "")


def test_as_a_script(tmp_path):
    script = Path(sys.executable).with_name("makemore")
    if not script.exists():
        pytest.skip("makemore is not installed")
    found = subprocess.run([script, "info", "--out", tmp_path], capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith(f"makemore: error: {tmp_path}: holds no checkpoint; ")


def test_help_imports_no_numpy():
    program = """
        import sys
        from makemore.__main__ import main
        try:
            main(["--help"])
        except SystemExit:
            pass
        print(*sys.modules, file=sys.stderr)
    """
    loaded = python("-c", textwrap.dedent(program)).stderr.split()
    assert "makemore.__main__" in loaded
    assert not {"numpy", "torch", "tqdm", "matplotlib", "graphviz", "tinygrad_lite"} & set(loaded)


def test_training_imports_no_more_than_numpy(tmp_path):
    """No torch, no matplotlib, no graphviz; nor tqdm, without a terminal."""
    program = """
        import sys
        from makemore.__main__ import main
        train = ["train", "--steps", "20", "--hidden", "8"]
        for arguments in (train, ["sample"], ["sample", "--explain", "a"], ["evaluate"], ["info"]):
            assert main(arguments) == 0
        print(*sys.modules, file=sys.stderr)
    """
    found = python("-c", textwrap.dedent(program), cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    loaded = found.stderr.splitlines()[-1].split()
    assert "numpy" in loaded
    assert not {"torch", "matplotlib", "graphviz", "tqdm", "scipy", "hypothesis"} & {
        name.partition(".")[0] for name in loaded
    }


# What each command does.


def test_train(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    out = run(capsys, "train", "--out", folder, *SMALL).splitlines()
    assert re.fullmatch(
        r"[\d,]+ words, 27 letters; [\d,]+ examples to train on, [\d,]+ dev, [\d,]+ test; 471 parameters; "
        r"seed 2147483647",
        out[0],
    )
    assert re.fullmatch(r"train loss \d\.\d{4}   dev loss \d\.\d{4}   test loss \d\.\d{4}", out[1])
    assert out[2:4] == ["", "20 names (* is in the list that was learned from):"]
    assert all(re.fullmatch(r"  [a-z]+( \*)?", line) for line in out[4:24])
    path = folder / "checkpoint.npz"
    assert out[24:] == [
        "",
        f"The model is in {path}. More names: makemore sample --out {folder}",
        f"How the training went, as a page with pictures: makemore report {folder}",
    ]
    assert path.exists()


def test_names_at_the_end_are_those_of_seed_plus_10(tmp_path, words, capsys):
    folder = tmp_path / "run"
    data = ["--data", words, "--hidden", 30, "--steps", 3000, "--batch-size", 16]
    for seed in (5, (1 << 64) - 1):
        out = run(capsys, "train", "--out", folder, "--overwrite", *data, "--seed", seed).splitlines()
        shown = [line[2:] for line in out[4:24]]
        following = (seed + 10) % (1 << 64)
        names = run(capsys, "sample", "--out", folder, "--seed", following).splitlines()
        known = set(checkpoint.load(folder).words)
        assert shown == [f"{name} *" if name in known else name for name in names]
        assert any(name in known for name in names)


def test_all_flags_of_train(tmp_path, words, capsys):
    flags = {
        "steps": 21,
        "batch_size": 5,
        "block_size": 2,
        "embedding": 3,
        "hidden": 7,
        "learning_rate": 0.05,
        "seed": -4,
    }
    given = [each for name, value in flags.items() for each in (f"--{name.replace('_', '-')}", value)]
    out = run(capsys, "train", "--data", words, "--out", tmp_path / "run", *given)
    assert "; seed -4\n" in out
    trained = checkpoint.load(tmp_path / "run")
    assert trained.settings == Settings(**flags)
    assert trained.step == 21
    assert trained.words == ["Zoë", "émile", "инди", "Zoë", "María José", "李", "ben", "noah", "mia"]


def test_default_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(capsys, "train", *SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["makemore-run"]
    assert len(run(capsys, "sample", "-n", 3).splitlines()) == 3
    run(capsys, "evaluate")
    run(capsys, "info")
    assert refusal(capsys, "train", *SMALL) == (
        "--out makemore-run: holds a run; go on with --resume, replace it with --overwrite"
    )


def test_same_seed_same_run(tmp_path, capsys):
    one = run(capsys, "train", "--out", tmp_path, *SMALL, "--seed", 3)
    assert run(capsys, "train", "--out", tmp_path, *SMALL, "--seed", 3, "--overwrite") == one
    assert run(capsys, "train", "--out", tmp_path, *SMALL, "--seed", 4, "--overwrite") != one


def test_overwrite(tmp_path, words, capsys):
    run(capsys, "train", "--out", tmp_path, *SMALL)
    run(capsys, "train", "--out", tmp_path, *SMALL, "--data", words, "--overwrite")
    assert "mia" in checkpoint.load(tmp_path).words
    assert len(checkpoint.load(tmp_path).words) == 9


def test_overwrite_a_damaged_run(tmp_path, capsys):
    (tmp_path / checkpoint.NAME).write_text("damaged")
    assert "is damaged" in refusal(capsys, "train", "--out", tmp_path, "--resume")
    run(capsys, "train", "--out", tmp_path, *SMALL, "--overwrite")
    assert checkpoint.load(tmp_path).done


def test_evaluate(trained, capsys):
    losses = checkpoint.load(trained).final_losses()
    assert run(capsys, "evaluate", "--out", trained) == (
        "   ".join(f"{name} loss {losses[name]:.4f}" for name in ("train", "dev", "test")) + "\n"
    )


def test_info(trained, capsys):
    rows = dict(line.split(maxsplit=1) for line in run(capsys, "info", "--out", trained).splitlines())
    loaded = checkpoint.load(trained)
    assert rows["step"] == "20 of 20"
    assert (rows["hidden"], rows["embedding"], rows["block_size"], rows["batch_size"]) == ("8", "4", "3", "32")
    assert (rows["seed"], rows["learning_rate"]) == ("2147483647", "0.1")
    assert rows["letters"] == ".abcdefghijklmnopqrstuvwxyz"
    assert rows["parameters"] == "471"
    assert rows["words"] == f"{len(loaded.words):,}"
    assert rows["train"] == f"examples  {len(loaded.data.train):,}"
    assert rows["last"].split() == ["loss", f"{loaded.losses[19]:.4f}"]
    assert rows["dev"].split()[-3:] == ["after", "step", "20"]


def test_resume_with_the_same_data(tmp_path, words, capsys):
    folder = tmp_path / "run"
    run(capsys, "train", "--out", folder, "--data", words, *SMALL)
    run(capsys, "train", "--out", folder, "--data", words, "--resume", "--steps", 30)
    run(capsys, "train", "--out", folder, "--resume", "--steps", 40)
    assert checkpoint.load(folder).step == 40


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
    assert message == "not enough memory for a model of this size: Unable to allocate 7 GiB"


# Being one program among others.


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
def test_reader_that_has_had_enough(trained):
    """`makemore sample | head -1` ends without a complaint."""
    command = [sys.executable, "-m", "makemore", "sample", "-n", "100000", "--out", str(trained)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().strip()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
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
