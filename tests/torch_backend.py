"""PyTorch, to check results against: a test dependency only.

No other file imports torch.
"""

import numpy as np
import torch

__all__ = ["OPERATIONS", "WITHOUT", "NamesModel", "from_numpy", "gradients", "torch"]

torch.set_num_threads(1)  # the tensors of the tests are small


# What torch has for the operations of the table: functions of the same arguments, with torch's tensors for arrays.


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


def _place(index, shape):
    """The positions that an index names, in the flat array."""
    return torch.from_numpy(np.array(np.arange(int(np.prod(shape))).reshape(shape)[index], order="C"))


def _getitem(a, index):
    return torch.take(a, _place(index, a.shape))


def _scatter_add(values, index, shape):
    place = _place(index, shape)
    flat = torch.zeros(int(np.prod(shape)), dtype=values.dtype)
    return flat.index_add(0, place.reshape(-1), values.expand(place.shape).reshape(-1)).reshape(shape)


def _setitem(a, value, index):
    place = _place(index, a.shape)
    writer = np.full(a.numel(), -1)
    writer[place.numpy().reshape(-1)] = np.arange(place.numel())
    writer = torch.from_numpy(writer.reshape(a.shape))
    if not place.numel():
        return a.clone()
    return torch.where(writer >= 0, torch.take(value.expand(place.shape), writer.clamp(min=0)), a)


def _batch_norm(x, gain, bias, axis, eps, ddof):
    var, mean = torch.var_mean(x, axis, correction=ddof, keepdim=True)
    return gain * (x - mean) / torch.sqrt(var + eps) + bias, mean, var


def _shape(shape):
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


def _dtype(dtype):
    return torch.from_numpy(np.empty(0, dtype)).dtype


OPERATIONS = {
    "absolute": torch.abs,
    "add": torch.add,
    "argmax": lambda a, axis, keepdims: (
        torch.argmax(a, axis, keepdims) if axis is not None or not keepdims else torch.argmax(a).reshape((1,) * a.ndim)
    ),
    "astype": lambda x, dtype: x.to(_dtype(dtype), copy=True),
    "batch_norm": _batch_norm,
    "broadcast_to": lambda a, shape: torch.broadcast_to(a, _shape(shape)),
    "concatenate": lambda arrays, axis: (
        torch.cat([a.reshape(-1) for a in arrays]) if axis is None else torch.cat(arrays, axis)
    ),
    "copy": torch.clone,
    "cross_entropy": lambda logits, targets: torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1).long()
    ),
    "divide": torch.divide,
    "embedding": lambda indices, weight: torch.nn.functional.embedding(indices.long(), weight),
    "equal": torch.eq,
    "exp": torch.exp,
    "expand_dims": lambda a, axis: a.reshape(np.expand_dims(np.empty(a.shape), axis).shape),
    "getitem": _getitem,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "isfinite": torch.isfinite,
    "isinf": torch.isinf,
    "isnan": torch.isnan,
    "less": torch.lt,
    "less_equal": torch.le,
    "linear": lambda x, weight, bias: x @ weight if bias is None else torch.nn.functional.linear(x, weight.mT, bias),
    "log": torch.log,
    "log_softmax": torch.log_softmax,
    "logical_and": torch.logical_and,
    "logical_not": torch.logical_not,
    "logical_or": torch.logical_or,
    "matmul": torch.matmul,
    "max": _reduce(torch.amax),
    "maximum": torch.maximum,
    "mean": _reduce(torch.mean),
    "min": _reduce(torch.amin),
    "minimum": torch.minimum,
    "multiply": torch.multiply,
    "negative": torch.negative,
    "not_equal": torch.ne,
    "one_hot": lambda indices, classes, dtype: torch.nn.functional.one_hot(indices.long(), classes).to(_dtype(dtype)),
    "power": torch.pow,
    "relu": torch.relu,
    "reshape": lambda a, shape: torch.reshape(a, _shape(shape)),
    "scatter_add": _scatter_add,
    "scatter_rows": lambda values, indices, rows: torch.zeros(rows, values.shape[-1], dtype=values.dtype).index_add(
        0, indices.reshape(-1).long(), values.reshape(indices.numel(), values.shape[-1])
    ),
    "setitem": _setitem,
    "sigmoid": torch.sigmoid,
    "sign": torch.sign,
    "softmax": torch.softmax,
    "sqrt": torch.sqrt,
    "squeeze": lambda a, axis: torch.squeeze(a) if axis is None else torch.squeeze(a, axis),
    "stack": torch.stack,
    "std": _reduce(lambda a, axis, ddof, keepdims: torch.std(a, axis, correction=ddof, keepdim=keepdims)),
    "subtract": torch.subtract,
    "sum": _reduce(torch.sum),
    "swapaxes": torch.swapaxes,
    "tanh": torch.tanh,
    "transpose": lambda a, axes: a.permute(tuple(range(a.ndim))[::-1] if axes is None else axes),
    "var": _reduce(lambda a, axis, ddof, keepdims: torch.var(a, axis, correction=ddof, keepdim=keepdims)),
    "where": torch.where,
}

WITHOUT: dict[str, str] = {}
"""Operations that torch has nothing for, and why nothing can be made of what it has."""


def from_numpy(array, requires_grad=False):
    """A tensor of torch with the numbers of an array, in memory of its own."""
    return torch.from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)


def gradients(outputs, weights, inputs, create_graph=False):
    """The gradients of weighted outputs: zeros where an output does not depend on an input."""
    pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
    if not pairs or not inputs:
        return [torch.zeros_like(x) for x in inputs]
    ys, ws = zip(*pairs, strict=True)
    grads = torch.autograd.grad(ys, inputs, ws, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, grads, strict=True)]


class NamesModel:
    """The model of makemore in raw operations of torch, from the weights and running statistics of a state."""

    def __init__(self, state):
        state = {name: from_numpy(array) for name, array in state.items()}
        self.running_mean, self.running_std = state.pop("running_mean"), state.pop("running_std")
        self.parameters = {name: array.requires_grad_() for name, array in state.items()}

    def _logits(self, contexts, normalise):
        C, W1, b1, W2, b2, gain, bias = (self.parameters[k] for k in ("C", "W1", "b1", "W2", "b2", "gain", "bias"))
        before = C[from_numpy(contexts)].view(len(contexts), -1) @ W1 + b1
        mean, std = normalise(before)
        return torch.tanh(gain * (before - mean) / std + bias) @ W2 + b2

    def _batch(self, before):
        mean, std = before.mean(0, keepdim=True), before.std(0, keepdim=True)
        with torch.no_grad():
            self.running_mean = 0.999 * self.running_mean + 0.001 * mean
            self.running_std = 0.999 * self.running_std + 0.001 * std
        return mean, std

    def loss(self, contexts, targets):
        """In training mode; moves the running statistics."""
        return torch.nn.functional.cross_entropy(self._logits(contexts, self._batch), from_numpy(targets))

    @torch.no_grad()
    def logits(self, contexts):
        """In evaluation mode."""
        return self._logits(contexts, lambda before: (self.running_mean, self.running_std))

    def step(self, rate):
        """One step of gradient descent, after `backward`."""
        with torch.no_grad():
            for parameter in self.parameters.values():
                parameter -= rate * parameter.grad
                parameter.grad = None
