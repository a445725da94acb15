"""What is computed of rows of a table where something is written to, copied or looked at in between."""

import numpy as np
import pytest

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import jit
from tinygrad_lite.variable import make

from .common import leaf
from .embedded import NO_OTHERS, OTHERS, Model, by_way_of, drawn, is_the_same, layer, looks_again, stays

pytestmark = pytest.mark.usefixtures("small_tables")


def test_a_table_that_is_written_to_in_between():
    """What was taken from it before is no longer there."""
    table, weight = leaf(np.arange(12).reshape(2, 6)), leaf(np.ones((6, 3)))

    def step(x):
        rows = F.embedding(x, table.detach())
        with tg.no_grad():
            table[0] = 0.0
        out = rows @ weight
        weight.grad = None
        out.sum().backward()
        return out

    jitted, x = jit(step, without=OTHERS), np.array([0, 1, 0, 1, 1, 1, 1])
    before = table.data.copy()
    wanted, gradient = step(x).data, weight.grad.data
    for _ in range(3):
        table.data = before.copy()
        np.testing.assert_array_equal(jitted(x).data, wanted)
        np.testing.assert_array_equal(weight.grad.data, gradient)
    assert not by_way_of(jitted.source)


def test_a_table_that_changes_while_its_rows_stay():
    table, weight = leaf(np.arange(12).reshape(2, 6)), leaf(np.ones((6, 3)))
    before = table.data.copy()

    def step(x):
        rows = F.embedding(x, table)
        with tg.no_grad():
            table[0] = 0.0
        return rows.detach(), (rows @ weight).detach()

    def restore():
        table.data = before.copy()

    assert not is_the_same(step, np.array([0, 1, 0, 1, 1, 1, 1]), restore=restore)


@pytest.mark.parametrize("bad", [1.0, np.nan])
def test_a_bias_that_changes_before_the_way_back(bad):
    """What comes in place of a sum by way of the table would compute the layer with the new one."""
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    before = model.bias.data.copy()
    model.weight.data[0, 0] = bad

    def step(x, g):
        scale = leaf(np.ones(5))
        out = model.hidden(x) * scale
        with tg.no_grad():
            model.bias += 1.0
        for each in model.parameters:
            each.grad = None
        (out * g).sum().backward()
        return out, scale.grad, model.weight.grad, model.table.grad

    def restore():
        model.bias.data = before.copy()

    with np.errstate(all="ignore"):
        assert not is_the_same(step, x, g, restore=restore)


def test_a_bias_that_changes_before_the_next_one_is_added():
    """What is added to columns is added to the table only where that is needed."""
    (table, weight), (bias, other) = layer(), (tg.tensor([0.5, 1.0, -1.0]), leaf([1.0, 2.0, 3.0]))

    def step(x):
        out = F.embedding(x, table).reshape(12, -1) @ weight + bias
        with tg.no_grad():
            bias[...] = 7.0
        table.grad = weight.grad = other.grad = None
        out = out + other
        out.sum().backward()
        return out, weight.grad

    def restore():
        bias.data = np.array([0.5, 1.0, -1.0], np.float32)

    assert "out" not in is_the_same(step, np.random.default_rng(0).integers(0, 5, (12, 2)), restore=restore)


@pytest.mark.parametrize("last", [lambda h, b: (h + b,), lambda h, b: (h * b, h), lambda h, b: (b - h, h * 2.0)])
@pytest.mark.parametrize("index", [slice(None), 0, (slice(None), 1)])
def test_a_layer_that_is_written_to_after_the_last_product(last, index):
    (table, weight), bias = layer(), leaf([0.5, 1.0, -1.0])

    def step(x):
        with tg.no_grad():
            h = F.embedding(x, table).reshape(12, -1) @ weight
            h[index] = 1.0
            return last(h, bias)

    assert not looks_again(step)


def test_a_block_that_is_too_large_for_the_dtype():
    """What is added to one block is too large for that alone, or two blocks are for each other."""
    table, weight = leaf(np.full((5, 1), 2e38)), leaf(np.float32([[1.0, 1.0], [-1.0, -1.0]]))
    bias = leaf([2e38, 3e38])

    def step(x):
        return (F.embedding(x, table).reshape(12, -1) @ weight + bias,)

    with np.errstate(all="ignore"):
        assert looks_again(step)


def test_a_weight_that_changes_on_the_way_back():
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    before = model.weight.data.copy()

    def step(x, g):
        rows = F.embedding(x, model.table).reshape(len(x), -1)
        seen = []

        def hook(grad):
            seen.append(grad)
            with tg.no_grad():
                model.weight *= 2.0

        rows.register_hook(hook)
        model.table.grad = None
        (rows @ model.weight * g).sum().backward()
        return model.table.grad, *seen

    def restore():
        model.weight.data = before.copy()

    assert "grad_table" not in is_the_same(step, x, g, restore=restore)


def test_indices_in_memory_that_is_written_to():
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)
    places = tg.tensor(x)
    model.weight, model.bias = model.weight.detach(), model.bias.detach()

    def step(x, g):
        out = model.hidden(x)
        with tg.no_grad():
            places[0] = 7
        for each in model.parameters:
            each.grad = None
        (out * g).sum().backward()
        return out, model.table.grad

    def restore():
        places.data[...] = x

    same_memory = make(tg.Tensor, places.data.view())
    assert not is_the_same(step, same_memory, g, restore=restore)


@pytest.mark.parametrize("way", [lambda x: ((x + 1) % 5).T.reshape(-1), lambda x: x.T.reshape(-1)])
def test_indices_that_are_a_copy(way):
    """A copy is another one each time, unlike a view."""
    table, weight = leaf(np.arange(20).reshape(5, 4) / 8), leaf(np.arange(12).reshape(4, 3) / 8)

    def step(x):
        table.grad = weight.grad = None
        out = F.embedding(way(x), table) @ weight
        (out * out).sum().backward()
        return (out,)

    assert looks_again(step, leaves=(table, weight))


@pytest.mark.parametrize("rows", [8, 5])
def test_a_layer_that_is_an_operand_itself(rows):
    """As the matrix of the next one, or its table."""
    table, weight = leaf(np.arange(5 * 8).reshape(5, 8) / 20), leaf(np.arange(8 * 8).reshape(8, 8) / 30)

    def step(x):
        x = x.reshape(-1)[:rows]
        taken = F.embedding(x, table.detach())
        inner = taken @ weight.detach()
        return ((taken @ inner,) if rows == 8 else (F.embedding(x, inner) @ weight.detach(),)) + (inner.sum(0),)

    assert looks_again(step)


def test_an_argument_in_the_memory_of_what_is_written_to():
    """From the second call on: what the program was written for says nothing of it."""
    (table, weight), scale = layer(), leaf(np.ones((12, 3)))
    scale.requires_grad = False
    before = scale.data.copy()

    def step(x, g):
        products = F.embedding(x, table.detach()).reshape(12, -1) @ weight.detach() * g
        with tg.no_grad():
            scale.__imul__(2.0)
        return (products.sum(0),)

    jitted, x = jit(step, without=NO_OTHERS), np.arange(24).reshape(12, 2) % 5
    jitted(x, before)
    for _ in range(3):
        scale.data[...] = before
        wanted = np.copy(step(x, scale.data)[0].data)
        scale.data[...] = before
        np.testing.assert_allclose(wanted, jitted(x, scale.data)[0].data, 1e-5)


def test_rows_that_are_written_to():
    table, weight = leaf(np.arange(12).reshape(2, 6)), leaf(np.ones((6, 3)))

    def step(x):
        rows = F.embedding(x, table)
        rows *= 2.0
        return (rows @ weight,)

    stays(step, np.array([0, 1, 0, 1, 1, 1, 1]))


def test_what_is_looked_at_is_still_computed():
    """Rows that are a result, and their gradient, which is one, too."""
    model, (x, g) = Model(8, 3, 16, 5), drawn(50, 8, 3, 5)

    def step(x, g):
        rows = F.embedding(x, model.table).reshape(len(x), -1)
        out = rows @ model.weight
        return rows, out, *tg.grad(lambda w, r: (r @ w * g).sum(), argnums=(0, 1))(model.weight, rows)

    jitted = jit(step, without=OTHERS)
    jitted(x, g)
    for one, other in zip(step(x, g), jitted(x, g), strict=True):
        np.testing.assert_allclose(one.data, other.data, 1e-4, 1e-4)


def test_rows_that_are_cut_elsewhere():
    """50 rows of 6 numbers as 30 of 10, and back."""
    table, weight = leaf(np.arange(12).reshape(2, 6) / 4), leaf(np.arange(20).reshape(10, 2) / 8)

    def step(x):
        table.grad = weight.grad = None
        out = F.embedding(x, table).reshape(30, 10) @ weight
        (out * out).sum().backward()
        return out, table.grad, weight.grad

    stays(step, np.arange(50) % 2)


@pytest.mark.parametrize("weighs", [True, False])
def test_constants(weighs):
    """Indices that are always the same, and a gradient."""
    table, weight = leaf(np.arange(12).reshape(2, 6) / 4), leaf(np.arange(18).reshape(6, 3) / 8)

    def step(x):
        table.grad = weight.grad = None
        indices = x if weighs else tg.tensor([0, 1, 0, 1, 1, 0, 1])
        out = F.embedding(indices, table) @ weight
        out.backward(tg.ones((7, 3)))
        return out * x.sum(), table.grad, weight.grad

    jitted, x = jit(step, without=OTHERS), tg.tensor([0, 1, 0, 1, 1, 0, 1])
    jitted(x)
    for one, other in zip(step(x), jitted(x), strict=True):
        np.testing.assert_allclose(one.data, other.data, 1e-5)
