"""Contractions: sums of products over axes that are named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from string import ascii_letters, ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import primitive
from ..op import Array, table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..tensor import Tensor

    Shape = tuple[int, ...]
    Axes = int | Sequence[int | Sequence[int]]

__all__ = [
    "einsum",
    "tensordot",
]


# tensordot.


def _paired(axes: Axes, a: int, b: int) -> tuple[list[int], list[int]]:
    """The axes that are summed, of two arrays with `a` and `b` axes."""
    if isinstance(axes, (int, np.integer)):
        return list(range(a))[a - axes :], list(range(axes))
    ours, theirs = ([each] if isinstance(each, (int, np.integer)) else list(each) for each in axes)
    return [range(a)[axis] for axis in ours], [range(b)[axis] for axis in theirs]


def _others(axes: list[int], ndim: int) -> list[int]:
    return [i for i in range(ndim) if i not in axes]


def tensordot_a(g: Array, b: Array, a_shape: Shape, axes: Axes) -> Array:
    summed, theirs = _paired(axes, len(a_shape), b.ndim)
    kept = _others(summed, len(a_shape))
    grad = tensordot(g, b, (list(range(len(kept), g.ndim)), _others(theirs, b.ndim)))
    order = kept + [axis for _, axis in sorted(zip(theirs, summed, strict=True))]  # the axes of a that grad has
    return np.transpose(grad, sorted(range(len(order)), key=order.__getitem__))


def tensordot_b(g: Array, a: Array, b_shape: Shape, axes: Axes) -> Array:
    theirs, summed = _paired(axes, a.ndim, len(b_shape))
    kept = _others(summed, len(b_shape))
    grad = tensordot(a, g, (_others(theirs, a.ndim), list(range(g.ndim - len(kept)))))
    order = [axis for _, axis in sorted(zip(theirs, summed, strict=True))] + kept
    return np.transpose(grad, sorted(range(len(order)), key=order.__getitem__))


@primitive(np.tensordot, np.linalg.tensordot, vjp={"a": tensordot_a, "b": tensordot_b})
def tensordot(a: ArrayLike, b: ArrayLike, axes: Axes = 2) -> Array:
    """Sum of products over axes of a and of b: the result has the other axes of a, then those of b.

    axes: how many, the last ones of a and the first ones of b; or which, of a and of b: (1, 0), ([0, 2], [1, 0]).
    Raises ValueError where they differ in length.
    """
    a, b = np.asarray(a), np.asarray(b)
    try:
        ours, theirs = _paired(axes, a.ndim, b.ndim)
        fit = [a.shape[i] for i in ours] == [b.shape[i] for i in theirs]
        fit = fit and len({*ours}) == len(ours) and len({*theirs}) == len(theirs)
    except (IndexError, TypeError, ValueError):
        fit = False
    if not fit:
        raise ValueError(f"tensordot: axes={axes} do not pair axes of one length in shapes {a.shape} and {b.shape}")
    return np.tensordot(a, b, (ours, theirs))


# einsum.


@lru_cache(1024)
def _parsed(subscripts: str, ndims: Shape) -> tuple[tuple[str, ...], str]:
    """The letters of each operand, and of the result, with letters for what an ellipsis stands for."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} is for {len(terms)} operands, got {len(ndims)}")
    for term in (*terms, out):
        if not set(term.replace("...", "", 1)) <= set(ascii_letters):
            raise ValueError(f"einsum: {subscripts!r}: only letters, commas, one '->', and '...' once in each operand")
    widths = []
    for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        widths.append(ndim - len(term.replace("...", "")))
        if widths[i] < 0 or (widths[i] and "..." not in term):
            raise ValueError(f"einsum: {subscripts!r}: operand {i} has {ndim} axes, not those of {term!r}")
    letters = "".join(terms).replace("...", "")
    ellipsis = "".join(c for c in ascii_letters if c not in letters)[: max(widths)]
    if not arrow:
        out = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    elif ellipsis and "..." not in out:
        raise ValueError(f"einsum: {subscripts!r}: the axes of '...' can't be summed; write '...' into the result, too")
    out = out.replace("...", ellipsis)
    for c in out:
        if out.count(c) > 1 or c not in letters + ellipsis:
            raise ValueError(f"einsum: {subscripts!r}: {c!r} must be in the result once, and in an operand")
    pairs = zip(terms, widths, strict=True)
    return tuple(term.replace("...", ellipsis[len(ellipsis) - width :]) for term, width in pairs), out


def _size_error(subscripts: str, terms: Sequence[str], shapes: Sequence[Shape]) -> ValueError | None:
    """What to say where a letter has two lengths, neither of them 1; within one operand not even that."""
    sizes: dict[str, int] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for place, (c, n) in enumerate(zip(term, shape, strict=True)):
            repeated = term.index(c) < place
            known = shape[term.index(c)] if repeated else sizes.get(c, 1)
            if n != known and (repeated or 1 not in (n, known)):
                name = repr(c) if c in subscripts else "an axis of '...'"
                return ValueError(f"einsum: {subscripts!r}: {name} is {known} and, in operand {i}, {n}: {[*shapes]}")
            if n != 1 or c not in sizes:
                sizes[c] = n
    return None


@lru_cache(1024)
def _as_matmul(x: str, y: str, out: str) -> tuple[tuple[int, ...], ...] | None:
    """How two operands become the factors of one matrix product, or of a batch of them; None where they can't.

    The order of the axes of each, and of those of the product in the result; how many of these are the batch's, the
    rows', and how many are summed.
    """
    batch, summed = ([c for c in x if c in y and (c in out) == kept] for kept in (True, False))
    rows, columns = [c for c in x if c not in y], [c for c in y if c not in x]
    if not summed or len({*x}) < len(x) or len({*y}) < len(y) or not {*rows, *columns} <= {*out}:
        return None
    left, right, product = [*batch, *rows, *summed], [*batch, *summed, *columns], [*batch, *rows, *columns]
    orders = [x.index(c) for c in left], [y.index(c) for c in right], [product.index(c) for c in out]
    return *(tuple(order) for order in orders), (len(batch), len(rows), len(summed))


@lru_cache(1024)
def _lone(terms: tuple[str, ...], out: str) -> list[tuple[int, ...]]:
    """Of each operand, the axes whose letter is nowhere else: they are summed first."""
    letters = "".join(terms) + out
    return [tuple(i for i, c in enumerate(term) if letters.count(c) == 1) for term in terms]


def _product(arrays: list[Array], terms: tuple[str, ...], out: str) -> Array | None:
    """The contraction of two operands by matmul; None where it is none, or so small that np.einsum is as fast."""
    how = _as_matmul(*terms, out)
    if how is None:
        return None
    x_order, y_order, out_order, (batch, rows, summed) = how
    x, y = arrays[0].transpose(x_order), arrays[1].transpose(y_order)
    own, inner, others = x.shape[batch : batch + rows], y.shape[batch : batch + summed], y.shape[batch + summed :]
    n, k, m = prod(own), prod(inner), prod(others)
    if x.shape[batch + rows :] != inner or n * k * m < 64:
        return None
    product = np.matmul(x.reshape(*x.shape[:batch], n, k), y.reshape(*y.shape[:batch], k, m))
    return product.reshape(product.shape[:-2] + own + others).transpose(out_order)


def _einsum_rule(
    g: Array,
    subscripts: str,
    operands: Sequence[Array],
    operands_shape: Sequence[Shape],
    operands_needed: list[bool],
    optimize: Any,
) -> list[Any]:
    terms, out = _parsed(subscripts, tuple(len(shape) for shape in operands_shape))
    optimize = optimize if isinstance(optimize, (bool, str)) else True  # a path is one for the forward only
    grads: list[Any] = [None] * len(terms)
    for i in range(len(terms)):
        if operands_needed[i]:
            others = [(operands[j], terms[j]) for j in range(len(terms)) if j != i]
            grads[i] = _operand_rule([(g, out), *others], terms[i], operands_shape[i], optimize)
    return grads


def _operand_rule(factors: list[tuple[Array, str]], term: str, shape: Shape, optimize: Any) -> Array:
    """The gradient of one operand: the same sum, with g in its place, and the operand's letters for the result."""
    used = "".join(each for _, each in factors) + term
    fresh = iter([c for c in ascii_letters if c not in used])
    letters = ""
    for c, n in zip(term, shape, strict=True):
        if c in letters:  # off the diagonal the gradient is 0
            factors = [*factors, (np.eye(n, dtype=factors[0][0].dtype), c + (c := next(fresh)))]
        letters += c
    used = "".join(each for _, each in factors)
    found = "".join(c for c in letters if c in used)
    arrays, terms = zip(*factors, strict=True)
    grad: Any = einsum(f"{','.join(terms)}->{found}", *arrays, optimize=optimize)
    sizes = iter(grad.shape)
    grad = np.reshape(grad, tuple(next(sizes) if c in found else 1 for c in letters))
    return np.broadcast_to(grad, np.broadcast_shapes(grad.shape, shape))  # along what was summed in this operand only


@primitive(np.einsum, vjp={"operands": _einsum_rule})
def _einsum(subscripts: str, *operands: ArrayLike, optimize: Any = False) -> Array:
    arrays = [np.asarray(each) for each in operands]
    terms, out = parsed = _parsed(subscripts, tuple(each.ndim for each in arrays))
    shapes = [each.shape for each in arrays]
    if isinstance(optimize, str) and optimize not in ("greedy", "optimal"):
        raise ValueError(f"einsum: optimize={optimize!r} is not supported; take True, False, 'greedy' or 'optimal'")
    try:
        if len(arrays) == 1:
            return np.einsum(f"{terms[0]}->{out}", *arrays).copy()  # NumPy's may be a view
        if arrays[0].dtype.kind == "f":
            for k, axes in enumerate(_lone(*parsed)):
                if axes:
                    arrays[k] = np.add.reduce(arrays[k], axes)
                    terms = (*terms[:k], "".join(c for i, c in enumerate(terms[k]) if i not in axes), *terms[k + 1 :])
            product = _product(arrays, terms, out) if len(arrays) == 2 else None
            if product is not None:
                return product
        return np.einsum(f"{','.join(terms)}->{out}", *arrays, optimize=optimize)
    except ValueError as error:
        raise _size_error(subscripts, parsed[0], shapes) or error from None


def einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Tensor:
    """Sum of products, by the letters of the axes: `einsum("ij,jk->ik", x, y)` is x @ y.

    Letters that the result lacks are summed; a letter that is repeated in an operand takes its diagonal; "..." stands
    for leading axes that broadcast. Without "->" the result has the letters that occur once, in the order of the
    alphabet. A length of 1 broadcasts, as in NumPy. The letters may also be lists of integers, each after its operand:
    `einsum(x, [0, 1], y, [1, 2], [0, 2])`.

    optimize: the order in which three or more operands are contracted, as in NumPy: False (all at once), True,
    "greedy", "optimal" or a path. It is used for the gradient, too; for a path, which is none there, True is.

    Raises ValueError where the letters don't fit the operands.
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _spelled((subscripts, *operands))
    return _einsum(subscripts, *operands, optimize=optimize)


table["einsum"].function = einsum


def _spelled(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The letters, and the operands, of einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    alphabet = ascii_uppercase + ascii_lowercase  # so that letters are in the order of their numbers
    pairs = len(given) // 2
    terms = []
    for axes in given[1 : 2 * pairs : 2] + given[2 * pairs :]:
        known = isinstance(axes, (list, tuple)) and all(each is ... or each in range(52) for each in axes)
        if not known or not pairs:
            raise TypeError(
                "einsum: takes letters and operands, einsum('ij,jk->ik', x, y), "
                "or after each operand a list of integers from 0 to 51, einsum(x, [0, 1], y, [1, 2], [0, 2])"
            )
        terms.append("".join("..." if each is ... else alphabet[each] for each in axes))
    return ",".join(terms[:pairs]) + "".join(f"->{out}" for out in terms[pairs:]), given[: 2 * pairs : 2]
