"""Operations that put arrays together, take them apart, and repeat or surround what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..arguments import real_dtype
from ..declare import composite, primitive
from ..op import Array
from ..variable import Variable, parts, variables_in
from .elementwise import copy
from .indexing import getitem
from .shape import atleast_2d, atleast_3d, integers, ravel, reshape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

    from ..tensor import Tensor

    Shape = tuple[int, ...]
    Widths = tuple[tuple[int, int], ...]
    Integers = Any  # an integer, or several in a list, a tuple or an array

__all__ = [
    "append",
    "array_split",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "pad",
    "repeat",
    "resize",
    "split",
    "stack",
    "tile",
    "unstack",
    "vsplit",
    "vstack",
]


def _place(axis: int, part: Any) -> tuple[Any, ...]:
    """The index that takes a part along one axis."""
    return (*[slice(None)] * axis, part)


# Joined.


def _concatenate_rule(g: Array, arrays_shape: tuple[Shape, ...], axis: int | None) -> list[Any]:
    if axis is None:
        sizes, g, axis = [int(np.prod(shape)) for shape in arrays_shape], np.reshape(g, -1), 0
    else:
        sizes = [shape[axis] for shape in arrays_shape]
    parts, start = [], 0
    for size, shape in zip(sizes, arrays_shape, strict=True):
        parts.append(np.reshape(g[_place(axis % g.ndim, slice(start, start + size))], shape))
        start += size
    return parts


@primitive(np.concatenate, vjp=_concatenate_rule)
def concatenate(
    arrays: Sequence[ArrayLike], axis: int | None = 0, dtype: DTypeLike | None = None, casting: str = "same_kind"
) -> Array:
    """One after the other along an axis; each flattened first, if axis is None.

    dtype, casting: of the result, and what may be cast to it: NumPy's "no", "equiv", "safe", "same_kind", "unsafe".
    """
    return np.concatenate(arrays, axis, dtype=_known("concatenate", dtype), casting=casting)  # type: ignore[call-overload]


concat = concatenate


def _stack_rule(g: Array, arrays_shape: tuple[Shape, ...], axis: int) -> list[Any]:
    return [g[_place(axis % g.ndim, i)] for i in range(len(arrays_shape))]


@primitive(np.stack, vjp=_stack_rule)
def stack(
    arrays: Sequence[ArrayLike], axis: int = 0, dtype: DTypeLike | None = None, casting: str = "same_kind"
) -> Array:
    """Beside each other along a new axis. dtype and casting are those of `concatenate`."""
    return np.stack(arrays, axis, dtype=_known("stack", dtype), casting=casting)  # type: ignore[call-overload]


def _known(name: str, dtype: DTypeLike | None) -> np.dtype[Any] | None:
    return None if dtype is None else real_dtype(name, dtype)


@composite(np.vstack)
def vstack(tup: Sequence[ArrayLike], dtype: DTypeLike | None = None, casting: str = "same_kind") -> Tensor:
    """One below the other, along the first axis; vectors count as rows. dtype, casting: as in `concatenate`."""
    return concatenate([atleast_2d(each) for each in tup], 0, dtype, casting)


@composite(np.hstack)
def hstack(tup: Sequence[ArrayLike], dtype: DTypeLike | None = None, casting: str = "same_kind") -> Tensor:
    """Beside each other, along the second axis; vectors and numbers along the first.

    dtype, casting: as in `concatenate`.
    """
    arrays = [np.reshape(each, -1) if not np.ndim(each) else each for each in tup]
    return concatenate(arrays, 0 if arrays and np.ndim(arrays[0]) == 1 else 1, dtype, casting)


@composite(np.dstack)
def dstack(tup: Sequence[ArrayLike]) -> Tensor:
    """One behind the other, along the third axis, with the axes of `atleast_3d`."""
    return concatenate([atleast_3d(each) for each in tup], 2)


@composite(np.column_stack)
def column_stack(tup: Sequence[ArrayLike]) -> Tensor:
    """Vectors as the columns of a matrix; matrices are taken as they are."""
    return concatenate([np.reshape(each, (-1, 1)) if np.ndim(each) < 2 else each for each in tup], 1)


@composite(np.append)
def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Tensor:
    """The values after the array along an axis; both flattened, if there is none."""
    return concatenate([arr, values], axis)


# Taken apart. Each part is a view.


def _parts(name: str, ary: ArrayLike, where: Integers, axis: int, equal: bool = True, least: int = 0) -> list[Tensor]:
    shape = np.shape(ary)
    if len(shape) < least:
        raise ValueError(f"{name}: takes {least} or more axes, got shape {shape}")
    axis = normalize_axis_index(axis, len(shape))
    length = shape[axis]
    if np.ndim(where):
        points = [0, *integers(where), length]
    else:
        count = index(where)
        if count < 1:
            raise ValueError(f"{name}: takes 1 part or more, got {count}")
        each, more = divmod(length, count)
        if equal and more:
            raise ValueError(
                f"{name}: {length} elements do not make {count} equal parts; array_split() takes any number"
            )
        points = [i * each + min(i, more) for i in range(count + 1)]
    return [getitem(ary, _place(axis, slice(start, end))) for start, end in pairwise(points)]


@composite(np.split)
def split(ary: ArrayLike, indices_or_sections: Integers, axis: int = 0) -> list[Tensor]:
    """The parts before, between and after some indices along an axis; or a number of parts of equal length."""
    return _parts("split", ary, indices_or_sections, axis)


@composite(np.array_split)
def array_split(ary: ArrayLike, indices_or_sections: Integers, axis: int = 0) -> list[Tensor]:
    """As `split`, but of a number of parts the first ones may be longer by one element than the others."""
    return _parts("array_split", ary, indices_or_sections, axis, equal=False)


@composite(np.vsplit)
def vsplit(ary: ArrayLike, indices_or_sections: Integers) -> list[Tensor]:
    """`split` along the first axis, of two or more."""
    return _parts("vsplit", ary, indices_or_sections, 0, least=2)


@composite(np.hsplit)
def hsplit(ary: ArrayLike, indices_or_sections: Integers) -> list[Tensor]:
    """`split` along the second axis; of a vector along its only one."""
    return _parts("hsplit", ary, indices_or_sections, int(np.ndim(ary) > 1), least=1)


@composite(np.dsplit)
def dsplit(ary: ArrayLike, indices_or_sections: Integers) -> list[Tensor]:
    """`split` along the third axis, of three or more."""
    return _parts("dsplit", ary, indices_or_sections, 2, least=3)


@composite(getattr(np, "unstack", None))
def unstack(x: ArrayLike, axis: int = 0) -> tuple[Tensor, ...]:
    """The parts of an array along an axis, without that axis."""
    if not np.ndim(x):
        raise ValueError("unstack: takes one axis or more, got a single number")
    axis = normalize_axis_index(axis, np.ndim(x))
    return tuple(parts(getitem(x, _place(axis, i)) for i in range(np.shape(x)[axis])))


@composite(np.delete)
def delete(arr: ArrayLike, obj: Any, axis: int | None = None) -> Tensor:
    """What is left along an axis without the elements that obj, an integer, a slice, several integers or a mask, names.

    The array is flattened first, if there is no axis.
    """
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = normalize_axis_index(axis, np.ndim(arr))
    left = np.zeros(np.shape(arr)[axis], bool)
    left[np.delete(np.arange(left.size), np.asarray(obj) if isinstance(obj, Variable) else obj)] = True
    return getitem(arr, _place(axis, left))


# Repeated.


@primitive(vjp=lambda g, repeats, axis: np.repeat(g, repeats, axis))
def sum_repeats(values: ArrayLike, repeats: Integers, axis: int) -> Array:
    """Sums along an axis: of the first repeats[0] elements, the next repeats[1], and so on; 0 where there is none."""
    values, axis = np.asarray(values), axis % np.ndim(values)
    before, after = values.shape[:axis], values.shape[axis + 1 :]
    if len(repeats) and repeats[0] and np.all(repeats == repeats[0]):
        runs = values.reshape(*before, len(repeats), repeats[0], *after)
        return np.add.reduce(runs, axis + 1) if after else runs @ np.ones(repeats[0], values.dtype)  # faster
    result = np.zeros((*before, len(repeats), *after), values.dtype)
    some = np.flatnonzero(repeats)
    if some.size:
        starts = np.cumsum(repeats) - repeats
        result[_place(axis, some)] = np.add.reduceat(values, starts[some], axis)
    return result


def _repeat_rule(g: Array, a_shape: Shape, repeats: Integers, axis: int | None) -> Array:
    axis = axis if a_shape else None  # the one element of a 0-d array is repeated along any
    length = int(np.prod(a_shape)) if axis is None else a_shape[axis]
    each = np.broadcast_to(np.asarray(repeats, int), length)
    return np.reshape(sum_repeats(g, each, 0 if axis is None else axis), a_shape)


@primitive(np.repeat, vjp=_repeat_rule)
def repeat(a: ArrayLike, repeats: Integers, axis: int | None = None) -> Array:
    """Each element along an axis several times: as often as one integer says, or one for each of them.

    The array is flattened first, if there is no axis. (torch's `Tensor.repeat` is `tile`.)
    """
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "iub" and counts.size:
        raise TypeError(f"repeat: repeats takes integers, got {counts.dtype}")
    return np.repeat(np.asarray(a), counts.astype(int), axis)


def _tile_rule(g: Array, A_shape: Shape, reps: Integers) -> Array:
    counts, shape = _aligned(A_shape, reps)
    apart = [n for pair in zip(counts, shape, strict=True) for n in pair]
    return np.sum(np.reshape(g, apart), axis=tuple(range(0, len(apart), 2)))


def _aligned(shape: Shape, reps: Integers) -> tuple[Shape, Shape]:
    """The repetitions and the shape with as many axes, those that are missing before the others being of length 1."""
    counts = integers(reps)
    ndim = max(len(counts), len(shape))
    return (1,) * (ndim - len(counts)) + counts, (1,) * (ndim - len(shape)) + shape


@primitive(np.tile, vjp=_tile_rule)
def tile(A: ArrayLike, reps: Integers) -> Array:
    """The whole array several times along each axis; new axes come first."""
    array = np.asarray(A)
    return np.tile(array, _aligned(array.shape, reps)[0])


@composite(np.resize)
def resize(a: ArrayLike, new_shape: Integers) -> Tensor:
    """The elements in another shape, over and over again until it is full; zeros where there are none."""
    shape = integers(new_shape)
    if min(shape, default=0) < 0:
        raise ValueError(f"resize: no length can be negative, got {shape}")
    size, have = int(np.prod(shape)), int(np.size(a))
    if not have:
        return reshape(np.zeros_like(a, shape=shape), shape)
    return reshape(tile(ravel(a), -(-size // have))[:size], shape)


# Surrounded.


@composite(np.pad, promotes=("array",))
def pad(
    array: ArrayLike, pad_width: Any, mode: str = "constant", constant_values: Any = None, reflect_type: str = "even"
) -> Tensor:
    """More elements before and after those along each axis.

    pad_width: how many: a number, or a pair (before, after), or a pair for each axis, or a dict of these by axis.
    mode: "constant": `constant_values`, 0 unless given, in the forms of pad_width; where two axes meet the later one
    has the corner. "edge": the outermost element. "reflect", "symmetric": mirrored, without or with the outermost
    element. "wrap": as if the array stood beside itself. The other modes of NumPy are refused.
    reflect_type: "odd": what is mirrored goes on in the same direction, 2 * outermost - x.
    """
    shape, widths = np.shape(array), _widths(pad_width, np.ndim(array))
    if mode == "constant":
        constants = 0 if constant_values is None else constant_values
        if not isinstance(constants, (int, float)):
            constants = _for_each_axis("constant_values", constants, len(shape))
        return pad_constant(array, widths, constants)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: mode {mode!r:.40} is not supported; there are constant, edge, reflect, symmetric, wrap")
    if constant_values is not None:
        raise ValueError(f"pad: constant_values= is for mode 'constant', not for {mode!r}")
    if reflect_type not in ("even", "odd") or (reflect_type == "odd" and mode not in ("reflect", "symmetric")):
        raise ValueError(
            f"pad: reflect_type={reflect_type!r} in mode {mode!r}; it is 'odd' or 'even' in a mirrored one"
        )
    result: Any = array
    for axis, (length, width) in enumerate(zip(shape, widths, strict=True)):
        if any(width):
            if not length:
                raise ValueError(f"pad: axis {axis} of shape {shape} is empty; only mode 'constant' can extend it")
            places, turns, mirrored = _extended(length, width, mode)
            inner = result
            result = getitem(inner, _place(axis, places))
            if reflect_type == "odd":  # about the outermost elements: 2 * last - x, and so on from there
                first, last = [getitem(inner, _place(axis, slice(i, i + 1))) for i in (0, length - 1)]
                along = (-1, *[1] * (len(shape) - axis - 1))
                turns, mirrored = turns.reshape(along), mirrored.reshape(along)
                result = (1 - 2 * mirrored) * result + (2 * (turns + mirrored) * last - 2 * turns * first)
    return copy(array) if result is array else result


def _extended(length: int, width: tuple[int, int], mode: str) -> tuple[Array, Array, Array]:
    """Which elements of an axis stand before it, in it and after it; in which period; and whether mirrored."""
    places = np.arange(-width[0], length + width[1])
    twice = int(mode == "symmetric")  # the outermost elements, in one period there and back
    period = length if mode == "wrap" else max(1, 2 * (length - 1 + twice))
    if mode == "edge":
        places = np.clip(places, 0, length - 1)
    turns, places = np.divmod(places, period)
    mirrored = (places >= length).astype(np.intp)
    return np.where(mirrored, period - twice - places, places), turns, mirrored


def _widths(pad_width: Any, ndim: int) -> Widths:
    """(before, after) for each axis."""
    if pad_width.__class__ is int and pad_width >= 0:
        return ((pad_width, pad_width),) * ndim
    if isinstance(pad_width, dict):
        by_axis = {normalize_axis_index(axis, ndim): width for axis, width in pad_width.items()}
        pad_width = np.reshape([np.broadcast_to(by_axis.get(axis, 0), 2) for axis in range(ndim)], (ndim, 2))
    array = np.asarray(pad_width)
    if array.dtype.kind not in "iu":
        raise TypeError(f"pad: pad_width takes integers, got {pad_width!r:.60}")
    if (array < 0).any():
        raise ValueError(f"pad: pad_width can't be negative, got {pad_width!r:.60}")
    return tuple([(before, after) for before, after in _for_each_axis("pad_width", array, ndim).tolist()])


def _for_each_axis(what: str, value: Any, ndim: int) -> Any:
    if isinstance(value, (list, tuple)):
        if any(True for _ in variables_in(value)):
            raise TypeError(f"pad: {what}: got a {type(value).__name__} of Tensors where one is wanted; stack() them")
        value = np.asarray(value)
    try:
        return np.broadcast_to(value, (ndim, 2))
    except ValueError:
        raise ValueError(
            f"pad: {what} of shape {np.shape(value)} for {ndim} axes; give a number, a pair, or a pair for each axis"
        ) from None


def _inner(shape: Shape, widths: Widths) -> tuple[slice, ...]:
    return tuple([slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True)])


def _borders(shape: Shape, widths: Widths) -> Iterator[tuple[slice, ...]]:
    """Where the padding lies, before and after along each axis; the corners belong to the later axis."""
    inner = _inner(shape, widths)
    for axis, (n, (before, _)) in enumerate(zip(shape, widths, strict=True)):
        for part in (slice(before), slice(before + n, None)):
            yield (*_place(axis, part), *inner[axis + 1 :])


def _constants_rule(g: Array, array_shape: Shape, widths: Widths) -> Array:
    sums = [np.sum(g[place]) for place in _borders(array_shape, widths)]
    return np.reshape(np.stack(sums), (-1, 2)) if sums else None


@primitive(
    vjp={"array": lambda g, array_shape, widths: g[_inner(array_shape, widths)], "constants": _constants_rule},
    promotes=("array",),
)
def pad_constant(array: ArrayLike, widths: Widths, constants: ArrayLike) -> Array:
    """An array with constants around it: one for all, or (before, after) for each axis, as the widths are given."""
    array, constants = np.asarray(array), np.asarray(constants)
    if constants.dtype.kind not in "fiub":
        raise TypeError(f"pad_constant: takes real numbers, got {constants.dtype}")
    shape = [n + before + after for n, (before, after) in zip(array.shape, widths, strict=True)]
    result = np.empty(shape, array.dtype) if constants.ndim else np.full(shape, constants, array.dtype)
    result[_inner(array.shape, widths)] = array
    if constants.ndim:
        for place, value in zip(_borders(array.shape, widths), constants.flat, strict=True):
            result[place] = value
    return result
