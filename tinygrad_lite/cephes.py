"""Logarithm, sine and cosine in float32, bit for bit as in torch's `randn` (native/cpu/avx_mathfun.h).

NumPy's own are as accurate, but their last bit differs from torch's, and from one machine to the next. These are
the polynomials of S. Moshier's Cephes library, in the order of rounding that torch's builds for x86 have.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32s: TypeAlias = NDArray[np.float32]


def constants(*values: float) -> Float32s:
    return np.array(values, np.float32)


LOG = constants(
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
SINE = constants(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COSINE = constants(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
LOG_2 = constants(0.693359375, -2.12194440e-4)  # a constant in parts, as is the next: their sum is log 2
QUARTER_PI = constants(0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)
FOUR_BY_PI, SQRT_HALF = np.float32(1.27323954473516), np.float32(0.707106781186547524)


def log(x: Float32s) -> Float32s:
    """The natural logarithm of normal numbers above 0."""
    fraction, power = np.frexp(x)
    small = fraction < SQRT_HALF
    m = np.where(small, fraction + fraction, fraction) - 1
    e = (power - small).astype(np.float32)
    z = m * m
    y = fma(polynomial(LOG, m) * m, z, e * LOG_2[1]) - z / 2
    return fma(e, LOG_2[0], m + y)


def sine_cosine(x: Float32s) -> tuple[Float32s, Float32s]:
    """The sine and the cosine of angles from 0 to some turns."""
    quarters = ((x * FOUR_BY_PI).astype(np.int32) + 1) // 2  # to the nearest multiple of pi / 2
    for part in QUARTER_PI:
        x = fma((-2 * quarters).astype(np.float32), part, x)
    z = x * x
    sine = fma(polynomial(SINE, z) * z, x, x)
    cosine = fma(polynomial(COSINE, z) * z, z, z / -2) + 1
    odd = quarters & 1
    sine, cosine = np.where(odd, cosine, sine), np.where(odd, sine, cosine)
    return np.where(quarters & 2, -sine, sine), np.where(quarters + 1 & 2, -cosine, cosine)


def polynomial(coefficients: Float32s, x: Float32s) -> Float32s:
    """Horner's rule, the highest power first."""
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y = fma(y, x, coefficient)
    return y


def fma(a: Float32s, b: Any, c: Any) -> Float32s:
    """a * b + c, rounded once, as the processor's fused instruction does."""
    wide: NDArray[np.float64] = a.astype(np.float64) * b + c  # the product is exact
    return wide.astype(np.float32)
