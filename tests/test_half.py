"""Numbers that widen nothing, and sums of float16 that are taken in float32."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite import functional as F
from tinygrad_lite.op import table
from tinygrad_lite.testing import strategies

from .checks import listed


@pytest.mark.parametrize("name", [name for name, op in table.items() if op.numbers and op.carriers])
def test_numbers_of_numpy_widen_nothing(name):
    """Plain arguments that are NumPy's scalars, such as 1 / np.sqrt(4), are numbers as Python's are."""
    op = table[name]

    @given(strategies.arguments(op, np.float32), st.sampled_from([np.float64, np.array]))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test(args, wrap):
        narrow = [tg.tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args]
        wide = [wrap(a) if i in op.numbers and type(a) is float else a for i, a in enumerate(narrow)]
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
