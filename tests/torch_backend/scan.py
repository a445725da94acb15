"""What torch has for the operations of ops/scan.py."""

from math import prod

import torch


def _scan(function):
    """A scan of torch with NumPy's axes: None is the only one of all elements in a row."""
    return lambda a, axis: function(a.reshape(-1) if axis is None or not a.ndim else a, axis or 0)


def _cumulative(function, first):
    def scan(x, axis, include_initial):
        result = function(x, axis or 0)
        if not include_initial:
            return result
        return torch.cat(
            [torch.full_like(result.narrow(axis or 0, 0, 0).sum(axis or 0, True), first), result], axis or 0
        )

    return scan


def _recurrence(factors, terms):
    y = list(terms.unbind(-1))
    for i in range(1, len(y)):
        y[i] = factors[..., i - 1] * y[i - 1] + y[i]
    return torch.stack(y, -1) if y else terms.clone()


def _diff(a, n, axis, prepend, append):
    one = a.narrow(axis, 0, 0).sum(axis, True)
    ends = [each if each is None or each.ndim else each.expand(one.shape) for each in (prepend, append)]
    for _ in range(n):
        a, ends = torch.diff(a, 1, axis, *ends), (None, None)
    return a


def _slope(x, y, at):
    """The slope, at one of the places x, of the polynomial through all points (Lagrange)."""
    total = 0.0
    for j in range(len(x)):
        others = [i for i in range(len(x)) if i != j]
        rest = sum(prod(x[at] - x[i] for i in others if i != k) for k in others)
        total = total + y[j] * rest / prod(x[j] - x[i] for i in others)
    return total


def _gradient(f, varargs, axis, edge_order):
    axes = range(f.ndim) if axis is None else axis if isinstance(axis, tuple) else [axis]
    spacings = varargs if len(varargs) == len(axes) else (varargs or [torch.ones((), dtype=f.dtype)]) * len(axes)
    slopes = []
    for spacing, i in zip(spacings, axes, strict=True):
        y, n = f.unbind(i), f.shape[i]
        x = (spacing if spacing.ndim else spacing * torch.arange(n)).unbind()
        within = [slice(k - 1, k + 2) for k in range(1, n - 1)]
        parts = [slice(0, edge_order + 1), *within, slice(n - 1 - edge_order, n)]
        places = [0, *[1] * (n - 2), edge_order]
        slopes.append(torch.stack([_slope(x[p], y[p], at) for p, at in zip(parts, places, strict=True)], i))
    return slopes[0] if len(axes) == 1 else tuple(slopes)


OPERATIONS = {
    "cumprod": _scan(torch.cumprod),
    "cumsum": _scan(torch.cumsum),
    "cumulative_prod": _cumulative(torch.cumprod, 1.0),
    "cumulative_sum": _cumulative(torch.cumsum, 0.0),
    "diff": _diff,
    "gradient": _gradient,
    "nancumprod": _scan(lambda a, axis: torch.cumprod(torch.where(torch.isnan(a), 1.0, a), axis)),
    "nancumsum": _scan(lambda a, axis: torch.cumsum(torch.where(torch.isnan(a), 0.0, a), axis)),
    "recurrence": _recurrence,
}

WITHOUT: dict[str, str] = {}
