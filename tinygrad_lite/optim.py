"""Optimisers: they change parameters by their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from .arguments import short
from .creation import from_numpy
from .mode import Watch, no_grad, thread
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
        watch = thread.mode.watch
        for parameter in self.parameters:
            if watch is not None:
                watch.grading(parameter, reads=False)
            parameter._grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient, in place."""
        watch = thread.mode.watch
        if watch is not None and watch.traces:
            return self._traced_step(watch)
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            if parameter._grad is not None:
                data, dtype = parameter._data, parameter._data.dtype
                lr = np.array(self.lr, dtype)  # as an array: NumPy takes its time over Python's numbers
                momentum, decay = np.array(self.momentum, dtype), np.array(self.weight_decay, dtype)
                self._change(data, parameter._grad._data, velocity, lr, momentum, decay)
                parameter._memory.writes += 1
        return None

    def _change(self, data: Any, change: Any, velocity: Any, lr: Any, momentum: Any, decay: Any) -> None:
        """Change a parameter, as an array, or as a Tensor where that is traced."""
        if self.weight_decay:
            change = change + decay * data
        if self.momentum:
            velocity *= momentum
            velocity += change
            change = velocity
        data -= lr * change

    @no_grad()
    def _traced_step(self, watch: Watch) -> None:
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            watch.grading(parameter, reads=True)
            if parameter._grad is not None:
                dtype = parameter._data.dtype
                numbers = [watch.reads(self, name, dtype) for name in ("lr", "momentum", "weight_decay")]
                self._change(parameter, parameter._grad, from_numpy(velocity), *numbers)
