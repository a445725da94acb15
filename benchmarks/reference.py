"""The reference step: the makemore MLP with BatchNorm, written for each library as its users would write it.

One step samples a minibatch, runs forward and backward, and updates the parameters by SGD. float32.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite import jit
from tinygrad_lite.program.passes import ROUNDING

CONTEXT, CHARACTERS, EXAMPLES, RATE = 3, 27, 182_625, 0.1
Step = Callable[[], Any]
Parts = tuple[Step, Callable[[], dict[str, Any]]]  # a step, and what gives copies of the weights as they are by then


class Size(NamedTuple):
    batch: int = 32
    hidden: int = 200
    embedding: int = 15


LARGER = [Size(256, 512, 32), Size(1024, 1024, 64), Size(4096, 1024, 64)]


class Problem:
    """Random data and weights of one size, the same for every library."""

    def __init__(self, size: Size) -> None:
        rng = np.random.default_rng(0)
        self.batch, hidden, embedding = size
        inputs = CONTEXT * embedding
        self.x = rng.integers(0, CHARACTERS, (EXAMPLES, CONTEXT))
        self.y = rng.integers(0, CHARACTERS, EXAMPLES)

        def normal(*shape: int, scale: float) -> Any:
            return (rng.standard_normal(shape) * scale).astype(np.float32)

        self.weights = {
            "C": normal(CHARACTERS, embedding, scale=1.0),
            "W1": normal(inputs, hidden, scale=5 / 3 / inputs**0.5),
            "b1": normal(hidden, scale=0.01),
            "W2": normal(hidden, CHARACTERS, scale=0.01),
            "b2": normal(CHARACTERS, scale=0.01),
            "gain": np.ones((1, hidden), np.float32),
            "bias": np.zeros((1, hidden), np.float32),
        }


def minibatches(problem: Problem, many: int = 1000) -> Iterator[Any]:
    """The rows of many minibatches, drawn at once: the same as one after the other."""
    rng = np.random.default_rng(1)
    while True:
        yield rng.integers(0, EXAMPLES, (many, problem.batch))


def _tinygrad_lite_parts(problem: Problem) -> tuple[Callable[[Any, Any], Any], dict[str, Any]]:
    parameters = {name: tg.tensor(w, requires_grad=True) for name, w in problem.weights.items()}
    C, W1, b1, W2, b2, gain, bias = parameters.values()
    optimiser = tg.optim.SGD(parameters.values(), lr=RATE)

    def update(x: Any, y: Any) -> Any:
        embedded = F.embedding(x, C).reshape(problem.batch, -1)
        hidden, _, _ = F.batch_norm(F.linear(embedded, W1, b1), gain, bias, eps=0.0, ddof=1)
        loss = F.cross_entropy(F.linear(hidden.tanh(), W2, b2), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    return update, parameters


def tinygrad_lite_step(problem: Problem) -> Step:
    update, _ = _tinygrad_lite_parts(problem)
    generator = tg.Generator().manual_seed(1)

    def step() -> Any:
        rows = generator.randint(0, EXAMPLES, (problem.batch,)).numpy()
        return update(problem.x[rows], problem.y[rows])

    return step


def jit_parts(problem: Problem, without: Collection[str] = ROUNDING) -> Parts:
    update, parameters = _tinygrad_lite_parts(problem)
    x, y = tg.tensor(problem.x), tg.tensor(problem.y)
    step = jit(lambda rows: update(x[rows], y[rows]), without=without)
    rows = chain.from_iterable(minibatches(problem))
    return lambda: step(next(rows)), lambda: {name: p.numpy().copy() for name, p in parameters.items()}


def jit_step(problem: Problem) -> Step:
    return jit_parts(problem)[0]


def jit_rounding_step(problem: Problem) -> Step:
    """With the passes, too, that may change results by rounding."""
    return jit_parts(problem, without=())[0]


def numpy_parts(problem: Problem) -> Parts:
    """By hand, plain: the derivation of every gradient is the lecture's."""
    weights = {name: w.copy() for name, w in problem.weights.items()}
    C, W1, b1, W2, b2, gain, bias = weights.values()
    rng = np.random.default_rng(1)
    n = problem.batch
    one_to_n = np.arange(n)

    def step() -> Any:
        rows = rng.integers(0, EXAMPLES, n)
        x, y = problem.x[rows], problem.y[rows]
        embedded = C[x].reshape(n, -1)
        h = embedded @ W1 + b1
        centred = h - h.mean(0, keepdims=True)
        scale = 1 / np.sqrt((centred * centred).sum(0, keepdims=True) / (n - 1))
        normal = centred * scale
        t = np.tanh(gain * normal + bias)
        logits = t @ W2 + b2
        powers = np.exp(logits - logits.max(1, keepdims=True))
        p = powers / powers.sum(1, keepdims=True)
        loss = -np.log(p[one_to_n, y]).mean()

        p[one_to_n, y] -= 1
        p /= n
        g = (p @ W2.T) * (1 - t * t)
        g_gain, g_bias = (g * normal).sum(0, keepdims=True), g.sum(0, keepdims=True)
        g_h = gain * scale * (g - g_bias / n - normal * (g_gain / (n - 1)))
        g_embedded = (g_h @ W1.T).reshape(-1, C.shape[1])
        one_hot = (np.arange(CHARACTERS)[:, None] == x.reshape(-1)).astype(np.float32)
        for w, g_w in (
            (W2, t.T @ p),
            (b2, p.sum(0)),
            (W1, embedded.T @ g_h),
            (b1, g_h.sum(0)),
            (gain, g_gain),
            (bias, g_bias),
            (C, one_hot @ g_embedded),
        ):
            w -= RATE * g_w
        return loss

    return step, lambda: {name: w.copy() for name, w in weights.items()}


def numpy_step(problem: Problem) -> Step:
    return numpy_parts(problem)[0]


def _torch_parts(problem: Problem) -> tuple[Any, Step, Step]:
    import torch

    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
    parameters = [torch.tensor(w, requires_grad=True) for w in problem.weights.values()]
    C, W1, b1, W2, b2, gain, bias = parameters
    generator = torch.Generator().manual_seed(1)

    def loss_of(xb: Any, yb: Any) -> Any:
        h = C[xb].view(problem.batch, -1) @ W1 + b1
        h = gain * (h - h.mean(0, keepdim=True)) / h.std(0, keepdim=True) + bias
        return torch.nn.functional.cross_entropy(torch.tanh(h) @ W2 + b2, yb)

    def step_with(function: Any) -> Step:
        def step() -> Any:
            rows = torch.randint(0, EXAMPLES, (problem.batch,), generator=generator)
            loss = function(x[rows], y[rows])
            for p in parameters:
                p.grad = None
            loss.backward()
            with torch.no_grad():
                for p in parameters:
                    p -= RATE * p.grad
            return loss

        return step

    return torch, step_with(loss_of), lambda: step_with(torch.compile(loss_of))


def torch_step(problem: Problem) -> Step:
    return _torch_parts(problem)[1]


def torch_compile_step(problem: Problem) -> Step:
    if not (shutil.which("g++") or shutil.which("clang++")):
        raise ImportError("needs a C++ compiler")
    step: Step = _torch_parts(problem)[2]()
    step()
    return step


def _jax_dispatch(problem: Problem) -> Step:
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(problem.x), jnp.asarray(problem.y)
    state = [list(problem.weights.values()), jax.random.PRNGKey(1)]

    def loss_of(parameters: Any, xb: Any, yb: Any) -> Any:
        C, W1, b1, W2, b2, gain, bias = parameters
        h = C[xb].reshape(problem.batch, -1) @ W1 + b1
        h = gain * (h - h.mean(0, keepdims=True)) / h.std(0, keepdims=True, ddof=1) + bias
        logs = jax.nn.log_softmax(jnp.tanh(h) @ W2 + b2)
        return -logs[jnp.arange(problem.batch), yb].mean()

    @jax.jit
    def update(parameters: Any, key: Any) -> Any:
        key, sub = jax.random.split(key)
        rows = jax.random.randint(sub, (problem.batch,), 0, EXAMPLES)
        loss, grads = jax.value_and_grad(loss_of)(parameters, x[rows], y[rows])
        return [p - RATE * g for p, g in zip(parameters, grads, strict=True)], key, loss

    def step() -> Any:
        state[0], state[1], loss = update(*state)
        return loss

    return step


def jax_step(problem: Problem) -> Step:
    step = _jax_dispatch(problem)
    return lambda: step().block_until_ready()


def jax_unawaited_step(problem: Problem) -> Step:
    """The loss that is awaited is that of the step before: JAX computes while Python goes on."""
    step = _jax_dispatch(problem)
    losses = [step()]

    def ahead() -> Any:
        losses.append(step())
        return losses.pop(0).block_until_ready()

    return ahead


def autograd_step(problem: Problem) -> Step:
    import autograd
    import autograd.numpy as anp

    parameters = [w.copy() for w in problem.weights.values()]
    rng = np.random.default_rng(1)

    def loss_of(parameters: Any, xb: Any, yb: Any) -> Any:
        C, W1, b1, W2, b2, gain, bias = parameters
        h = anp.dot(anp.reshape(C[xb], (problem.batch, -1)), W1) + b1
        centred = h - anp.mean(h, axis=0, keepdims=True)
        var = anp.sum(centred * centred, axis=0, keepdims=True) / (problem.batch - 1)
        logits = anp.dot(anp.tanh(gain * centred / anp.sqrt(var) + bias), W2) + b2
        shifted = logits - anp.max(logits, axis=1, keepdims=True)
        logs = shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True))
        return -anp.mean(logs[anp.arange(problem.batch), yb])

    gradient = autograd.value_and_grad(loss_of)

    def step() -> Any:
        rows = rng.integers(0, EXAMPLES, problem.batch)
        loss, grads = gradient(parameters, problem.x[rows], problem.y[rows])
        for p, g in zip(parameters, grads, strict=True):
            p -= np.float32(RATE) * g
        return loss

    return step


def mygrad_step(problem: Problem) -> Step:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    parameters = [mg.tensor(w.copy()) for w in problem.weights.values()]
    C, W1, b1, W2, b2, gain, bias = parameters
    rng = np.random.default_rng(1)
    mg.turn_memory_guarding_off()

    def step() -> Any:
        rows = rng.integers(0, EXAMPLES, problem.batch)
        h = mg.matmul(C[problem.x[rows]].reshape(problem.batch, -1), W1) + b1
        centred = h - h.mean(axis=0, keepdims=True)
        h = gain * centred / mg.sqrt(mg.sum(centred * centred, axis=0, keepdims=True) / (problem.batch - 1)) + bias
        loss = softmax_crossentropy(mg.matmul(mg.tanh(h), W2) + b2, problem.y[rows])
        loss.backward()
        for p in parameters:
            p.data -= np.float32(RATE) * p.grad
            p.null_grad()
        return loss

    return step


STEPS: dict[str, Callable[[Problem], Step]] = {
    "tinygrad_lite": tinygrad_lite_step,
    "tinygrad_lite, jit": jit_step,
    "tinygrad_lite, jit(without=())": jit_rounding_step,
    "NumPy by hand": numpy_step,
    "torch eager": torch_step,
    "torch.compile": torch_compile_step,
    "jax.jit": jax_step,
    "jax.jit, not awaited": jax_unawaited_step,
    "HIPS autograd": autograd_step,
    "MyGrad": mygrad_step,
}
