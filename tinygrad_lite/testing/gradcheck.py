"""Gradients held against central differences, in float64.

What is compared is one number per input, whatever its size: the change of the outputs, randomly weighted, along a
random direction in which no element stands still. Where it is wrong, halving the direction, and then the weights, finds
the element of the input and of the output that are to blame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import GradientError, NotDifferentiableError
from .flat import Arrays, Checked, Gradients, check_finite, gradients, leaf, subscript, uneven

STEPS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)  # the first at which the function is smooth is taken
EPS = float(np.finfo(np.float64).eps)
ROUNDING = 64 * EPS  # of an output of size 1
CANCELLED = 1e-9  # at most so much rounding is excused: what moves further is a jump


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    argnums: int | Sequence[int] | None = None,
    jacobian: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    seed: int = 0,
) -> bool:
    """Hold the gradients of `f(*inputs)` against central differences; True, or an error that says where they differ.

    f: returns one Tensor or several, in lists, tuples or dicts. It is called many times, with other Tensors in place
    of those checked. The `grad` of a leaf that it reads without being given it grows.
    inputs: what is checked are the Tensors that require a gradient, however nested in lists, tuples and dicts; or,
    of the positions in `argnums`, all arrays and Tensors. They are taken as float64.
    jacobian: compare all derivatives one by one, at the cost of four calls for each element of the inputs and one
    backward for each element of the outputs, in place of a random direction and random weights drawn from `seed`.
    rtol, atol: how far each derivative may be off, relative to itself and absolutely.

    Raises GradientError where a derivative is wrong, naming the input, the element, what was expected and what was
    got; NotDifferentiableError, which is one, where there is no derivative: a kink, such as abs at 0, a jump, a nan.
    Raises ValueError or TypeError where there is nothing that could be checked.
    """
    with np.errstate(all="ignore"):  # what is not finite is named in the errors
        Check(Checked("gradcheck", f, inputs, argnums), rtol, atol, seed).run(jacobian)
    return True


def gradgradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    argnums: int | Sequence[int] | None = None,
    jacobian: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    seed: int = 0,
) -> bool:
    """Hold the second derivatives of `f(*inputs)` against central differences of its first ones.

    The gradients are taken by `backward(create_graph=True)`, of outputs with random weights, and are checked as
    functions of the inputs and of these weights. Arguments and errors are those of `gradcheck`.
    """
    with np.errstate(all="ignore"):
        Check(Gradients(Checked("gradgradcheck", f, inputs, argnums), seed), rtol, atol, seed).run(jacobian)
    return True


class Check:
    """One function at one point: its values there, and its graph."""

    def __init__(self, function: Checked | Gradients, rtol: float, atol: float, seed: int) -> None:
        self.function, self.name, self.points = function, function.name, function.points
        self.rtol, self.atol = rtol, atol
        self.rng = np.random.default_rng(seed)
        self.inputs = [leaf(point) for point in self.points]
        self.outputs = function(self.inputs)
        self.middle = [output.data.copy() for output in self.outputs]
        check_finite(function, self.middle)
        for one, other in zip(self.middle, self.values(0, 0.0), strict=True):
            if not np.allclose(one, other, 1e-10, 1e-10):
                raise ValueError(f"{self.name}: the function gives other values when it is called again; fix its seed")
        self.largest = 1 + max((float(np.abs(values).max(initial=0.0)) for values in self.middle), default=0.0)
        self.rounding = ROUNDING * self.largest

    def run(self, jacobian: bool) -> None:
        """Compare; where something differs, once more with rounding as it is."""
        try:
            self.compare_any(jacobian)
        except GradientError:
            self.rounding += min(8 * self.moved_by_rounding(), CANCELLED * self.largest)
            self.compare_any(jacobian)

    def moved_by_rounding(self) -> float:
        """How far the outputs move at points that are a few roundings away.

        Where a function cancels what is large, as a norm of equal elements does, its own size does not tell.
        """
        moved = 0.0
        for seed in range(32):
            rng = np.random.default_rng(seed)
            nearby = [p + uneven(rng, p.shape) * np.maximum(1.0, np.abs(p)) * 4 * EPS for p in self.points]
            for middle, values in zip(self.middle, self.at(nearby), strict=True):
                change = np.abs(values - middle)
                moved = max(moved, float(change.max(initial=0.0, where=np.isfinite(change))))
        return moved

    def compare_any(self, jacobian: bool) -> None:
        """Compare the derivatives one by one, or along random directions."""
        if jacobian:
            self.compare_all()
        else:
            weights = [uneven(self.rng, values.shape) for values in self.middle]
            for i, grad in enumerate(self.gradients(weights)):
                self.compare_along(i, weights, grad)

    def compare_along(self, i: int, weights: Arrays, grad: NDArray[Any]) -> None:
        """Compare what a random direction in input i does to the weighted outputs."""
        direction = uneven(self.rng, grad.shape) * np.maximum(1.0, np.abs(self.points[i]))

        def differs(part: NDArray[Any]) -> tuple[bool, float]:
            try:
                slopes, noise = self.slopes(i, part)
            except NotDifferentiableError:
                return True, np.inf
            difference = abs(dot(weights, slopes) - float(np.vdot(grad, part)))
            bound = float(np.linalg.norm((self.atol + self.rtol * np.abs(grad)) * part))  # errors of all signs
            return difference > bound + noise * dot(weights, [np.sign(w) for w in weights]), difference

        if not np.isfinite(grad).all():
            self.compare_element(i, np.argwhere(~np.isfinite(grad))[0])
        if not differs(direction)[0]:
            return
        part = direction
        while np.count_nonzero(part) > 1:
            part = max(halves(part), key=lambda half: differs(half)[1])
        if any(values.size for values in self.middle):
            self.compare_element(i, np.argwhere(part)[0])
        slopes, _ = self.slopes(i, direction)  # raises where there is a kink that no single element shows
        raise GradientError(
            f"{self.name}: derivative along a random direction of {self.function.labels[i]}: "
            f"expected {dot(weights, slopes):.9g}, got {np.vdot(grad, direction):.9g}"
        )

    def compare_element(self, i: int, element: NDArray[Any]) -> None:
        """Compare the derivatives of all outputs by one element of input i, and name the one that is most wrong."""
        slopes, noise = self.slopes(i, unit(self.points[i].shape, element), element)
        weights = [np.ones(values.shape) for values in self.middle]

        def differs(part: Arrays) -> float:
            got = self.gradients(part)[i][tuple(element)]
            difference = abs(dot(part, slopes) - float(got))
            return np.inf if np.isnan(difference) else difference

        while sum(np.count_nonzero(part) for part in weights) > 1:
            weights = max(split(weights), key=differs)
        ((j, place),) = [(j, np.argwhere(part)[0]) for j, part in enumerate(weights) if part.any()]
        self.compare(j, place, i, element, slopes[j][tuple(place)], self.gradients(weights)[i][tuple(element)], noise)

    def compare_all(self) -> None:
        """Compare the derivatives of all elements of the outputs by all elements of the inputs."""
        zeros = [np.zeros(values.shape) for values in self.middle]
        rows = [
            (j, place, self.gradients([*zeros[:j], unit(values.shape, place), *zeros[j + 1 :]]))
            for j, values in enumerate(self.middle)
            for place in places(values.shape)
        ]
        for i, point in enumerate(self.points):
            for element in places(point.shape):
                slopes, noise = self.slopes(i, unit(point.shape, element), element)
                for j, place, grads in rows:
                    got = grads[i][tuple(element)]
                    self.compare(j, place, i, element, slopes[j][tuple(place)], got, noise)

    def compare(self, j: int, place: Any, i: int, element: Any, expected: float, got: float, noise: float) -> None:
        """Compare one derivative."""
        if not abs(expected - got) <= self.atol + self.rtol * abs(expected) + noise:  # so written for nan
            raise GradientError(
                f"{self.name}: derivative of {self.output(j, place)} by {self.input(i, element)}: "
                f"expected {expected:.9g} (central differences), got {got:.9g}"
            )

    def slopes(self, i: int, direction: NDArray[Any], element: Any = None) -> tuple[Arrays, float]:
        """How fast each element of the outputs changes along a direction in input i; and what rounding makes of it.

        Differences over two widths must agree, and so must those to the left and to the right.
        """
        kink = ""
        for step in STEPS:
            around = [self.values(i, factor * step * direction) for factor in (-1, -0.5, 0.5, 1)]
            noise = self.rounding / step
            slopes, kink = [], ""
            for j, (middle, left, near_left, near_right, right) in enumerate(zip(self.middle, *around, strict=True)):
                wide, narrow = (right - left) / (2 * step), (near_right - near_left) / step
                wide_bend, bend = (right - 2 * middle + left) / step, (near_right - 2 * middle + near_left) * 2 / step
                slopes.append(np.asarray((4 * narrow - wide) / 3))  # Richardson: what grows with step**2 cancels
                bound = self.atol + self.rtol * (np.abs(narrow) + np.abs(bend)) + noise
                smooth = np.abs(2 * bend - wide_bend) <= bound  # the bend at 0 is extrapolated, too
                smooth &= np.abs(wide - narrow) <= bound / np.sqrt(10 * self.rtol)
                if not kink and not smooth.all():  # nan is not smooth either
                    place = tuple(np.argwhere(~smooth)[0])
                    what = f"{self.output(j, place)} is not differentiable by {self.input(i, element)}: it "
                    if max(abs(narrow[place]), abs(bend[place])) > 1.8 * max(abs(wide[place]), abs(wide_bend[place])):
                        kink = f"{what}jumps from {near_left[place]:.6g} to {near_right[place]:.6g}"
                    else:
                        before, after = narrow[place] - bend[place] / 2, narrow[place] + bend[place] / 2
                        kink = f"{what}has slope {before:.6g} on the left and {after:.6g} on the right"
            if not kink:
                return slopes, noise
        raise NotDifferentiableError(f"{self.name}: {kink}; choose another point")

    def values(self, i: int, change: Any) -> Arrays:
        """The outputs with input i changed."""
        return self.at([p + change if k == i else p for k, p in enumerate(self.points)])

    def at(self, points: Arrays) -> Arrays:
        """The outputs at other points."""
        outputs = self.function([leaf(point, False) for point in points])
        if [output.shape for output in outputs] != [values.shape for values in self.middle]:
            raise ValueError(f"{self.name}: the shapes of the outputs depend on the values of the inputs")
        return [output.data for output in outputs]

    def gradients(self, weights: Arrays) -> Arrays:
        """The gradients of the inputs, by backward, of the weighted outputs."""
        return [grad.data for grad in gradients(self.outputs, [leaf(w, False) for w in weights], self.inputs)]

    def input(self, i: int, element: Any) -> str:
        """The name of an element of input i."""
        return f"{self.function.labels[i]}{subscript(element)}"

    def output(self, j: int, place: Any) -> str:
        """The name of an element of output j."""
        return f"{self.function.outputs[j]}{subscript(place)}"


def unit(shape: tuple[int, ...], element: Any) -> NDArray[Any]:
    """1 at an element, 0 elsewhere."""
    array = np.zeros(shape)
    array[tuple(element)] = 1.0
    return array


def halves(array: NDArray[Any]) -> list[NDArray[Any]]:
    """An array as the sum of two, each with half of its elements that are not 0."""
    order = np.cumsum(array.reshape(-1) != 0).reshape(array.shape)
    first = order <= order.max() // 2
    return [np.where(first, array, 0.0), np.where(first, 0.0, array)]


def split(arrays: Arrays) -> list[Arrays]:
    """As `halves`, for several arrays taken together."""
    flat = np.concatenate([array.reshape(-1) for array in arrays])
    cuts = np.cumsum([array.size for array in arrays])[:-1]
    return [
        [part.reshape(array.shape) for part, array in zip(np.split(half, cuts), arrays, strict=True)]
        for half in halves(flat)
    ]


def dot(xs: Arrays, ys: Arrays) -> float:
    """The sum of the products of all elements."""
    return float(sum(np.vdot(x, y) for x, y in zip(xs, ys, strict=True)))


def places(shape: tuple[int, ...]) -> NDArray[Any]:
    """The indices of all elements."""
    return np.argwhere(np.ones(shape, bool))
