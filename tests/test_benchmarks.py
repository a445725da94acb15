"""The steps that are timed side by side do the same."""

from functools import partial

import numpy as np
import pytest

from benchmarks.buffers import numpy_buffers_parts
from benchmarks.reference import Problem, Size, jit_parts, numpy_parts


@pytest.mark.parametrize("make", [numpy_buffers_parts, jit_parts, partial(jit_parts, without=())])
@pytest.mark.parametrize("size", [Size(), Size(batch=50, hidden=33, embedding=4), Size(64, 40, 64)])
def test_steps_of_training(make, size):
    problem = Problem(size)
    (plain, wanted), (step, weights) = numpy_parts(problem), make(problem)
    before = None
    for _ in range(20):
        loss = plain()
        now = step()
        assert np.isclose(now, loss, rtol=1e-5)
        assert now is not before
        before = now
    assert list(weights()) == list(wanted()) == list(problem.weights)
    for name, w in wanted().items():
        assert weights()[name].shape == w.shape
        np.testing.assert_allclose(weights()[name], w, rtol=1e-4, atol=1e-7, err_msg=name)
        assert name == "b1" or not np.array_equal(w, problem.weights[name])  # b1: BatchNorm leaves no gradient of it
