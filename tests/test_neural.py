"""Conventions and errors of the operations of neural networks that the table's tests do not show."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F

from .messages import refused
from .torch_backend import torch

X = tg.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 0.0]])
Y = tg.tensor([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]])
WRONG = [
    (ValueError, lambda: F.cross_entropy(X, [0, 1], reduction="avg"), ["cross_entropy: reduction", "'avg'"]),
    (ValueError, lambda: F.cross_entropy(X, [0, 1], label_smoothing=1.5), ["cross_entropy: label_smoothing", "1.5"]),
    (ValueError, lambda: F.cross_entropy(X, [0, 1], [1.0, 2.0]), ["cross_entropy: weight", "(3,)", "got (2,)"]),
    (ValueError, lambda: F.cross_entropy(X, Y, ignore_index=1), ["cross_entropy: ignore_index", "probabilities"]),
    (ValueError, lambda: F.cross_entropy(X, Y[:, :2]), ["cross_entropy: takes logits", "(2, 3) and (2, 2)"]),
    (IndexError, lambda: F.cross_entropy(X, [0, 3], reduction="sum"), ["cross_entropy: index 3 is out of range"]),
    (TypeError, lambda: F.nll_loss(X, [0.0, 1.0]), ["nll_loss: ", "integers, got float"]),
    (IndexError, lambda: F.nll_loss(X, [0, -1]), ["nll_loss: index -1 is out of range"]),
    (ValueError, lambda: F.nll_loss(X, Y), ["nll_loss: takes input", "(2, 3) and (2, 3)"]),
    (ValueError, lambda: F.mse_loss(X, Y[0]), ["mse_loss: ", "one shape", "(2, 3) and (3,)"]),
    (ValueError, lambda: F.l1_loss(X[:0], Y[:0]), ["l1_loss: the mean of no elements", "(0, 3)"]),
    (ValueError, lambda: F.mse_loss(X, Y, "batchmean"), ["mse_loss: reduction", "'batchmean'"]),
    (ValueError, lambda: F.huber_loss(X, Y, delta=0.0), ["huber_loss: delta", "0.0"]),
    (ValueError, lambda: F.softmax_focal_loss(X, [0, 1], gamma=-1.0), ["softmax_focal_loss: gamma", "-1.0"]),
    (ValueError, lambda: F.focal_loss(Y, [0, 1], gamma=-1.0), ["focal_loss: gamma", "-1.0"]),
    (IndexError, lambda: F.focal_loss(Y, [0, 3]), ["focal_loss: ", "index 3 is out of range"]),
    (ValueError, lambda: F.margin_ranking_loss(X, Y, X[0]), ["margin_ranking_loss: ", "one shape", "(3,)"]),
    (
        ValueError,
        lambda: F.binary_cross_entropy_with_logits(X, Y, np.ones((2, 2, 3))),
        ["binary_cross_entropy_with_logits: weight", "broadcast to (2, 3)", "(2, 2, 3)"],
    ),
    (ValueError, lambda: F.layer_norm(X, 2), ["layer_norm: ", "(2, 3)", "normalized_shape 2"]),
    (ValueError, lambda: F.layer_norm(X, ()), ["layer_norm: ", "normalized_shape ()"]),
    (ValueError, lambda: F.layer_norm(X, 3, X), ["layer_norm: ", "(3,)", "got (2, 3)"]),
    (ValueError, lambda: F.rms_norm(X[:, :0], 0), ["rms_norm: ", "(2, 0)"]),
    (ValueError, lambda: F.dropout(X, 1.5, generator=tg.Generator()), ["dropout: p is a probability", "1.5"]),
    (ValueError, lambda: F.dropout(X, float("nan"), generator=tg.Generator()), ["dropout: p", "nan"]),
    (TypeError, lambda: F.dropout(X, generator=np.random.default_rng()), ["dropout: generator", "a tg.Generator"]),
    (
        ValueError,
        lambda: F.scaled_dot_product_attention(X, X[:, :2], X),
        ["scaled_dot_product_attention: ", "last axis", "query (2, 3), key (2, 2)"],
    ),
    (
        ValueError,
        lambda: F.scaled_dot_product_attention(X, X, X[:1]),
        ["scaled_dot_product_attention: ", "key (2, 3), value (1, 3)"],
    ),
    (
        ValueError,
        lambda: F.scaled_dot_product_attention(np.ones((2, 2, 3)), tg.ones((3, 2, 3)), X),
        ["scaled_dot_product_attention: ", "broadcast", "(2, 2, 3)", "(3, 2, 3)"],
    ),
    (
        ValueError,
        lambda: F.scaled_dot_product_attention(X, X, X, np.ones((3, 2, 2), bool)),
        ["scaled_dot_product_attention: attn_mask (3, 2, 2)", "(2, 2)"],
    ),
    (
        TypeError,
        lambda: F.scaled_dot_product_attention(X, X, X, np.ones((2, 2), int)),
        ["scaled_dot_product_attention: attn_mask takes bools", "int64"],
    ),
    (
        ValueError,
        lambda: F.scaled_dot_product_attention(X, X, X, np.ones((2, 2), bool), is_causal=True),
        ["scaled_dot_product_attention: ", "not both"],
    ),
]


@pytest.mark.parametrize(("kind", "call", "words"), WRONG)
def test_errors(kind, call, words):
    with refused(kind, *words):
        call()


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("cross_entropy", lambda w: F.cross_entropy(X, [0, 1], weight=w)),
        ("nll_loss", lambda w: F.nll_loss(X, [0, 1], weight=w)),
        ("binary_cross_entropy_with_logits", lambda w: F.binary_cross_entropy_with_logits(X, Y, weight=w)),
        ("binary_cross_entropy_with_logits", lambda w: F.binary_cross_entropy_with_logits(X, Y, pos_weight=w)),
    ],
)
def test_a_weight_that_requires_a_gradient_is_refused(name, loss):
    """It has a derivative, which is not known, so nothing may be dropped in silence."""
    weight = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with refused(TypeError, f"{name}: no gradient of", "weight.detach()"):
        loss(weight)
    with tg.no_grad():
        loss(weight)
    assert not loss(weight.detach()).requires_grad


def test_ignored_rows():
    x = tg.tensor(X.data, requires_grad=True)
    F.cross_entropy(x, np.array([2, -100], np.int8)).backward()
    alone = tg.tensor(X.data[:1], requires_grad=True)
    F.cross_entropy(alone, [2]).backward()
    np.testing.assert_allclose(x.grad.data, [alone.grad.data[0], np.zeros(3)], 1e-6)
    assert F.cross_entropy(x, [-100, 1], reduction="none").data[0] == 0


@pytest.mark.parametrize("kind", ["i", "u"])
@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_targets_of_every_integer_type(kind, size):
    targets = np.array([0, 1]).astype(f"{kind}{size}")
    assert F.cross_entropy(X, targets).item() == F.cross_entropy(X, [0, 1]).item()
    assert F.nll_loss(X, targets).item() == F.nll_loss(X, [0, 1]).item()


def test_a_negative_index_is_none_however_few_bits_it_has():
    """-100 of 8 bits, seen as unsigned, is 156."""
    weight = tg.ones((200, 2))
    with refused(IndexError, "embedding: index -100 is out of range"):
        F.embedding(np.array([-100], np.int8), weight)
    assert F.embedding(np.array([127], np.int8), weight).shape == (1, 2)
    assert F.embedding(np.array([199], np.uint8), weight).shape == (1, 2)


def test_probabilities_of_one_class_are_that_class():
    for smoothing in (0.0, 0.1):
        hard = F.cross_entropy(X, [2, 0], label_smoothing=smoothing)
        soft = F.cross_entropy(X, F.one_hot([2, 0], 3), label_smoothing=smoothing)
        assert soft.item() == pytest.approx(hard.item(), rel=1e-6)


def test_float64_probabilities_do_not_widen():
    assert F.cross_entropy(X, np.full((2, 3), 1 / 3)).dtype == np.float32


def test_kl_div_of_impossible_events():
    x = tg.tensor([0.0, -1.0], requires_grad=True)
    loss = F.kl_div(x, [0.0, 1.0], "sum")
    loss.backward()
    assert (loss.item(), x.grad.tolist()) == (1.0, [0.0, -1.0])


# dropout


def test_dropout_in_evaluation():
    generator = tg.Generator().manual_seed(1)
    before = generator.get_state()
    assert F.dropout(X, 0.5, False, generator=generator) is X
    assert F.dropout(X, 0.0, generator=generator) is X
    assert not F.dropout(X, 1.0, generator=generator).data.any()
    assert (generator.get_state() == before).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_is_torch_s(dtype, p):
    """The same elements, and the generator is then where torch's is."""
    generator = tg.Generator().manual_seed(7)
    x = tg.tensor(np.arange(1, 1001, dtype=dtype).reshape(10, 100), requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        for _ in range(2):
            out = F.dropout(x, p, generator=generator)
            theirs = torch.nn.functional.dropout(torch.from_numpy(x.data), p)
            np.testing.assert_array_equal(out.data, theirs.numpy())
            assert (generator.get_state() == torch.get_rng_state().numpy()).all()
    out.sum().backward()
    np.testing.assert_allclose(x.grad.data, (out.data != 0) / (1 - p), 1e-6)


# attention


def test_a_query_that_sees_no_key():
    """Zeros, and no nan in any gradient."""
    inputs = [tg.tensor(np.random.default_rng(i).normal(size=(3, 3)), requires_grad=True) for i in range(3)]
    mask = np.array([[True, False, True], [False, False, False], [True, True, True]])
    out = F.scaled_dot_product_attention(*inputs, mask)
    assert out.data[1].tolist() == [0.0, 0.0, 0.0]
    (out * out).sum().backward(create_graph=True)
    sum((each.grad * each.grad).sum() for each in inputs).backward()
    assert all(np.isfinite(each.grad.data).all() for each in inputs)
    assert not inputs[0].grad.data[1].any()


def test_attention_needs_no_keys_and_no_features():
    assert not F.scaled_dot_product_attention(X, X[:0], X[:0]).data.any()
    means = F.scaled_dot_product_attention(X[:, :0], X[:, :0], X)
    np.testing.assert_allclose(means.data, np.tile(X.data.mean(0), (2, 1)))


@pytest.mark.parametrize("rows", [5, 64, 65, 200])
@pytest.mark.parametrize("number", [1.0, np.inf, np.nan])
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.uint64])
def test_the_gradient_of_an_embedding_stays_in_its_row(rows, number, dtype):
    """In small tables and large ones; what is not finite does not spread to other rows."""
    weight = tg.tensor(np.ones((rows, 3)), requires_grad=True)
    indices = np.array([[rows - 1, 0, rows - 1], [1, rows - 1, 2]])
    if rows - 1 > np.iinfo(dtype).max:
        indices = indices.clip(max=np.iinfo(dtype).max)
    indices = indices.astype(dtype)
    cotangent = np.arange(18.0).reshape(2, 3, 3)
    cotangent[0, 1, 2] = number
    F.embedding(indices, weight).backward(tg.tensor(cotangent))
    right = np.zeros((rows, 3))
    np.add.at(right, indices, cotangent)
    np.testing.assert_array_equal(weight.grad.data, right)


def test_softmax_of_nothing():
    for function in (F.softmax, F.log_softmax):
        x = tg.zeros((2, 0), requires_grad=True)
        function(x).sum().backward()
        assert x.grad.shape == function(x).shape == (2, 0)
        assert function(tg.zeros((0, 2))).shape == (0, 2)


def test_relu_of_nan_passes_the_gradient():
    x = tg.tensor([np.nan, -1.0, 0.0, 2.0], requires_grad=True)
    F.relu(x).sum().backward()
    assert x.grad.tolist() == [1, 0, 0, 1]
