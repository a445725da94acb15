"""What torch has for the operations of ops/sampled.py."""

import torch


def _interp(x, xp, fp, left, right):
    end = torch.clamp(torch.searchsorted(xp.contiguous(), x.contiguous(), right=True), min(1, len(xp) - 1), len(xp) - 1)
    start = torch.clamp(end - 1, min=0)
    width = xp[end] - xp[start]
    part = (x - xp[start]) / torch.where(width == 0, 1.0, width)
    inside = torch.where(width == 0, fp[start], torch.lerp(fp[start], fp[end], part))
    inside = torch.where(x < xp[0], fp[0] if left is None else left, inside)
    return torch.where(x > xp[-1], fp[-1] if right is None else right, inside)


def _trapezoid(y, x, dx, axis):
    y = y.movedim(axis, -1)
    if x is None:
        return torch.trapezoid(y, dx=dx)
    return torch.trapezoid(y, x if x.ndim == 1 else x.movedim(axis, -1))


OPERATIONS = {
    "interp": _interp,
    "trapezoid": _trapezoid,
}

WITHOUT: dict[str, str] = {}
