"""What torch has for the operations of ops/convolution.py."""

import warnings

import torch


def _patches(x, kernel, stride, padding, dilation, fill=0.0):
    """Padding, and then unfold for each axis."""
    x = torch.nn.functional.pad(x, [n for sides in padding[::-1] for n in sides], value=fill)
    for axis, (k, s, d) in enumerate(zip(kernel, stride, dilation, strict=True)):
        x = x.unfold(2 + axis, d * (k - 1) + 1, s)[..., ::d]
    dims = len(kernel)
    return x.permute(0, 1, *range(2 + dims, 2 + 2 * dims), *range(2, 2 + dims)).contiguous()


def _add_patches(values, size, stride, padding, dilation):
    """The way back of _patches, which is linear: its vjp."""
    x = torch.zeros(*values.shape[:2], *size, dtype=values.dtype, requires_grad=True)
    with torch.enable_grad():
        found = _patches(x, values.shape[2 : 2 + len(size)], stride, padding, dilation)
    weights = values if values.requires_grad else values.clone().requires_grad_()
    (result,) = torch.autograd.grad(found, x, weights, create_graph=True, allow_unused=True)
    return result if values.requires_grad else result.detach()


def _conv(function):
    def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")  # that it is slow
            return function(x, weight, bias, stride, padding, dilation, groups)

    return conv


def _avg_pool(function):
    def pool(x, kernel_size, stride=None, padding=0, count_include_pad=True):
        return function(x, kernel_size, stride, padding, False, count_include_pad)

    return pool


OPERATIONS = {
    "add_patches": _add_patches,
    "avg_pool1d": _avg_pool(torch.nn.functional.avg_pool1d),
    "avg_pool2d": _avg_pool(torch.nn.functional.avg_pool2d),
    "conv1d": _conv(torch.nn.functional.conv1d),
    "conv2d": _conv(torch.nn.functional.conv2d),
    "max_pool1d": torch.nn.functional.max_pool1d,
    "max_pool2d": torch.nn.functional.max_pool2d,
    "patches": _patches,
}

WITHOUT: dict[str, str] = {}
