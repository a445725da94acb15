"""Gradients beside other libraries: each case written for each library as its users would write it. float32.

A library that can't do a case has no entry there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lite as tg
import tinygrad_lite.functional as F

Case = dict[str, Callable[[], Callable[[], Any]]]  # by library: what makes the function that is timed
RNG = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


# The gradient of 50 operations, one after the other.

VECTOR = normal(100)


def mixed(tanh: Callable[[Any], Any], x: Any) -> Any:
    y = x
    for _ in range(25):
        y = tanh(y) + x
    return y.sum()


# The gradient of 10,000 additions.


def additions(x: Any) -> Any:
    y = x
    for _ in range(10_000):
        y = y + x
    return y.sum()


def by_backward(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
    """Ours: function(*tensors).backward(), and the gradients forgotten."""
    tensors = [tg.tensor(array, requires_grad=True) for array in arrays]

    def run() -> None:
        function(*tensors).backward()
        for tensor in tensors:
            tensor.zero_grad()

    return run


def by_torch(function: Callable[[Any], Callable[..., Any]], *arrays: Any) -> Callable[[], Any]:
    import torch

    f, tensors = function(torch), [torch.tensor(array, requires_grad=True) for array in arrays]

    def run() -> None:
        f(*tensors).backward()
        for tensor in tensors:
            tensor.grad = None

    return run


def by_autograd(function: Callable[[Any], Callable[..., Any]], *arrays: Any) -> Callable[[], Any]:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(function(anp), tuple(range(len(arrays))))
    return lambda: gradient(*arrays)


def by_mygrad(function: Callable[[Any], Callable[..., Any]], *arrays: Any) -> Callable[[], Any]:
    import mygrad as mg

    mg.turn_memory_guarding_off()
    f, tensors = function(mg), [mg.tensor(array) for array in arrays]

    def run() -> None:
        f(*tensors).backward()
        for tensor in tensors:
            tensor.null_grad()

    return run


def chain(function: Callable[[Any], Callable[[Any], Any]], array: Any) -> Case:
    return {
        "tinygrad_lite": lambda: by_backward(function(tg), array),
        "torch eager": lambda: by_torch(function, array),
        "HIPS autograd": lambda: by_autograd(function, array),
        "MyGrad": lambda: by_mygrad(function, array),
    }


# The Hessian of the Rosenbrock function of 50 variables.

POINT = normal(50)


def rosenbrock(x: Any) -> Any:
    head, tail = x[:-1], x[1:]
    return (100 * (tail - head * head) ** 2 + (1 - head) ** 2).sum()


def torch_hessian() -> Callable[[], Any]:
    import torch

    x = torch.tensor(POINT)
    return lambda: torch.autograd.functional.hessian(rosenbrock, x)


def autograd_hessian() -> Callable[[], Any]:
    import autograd

    hessian = autograd.hessian(rosenbrock)
    return lambda: hessian(POINT)


def our_hessian() -> Callable[[], Any]:
    hessian = tg.hessian(rosenbrock)
    x = tg.tensor(POINT)
    return lambda: hessian(x)


# conv2d, 3 x 3, of 32 images of 3 x 32 x 32 to 16 channels: the gradient of the images and of the kernels.

IMAGES, KERNELS = normal(32, 3, 32, 32), normal(16, 3, 3, 3)


def autograd_convolution() -> Callable[[], Any]:
    from autograd.scipy.signal import convolve

    def loss(anp: Any) -> Callable[..., Any]:
        def of(images: Any, kernels: Any) -> Any:
            padded = anp.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), "constant")
            return convolve(padded, kernels, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid").sum()

        return of

    return by_autograd(loss, IMAGES, KERNELS)


def mygrad_convolution() -> Callable[[], Any]:
    from mygrad.nnet.layers import conv_nd

    return by_mygrad(lambda mg: lambda x, w: conv_nd(x, w, stride=1, padding=1).sum(), IMAGES, KERNELS)


# Causal attention: batch 32, sequence 16, width 64 in 4 heads: the gradients of query, key and value.

HEADS = [normal(32, 4, 16, 16) for _ in range(3)]
CAUSAL = np.where(np.tri(16, dtype=bool), 0.0, -np.inf).astype(np.float32)


def attention(lib: Any) -> Callable[..., Any]:
    """For libraries without a fused one."""

    def loss(q: Any, k: Any, v: Any) -> Any:
        scores = lib.matmul(q, lib.swapaxes(k, -1, -2)) * np.float32(16**-0.5) + CAUSAL
        powers = lib.exp(scores - lib.max(scores, axis=-1, keepdims=True))
        return lib.sum(lib.matmul(powers / lib.sum(powers, axis=-1, keepdims=True), v))

    return loss


CASES: dict[str, Case] = {
    "Gradient of 50 operations, 100 elements": chain(lambda lib: lambda x: mixed(lib.tanh, x), VECTOR),
    "Gradient of a chain of 10,000 additions": chain(lambda lib: additions, VECTOR),
    "Hessian of a function of 50 variables": {
        "tinygrad_lite": our_hessian,
        "torch eager": torch_hessian,
        "HIPS autograd": autograd_hessian,
    },
    "conv2d 32 x 3 x 32 x 32, 16 kernels of 3 x 3": {
        "tinygrad_lite": lambda: by_backward(lambda x, w: F.conv2d(x, w, padding=1).sum(), IMAGES, KERNELS),
        "torch eager": lambda: by_torch(
            lambda torch: lambda x, w: torch.nn.functional.conv2d(x, w, padding=1).sum(), IMAGES, KERNELS
        ),
        "HIPS autograd": autograd_convolution,
        "MyGrad": mygrad_convolution,
    },
    "Causal attention 32 x 16 x 64, 4 heads": {
        "tinygrad_lite": lambda: by_backward(
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True).sum(), *HEADS
        ),
        "torch eager": lambda: by_torch(
            lambda torch: lambda *qkv: torch.nn.functional.scaled_dot_product_attention(*qkv, is_causal=True).sum(),
            *HEADS,
        ),
        "HIPS autograd": lambda: by_autograd(attention, *HEADS),
        "MyGrad": lambda: by_mygrad(attention, *HEADS),
    },
}
