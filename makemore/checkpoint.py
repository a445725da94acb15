"""Checkpoints: a run as one .npz file, without pickles, written so that there is always a whole one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import diagnostics
from .errors import MakemoreError, argument
from .files import whole
from .training import Run, Settings

FORMAT = "makemore checkpoint"
VERSION = 1
NAME = "checkpoint.npz"


def save(run: Run, folder: Path) -> Path:
    """Write the run to its folder: to a temporary file first, which then takes the place of the old one at once.

    Raises MakemoreError where that fails; the old checkpoint is still whole then.
    """
    run.check()
    path = folder / NAME
    header = {
        "format": FORMAT,
        "version": VERSION,
        "settings": run.settings.as_dict(),
        "step": run.step,
        "vocabulary": run.vocabulary.letters,
        "momentum": run.optimiser.momentum,
        "weight_decay": run.optimiser.weight_decay,
        "dev_losses": run.dev_losses,
    }
    arrays: dict[str, Any] = {
        "header": text_to_array(json.dumps(header)),
        "words": text_to_array("\n".join(run.words)),
        "generator": run.generator_state(),
        "losses": run.losses[: run.step],
        "diagnostics": run.points,
        **{f"model.{name}": array for name, array in run.model.state.items()},
        **{f"velocity.{i}": velocity for i, velocity in enumerate(run.optimiser.velocities)},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob(f"{NAME}.*.tmp"):
            left_over.unlink()
        with whole(path) as file:
            np.savez(file, **arrays)
    except OSError as error:
        kept = "; the last good checkpoint is still there" if path.exists() else ""
        raise MakemoreError(f"{path}: can't be written: {error.strerror or error}{kept}") from None
    return path


def load(folder: Path) -> Run:
    """The run that a folder holds. Raises MakemoreError where there is none, or it is damaged or of another format."""
    header, arrays = read(folder)
    path = folder / NAME
    try:
        run = Run(array_to_text(arrays["words"]).split("\n"), Settings(**header["settings"]))
        if run.vocabulary.letters != header["vocabulary"]:
            raise ValueError("its words have another vocabulary than its model")
        run.model.load_state({name: finite(arrays[f"model.{name}"]) for name in run.model.state})
        for i, velocity in enumerate(run.optimiser.velocities):
            velocity[...] = of_shape(velocity.shape, finite(arrays[f"velocity.{i}"]))
        run.optimiser.momentum, run.optimiser.weight_decay = float(header["momentum"]), float(header["weight_decay"])
        run.step = int(header["step"])
        run.losses[: run.step] = of_shape((run.step,), finite(arrays["losses"]))
        run.dev_losses = [(int(step), float(loss)) for step, loss in header["dev_losses"]]
        run.set_generator_state(arrays["generator"])
        if "diagnostics" in arrays:  # not in a run begun before there were any
            run.points = diagnostics.checked(arrays["diagnostics"], run.step)
    except KeyError as error:
        raise MakemoreError(f"{path}: is damaged: {error} is missing") from None
    except (MakemoreError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise MakemoreError(f"{path}: is damaged: {error}") from None
    return run


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the arrays of a checkpoint."""
    path = folder / NAME
    try:
        with zipfile.ZipFile(path) as archive:  # not np.load, which stops before the checksum of a shortened array
            entries = {name.removesuffix(".npy"): io.BytesIO(archive.read(name)) for name in archive.namelist()}
        arrays = {name: np.lib.format.read_array(entry, allow_pickle=False) for name, entry in entries.items()}
        header = json.loads(array_to_text(arrays["header"]))
    except FileNotFoundError:
        raise MakemoreError(
            f"{folder}: holds no checkpoint; `makemore train --out {argument(folder)}` makes one"
        ) from None
    except NotADirectoryError:
        raise MakemoreError(f"{folder}: is no folder") from None
    except PermissionError as error:
        raise MakemoreError(f"{path}: can't be read: {error.strerror}") from None
    except Exception:  # a changed byte can lead anywhere
        raise MakemoreError(f"{path}: is damaged, or no makemore checkpoint") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise MakemoreError(f"{path}: is no makemore checkpoint")
    if header.get("version") != VERSION:
        raise MakemoreError(f"{path}: has format {header.get('version')}, this makemore reads format {VERSION}")
    return header, arrays


def exists(folder: Path) -> bool:
    """Whether the folder holds a run."""
    return (folder / NAME).exists()


def check_same_data(run: Run, words: Sequence[str]) -> None:
    """Raise MakemoreError where a run was begun with other words than these."""
    letters = set("".join(words)) ^ set("".join(run.words))
    if letters:
        raise MakemoreError(
            f"--data has another vocabulary than the run: they differ in {' '.join(sorted(letters)):.60}; "
            "leave --data out to go on with the run's own words"
        )
    if list(words) != run.words:
        raise MakemoreError("--data holds other words than the run; leave it out to go on with the run's own")


def of_shape(shape: tuple[int, ...], array: Any) -> Any:
    """The array, which must have that shape: what merely broadcasts would be taken unnoticed."""
    if array.shape != shape:
        raise ValueError(f"an array has shape {array.shape}, not {shape}")
    return array


def text_to_array(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)


def array_to_text(array: Any) -> str:
    return bytes(array).decode()


def finite(array: Any) -> Any:
    """The array, which must hold no nan or inf: a run never saves one."""
    if not np.isfinite(array).all():
        raise ValueError("an array holds nan or inf")
    return array
