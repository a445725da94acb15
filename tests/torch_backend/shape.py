"""What torch has for the operations of ops/shape.py."""

import numpy as np
import torch


def _shape(shape):
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


OPERATIONS = {
    "broadcast_to": lambda a, shape: torch.broadcast_to(a, _shape(shape)),
    "concatenate": lambda arrays, axis: (
        torch.cat([a.reshape(-1) for a in arrays]) if axis is None else torch.cat(arrays, axis)
    ),
    "expand_dims": lambda a, axis: a.reshape(np.expand_dims(np.empty(a.shape), axis).shape),
    "hstack": torch.hstack,
    "reshape": lambda a, shape: torch.reshape(a, _shape(shape)),
    "squeeze": lambda a, axis: torch.squeeze(a) if axis is None else torch.squeeze(a, axis),
    "stack": torch.stack,
    "swapaxes": torch.swapaxes,
    "transpose": lambda a, axes: a.permute(tuple(range(a.ndim))[::-1] if axes is None else axes),
}

WITHOUT: dict[str, str] = {}
