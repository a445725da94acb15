"""What each command does. Each returns the exit status."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import tinygrad_lite as tg

from . import checkpoint
from .dataset import Split
from .download import download as fetch
from .errors import MakemoreError
from .progress import Progress
from .sampling import sample as names
from .training import Run, Settings
from .words import lecture_names, locate, read_words

AT_ONCE = 50  # steps between two looks at the bar and at Ctrl-C
REPORTS = 20  # dev losses and checkpoints in a run
SHOWN = 20  # names at the end of a training


def train(arguments: Namespace) -> int:
    """Train from the beginning or go on, save at intervals, and show the result."""
    folder: Path = arguments.out
    run = resumed(arguments) if arguments.resume else begun(arguments)
    run.jit = not arguments.no_jit
    describe(run)
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
                    progress.tell(run.dev_loss())
                    checkpoint.save(run, folder)
    except MakemoreError as error:
        raise MakemoreError(f"{error}{saved_at(folder)}", error.status) from None
    finally:
        progress.close()
    if not run.done:
        checkpoint.save(run, folder)
        print(f"Stopped after step {run.step:,}; all is saved. Go on with: makemore train --resume --out {folder}")
        return 128 + stopped[0]
    show_result(run, folder)
    return 0


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
    seed = run.settings.seed + 10
    generator = tg.Generator().manual_seed(seed if seed < 1 << 64 else seed - (1 << 64))
    known = set(run.words)
    print(f"\n{SHOWN} names (* is in the list that was learned from):")
    drawn = names(run.model, run.vocabulary, run.settings.block_size, generator)
    print("\n".join(f"  {name}{' *' if name in known else ''}" for name in islice(drawn, SHOWN)))
    print(f"\nThe model is in {folder / checkpoint.NAME}. More names: makemore sample --out {folder}")


def show_losses(run: Run) -> None:
    print("   ".join(f"{name} loss {loss:.4f}" for name, loss in run.final_losses().items()))


def sample(arguments: Namespace) -> int:
    """Print names, one on each line."""
    if arguments.n < 0:
        raise MakemoreError(f"-n must be 0 or more, got {arguments.n}")
    run = checkpoint.load(arguments.out)
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
        for name in islice(drawn, arguments.n):
            print(name)
            if stopped:
                return 128 + stopped[0]
    return 0


def evaluate(arguments: Namespace) -> int:
    """Print the losses on the three parts of the words."""
    show_losses(checkpoint.load(arguments.out))
    return 0


def info(arguments: Namespace) -> int:
    """Print what a checkpoint holds."""
    run = checkpoint.load(arguments.out)
    rows = {
        "step": f"{run.step:,} of {run.settings.steps:,}",
        **{name: f"{value}" for name, value in run.settings.as_dict().items() if name != "steps"},
        "parameters": f"{sum(p.size for p in run.model.parameters.values()):,}",
        "letters": run.vocabulary.letters,
        "words": f"{len(run.words):,}",
        **{f"{name} examples": f"{len(getattr(run.data, name)):,}" for name in Split._fields},
    }
    if run.step:
        rows["last loss"] = f"{run.losses[run.step - 1]:.4f}"
    if run.dev_losses:
        rows["dev loss"] = f"{run.dev_losses[-1][1]:.4f} after step {run.dev_losses[-1][0]:,}"
    for name, value in rows.items():
        print(f"{name:<15} {value}")
    return 0


def download(arguments: Namespace) -> int:
    """Fetch the lecture's names into the cache."""
    path = lecture_names()
    fetch(arguments.url, path)
    print(f"The lecture's names are in {path}. Train on them: makemore train --data lecture")
    return 0
