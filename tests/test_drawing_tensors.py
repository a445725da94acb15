"""draw_dot of Tensors and of jitted functions, by its DOT source."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.describe import describe
from tinygrad_lite.engine import Value
from tinygrad_lite.op import table
from tinygrad_lite.program.flow import flow_of

from .messages import refused
from .test_drawing import HOSTILE, needs_dot, nodes_shown


def labels(drawing):
    """The labels of boxes and ovals, in their order."""
    found = re.findall(r'^\t(?:n|op)\d+ \[label=(?:"(.*?)"|(\w+))', drawing.source, re.M)
    return [(quoted or word).removeprefix("{ ").removesuffix(" }") for quoted, word in found]


def network():
    generator = np.random.default_rng(0)
    w = tg.tensor(generator.normal(size=(3, 4)), requires_grad=True, dtype=np.float32)
    bias = tg.tensor(np.ones(4, np.float32), requires_grad=True)
    x = generator.normal(size=(5, 3)).astype(np.float32)
    return w, bias, x


def statistics(array):
    return f"mean {array.mean(dtype=np.float64):.4f} std {array.std(dtype=np.float64):.4f}"


def test_the_source_of_a_small_graph():
    w, bias, x = network()
    h = np.tanh(x @ w + bias)
    loss = (h * 2.0).sum(axis=0).mean()
    product, total = x @ w.data, x @ w.data + bias.data
    sums = (h.data * np.float32(2)).sum(0)
    before = [
        f"x | float32[5, 3] | data {statistics(x)}",
        f"w | float32[3, 4] | data {statistics(w.data)}",
        f"float32[5, 4] | data {statistics(product)}",
        "matmul",
        f"bias | float32[4] | data {statistics(bias.data)}",
        f"float32[5, 4] | data {statistics(total)}",
        "add",
        f"h | float32[5, 4] | data {statistics(h.data)}",
        "tanh",
        "2.0",
        f"float32[5, 4] | data {statistics(h.data * 2)}",
        "multiply",
        f"float32[4] | data {statistics(sums)}",
        "sum axis=0",
        f"loss | float32 | data {loss.item():.4f}",
        "mean",
    ]
    assert labels(tg.draw_dot(loss)) == before
    loss.backward()
    after = list(before)
    for i, leaf in ((1, w), (4, bias)):
        after[i] += f" | grad {statistics(leaf.grad.data)}"
    assert labels(tg.draw_dot(loss)) == after
    source = tg.draw_dot(loss).source
    for kind, colour in (("x", "d3e4f8"), ("w", "cde9d3"), ("2.0", "e6e6e6"), ("h", "ffffff")):
        assert re.search(rf'label="{{ {re.escape(kind)} .*fillcolor="#{colour}"', source), kind
    edges = re.findall(r"(\w+) -> (\w+)", source)
    assert edges[:4] == [("op2", "n2"), ("n0", "op2"), ("n1", "op2"), ("op4", "n4")]


def test_gradients_that_are_retained_are_shown_and_no_others():
    w, bias, x = network()
    h = x @ w + bias
    h.retain_grad()
    loss = (h * h).sum()
    assert not [each for each in labels(tg.draw_dot(loss)) if "grad" in each]
    loss.backward()
    shown = [each.split(" | ")[0] for each in labels(tg.draw_dot(loss)) if "grad" in each]
    assert shown == ["w", "bias", "h"]
    assert f"h | float32[5, 4] | data {statistics(h.data)} | grad {statistics(h.grad.data)}" in labels(
        tg.draw_dot(loss)
    )


def test_names_of_attributes_and_of_what_lies_in_lists():
    class Model:
        def __init__(self):
            self.weight = tg.tensor([1.0, 2.0], requires_grad=True)

    model = Model()
    layers = [tg.tensor([3.0, 4.0], requires_grad=True)]
    named = {"scale": tg.tensor([5.0, 6.0], requires_grad=True)}
    shown = [each.split(" | ")[0] for each in labels(tg.draw_dot((model.weight * layers[0] * named["scale"]).sum()))]
    assert [each for each in shown if each in ("weight", "layers_0", "scale")] == ["weight", "layers_0", "scale"]


def test_what_was_changed_since_is_not_computed_from():
    """The product is not kept, and can't be had again from another w."""
    w, bias, x = network()
    h = np.tanh(x @ w + bias)
    loss = h.sum()
    product = x @ w.data
    assert f"float32[5, 4] | data {statistics(product)}" in labels(tg.draw_dot(loss))
    loss.backward()
    with tg.no_grad():
        w -= 0.5
    assert labels(tg.draw_dot(loss))[:3] == [
        f"x | float32[5, 3] | data {statistics(x)}",
        f"w | float32[3, 4] | data {statistics(w.data)} | grad {statistics(w.grad.data)}",
        "float32[5, 4]",
    ]


def test_what_was_written_to_since_is_not_shown_as_what_was_kept():
    """multiply keeps y, which is then written to; y is computed again."""
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x + 1.0
    root = y * y
    y.detach()[:] = 100.0
    del y
    assert labels(tg.draw_dot(root))[2] == "float32[2] | data mean 2.5000 std 0.5000"


def test_what_a_large_constant_was_like_is_known_when_it_is_gone():
    x = tg.tensor(np.ones((20, 20)), requires_grad=True)
    y = x + np.ones((20, 20))
    assert labels(tg.draw_dot(y))[1] == "float64[20, 20]"
    assert labels(tg.draw_dot(y))[2].startswith("y | float64[20, 20] | data mean 2.0000")


def test_several_roots_outputs_and_indices():
    a = tg.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    values, vectors = tg.linalg.eigh(a)
    one, two = values[0], (vectors[:, 1:] * 2).sum()
    assert labels(tg.draw_dot([one, two])) == [
        "a | float32[2, 2] | data mean 1.7500 std 0.8292",
        f"values | float32[2] | data {statistics(values.data)}",
        "eigh",
        f"vectors | float32[2, 2] | data {statistics(vectors.data)}",
        f"one | float32 | data {one.item():.4f}",
        "getitem [0]",
        f"float32[2, 1] | data {statistics(vectors.data[:, 1:])}",
        "getitem [:, 1:]",
        "2",
        f"float32[2, 1] | data {statistics(vectors.data[:, 1:] * 2)}",
        "multiply",
        f"two | float32 | data {two.item():.4f}",
        "sum",
    ]


def test_sequences_with_and_without_gradients():
    x, first = tg.tensor([1.0, 2.0], requires_grad=True), np.array([5.0, 6.0], np.float32)
    joined = np.concatenate([first, x, [7.0]])
    assert labels(tg.draw_dot(joined)) == [
        "first | float32[2] | data mean 5.5000 std 0.5000",
        "x | float32[2] | data mean 1.5000 std 0.5000",
        "float32[1] | data 7.0000",
        f"joined | float32[5] | data {statistics(joined.data)}",
        "concatenate",
    ]
    h = x * 2
    h[:] = (3.0, 4.0)
    h[:1] = [5.0]
    root = (h + 1).sum()
    del h
    assert labels(tg.draw_dot(root))[4:] == [
        "(3.0, 4.0)",
        "float32[2] | data mean 3.5000 std 0.5000",
        "setitem [:]",
        "[5.0]",
        "float32[2] | data mean 4.5000 std 0.5000",
        "setitem [:1]",
        "1",
        "float32[2] | data mean 5.5000 std 0.5000",
        "add",
        "root | float32 | data 11.0000",
        "sum",
    ]
    chosen = tg.select([first > 5, first > 0], [x, 0.5], 0.0)
    root = (chosen * 2).sum()
    del chosen
    assert "select" in " ".join(labels(tg.draw_dot(root)))
    assert all(box.data is not None for box in describe([root]).boxes)


@given(st.integers(1, 40), st.integers(1, 50))
@settings(deadline=None)
def test_what_is_left_out_is_counted(length, most):
    x = tg.tensor(2.0, requires_grad=True)
    y = x
    for _ in range(length):
        y = np.tanh(y)
    shown = labels(tg.draw_dot(y, max_nodes=most))
    boxes = [each for each in shown if "float32" in each]
    more = [each for each in tg.draw_dot(y, max_nodes=most).source.splitlines() if "more [" in each]
    assert len(boxes) == min(most, length + 1)
    assert more == ([f'\tmore [label="... {length + 1 - most} more" shape=plaintext]'] if most <= length else [])
    by_depth = [each for each in labels(tg.draw_dot(y, depth=most)) if "float32" in each]
    assert len(by_depth) == min(most, length) + 1


def test_a_graph_of_ten_thousand_nodes_is_cut_to_what_can_be_drawn():
    x = tg.tensor(np.ones((4, 4)), requires_grad=True)
    y = x
    for _ in range(5000):
        y = y * 0.999 + x
    source = tg.draw_dot(y).source
    assert len(re.findall(r"^\tn\d+ \[", source, re.M)) == 300
    assert '"... 14,701 more"' in source
    assert "more -> op" in source


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_what_is_computed_again_is_what_was_there(data):
    """Random programs: every box has the very numbers that the forward had."""
    x = tg.tensor(np.linspace(0.1, 1.5, 6).reshape(2, 3), requires_grad=True, dtype=np.float64)
    known = [x]
    for _ in range(data.draw(st.integers(1, 8))):
        one, other = (data.draw(st.sampled_from(known)) for _ in range(2))
        known.append(
            data.draw(st.sampled_from([np.tanh(one), one * other, one + 2.0, one - other, one * [1.0, 2.0, 3.0]]))
        )
    root, arrays = sum(known[1:]).sum(), {each._node.number: each.data.copy() for each in known[1:]}
    if data.draw(st.booleans()):
        root.backward()
    del known, one, other
    boxes = {box.thing[0]: box for box in describe([root]).boxes if isinstance(box.thing, tuple)}
    for number, array in arrays.items():
        assert np.array_equal(boxes[number].data, array)
    assert all(box.data is not None for box in boxes.values())


@needs_dot
def test_names_are_shown_and_never_interpreted():
    """Names of variables in a dict may be any text."""
    named = {label: tg.tensor([1.0], requires_grad=True) for label in HOSTILE if label.strip() and "\n" not in label}
    total = sum(named.values())
    shown = [lines[0] for lines in nodes_shown(tg.draw_dot(total)).values()]
    for label in named:
        assert label.rstrip() in [each.rstrip() for each in shown]


# A jitted function.


def make_step():
    w = tg.tensor([[0.5, -0.25], [0.125, 1.0]], requires_grad=True)
    optimiser = tg.optim.SGD([w], lr=0.1)

    @tg.jit
    def step(x):
        loss = (np.tanh(x @ w) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    return step


def test_the_program_of_a_jitted_function():
    step = make_step()
    with refused(tg.JitError, "jit: draw_dot: there is no program yet; call the function first"):
        tg.draw_dot(step)
    step(np.ones((4, 2), np.float32))
    source = tg.draw_dot(step).source
    assert re.findall(r"subgraph cluster_(\w+)", source) == ["forward", "backward", "update"]
    replay = step.last[0]
    lines = re.findall(r'^\t\tline(\d+) \[label="(.*?)\\n', source, re.M)
    assert [text for _, text in lines] == [each.text.replace("'", "'") for each in replay.source.body]
    places = {text: f"line{i}" for i, text in lines}
    for writer, reader, name in (
        ("x.dot(w, v2)", "tanh(v2, v3)", "v2"),
        ("tanh(v2, v3)", "multiply(v3, v3, v13)", "v3"),
        ("v16.dot(v15, grad_w)", "multiply(v18, grad_w, v21)", "grad_w"),
    ):
        assert f"\t{places[writer]} -> {places[reader]} [label={name}]" in source
    assert f"array_w -> {places['x.dot(w, v2)']}" in source
    assert "-> return [label=loss]" in source
    short = tg.draw_dot(step, max_nodes=4).source
    assert len(re.findall(r"^\t\tline\d+ \[", short, re.M)) == 4
    assert f'"... {len(lines) - 4} more"' in short


def test_gradients_that_lie_side_by_side_lead_to_the_update():
    """The update reads all of them as one array."""
    parameters = [tg.tensor(np.ones((2, 2), np.float32), requires_grad=True) for _ in range(2)]
    optimiser = tg.optim.SGD(parameters, lr=0.1)

    @tg.jit
    def step(x):
        loss = (np.tanh(x @ parameters[0]) @ parameters[1]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    step(np.ones((4, 2), np.float32))
    (update,) = {
        reader
        for source, reader, name in flow_of(step.last[0]).edges
        if isinstance(source, int) and name.startswith("grads")
    }
    body = [each.text for each in step.last[0].source.body]
    writers = {
        body[source] for source, reader, _ in flow_of(step.last[0]).edges if reader == update and source != update
    }
    assert len([text for text in writers if "grad_parameters" in text]) == 2, (writers, step.source)


def test_a_jitted_method():
    class Model:
        w = tg.tensor([1.0, 2.0], requires_grad=True)

        @tg.jit
        def double(self, x):
            return x * self.w

    model = Model()
    model.double(tg.tensor([3.0, 4.0]))
    assert "multiply" in tg.draw_dot(model.double).source


# Errors.


def test_errors():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).sum()
    empty = "draw_dot: the graph is empty: "
    with refused(ValueError, empty + "this Tensor is a leaf; give what was computed from it"):
        tg.draw_dot(x)
    with refused(ValueError, empty + "a Tensor of int64 has no gradient, so how it was computed is not recorded"):
        tg.draw_dot(tg.argmax(x))
    with refused(
        ValueError, empty + "this Tensor was computed from nothing that has requires_grad=True, or within no_grad()"
    ):
        tg.draw_dot(x.detach() * 2)
    with refused(TypeError, "draw_dot: the roots are Values or Tensors, not both"):
        tg.draw_dot([y, Value(2.0)])
    with refused(TypeError, "draw_dot: takes a Value or a Tensor, the root of the graph, got ndarray"):
        tg.draw_dot(x.data)
    with refused(ValueError, "draw_dot: depth= takes a whole number from 0 on, or None; got -1"):
        tg.draw_dot(y, depth=-1)
    with refused(ValueError, "draw_dot: max_nodes= takes a whole number from 1 on, or None; got 'all'"):
        tg.draw_dot(y, max_nodes="all")
    step = make_step()
    step(np.ones((4, 2), np.float32))
    with refused(ValueError, "draw_dot: depth= is for the graphs of Values and Tensors; a program has max_nodes= only"):
        tg.draw_dot(step, depth=1)


def test_every_operation_notes_its_constants():
    """The positions that a plan names are of arrays and indices; none needs a gradient, but in sequences."""
    for op in table.values():
        for plan in op.plans.values():
            for i in plan.constants:
                assert op.kinds[i] != "a plain argument"
                assert i not in plan.inputs or op.kinds[i] == "several arrays"
