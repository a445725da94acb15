"""detect_anomaly: which operation, which line, and what is no anomaly."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.anomaly import AnomalyError

from .messages import refused

HERE = __file__


def leaf(data, dtype=np.float32):
    return tg.tensor(data, requires_grad=True, dtype=dtype)


def line_of(text):
    """`file:line: text` of the line in this file that is `text`."""
    with open(HERE, encoding="utf-8") as file:
        (number,) = [i for i, line in enumerate(file, 1) if line.strip() == text]
    return f"called in {HERE}:{number}: {text}"


@contextmanager
def found(*words):
    """The block raises an AnomalyError with these words."""
    with refused(AnomalyError, *words), tg.detect_anomaly():
        yield


def test_forward():
    x = leaf([-1.0, 2.0, 0.0])
    with found(
        "log: gave 1 nan and 1 inf in 3 elements from finite inputs: x float32[3] from -1 to 2",
        line_of("x.log().sum()"),
    ):
        x.log().sum()


def test_overflow():
    with found("multiply: gave 1 inf in 2 elements", "x float32[2] from 1 to 3e+38", "y = 2"):
        leaf([1.0, 3e38]) * 2.0


def test_backward():
    x = leaf([4.0, 0.0])
    with found(
        "backward of sqrt: the gradient of x has 1 inf in 2 elements from the cotangent float32[2] = 3, "
        "out float32[2] from 0 to 2",
        line_of("root = np.sqrt(x)"),
    ):
        root = np.sqrt(x)
        (root * 3).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize(
    "derive",
    [
        lambda f, x: f(x).backward(create_graph=True),
        lambda f, x: tg.grad(f)(x),
        lambda f, x: tg.hessian(f)(x.data),
        lambda f, x: tg.jvp(f, (x,), (x,)),
    ],
)
def test_in_recorded_backwards_and_transforms(derive):
    with pytest.raises(AnomalyError, match=r"^backward of sqrt: .*called in .*test_anomaly.py"), tg.detect_anomaly():
        derive(lambda x: np.sqrt(x).sum(), leaf([1.0, 0.0]))


def test_backward_of_what_was_recorded_outside():
    y = np.sqrt(leaf([1.0, 0.0])).sum()
    with found("backward of sqrt", "it was not recorded within detect_anomaly()"):
        y.backward()


def test_the_line_is_known_in_a_later_block():
    with tg.detect_anomaly():
        y = np.sqrt(leaf([1.0, 0.0])).sum()
    with pytest.raises(AnomalyError, match=r"test_anomaly\.py:\d+: y = np\.sqrt"), tg.detect_anomaly():
        y.backward()


def test_in_a_composite_the_operation_within_is_named():
    with (
        pytest.raises(AnomalyError, match=r"^log: .*float64\[2\] from 0 to 1; called in .*test_anomaly.py"),
        tg.detect_anomaly(),
    ):
        xlogx(leaf([0.0, 1.0], np.float64))


def xlogx(x):
    return x * np.log(x)


# What is no anomaly, and what is.


def test_an_inf_on_purpose_may_pass():
    """A mask of -inf, in its three usual ways."""
    scores = leaf([[1.0, 2.0], [3.0, 4.0]])
    mask = np.array([[0.0, -np.inf], [0.0, 0.0]], np.float32)
    with tg.detect_anomaly():
        F.softmax(scores + mask).sum().backward()
        F.softmax(np.where(mask < 0, -np.inf, scores)).sum().backward()
        assert np.maximum(scores, -np.inf).max().item() == 4
        assert np.isinf(tg.tensor(mask)).sum().item() == 1
    assert np.isfinite(scores.grad.data).all()


def test_but_not_what_becomes_of_it():
    inf = tg.tensor([np.inf])
    with found("subtract: gave 1 nan in 1 element from inputs that are not finite", "with 1 inf"):
        inf - inf


@pytest.mark.parametrize("x", [tg.tensor([np.nan, 1.0]), leaf([np.nan, 1.0])])
def test_a_nan_in_a_leaf_is_found_where_it_is_read(x):
    with found("multiply: gave 1 nan in 2 elements from inputs that are not finite: x float32[2]"):
        x * 2
    with tg.detect_anomaly():
        assert np.isnan(x).tolist() == [True, False]
        assert np.where(np.isnan(x), 0.0, x).tolist() == [0, 1]


def test_in_place():
    x = tg.tensor([1.0, 2.0])
    with found("divide: gave 2 inf in 2 elements from finite inputs"):
        x /= 0.0
    assert x.tolist() == [1, 2]
    y = leaf([1.0, 2.0]) * 1
    with found("multiply: gave 2 inf in 2 elements"):
        y *= 3e38 * 10
    with tg.detect_anomaly():
        y = leaf([1.0, 2.0]) * 1
        y += 1
        y[0] = 5.0
        x *= 2
        (y * y).sum().backward()
    assert (y.tolist(), x.tolist()) == ([5, 3], [2, 4])


def test_results_are_the_same_and_integers_pass():
    x = np.linspace(-1, 1, 5)

    def run():
        t = leaf(x, np.float64)
        h = t.reshape(5, 1) @ t.reshape(1, 5)
        F.cross_entropy(h, np.arange(5)).backward()
        return t.grad.data

    expected = run()
    with tg.detect_anomaly():
        assert np.array_equal(run(), expected)
        assert (tg.tensor([1, 2]) + 1).tolist() == [2, 3]
        assert tg.ones(0).sum().item() == 0


def test_numpy_s_warnings_are_off_within_and_on_again_after():
    with pytest.raises(AnomalyError), tg.detect_anomaly():
        tg.tensor([-1.0]).log()
    with pytest.warns(RuntimeWarning):
        tg.tensor([-1.0]).log()


def test_blocks_nest_and_end():
    x = tg.tensor([0.0])
    block = tg.detect_anomaly()
    with block:
        with block, pytest.raises(AnomalyError):
            x / 0.0
        with pytest.raises(AnomalyError):
            x / 0.0
    with np.errstate(all="ignore"):
        assert np.isnan((x / 0.0).item())


def test_it_is_of_one_thread_only():
    seen, inside, done = [], threading.Event(), threading.Event()

    def other():
        inside.wait(10)
        with np.errstate(all="ignore"):
            seen.append((tg.tensor([0.0]) / 0.0).item())
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with tg.detect_anomaly():
        inside.set()
        assert done.wait(10)
    thread.join(10)
    assert np.isnan(seen).all()


def test_within_a_checkpoint():
    with (
        pytest.raises(AnomalyError, match=r"^log: .*test_anomaly.py:\d+: return np\.log\(x\)\.sum\(\)"),
        tg.detect_anomaly(),
    ):
        tg.checkpoint(log_sum)(leaf([0.0]))
    with pytest.raises(AnomalyError, match=r"^backward of checkpoint: .*backward of sqrt"), tg.detect_anomaly():
        tg.checkpoint(lambda x: np.sqrt(x).sum())(leaf([0.0])).backward()


def log_sum(x):
    return np.log(x).sum()


def test_what_is_assigned():
    y = tg.zeros((3,))
    for value, words in ((np.nan, "setitem: gave 1 nan in 1 element"), (1e300, "setitem: gave 1 inf in 1 element")):
        with tg.detect_anomaly(), pytest.raises(AnomalyError, match=words):
            y[0] = value
    y = tg.zeros((3,))
    with tg.detect_anomaly():
        y[0] = -np.inf  # on purpose
        y[1] = 2.0
