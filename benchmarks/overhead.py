"""What an operation costs on top of NumPy: small arrays, so that there is little else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinygrad_lite as tg


def pairs() -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    """(name, the operation on recorded Tensors, the same on arrays)."""
    a = np.linspace(0.5, 1.5, 4, dtype=np.float32)
    m = np.ones((2, 2), np.float32)
    t, u = tg.tensor(a, requires_grad=True), tg.tensor(m, requires_grad=True)
    yield "tanh", lambda: tg.tanh(t), lambda: np.tanh(a)
    yield "x + y", lambda: t + t, lambda: a + a
    yield "x * y", lambda: t * t, lambda: a * a
    yield "x * 2.0", lambda: t * 2.0, lambda: a * 2.0
    yield "x @ y", lambda: u @ u, lambda: m @ m
    yield "sum", lambda: t.sum(), lambda: a.sum()
    yield "reshape", lambda: t.reshape(2, 2), lambda: a.reshape(2, 2)
    yield "x[1:]", lambda: t[1:], lambda: a[1:]

    def chain() -> None:
        y = t
        for _ in range(50):
            y = y + t
        y.sum().backward()
        t.zero_grad()

    yield "51 operations and their backward", chain, lambda: [a + a for _ in range(51)]
