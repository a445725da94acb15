"""What is printed: to nowhere, where nobody listens any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


def restore() -> None:
    """Where Python was started without stdout or stderr, let what is printed there go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def abandon(stream: TextIO) -> None:
    """Let what could not be written go nowhere, so that Python does not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def unheard() -> Iterator[None]:
    """Within it, what can't be written to stderr is not missed: the work goes on."""
    try:
        yield
    except OSError:
        abandon(sys.stderr)
