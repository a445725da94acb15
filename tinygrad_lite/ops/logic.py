"""Comparisons, logic and the bits of integers: without a derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..declare import primitive
from ..op import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "signbit",
]


@primitive(np.equal, vjp=None, promotes=("x", "y"))
def equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x == y, as bools."""
    return np.equal(x, y)


@primitive(np.not_equal, vjp=None, promotes=("x", "y"))
def not_equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x != y, as bools."""
    return np.not_equal(x, y)


@primitive(np.less, vjp=None, promotes=("x", "y"))
def less(x: ArrayLike, y: ArrayLike) -> Array:
    """x < y, as bools."""
    return np.less(x, y)


@primitive(np.less_equal, vjp=None, promotes=("x", "y"))
def less_equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x <= y, as bools."""
    return np.less_equal(x, y)


@primitive(np.greater, vjp=None, promotes=("x", "y"))
def greater(x: ArrayLike, y: ArrayLike) -> Array:
    """x > y, as bools."""
    return np.greater(x, y)


@primitive(np.greater_equal, vjp=None, promotes=("x", "y"))
def greater_equal(x: ArrayLike, y: ArrayLike) -> Array:
    """x >= y, as bools."""
    return np.greater_equal(x, y)


@primitive(np.logical_and, vjp=None, promotes=("x", "y"))
def logical_and(x: ArrayLike, y: ArrayLike) -> Array:
    """x and y, as bools."""
    return np.logical_and(x, y)


@primitive(np.logical_or, vjp=None, promotes=("x", "y"))
def logical_or(x: ArrayLike, y: ArrayLike) -> Array:
    """x or y, as bools."""
    return np.logical_or(x, y)


@primitive(np.logical_xor, vjp=None, promotes=("x", "y"))
def logical_xor(x: ArrayLike, y: ArrayLike) -> Array:
    """Either x or y, but not both, as bools."""
    return np.logical_xor(x, y)


@primitive(np.logical_not, vjp=None, promotes=())
def logical_not(x: ArrayLike) -> Array:
    """not x, as bools."""
    return np.logical_not(x)


@primitive(np.isnan, vjp=None, promotes=())
def isnan(x: ArrayLike) -> Array:
    """Whether x is nan."""
    return np.isnan(x)


@primitive(np.isinf, vjp=None, promotes=())
def isinf(x: ArrayLike) -> Array:
    """Whether x is inf or -inf."""
    return np.isinf(x)


@primitive(np.isfinite, vjp=None, promotes=())
def isfinite(x: ArrayLike) -> Array:
    """Whether x is neither nan nor infinite."""
    return np.isfinite(x)


@primitive(np.isposinf, vjp=None, promotes=())
def isposinf(x: ArrayLike) -> Array:
    """Whether x is inf."""
    return np.isposinf(np.asarray(x))


@primitive(np.isneginf, vjp=None, promotes=())
def isneginf(x: ArrayLike) -> Array:
    """Whether x is -inf."""
    return np.isneginf(np.asarray(x))


@primitive(np.signbit, vjp=None, promotes=())
def signbit(x: ArrayLike) -> Array:
    """Whether x is negative, or -0.0."""
    return np.signbit(x)


# Bits; of bools, there is one.


def _refuse_floats(name: str, *arrays: ArrayLike) -> None:
    dtype = np.result_type(*arrays)
    if dtype.kind not in "biu":
        raise TypeError(f"{name}: takes bools or integers, got {dtype}; compare first, or use logical_and and the like")


@primitive(np.bitwise_and, vjp=None, promotes=("x", "y"))
def bitwise_and(x: ArrayLike, y: ArrayLike) -> Array:
    """x & y: the bits that both have; of bools, x and y."""
    _refuse_floats("bitwise_and", x, y)
    return np.bitwise_and(x, y)


@primitive(np.bitwise_or, vjp=None, promotes=("x", "y"))
def bitwise_or(x: ArrayLike, y: ArrayLike) -> Array:
    """x | y: the bits that one of them has; of bools, x or y."""
    _refuse_floats("bitwise_or", x, y)
    return np.bitwise_or(x, y)


@primitive(np.bitwise_xor, vjp=None, promotes=("x", "y"))
def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Array:
    """x ^ y: the bits that only one of them has; of bools, whether they differ."""
    _refuse_floats("bitwise_xor", x, y)
    return np.bitwise_xor(x, y)


@primitive(np.invert, vjp=None, promotes=())
def invert(x: ArrayLike) -> Array:
    """~x: all bits the other way; of bools, not x."""
    _refuse_floats("invert", x)
    return np.invert(x)


# NumPy's other names.

bitwise_invert = bitwise_not = invert
