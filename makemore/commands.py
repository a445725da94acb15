"""What each command does. Each returns the exit status."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import tinygrad_lite as tg

from . import checkpoint, explain, files
from .download import download as fetch
from .errors import MakemoreError, argument
from .progress import Progress
from .report import page, style
from .report.pictures import Named
from .sampling import sample as names
from .summary import facts, some_names
from .training import Run, Settings
from .vocabulary import printable
from .words import lecture_names, locate, read_words

AT_ONCE = 50  # steps between two looks at the bar and at Ctrl-C
REPORTS = 20  # dev losses and checkpoints in a run
SHOWN = 20  # names at the end of a training
DEFAULT = Path("makemore-run")
NO_DIAGNOSTICS = "was trained without diagnostics, so the page lacks some pictures; `makemore train` again to have them"


def train(arguments: Namespace) -> int:
    """Train from the beginning or go on, save at intervals, and show the result."""
    folder: Path = arguments.out
    run = resumed(arguments) if arguments.resume else begun(arguments)
    run.jit = not arguments.no_jit
    describe(run)
    with files.alone(folder):
        signal_number = advance(run, folder)
    if run.done:
        show_result(run, folder)
        return 0
    with suppress(BrokenPipeError):  # who read it may have been stopped, too
        go_on = f"makemore train --resume --out {argument(folder)}"
        print(f"Stopped after step {run.step:,}; all is saved. Go on with: {go_on}")
    return 128 + signal_number


def advance(run: Run, folder: Path) -> int:
    """Train to the end, or until a signal comes, whose number is returned; save at intervals, and then."""
    checkpoint.save(run, folder)
    every = max(1, run.settings.steps // REPORTS)
    progress = Progress(run)
    try:
        with stop_signals() as stopped:
            while not run.done and not stopped:
                run.advance(min(AT_ONCE, every - run.step % every))
                progress.update()
                if run.step % every == 0 or run.done:
                    run.check()
                    dev_loss = run.dev_loss()
                    checkpoint.save(run, folder)
                    progress.tell(dev_loss)
    except MakemoreError as error:
        raise MakemoreError(f"{error}{saved_at(folder)}", error.status) from None
    finally:
        progress.close()
    if not run.done:
        checkpoint.save(run, folder)
    return stopped[0] if stopped else 0


def begun(arguments: Namespace) -> Run:
    """A new run, as the flags say."""
    folder: Path = arguments.out
    if folder.exists() and not folder.is_dir():
        raise MakemoreError(f"--out {folder}: is no folder")
    if checkpoint.exists(folder) and not arguments.overwrite:
        raise MakemoreError(f"--out {folder}: holds a run; go on with --resume, replace it with --overwrite")
    return Run(read_words(locate(arguments.data)), Settings(**given(arguments)))


def resumed(arguments: Namespace) -> Run:
    """The run in the folder, with another number of steps if one is given."""
    run = checkpoint.load(arguments.out)
    if arguments.data is not None:
        checkpoint.check_same_data(run, read_words(locate(arguments.data)))
    before = run.settings
    changed = {name: value for name, value in given(arguments).items() if value != getattr(before, name)}
    steps = changed.pop("steps", before.steps)
    if changed:
        name, value = next(iter(changed.items()))
        flag = f"--{name.replace('_', '-')}"
        raise MakemoreError(f"{flag} {value}: the run has {getattr(before, name)}, and only --steps can be changed")
    if run.step >= steps:
        raise MakemoreError(f"the run has made {run.step:,} steps already; give a larger --steps to go on")
    if steps != before.steps:
        run.set_steps(steps)
        print(f"Going on from step {run.step:,}: {run.settings.schedule(run.step)}.")
    return run


def given(arguments: Namespace) -> dict[str, Any]:
    """The settings that were given on the command line."""
    return {name: value for name in Settings.__dataclass_fields__ if (value := getattr(arguments, name)) is not None}


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Within it, Ctrl-C and SIGTERM are noted in the list; a second one has its usual effect."""
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: object) -> None:
        noted.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def saved_at(folder: Path) -> str:
    """Where the last good checkpoint is from."""
    try:
        header, _ = checkpoint.read(folder)
    except MakemoreError:
        return ""
    return f" (the checkpoint in {folder} is from step {header['step']:,})"


def describe(run: Run) -> None:
    """What is about to be trained."""
    settings, data = run.settings, run.data
    parameters = sum(parameter.size for parameter in run.model.parameters.values())
    print(
        f"{len(run.words):,} words, {len(run.vocabulary)} letters; "
        f"{len(data.train):,} examples to train on, {len(data.dev):,} dev, {len(data.test):,} test; "
        f"{parameters:,} parameters; seed {settings.seed}"
    )


def show_result(run: Run, folder: Path) -> None:
    """The losses, some names, and where the model lies."""
    show_losses(run)
    print(f"\n{SHOWN} names (* is in the list that was learned from):")
    try:
        print("\n".join(f"  {name}{' *' if known else ''}" for name, known in some_names(run, SHOWN)))
    except MakemoreError:
        print("  none: the model ends nearly every name before its first letter")
    print(f"\nThe model is in {folder / checkpoint.NAME}. More names: makemore sample --out {argument(folder)}")
    print(f"How the training went, as a page with pictures: makemore report {argument(folder)}")


def show_losses(run: Run) -> None:
    print("   ".join(f"{name} loss {loss:.4f}" for name, loss in run.final_losses().items()))


def sample(arguments: Namespace) -> int:
    """Print names, one on each line; or why one is probable or not."""
    if arguments.explain is not None:
        return explained(arguments)
    if arguments.folder and arguments.out:
        raise MakemoreError(f"--out {arguments.out}: the folder of the run is given already, {arguments.folder}")
    number = 20 if arguments.n is None else arguments.n
    if number < 0:
        raise MakemoreError(f"-n must be 0 or more, got {number}")
    run = checkpoint.load(arguments.folder or arguments.out or DEFAULT)
    generator = tg.Generator()
    if arguments.seed is None:
        generator.seed()
    else:
        generator.manual_seed(Settings(seed=arguments.seed).seed)
    drawn = names(
        run.model,
        run.vocabulary,
        run.settings.block_size,
        generator,
        temperature=arguments.temperature,
        start=arguments.start,
        known=set(run.words) if arguments.new_only else (),
    )
    with stop_signals() as stopped:
        for name in islice(drawn, number):
            print(name)
            if stopped:
                return 128 + stopped[0]
    return 0


def explained(arguments: Namespace) -> int:
    """Print how probable each letter of a name is, and draw it where --out names a picture."""
    others = {"-n": arguments.n, "--start": arguments.start, "--seed": arguments.seed, "--new-only": arguments.new_only}
    for flag, value in others.items():
        if value not in (None, "") and value is not False:
            raise MakemoreError(f"--explain is about one name that is given; {flag} is for names that are drawn")
    folder, picture = arguments.folder, arguments.out
    if picture is not None and folder is None and (picture.is_dir() or not picture.suffix):
        folder, picture = picture, None  # --out as the other commands take it
    if picture is not None and picture.is_dir():
        raise MakemoreError(f"--out {picture}: is a folder; that of the run is given already, {folder}")
    if picture is not None and picture.suffix.lower() not in style.SUFFIXES:
        raise MakemoreError(f"--out {picture}: is no folder, and a picture ends in {', '.join(style.SUFFIXES)}")
    choices = explain.explain(checkpoint.load(folder or DEFAULT), arguments.explain, arguments.temperature)
    if picture is not None:
        with style.drawing("--explain"):
            style.save(explain.picture(choices), picture)
    print(explain.table(choices))
    print(f"\n{explain.summary(choices)}")
    if picture is not None:
        print(f"The picture is in {picture}.")
    return 0


def report(arguments: Namespace) -> int:
    """Write a page about one run, or about several, and print its path."""
    folders: list[Path] = arguments.folders or [DEFAULT]
    repeated = [folder for i, folder in enumerate(folders) if folder.resolve() in map(Path.resolve, folders[:i])]
    if repeated:
        raise MakemoreError(f"{repeated[0]}: is given twice; give two runs to compare them")
    if len(folders) > page.MOST_RUNS:
        raise MakemoreError(f"{len(folders)} runs are too many for one picture; give {page.MOST_RUNS} or fewer")
    out: Path = arguments.out or folders[0] / ("comparison.html" if len(folders) > 1 else "report.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise MakemoreError(f"--out {out}: is the page, and ends in .html; the folder of the run goes without a flag")
    runs = [Named(printable(str(folder)), checkpoint.load(folder)) for folder in folders]
    for name, run in runs:
        if run.step and not len(run.points):
            print(f"makemore: note: {name}: {NO_DIAGNOSTICS}", file=sys.stderr)
    with style.drawing("report"):
        sections = page.of_several(runs) if len(runs) > 1 else page.of_one(runs[0])
    if arguments.pictures is not None:
        if arguments.pictures.exists() and not arguments.pictures.is_dir():
            raise MakemoreError(f"--pictures {arguments.pictures}: is no folder")
        for each in sections:
            if each.picture:
                files.write(arguments.pictures / f"{each.name}.svg", each.picture.encode(), makes_folder=True)
    files.write(out, page.page(runs, sections).encode())
    print(out)
    return 0


def evaluate(arguments: Namespace) -> int:
    """Print the losses on the three parts of the words."""
    show_losses(checkpoint.load(arguments.out))
    return 0


def info(arguments: Namespace) -> int:
    """Print what a checkpoint holds."""
    for name, value in facts(checkpoint.load(arguments.out)).items():
        print(f"{name:<15} {value}")
    return 0


def download(arguments: Namespace) -> int:
    """Fetch the lecture's names into the cache."""
    path = lecture_names()
    fetch(arguments.url, path)
    print(f"The lecture's names are in {path}. Train on them: makemore train --data lecture")
    return 0
