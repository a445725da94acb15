"""Commands: flags of a short training, what is said where one is refused, and programs of their own."""

import errno
import os
import re
import subprocess
import sys
from contextlib import contextmanager

from makemore.__main__ import main

SMALL = ["--steps", "20", "--hidden", "8", "--embedding", "4"]


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


@contextmanager
def full_disk(monkeypatch):
    """Within it, what is written does not come to rest on the disk."""

    def fsync(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        yield


def python(*arguments, **options):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)
