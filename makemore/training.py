"""Training: one run, from its first step to its last, in steps that can be interrupted and resumed exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_lite as tg

from . import diagnostics
from .dataset import Split, split
from .errors import MakemoreError
from .model import Model
from .vocabulary import Vocabulary

MOST = (1 << 31) - 1  # of anything
LARGEST = 100_000_000  # numbers in one array
LONGEST_BLOCK = 100  # letters: every example of the data holds so many
DRAWN_AT_ONCE = 32_000  # examples, or one minibatch; the stream is the same as one by one


@dataclass(frozen=True)
class Settings:
    """What is chosen before a run. Raises MakemoreError where a number is out of range."""

    steps: int = 200_000
    batch_size: int = 32
    block_size: int = 3
    embedding: int = 15
    hidden: int = 200
    learning_rate: float = 0.1
    seed: int = 2147483647

    def __post_init__(self) -> None:
        for name in ("steps", "block_size", "embedding", "hidden"):
            if not 1 <= getattr(self, name) <= MOST:
                flag = f"--{name.replace('_', '-')}"
                raise MakemoreError(f"{flag} must lie between 1 and {MOST}, got {getattr(self, name)}")
        if self.batch_size < 2:
            raise MakemoreError(
                f"--batch-size must be 2 or more, got {self.batch_size}: BatchNorm divides by the standard deviation "
                "of a batch, and that of one example is undefined"
            )
        if self.block_size > LONGEST_BLOCK:
            raise MakemoreError(f"--block-size must be {LONGEST_BLOCK} or less, got {self.block_size}")
        weights = self.block_size * self.embedding * self.hidden
        if weights > LARGEST:
            raise MakemoreError(
                f"--block-size x --embedding x --hidden makes {weights:,} weights; more than {LARGEST:,} are too many"
            )
        numbers = self.batch_size * max(self.block_size * self.embedding, self.hidden)
        if numbers > LARGEST:
            raise MakemoreError(
                f"--batch-size {self.batch_size} makes {numbers:,} numbers in a layer; {LARGEST:,} are the most"
            )
        if not 0 < self.learning_rate < math.inf:
            raise MakemoreError(f"--learning-rate must be a number above 0, got {self.learning_rate}")
        if not -(1 << 63) <= self.seed < 1 << 64:
            raise MakemoreError(f"--seed must lie between -2**63 and 2**64 - 1, got {self.seed}")

    def rate(self, step: int) -> float:
        """The learning rate of a step: as given, and a tenth of it from half-way."""
        return self.learning_rate if step < self.steps // 2 else self.learning_rate / 10

    def schedule(self, first: int) -> str:
        """Which learning rate applies to which steps, from `first` on."""
        half = self.steps // 2
        late = f"steps {max(first, half):,} to {self.steps - 1:,} at {self.rate(self.steps - 1):g}"
        return late if first >= half else f"steps {first:,} to {half - 1:,} at {self.rate(first):g}, {late}"

    def as_dict(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self)


class Run:
    """A model in training: all that a checkpoint holds, and the data. jit: whether its steps run as a NumPy program."""

    jit = True

    def __init__(self, words: Sequence[str], settings: Settings) -> None:
        self.words = list(words)
        self.settings = settings
        self.vocabulary = Vocabulary.of(words)
        self.data: Split = split(words, self.vocabulary, settings.block_size)
        self.contexts, self.targets = map(tg.from_numpy, self.data.train)
        self._jitted = tg.jit(self._train_step)
        self.generator = tg.Generator().manual_seed(settings.seed)
        self.model = Model(
            len(self.vocabulary), settings.block_size, settings.embedding, settings.hidden, self.generator
        )
        self.optimiser = tg.optim.SGD(self.model.parameters.values(), lr=settings.learning_rate)
        self.step = 0
        self.losses = np.zeros(settings.steps, np.float32)  # of the minibatches, up to `step`
        self.dev_losses: list[tuple[int, float]] = []  # (after how many steps, loss)
        self.points = np.zeros(0, diagnostics.POINT)
        self._watched = diagnostics.watched(self.data.train.contexts, settings.batch_size)
        self._drawn_from = self.generator.get_state()
        self._drawn: NDArray[np.int64] = np.empty((0, settings.batch_size), np.int64)
        self._used = 0

    @property
    def done(self) -> bool:
        """Whether all steps have been made."""
        return self.step >= self.settings.steps

    def set_steps(self, steps: int) -> None:
        """Let the run end after another number of steps; the learning rate follows the new number."""
        self.settings = replace(self.settings, steps=steps)
        losses, self.losses = self.losses[: self.step], np.zeros(steps, np.float32)
        self.losses[: self.step] = losses

    def advance(self, steps: int) -> None:
        """Make some steps. Raises MakemoreError, with status 1, at the first loss or statistic that is nan or inf."""
        settings, train_step = self.settings, self._jitted if self.jit else self._train_step
        with np.errstate(all="ignore"):  # what goes wrong shows in the loss
            for step in range(self.step, min(self.step + steps, settings.steps)):
                self.optimiser.lr = settings.rate(step)
                try:
                    self.losses[step] = train_step(self._next_rows()).item()
                except FloatingPointError as error:
                    raise MakemoreError(f"step {step}: {error}: {self._cause()}", status=1) from None
                self.step = step + 1
                if diagnostics.is_due(step, settings.steps):
                    point = diagnostics.measure(self.model, self._watched, step, settings.rate(step))
                    self.points = np.concatenate([self.points, point])

    def _train_step(self, rows: NDArray[np.int64]) -> tg.Tensor:
        """One step on the examples of some rows, (N,). Raises FloatingPointError before anything is updated by nan."""
        loss = self.model.loss(self.contexts[rows], self.targets[rows])
        tg.check_finite(loss, "the loss")
        tg.check_finite(self.model.running_std, "running_std")  # with a loss that may be finite
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    def check(self) -> None:
        """Raise MakemoreError, with status 1, where a number of the model is nan or inf."""
        for name, array in self.model.state.items():
            if not np.isfinite(array).all():
                raise MakemoreError(f"step {self.step}: {name} holds nan or inf: {self._cause()}", status=1)

    def _cause(self) -> str:
        bad = [name for name, p in self.model.parameters.items() if not np.isfinite(p.data).all()]
        if bad:
            return f"the last update made {bad[0]} infinite; lower --learning-rate ({self.settings.learning_rate:g})"
        if not np.isfinite(self.model.running_std).all() or not np.isfinite(self.model.running_mean).all():
            return "the statistics of a batch overflowed; lower --learning-rate"
        largest = max(float(np.abs(p.data).max()) for p in self.model.parameters.values())
        if largest > 1e6:
            return f"the weights have grown to {largest:.0e}; lower --learning-rate ({self.settings.learning_rate:g})"
        return "a hidden unit had the same value in the whole batch, so BatchNorm divided by 0; raise --batch-size"

    def _next_rows(self) -> NDArray[np.int64]:
        if self._used == len(self._drawn):
            self._drawn_from = self.generator.get_state()
            size = (max(1, DRAWN_AT_ONCE // self.settings.batch_size), self.settings.batch_size)
            self._drawn = np.asarray(self.generator.randint(0, len(self.data.train), size))
            self._used = 0
        self._used += 1
        return self._drawn[self._used - 1]  # type: ignore[no-any-return]

    def generator_state(self) -> NDArray[np.uint8]:
        """The state of the generator as if it had drawn for the steps made, and no further."""
        generator = tg.Generator()
        generator.set_state(self._drawn_from)
        generator.randint(0, len(self.data.train), (self._used, self.settings.batch_size))
        return generator.get_state()

    def set_generator_state(self, state: NDArray[np.uint8]) -> None:
        """Draw on from a state that `generator_state` gave."""
        self.generator.set_state(state)
        self._drawn_from, self._drawn, self._used = state.copy(), self._drawn[:0], 0

    def dev_loss(self) -> float:
        """The loss on the dev words now; it is kept too. Raises MakemoreError, with status 1, if it is nan or inf."""
        loss = self.model.evaluate(*self.data.dev)
        if not math.isfinite(loss):
            raise MakemoreError(f"step {self.step}: the dev loss is {loss}: {self._cause()}", status=1)
        self.dev_losses.append((self.step, loss))
        return loss

    def final_losses(self) -> dict[str, float]:
        """The losses on all train, dev and test words, in evaluation mode."""
        return {name: self.model.evaluate(*part) for name, part in self.data._asdict().items()}
