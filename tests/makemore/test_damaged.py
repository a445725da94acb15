"""Checkpoints that are damaged or foreign are refused, and a save that fails leaves the one before."""

import errno
import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makemore import checkpoint
from makemore.errors import MakemoreError

from .checkpoints import arrays_of, refusal
from .runs import SMALL, small_run

# Damaged, and foreign.


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    checkpoint.save(small_run(10), folder)
    return (folder / checkpoint.NAME).read_bytes()


def folder_with(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    (folder / checkpoint.NAME).write_bytes(content)
    return folder


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_truncated(tmp_path_factory, content, data):
    end = data.draw(st.integers(0, len(content) - 1))
    folder = folder_with(tmp_path_factory, content[:end])
    assert "is damaged" in refusal(checkpoint.load, folder)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_bytes_changed(tmp_path_factory, content, data):
    """Never a traceback. What is loaded nonetheless is the run itself: the change was in no byte that counts."""
    changed = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5, unique=True)):
        changed[place] ^= data.draw(st.integers(1, 255))
    folder = folder_with(tmp_path_factory, bytes(changed))
    run = None
    with suppress(MakemoreError):
        run = checkpoint.load(folder)
    if run is not None:
        right = small_run(10)
        assert run.settings == right.settings
        assert run.words == right.words
        for name, array in right.model.state.items():
            np.testing.assert_array_equal(run.model.state[name], array)


def rewritten(folder, **changes):
    """Replace arrays of a checkpoint; None takes one out."""
    arrays = {**arrays_of(folder), **changes}
    np.savez(folder / checkpoint.NAME, **{name: array for name, array in arrays.items() if array is not None})


def with_header(folder, **changes):
    header = {**json.loads(bytes(arrays_of(folder)["header"])), **changes}
    rewritten(folder, header=checkpoint.text_to_array(json.dumps(header)))


def test_rewriting_alone_does_no_harm(saved):
    with_header(saved)
    assert checkpoint.load(saved).step == 10


@pytest.mark.parametrize(
    "name", ["header", "words", "generator", "losses", "model.C", "model.running_std", "velocity.0", "velocity.6"]
)
def test_array_missing(saved, name):
    rewritten(saved, **{name: None})
    assert "is damaged" in refusal(checkpoint.load, saved)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("model.C", np.zeros((3, 3), np.float32)),
        ("model.C", np.zeros(3, "S5")),
        ("losses", np.zeros(11, np.float32)),
        ("losses", np.zeros(1, np.float32)),
        ("losses", np.zeros((), np.float32)),
        ("generator", np.zeros(3, np.uint8)),
        ("generator", np.zeros(5056, np.uint8)),
        ("velocity.1", np.zeros((2, 2), np.float32)),
        ("velocity.1", np.zeros((), np.float32)),
        ("words", np.frombuffer(b"\xff\xff", np.uint8)),
        ("words", np.frombuffer(b"anna\nben", np.uint8)),
        ("words", np.zeros((2, 2))),
        ("header", np.frombuffer(b"{", np.uint8)),
        ("header", np.frombuffer(b"[1]", np.uint8)),
        ("header", np.zeros(0, np.uint8)),
    ],
)
def test_array_wrong(saved, name, array):
    rewritten(saved, **{name: array})
    assert str(saved / checkpoint.NAME) in refusal(checkpoint.load, saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": {"steps": 60}},
        {"settings": {**SMALL.as_dict(), "hidden": 6}},
        {"settings": {**SMALL.as_dict(), "hidden": "many"}},
        {"settings": {**SMALL.as_dict(), "hidden": 0}},
        {"settings": {**SMALL.as_dict(), "steps": 5}},
        {"settings": {**SMALL.as_dict(), "layers": 3}},
        {"settings": None},
        {"step": 9},
        {"step": -1},
        {"step": None},
        {"vocabulary": ".ab"},
        {"momentum": "x"},
        {"dev_losses": 5},
        {"dev_losses": [[1]]},
    ],
)
def test_header_wrong(saved, changes):
    with_header(saved, **changes)
    assert str(saved / checkpoint.NAME) in refusal(checkpoint.load, saved)


def test_other_version(saved):
    with_header(saved, version=2)
    message = f"{saved / checkpoint.NAME}: has format 2, this makemore reads format 1"
    assert refusal(checkpoint.load, saved) == message


def test_foreign_npz(tmp_path):
    np.savez(tmp_path / checkpoint.NAME, a=np.zeros(3))
    assert refusal(checkpoint.load, tmp_path).endswith("is damaged, or no makemore checkpoint")


def test_foreign_header(saved):
    with_header(saved, format="something else")
    assert refusal(checkpoint.load, saved) == f"{saved / checkpoint.NAME}: is no makemore checkpoint"


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def foreign_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("header", "not an array")
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"hello", npy(), foreign_zip(), b"PK\x03\x04", b"\x80\x04K\x05."])
def test_no_npz(tmp_path, content):
    (tmp_path / checkpoint.NAME).write_bytes(content)
    assert refusal(checkpoint.load, tmp_path).endswith("is damaged, or no makemore checkpoint")


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("name", ["header", "words", "extra"])
def test_pickles_are_refused(saved, name):
    rewritten(saved, **{name: np.array([Trap(saved / "trap")], object)})
    assert "is damaged" in refusal(checkpoint.load, saved)
    assert not (saved / "trap").exists()


def test_nothing_there(tmp_path):
    folder = tmp_path / "none"
    message = f"{folder}: holds no checkpoint; `makemore train --out {folder}` makes one"
    assert refusal(checkpoint.load, folder) == message
    assert refusal(checkpoint.load, tmp_path).startswith(f"{tmp_path}: holds no checkpoint")


def test_folder_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    assert refusal(checkpoint.load, tmp_path / "file") == f"{tmp_path / 'file'}: is no folder"


def test_checkpoint_is_a_folder(tmp_path):
    (tmp_path / checkpoint.NAME).mkdir()
    assert "is damaged" in refusal(checkpoint.load, tmp_path)


# Saves that fail.


def full(*arguments, **keywords):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half_written(file, **arrays):
    file.write(b"PK")
    full()


@pytest.mark.parametrize(
    ("place", "function"),
    [("numpy.savez", full), ("numpy.savez", half_written), ("os.fsync", full), ("os.replace", full)],
)
def test_disk_full(saved, monkeypatch, place, function):
    before = (saved / checkpoint.NAME).read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(place, function)
        message = refusal(checkpoint.save, small_run(20), saved)
    path = saved / checkpoint.NAME
    assert message == f"{path}: can't be written: No space left on device; the last good checkpoint is still there"
    assert [entry.name for entry in saved.iterdir()] == [checkpoint.NAME]
    assert path.read_bytes() == before
    assert checkpoint.load(saved).step == 10


def test_disk_full_from_the_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr("numpy.savez", full)
    message = refusal(checkpoint.save, small_run(), tmp_path)
    assert message == f"{tmp_path / checkpoint.NAME}: can't be written: No space left on device"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_disk_full_in_earnest(saved):
    """The system itself refuses to write so much: one line, and the checkpoint before stays."""
    before = (saved / checkpoint.NAME).read_bytes()
    program = textwrap.dedent("""
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
        from makemore.__main__ import main
        sys.exit(main(sys.argv[1:]))
    """)
    command = [sys.executable, "-c", program, "train", "--resume", "--out", str(saved)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2
    assert len(found.stderr.splitlines()) == 1
    assert found.stderr.startswith(f"makemore: error: {saved / checkpoint.NAME}: can't be written: ")
    assert found.stderr.endswith("; the last good checkpoint is still there\n")
    assert [entry.name for entry in saved.iterdir()] == [checkpoint.NAME]
    assert (saved / checkpoint.NAME).read_bytes() == before


def test_out_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    message = refusal(checkpoint.save, small_run(), tmp_path / "file" / "out")
    assert message.endswith("can't be written: Not a directory")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["W1", "running_mean", "running_std"])
def test_numbers_gone_wrong_are_never_saved(saved, name, bad):
    run = small_run(20)
    run.model.state[name][0, 0] = bad
    assert refusal(checkpoint.save, run, saved, status=1).startswith(f"step 20: {name} holds nan or inf: ")
    assert checkpoint.load(saved).step == 10
