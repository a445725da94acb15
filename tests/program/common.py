"""What the tests of the jit share."""

import numpy as np

import tinygrad_lite as tg

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], np.float32)


def leaf(data):
    return tg.tensor(np.asarray(data, np.float32), requires_grad=True)


def recordings(jitted):
    return sum(map(len, jitted.replays.values()))


def adding_to(w):
    """A step that adds to the gradient of w."""

    def step(x):
        loss = (w * x).sum()
        loss.backward()
        return loss

    return step
