"""Numbers that widen nothing, and what of float16 is computed in float32."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import table
from tinygrad_lite.testing import strategies

from .checks import listed


@pytest.mark.parametrize("name", [name for name, op in table.items() if op.plain and op.carriers])
def test_numbers_of_numpy_widen_nothing(name):
    """Plain arguments that are NumPy's scalars, such as 1 / np.sqrt(4), are numbers as Python's are."""
    op = table[name]

    @given(strategies.arguments(op, np.float32), st.sampled_from([np.float64, np.array]))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test(args, wrap):
        narrow = [tg.tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args]
        wide = [wrap(a) if i in op.plain and type(a) is float else a for i, a in enumerate(narrow)]
        for one, other in zip(listed(op.call(*narrow)), listed(op.call(*wide)), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one.data, other.data)

    test()


@pytest.mark.parametrize("name", [name for name, op in table.items() if op.wide])
def test_sums_in_float16_are_taken_in_float32(name):
    op = table[name]

    @given(strategies.arguments(op, np.float16))
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    def test(args):
        def run(dtype):
            leaves = [
                tg.tensor(a.astype(dtype), requires_grad=op.parameters[i] in op.carriers)
                if isinstance(a, np.ndarray) and a.dtype.kind == "f"
                else a
                for i, a in enumerate(args)
            ]
            outs = listed(op.call(*leaves))
            assert all(out.dtype == dtype for out in outs)
            if outs[0].requires_grad:
                outs[0].sum().backward()
            return outs, [each.grad for each in leaves if isinstance(each, tg.Tensor) and each.grad is not None]

        with np.errstate(all="ignore"):
            for halves, singles in zip(run(np.float16), run(np.float32), strict=True):
                for half, single in zip(halves, singles, strict=True):
                    np.testing.assert_allclose(half.data, single.data.astype(np.float16), 1e-3, 1e-6)

    test()


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 4000), st.integers(1, 250), st.sampled_from([np.mean, np.var, np.std]))
def test_moments_of_some_elements_of_float16(n, size, function):
    """Those that `where=` chooses, or that are not nan, have the mean and variance that they have alone."""
    data = (np.arange(n) % 3 * size).astype(np.float16)
    more = np.append(data, [np.float16(np.nan)] * 2)
    of_present = getattr(np, f"nan{function.__name__}")
    calls = [lambda x: function(x, where=np.arange(len(more)) < n), lambda x: of_present(x)]
    if function is not np.mean:
        calls.append(lambda x: function(x[:n], correction=0))
    plain = tg.tensor(data, requires_grad=True)
    right = function(plain)
    right.backward()
    for call in calls:
        x = tg.tensor(more, requires_grad=True)
        out = call(x)
        out.backward()
        assert out.dtype == x.grad.dtype == np.float16
        np.testing.assert_allclose(out.data, right.data, rtol=2e-3)
        np.testing.assert_allclose(x.grad.data[:n], plain.grad.data, rtol=4e-3, atol=1.2e-7)


@pytest.mark.parametrize(
    "function",
    [F.sigmoid, F.silu, F.softplus, lambda x: np.logaddexp(x, 0.0), lambda x: np.logaddexp2(x, 0.0)],
    ids=["sigmoid", "silu", "softplus", "logaddexp", "logaddexp2"],
)
@settings(max_examples=60, deadline=None)
@given(st.floats(-24.0, 24.0, width=16))
@example(-12.0)
def test_float16_far_out(function, number):
    """exp(12) is too large for it; 1 / (1 + exp(12)) is not too small."""

    def run(dtype):
        x = tg.tensor(np.array(number, dtype), requires_grad=True)
        out = function(x)
        out.backward()
        return np.array([out.item(), x.grad.item()])

    np.testing.assert_allclose(run(np.float16), run(np.float64), rtol=1e-3, atol=6e-8)


def test_float16_of_ordinary_size():
    x = tg.tensor(np.linspace(0, 1000, 300).astype(np.float16), requires_grad=True)
    np.std(x).backward()
    assert 0.005 < np.abs(x.grad.data).max() < 0.007
    many = tg.tensor(np.full((1, 100_000), 10, np.float16), requires_grad=True)
    assert F.mse_loss(many, np.zeros((1, 100_000), np.float16)).item() == 100
    assert F.softmax(many).data[0, 0] == np.float16(1e-5)
    np.max(many).backward()
    assert many.grad.data[0, 0] == np.float16(1e-5)
    wide = tg.tensor((np.arange(512).reshape(2, 256) % 64).astype(np.float16) * 20)
    for normal in (F.layer_norm(wide, 256), F.rms_norm(wide, 256)):
        assert 1 < np.abs(normal.data).max() < 4
