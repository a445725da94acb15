"""Arguments for the elementwise operations that take more than arrays of floats."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import REAL, Interval, Op
from ..arguments import inputs, sampler
from ..arrays import broadcasting, layouts, numbers, shapes, small_integers
from ..indices import axes, masks


@sampler("where")
def _where(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    mask, x, y = draw(broadcasting(3))
    drawn = draw(numbers([x, y], [REAL, REAL], False))
    return draw(masks(mask)), *[draw(layouts(array.astype(dtype), broadcast=True)) for array in drawn]


@sampler("astype")
def _astype(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), np.dtype(dtype)


@sampler("copy")
def _copy(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), draw(st.sampled_from("KCF"))


@sampler("check_finite")
def _check_finite(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), "x"


@sampler("sinc_derivative")
def _sinc_derivative(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), draw(st.integers(0, 4))


@sampler("round")
def _round(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    (a,) = draw(inputs(op, [draw(shapes())], np.float64))
    decimals = draw(st.sampled_from([0, 1, 2, -1]))
    return (a / 10.0**decimals).astype(dtype), decimals


@sampler("floor_divide", "remainder", "fmod", "divmod")
def _quotient(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    """Divisors that are a power of 2 times a unit, and other numbers between its multiples: no quotient is near one."""
    x_shape, y_shape = draw(broadcasting(2))
    (fractions,) = draw(numbers([x_shape], [Interval(0.1, 0.9)], False))
    unit = draw(st.sampled_from([1.0, 0.5, 1.25]))
    x = unit * (draw(small_integers(x_shape)) % 9 - 4.0 + fractions)
    codes = draw(small_integers(y_shape))
    y = unit * np.where(codes & 4, -1.0, 1.0) * 2.0 ** (codes % 3)
    return draw(layouts(x.astype(dtype), broadcast=True)), draw(layouts(y.astype(dtype), broadcast=True))


@sampler("clamp", "clip")
def _limits(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x, low, high = draw(inputs(op, draw(broadcasting(3)), dtype))
    limits = draw(st.sampled_from([*[(low, high)] * 5, (low, None), (None, high), (None, None)]))
    if op.name == "clip":
        limits = draw(st.sampled_from([(*limits, None, None), (None, None, *limits)]))
    return x, *limits


@sampler("heaviside")
def _heaviside(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    """Floats away from 0, or integers, 0 among them."""
    x, y = draw(inputs(op, draw(broadcasting(2)), dtype))
    return (draw(small_integers(x.shape)).astype(np.int64) % 2 if y.ndim and draw(st.booleans()) else x), y


@sampler("nan_to_num")
def _nan_to_num(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    number = st.sampled_from([None, 2.0, -1.5])
    return *draw(inputs(op, [draw(shapes())], dtype)), True, 0.0, draw(number), draw(number)


@sampler("bitwise_and", "bitwise_or", "bitwise_xor", "invert")
def _bits(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    """Integers, bools, or both."""

    def bits(shape: Any) -> Any:
        integers = draw(small_integers(shape)).astype(np.int64) - 128
        return draw(layouts(integers if draw(st.booleans()) else integers % 2 == 1))

    return tuple(bits(shape) for shape in draw(broadcasting(len(op.parameters))))


# Activations.


@sampler("leaky_relu", "elu", "softplus")
def _with_number(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(inputs(op, [draw(shapes())], dtype)), draw(st.sampled_from([1.0, 0.25, 0.01, 1.5]))


@sampler("hardtanh")
def _hardtanh(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    low, high = draw(st.sampled_from([(-1.0, 1.0), (0.0, 2.0), (-0.5, 0.25)]))
    (x,) = draw(numbers([draw(shapes())], [Interval(kinks=(low, high))], False))
    return draw(layouts(x.astype(dtype), broadcast=True)), low, high


@sampler("glu")
def _glu(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = list(draw(shapes(min_dims=1, max_side=2)))
    axis = draw(axes(len(shape), none=False, several=False))
    assert isinstance(axis, int)
    shape[axis] *= 2
    return *draw(inputs(op, [tuple(shape)], dtype)), axis
