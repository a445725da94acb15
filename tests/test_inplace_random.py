"""Random scripts of views, reads, writes in place, no_grad, detach and backward: ours against torch and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .lockstep import BINARY, IN_PLACE, Lockstep, Step

NAMES = (
    *BINARY,
    *("tanh", "square", "view", "view", "view", "part", "copy", "transpose", "flatten", "clone", "detach"),
    *(f"in-place {name}" for name in (*IN_PLACE, "square")),
    *("set", "set"),
    *(f"set {name}" for name in IN_PLACE),
    *("backward", "backward", "backward"),
)

steps = st.builds(
    Step,
    st.sampled_from(NAMES),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 29),
    st.integers(0, 5).map(lambda n: n == 5),
)
scripts = st.lists(steps, min_size=3, max_size=14)


def run(script: list[Step]) -> None:
    machine = Lockstep()
    for step in [*script, *(Step("backward", a, form=form) for a in range(14) for form in (0, 1))]:
        if step.name == "backward" and step.a >= len(machine.ours):
            continue
        with np.errstate(all="ignore"):  # a division by 0 ends the script
            machine.run(step)
        if not machine.tame():
            return


@example(
    [
        Step("clone", 1),
        Step("view", 4, form=3),
        Step("set multiply", 4, 5),
        Step("view", 4),
        Step("set multiply", 4, 6, 3),
    ]
)
@example([Step("view", 3), Step("in-place add", 4, 0), Step("part", 4), Step("in-place add", 3, quiet=True)])
@example([Step("add", 1, form=1), Step("transpose", 4), Step("set multiply", 4, form=1)])
@example(
    [Step("view", 2, form=6), Step("view", 0, form=6), Step("in-place add", 4, 5), Step("in-place multiply", 2, form=1)]
)
@example([Step("view", 2, form=6), Step("set", 2, 0, 18), Step("set", 3, 4, 12)])
@example([Step("clone", 0), Step("detach", 4), Step("in-place multiply", 4, 0), Step("multiply", 5, 0)])
@example([Step("view", 3), Step("set divide", 4, 0, 18)])
@example([Step("view", 3), Step("in-place subtract", 3), Step("set", 4, form=7)])
@example([Step("part", 3), Step("in-place add", 3), Step("detach", 4)])
@example([Step("view", 2, form=3), Step("tanh", 4), Step("transpose", 5), Step("in-place divide", 6, form=1)])
@example(
    [
        Step("view", 0, form=3, quiet=True),
        Step("multiply", 4, form=20),
        Step("view", 5, form=18, quiet=True),
        Step("in-place square", 6),
    ]
)
@example(
    [Step("in-place add", 3, 0), Step("view", 3, quiet=True), Step("square", 4), Step("in-place add", 3, 5)]
)  # torch takes the view for one that requires a gradient
@example(
    [Step("view", 2, quiet=True), Step("view", 0, quiet=True), Step("in-place add", 4, 5)]
)  # so does what is added
@example(
    [
        Step("transpose", 3, quiet=True),
        Step("view", 1, quiet=True),
        Step("set add", 3, 5, 6),
        Step("multiply", 1, 3, 21),
        Step("in-place subtract", 1, form=16, quiet=True),
    ]
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts)
def test_random_scripts(script: list[Step]) -> None:
    run(script)


@pytest.mark.slow
@settings(
    max_examples=2000,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(scripts)
def test_many_random_scripts(script: list[Step]) -> None:
    run(script)
