"""Neuron, Layer and MLP against hand computation, their gradients, and a training run to the end."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lite.engine import Value
from tinygrad_lite.neuron import MLP, Layer, Module, Neuron


def test_a_neuron_by_hand() -> None:
    neuron = Neuron(2, activation="tanh")
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = -3.0, 1.0, 6.8813735870195432
    out = neuron([2.0, 0.0])
    out.backward()
    assert out.data == pytest.approx(math.sqrt(0.5))
    assert [p.grad for p in neuron.parameters()] == pytest.approx([1.0, 0.0, 0.5])


@pytest.mark.parametrize(
    ("activation", "at_2", "at_minus_2"),
    [("relu", 2.0, 0.0), ("tanh", math.tanh(2.0), -math.tanh(2.0)), ("linear", 2.0, -2.0)],
)
def test_activations(activation: str, at_2: float, at_minus_2: float) -> None:
    neuron = Neuron(1, activation)
    neuron.w[0].data = 1.0
    assert (neuron([2.0]).data, neuron([-2.0]).data) == (at_2, at_minus_2)


def test_parameters_and_their_order() -> None:
    net = MLP(2, [16, 16, 1])
    assert len(net.parameters()) == 16 * 3 + 16 * 17 + 17
    assert len(set(net.parameters())) == len(net.parameters())
    first = net.layers[0].neurons[0]
    assert net.parameters()[:3] == [*first.w, first.b]
    assert net.layers[0].parameters() == net.parameters()[:48]
    assert Module().parameters() == []


def test_weights_are_drawn_like_micrograd_s() -> None:
    draws = random.Random(1337)
    net = MLP(2, [3, 1], rng=random.Random(1337))
    for layer in net.layers:
        for neuron in layer.neurons:
            assert [w.data for w in neuron.w] == [draws.uniform(-1, 1) for _ in neuron.w]
            assert neuron.b.data == 0.0


def test_without_a_generator_the_global_one_draws() -> None:
    random.seed(7)
    one = Neuron(3)
    random.seed(7)
    assert [w.data for w in one.w] == [random.uniform(-1, 1) for _ in range(3)]
    state = random.getstate()
    Neuron(3, rng=random.Random(0))
    assert random.getstate() == state


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
@settings(max_examples=25, deadline=None)
@given(
    nouts=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    x=st.lists(st.floats(-2, 2), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_outputs_are_those_of_matrices(activation: str, nouts: list[int], x: list[float], seed: int) -> None:
    """The judge is NumPy: matrix products, and the last layer linear. One output comes as a Value, more as a list."""
    net = MLP(len(x), nouts, activation, random.Random(seed))
    numbers = np.array(x)
    for i, layer in enumerate(net.layers):
        weights = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
        numbers = weights @ numbers + [neuron.b.data for neuron in layer.neurons]
        if i < len(nouts) - 1:
            numbers = {"relu": np.maximum(numbers, 0), "tanh": np.tanh(numbers), "linear": numbers}[activation]
    out = net(x)
    assert isinstance(out, Value if nouts[-1] == 1 else list)
    outputs = [out] if isinstance(out, Value) else out
    assert [v.data for v in outputs] == pytest.approx(list(numbers), rel=1e-12, abs=1e-12)


def test_gradients_of_a_network_match_central_differences() -> None:
    net = MLP(3, [4, 1, 2], activation="tanh", rng=random.Random(5))
    x = [Value(0.5), Value(-1.0), Value(2.0)]

    def loss() -> Value:
        first, second = net(x)
        return first * first + second

    loss().backward()
    for p in [*net.parameters(), *x]:
        here = p.data
        p.data = here + 1e-5
        up = loss().data
        p.data = here - 1e-5
        down = loss().data
        p.data = here
        assert p.grad == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-8)


def test_zero_grad() -> None:
    net = MLP(2, [3, 1], activation="tanh", rng=random.Random(0))
    x = [Value(1.0), Value(2.0)]
    net(x).backward()
    assert any(p.grad for p in net.parameters())
    net.zero_grad()
    assert [p.grad for p in net.parameters()] == [0.0] * 13
    assert x[0].grad != 0.0


def test_inputs_may_be_numbers_values_or_an_array() -> None:
    net = MLP(2, [3, 1], rng=random.Random(0))
    outs = [net(x) for x in ([1, 2], (1.0, Value(2.0)), [Value(1), Value(2)], np.array([1.0, 2.0]), range(1, 3))]
    assert [type(out) for out in outs] == [Value] * 5
    assert {float(out) for out in outs} == {float(outs[0])}


def test_a_layer_of_one_neuron_gives_a_value_and_may_stand_inside() -> None:
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert isinstance(Layer(2, 2)([1.0, 2.0]), list)
    net = MLP(1, [1, 1], activation="linear", rng=random.Random(0))
    (inner,), (outer,) = (layer.neurons for layer in net.layers)
    assert float(net([2.0])) == outer.w[0].data * (inner.w[0].data * 2.0)


def test_the_lecture_s_training_loop() -> None:
    net = MLP(3, [4, 4, 1], activation="tanh", rng=random.Random(42))
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    losses = []
    for _ in range(60):
        loss = sum((net(x) - y) ** 2 for x, y in zip(xs, ys, strict=True))
        net.zero_grad()
        loss.backward()
        for p in net.parameters():
            p.data += -0.05 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.01 < 1.0 < losses[0]


def test_reprs_are_what_makes_them() -> None:
    assert repr(Neuron(2)) == "Neuron(2, activation='relu')"
    assert repr(Layer(2, 16, "tanh")) == "Layer(2, 16, activation='tanh')"
    assert repr(MLP(2, [16, 16, 1], "tanh")) == "MLP(2, [16, 16, 1], activation='tanh')"
    assert repr(MLP(2, (1,)).layers) == "[Layer(2, 1, activation='linear')]"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Neuron(2)([1.0]), ValueError, "Neuron: takes 2 inputs, got 1"),
        (lambda: Layer(2, 3)([1.0] * 3), ValueError, "Neuron: takes 2 inputs, got 3"),
        (lambda: MLP(2, [3, 1])([]), ValueError, "Neuron: takes 2 inputs, got 0"),
        (lambda: MLP(1, [1])(2.0), TypeError, "Neuron: takes a list of 1 numbers or Values, not a float"),
        (lambda: MLP(1, [1])(Value(2)), TypeError, "Neuron: takes a list of 1 numbers or Values, not a Value"),
        (lambda: Neuron(2)([None, 2]), TypeError, "unsupported operand type(s) for *: 'Value' and 'NoneType'"),
        (lambda: Neuron(2, "gelu"), ValueError, "unknown activation 'gelu': choose from relu, tanh, linear"),
        (lambda: MLP(2, [1], "gelu"), ValueError, "unknown activation 'gelu': choose from relu, tanh, linear"),
        (lambda: Neuron(0), ValueError, "nin: must be 1 or more, got 0"),
        (lambda: Layer(2, -1), ValueError, "nout: must be 1 or more, got -1"),
        (lambda: MLP(2, [3, 0]), ValueError, "nout: must be 1 or more, got 0"),
        (lambda: MLP(2, [2.5]), TypeError, "'float' object cannot be interpreted as an integer"),
        (lambda: MLP(2, []), ValueError, "MLP: nouts lists the size of each layer, such as [16, 16, 1]; got []"),
        (lambda: MLP(2, 3), ValueError, "MLP: nouts lists the size of each layer, such as [16, 16, 1]; got 3"),
    ],
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
