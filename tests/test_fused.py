"""Fused operations against the same thing in elementary ones: values and derivatives up to the third order."""

import numpy as np
import pytest

from tinygrad_lite.op import table
from tinygrad_lite.testing.gradcheck import gradients

from .checks import as_tensors, every, flat, listed, wanted, weights_for


def mean(x, axes):
    return np.mean(x, axis=axes, keepdims=True)


def softmax(x, axis):
    powers = np.exp(x)
    return powers / np.sum(powers, axis=axis, keepdims=True)


def reduced(losses, reduction, count=None):
    if reduction == "none":
        return losses
    total = np.sum(losses)
    count = {"sum": 1, "batchmean": np.shape(losses)[:1]}.get(reduction, count or np.size(losses))
    return total / (count[0] if isinstance(count, tuple) else count)


def one_hot(targets, like):
    return np.eye(like.shape[-1], dtype=like.dtype)[np.asarray(targets).astype(int)]


def nll(logs, targets, weight, ignored, reduction, smoothing=0.0):
    count = targets.size
    if targets.dtype.kind != "f":
        kept = np.asarray(targets.data != ignored, logs.dtype)
        targets = one_hot(targets.data * kept, logs) * kept[..., None]
        count = float(np.sum(targets * (1 if weight is None else weight)))
    else:
        count //= logs.shape[-1]
        kept = np.ones(targets.shape[:-1])
    targets = targets * (1 - smoothing) + smoothing / logs.shape[-1] * kept[..., None]
    return reduced(-np.sum(logs * targets * (1 if weight is None else weight), axis=-1), reduction, count)


def dropout(x, p, generator):
    kept = generator.rand(*x.shape, dtype=np.float64) < 1 - p
    return x * kept.data / (1 - p) if p < 1 else x * 0.0


def huber(x, y, reduction, delta):
    d = x - y
    near = np.abs(d.data) < delta
    return reduced(np.where(near, d * d / 2, delta * (np.abs(d) - delta / 2)), reduction)


def bce(x, y, weight, reduction, pos_weight):
    p = 1 / (1 + np.exp(-x))
    losses = -(y * np.log(p) * (1 if pos_weight is None else pos_weight) + (1 - y) * np.log(1 - p))
    return reduced(losses * (1 if weight is None else weight), reduction)


def kl_div(x, y, reduction, log_target):
    return reduced(np.exp(y) * (y - x) if log_target else y * (np.log(y) - x), reduction)


def batch_norm(x, gain, bias, axis, eps, ddof):
    d = x - mean(x, axis)
    n = d.size // mean(x, axis).size
    var = mean(d * d, axis) * (n / (n - ddof))
    return gain * d / np.sqrt(var + eps) + bias, mean(x, axis), var


def rms_norm(x, shape, weight, eps):
    out = x / np.sqrt(mean(x * x, tuple(range(-np.size(shape), 0))) + (np.finfo(x.dtype).eps if eps is None else eps))
    return out if weight is None else out * weight


def layer_norm(x, shape, weight, bias, eps):
    out = rms_norm(x - mean(x, tuple(range(-np.size(shape), 0))), shape, weight, eps)
    return out if bias is None else out + bias


def attention(query, key, value, mask, is_causal, scale):
    scores = np.matmul(query, key.mT) * (query.shape[-1] ** -0.5 if scale is None else scale)
    visible = np.tri(*scores.shape[-2:]) if is_causal else 1.0
    if mask is not None and mask.dtype == bool:
        visible = mask.data * 1.0
    elif mask is not None:
        scores = scores + mask
    powers = np.exp(scores) * visible
    sums = np.sum(powers, axis=-1, keepdims=True)
    return np.matmul(powers / (sums + (sums.data == 0)), value)


FUSED = {
    "batch_norm": batch_norm,
    "binary_cross_entropy_with_logits": bce,
    "cross_entropy": lambda logits, *arguments: nll(np.log(softmax(logits, -1)), *arguments),
    "dropout": dropout,
    "embedding": lambda indices, weight: np.matmul(one_hot(indices.data, weight.mT), weight),
    "gelu": lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi).item() * (x + 0.044715 * x * x * x))) / 2,
    "huber_loss": huber,
    "kl_div": kl_div,
    "l1_loss": lambda x, y, reduction: reduced(np.abs(x - y), reduction),
    "layer_norm": layer_norm,
    "linear": lambda x, weight, bias: np.matmul(x, weight) + (0.0 if bias is None else bias),
    "log_softmax": lambda x, axis: np.log(softmax(x, axis)),
    "logsumexp": lambda a, axis, keepdims: np.log(np.sum(np.exp(a), axis=axis, keepdims=keepdims)),
    "mse_loss": lambda x, y, reduction: reduced((x - y) ** 2, reduction),
    "nll_loss": nll,
    "rms_norm": rms_norm,
    "scaled_dot_product_attention": attention,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softmax": softmax,
    "softplus": lambda x, beta: np.log(1 + np.exp(beta * x)) / beta,
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
}


def test_what_keeps_a_hidden_output_is_here():
    """A hidden output depends on the inputs: a rule that forgot that is wrong from the second order on."""
    assert {op.name for op in table.values() if op.visible < len(op.outputs) and not op.numpy} <= set(FUSED)


def orders(function, op, args):
    """The outputs, and one after the other the gradients of what is randomly weighted."""
    positions = wanted(op, args)
    tensors = as_tensors(op, args, positions)
    leaves = flat(tensors, positions)
    found = [[each for each in listed(function(*tensors)) if each.dtype.kind == "f"]]
    for order in (1, 2, 3):
        found.append(gradients(found[-1], weights_for(found[-1], order), leaves, create_graph=order < 3))
    return found


@pytest.mark.parametrize("name", FUSED)
def test_as_composed(name):
    op = table[name]

    def check(op, args):
        fused, composed = orders(op.function, op, args), orders(FUSED[op.name], op, args)
        for order, (ours, others) in enumerate(zip(fused, composed, strict=True)):
            for one, other in zip(ours, others, strict=True):
                assert one.shape == other.shape
                size = 1 + np.abs(other.data).max(initial=0.0)  # the composed form loses digits where terms cancel
                np.testing.assert_allclose(one.data / size, other.data / size, 1e-8, 1e-9, err_msg=f"order {order}")

    every(op, check, max_examples=15)


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_the_scale_of_a_norm_by_itself(name):
    """Its derivative serves the second one, where that of `normal` goes with it; so here alone, by differences."""
    op = table[name]
    x = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
    args, h = (None, 3, *[None] * (len(op.parameters) - 3), 0.1), 1e-6
    g_scale = np.array([[0.75], [-1.5]])
    _, normal, scale = op.forward(x, *args[1:])
    got = op.vjp["x"]((None, None, g_scale), normal, scale, None, 3)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        up, down = (op.forward(x + sign * step, *args[1:])[2] for sign in (1, -1))
        np.testing.assert_allclose(got[place], np.sum(g_scale * (up - down)) / (2 * h), 1e-6, 1e-9)
