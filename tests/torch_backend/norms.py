"""What torch has for the operations of ops/norms.py."""

import torch

from .reduction import of_rows


def _vector_norm(x, axis, keepdims, order):
    return of_rows(lambda x, order: torch.linalg.vector_norm(x, order, -1))(x, axis, order, keepdims)


def _norm(x, order, axis, keepdims):
    if order is None and axis is None:
        return _vector_norm(x, None, keepdims, 2)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _vector_norm(x, axes, keepdims, 2 if order is None else order)
    return torch.linalg.matrix_norm(x, "fro" if order is None else order, axes, keepdims)


OPERATIONS = {
    "matrix_norm": lambda x, keepdims, order: torch.linalg.matrix_norm(x, order, (-2, -1), keepdims),
    "norm": _norm,
    "p_norm": lambda x, p, axis, keepdims: _vector_norm(x, axis, keepdims, p),
    "vector_norm": _vector_norm,
}

WITHOUT: dict[str, str] = {}
