"""The command line: `python -m tinygrad_lite explore "x=2; y=3; x*y + x**2"`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import __version__
from .expression import evaluate
from .page import write


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{' '.join(message.split())}; see `{self.prog} --help`\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 where all is well, 2 with one line on stderr where not."""
    parser = Parser(prog="python -m tinygrad_lite", description="See how gradients come about.")
    parser.add_argument("--version", action="version", version=f"tinygrad_lite {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    text = "Write a page that steps through the backpropagation of an expression, and print its path."
    command = commands.add_parser("explore", help=text, description=text)
    command.add_argument(
        "expression",
        help='such as "x=2; y=3; x*y + x**2": numbers, lists for arrays, + - * / ** @, functions such as tanh(x)',
    )
    command.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("graph.html"), help="the page (default: graph.html)"
    )
    given = parser.parse_args(arguments)
    try:
        root, variables = evaluate(given.expression)
        print(write(root, given.out, {tensor: name for name, tensor in variables.items()}).resolve())
    except (ValueError, RuntimeError, OSError) as error:
        print(f"explore: {str(error).removeprefix('explore: ')}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
