"""The methods of Tensor that reduce its axes or run along them, with the signatures that those of NumPy's arrays have.

Where no more than the axes are given they go to the operation without further ado, else by NumPy's own function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .methods import Methods
from .ops import reduction, scan

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .tensor import Tensor

    Axis = int | tuple[int, ...] | None
    Out = NDArray[Any] | None


class Reductions(Methods):
    """The methods of Tensor that reduce axes."""

    __slots__ = ()

    def sum(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: Out = None,
        *,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike = True,
    ) -> Tensor:
        """Sum over an axis, several, or all."""
        if dtype is out is initial is None and where is True:
            return reduction.sum(self, axis, keepdims)
        return _numpy(np.sum, self, axis, dtype, out, keepdims, initial, where)

    def prod(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: Out = None,
        *,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike = True,
    ) -> Tensor:
        """Product over an axis, several, or all."""
        if dtype is out is initial is None and where is True:
            return reduction.prod(self, axis, keepdims)
        return _numpy(np.prod, self, axis, dtype, out, keepdims, initial, where)

    def max(
        self,
        axis: Axis = None,
        out: Out = None,
        *,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike = True,
    ) -> Tensor:
        """Largest element over an axis, several, or all."""
        if out is initial is None and where is True:
            return reduction.max(self, axis, keepdims)
        return _numpy(np.max, self, axis, out, keepdims, initial, where)

    def min(
        self,
        axis: Axis = None,
        out: Out = None,
        *,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike = True,
    ) -> Tensor:
        """Smallest element over an axis, several, or all."""
        if out is initial is None and where is True:
            return reduction.min(self, axis, keepdims)
        return _numpy(np.min, self, axis, out, keepdims, initial, where)

    def mean(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: Out = None,
        *,
        keepdims: bool = False,
        where: ArrayLike = True,
    ) -> Tensor:
        """Mean over an axis, several, or all."""
        if dtype is out is None and where is True:
            return reduction.mean(self, axis, keepdims)
        return _numpy(np.mean, self, axis, dtype, out, keepdims, where=where)

    def var(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: Out = None,
        ddof: int = 0,
        *,
        keepdims: bool = False,
        where: ArrayLike = True,
        mean: ArrayLike | None = None,
    ) -> Tensor:
        """Variance, divided by n - ddof."""
        if dtype is out is mean is None and where is True:
            return reduction.var(self, axis, ddof, keepdims)
        return _numpy(np.var, self, axis, dtype, out, ddof, keepdims, where=where, mean=mean)

    def std(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: Out = None,
        ddof: int = 0,
        *,
        keepdims: bool = False,
        where: ArrayLike = True,
        mean: ArrayLike | None = None,
    ) -> Tensor:
        """Standard deviation, the root of `var`."""
        if dtype is out is mean is None and where is True:
            return reduction.std(self, axis, ddof, keepdims)
        return _numpy(np.std, self, axis, dtype, out, ddof, keepdims, where=where, mean=mean)

    def argmax(self, axis: int | None = None, out: Out = None, *, keepdims: bool = False) -> Tensor:
        """Index of the largest element, the first among equals."""
        return (
            reduction.argmax(self, axis, keepdims)
            if out is None
            else _numpy(np.argmax, self, axis, out, keepdims=keepdims)
        )

    def argmin(self, axis: int | None = None, out: Out = None, *, keepdims: bool = False) -> Tensor:
        """Index of the smallest element, the first among equals."""
        return (
            reduction.argmin(self, axis, keepdims)
            if out is None
            else _numpy(np.argmin, self, axis, out, keepdims=keepdims)
        )

    def all(self, axis: Axis = None, out: Out = None, *, keepdims: bool = False, where: ArrayLike = True) -> Tensor:
        """Whether no element is 0, over an axis, several, or all."""
        return _numpy(np.all, self, axis, out, keepdims, where=where)

    def any(self, axis: Axis = None, out: Out = None, *, keepdims: bool = False, where: ArrayLike = True) -> Tensor:
        """Whether some element is not 0, over an axis, several, or all."""
        return _numpy(np.any, self, axis, out, keepdims, where=where)

    def cumsum(self, axis: int | None = None, dtype: DTypeLike | None = None, out: Out = None) -> Tensor:
        """Sum of all elements up to each one."""
        return scan.cumsum(self, axis) if dtype is out is None else _numpy(np.cumsum, self, axis, dtype, out)

    def cumprod(self, axis: int | None = None, dtype: DTypeLike | None = None, out: Out = None) -> Tensor:
        """Product of all elements up to each one."""
        return scan.cumprod(self, axis) if dtype is out is None else _numpy(np.cumprod, self, axis, dtype, out)

    def trace(
        self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None, out: Out = None
    ) -> Tensor:
        """Sum along a diagonal."""
        return _numpy(np.trace, self, offset, axis1, axis2, dtype, out)


def _numpy(function: Any, *args: Any, **keywords: Any) -> Tensor:
    """The function of NumPy, which hands the call back by its protocol."""
    result: Tensor = function(*args, **keywords)
    return result
