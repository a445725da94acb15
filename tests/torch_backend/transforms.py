"""torch.func, of functions of arrays."""

import numpy as np
import torch
from torch.utils._pytree import tree_map

from .convert import from_numpy

NAMES = {"jacobian": "jacrev"}


def transform(name, f, *args, **options):
    """What torch.func's function of this name makes of f, called with the arrays in args: as arrays."""
    given = [tree_map(as_tensor, each) for each in args]
    function = getattr(torch.func, NAMES.get(name, name))
    if name in ("vjp", "jvp"):
        result = function(f, *given, **options)
        return tree_map(as_array, result if name == "jvp" else result[0])
    return tree_map(as_array, function(f, **options)(*given))


def pull(f, v, *args):
    """The product of v with the Jacobian of f at args."""
    _, product = torch.func.vjp(f, *[tree_map(as_tensor, each) for each in args])
    return tree_map(as_array, product(tree_map(as_tensor, v)))


def as_tensor(value):
    return from_numpy(value) if isinstance(value, np.ndarray) else value


def as_array(value):
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value
