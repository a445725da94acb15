"""PyTorch, to check results against: a test dependency only.

No file outside of this folder imports torch. Each family of the table has a file here: OPERATIONS are functions of the
same arguments, with torch's tensors for arrays; WITHOUT says for which operations torch has nothing, nothing can be
made of what it has, and why.
"""

from importlib import import_module
from pkgutil import iter_modules

import torch

from .convert import from_numpy
from .names_model import NamesModel
from .transforms import pull, transform

__all__ = ["OPERATIONS", "WITHOUT", "NamesModel", "from_numpy", "gradients", "pull", "torch", "transform"]

torch.set_num_threads(1)  # the tensors of the tests are small

FAMILIES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
FAMILIES = [family for family in FAMILIES if hasattr(family, "OPERATIONS")]
OPERATIONS = {name: function for family in FAMILIES for name, function in family.OPERATIONS.items()}
WITHOUT = {name: why for family in FAMILIES for name, why in family.WITHOUT.items()}


def gradients(outputs, weights, inputs, create_graph=False):
    """The gradients of weighted outputs: zeros where an output does not depend on an input."""
    pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
    if not pairs or not inputs:
        return [torch.zeros_like(x) for x in inputs]
    ys, ws = zip(*pairs, strict=True)
    grads = torch.autograd.grad(ys, inputs, ws, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, grads, strict=True)]
