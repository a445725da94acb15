"""What torch has for the operations of ops/reduction.py, ops/partial.py and ops/ordering.py."""

import torch


def axes_of(a, axis):
    """NumPy's axis as a tuple, counted from the front."""
    if axis is None:
        return tuple(range(a.ndim))
    return tuple(i % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,))) if a.ndim else ()


def rows(a, axis):
    """The reduced axes as one axis, the last."""
    axes = axes_of(a, axis)
    others = [i for i in range(a.ndim) if i not in axes]
    count = torch.Size(a.shape[i] for i in axes).numel()
    return a.permute((*others, *axes)).reshape(*[a.shape[i] for i in others], count)


def of_rows(function):
    """A reduction by a function of rows to numbers."""

    def reduce(a, axis, *arguments):
        *arguments, keepdims = arguments
        result = function(rows(a, axis), *arguments)
        for i in sorted(axes_of(a, axis)) if keepdims else ():
            result = result.unsqueeze(i)
        return result

    return reduce


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


def _median(x):
    """torch.median of all elements is the lower one in the middle, and shares its gradient with its equals."""
    flat = x.reshape(-1, x.shape[-1])
    values = [0.5 * torch.median(row) - 0.5 * torch.median(-row) for row in flat]
    return torch.stack(values).reshape(x.shape[:-1]) if values else flat.sum(-1).reshape(x.shape[:-1])


def _shared(x, values):
    """Values that are elements of the rows: their gradient goes in equal shares to all elements that equal them."""
    equal = x == values.detach()[..., None]
    shares = (torch.where(equal, x, 0.0) / equal.sum(-1, keepdim=True).clamp(min=1)).sum(-1)
    return values.detach() + shares - shares.detach()


def _order_statistics(a, ranks, axis):
    ordered = rows(a, axis).sort(-1).values
    ordered = torch.where(torch.isnan(ordered[..., -1:]), torch.nan, ordered)
    return torch.stack([of_rows(lambda x, k=k: _shared(x, ordered[..., k]))(a, axis, True) for k in ranks])


def _quantile(whole):
    def quantile(a, q, axis, method, keepdims):
        q = torch.as_tensor(q, dtype=a.dtype) / whole
        found = []
        for each in q.reshape(-1):
            low, high = [torch.quantile(rows(a, axis), each, -1, interpolation=end) for end in ("lower", "higher")]
            part = {"lower": 0, "higher": 1, "midpoint": 0.5}.get(method, each * (rows(a, axis).shape[-1] - 1) % 1)
            between = of_rows(
                lambda x, ends=(low, high), part=part: torch.lerp(*[_shared(x, end) for end in ends], part)
            )
            found.append(between(a, axis, keepdims))
        empty = a.sum() * torch.zeros(0, *of_rows(lambda x: x.sum(-1))(a, axis, keepdims).shape, dtype=a.dtype)
        return torch.stack(found).reshape((*q.shape, *found[0].shape)) if found else empty

    return quantile


def _average(a, axis, weights, returned, keepdims):
    if weights is None:
        weights = torch.ones_like(a)
    elif weights.shape != a.shape:
        axes = axes_of(a, axis)
        weights = weights.permute(sorted(range(len(axes)), key=lambda i: axes[i]))
        weights = weights.reshape([n if i in axes else 1 for i, n in enumerate(a.shape)]).expand(a.shape)
    total = OPERATIONS["sum"](weights, axis, keepdims)
    result = OPERATIONS["sum"](a * weights, axis, keepdims) / total
    return (result, total) if returned else result


def _nanvar(x, ddof):
    missing = torch.isnan(x)
    deviations = torch.where(missing, 0.0, x - torch.nanmean(x, -1, keepdim=True))
    return (deviations**2).sum(-1) / ((~missing).sum(-1) - ddof)


def _nanstd(x, ddof):
    var = _nanvar(x, ddof)
    return torch.where(var == 0, 0.0, torch.sqrt(torch.where(var == 0, 1.0, var)))  # no nan at 0


def _index(function):
    return lambda a, axis, keepdims: (
        function(a, axis, keepdims) if axis is not None or not keepdims else function(a).reshape((1,) * a.ndim)
    )


OPERATIONS = {
    "all": of_rows(lambda x: torch.all(x, -1)),
    "any": of_rows(lambda x: torch.any(x, -1)),
    "argmax": _index(torch.argmax),
    "argmin": _index(torch.argmin),
    "average": _average,
    "count_nonzero": of_rows(lambda x: torch.count_nonzero(x, -1)),
    "logsumexp": of_rows(lambda x: torch.logsumexp(x, -1)),
    "max": _reduce(torch.amax),
    "mean": _reduce(torch.mean),
    "median": of_rows(_median),
    "min": _reduce(torch.amin),
    "nanargmax": _index(lambda a, *rest: torch.argmax(torch.nan_to_num(a, -torch.inf), *rest)),
    "nanargmin": _index(lambda a, *rest: torch.argmin(torch.nan_to_num(a, torch.inf), *rest)),
    "nanmax": _reduce(lambda a, *rest: torch.amax(torch.where(torch.isnan(a), -torch.inf, a), *rest)),
    "nanmean": _reduce(torch.nanmean),
    "nanmin": _reduce(lambda a, *rest: torch.amin(torch.where(torch.isnan(a), torch.inf, a), *rest)),
    "nanprod": of_rows(lambda x: torch.prod(torch.where(torch.isnan(x), 1.0, x), -1)),
    "nanstd": of_rows(_nanstd),
    "nansum": _reduce(torch.nansum),
    "nanvar": of_rows(_nanvar),
    "order_statistics": _order_statistics,
    "percentile": _quantile(100),
    "prod": of_rows(lambda x: torch.prod(x, -1)),
    "ptp": _reduce(lambda a, *rest: torch.amax(a, *rest) - torch.amin(a, *rest)),
    "quantile": _quantile(1),
    "std": _reduce(lambda a, axis, ddof, keepdims: torch.std(a, axis, correction=ddof, keepdim=keepdims)),
    "sum": _reduce(torch.sum),
    "trace": lambda a, offset, axis1, axis2: torch.diagonal(a, offset, axis1, axis2).sum(-1),
    "var": _reduce(lambda a, axis, ddof, keepdims: torch.var(a, axis, correction=ddof, keepdim=keepdims)),
}

WITHOUT: dict[str, str] = {}
