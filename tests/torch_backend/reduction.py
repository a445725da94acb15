"""What torch has for the operations of ops/reduction.py."""

import torch


def _reduce(function):
    """A reduction of torch with NumPy's axes: None is all, an empty tuple is none."""

    def reduce(a, axis, *arguments):
        if not a.numel():
            return a.sum(tuple(range(a.ndim)) if axis is None else axis, arguments[-1]) if axis != () else a.clone()
        axes = tuple(range(a.ndim)) if axis is None else axis
        if axes == ():  # that is all to torch
            return function(a[..., None], -1, *arguments[:-1], False)
        return function(a, axes, *arguments)

    return reduce


OPERATIONS = {
    "argmax": lambda a, axis, keepdims: (
        torch.argmax(a, axis, keepdims) if axis is not None or not keepdims else torch.argmax(a).reshape((1,) * a.ndim)
    ),
    "max": _reduce(torch.amax),
    "mean": _reduce(torch.mean),
    "min": _reduce(torch.amin),
    "std": _reduce(lambda a, axis, ddof, keepdims: torch.std(a, axis, correction=ddof, keepdim=keepdims)),
    "sum": _reduce(torch.sum),
    "var": _reduce(lambda a, axis, ddof, keepdims: torch.var(a, axis, correction=ddof, keepdim=keepdims)),
}

WITHOUT: dict[str, str] = {}
