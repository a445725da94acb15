"""Arguments for the operations of ops/linalg.py and ops/contraction.py."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike

from ....op import Op
from ..arguments import inputs, sampler
from ..arrays import Shape, broadcasting, layouts, shapes
from ..indices import axes

SIDES = [(2, 3, 2), (1, 2, 3), (2, 1, 2), (3, 2, 1), (1, 1, 1), (2, 0, 3), (0, 2, 2)]


@sampler("matmul")
def _matmul(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, k, m = draw(st.sampled_from(SIDES))
    batch_x, batch_y = draw(broadcasting(2, max_dims=2))
    x = draw(st.sampled_from([(n, k), (k,), (*batch_x, n, k)]))
    y = draw(st.sampled_from([(k, m), (k,), (*batch_y, k, m)]))
    return tuple(draw(inputs(op, [x, y], dtype)))


@sampler("dot")
def _dot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, k, m = draw(st.sampled_from(SIDES))
    x = draw(st.sampled_from([(n, k), (k,), (2, n, k), ()]))
    y = draw(st.sampled_from([(k, m), (k,), (2, k, m), (1, 2, k, m), ()]))
    return tuple(draw(inputs(op, [x, y], dtype)))


@sampler("inner")
def _inner(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    k = draw(st.sampled_from([2, 3, 1, 0]))
    x, y = draw(shapes(max_dims=2)), draw(shapes(max_dims=2))
    return tuple(draw(inputs(op, draw(st.sampled_from([[(*x, k), (*y, k)], [(), y], [x, ()]])), dtype)))


@sampler("vdot")
def _vdot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    same: list[list[Shape]] = [[(2, 3), (3, 2)], [(4,), (2, 2)], [(3,), (3,)], [(), ()], [(), (1, 1)], [(0,), (2, 0)]]
    return tuple(draw(inputs(op, draw(st.sampled_from(same)), dtype)))


@sampler("outer")
def _outer(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return tuple(draw(inputs(op, [draw(shapes(max_dims=2)), draw(shapes(max_dims=2))], dtype)))


@sampler("linalg_outer")
def _linalg_outer(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return tuple(draw(inputs(op, [(draw(st.integers(0, 3)),), (draw(st.integers(0, 3)),)], dtype)))


@st.composite
def vectors(draw: DrawFn, length: int) -> tuple[Shape, Shape, int]:
    """The shapes of two arrays of vectors of the given length, that broadcast, and the axis along which they lie."""
    shape = draw(shapes(max_dims=2))
    ours, theirs = draw(st.sampled_from([(shape, shape), (shape, shape[1:]), ((), shape), (shape, (1,) * len(shape))]))
    axis = draw(axes(min(len(ours), len(theirs)) + 1, none=False, several=False))
    assert isinstance(axis, int)
    return _inserted(ours, axis, length), _inserted(theirs, axis, length), axis


def _inserted(shape: Shape, axis: int, length: int) -> Shape:
    place = axis % (len(shape) + 1)
    return (*shape[:place], length, *shape[place:])


@sampler("vecdot")
def _vecdot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x, y, axis = draw(vectors(draw(st.sampled_from([2, 3, 1, 0]))))
    return *draw(inputs(op, [x, y], dtype)), axis


@sampler("linalg_cross")
def _linalg_cross(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x, y, axis = draw(vectors(3))
    return *draw(inputs(op, [x, y], dtype)), axis


@sampler("cross")
def _cross(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x, y, axis = draw(vectors(3))
    axisc = draw(axes(max(len(x), len(y)), none=False, several=False))
    several = draw(st.sampled_from([(axis, axis, axisc, None), (0, 1, 2, axis)]))
    return *draw(inputs(op, [x, y], dtype)), *several


@sampler("linalg_diagonal", "linalg_trace")
def _linalg_diagonal(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=2))
    n, m = shape[-2:]
    return *draw(inputs(op, [shape], dtype)), draw(st.integers(-n, m))


@sampler("matvec", "vecmat")
def _matvec(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    n, k, _ = draw(st.sampled_from([*SIDES, (9, 8, 1)]))
    x, y = draw(broadcasting(2, max_dims=2))
    both = [(*x, n, k), (*y, k)] if op.name == "matvec" else [(*y, k), (*x, k, n)]
    return tuple(draw(inputs(op, both, dtype)))


@sampler("kron")
def _kron(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return tuple(draw(inputs(op, [draw(shapes(max_side=2)), draw(shapes(max_dims=2))], dtype)))


@sampler("multi_dot")
def _multi_dot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    sides = draw(st.lists(st.sampled_from([1, 2, 3]), min_size=3, max_size=5))
    parts: list[Shape] = [(n, m) for n, m in pairwise(sides)]
    parts[0] = draw(st.sampled_from([parts[0], parts[0][1:]]))
    parts[-1] = draw(st.sampled_from([parts[-1], parts[-1][:1]]))
    # below 1: the order of the products may be another than NumPy's, and the sums are to cancel few digits
    return ([draw(layouts(each / 6)) for each in draw(inputs(op, parts, dtype))],)


PAIRS: list[tuple[Shape, Shape, Any]] = [
    ((2, 3), (2, 3), 2),
    ((2, 3), (3, 2), 1),
    ((2,), (1, 2), 0),
    ((), (2,), 0),
    ((2, 3), (2, 3), (0, 0)),
    ((2, 3), (2, 3), (-1, -1)),
    ((2, 3, 2), (3, 2), ([1, 2], [0, 1])),
    ((2, 3, 1), (1, 3, 2), ([2, 0], [0, 2])),
    ((2, 3, 4), (4, 2, 1, 3), ((1, 0, -1), (3, 1, 0))),
    ((2, 2, 3), (2, 2), ([1, 0], [0, 1])),
    ((2, 0), (0, 3), 1),
    ((0, 2), (2, 2), 1),
    ((2, 3), (2,), ([], [])),
]


@sampler("tensordot")
def _tensordot(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    x, y, pairs = draw(st.sampled_from(PAIRS))
    return *draw(inputs(op, [x, y], dtype)), pairs


TERMS: list[tuple[str, list[Shape]]] = [
    ("ij,jk->ik", [(2, 3), (3, 2)]),
    ("ij, jk", [(2, 3), (3, 2)]),
    ("ij,jk->ki", [(4, 5), (5, 4)]),  # large enough for matmul
    ("bij,bkj->kbi", [(2, 4, 4), (2, 4, 4)]),
    ("bhid,bhjd->bhij", [(2, 1, 4, 4), (2, 3, 4, 4)]),
    ("...ij,...kj->...ik", [(2, 1, 4, 4), (3, 4, 4)]),
    ("ijk,kjl->li", [(3, 2, 4), (4, 2, 3)]),
    ("ij,aj->a", [(4, 4), (16, 4)]),
    ("ij,i->j", [(8, 8), (8,)]),
    ("i,i", [(3,), (3,)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,ij->i", [(1, 3), (2, 3)]),
    ("ij,jk->ik", [(2, 1), (3, 2)]),
    ("ij,jk->ik", [(2, 3), (1, 2)]),
    ("ij,kl->jl", [(2, 3), (2, 2)]),
    ("i,->i", [(3,), ()]),
    ("ij,jk->ik", [(2, 0), (0, 3)]),
    ("ij->ji", [(2, 3)]),
    ("ba", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("kij->j", [(2, 3, 2)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->ji", [(2, 2, 3)]),
    ("iii->i", [(2, 2, 2)]),
    ("ijij->ji", [(2, 3, 2, 3)]),
    ("ii,i->i", [(1, 1), (3,)]),
    ("ii,ij->j", [(2, 2), (2, 3)]),
    ("->", [()]),
    ("...", [(2, 3)]),
    ("...i->i...", [(2, 1, 3)]),
    ("i...->...", [(2, 3)]),
    ("...,...", [(2, 3), (3,)]),
    ("...ij,...j->i...", [(2, 2, 3), (3,)]),
    ("i...,...j->ij...", [(2, 3), (1, 2)]),
    ("...ii->...", [(2, 3, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 3)]),
    ("ij,jk,ik->", [(2, 2), (2, 2), (2, 2)]),
    ("i,ij,j", [(2,), (2, 3), (3,)]),
    ("...i,ij,...j->...", [(2, 2), (2, 3), (3,)]),
    ("aB,Bc,ca->B", [(2, 3), (3, 2), (2, 2)]),
]


@sampler("einsum")
def _einsum(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    subscripts, parts = draw(st.sampled_from(TERMS))
    path = ["einsum_path", *[(0, 1)] * (len(parts) - 1)] if len(parts) > 1 else ["einsum_path", (0,)]
    return subscripts, draw(inputs(op, parts, dtype)), draw(st.sampled_from([False, True, "greedy", "optimal", path]))
