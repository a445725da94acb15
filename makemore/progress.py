"""Showing how a training goes: a bar where tqdm and a terminal are there, else plain lines."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from .streams import unheard
from .training import Run

SMOOTHED = 1000  # steps whose mean loss is shown
SECONDS = 0.2  # between two updates of the bar


class Progress:
    """Shows steps per second, the running loss, and the time left."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._began, self._first = time.monotonic(), run.step
        self._shown = 0.0
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            with unheard():
                self._bar = tqdm(total=run.settings.steps, initial=run.step, unit="step", mininterval=SECONDS)

    def update(self) -> None:
        """Let the bar catch up with the run, if it is time to."""
        if self._bar is not None and time.monotonic() - self._shown > SECONDS:
            self._shown = time.monotonic()
            self._bar.set_postfix_str(f"loss {self.loss():.4f}", refresh=False)
            with unheard():
                self._bar.update(self._run.step - self._bar.n)

    def tell(self, dev_loss: float) -> None:
        """A line for the record: the loss on the dev words so far."""
        run = self._run
        rate = (run.step - self._first) / max(time.monotonic() - self._began, 1e-9)
        line = f"step {run.step:>7,} of {run.settings.steps:,}   loss {self.loss():.4f}   dev loss {dev_loss:.4f}"
        left = (run.settings.steps - run.step) / max(rate, 1e-9)
        with unheard():
            if self._bar is not None:
                self._bar.write(line, file=sys.stderr)
            else:
                print(f"{line}   {rate:,.0f} steps/s   {left:.0f} s left", file=sys.stderr, flush=True)

    def loss(self) -> float:
        """The mean loss of the last steps."""
        losses = self._run.losses[max(0, self._run.step - SMOOTHED) : self._run.step]
        return float(np.mean(losses)) if len(losses) else float("nan")

    def close(self) -> None:
        """Leave the bar as it is, and the line after it free."""
        if self._bar is not None:
            with unheard():
                self._bar.update(self._run.step - self._bar.n)
                self._bar.close()
