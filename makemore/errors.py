"""What goes wrong and is told in one line."""


class MakemoreError(Exception):
    """A mistake that the user can mend; `status` is the exit status of the command."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def told(message: object) -> str:
    """The line that tells it; what another program or a file name says may have ends of lines in it."""
    return f"makemore: error: {' '.join(str(message).splitlines())}"
