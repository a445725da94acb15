"""The model: an MLP with BatchNorm that predicts the next letter from the last few.

After Bengio et al., "A Neural Probabilistic Language Model", 2003, as in Andrej Karpathy's makemore lectures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_lite as tg
import tinygrad_lite.functional as F

PARAMETERS = ("C", "W1", "b1", "W2", "b2", "gain", "bias")
MOMENTUM = 0.001  # how fast the running statistics follow those of the batches
EVALUATED_AT_ONCE = 4096  # contexts; keeps the memory of an evaluation small


class Model:
    """logits = tanh(BatchNorm(C[context] @ W1 + b1)) @ W2 + b2, over `letters` letters.

    In training the batch's own mean and standard deviation normalise it (no eps), and running ones follow them;
    everywhere else the running ones are used.
    """

    def __init__(self, letters: int, block_size: int, embedding: int, hidden: int, generator: tg.Generator) -> None:
        inputs = block_size * embedding
        self.C = generator.randn(letters, embedding)
        self.W1 = generator.randn(inputs, hidden) * (5 / 3) / inputs**0.5
        self.b1 = generator.randn(hidden) * 0.01
        self.W2 = generator.randn(hidden, letters) * 0.01
        self.b2 = generator.randn(letters) * 0.0
        self.gain = tg.ones((1, hidden))
        self.bias = tg.zeros((1, hidden))
        for parameter in self.parameters.values():
            parameter.requires_grad = True
        self.running_mean = tg.zeros((1, hidden))
        self.running_std = tg.ones((1, hidden))

    @property
    def parameters(self) -> dict[str, tg.Tensor]:
        """What is learned, by name."""
        return {name: getattr(self, name) for name in PARAMETERS}

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """All arrays that make the model what it is, by name: the parameters and the running statistics."""
        running = {"running_mean": self.running_mean, "running_std": self.running_std}
        return {name: tensor.data for name, tensor in {**self.parameters, **running}.items()}

    def load_state(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over the arrays of a state. Raises ValueError where one has another shape or dtype."""
        for name, mine in self.state.items():
            given = state[name]
            if (given.shape, given.dtype) != (mine.shape, mine.dtype):
                raise ValueError(f"{name} is {given.dtype}{given.shape}, not {mine.dtype}{mine.shape}")
            mine[...] = given

    def loss(self, contexts: tg.Tensor, targets: tg.Tensor) -> tg.Tensor:
        """Cross-entropy of a minibatch: contexts (N, block_size), targets (N,) -> (). Moves the running statistics."""
        x = F.embedding(contexts, self.C).reshape(len(contexts), -1)
        h, mean, var = F.batch_norm(F.linear(x, self.W1, self.b1), self.gain, self.bias, eps=0.0, ddof=1)
        with tg.no_grad():
            for running, now in ((self.running_mean, mean), (self.running_std, np.sqrt(var))):
                running *= 1 - MOMENTUM
                running += MOMENTUM * now
        return F.cross_entropy(F.linear(h.tanh(), self.W2, self.b2), targets)

    @tg.no_grad()
    def activations(self, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        """tanh of the hidden layer as in training, normalised by these contexts: (N, block_size) -> (N, hidden)."""
        x = F.embedding(contexts, self.C).reshape(len(contexts), -1)
        h, _, _ = F.batch_norm(F.linear(x, self.W1, self.b1), self.gain, self.bias, eps=0.0, ddof=1)
        return h.tanh().numpy()

    @tg.no_grad()
    @np.errstate(all="ignore")  # what goes wrong shows in the loss
    def logits(self, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        """In evaluation mode: contexts (N, block_size) -> (N, letters)."""
        x = F.embedding(contexts, self.C).reshape(len(contexts), -1)
        h = F.linear(x, self.W1, self.b1)
        h = self.gain * (h - self.running_mean) / self.running_std + self.bias
        return F.linear(h.tanh(), self.W2, self.b2).numpy()

    @np.errstate(all="ignore")
    def evaluate(self, contexts: NDArray[np.int64], targets: NDArray[np.int64]) -> float:
        """Mean cross-entropy in evaluation mode, of any number of examples."""
        total = 0.0
        for start in range(0, len(targets), EVALUATED_AT_ONCE):
            part = slice(start, start + EVALUATED_AT_ONCE)
            logits = self.logits(contexts[part])
            total += float(F.cross_entropy(logits, targets[part])) * len(logits)
        return total / len(targets)
