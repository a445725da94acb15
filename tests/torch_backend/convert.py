"""Arrays and dtypes of NumPy as torch's."""

import numpy as np
import torch


def from_numpy(array, requires_grad=False):
    """A tensor of torch with the numbers of an array, in memory of its own."""
    return torch.from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)


def to_dtype(dtype):
    """The dtype of torch that is a dtype of NumPy."""
    return torch.from_numpy(np.empty(0, dtype)).dtype
