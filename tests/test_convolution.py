"""Convolution and pooling: what the table's tests do not say of them."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F

from . import torch_backend
from .messages import refused

torch = torch_backend.torch

REFUSED = [
    (lambda x, w: F.conv2d(x[0, 0], w), "conv2d: takes x (N, C, H, W)", "got (5, 6) and (4, 3, 2, 3)"),
    (lambda x, w: F.conv1d(x, w), "conv1d: takes x (N, C, L)", "(2, 3, 5, 6)"),
    (lambda x, w: F.conv2d(x[:, :2], w), "conv2d: x has 2 channels, weight (4, 3, 2, 3) takes 3 in each of 1 groups"),
    (lambda x, w: F.conv2d(x, w, groups=3), "conv2d: x has 3 channels", "3 in each of 3 groups"),
    (lambda x, w: F.conv2d(x, w, groups=0), "conv2d: x has 3 channels", "in each of 0 groups"),
    (lambda x, w: F.conv2d(x, w, np.ones(3)), "conv2d: weight (4, 3, 2, 3) takes a bias (4,), got (3,)"),
    (lambda x, w: F.conv2d(x, w, stride=0), "conv2d: stride takes an int of 1 or more or 2 of them, got 0"),
    (lambda x, w: F.conv2d(x, w, dilation=(1, 2, 3)), "conv2d: dilation takes", "got (1, 2, 3)"),
    (lambda x, w: F.conv2d(x, w, padding="full"), "conv2d: padding takes", "got 'full'"),
    (lambda x, w: F.conv2d(x, w, padding=-1), "conv2d: padding takes an int of 0 or more"),
    (lambda x, w: F.conv2d(x, w, stride=2, padding="same"), "conv2d: padding='same' takes stride=1, got (2, 2)"),
    (
        lambda x, w: F.conv2d(x, w, dilation=5),
        "conv2d: a kernel of (2, 3) spans (6, 11), but the padded input is (5, 6)",
    ),
    (lambda x, w: F.max_pool2d(x[0, 0], 2), "max_pool2d: takes x (N, C, H, W), got (5, 6)"),
    (lambda x, w: F.max_pool2d(x, 0), "max_pool2d: kernel_size takes an int of 1 or more"),
    (
        lambda x, w: F.avg_pool2d(x, 2, padding=2),
        "avg_pool2d: padding (2, 2) must be at most half of the kernel (2, 2)",
    ),
    (lambda x, w: F.avg_pool1d(x[0], 7), "avg_pool1d: a kernel of (7,) spans (7,), but the padded input is (6,)"),
    (lambda x, w: F.max_pool1d(x[0], 2, stride=1.5), "max_pool1d: stride takes an int of 1 or more, got 1.5"),
]


@pytest.mark.parametrize(("call", "words"), [(call, words) for call, *words in REFUSED])
def test_what_is_refused(call, words):
    with refused(ValueError, *words):
        call(tg.ones((2, 3, 5, 6)), tg.ones((4, 3, 2, 3)))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_step_of_a_convolutional_network_is_torch_s(groups):
    """float32, of a real size: convolution, pooling, convolution, mean; all gradients."""
    rng = np.random.default_rng(groups)
    arrays = [
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((8, 4, 28, 28), (16, 4 // groups, 3, 3), (16,), (8, 16, 3, 3), (8,))
    ]

    def network(f, x, w, b, v, c):
        hidden = f.max_pool2d(f.relu(f.conv2d(x, w, b, padding=1, groups=groups)), 2)
        return f.avg_pool2d(f.conv2d(hidden, v, c, stride=2, dilation=2), 2).mean()

    ours = [tg.tensor(each, requires_grad=True) for each in arrays]
    theirs = [torch_backend.from_numpy(each, True) for each in arrays]
    loss, their_loss = network(F, *ours), network(torch.nn.functional, *theirs)
    loss.backward()
    their_loss.backward()
    np.testing.assert_allclose(loss.item(), their_loss.item(), 1e-4)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), 1e-3, 1e-6)


def test_what_is_padded_is_never_the_largest():
    x = tg.tensor([[[-5.0, -3.0, -4.0]]], requires_grad=True)
    result = F.max_pool1d(x, 3, stride=2, padding=1)
    assert result.tolist() == [[[-3.0, -3.0]]]
    result.sum().backward()
    assert x.grad.tolist() == [[[0.0, 2.0, 0.0]]]


def test_integers_are_pooled_too():
    x = tg.arange(6).reshape(1, 1, 6)
    assert F.max_pool1d(x, 2).tolist() == [[[1, 3, 5]]]
    assert F.max_pool1d(x, 2, padding=1).tolist() == [[[0, 2, 4, 5]]]
    assert F.max_pool1d(x, 2).dtype == np.int64
    assert F.avg_pool1d(x, 2).tolist() == [[[0.5, 2.5, 4.5]]]
    assert F.avg_pool1d(x, 2).dtype == np.float32
