"""torch's CPU random generator in NumPy: the same streams, number for number.

`MersenneTwister` is the source of words. Each draw is a plain NumPy function of it, of a shape and so on; the
method of `Generator` with the same name checks the arguments and wraps the result. The comments name the file in
torch's source, under aten/src/ATen, that a draw follows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from math import cos, inf, log1p, pi, prod, sin, sqrt
from operator import index
from typing import Any, Self, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import cephes
from .creation import tensor
from .mode import thread
from .tensor import Tensor
from .variable import make

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Dtype: TypeAlias = np.dtype[Any]

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
DEFAULT_SEED = 67280421310721  # c10/core/GeneratorImpl.h

# CPUGeneratorImpl.cpp, CPUGeneratorImplState: how a state lies in its bytes. What has no name here stays zero.
STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "key", "normal", "has_normal"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


class MersenneTwister:
    """mt19937 (core/MT19937RNGEngine.h), and a normal number that may be held back for the next draw."""

    __slots__ = ("bits", "held", "seed")

    def __init__(self, seed: int) -> None:
        self.bits = np.random.MT19937(0)  # the first use of np.random imports it, `import numpy` does not
        self.restart(seed)

    def restart(self, seed: int) -> None:
        np.random.RandomState(self.bits).seed(seed & 0xFFFFFFFF)
        self.seed = seed
        self.held: float | None = None

    def words(self, n: int) -> Array:
        """The next `n` words of 32 bits, as uint64."""
        return self.bits.random_raw(n)

    def long_words(self, n: int) -> Array:
        """The next `n` words of 64 bits, each made of two, the high half first."""
        words = self.words(2 * n)
        return words[::2] << 32 | words[1::2]

    def uniforms(self, n: int, dtype: Dtype) -> Array:
        """The next `n` uniform numbers in [0, 1), of 24 or 53 bits (core/TransformationHelper.h, uniform_real)."""
        if dtype == FLOAT32:
            return (self.words(n) & (2**24 - 1)).astype(dtype) * np.float32(2**-24)
        return (self.long_words(n) & (2**53 - 1)) * 2.0**-53

    def save(self) -> Array:
        record, state = np.zeros(1, STATE), self.bits.state["state"]
        record["seed"], record["seeded"], record["key"] = self.seed, 1, state["key"]
        record["left"], record["next"] = 625 - state["pos"], state["pos"] % 624
        if self.held is not None:
            record["normal"], record["has_normal"] = self.held, 1
        return record.view(np.uint8)

    def load(self, state: Array) -> None:
        record = state.view(STATE)[0]
        key, position = record["key"], 625 - int(record["left"])
        if record["seeded"] != 1 or not 0 < position <= 624 or key.max() >= 2**32:
            raise ValueError("set_state: these bytes are no state; give what get_state() returned")
        words: Any = {"key": key.astype(np.uint32), "pos": position}
        self.bits.state = {"bit_generator": "MT19937", "state": words}
        self.seed = int(record["seed"])
        self.held = float(record["normal"]) if record["has_normal"] else None


def rand(source: MersenneTwister, shape: Shape, dtype: Dtype) -> Array:
    return source.uniforms(prod(shape), dtype).reshape(shape)


def randn(source: MersenneTwister, shape: Shape, dtype: Dtype) -> Array:
    n = prod(shape)
    flat = few_normals(source, n).astype(dtype) if n < 16 else many_normals(source, n, dtype)
    return flat.reshape(shape)


def few_normals(source: MersenneTwister, n: int) -> Array:
    """Box-Muller pair by pair, in double precision (core/DistributionsHelper.h, normal_distribution)."""
    values = [] if source.held is None else [source.held]
    uniforms = iter(source.uniforms((n - len(values) + 1) // 2 * 2, FLOAT64).tolist())
    for turn, u in zip(uniforms, uniforms, strict=True):
        radius, angle = sqrt(-2 * log1p(-u)), 2 * pi * turn
        values += radius * cos(angle), radius * sin(angle)
    source.held = values[n] if n < len(values) else None
    return np.array(values[:n])


def many_normals(source: MersenneTwister, n: int, dtype: Dtype) -> Array:
    """Box-Muller in blocks of 16 (native/cpu/DistributionTemplates.h, normal_fill)."""
    flat = source.uniforms(n, dtype)
    box_muller(flat[: n // 16 * 16].reshape(-1, 2, 8))
    if n % 16:
        flat[-16:] = source.uniforms(16, dtype)
        box_muller(flat[-16:].reshape(1, 2, 8))
    return flat


def box_muller(blocks: Array) -> None:
    """Turn uniform numbers (blocks, 2, 8) into normal ones, in place."""
    u: Array = 1 - blocks[:, 0]
    angle: Array = 2 * pi * blocks[:, 1]
    if blocks.dtype == FLOAT32:
        logarithm, (sine, cosine) = cephes.log(u), cephes.sine_cosine(angle)
    else:
        logarithm, sine, cosine = np.log(u), np.sin(angle), np.cos(angle)
    radius = np.sqrt(-2 * logarithm)
    blocks[:, 0], blocks[:, 1] = radius * cosine, radius * sine


def exponential(source: MersenneTwister, shape: Shape, dtype: Dtype) -> Array:
    # core/DistributionsHelper.h, exponential_distribution<double>
    return (-np.log1p(-source.uniforms(prod(shape), FLOAT64))).astype(dtype, copy=False).reshape(shape)


def randint(source: MersenneTwister, low: int, high: int, shape: Shape) -> Array:
    # core/DistributionsHelper.h, uniform_int_from_to_distribution. The sum wraps around, and so comes out right.
    words = (source.words if high - low < 2**28 else source.long_words)(prod(shape))
    words %= np.array(high - low, np.uint64)  # as an array: NumPy takes its time over Python's numbers
    return (words.view(np.int64) + low).reshape(shape)


def randperm(source: MersenneTwister, n: int) -> Array:
    # native/TensorFactories.cpp, randperm_cpu
    draw = source.words if n < (2**32 - 1) // 20 else source.long_words
    choices = np.arange(n, 1, -1, dtype=np.uint64)
    order = list(range(n))  # one by one, a list is faster than an array
    for i, jump in enumerate((draw(len(choices)) % choices).tolist()):
        order[i], order[i + jump] = order[i + jump], order[i]
    return np.array(order, np.int64)


def multinomial(source: MersenneTwister, p: Array, num_samples: int, replacement: bool) -> Array:
    check_weights(p, 1 if replacement else num_samples)
    if replacement and num_samples > 1:
        return search_cumulative(source, p, num_samples)
    # native/Distributions.cpp, multinomial_out: whose exponential clock rings first, at q / p, wins
    q = exponential(source, p.shape, p.dtype)
    with np.errstate(over="ignore"):
        rates: Array = p / q
    if num_samples == 1:
        return np.asarray(rates.argmax(axis=-1, keepdims=True))
    return np.argsort(-rates, axis=-1, kind="stable")[..., :num_samples]


def search_cumulative(source: MersenneTwister, p: Array, num_samples: int) -> Array:
    """Where uniform numbers fall among the running sums of p (native/cpu/MultinomialKernel.cpp)."""
    with np.errstate(over="ignore"):
        sums = np.cumsum(p, axis=-1)
    total = sums[..., -1:].copy()
    if np.isinf(total).any():
        raise ValueError(f"multinomial: the sum of p is too large for {p.dtype}; scale p down")
    sums /= total
    shape = (*p.shape[:-1], num_samples)
    rows = source.uniforms(prod(shape), FLOAT64).reshape(-1, num_samples)
    found = [np.searchsorted(*pair) for pair in zip(sums.reshape(-1, p.shape[-1]), rows, strict=True)]
    return np.array(found, np.int64).reshape(shape)


def check_weights(p: Array, needed: int) -> None:
    """Refuse a row of `p` that has negative or infinite weights, or fewer than `needed` above zero."""
    largest = p.max(axis=-1)
    if not ((p >= 0).all() and (largest < inf).all()):
        raise ValueError("multinomial: p has a negative, infinite or nan entry; give finite weights >= 0")
    if not (largest > 0).all():
        raise ValueError("multinomial: p, or a row of it, is all zero; give at least one weight > 0")
    if needed > 1 and (np.count_nonzero(p, axis=-1) < needed).any():
        raise ValueError(
            f"multinomial: {needed} samples without replacement need {needed} entries > 0 in p, in each row; "
            "draw fewer, or use replacement=True"
        )


class Generator:
    """A random generator that gives the streams of `torch.Generator()` on the CPU (of torch 2.13 for x86).

    All numbers are torch's bit for bit, but float64 normal and exponential ones only up to rounding. The seed is
    torch's 67280421310721 until `manual_seed` or `seed` is called. A copy or a pickle goes on where the original
    stood. Threads must not share one.
    """

    __slots__ = ("_source",)

    def __init__(self) -> None:
        self._source = MersenneTwister(DEFAULT_SEED)

    def manual_seed(self, seed: SupportsIndex) -> Self:
        """Start the stream of `seed`, an integer from -2**63 to 2**64 - 1; return the generator.

        As in torch, only the lowest 32 bits choose the stream. Raises TypeError or ValueError for other seeds.
        """
        self._outside("manual_seed()")
        number = as_integer("manual_seed", "the seed", seed)
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"manual_seed: the seed must be from -2**63 to 2**64 - 1, got {number}")
        self._source.restart(number % 2**64)
        return self

    def seed(self) -> int:
        """Start with a seed that the operating system gives, and return it."""
        return self.manual_seed(int.from_bytes(os.urandom(8))).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream was started with; 2**64 is added to a negative one."""
        self._outside("initial_seed()")
        return self._source.seed

    def get_state(self) -> NDArray[np.uint8]:
        """All that the next draws depend on: uint8 (5056,), in the format of torch's `get_state()`."""
        self._outside("get_state()")
        return self._source.save()

    def set_state(self, state: ArrayLike) -> None:
        """Go on from a state that `get_state()` returned here, or in torch.

        Raises TypeError or ValueError for anything else, and is then as it was before.
        """
        self._outside("set_state()")
        array = np.asarray(state)
        if array.dtype != np.uint8 or array.shape != (STATE.itemsize,):
            raise TypeError(
                f"set_state: a state has dtype uint8 and shape ({STATE.itemsize},), got {array.dtype} "
                f"{array.shape}; give what get_state() returned"
            )
        self._source.load(np.ascontiguousarray(array))

    def _outside(self, what: str) -> None:
        watch = thread.mode.watch
        if watch is not None:
            watch.asks(f"{what} of a generator", "seed it")

    def _draw(self, draw: Callable[..., Array], *arguments: Any, requires_grad: bool = False) -> Tensor:
        watch = thread.mode.watch
        if watch is not None:
            watch.draws(self)
        drawn: Tensor = make(Tensor, draw(self._source, *arguments))
        if watch is not None:
            watch.drew(self, draw, arguments, drawn)
        if requires_grad:
            drawn.requires_grad = True
        return drawn

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), self.get_state()

    def __setstate__(self, state: NDArray[np.uint8]) -> None:
        self.set_state(state)

    def rand(self, *size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
        """Uniform numbers in [0, 1), float32 or float64: `rand(2, 3)` or `rand((2, 3))`."""
        return self._draw(rand, as_shape("rand", size), as_float("rand", dtype), requires_grad=requires_grad)

    def randn(self, *size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
        """Normal numbers of mean 0 and variance 1, float32 or float64: `randn(2, 3)` or `randn((2, 3))`.

        As in torch, fewer than 16 are drawn in pairs, and what is left of a pair serves the next such draw.
        (Box and Muller, A note on the generation of random normal deviates, 1958.)
        """
        return self._draw(randn, as_shape("randn", size), as_float("randn", dtype), requires_grad=requires_grad)

    def exponential(self, *size: Any, dtype: DTypeLike | None = None) -> Tensor:
        """Exponential numbers of mean 1, as torch's `tensor.exponential_(generator=g)` draws them.

        `multinomial(p, 1)` is `argmax(p / q)` for a q so drawn in the shape and dtype of p. So for T successive
        samples of C categories draw `q = exponential(T, C)` once: sample t is `argmax(p_t / q[t])`.
        """
        shape = as_shape("exponential", size)
        return self._draw(exponential, shape, as_float("exponential", dtype))

    @overload
    def randint(self, high: SupportsIndex, size: Sequence[SupportsIndex]) -> Tensor: ...
    @overload
    def randint(self, low: SupportsIndex, high: SupportsIndex, size: Sequence[SupportsIndex]) -> Tensor: ...
    def randint(self, low: Any = None, high: Any = None, size: Any = None) -> Tensor:  # type: ignore[misc]
        """Integers from `low`, or 0, up to but without `high`, int64: `randint(0, 10, (32,))`.

        Raises ValueError unless -2**63 <= low < high < 2**63.
        """
        if size is None:
            low, high, size = None, low, high
        if high is None:
            low, high = None, low
        if not isinstance(size, tuple | list):
            raise TypeError(f"randint: size must be a tuple such as (32,), got {type(size).__name__}")
        start = 0 if low is None else as_integer("randint", "low", low)
        stop = as_integer("randint", "high", high)
        if not -(2**63) <= start < stop < 2**63:
            raise ValueError(f"randint: needs -2**63 <= low < high < 2**63, got low={start}, high={stop}")
        return self._draw(randint, start, stop, as_shape("randint", size))

    def randperm(self, n: SupportsIndex) -> Tensor:
        """The integers from 0 to n - 1 in random order, int64 (n,)."""
        length = as_integer("randperm", "n", n)
        if length < 0:
            raise ValueError(f"randperm: n must be 0 or more, got {length}")
        return self._draw(randperm, length)

    def multinomial(self, p: Any, num_samples: SupportsIndex, replacement: bool = False) -> Tensor:
        """Categories drawn by the weights `p`, float32 or float64: int64 (num_samples,), or a row for each of p.

        p: array, list or Tensor (C,) or (N, C); a row need not sum to 1. Raises TypeError or ValueError where p is
        something else or a row is all zero, and where fewer weights are above zero than samples are to be drawn
        without replacement (torch then goes on with categories of weight zero).
        """
        weights = np.asarray(tensor(p) if isinstance(p, list | tuple) else p)
        if weights.dtype not in (FLOAT32, FLOAT64):
            raise TypeError(f"multinomial: p must be float32 or float64, got {weights.dtype}; cast it")
        if weights.ndim not in (1, 2) or not weights.shape[-1]:
            raise ValueError(f"multinomial: p must have the shape (C,) or (N, C), got {weights.shape}")
        count = as_integer("multinomial", "num_samples", num_samples)
        if count < 1:
            raise ValueError(f"multinomial: num_samples must be 1 or more, got {count}")
        return self._draw(multinomial, weights, count, replacement)


def as_integer(name: str, what: str, value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise TypeError(f"{name}: {what} must be an integer, got {type(value).__name__}")


def as_shape(name: str, size: Sequence[Any]) -> Shape:
    """The shape that is given as several integers, or as one tuple or list of them."""
    if len(size) == 1 and isinstance(size[0], tuple | list):
        size = size[0]
    shape = tuple([as_integer(name, "a size", n) for n in size])
    if min(shape, default=0) < 0:
        raise ValueError(f"{name}: sizes must be 0 or more, got {shape}")
    return shape


def as_float(name: str, dtype: DTypeLike | None) -> Dtype:
    if dtype is None:
        return FLOAT32
    try:
        if (found := np.dtype(dtype)) in (FLOAT32, FLOAT64):
            return found
    except TypeError:
        pass
    raise TypeError(f"{name}: dtype must be float32 or float64, got {dtype!r}")
