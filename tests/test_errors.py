"""What bad input is told: the kind of error, and one line that names the operation and what it was given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import INDEX, ONE, SEQUENCE, Op, table
from tinygrad_lite.testing import strategies

from .messages import refused

X = tg.tensor([1.0, 2.0], requires_grad=True)
M = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
I = tg.tensor([0, 1])  # noqa: E741
NONE_YET = np.zeros(0, int)

CASES = [
    # binary operations
    (ValueError, lambda: X * [1, 2, 3], ["multiply: ", "(2,) (3,)", "float32[2]"]),
    (ValueError, lambda: tg.ones((2, 3)) * tg.ones((3, 2)), ["multiply: ", "(2,3) (3,2)", "float32[3, 2]"]),
    (ValueError, lambda: tg.maximum(X, [1, 2, 3]), ["maximum: ", "(2,) (3,)"]),
    (ValueError, lambda: X < [1, 2, 3], ["less: ", "(2,) (3,)"]),
    (ValueError, lambda: X == [1, 2, 3], ["equal: ", "(2,) (3,)"]),
    (ValueError, lambda: tg.where([True, False, True], X, 0), ["where: ", "(3,) (2,)"]),
    (TypeError, lambda: tg.where(X, X, 0), ["where: no gradient of condition is known; give condition.detach()"]),
    (ValueError, lambda: I**-1, ["power: ", "negative integer powers", "int64[2], -1"]),
    (OverflowError, lambda: tg.tensor(np.array([1], np.uint8)) + 300, ["add: ", "300", "uint8"]),
    (TypeError, lambda: -tg.tensor([True]), ["negative: ", "bool[1]"]),
    (TypeError, lambda: tg.tensor([True]) - tg.tensor([True]), ["subtract: ", "bool[1]"]),
    # matrix products
    (ValueError, lambda: tg.ones((32, 45)) @ tg.ones((30, 200)), [
        "matmul: inner dimensions differ: (32, 45) @ (30, 200), 45 != 30",
    ]),
    (ValueError, lambda: X @ tg.ones((3, 2)), ["matmul: inner dimensions differ: (2,) @ (3, 2), 2 != 3"]),
    (ValueError, lambda: M @ tg.ones(3), ["matmul: inner dimensions differ: (2, 2) @ (3,), 2 != 3"]),
    (ValueError, lambda: M @ 1, ["matmul: takes no scalars: (2, 2) @ ()", "multiply with *"]),
    (ValueError, lambda: 1 @ M, ["matmul: takes no scalars: () @ (2, 2)"]),
    (ValueError, lambda: tg.ones((2, 2, 2)) @ tg.ones((3, 2, 2)), [
        "matmul: leading dimensions do not broadcast: (2, 2, 2) @ (3, 2, 2)",
    ]),
    # reductions
    (IndexError, lambda: M.sum(2), ["sum: ", "axis 2 is out of bounds", "float32[2, 2]"]),
    (IndexError, lambda: M.mean((0, -3)), ["mean: ", "axis -3 is out of bounds"]),
    (IndexError, lambda: M.max(5), ["max: ", "axis 5"]),
    (IndexError, lambda: M.argmax(5), ["argmax: ", "axis 5"]),
    (ValueError, lambda: M.sum((0, 0)), ["sum: ", "duplicate value in 'axis'"]),
    (TypeError, lambda: M.sum(1.0), ["sum: ", "float", "float32[2, 2]"]),
    (TypeError, lambda: M.var("a"), ["var: ", "str"]),
    (TypeError, lambda: M.argmax((0, 1)), ["argmax: ", "tuple"]),
    (TypeError, lambda: M.var(ddof="a"), ["var: "]),
    (ValueError, lambda: tg.max(tg.zeros(0)), ["max: ", "zero-size", "float32[0]"]),
    (ValueError, lambda: tg.min(tg.zeros((0, 3)), axis=0), ["min: ", "zero-size", "float32[0, 3]"]),
    (ValueError, lambda: tg.argmax(tg.zeros(0)), ["argmax: ", "empty"]),
    # shapes
    (ValueError, lambda: M.reshape(3), ["reshape: ", "size 4", "(3,)"]),
    (ValueError, lambda: M.reshape(-1, 3), ["reshape: ", "size 4"]),
    (ValueError, lambda: M.reshape(-1, -1), ["reshape: ", "one unknown dimension"]),
    (TypeError, lambda: M.reshape("a"), ["reshape: ", "str"]),
    (ValueError, lambda: M.transpose(0, 0), ["transpose: ", "repeated axis"]),
    (ValueError, lambda: M.transpose(0), ["transpose: ", "axes don't match"]),
    (IndexError, lambda: M.transpose(0, 2), ["transpose: ", "axis 2 is out of bounds"]),
    (IndexError, lambda: M.swapaxes(0, 2), ["swapaxes: ", "axis 2 is out of bounds"]),
    (ValueError, lambda: X.mT, ["matrix_transpose: takes matrices (..., N, M), got shape (2,)"]),
    (ValueError, lambda: M.squeeze(0), ["squeeze: ", "not equal to one"]),
    (IndexError, lambda: tg.expand_dims(M, 5), ["expand_dims: ", "axis 5 is out of bounds"]),
    (ValueError, lambda: tg.expand_dims(M, (0, 0)), ["expand_dims: ", "repeated axis"]),
    (ValueError, lambda: tg.broadcast_to(X, (2, 3)), ["broadcast_to: ", "(2,3)"]),
    (ValueError, lambda: tg.broadcast_to(M, 2), ["broadcast_to: ", "float32[2, 2]"]),
    # several arrays
    (ValueError, lambda: tg.concatenate([]), ["concatenate: ", "at least one array"]),
    (ValueError, lambda: tg.concatenate([X, M]), ["concatenate: ", "[float32[2], float32[2, 2]]"]),
    (ValueError, lambda: tg.concatenate([M, tg.zeros((3, 3))]), ["concatenate: ", "float32[3, 3]"]),
    (ValueError, lambda: tg.concatenate([X.sum(), X.sum()]), ["concatenate: ", "zero-dimensional"]),
    (IndexError, lambda: tg.concatenate([M, M], axis=2), ["concatenate: ", "axis 2"]),
    (TypeError, lambda: tg.concatenate(part for part in [X, X]), ["concatenate: ", "sequence"]),
    (TypeError, lambda: tg.concatenate(1), ["concatenate: "]),
    (ValueError, lambda: tg.stack([]), ["stack: ", "at least one array"]),
    (ValueError, lambda: tg.stack([X, M]), ["stack: ", "same shape", "float32[2, 2]"]),
    (IndexError, lambda: tg.stack([X, X], axis=3), ["stack: ", "axis 3"]),
    # neural
    (ValueError, lambda: F.linear(M, tg.ones((3, 2))), ["linear: inner dimensions differ: (2, 2) @ (3, 2), 2 != 3"]),
    (ValueError, lambda: F.linear(M, tg.ones((2, 3)), X), ["linear: ", "(2, 3)", "bias (3,)", "got (2,)"]),
    (ValueError, lambda: F.linear(M, 1.0), ["linear: takes no scalars"]),
    (IndexError, lambda: F.embedding([0, 2], M), ["embedding: index 2 is out of range", "from 0 to 1"]),
    (IndexError, lambda: F.embedding([-1], M), ["embedding: index -1 is out of range"]),
    (TypeError, lambda: F.embedding([0.5], M), ["embedding: the indices must be integers, got float"]),
    (TypeError, lambda: F.embedding([True], M), ["embedding: the indices must be integers, got bool"]),
    (ValueError, lambda: F.embedding([0], X), ["embedding: weight must be (C, D), got (2,)"]),
    (IndexError, lambda: F.one_hot([0, 3], 3), ["one_hot: index 3 is out of range", "from 0 to 2"]),
    (TypeError, lambda: F.one_hot([0.5], 3), ["one_hot: the indices must be integers"]),
    (ValueError, lambda: F.one_hot(I, 0), ["one_hot: num_classes must be an integer of 1 or more, got 0"]),
    (ValueError, lambda: F.one_hot(NONE_YET, -1), ["one_hot: num_classes", "got -1"]),
    (ValueError, lambda: F.one_hot(I, 2.5), ["one_hot: num_classes", "got 2.5"]),
    (TypeError, lambda: F.one_hot(I, 3, complex), ["one_hot: ", "complex128"]),
    (IndexError, lambda: F.cross_entropy(M, [0, 2]), ["cross_entropy: index 2 is out of range", "from 0 to 1"]),
    (IndexError, lambda: F.cross_entropy(M, [0, -1]), ["cross_entropy: index -1 is out of range"]),
    (ValueError, lambda: F.cross_entropy(M, [0]), ["cross_entropy: takes logits (N, C)", "got (2, 2) and (1,)"]),
    (ValueError, lambda: F.cross_entropy(tg.zeros((0, 3)), NONE_YET), ["cross_entropy: ", "(0, 3)"]),
    (TypeError, lambda: F.cross_entropy(M, [0.0, 1.0]), ["cross_entropy: ", "integers, got float"]),
    (TypeError, lambda: F.cross_entropy(M, [True, False]), ["cross_entropy: ", "integers, got bool"]),
    (ValueError, lambda: F.batch_norm(M, [1.0] * 3, 0.0), ["batch_norm: ", "(3,)"]),
    (ValueError, lambda: F.batch_norm(M, 1.0, [0.0] * 3), ["batch_norm: ", "(3,)"]),
    (ValueError, lambda: F.batch_norm(M[:1], 1.0, 0.0, ddof=1), ["batch_norm: ", "1 rows", "ddof=1"]),
    (ValueError, lambda: F.batch_norm(tg.zeros((0, 2)), 1.0, 0.0), ["batch_norm: ", "0 rows"]),
    (ValueError, lambda: F.batch_norm(M, 1.0, 0.0, mean=[0.0, 0.0]), ["batch_norm: ", "mean and var"]),
    (IndexError, lambda: F.batch_norm(M, 1.0, 0.0, axis=5), ["batch_norm: ", "axis 5"]),
    (IndexError, lambda: F.softmax(M, axis=3), ["softmax: ", "axis 3"]),
    # dtypes
    (TypeError, lambda: X.astype("foo"), ["astype: ", "'foo'"]),
    (TypeError, lambda: X.astype(complex), ["astype: ", "complex128"]),
    # tensors as numbers
    (ValueError, lambda: X.item(), ["item: ", "shape (2,)", "2 elements"]),
    (ValueError, lambda: float(X), ["float: ", "shape (2,)"]),
    (ValueError, lambda: int(X), ["int: ", "shape (2,)"]),
    (ValueError, lambda: bool(X), ["the truth of a tensor of shape (2,) is ambiguous"]),
    (ValueError, lambda: f"{X:.4f}", ["format: ", "'.4f'", "shape (2,)"]),
    (TypeError, lambda: len(X.sum()), ["len() of a tensor without axes"]),
    (TypeError, lambda: iter(X.sum()), ["iteration over a tensor without axes"]),
    # the graph
    (RuntimeError, lambda: tg.tensor(1.0).backward(), ["backward: this tensor requires no gradient"]),
    (ValueError, lambda: (X * 2).backward(), ["backward: ", "shape (2,)", "gradient="]),
    (ValueError, lambda: (X * 2).backward([1, 2, 3]), ["backward: gradient= has shape (3,), the tensor has (2,)"]),
    (TypeError, lambda: (X * 2).backward([1, "a"]), ["backward: gradient="]),
    (TypeError, lambda: (X * 2).backward(np.array([None, None])), ["backward: gradient=", "object"]),
    (RuntimeError, lambda: setattr(X * 2, "requires_grad", False), ["requires_grad: only a leaf", "detach()"]),
    (TypeError, lambda: setattr(X, "grad", np.ones(2)), ["grad: takes None or a Tensor float32[2], got ndarray"]),
    (TypeError, lambda: setattr(X, "grad", tg.ones(3)), ["grad: ", "float32[2], got float32[3]"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "call", "words"), CASES, ids=[words[0].split(":")[0] for _, _, words in CASES])
def test_says_what_happened(kind, call, words):
    before = X.tolist()
    with refused(kind, *words):
        call()
    assert X.tolist() == before
    assert X.grad is None


WRITES = [
    (ValueError, "x += [1, 2, 3]", ["add", "(2,) (3,)"]),
    (ValueError, "y += [1, 2, 3]", ["add", "(2,) (3,)"]),
    (ValueError, "y *= tg.ones((2, 2))", ["in-place multiply: ", "float32[2, 2]", "float32[2]", "x = x multiply"]),
    (TypeError, "x += 'a'", ["add: takes real numbers", "'a'"]),
    (TypeError, "y += None", ["add: ", "None"]),
    (TypeError, "x -= 1j", ["subtract: takes real numbers", "complex128"]),
    (TypeError, "i += 1.5", ["add: ", "float64", "int64"]),
    (TypeError, "i /= 2", ["divide: ", "int64"]),
    (ValueError, "i *= w", ["in-place multiply: ", "float32[2]", "int64[2]"]),
    (OverflowError, "i += 2**70", ["add: "]),
    (RuntimeError, "w += 1", ["in-place add: a leaf that requires a gradient", "no_grad()", "x = x + ..."]),
    (RuntimeError, "w[0] = 1", ["x[...] = value: a leaf that requires a gradient", "no_grad()"]),
    (RuntimeError, "w[:1] *= 2", ["in-place multiply: a view of a leaf that requires a gradient"]),
    (ValueError, "x[:] = [1, 2, 3]", ["setitem: ", "(3,)", "(2,)"]),
    (ValueError, "y[0] = [1, 2]", ["setitem: ", "float32[2]"]),
    (ValueError, "x[0] = 'a'", ["setitem: ", "'a'"]),
    (TypeError, "x[0] = None", ["setitem: ", "None"]),
    (TypeError, "y[0] = 1j", ["setitem: ", "1j"]),
    (IndexError, "y[5] = 1", ["setitem: ", "index 5 is out of bounds"]),
    (IndexError, "x['a'] = 1", ["setitem: ", "'a'"]),
    (IndexError, "y[[True]] = 1", ["setitem: ", "boolean index did not match"]),
    (TypeError, "i[:] = w", ["x[...] = value: int64 can't carry the gradient of the value", "detach()"]),
    (TypeError, "x[:] = [w[0], 1.0]", ["setitem: ", "list of Tensors", "stack()"]),
    (TypeError, "x += [w[0], w[1]]", ["add: ", "list of Tensors", "stack()"]),
    (ValueError, "tg.broadcast_to(x, (2, 2))[0] = 1", ["x[...] = value: the array is read-only", "clone()"]),
]


@pytest.mark.parametrize(("kind", "statement", "words"), WRITES, ids=[statement for _, statement, _ in WRITES])
def test_a_write_that_fails_says_why_and_changes_nothing(kind, statement, words):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    names = {"tg": tg, "w": w, "x": tg.tensor([1.0, 2.0]), "y": w * 1, "i": tg.tensor([1, 2])}
    with refused(kind, *words):
        exec(statement, names)
    assert all(names[name].tolist() == [1, 2] for name in "wxyi")
    names["y"].sum().backward()
    assert w.grad.tolist() == [1, 1]
    assert not names["x"].requires_grad


# The same for whatever operation there is.

NO_ARRAYS = {
    "None": (None, TypeError),
    "a string": ("a", TypeError),
    "strings": (["a", "b"], TypeError),
    "an object": (object(), TypeError),
    "a dict": ({}, TypeError),
    "a complex number": (1j, TypeError),
    "complex numbers": (np.array([[1j], [2j]]), TypeError),
    "objects": (np.array([None, 1.0]), TypeError),
    "a ragged list": ([[1], [2, 3]], ValueError),
    "Tensors in a list": ([tg.tensor([1.0])], TypeError),
    "Tensors in a nested list": ([[tg.tensor(1.0)], [2.0]], TypeError),
    "dates": (np.array(["2020-01-01"], "datetime64[D]"), TypeError),
}
PUBLIC = {getattr(module, name) for module in (tg, F) for name in module.__all__}
INPUTS = [
    (op, i)
    for op in table.values()
    if op.function in PUBLIC or op.name == "batch_norm"
    for i, kind in enumerate(op.kinds)
    if kind is ONE
]


def is_optional(op: Op, i: int) -> bool:
    return op.parameters[i] in op.defaults


@pytest.mark.parametrize(("op", "i"), INPUTS, ids=[f"{op.name}-{op.parameters[i]}" for op, i in INPUTS])
def test_what_is_no_array(op, i):
    @settings(max_examples=1, phases=[Phase.generate], deadline=None, database=None)
    @given(strategies.arguments(op, np.float32))
    def run(args):
        tensors = [tg.from_numpy(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
        for name, (value, kind) in NO_ARRAYS.items():
            given_to = [*tensors[:i], value, *tensors[i + 1 :]]
            if value is None and is_optional(op, i):
                continue
            if "Tensor" not in name and value is not None and not any(isinstance(t, tg.Tensor) for t in given_to):
                continue  # without a Tensor the rest is between NumPy and the caller
            with pytest.raises((TypeError, ValueError)) as caught:
                op.call(*given_to)
            said = str(caught.value)
            assert len(said.splitlines()) == 1, said
            assert said.startswith(f"{op.name}: "), said
            assert type(caught.value) is kind or i not in op.promoted, said

    run()


SEQUENCES = [(op, i) for op in table.values() for i in op.promoted if op.kinds[i] is SEQUENCE]


@pytest.mark.parametrize(("op", "i"), SEQUENCES, ids=[op.name for op, _ in SEQUENCES])
def test_what_is_no_array_in_a_sequence(op, i):
    @settings(max_examples=1, phases=[Phase.generate], deadline=None, database=None)
    @given(strategies.arguments(op, np.float32))
    def run(args):
        for value, kind in NO_ARRAYS.values():
            with refused(kind, f"{op.name}: "):
                op.call(*args[:i], [tg.tensor([1.0]), value], *args[i + 1 :])

    run()


@pytest.mark.parametrize("op", [op for op in table.values() if INDEX in op.kinds], ids=lambda op: op.name)
def test_what_is_no_index(op):
    shape = (2, 2)
    for bad in ("a", 0.5, {}, 1j, (0, "a"), [0.5]):
        args = {"a": M, "value": 1.0, "values": X, "shape": shape, "index": bad}
        with refused(IndexError, f"{op.name}: "):
            op.call(*(args[name] for name in op.parameters))
