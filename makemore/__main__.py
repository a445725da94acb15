"""The command line: `makemore` and `python -m makemore`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import __version__
from .download import URL
from .errors import MakemoreError, told
from .streams import abandon, restore, unheard


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, told(f"{message}; see `{self.prog} --help`") + "\n")


def parser() -> Parser:
    """All commands and their flags."""
    main = Parser(prog="makemore", description="Learn a list of names, and invent new ones.")
    main.add_argument("--version", action="version", version=f"makemore {__version__}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str) -> Parser:
        added: Parser = commands.add_parser(name, help=text, description=text)
        return added

    def out(added: Parser) -> None:
        text = "the folder of the run (default: makemore-run)"
        added.add_argument("--out", metavar="FOLDER", type=Path, default=Path("makemore-run"), help=text)

    train = command("train", "Train a model on a list of words, then show names that it invents.")
    out(train)
    train.add_argument(
        "--data",
        metavar="FILE",
        help="UTF-8 text, one word on each line; or `lecture`, after `makemore download` (default: the bundled names)",
    )
    for name, kind, text in (
        ("steps", int, "steps of training (default: 200000)"),
        ("batch-size", int, "examples in a step (default: 32)"),
        ("block-size", int, "letters that the next one is predicted from (default: 3)"),
        ("embedding", int, "numbers that stand for a letter (default: 15)"),
        ("hidden", int, "units in the hidden layer (default: 200)"),
        ("learning-rate", float, "step size of gradient descent; a tenth of it from half-way (default: 0.1)"),
        ("seed", int, "of all that is random: the same seed gives the same run (default: 2147483647)"),
    ):
        train.add_argument(f"--{name}", metavar="F" if kind is float else "N", type=kind, help=text)
    text = "run each step operation by operation, not as one NumPy program; the numbers are the same"
    train.add_argument("--no-jit", action="store_true", help=text)
    begin = train.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="go on with the run in the folder, exactly")
    begin.add_argument("--overwrite", action="store_true", help="replace the run in the folder")

    sample = command("sample", "Invent names, or show how probable one is.")
    sample.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help="the folder of the run, as --out")
    text = "the folder of the run (default: makemore-run); with --explain, also a .png, .svg or .pdf to draw it to"
    sample.add_argument("--out", metavar="PATH", type=Path, help=text)
    sample.add_argument("-n", metavar="N", type=int, help="how many (default: 20)")
    text = "above 1 more daring, below 1 more cautious (default: 1)"
    sample.add_argument("--temperature", metavar="F", type=float, default=1.0, help=text)
    sample.add_argument("--start", metavar="PREFIX", default="", help="letters that every name begins with")
    sample.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same names (default: random)")
    sample.add_argument("--new-only", action="store_true", help="no names from the training list")
    text = "show, letter by letter, how probable a name is, and what the model would have preferred"
    sample.add_argument("--explain", metavar="NAME", help=text)

    out(command("evaluate", "Show the losses on the train, dev and test words."))
    out(command("info", "Show what the checkpoint of a run holds."))
    text = "Write a page that shows what a training was like, or several over each other."
    report = command("report", text)
    text = "the folder of a run, or of several to compare (default: makemore-run)"
    report.add_argument("folders", metavar="FOLDER", type=Path, nargs="*", help=text)
    text = "the page (default: report.html in the folder, or comparison.html in the first of several)"
    report.add_argument("--out", metavar="FILE", type=Path, help=text)
    report.add_argument("--pictures", metavar="FOLDER", type=Path, help="write the pictures here, too, as SVG files")
    download = command("download", "Fetch the lecture's list of 32,033 names, for --data lecture.")
    download.add_argument("--url", default=URL, help="another place to fetch it from (default: %(default)s)")
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    restore()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where the terminal lacks a letter
    arguments = parser().parse_args(argv)
    status = 0
    try:
        from . import commands  # here, because NumPy is not needed for --help

        status = int(getattr(commands, arguments.command)(arguments))
        sys.stdout.flush()
    except MakemoreError as error:
        return failed(error, error.status)
    except MemoryError as error:
        return failed(f"not enough memory for a run of this size: {error}")
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        abandon(sys.stdout)
    except OSError as error:
        if error.filename is None:  # the disk under the output is full
            abandon(sys.stdout)
        return failed(f"{error.filename or 'the output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 130
    return status


def failed(what: object, status: int = 2) -> int:
    """Tell what went wrong; the exit status."""
    with unheard():
        print(told(what), file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
