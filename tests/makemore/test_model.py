"""The model against the same model in torch: losses, gradients, running statistics, evaluation."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from makemore.model import EVALUATED_AT_ONCE, Model
from makemore.training import Run, Settings
from makemore.words import bundled_names, read_words

from ..torch_backend import NamesModel, from_numpy, torch

CLOSE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture
def run():
    """The reference model at its start, on the bundled names."""
    return Run(read_words(bundled_names()), Settings())


def rough(model, seed=0):
    """Move every number of the model away from where it starts, so that each has its part in the result."""
    rng = np.random.default_rng(seed)
    for name, array in model.state.items():
        array += (0.3 * rng.standard_normal(array.shape)).astype(np.float32)
        if name == "running_std":
            np.abs(array, out=array)
            array += 0.5
    return model


def batch(rng, letters, block_size, size):
    return rng.integers(0, letters, (size, block_size)), rng.integers(0, letters, size)


def assert_same(model, other):
    """The loss has been run backward in both."""
    for name, parameter in model.parameters.items():
        assert parameter.grad.dtype == np.float32
        np.testing.assert_allclose(parameter.grad.numpy(), other.parameters[name].grad, **CLOSE, err_msg=name)
    np.testing.assert_allclose(model.running_mean, other.running_mean, **CLOSE)
    np.testing.assert_allclose(model.running_std, other.running_std, **CLOSE)


def test_shapes_and_start(run):
    model = run.model
    assert {name: parameter.shape for name, parameter in model.parameters.items()} == {
        "C": (27, 15),
        "W1": (45, 200),
        "b1": (200,),
        "W2": (200, 27),
        "b2": (27,),
        "gain": (1, 200),
        "bias": (1, 200),
    }
    assert all(array.dtype == np.float32 for array in model.state.values())
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in model.parameters.values())


def test_weights_are_those_torch_draws(run):
    generator = torch.Generator().manual_seed(2147483647)
    drawn = {
        "C": torch.randn((27, 15), generator=generator),
        "W1": torch.randn((45, 200), generator=generator) * (5 / 3) / 45**0.5,
        "b1": torch.randn(200, generator=generator) * 0.01,
        "W2": torch.randn((200, 27), generator=generator) * 0.01,
        "b2": torch.randn(27, generator=generator) * 0,
        "gain": torch.ones((1, 200)),
        "bias": torch.zeros((1, 200)),
    }
    for name, right in drawn.items():
        np.testing.assert_allclose(run.model.parameters[name].numpy(), right, rtol=0, atol=1e-6, err_msg=name)


def test_one_step_against_torch(run):
    """From the start: every gradient, the loss, the statistics."""
    other = NamesModel(run.model.state)
    rows = np.asarray(run.generator.randint(0, len(run.data.train), (32,)))
    contexts, targets = run.data.train.contexts[rows], run.data.train.targets[rows]
    loss, right = run.model.loss(contexts, targets), other.loss(contexts, targets)
    assert loss.shape == ()
    assert loss.dtype == np.float32
    assert loss.item() == pytest.approx(right.item(), rel=0, abs=1e-5)
    loss.backward()
    right.backward()
    assert_same(run.model, other)
    assert all(np.abs(run.model.parameters[name].grad.numpy()).max() > 1e-4 for name in ("C", "W1", "W2", "gain"))


def test_twenty_steps_against_torch(run):
    """The updates as well, as the training makes them."""
    other = NamesModel(run.model.state)
    drawn = np.asarray(tg.Generator().manual_seed(1).randint(0, len(run.data.train), (20, 32)))
    run._drawn = drawn
    contexts, targets = run.data.train
    run.advance(20)
    for rows, loss in zip(drawn, run.losses, strict=False):
        right = other.loss(contexts[rows], targets[rows])
        assert loss == pytest.approx(right.item(), rel=0, abs=1e-5)
        right.backward()
        other.step(0.1)
    for name, parameter in run.model.parameters.items():
        np.testing.assert_allclose(parameter.numpy(), other.parameters[name].detach(), **CLOSE, err_msg=name)
    np.testing.assert_allclose(run.model.running_mean, other.running_mean, **CLOSE)
    np.testing.assert_allclose(run.model.running_std, other.running_std, **CLOSE)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    letters=st.integers(2, 30),
    block_size=st.integers(1, 5),
    embedding=st.integers(1, 8),
    hidden=st.integers(1, 20),
    size=st.integers(8, 64),
)
def test_any_size_against_torch(seed, letters, block_size, embedding, hidden, size):
    model = rough(Model(letters, block_size, embedding, hidden, tg.Generator().manual_seed(seed)), seed)
    other = NamesModel(model.state)
    examples = batch(np.random.default_rng(seed), letters, block_size, size)
    x = model.C.numpy()[examples[0]].reshape(size, -1) @ model.W1.numpy() + model.b1.numpy()
    smallest = x.std(0, ddof=1).min()
    # BatchNorm divides by it: below, and with so few contexts that a batch has but two values in a unit, where the
    # exact gradient is 0, both engines show what they round.
    assume(smallest > 0.2 and len(np.unique(examples[0], axis=0)) > 4)
    before = model.logits(examples[0])
    np.testing.assert_allclose(before, other.logits(examples[0]), rtol=1e-5, atol=1e-5)
    loss, right = model.loss(*examples), other.loss(*examples)
    assert loss.item() == pytest.approx(right.item(), rel=1e-5, abs=1e-5)
    loss.backward()
    right.backward()
    largest = max(float(parameter.grad.abs().max()) for parameter in other.parameters.values())
    for name, parameter in model.parameters.items():
        bound = 1e-5 * max(1, largest)
        np.testing.assert_allclose(parameter.grad.numpy(), other.parameters[name].grad, 0, bound, err_msg=name)
    np.testing.assert_allclose(model.running_std, other.running_std, **CLOSE)


def test_batchnorm_has_no_eps_and_the_running_standard_deviation(run):
    """A hidden unit that hardly varies is blown up to a standard deviation of 1; a small eps would forbid that."""
    model = Model(5, 2, 3, 4, tg.Generator().manual_seed(0))
    for parameter in (model.W1, model.b1):
        parameter.data[...] *= 1e-4
    contexts, targets = batch(np.random.default_rng(0), 5, 2, 16)
    x = model.C.numpy()[contexts].reshape(16, -1) @ model.W1.numpy() + model.b1.numpy()
    normal = (x - x.mean(0)) / x.std(0, ddof=1)
    logits = np.tanh(normal) @ model.W2.numpy()
    right = from_numpy(logits)
    loss = model.loss(contexts, targets).item()
    assert loss == pytest.approx(torch.nn.functional.cross_entropy(right, from_numpy(targets)).item(), abs=1e-5)
    np.testing.assert_allclose(model.running_std[0], 0.999 + 0.001 * x.std(0, ddof=1), rtol=1e-6)


def test_evaluation_mode_against_torch(run):
    other = NamesModel(rough(run.model).state)
    contexts, targets = run.data.dev
    right = other.logits(contexts)
    before = {name: array.copy() for name, array in run.model.state.items()}
    np.testing.assert_allclose(run.model.logits(contexts), right, rtol=1e-5, atol=2e-5)
    loss = torch.nn.functional.cross_entropy(right, from_numpy(targets)).item()
    assert run.model.evaluate(contexts, targets) == pytest.approx(loss, rel=0, abs=1e-5)
    for name, array in run.model.state.items():
        np.testing.assert_array_equal(array, before[name])


def test_evaluation_does_not_depend_on_the_batch(run):
    """Unlike in training, an example alone gets the logits that it gets among others."""
    model = rough(run.model)
    contexts = run.data.dev.contexts[:50]
    together = model.logits(contexts)
    for i in range(0, 50, 7):
        np.testing.assert_allclose(model.logits(contexts[i : i + 1])[0], together[i], rtol=1e-5, atol=1e-5)
    assert not isinstance(together, tg.Tensor)


@pytest.mark.parametrize("number", [1, EVALUATED_AT_ONCE - 1, EVALUATED_AT_ONCE, EVALUATED_AT_ONCE + 1, 10_000])
def test_evaluation_in_parts_is_the_mean_over_all(number):
    model = rough(Model(5, 2, 3, 4, tg.Generator().manual_seed(0)))
    contexts, targets = batch(np.random.default_rng(0), 5, 2, number)
    right = torch.nn.functional.cross_entropy(from_numpy(model.logits(contexts)).double(), from_numpy(targets))
    assert model.evaluate(contexts, targets) == pytest.approx(right.item(), rel=1e-6)


def test_load_state(run):
    other = Model(27, 3, 15, 200, tg.Generator().manual_seed(1))
    other.load_state(rough(run.model).state)
    for name, array in other.state.items():
        np.testing.assert_array_equal(array, run.model.state[name])
        assert not np.shares_memory(array, run.model.state[name])


def test_load_state_refuses(run):
    state = run.model.state
    with pytest.raises(ValueError, match=r"^gain is float32\(1, 100\), not float32\(1, 200\)$"):
        run.model.load_state({**state, "gain": state["gain"][:, :100]})
    with pytest.raises(ValueError, match=r"^b1 is float64\(200,\), not float32\(200,\)$"):
        run.model.load_state({**state, "b1": state["b1"].astype(np.float64)})
