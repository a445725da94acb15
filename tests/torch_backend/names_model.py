"""The model of makemore, in raw operations of torch."""

import torch

from .convert import from_numpy


class NamesModel:
    """The model of makemore in raw operations of torch, from the weights and running statistics of a state."""

    def __init__(self, state):
        state = {name: from_numpy(array) for name, array in state.items()}
        self.running_mean, self.running_std = state.pop("running_mean"), state.pop("running_std")
        self.parameters = {name: array.requires_grad_() for name, array in state.items()}

    def _logits(self, contexts, normalise):
        C, W1, b1, W2, b2, gain, bias = (self.parameters[k] for k in ("C", "W1", "b1", "W2", "b2", "gain", "bias"))
        before = C[from_numpy(contexts)].view(len(contexts), -1) @ W1 + b1
        mean, std = normalise(before)
        return torch.tanh(gain * (before - mean) / std + bias) @ W2 + b2

    def _batch(self, before):
        mean, std = before.mean(0, keepdim=True), before.std(0, keepdim=True)
        with torch.no_grad():
            self.running_mean = 0.999 * self.running_mean + 0.001 * mean
            self.running_std = 0.999 * self.running_std + 0.001 * std
        return mean, std

    def loss(self, contexts, targets):
        """In training mode; moves the running statistics."""
        return torch.nn.functional.cross_entropy(self._logits(contexts, self._batch), from_numpy(targets))

    @torch.no_grad()
    def logits(self, contexts):
        """In evaluation mode."""
        return self._logits(contexts, lambda before: (self.running_mean, self.running_std))

    def step(self, rate):
        """One step of gradient descent, after `backward`."""
        with torch.no_grad():
            for parameter in self.parameters.values():
                parameter -= rate * parameter.grad
                parameter.grad = None
