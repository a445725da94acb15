"""Optimisers: they change parameters by their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real

import numpy as np

from .arguments import short
from .tensor import Tensor


class SGD:
    """Stochastic gradient descent: p -= lr * v, where v is the gradient, or with momentum, v = momentum * v + gradient.

    weight_decay adds weight_decay * p to the gradient. All three numbers may be changed between steps. Parameters
    without a gradient stay as they are. As torch.optim.SGD. `velocities` holds v of each parameter, for resuming.

    Raises TypeError where a parameter is no leaf Tensor that requires a gradient, or lr and the like are no numbers;
    ValueError where there are no parameters, where one is given twice, or where a number is out of range.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("SGD: there are no parameters")
        for parameter in self.parameters:
            if not isinstance(parameter, Tensor) or not parameter.requires_grad or not parameter.is_leaf:
                raise TypeError(
                    f"SGD: a parameter must be a leaf Tensor with requires_grad=True, got {short(parameter)}"
                )
        if len(set(self.parameters)) < len(self.parameters):
            raise ValueError("SGD: a parameter is given twice")
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if not isinstance(value, Real):
                raise TypeError(f"SGD: {name} must be a number, got {short(value)}")
            if not value >= 0:
                raise ValueError(f"SGD: {name} must be 0 or more, got {value}")
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = [np.zeros_like(parameter._data) for parameter in self.parameters]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter._grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient, in place."""
        lr, momentum, decay = float(self.lr), float(self.momentum), float(self.weight_decay)
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            if parameter._grad is None:
                continue
            data, change = parameter._data, parameter._grad._data
            if decay:
                change = change + decay * data
            if momentum:
                velocity *= momentum
                velocity += change
                change = velocity
            rate = np.array(lr, data.dtype)  # as an array: NumPy takes its time over Python's numbers
            np.subtract(data, rate * change, data)
            parameter._memory.writes += 1
