"""The reference step in NumPy by hand, as fast as it gets: what a jit is held against.

It computes what `numpy_step` does, into memory that is there. What else was measured to be worth it, and how much
longer a step takes without: minibatches drawn 1000 at once (40 %), the method `dot` for products (5 %; with np.matmul
12 %) and for sums (12 %), `take` to repeat a vector where NumPy would broadcast it (7 %) and for one-hot vectors (2 %),
scalars as arrays without dimensions (4 %), tanh by exp (3 %), 28 characters, as BLAS takes longer for 27 (2 %), b1 as a
row of W1 (1 %), and the rate as a factor of the gradient of the logits, so that the update is one subtraction (1 %).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log, prod
from typing import Any

import numpy as np

from .reference import CHARACTERS, CONTEXT, RATE, Parts, Problem, Step, minibatches

CLASSES = CHARACTERS + 1  # the last is never met: its bias is -inf


def buffer(*shape: int) -> Any:
    """An array of zeros that begins where a line of the cache does."""
    memory = np.zeros(prod(shape) + 16, np.float32)
    start = -memory.ctypes.data % 64 // 4
    return memory[start : start + prod(shape)].reshape(shape)


class Packed:
    """All weights as slices of one array, and so the gradients.

    C and W2 are transposed. The rows of W1 are sorted by embedding, then by place in the context; b1 is the last.
    """

    def __init__(self, problem: Problem) -> None:
        given = problem.weights
        self.inputs, self.hidden = given["W1"].shape
        self.embedding = self.inputs // CONTEXT
        wide = (1, self.hidden)
        self.shapes = [(self.embedding, CLASSES), (self.inputs + 1, self.hidden), (CLASSES, self.hidden)]
        self.shapes += [(CLASSES, 1), wide, wide]
        self.flat, self.gradients = (buffer(sum(map(prod, self.shapes))) for _ in range(2))
        C, W1, W2, b2, gain, bias = self.views(self.flat)
        C[:, :-1], W2[:-1], W1[-1] = given["C"].T, given["W2"].T, given["b1"]
        W1[:-1] = given["W1"].reshape(CONTEXT, self.embedding, -1).swapaxes(0, 1).reshape(self.inputs, -1)
        b2[:-1, 0], b2[-1] = given["b2"], -np.inf
        gain[:], bias[:] = given["gain"], given["bias"]

    def views(self, flat: Any) -> list[Any]:
        parts = np.split(flat, np.cumsum([prod(shape) for shape in self.shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def weights(self) -> dict[str, Any]:
        """Copies, as they were given."""
        C, W1, W2, b2, gain, bias = (view.copy() for view in self.views(self.flat))
        by_place = W1[:-1].reshape(self.embedding, CONTEXT, -1).swapaxes(0, 1).reshape(self.inputs, -1)
        return {
            "C": C[:, :-1].T,
            "W1": by_place,
            "b1": W1[-1],
            "W2": W2[:-1].T,
            "b2": b2[:-1, 0],
            "gain": gain,
            "bias": bias,
        }


def steps(problem: Problem, packed: Packed) -> Iterator[Any]:
    """The loss of one step after the other. A generator, as all its names are local."""
    n, inputs, hidden, embedding = problem.batch, packed.inputs, packed.hidden, packed.embedding
    parameters, gradients = packed.flat, packed.gradients
    C, W1, W2, b2, (gain,), bias = packed.views(parameters)
    g_C, g_W1, g_W2, g_b2, (g_gain,), (g_bias,) = packed.views(gradients)
    g_b2 = g_b2.reshape(-1)

    # Buffers. A vector that is repeated is a matrix of one row for `take`; the same memory as a vector ends in _.
    embedded, g_embedded, one_hot = buffer(inputs + 1, n), buffer(inputs, n), buffer(CONTEXT, n, CLASSES)
    embedded[-1] = 1  # the input of b1
    h, t, g, repeated = (buffer(n, hidden) for _ in range(4))
    mean, factor, double, shift, mean_g, share = (buffer(1, hidden) for _ in range(6))
    mean_, factor_, double_, mean_g_, share_ = (row[0] for row in (mean, factor, double, mean_g, share))
    squares, scale, products = (buffer(hidden) for _ in range(3))
    logits, columns, largest, sums = buffer(CLASSES, n), buffer(CLASSES, n), buffer(1, n), buffer(1, n)
    logits_, columns_, sums_ = logits.reshape(-1), columns.reshape(-1), sums[0]
    chosen, logs = buffer(n), buffer(n + 1)
    logs_ = logs[:-1]
    logs[-1] = log(RATE / n)  # to be taken off again: `logits` becomes the softmax times this
    characters_of_embedded = embedded[:-1].reshape(embedding, CONTEXT, n)
    characters_of_gradient, one_hots = g_embedded.reshape(embedding, -1), one_hot.reshape(-1, CLASSES)

    # Constants.
    one, two, root, nth, rate = (np.array(x, np.float32) for x in (1, 2, (n - 1) ** 0.5, 1 / n, RATE / n))
    ones, nths, means = np.ones(n, np.float32), np.full(n, 1 / n, np.float32), np.full(n + 1, -1 / n, np.float32)
    means[-1] = 1
    start, first, first_class, classes = np.arange(n), np.zeros(n, int), np.zeros(CLASSES, int), np.arange(CLASSES)
    each_class = classes.repeat(n)

    # What is called.
    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
    exp, logarithm, sqrt, maximum = np.exp, np.log, np.sqrt, np.maximum.reduce
    C_take, one_hot_take, b2_take, logits_take = C.take, np.eye(CLASSES, dtype=np.float32).take, b2.take, logits_.take
    mean_take, double_take, shift_take, share_take = mean.take, double.take, shift.take, share.take
    mean_g_take, factor_take, largest_take, sums_take = mean_g.take, factor.take, largest.take, sums.take
    embedded_dot, embedded_T_dot, W1_dot, W2_dot = embedded.dot, embedded.T.dot, W1[:-1].dot, W2.dot
    logits_dot, logits_T_dot, g_C_dot, logs_dot = logits.dot, logits.T.dot, characters_of_gradient.dot, logs.dot
    ones_dot, nths_dot, ones_of_classes_dot = ones.dot, nths.dot, np.ones(CLASSES, np.float32).dot
    t_T, g_T = t.T, g.T

    for rows in minibatches(problem):
        x, y = problem.x.take(rows, 0).swapaxes(1, 2).copy(), problem.y.take(rows)
        y *= n
        y += start
        for characters, at in zip(x, y, strict=True):
            C_take(characters, 1, characters_of_embedded, "clip")
            embedded_T_dot(W1, h)
            nths_dot(h, mean_)
            mean_take(first, 0, repeated, "clip")
            subtract(h, repeated, h)
            multiply(h, h, repeated)
            ones_dot(repeated, squares)
            sqrt(squares, scale)
            divide(root, scale, scale)
            multiply(gain, scale, factor_)
            add(factor_, factor_, double_)
            add(bias, bias, shift)
            double_take(first, 0, repeated, "clip")
            multiply(h, repeated, t)
            shift_take(first, 0, repeated, "clip")
            add(t, repeated, t)
            exp(t, t)
            add(t, one, t)
            divide(two, t, t)
            subtract(one, t, t)
            W2_dot(t_T, logits)
            b2_take(each_class, None, columns_, "clip")
            add(logits, columns, logits)
            maximum(logits, 0, None, largest, True)
            largest_take(first_class, 0, columns, "clip")
            subtract(logits, columns, logits)
            exp(logits, logits)
            ones_of_classes_dot(logits, sums_)
            divide(rate, sums, sums)
            sums_take(first_class, 0, columns, "clip")
            multiply(logits, columns, logits)
            logits_take(at, None, chosen, "clip")
            logarithm(chosen, logs_)
            loss = logs_dot(means)

            subtract(chosen, rate, chosen)
            logits_[at] = chosen
            logits_dot(t, g_W2)
            logits_dot(ones, g_b2)
            logits_T_dot(W2, g)
            multiply(t, t, t)
            subtract(one, t, t)
            multiply(g, t, g)
            ones_dot(g, g_bias)
            multiply(g, h, repeated)
            ones_dot(repeated, products)
            multiply(products, scale, g_gain)
            divide(products, squares, share_)
            multiply(g_bias, nth, mean_g_)
            share_take(first, 0, repeated, "clip")
            multiply(h, repeated, h)
            subtract(g, h, g)
            mean_g_take(first, 0, repeated, "clip")
            subtract(g, repeated, g)
            factor_take(first, 0, repeated, "clip")
            multiply(g, repeated, g)
            embedded_dot(g, g_W1)
            W1_dot(g_T, g_embedded)
            one_hot_take(characters, 0, one_hot, "clip")
            g_C_dot(one_hots, g_C)
            subtract(parameters, gradients, parameters)
            yield loss


def numpy_buffers_parts(problem: Problem) -> Parts:
    """The step, and what the weights are by then."""
    packed = Packed(problem)
    return steps(problem, packed).__next__, packed.weights


def numpy_buffers_step(problem: Problem) -> Step:
    return numpy_buffers_parts(problem)[0]
