"""Replay equals eager, bit for bit: random programs, forward and backward, and whole steps of training."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings

import tinygrad_lite as tg
import tinygrad_lite.functional as F
from tinygrad_lite.program import JitError, jit
from tinygrad_lite.program.passes import ROUNDING
from tinygrad_lite.testing import strategies

OPTIONS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def alike(one, other):
    """Whether two arrays are the same, bit for bit."""
    one, other = np.asarray(one), np.asarray(other)
    return (one.dtype, one.shape) == (other.dtype, other.shape) and one.tobytes() == other.tobytes()


def check(expression, without=ROUNDING, same=alike):
    def step(*xs):
        outputs = expression(*xs)
        total = sum(((out * out).sum() for out in outputs), start=tg.zeros((), np.float64))
        for x in xs:
            x.grad = None
        if total.requires_grad:
            total.backward()
        return [*outputs, total]

    ours = [tg.tensor(leaf, requires_grad=True) for leaf in expression.leaves]
    theirs = [tg.tensor(leaf, requires_grad=True) for leaf in expression.leaves]
    jitted = jit(step, without=without)
    try:
        jitted(*ours)
    except JitError as error:  # np.average looks at its weights first; a generator that repeats itself is seeded
        if "item asks for numbers" not in str(error) and "manual_seed() of a generator" not in str(error):
            raise
        reject()
    for _ in range(2):
        for one, other in zip(step(*theirs), jitted(*ours), strict=True):
            assert same(one, other)
        for one, other in zip(theirs, ours, strict=True):
            assert (one.grad is None) == (other.grad is None)
            assert one.grad is None or same(one.grad, other.grad)
        for x in (*ours, *theirs):
            x.data[...] *= 1 + 2**-20
    assert len(jitted.signatures) == 1
    assert sum(map(len, jitted.replays.values())) == 1


@settings(max_examples=60, **OPTIONS)
@given(strategies.expressions())
def test_random_programs(expression):
    check(expression)


def test_constants_are_laid_out_as_in_eager():
    """A rule reads a copy of what the caller may write to; einsum rounds otherwise where that lies otherwise."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 4))[::2, ::2], np.broadcast_to(rng.normal(size=(2, 1)), (2, 3))
    ours, theirs = (tg.tensor([0.5, 0.25, -2.0], dtype=np.float64, requires_grad=True) for _ in range(2))

    def step(x):
        x.grad = None
        np.square(np.einsum("...i,ij,...j->...", a, b, x, optimize=True)).sum().backward()

    jitted = jit(step)
    for _ in range(30):
        step(theirs)
        jitted(ours)
        assert alike(ours.grad, theirs.grad)
        for x in (ours, theirs):
            x.data[...] *= 1 + 2**-20


def test_the_sign_of_nothing():
    jitted = jit(lambda x, y: x @ y * 1.5)
    for x, y in ((-1.0, 0.0), (0.0, 1.0), (-0.0, -1.0), (0.0, -1.0)):
        x, y = np.array([[x]]), np.array([[y]])
        assert alike(jitted(tg.tensor(x), tg.tensor(y)), x @ y * 1.5)
        assert alike(jitted(tg.tensor(x), tg.tensor(y)), x @ y * 1.5)


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 5, 1), (3, 4, 5), (16, 16, 16)])
def test_products_of_matrices_in_any_layout(shape):
    """np.matmul and `dot` round otherwise where BLAS can't take a matrix as it lies."""
    n, k, m = shape
    rng = np.random.default_rng(0)

    def layouts(rows, columns):
        wide = rng.normal(size=(2 * rows, 2 * columns))
        yield from (wide[:rows, :columns], wide[::2, ::2], wide[rows - 1 :: -1, columns - 1 :: -1])
        yield from (wide[:rows, :columns].copy(), wide[:rows, :columns].copy("F"))

    for x in layouts(n, k):
        for y in layouts(k, m):
            jitted = jit(lambda x, y: np.matmul(x, y) * 1.5)
            for _ in range(4):
                assert alike(jitted(tg.from_numpy(x), tg.from_numpy(y)), x @ y * 1.5)
                x *= 1.1


@pytest.mark.slow
@settings(max_examples=1000, derandomize=False, print_blob=True, **OPTIONS)
@given(strategies.expressions())
def test_many_random_programs(expression):
    check(expression)


class Training:
    """A step of the lecture's MLP: a minibatch drawn, forward, backward, update, running statistics."""

    def __init__(self, **options):
        draw = tg.Generator().manual_seed(0)
        self.generator = tg.Generator().manual_seed(1)
        self.x, self.y = draw.randint(27, (500, 3)), draw.randint(27, (500,))
        shapes = [(27, 5), (15, 20), (20,), (1, 20), (1, 20), (20, 27), (27,)]
        self.parameters = [draw.randn(*shape, requires_grad=True) for shape in shapes]
        self.running = tg.zeros((1, 20))
        self.optimiser = tg.optim.SGD(self.parameters, 0.1, **options)
        self.dropout = 0.0

    def step(self, scale):
        C, W1, b1, gain, bias, W2, b2 = self.parameters
        rows = self.generator.randint(500, (16,))
        h = F.linear(F.embedding(self.x[rows], C).reshape(16, -1), W1, b1)
        h, mean, _ = F.batch_norm(h, gain, bias)
        with tg.no_grad():
            self.running *= 0.9
            self.running += 0.1 * mean
        h = F.dropout(h.tanh() * scale, self.dropout, generator=self.generator)
        loss = F.cross_entropy(F.linear(h, W2, b2), self.y[rows])
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss, {"h": h, "accuracy": (h > 0).sum()}


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"weight_decay": 0.1, "momentum": 0.5}])
def test_training(options):
    eager, replayed = Training(**options), Training(**options)
    step = jit(replayed.step, without=ROUNDING)
    for i in range(12):
        if i == 4:
            eager.dropout = replayed.dropout = 0.25
        if i == 8:
            state = [[p.data.copy() for p in t.parameters] + [t.generator.get_state()] for t in (eager, replayed)]
        eager.optimiser.lr = replayed.optimiser.lr = 0.1 / (1 + i)
        (one, parts), (other, others) = eager.step(0.5), step(0.5)
        for mine, its in [(one, other), *((parts[name], others[name]) for name in parts)]:
            assert alike(mine, its)
        for mine, its in zip(eager.parameters, replayed.parameters, strict=True):
            assert alike(mine, its)
            assert alike(mine.grad, its.grad)
        assert alike(eager.running, replayed.running)
        assert alike(eager.generator.get_state(), replayed.generator.get_state())
    assert sum(map(len, step.replays.values())) == 2  # with and without dropout
    for training, (*arrays, generator) in zip((eager, replayed), state, strict=True):  # resumed
        training.generator.set_state(generator)
        for parameter, array in zip(training.parameters, arrays, strict=True):
            parameter.data = array.copy()
    assert alike(eager.step(0.5)[0], step(0.5)[0])
    assert sum(map(len, step.replays.values())) == 2


def test_the_program_can_be_read():
    training = Training()
    step = jit(training.step)
    step(1.0)
    lines = [line.strip() for line in step.source.splitlines()]
    assert lines[0].startswith("def build(flat, ")
    assert "def step():" in lines
    assert lines.index("# forward") < lines.index("# backward") < lines.index("# update")
    assert any(line.startswith("h_3.dot(W2, ") and "  # (16, 20) @ (20, 27)" in line for line in lines)
    assert any(line.startswith("subtract(flat, change, flat)") for line in lines)
    assert sum("test_replay.py:" in line for line in lines) > 8
    assert sum("sgd.lr" in line for line in lines) == 1
    names = ["grad_C", "grad_W1", "grad_b1", "grad_gain", "grad_bias", "grad_W2", "grad_b2"]
    assert all(any(line.startswith(f"{name} = grads[") for line in lines) for name in names)


@pytest.mark.parametrize("shape", [(16, 1), (64, 27), (300, 48), (300, 49), (15, 27)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_short_rows(shape, dtype):
    """The largest of each row is found by way of the transpose; ties, zeros of both signs, inf and nan included."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, shape[1], shape[0])

    def step(x):
        x.grad = None
        loss = F.cross_entropy(x, targets) + F.softmax(x).sum() + F.log_softmax(x).sum()
        loss.backward()
        return loss, F.softmax(x), F.log_softmax(x)

    ours, theirs = (tg.zeros(shape, dtype=dtype, requires_grad=True) for _ in range(2))
    jitted = jit(step)
    with np.errstate(all="ignore"):
        for special in ((0.0, -0.0), (1.0, -2.0, 0.5), (np.inf, 1.0), (np.nan, 1.0), (-np.inf, 0.0)):
            for x in (ours, theirs):
                x.data[...] = np.random.default_rng(1).choice(special, shape)
            assert all(map(alike, step(theirs), jitted(ours)))
            assert alike(ours.grad, theirs.grad)
    found = [line for line in jitted.source.splitlines() if "maximum.reduce" in line]
    assert found
    assert all((", 0, None, " in line) == (shape[0] >= 16 and shape[1] <= 48) for line in found)
