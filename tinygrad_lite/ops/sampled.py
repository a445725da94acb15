"""Functions that are given by samples: their values in between, and the area below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import composite
from .indexing import take
from .sorting import searchsorted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

__all__ = [
    "interp",
    "trapezoid",
]


@composite(np.interp, floats=True)
def interp(
    x: ArrayLike, xp: ArrayLike, fp: ArrayLike, left: ArrayLike | None = None, right: ArrayLike | None = None
) -> Tensor:
    """The function through the points (xp, fp), straight in between: x (...), xp and fp (N,), increasing -> (...).

    Outside of them it is `left`, or the first of fp, and `right`, or the last. At a point the derivative by x is that
    of the piece behind it. Raises ValueError where xp and fp do not fit together.
    """
    points, values, at = _any(xp), _any(fp), _any(x)
    if points.ndim != 1 or points.shape != values.shape or not points.size:
        raise ValueError(f"interp: takes xp (N,) and fp (N,) with N > 0, got {points.shape} and {values.shape}")
    end = np.minimum(np.maximum(searchsorted(points, at, "right"), 1), points.size - 1)
    start = np.maximum(end - 1, 0)
    origin, low = take(points, start), take(values, start)
    width = take(points, end) - origin
    slope = (take(values, end) - low) / np.where(width == 0, 1.0, width)
    inside = np.where(at < points[0], values[0] if left is None else left, low + slope * (at - origin))
    return np.where(at > points[-1], values[-1] if right is None else right, inside)  # type: ignore[return-value]


@composite(np.trapezoid, floats=True)
def trapezoid(y: ArrayLike, x: ArrayLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The area below samples y along an axis, by straight lines in between: (A, N, B) -> (A, B).

    x: where the samples are, in the shape of y or (N,). dx: how far apart they are, where x is not given.
    Integers give float32.
    """
    samples, places, width = _any(y), _any(x), dx
    if not samples.ndim:
        raise ValueError("trapezoid: takes samples along an axis, got a number")
    lower, upper = _ends(samples, axis)
    if x is not None:
        if places.ndim == 1:
            places = places.reshape((-1,) + (1,) * (samples.ndim - 1 - axis % samples.ndim))
        start, end = _ends(places, 0 if np.ndim(x) == 1 else axis)
        width = end - start
    return np.sum(width * (lower + upper), axis=axis) * 0.5  # type: ignore[no-any-return]


def _ends(array: Any, axis: int) -> tuple[Any, Any]:
    """Where the pieces between the elements along an axis begin, and where they end."""
    before = (slice(None),) * (axis % array.ndim)
    return array[(*before, slice(None, -1))], array[(*before, slice(1, None))]


def _any(value: ArrayLike | None) -> Any:
    """An argument of a composite, which is a Tensor or an array, for type checkers."""
    return value
