"""What there is to say about a run in words."""

from __future__ import annotations

from itertools import islice

import tinygrad_lite as tg

from .dataset import Split
from .sampling import sample
from .training import Run


def facts(run: Run) -> dict[str, str]:
    """What the run is, and how far it has come, by name."""
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
    return rows


def some_names(run: Run, number: int) -> list[tuple[str, bool]]:
    """Names that the model invents, always the same, and whether each is in the list that was learned from."""
    seed = run.settings.seed + 10
    generator = tg.Generator().manual_seed(seed if seed < 1 << 64 else seed - (1 << 64))
    known = set(run.words)
    drawn = sample(run.model, run.vocabulary, run.settings.block_size, generator)
    return [(name, name in known) for name in islice(drawn, number)]
