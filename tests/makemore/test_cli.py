"""The command line: every command and flag."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import makemore
from makemore import checkpoint
from makemore.__main__ import main
from makemore.training import Settings

from .commands import SMALL, python, refusal

COMMANDS = ["train", "sample", "evaluate", "info", "report", "download"]


def run(capsys, *arguments):
    """What a command prints, which ends well."""
    assert main([str(each) for each in arguments]) == 0
    return capsys.readouterr().out


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
