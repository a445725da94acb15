"""What can't be a program is refused with its line, or is computed anew in each replay."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.program import JitError, jit

from ..messages import refused
from .common import A, leaf, recordings

W = leaf(A)
NUMBER = tg.tensor(0.5)


ASKED = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x.sum()),
    "int": lambda x: int(x.sum()),
    "bool": lambda x: x if x.sum() > 3 else -x,
    "numpy()": lambda x: x.numpy(),
    "an array": lambda x: np.asarray(x),
    "data": lambda x: x.data,
    "its repr": lambda x: f"{x!r}",
    "format": lambda x: f"{x.sum():.3f}",
    "tolist()": lambda x: x.tolist(),
    "in": lambda x: 3.0 in x,
    "np.allclose": lambda x: np.allclose(x, 1.0),
    "tensor()": lambda x: tg.tensor(x),
    "of one from outside: data": lambda x: W.data,
    "item at a place": lambda x: x.item(0, 1),
    "np.copyto": lambda x: np.copyto(A.copy(), x),
    "a plain argument": lambda x: tg.functional.leaky_relu(x, x[0, 0]),
    "of one from outside: a plain argument": lambda x: tg.functional.leaky_relu(x, NUMBER),
    "nonzero": lambda x: np.nonzero(x),
    "a mask": lambda x: x[x > 0],
}


@pytest.mark.parametrize("what", ASKED)
def test_numbers_that_are_asked_for(what):
    jitted = jit(ASKED[what])
    for _ in range(2):
        with pytest.raises(JitError, match=r"^jit: .*test_refused\.py:\d+: ") as caught:
            jitted(tg.tensor(A))
        assert "\n" not in str(caught.value)
    assert recordings(jitted) == 0
    ASKED[what](tg.tensor(A))  # nothing is left behind


def test_seeding_a_generator():
    generator = tg.Generator()
    for call in (lambda: generator.manual_seed(3), lambda: generator.set_state(generator.get_state())):
        with pytest.raises(JitError, match=r"jit: .* while the function is recorded"):
            jit(call)()


def test_masks_that_are_written_through_are_computed_anew():
    def f(x):
        y = x * 1.0
        y[x > 0] = 0.0
        y[np.argmax(x, axis=0), 0] = 9.0
        return np.where(x < -1, 5.0, y)

    jitted = jit(f)
    for factor in (1, -1, 2):
        assert np.array_equal(jitted(tg.tensor(A * factor)).data, f(tg.tensor(A * factor)).data)
    assert recordings(jitted) == 1


def test_indices_out_of_range():
    w = leaf(A)
    jitted = jit(lambda i: tg.functional.embedding(i, w) + w[i])
    for i in ([0, 1], [1, 1]):
        assert np.array_equal(jitted(np.array(i)).data, 2 * A[i])
    for bad in ([0, 2], [-1, 0]):
        with pytest.raises(IndexError):
            jitted(np.array(bad))
    picked = jit(lambda i: w[i])
    for i in ([0, 1], [-1, -2]):
        assert np.array_equal(picked(np.array(i)).data, A[i])
    with pytest.raises(IndexError):
        picked(np.array([0, 2]))


def test_copies_are_refused():
    jitted = jit(lambda x: x)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with refused(TypeError, "jit: a jitted function can't be pickled or copied"):
            way(jitted)
