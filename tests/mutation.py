"""How many small mistakes in the operations and the graph do the tests notice?

    python -m tests.mutation --sample 300 --seed 0 --jobs 2        # takes cosmic-ray: pip install -e '.[mutation]'

Cosmic Ray says which mistakes can be made (another operator, number, comparison, ...). Of all of them a random sample
is drawn; each mutant, in a copy of the project, runs first the tests of the operations that it touches, and if it
survives those, all tests of tinygrad_lite but those of the table's other operations.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import multiprocessing
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LEFT_OUT = ("RemoveDecorator", "Variable")  # an operation that is missing is no mistake that needs a test
TABLE = ["tests/test_table_gradients.py", "tests/test_table.py", "tests/test_table_conventions.py"]
OF_THE_GRAPH = [
    "tests/test_graph.py",
    "tests/test_backward.py",
    "tests/test_errors.py",
    "tests/test_inplace.py",
    "tests/test_sharing.py",
]
ELSEWHERE = ("docs", "engine", "neuron", "drawing", "random", "readme", "import", "optim", "table")  # and in makemore
TIMEOUT = 600  # seconds; a mutant that loops for ever is noticed


class Mutant(NamedTuple):
    path: str
    operator: str
    line: int
    code: str
    diff: str
    operations: tuple[str, ...]  # the entries of the table that it touches


def places(source: str) -> Iterator[tuple[str, int]]:
    """All mutations of a source: the name of an operator, and which of its occurrences."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        if not any(each in name for each in LEFT_OUT):
            operator = get_operator(name)()
            yield from ((name, i) for i in range(sum(len(list(operator.mutation_positions(node))) for node in nodes)))


def meaning(source: str) -> str:
    """What a source does, without its annotations and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("annotation")
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return ast.dump(tree)


def operations_at(source: str, line: int) -> tuple[str, ...]:
    """The entries of a file that a line belongs to, also by way of the functions that they call."""
    body = ast.parse(source).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    names = {node.name: {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} for node in functions}
    entries = {node.name for node in functions if node.decorator_list}
    found = set()
    for node in body:
        start = min([node.lineno, *[each.lineno for each in getattr(node, "decorator_list", ())]])
        if start <= line <= node.end_lineno:
            if isinstance(node, ast.FunctionDef):
                found.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    while True:
        more = {name for name, used in names.items() if used & (found - entries)} - found
        if not more:
            return tuple(sorted(found & entries))
        found |= more


def mutants(paths: list[Path], count: int, seed: int) -> Iterator[Mutant]:
    """A random sample of the mutants that differ from what stands there."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    everything = [(path, *place) for path in paths for place in places(path.read_text(encoding="utf-8"))]
    print(f"{len(everything)} mutations of {len(paths)} files", flush=True)
    random.Random(seed).shuffle(everything)
    for path, name, occurrence in everything:
        source = path.read_text(encoding="utf-8")
        code = mutate_code(source, get_operator(name)(), occurrence)
        assert code is not None
        try:
            if meaning(code) == meaning(source):
                continue
        except SyntaxError:
            continue
        diff = list(difflib.unified_diff(source.splitlines(), code.splitlines(), n=0, lineterm=""))[2:]
        found = re.match(r"@@ -(\d+)", diff[0])
        assert found
        line = int(found[1])
        relative = str(path.relative_to(ROOT))
        yield Mutant(relative, name, line, code, "\n".join(diff[1:]), operations_at(source, line))
        count -= 1
        if not count:
            return


def suites(mutant: Mutant) -> Iterator[list[str]]:
    """The arguments of pytest, for one run after the other."""
    tests = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_*.py"))
    rest = [test for test in tests if not re.match(rf"tests/test_({'|'.join(ELSEWHERE)})", test)]
    if mutant.operations and "/ops/" in mutant.path:
        ids = " or ".join(f"[{name}] or [{name}- or -{name}] or -{name}-" for name in mutant.operations)
        yield [*TABLE, "-k", ids]
    elif "/ops/" not in mutant.path:
        yield OF_THE_GRAPH
        rest = [*rest, *TABLE]
    yield rest


def survives(mutant: Mutant, keep: Path | None = None) -> tuple[bool, float]:
    """Run the tests on a mutant; whether all of them pass, and how many seconds that took.

    keep: where what pytest printed is kept.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tinygrad_lite", "makemore", "tests", "docs", "benchmarks", "pyproject.toml", "README.md"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
            elif (ROOT / name).exists():
                shutil.copy(ROOT / name, folder)
        Path(folder, mutant.path).write_text(mutant.code, encoding="utf-8")
        passed = all(passes(folder, arguments) for arguments in suites(mutant))
        if keep:
            shutil.copy(Path(folder, "output.txt"), keep)
    return passed, time.monotonic() - start


def passes(folder: str, arguments: list[str]) -> bool:
    """Whether the tests pass, in a process of its own that has imported what takes long already."""
    child = os.fork()
    if not child:
        try:
            os._exit(run(folder, arguments))
        finally:
            os._exit(1)
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) in (0, 5)  # 5: there is no such test
        time.sleep(0.05)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return False


def run(folder: str, arguments: list[str]) -> int:
    """Pytest's exit status, with the modules of the project imported anew from a folder."""
    os.setsid()
    os.chdir(folder)
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.path[:] = [folder, *[each for each in sys.path if Path(each or ".").resolve() != ROOT]]
    os.environ["PYTHONPATH"] = folder
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "tinygrad_lite", "makemore")]:
        del sys.modules[name]
    import pytest

    options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*arguments, *options]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=300, help="how many mutants (default: 300)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (default: 2)")
    parser.add_argument("--only", default="", help="only files whose path holds this")
    arguments = parser.parse_args()
    package = ROOT / "tinygrad_lite"
    candidates = [*sorted(package.glob("ops/*.py")), package / "graph.py", package / "declare.py"]
    paths = [path for path in candidates if arguments.only in str(path)]
    chosen = list(mutants(paths, arguments.sample, arguments.seed))

    for name in ("hypothesis", "mypy", "pytest", "torch"):  # once, for all of the processes that are forked
        importlib.import_module(name)
    survivors = 0
    unchanged = Mutant(str(paths[0].relative_to(ROOT)), "", 0, paths[0].read_text(encoding="utf-8"), "", ())
    if not survives(unchanged, Path("mutation-output.txt"))[0]:
        sys.exit("the tests fail as it is: see mutation-output.txt")
    with multiprocessing.get_context("fork").Pool(arguments.jobs, maxtasksperchild=20) as pool:
        results = pool.imap(survives, chosen)
        for i, (mutant, (passed, seconds)) in enumerate(zip(chosen, results, strict=True), 1):
            survivors += passed
            state = "SURVIVED" if passed else "noticed"
            print(f"{i} {state} {seconds:.0f} s {mutant.path}:{mutant.line} {mutant.operator}", flush=True)
            if passed:
                print(mutant.diff, flush=True)
    killed = len(chosen) - survivors
    print(f"{killed} of {len(chosen)} noticed: {100 * killed / len(chosen):.1f} %")


if __name__ == "__main__":
    main()
