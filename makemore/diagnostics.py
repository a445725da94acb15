"""What a training notes about itself for `makemore report`: how weights, gradients and activations are as it goes.

After Andrej Karpathy's lecture on activations, gradients and BatchNorm (Building makemore, part 3, 2022).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import PARAMETERS, Model

MATRICES = ("C", "W1", "W2")  # whose gradients get a histogram
BINS = 50
WIDEST = 5  # standard deviations: how far the histogram of a gradient reaches
SATURATED = 0.97  # |tanh| above it passes hardly any gradient on
WATCHED = 32  # examples whose activations are looked at, at most

POINT = np.dtype(
    [
        ("step", np.int64),
        ("rate", np.float64),
        ("weight_std", np.float32, len(PARAMETERS)),  # after the step
        ("gradient_std", np.float32, len(PARAMETERS)),
        ("gradients", np.uint32, (len(MATRICES), BINS)),  # of gradient / its std; outer bins: what is beyond
        ("activations", np.uint32, BINS),  # over -1 to 1
        ("saturated", np.uint32),  # how many of them
    ]
)


def is_due(step: int, steps: int) -> bool:
    """Whether to measure after this step of a run of so many: the first, the last, and evenly between."""
    return step % interval(steps) == 0 or step == steps - 1


@cache  # asked at every step
def interval(steps: int) -> int:
    """200 times in a long run, 20 times in a short one, and never so often that it costs 3 % of the time."""
    return max(1, steps // 200, min(steps // 20, 300))


def watched(contexts: NDArray[np.int64], batch_size: int) -> NDArray[np.int64]:
    """Some of the contexts (N, block_size), from all over them; no more than a step takes, so that it is as quick."""
    number = min(WATCHED, batch_size, len(contexts))
    return contexts[np.linspace(0, len(contexts) - 1, number).astype(np.int64)]


@np.errstate(all="ignore")  # what goes wrong shows in the loss
def measure(model: Model, contexts: NDArray[np.int64], step: int, rate: float) -> NDArray[Any]:
    """One POINT, (1,), right after a step: gradients are there. contexts: whose activations, (N, block_size)."""
    point = np.zeros(1, POINT)
    point["step"], point["rate"] = step, rate
    for i, (name, parameter) in enumerate(model.parameters.items()):
        assert parameter.grad is not None
        gradient = parameter.grad.data
        deviation = std(gradient)
        point["weight_std"][0, i] = std(parameter.data)
        point["gradient_std"][0, i] = deviation
        if name in MATRICES:
            point["gradients"][0, MATRICES.index(name)] = histogram(gradient, WIDEST * deviation)
    activations = model.activations(contexts)
    point["activations"] = histogram(activations, 1.0)
    point["saturated"] = np.count_nonzero(np.abs(activations) > SATURATED)
    return point


def std(array: NDArray[np.float32]) -> float:
    """The standard deviation in float64, which no weight overflows; np.std takes twice the time."""
    centred = array.astype(np.float64)
    centred -= np.add.reduce(centred, axis=None) / centred.size
    centred *= centred
    return math.sqrt(np.add.reduce(centred, axis=None) / centred.size)


def histogram(array: NDArray[np.float32], widest: float) -> NDArray[np.intp]:
    """How many numbers lie in each of BINS bins from -widest to widest; what is beyond counts for the outer ones."""
    places = array.ravel() * (BINS / 2 / widest if widest else 0.0) + BINS / 2
    places = places[np.isfinite(places)]  # nothing is, where BatchNorm divided by 0
    return np.bincount(np.clip(places, 0, BINS - 1).astype(np.intp), minlength=BINS)


def ratios(points: NDArray[Any]) -> NDArray[np.float64]:
    """log10 of the size of an update over that of the weight, lr * gradient.std() / weight.std(): (points, parameters).

    nan or infinite where a parameter is a single number, or all alike.
    """
    with np.errstate(all="ignore"):
        updates = points["rate"][:, None] * points["gradient_std"]
        return np.asarray(np.log10(updates / points["weight_std"]))


def checked(points: NDArray[Any], step: int) -> NDArray[Any]:
    """Points that a file holds, of a run that has made so many steps. Raises ValueError where they can't be."""
    if points.dtype != POINT or points.ndim != 1:
        raise ValueError(f"its diagnostics are {points.dtype}{points.shape}".replace("\n", " "))
    steps = points["step"]
    if not (np.diff(steps, prepend=-1) > 0).all() or not (steps < step).all():
        raise ValueError("its diagnostics are of other steps than it has made")
    if not all(np.isfinite(points[name]).all() for name in ("rate", "weight_std", "gradient_std")):
        raise ValueError("its diagnostics hold nan or inf")
    return points
