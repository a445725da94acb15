"""docs/jit.md and README: their code runs, and prints what stands beside it."""

import re
from pathlib import Path

import numpy as np

import tinygrad_lite as tg
from makemore.training import Run, Settings
from makemore.words import locate, read_words

ROOT = Path(__file__).parent.parent.parent
BLOCKS = re.findall(  # and what they print, where that stands below
    r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", (ROOT / "docs" / "jit.md").read_text(encoding="utf-8"), re.DOTALL
)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_blocks_print_what_they_say(capsys):
    namespace = {}
    for block, below in BLOCKS:
        exec(block, namespace)
        said = "\n".join(re.findall(r"print\(.*\)  # (.*)$", block, re.MULTILINE))
        assert capsys.readouterr().out.split() == (below.split() or re.split(r", |\n", said))
    assert len(BLOCKS) == 4


def test_the_excerpt_of_a_program_is_what_makemore_runs():
    run = Run(read_words(locate(None)), Settings())
    run.advance(2)
    excerpt = README.partition("<!-- the program -->\n")[2].partition("<!-- -->")[0]
    lines = [" ".join(line.split()) for line in excerpt.splitlines()[1:-1] if line.strip() and "..." not in line]
    written = [" ".join(line.split()) for line in run._jitted.source.splitlines()]
    assert len(lines) > 15
    for line in lines:
        assert line in written, line


def test_the_public_names():
    assert tg.jit is tg.program.jit
    assert issubclass(tg.JitError, RuntimeError)
    step = tg.jit(lambda x: x + 1)
    assert np.array_equal(step(np.ones(2)).data, [2.0, 2.0])
