"""What torch has for the operations of ops/linalg.py and ops/contraction.py."""

import torch


def _dot(a, b):
    return a * b if not a.ndim or not b.ndim else torch.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    return torch.linalg.cross(*torch.broadcast_tensors(a.movedim(axisa, -1), b.movedim(axisb, -1))).movedim(-1, axisc)


def _tensordot(a, b, axes):
    return torch.tensordot(a, b, axes if isinstance(axes, int) else [[i] if isinstance(i, int) else i for i in axes])


OPERATIONS = {
    "cross": _cross,
    "dot": _dot,
    "einsum": lambda subscripts, operands, optimize: torch.einsum(subscripts, *operands),
    "inner": torch.inner,
    "kron": torch.kron,
    "linalg_cross": lambda x1, x2, axis: _cross(x1, x2, axis=axis),
    "linalg_diagonal": lambda x, offset: torch.diagonal(x, offset, -2, -1),
    "linalg_outer": torch.outer,
    "linalg_trace": lambda x, offset: torch.diagonal(x, offset, -2, -1).sum(-1),
    "matmul": torch.matmul,
    "matvec": lambda x1, x2: (x1 @ x2[..., None])[..., 0],
    "multi_dot": torch.linalg.multi_dot,
    "outer": lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    "tensordot": _tensordot,
    "vdot": lambda a, b: torch.vdot(a.reshape(-1), b.reshape(-1)),
    "vecdot": lambda x1, x2, axis: torch.linalg.vecdot(x1.movedim(axis, -1), x2.movedim(axis, -1)),
    "vecmat": lambda x1, x2: (x1[..., None, :] @ x2)[..., 0, :],
}

WITHOUT: dict[str, str] = {}
