"""What goes wrong and is told in one line."""

import shlex
from pathlib import Path


class MakemoreError(Exception):
    """A mistake that the user can mend; `status` is the exit status of the command."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def argument(path: Path) -> str:
    """A path as a command takes it."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def told(message: object) -> str:
    """The line that tells it; what another program or a file name says may have ends of lines in it."""
    return f"makemore: error: {' '.join(str(message).splitlines())}"
