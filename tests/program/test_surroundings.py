"""What a function reads from outside is guarded: what has changed is recorded anew."""

import copy
import gc
import sys
import weakref

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.program import JitError, jit

from ..messages import refused
from .common import A, leaf, recordings


def test_captured_tensors_replaced_and_changed():
    w = leaf(A)
    jitted = jit(lambda x: x * w)
    x = tg.tensor(A)
    assert np.array_equal(jitted(x).data, A * A)
    w.data = A + 1
    assert np.array_equal(jitted(x).data, A * (A + 1))
    w.data[...] = 3
    assert np.array_equal(jitted(x).data, A * 3)
    assert recordings(jitted) == 1
    w = leaf(A - 1)  # another Tensor under the name
    assert np.array_equal(jitted(x).data, A * (A - 1))
    w.requires_grad = False
    jitted(x)
    w = tg.tensor(A.astype(np.float64))
    assert jitted(x).dtype == np.float64


def test_captured_arrays_are_taken_by_reference():
    array, wide, index = A.copy(), A.astype(np.float64), np.array([0, 1])

    def f(x):
        y = (x * array + np.float32(1) * x).sum() + (x * 2 - tg.tensor(wide, dtype=np.float32))[index].sum()
        x.grad = None
        y.backward()
        return y

    x, z = leaf(A), leaf(A)
    jitted = jit(f)
    for change in (0, 1, 5):
        array[...] += change
        wide[...] -= change
        index[...] = (index + change) % 2
        assert jitted(x).item() == f(z).item()
        assert np.array_equal(x.grad.data, z.grad.data)
    assert recordings(jitted) == 1


LIMIT = 2.0


def test_plain_values_from_outside_are_guarded(monkeypatch):
    factor = 3
    flags = type("Flags", (), {})()
    flags.training = True
    jitted = jit(lambda x: (x * factor if flags.training else x) + LIMIT)
    x = tg.tensor(A)
    assert np.array_equal(jitted(x).data, A * 3 + 2)
    factor = 4
    assert np.array_equal(jitted(x).data, A * 4 + 2)
    flags.training = False
    assert np.array_equal(jitted(x).data, A + 2)
    monkeypatch.setattr(sys.modules[__name__], "LIMIT", 9.0)
    assert np.array_equal(jitted(x).data, A + 9)


def test_grad_mode_is_part_of_it():
    w = leaf(A)
    jitted = jit(lambda x: (x * w).sum())
    assert jitted(tg.tensor(A)).item() == (A * A).sum()
    with tg.no_grad():
        assert jitted(tg.tensor(A)).item() == (A * A).sum()
    assert len(jitted.signatures) == 2


class Defaults:
    training, rate = True, 2.0

    def __call__(self, x):
        return x * getattr(self, "ra" + "te") if self.training else x


def test_class_attributes_and_names_that_are_computed():
    layer = Defaults()
    jitted = jit(lambda x: layer(x))
    assert np.array_equal(jitted(tg.tensor(A)).data, A * 2)
    layer.rate = 3.0
    assert np.array_equal(jitted(tg.tensor(A)).data, A * 3)
    layer.training = False
    assert np.array_equal(jitted(tg.tensor(A)).data, A)


def test_state_that_the_function_reads_before_it_replaces_it():
    class Cell:
        h = None

    def step(cell, x):
        h = x if cell.h is None else cell.h * 0.5 + x
        cell.h = h.detach()
        return h

    one, other = Cell(), Cell()
    jitted = jit(lambda x: step(one, x))
    for i in range(4):
        assert np.array_equal(jitted(tg.tensor(A + i)).data, step(other, tg.tensor(A + i)).data)


def test_arrays_that_numpy_computes_with():
    array = A[0].copy()
    jitted = jit(lambda x: x * (array * 2))
    assert np.array_equal(jitted(tg.tensor(A)).data, A * (2 * array))
    array[0] = 9
    assert np.array_equal(jitted(tg.tensor(A)).data, A * (2 * array))


def test_a_rate_that_the_function_reads_itself():
    w = leaf(A)
    optimiser = tg.optim.SGD([w], 0.5)

    def f(x):
        optimiser.zero_grad()
        loss = (x * w).sum()
        loss.backward()
        optimiser.step()
        return loss * optimiser.lr

    jitted = jit(f)
    for rate in (0.5, 0.25, 0.25):
        optimiser.lr = rate
        before = w.data.copy()
        assert jitted(tg.tensor(A)).item() == np.float32((A * before).sum() * np.float32(rate))


def test_tensors_made_inside_are_made_each_time():
    def f(x):
        total, ramp = tg.zeros((3,)), tg.arange(3.0)
        total[0] = x.sum()
        total += ramp
        return total

    jitted = jit(f)
    for factor in (1, 2, 3):
        assert jitted(tg.tensor(A * factor)).tolist() == f(tg.tensor(A * factor)).tolist()


class Layer:
    """As in the lecture: it keeps its last output, and running statistics."""

    def __init__(self, replaces=False):
        self.weight, self.running = leaf(A), tg.zeros((2, 3))
        self.out, self.calls, self.replaces, self.training = None, 0, replaces, True

    def __call__(self, x):
        self.out = x * self.weight
        if self.training:
            with tg.no_grad():
                if self.replaces:
                    self.running = 0.5 * self.running + 0.5 * self.out
                else:
                    self.running *= 0.5
                    self.running += 0.5 * self.out
        return self.out


@pytest.mark.parametrize("replaces", [False, True])
def test_layers_that_keep_something(replaces):
    layer, eager = Layer(replaces), Layer(replaces)
    step = jit(lambda x: layer(x))
    for i in range(5):
        assert np.array_equal(step(tg.tensor(A + i)).data, eager(tg.tensor(A + i)).data)
        assert np.array_equal(layer.running.data, eager.running.data)
    assert recordings(step) == (0 if replaces else 1)  # what is replaced each time must run each time
    layer.training = eager.training = False
    for i in range(2):
        assert np.array_equal(step(tg.tensor(A + i)).data, eager(tg.tensor(A + i)).data)
        assert np.array_equal(layer.running.data, eager.running.data)
    layer.weight = leaf(A + 1)
    assert np.array_equal(step(tg.tensor(A)).data, A * (A + 1))


def test_a_counter_is_followed_and_warned_of():
    state = {"calls": 0}

    def f(x):
        state["calls"] += 1
        return x * state["calls"]

    jitted = jit(f)
    for i in range(1, 17):
        assert np.array_equal(jitted(tg.tensor(A)).data, A * i)
    with pytest.warns(UserWarning, match="more than 16 times for the same arguments, because state changed"):
        jitted(tg.tensor(A))
    assert recordings(jitted) == 0


SETTINGS = {"rates": [0.5, 0.25], "names": ("a", {"deep": 2.0})}


def test_what_is_in_containers_and_behind_functions_is_guarded(monkeypatch):
    def helper(x):
        return x * SETTINGS["rates"][0] + SETTINGS["names"][1]["deep"]

    jitted = jit(lambda x, more=(helper,): more[0](x))
    x = tg.tensor(A)
    assert np.array_equal(jitted(x).data, A * np.float32(0.5) + 2)
    SETTINGS["rates"][0] = 0.75
    assert np.array_equal(jitted(x).data, A * np.float32(0.75) + 2)
    SETTINGS["names"][1]["deep"] = 3.0
    assert np.array_equal(jitted(x).data, A * np.float32(0.75) + 3)
    monkeypatch.setitem(SETTINGS, "rates", [1.0])
    assert np.array_equal(jitted(x).data, A + 3)
    assert recordings(jitted) == 4


def test_names_that_numpy_or_python_have():
    def maximum(x):
        return np.maximum(x, 0.0) + np.exp(x)

    w = {"0.weight": tg.tensor(A), "\u00b2": tg.tensor(A), "lambda": tg.tensor(A), "np": tg.tensor(A)}
    for function in (maximum, np.tanh, lambda x: sum(w.values()) * x):
        jitted = jit(function)
        for _ in range(2):
            assert np.array_equal(jitted(tg.tensor(A)).data, function(tg.tensor(A)).data)


def test_instances_that_nobody_else_holds():
    class Model:
        @jit
        def forward(self, x):
            return x * 2

        @jit
        @staticmethod
        def double(x):
            return x * 2

    class Slots:
        __slots__ = ()

        @jit
        def forward(self, x):
            return x * 2

    forward = Model().forward
    for _ in range(2):
        assert np.array_equal(Model().forward(tg.tensor(A)).data, 2 * A)
        assert np.array_equal(forward(tg.tensor(A)).data, 2 * A)
        assert np.array_equal(Model().double(tg.tensor(A)).data, 2 * A)
    with refused(JitError, "jit: Slots has __slots__ without '__weakref__', which a jitted method needs"):
        Slots().forward(tg.tensor(A))


def test_methods_of_two_instances():
    class Model:
        def __init__(self, w):
            self.w = leaf(w)

        @jit
        def forward(self, x):
            return x * self.w

    one, other = Model(A), Model(A + 1)
    for _ in range(2):
        for model in (one, other):
            assert np.array_equal(model.forward(tg.tensor(A)).data, A * model.w.data)
    one.w = leaf(A - 5)
    assert np.array_equal(one.forward(tg.tensor(A)).data, A * (A - 5))


def test_equal_instances_are_kept_apart_and_not_kept_alive():
    class Model:
        def __init__(self, w):
            self.w = leaf(w)

        def __eq__(self, other):
            return True

        @jit
        def forward(self, x):
            return x * self.w

    models = [Model(A + i) for i in range(3)]
    for model in models:
        assert np.array_equal(model.forward(tg.tensor(A)).data, A * model.w.data)
    copies = copy.deepcopy(models)
    copies[0].w.data[...] = 0
    assert not copies[0].forward(tg.tensor(A)).data.any()
    assert models[0].forward(tg.tensor(A)).data.any()
    alive = [weakref.ref(model) for model in models]
    del models, model
    gc.collect()
    assert all(each() is None for each in alive)
    assert len(Model.forward.methods) == 1
