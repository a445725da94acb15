"""Neurons, layers and multi-layer perceptrons made of Values, with the API of micrograd's `nn`.

A neuron is a weighted sum and an activation, a layer is neurons side by side, an MLP is layers in a row.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Collection

from .engine import Number, Value

__all__ = ["MLP", "Layer", "Module", "Neuron"]

ACTIVATIONS: dict[str, Callable[[Value], Value]] = {
    "relu": Value.relu,
    "tanh": Value.tanh,
    "linear": lambda total: total,
}


class Module:
    """What has parameters."""

    def parameters(self) -> list[Value]:
        """The Values that training changes."""
        return []

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to 0, before the next `backward`."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Neuron(Module):
    """activation(w · x + b) of `nin` inputs, where w starts uniform in [-1, 1] and b at 0, as in micrograd.

    `activation` is "relu", "tanh" or "linear". `rng` draws the weights, one after the other; without it Python's
    global generator does (see `random.seed`). Raises ValueError for another activation or a size below 1.
    """

    def __init__(self, nin: int, activation: str = "relu", rng: random.Random | None = None) -> None:
        uniform = random.uniform if rng is None else rng.uniform
        self.w = [Value(uniform(-1.0, 1.0)) for _ in range(_size("nin", nin))]
        self.b = Value(0.0)
        self.activation = _known(activation)

    def __call__(self, x: Collection[Number]) -> Value:
        """The output for one example; raises TypeError or ValueError unless x holds `nin` numbers or Values."""
        if not isinstance(x, Collection):
            raise TypeError(f"Neuron: takes a list of {len(self.w)} numbers or Values, not a {type(x).__name__}")
        if len(x) != len(self.w):
            raise ValueError(f"Neuron: takes {len(self.w)} inputs, got {len(x)}")
        total = sum((w * xi for w, xi in zip(self.w, x, strict=True)), self.b)
        return ACTIVATIONS[self.activation](total)

    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, activation={self.activation!r})"


class Layer(Module):
    """`nout` neurons that see the same `nin` inputs; the other arguments, and what is raised, are Neuron's."""

    def __init__(self, nin: int, nout: int, activation: str = "relu", rng: random.Random | None = None) -> None:
        self.neurons = [Neuron(nin, activation, rng) for _ in range(_size("nout", nout))]

    def __call__(self, x: Collection[Number]) -> Value | list[Value]:
        """The outputs for one example: a list, or the Value itself if there is only one."""
        return _unwrap([neuron(x) for neuron in self.neurons])

    def parameters(self) -> list[Value]:
        """The parameters of each neuron in turn."""
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def __repr__(self) -> str:
        first = self.neurons[0]
        return f"Layer({len(first.w)}, {len(self.neurons)}, activation={first.activation!r})"


class MLP(Module):
    """A perceptron of layers: `MLP(2, [16, 16, 1])` takes 2 inputs through 16 and 16 neurons to 1 output.

    `activation` is that of all layers but the last, which is linear. `rng`, and what is raised, are Neuron's.
    """

    def __init__(
        self, nin: int, nouts: Collection[int], activation: str = "relu", rng: random.Random | None = None
    ) -> None:
        if not isinstance(nouts, Collection) or len(nouts) == 0:
            raise ValueError(f"MLP: nouts lists the size of each layer, such as [16, 16, 1]; got {nouts!r}")
        sizes = [nin, *nouts]
        activations = [activation] * (len(nouts) - 1) + ["linear"]
        self.layers = [Layer(*layer, rng) for layer in zip(sizes, sizes[1:], activations, strict=False)]
        self.activation = _known(activation)

    def __call__(self, x: Collection[Number]) -> Value | list[Value]:
        """The outputs for one example: a list, or the Value itself if there is only one."""
        for layer in self.layers:
            x = outputs = [neuron(x) for neuron in layer.neurons]
        return _unwrap(outputs)

    def parameters(self) -> list[Value]:
        """The parameters of each layer in turn."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        nin, nouts = len(self.layers[0].neurons[0].w), [len(layer.neurons) for layer in self.layers]
        return f"MLP({nin}, {nouts}, activation={self.activation!r})"


def _unwrap(outputs: list[Value]) -> Value | list[Value]:
    return outputs[0] if len(outputs) == 1 else outputs


def _known(activation: str) -> str:
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}: choose from {', '.join(ACTIVATIONS)}")
    return activation


def _size(what: str, n: int) -> int:
    if operator.index(n) < 1:
        raise ValueError(f"{what}: must be 1 or more, got {n}")
    return n
