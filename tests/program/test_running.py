"""verify, anomaly mode, nesting, exceptions, threads and the switch."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.anomaly import AnomalyError
from tinygrad_lite.program import JitError, jit
from tinygrad_lite.program.passes import ROUNDING

from .common import A, leaf, recordings


def test_verify_finds_what_happens_only_once():
    history = []

    def f(x):
        history.append(x)
        return x * len(history)

    jitted = jit(f, verify=3)
    jitted(tg.tensor(A))
    with pytest.raises(JitError, match=r"^jit: verify: the function no longer does what was recorded at .*\.py:\d+"):
        jitted(tg.tensor(A))


def test_verify_finds_a_wrong_line():
    w = leaf(A)

    def f(x):
        w.grad = None
        y = np.tanh(x * w)
        (y * y).sum().backward()
        with tg.no_grad():
            w.__isub__(0.5 * w.grad)
        return y

    for break_it in (False, True):
        jitted = jit(f, verify=2)
        jitted(tg.tensor(A))
        before = w.data.copy()
        replay = jitted.last[0]
        if break_it:
            line = next(each for each in replay.source.body if "tanh(" in each.text)
            line.text = line.text.replace("tanh(", "np.sin(")
            with pytest.raises(JitError, match=r"gives other numbers at .*py:\d+, first in `.*np\.sin\("):
                jitted(tg.tensor(A))
        else:
            one = jitted(tg.tensor(A)).data
            w.data[...] = before
            w.data[...] = before
            assert np.array_equal(one, np.tanh(A * before))
            jitted(tg.tensor(A))
            assert jitted.verify == 0


@pytest.mark.parametrize("wrong", [False, True])
def test_verify_where_passes_round(wrong):
    """A sum that cancels, such as the gradient of a bias before batch norm, is judged by its terms."""
    rng = np.random.default_rng(0)
    x, weight, bias = rng.standard_normal((64, 8)), leaf(rng.standard_normal((8, 5))), leaf(rng.standard_normal(5))
    gain, shift = leaf(np.ones((1, 5))), leaf(np.zeros((1, 5)))
    optimiser = tg.optim.SGD([weight, bias, gain, shift], lr=0.1)

    def step(x):
        loss = (np.tanh(F.batch_norm(F.linear(x, weight, bias), gain, shift)[0]) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    jitted = jit(step, without=(), verify=5)
    jitted(x.astype(np.float32))
    if wrong:
        line = next(each for each in jitted.last[0].source.body if "grad_bias" in each.text)
        line.text += "; grad_bias += 1e-3"
        with pytest.raises(JitError, match="gives other numbers"):
            jitted(x.astype(np.float32))
    else:
        for _ in range(6):
            jitted(x.astype(np.float32))
        assert jitted.verify == 0
        assert abs(bias.grad.data).max() < 1e-6


def test_verify_runs_each_step_once():
    one, other = leaf(A), leaf(A)
    generators = [tg.Generator().manual_seed(3) for _ in range(2)]

    def step_of(w, generator):
        optimiser = tg.optim.SGD([w], 0.1)

        def step():
            optimiser.zero_grad()
            ((w * generator.rand(3)) ** 2).sum().backward()
            optimiser.step()

        return step

    eager, jitted = step_of(one, generators[0]), jit(step_of(other, generators[1]), verify=3, without=ROUNDING)
    for _ in range(6):
        eager()
        jitted()
        assert np.array_equal(one.data, other.data)
        assert np.array_equal(one.grad.data, other.grad.data)
        assert np.array_equal(generators[0].get_state(), generators[1].get_state())


def test_within_detect_anomaly_it_runs_eagerly():
    jitted = jit(lambda x: np.log(x))
    with np.errstate(all="ignore"):
        for _ in range(2):
            jitted(tg.tensor(A))
    with tg.detect_anomaly(), pytest.raises(AnomalyError, match="log: gave"):
        jitted(tg.tensor(A))


def test_jit_inside_jit_and_recursion():
    inner = jit(lambda x: x * 2)

    @jit
    def power(x, n):
        return x if n == 0 else inner(power(x, n - 1))

    for _ in range(2):
        assert np.array_equal(power(tg.tensor(A), 3).data, A * 8)
    assert recordings(inner) == 0


def test_an_exception_leaves_nothing():
    fail = [True]

    def f(x):
        y = x * 2
        if fail:
            fail.clear()
            raise KeyError("once")
        return y

    jitted = jit(f)
    with pytest.raises(KeyError):
        jitted(tg.tensor(A))
    assert recordings(jitted) == 0
    assert float(tg.tensor(1.0)) == 1
    assert np.array_equal(jitted(tg.tensor(A)).data, A * 2)


def test_two_threads():
    w = leaf(A)
    jitted = jit(lambda x: ((x * w).tanh() @ (x * w).T).sum(0))
    wanted = {i: jitted(tg.tensor(A * i)).tolist() for i in range(1, 5)}
    wrong = []

    def run(i):
        for _ in range(300):
            if jitted(tg.tensor(A * i)).tolist() != wanted[i]:
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in wanted]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong


def test_the_switch():
    code = (
        "import numpy as np, tinygrad_lite as tg; from tinygrad_lite.program import jit; "
        "f = jit(lambda x: float(x)); print(f(tg.tensor(2.0)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env={"TINYGRAD_LITE_JIT": "0", "PATH": ""}, capture_output=True, text=True
    )
    assert found.stdout == "2.0\n", found.stderr
