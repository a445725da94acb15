"""What explore writes down of a backward, what it leaves alone, what is on the page, and its errors."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.describe import describe
from tinygrad_lite.engine import Value
from tinygrad_lite.page.markup import Data, shown_array
from tinygrad_lite.page.steps import steps_of
from tinygrad_lite.testing import strategies
from tinygrad_lite.testing.gradcheck import leaf

from .messages import refused
from .test_drawing import needs_dot


def walked(root):
    """The diagram and the steps of a backward; the gradient that each box has in the end, and how often one arrived."""
    diagram = describe([root])
    steps = steps_of(root, diagram)
    totals = {step.target: step.total for step in steps if step.total is not None}
    return diagram, steps, totals


def programs(data, make, functions):
    """A random program over some leaves: its root."""
    known = [make(x) for x in (0.5, -1.5, 2.0)]
    for _ in range(data.draw(st.integers(1, 10))):
        one, other = (data.draw(st.sampled_from(known)) for _ in range(2))
        known.append(data.draw(st.sampled_from(functions))(one, other))
    return known[-1], known[:3]


# The steps are those of the engine.


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_the_steps_of_values_end_in_the_gradients_of_the_engine(data):
    functions = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a - b,
        lambda a, b: a.tanh(),
        lambda a, b: a**2,
        lambda a, b: a + a,
        lambda a, b: a.sigmoid() * b,
    ]
    root, _ = programs(data, Value, functions)
    for each in root._topological():
        each.grad = 7.0  # what was there before
    before = [(each, each.data, each.grad, each._prev, each._edges) for each in root._topological()]
    diagram, steps, totals = walked(root)
    assert [(each, each.data, each.grad, each._prev, each._edges) for each in root._topological()] == before
    for each in root._topological():
        each.grad = 0.0
    root.backward()
    for each in root._topological():
        assert totals[diagram.places[each]] == each.grad
    for step in steps[1:]:
        assert step.total == (step.part if step.before is None else step.before + step.part)
        assert step.part == step.reads[0][1] * step.g


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_the_steps_of_tensors_end_in_the_gradients_of_the_engine(data):
    functions = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: np.tanh(a) + np.array([1.0, 2.0]),
        lambda a, b: np.concatenate([np.atleast_1d(a), np.atleast_1d(b)]).sum(),
        lambda a, b: np.atleast_1d(a)[0] * b,
        lambda a, b: a**2,
        lambda a, b: np.stack([a.sum(), b.sum()]).max(),
    ]
    root, leaves = programs(data, lambda x: tg.tensor(x, requires_grad=True, dtype=np.float64), functions)
    results = {id(node): node for node in [call.node for call in describe([root]).calls]}
    before = [(leaf.data.copy(), leaf.grad) for leaf in leaves]
    saved = {key: list(node.saved) for key, node in results.items()}
    diagram, steps, totals = walked(root)
    assert all(
        np.array_equal(leaf.data, array) and leaf.grad is grad
        for leaf, (array, grad) in zip(leaves, before, strict=True)
    )
    assert all(len(node.saved) == len(saved[key]) for key, node in results.items())
    root.backward(np.ones(root.shape))
    for each in leaves:
        place = diagram.places.get(each)
        assert (place is None) == (each.grad is None)
        if place is not None:
            assert np.array_equal(totals[place], each.grad.data)
    for step in steps[1:]:
        if step.part is not None:
            assert step.part.shape == diagram.boxes[step.target].shape
            assert np.array_equal(step.total, step.part if step.before is None else step.before + step.part)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.expressions())
def test_the_whole_table_is_described_and_walked(expression):
    """Random programs over all operations, and writes in place: no value is unknown, the gradients are backward's."""
    with np.errstate(all="ignore"):
        inputs = [leaf(array) for array in expression.leaves]
        root = sum((output * 1.0).sum() for output in expression.run(inputs))
        diagram, steps, totals = walked(root)
        Data(diagram, steps).json()
        root.backward()
    assert all(box.data is not None for box in diagram.boxes)
    for each in inputs:
        total = totals.get(diagram.places.get(each))
        assert (total is None) == (each.grad is None)
        assert total is None or np.array_equal(total, each.grad.data, equal_nan=True)


@pytest.mark.parametrize("index", [[-1, 0], (-1, 0), [True, False], ([1, 0], slice(None)), (Ellipsis, [0])])
def test_indices_of_all_kinds(index):
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    root = (x * 2.0)[index].sum()
    assert [box.data for box in describe([root]).boxes if box.data is None] == []
    assert np.array_equal(describe([root]).boxes[-1].data, root.data)


def test_a_constant_that_is_written_to_is_shown_as_it_was():
    total, x = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0], requires_grad=True)
    total += x
    diagram = describe([np.tanh(total).sum()])
    assert [box.data.tolist() for box in diagram.boxes][:3] == [[1.0, 2.0], [3.0, 4.0], [4.0, 6.0]]
    assert all(box.data is not None for box in diagram.boxes)


def test_a_shared_node_and_a_broadcast():
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = tg.tensor([0.5, -0.5], requires_grad=True)
    h = w + b
    loss = (h * h).sum()
    diagram = describe([loss])
    steps = steps_of(loss, diagram)
    names = [box.name for box in diagram.boxes]
    place = {name: names.index(name) for name in ("w", "b", "h", "loss")}
    product = diagram.calls[1].outputs[0]
    told = [(step.kind, step.parameter, step.target) for step in steps]
    assert told == [
        ("seed", "", place["loss"]),
        ("rule", "a", product),
        ("rule", "x", place["h"]),
        ("rule", "y", place["h"]),
        ("rule", "x", place["w"]),
        ("rule", "y", place["b"]),
        ("sum", "y", place["b"]),
    ]
    assert [step.rule for step in steps[2:6]] == ["g * y", "g * x", "g", "g"]
    assert steps[2].total.tolist() == h.data.tolist()
    assert steps[3].before.tolist() == h.data.tolist()
    assert steps[3].total.tolist() == (2 * h.data).tolist()
    assert steps[5].part is None
    assert steps[5].raw.shape == (2, 2)
    assert steps[6].raw.tolist() == (2 * h.data).tolist()
    assert steps[6].part.tolist() == (2 * h.data).sum(0).tolist()


def test_the_rule_is_that_of_the_table():
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    _, steps, _ = walked(np.tanh(x).max())
    assert steps[-1].rule == "g * (1 - out * out)"
    assert [name for name, _ in steps[-1].reads] == ["out"]
    assert np.array_equal(steps[-1].reads[0][1], np.tanh(x.data))
    assert steps[1].code.startswith("def _extreme_rule(")
    _, steps, _ = walked(Value(0.5, label="x").tanh() / 2)
    assert [step.rule for step in steps[1:]] == ["g / y", "-g * (x / y / y)", "g * (1 - out * out)"]


def test_a_backward_of_ones_own_is_run_as_it_is():
    """As in the lecture, assigned to the node."""
    a = Value(3.0, label="a")
    cube = Value(a.data**3, (a,), "cube")
    cube._backward = lambda: setattr(a, "grad", a.grad + 27.0 * cube.grad)
    _, steps, _ = walked(cube * 2)
    assert (steps[-1].rule, steps[-1].part) == ("its own _backward()", 54.0)
    assert a.grad == 0.0


def test_several_outputs_and_hooks():
    a = tg.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    values, vectors = tg.linalg.eigh(a)
    calls = []
    values.register_hook(lambda g: calls.append(g.tolist()) or g * 2)
    values.retain_grad()
    loss = values.sum() + vectors.sum()
    diagram, steps, totals = walked(loss)
    assert calls == [[1.0, 1.0]]
    (hook,) = [step for step in steps if step.kind == "hook"]
    assert (hook.before.tolist(), hook.total.tolist()) == ([1.0, 1.0], [2.0, 2.0])
    assert diagram.boxes[hook.target].name == "values"
    assert values.grad is None
    loss.backward()
    assert np.array_equal(totals[diagram.places[a]], a.grad.data)


def test_a_checkpoint_is_one_operation_whose_rule_walks_a_graph_of_its_own():
    w = tg.tensor([[0.5, -1.0], [2.0, 0.25]], requires_grad=True)
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = tg.checkpoint(lambda a: np.tanh(a @ w))(x).sum()
    diagram, steps, totals = walked(loss)
    assert {step.call for step in steps} == {None, 0, 1}
    loss.backward()
    for each in (w, x):
        assert np.array_equal(totals[diagram.places[each]], each.grad.data)


def test_anomaly_mode_may_be_on_and_nothing_is_recorded():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    with tg.detect_anomaly():
        _, steps, _ = walked(loss)
    assert steps[-1].total.tolist() == [2.0, 4.0]
    assert (x * 2).requires_grad


def test_rules_of_the_neural_operations_have_a_text():
    """Each step of a network has a rule that stands in the source."""
    x = tg.tensor(np.linspace(-1, 1, 12).reshape(3, 4), requires_grad=True, dtype=np.float32)
    w = tg.tensor(np.ones((4, 5), np.float32) / 4, requires_grad=True)
    h = F.relu(F.linear(F.softmax(F.gelu(x)), w))
    _, steps, totals = walked(F.cross_entropy(h, np.array([0, 1, 2])))
    assert all(step.rule for step in steps if step.kind == "rule")
    assert len(totals) > 4


# What is on the page.


@given(st.sampled_from([np.float16, np.float32, np.float64]), st.data())
def test_numbers_keep_all_their_digits(dtype, data):
    width = {np.float16: 16, np.float32: 32, np.float64: 64}[dtype]
    rows = data.draw(st.lists(st.floats(width=width), min_size=1, max_size=5))
    array = np.array(rows, dtype)
    shown = json.loads(json.dumps(shown_array(array), allow_nan=False))["rows"][0]
    assert np.array_equal(np.array([float(each) for each in shown], dtype), array, equal_nan=True)


@pytest.mark.parametrize(
    ("shape", "rows"), [((), 1), ((0,), 1), ((2, 0, 3), 1), ((2, 3, 4), 6), ((1000, 3), 16), ((999,), 1)]
)
def test_arrays_of_all_shapes(shape, rows):
    array = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    shown = shown_array(array)
    assert (shown["shape"], shown["size"], len(shown["rows"])) == (list(shape), array.size, rows)
    if array.size > 1:
        assert math.isclose(shown["mean"], array.mean(), rel_tol=1e-6)


def test_the_data_are_safe_within_a_script():
    x = Value(2.0, label="</script><script>alert(1)</script><!-- &amp;")
    root = x * x
    diagram = describe([root])
    text = Data(diagram, steps_of(root, diagram)).json()
    assert not set("<>&") & set(text)
    assert json.loads(text)["boxes"][0]["name"] == x.label


@needs_dot
def test_the_page_is_one_file_that_asks_for_nothing(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    path = tg.explore((x * x).sum(), tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "page.html"
    assert "{{" not in text
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)|url\(|@import|fetch\(|XMLHttp""", text)
    assert links == ["data:,"]
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


@needs_dot
def test_the_default_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(tg.explore(Value(2.0, label="a") * 3)) == "graph.html"
    assert (tmp_path / "graph.html").exists()


# Errors.


def test_roots_that_have_no_graph(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    path = tmp_path / "page.html"
    with refused(TypeError, "explore: takes a Value or a Tensor, the root of the graph, got float"):
        tg.explore(3.0, path)
    with refused(TypeError, "explore: takes a Value or a Tensor, the root of the graph, got list"):
        tg.explore([x * 2], path)
    with refused(ValueError, "explore: the graph is empty: this Value is a number, not computed from others"):
        tg.explore(Value(2.0), path)
    with refused(ValueError, "explore: the graph is empty: this Tensor is a leaf; give what was computed from it"):
        tg.explore(x, path)
    with refused(ValueError, "explore: the graph is empty: a Tensor of int64 has no gradient"):
        tg.explore(tg.argmax(x), path)
    with refused(
        ValueError, "explore: the graph is empty: this Tensor was computed from nothing that has requires_grad"
    ):
        tg.explore(x.detach() * 2, path)
    y = x
    for _ in range(1000):
        y = y * 0.5
    with refused(
        ValueError, "explore: the graph has 2,001 nodes, and a page shows 600 at most; explore a smaller part"
    ):
        tg.explore(y, path)
    assert not path.exists()


def test_arrays_that_were_freed(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = np.tanh(x).sum()
    loss.backward()
    with refused(
        RuntimeError,
        "explore: the arrays of this graph were freed by backward(); "
        "call backward(retain_graph=True), or explore before backward()",
    ):
        tg.explore(loss, tmp_path / "page.html")


@needs_dot
def test_a_backward_before_that_kept_the_arrays(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = np.tanh(x).sum()
    loss.backward(retain_graph=True)
    grad = x.grad.data.copy()
    tg.explore(loss, tmp_path / "page.html")
    assert np.array_equal(x.grad.data, grad)
    loss.backward()
    assert np.array_equal(x.grad.data, 2 * grad)


def test_arrays_that_were_changed(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    with tg.no_grad():
        x += 1.0
    with refused(RuntimeError, "backward: multiply needs an array that was changed in place since"):
        tg.explore(loss, tmp_path / "page.html")


def test_it_is_not_for_a_jitted_function(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)

    @tg.jit
    def step(y):
        tg.explore((x * y).sum(), tmp_path / "page.html")
        return y

    with refused(tg.JitError, "jit: explore() asks for numbers while the function is recorded"):
        step(tg.tensor([1.0, 2.0]))


@needs_dot
def test_paths_that_cannot_be_written(tmp_path):
    root = Value(2.0, label="a") * 3
    with refused(IsADirectoryError, f"explore: {tmp_path} is a folder; give a file in it"):
        tg.explore(root, tmp_path)
    with refused(FileNotFoundError, f"explore: can't write {tmp_path}/no/page.html: there is no folder {tmp_path}/no"):
        tg.explore(root, tmp_path / "no" / "page.html")
    with refused(OSError, f"explore: can't write {tmp_path}/{'x' * 300}: File name too long"):
        tg.explore(root, tmp_path / ("x" * 300))


@needs_dot
def test_no_permission(tmp_path, monkeypatch):
    """The superuser may write anywhere, so the system's answer is put in its place."""

    def refuse(*args, **keywords):
        raise PermissionError(13, "Permission denied", "page.html")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    with refused(PermissionError, f"explore: can't write {tmp_path}/page.html: Permission denied"):
        tg.explore(Value(2.0, label="a") * 3, tmp_path / "page.html")


def test_without_dot(monkeypatch, tmp_path):
    import graphviz

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(graphviz.ExecutableNotFound) as caught:
        tg.explore(Value(2.0, label="a") * 3, tmp_path / "page.html")
    assert str(caught.value) == (
        "explore: the program dot (Graphviz) is not installed; get it by `apt install graphviz`, "
        "`brew install graphviz` or `conda install graphviz`"
    )
