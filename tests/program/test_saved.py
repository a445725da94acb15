"""A saved program needs NumPy alone, and gives the same numbers; and the report of one."""

import builtins
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import tinygrad_lite as tg
from tinygrad_lite.program import JitError, jit
from tinygrad_lite.testing import strategies

from ..checks import listed, operations
from ..messages import refused
from .test_replay import Training, alike
from .test_table import FROM_DATA, LOOKS, filled, leaves_of, tensors


def test_a_training_step_goes_on_elsewhere(tmp_path):
    training = Training(momentum=0.5)
    training.dropout = 0.25
    step = jit(training.step)
    for _ in range(3):
        step(0.5)
    step.save(tmp_path / "saved.py")
    code = (
        "import sys; sys.modules['tinygrad_lite'] = None; import numpy as np, saved\n"
        "losses = [saved.step()[0] for _ in range(4)]\n"
        "np.savez('found.npz', losses=losses, W1=saved.arrays['W1'])"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    found = np.load(tmp_path / "found.npz")
    assert alike(found["losses"], np.array([step(0.5)[0].data for _ in range(4)]))
    assert alike(found["W1"], training.parameters[1])


def load(path):
    """What a saved module defines, where the package can't be imported."""
    real = builtins.__import__

    def without(name, *args, **keywords):
        assert not name.startswith("tinygrad_lite"), f"it imports {name}"
        return real(name, *args, **keywords)

    names = {"__file__": str(path), "__name__": "saved"}
    builtins.__import__ = without
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    finally:
        builtins.__import__ = real
    return names


def test_large_arrays(tmp_path):
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.standard_normal((4, 1000)), dtype=np.float32)
    x = tg.tensor(rng.standard_normal((700, 4)), dtype=np.float32)
    jitted = jit(lambda x: np.tanh(x @ w * 0.5 + 1).sum(axis=1).max())  # NumPy's max beside Python's
    jitted(x)
    jitted.save(tmp_path / "saved.py")
    assert "tiled(" in (tmp_path / "saved.py").read_text(encoding="utf-8")
    assert alike(load(tmp_path / "saved.py")[jitted.title](x.data), jitted(x))


@operations
def test_every_operation_can_be_saved(op, tmp_path):
    if op.name in (*FROM_DATA, *LOOKS):
        pytest.skip("it can't be a program, or not with traced weights: see test_table.py")

    @settings(
        max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate]
    )
    @given(strategies.arguments(op))
    def check(args):
        args = [tg.Generator() if isinstance(arg, strategies.Repeating) else arg for arg in args]
        structure = tensors(op, args, 0)

        def run(leaves):
            outputs = [
                each for each in listed(op.call(*filled(structure, iter(leaves)))) if isinstance(each, tg.Tensor)
            ]
            if any(each.requires_grad for each in outputs):
                sum((each * each).sum() for each in outputs if each.requires_grad).backward()
            return outputs

        jitted, leaves = jit(run), leaves_of(tensors(op, args, 0))
        jitted(leaves)
        jitted.save(tmp_path / "saved.py")
        generators = [arg for arg in args if isinstance(arg, tg.Generator)]
        for each in leaves:
            each.grad = None
        expected = jitted(leaves)
        assert len(generators) < 2
        saved = load(tmp_path / "saved.py")
        for one, other in zip(expected, saved["run"](*[leaf.data for leaf in leaves]), strict=True):
            assert alike(one, other)

    check()


def test_second_derivatives_can_be_saved(tmp_path):
    w = tg.tensor([0.5, -1.0, 2.0])

    def step(x):
        def inner(w):
            return np.tanh(w * x).sum()

        return tg.grad(lambda w: (tg.grad(inner)(w) ** 2).sum())(w).detach()

    jitted, x = jit(step), np.ones(3, np.float32)
    jitted(x)
    jitted.save(tmp_path / "saved.py")
    np.testing.assert_array_equal(load(tmp_path / "saved.py")["step"](x), jitted(x).data)


def test_what_can_not_be_saved():
    jitted = jit(lambda x: x)
    with refused(JitError, "jit: save: there is no program yet; call the function first"):
        jitted.save("nowhere.py")
    with refused(JitError, "jit: report: there is no program yet; call the function first"):
        jitted.report()
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    adding = jit(lambda: (w * w).sum().backward())
    adding()
    adding()  # to the gradient that is there
    with refused(JitError, "jit: save: the program adds to gradients that are there before"):
        adding.save("nowhere.py")


def test_report(capsys):
    training = Training()
    step = jit(training.step)
    step(0.5)
    state = training.generator.get_state()
    before = [p.data.copy() for p in training.parameters]
    step.report(profile=True)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("step: ")
    assert "operations recorded" in said[0]
    assert "floating-point operations" in said[1]
    body = [line for line in step.source.splitlines() if line.startswith("        ") and "  # " in line]
    assert len(said) >= len(body)
    assert any(" us " in line and "tanh(h" in line for line in said)
    assert alike(training.generator.get_state(), state)  # nothing has moved
    for array, parameter in zip(before, training.parameters, strict=True):
        assert alike(array, parameter)
    step.report()
    assert len(capsys.readouterr().out.splitlines()) == 2
