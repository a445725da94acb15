"""What a training notes about itself: right, the same however it is run, and never at the cost of a number."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makemore import checkpoint, diagnostics
from makemore.errors import MakemoreError
from makemore.model import PARAMETERS
from makemore.training import Run, Settings
from makemore.words import bundled_names, read_words

from .runs import SMALL, WORDS, small_run

# At no cost.


@pytest.mark.parametrize("jit", [True, False])
def test_no_number_of_the_training_changes(monkeypatch, jit):
    """At the size of the lecture, as a program or not: with and without, the same to the last bit."""
    words, chosen = read_words(bundled_names()), Settings(steps=400)
    runs = []
    for noted in (True, False):
        run = Run(words, chosen)
        run.jit = jit
        with monkeypatch.context() as patched:
            if not noted:
                patched.setattr(diagnostics, "is_due", lambda step, steps: False)
            run.advance(300)
        assert bool(len(run.points)) is noted
        runs.append(run)
    one, other = runs
    assert one.losses.tobytes() == other.losses.tobytes()
    assert one.generator_state().tobytes() == other.generator_state().tobytes()
    for name, array in one.model.state.items():
        assert array.tobytes() == other.model.state[name].tobytes(), name


def test_the_same_with_and_without_the_jit():
    one, other = Run(WORDS, SMALL), Run(WORDS, SMALL)
    other.jit = False
    one.advance(60)
    other.advance(60)
    assert len(one.points) == 21
    assert one.points.tobytes() == other.points.tobytes()


# When.


@settings(max_examples=60, deadline=None)
@given(steps=st.integers(1, 60_000))
def test_points_cover_any_run(steps):
    due = [step for step in range(steps) if diagnostics.is_due(step, steps)]
    assert due[0] == 0
    assert due[-1] == steps - 1
    assert min(steps, 20) <= len(due) <= 202
    gaps = set(np.diff(due[:-1]).tolist())
    assert len(gaps) <= 1
    if steps >= 6000:
        assert gaps.pop() >= 300


@pytest.mark.parametrize("steps", [200_000, 10**6, 2**31 - 1])
def test_points_of_a_long_run(steps):
    every = steps // 200
    assert [step for step in range(0, steps, every) if diagnostics.is_due(step, steps)] == list(range(0, steps, every))
    assert not any(diagnostics.is_due(step, steps) for step in range(1, every, 997))


# What.


def test_what_is_measured():
    """Against the same in float64 by NumPy alone; gradients are those of the step, weights those after it."""
    run = Run(read_words(bundled_names()), Settings(steps=40, hidden=50))
    run.advance(21)
    point = run.points[-1]
    assert (point["step"], point["rate"]) == (20, 0.01)
    for i, (name, parameter) in enumerate(run.model.parameters.items()):
        assert PARAMETERS[i] == name
        gradient = parameter.grad.data.astype(np.float64)
        assert point["weight_std"][i] == pytest.approx(parameter.data.astype(np.float64).std(), rel=1e-6)
        assert point["gradient_std"][i] == pytest.approx(gradient.std(), rel=1e-6)
        if name in diagnostics.MATRICES:
            edges = np.linspace(-5, 5, 51)
            edges[0], edges[-1] = -np.inf, np.inf
            counts, _ = np.histogram(gradient / gradient.std(), edges)
            found = point["gradients"][diagnostics.MATRICES.index(name)]
            assert np.abs(found.astype(int) - counts).sum() <= 4  # a number at an edge may fall to either side
            assert found.sum() == gradient.size
    state = {name: array.astype(np.float64) for name, array in run.model.state.items()}
    contexts = run.data.train.contexts[np.linspace(0, len(run.data.train) - 1, 32).astype(int)]
    h = state["C"][contexts].reshape(32, -1) @ state["W1"] + state["b1"]
    t = np.tanh(state["gain"] * (h - h.mean(0)) / h.std(0, ddof=1) + state["bias"])
    counts, _ = np.histogram(t, 50, (-1, 1))
    assert np.abs(point["activations"].astype(int) - counts).sum() <= 6
    assert point["activations"].sum() == t.size
    assert abs(int(point["saturated"]) - np.count_nonzero(np.abs(t) > 0.97)) <= 2
    expected = np.log10(0.01 * point["gradient_std"] / point["weight_std"])
    np.testing.assert_allclose(diagnostics.ratios(run.points)[-1], expected, rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-10, 10, width=32), max_size=40), st.floats(0.1, 5))
def test_histogram(numbers, widest):
    array = np.array([*numbers, np.nan], np.float32)
    found = diagnostics.histogram(array, widest)
    assert found.shape == (50,)
    assert found.sum() == len(numbers)
    for i, number in enumerate(numbers):
        place = int(np.clip(np.floor((number + widest) / (2 * widest) * 50), 0, 49))
        alone = diagnostics.histogram(array[i : i + 1], widest).argmax()
        assert abs(alone - place) <= 1


def test_histogram_without_a_width():
    """Where all gradients are 0, they are in the middle."""
    assert diagnostics.histogram(np.zeros(7, np.float32), 0.0)[25] == 7


def test_what_can_not_be_measured():
    """One and the same context: BatchNorm divides by 0, and there are no activations to count."""
    run = small_run(1)
    same = np.zeros((4, 2), np.int64)
    point = diagnostics.measure(run.model, same, 0, 0.1)
    assert point["activations"].sum() == point["saturated"][0] == 0
    diagnostics.checked(point, 1)


@pytest.mark.parametrize(("batch_size", "number"), [(2, 2), (8, 8), (32, 32), (500, 32)])
def test_watched_examples(batch_size, number):
    """From all over the training words, no more than in a step; the first and the last differ, whatever the words."""
    contexts = Run(WORDS, Settings(steps=1, batch_size=batch_size)).data.train.contexts
    found = diagnostics.watched(contexts, batch_size)
    assert len(found) == number
    assert found[0].tolist() == [0, 0, 0]
    assert found[-1].tolist() == contexts[-1].tolist() != [0, 0, 0]


# Kept.


@pytest.mark.parametrize("stop", [0, 1, 3, 30, 59])
def test_resumed_as_if_nothing_had_happened(tmp_path, stop):
    run = small_run(stop)
    checkpoint.save(run, tmp_path)
    again = checkpoint.load(tmp_path)
    assert again.points.tobytes() == run.points.tobytes()
    again.advance(60)
    assert again.points.tobytes() == small_run(60).points.tobytes()


def test_going_on_with_more_steps(tmp_path):
    run = small_run(60)
    run.set_steps(200)
    run.advance(200)
    assert run.points["step"].tolist() == [*range(0, 60, 3), 59, *range(60, 200, 10), 199]
    assert run.points["rate"][run.points["step"] == 30] == 0.01
    assert run.points["rate"][run.points["step"] == 70] == 0.1
    checkpoint.save(run, tmp_path)
    assert checkpoint.load(tmp_path).points.tobytes() == run.points.tobytes()


def rewritten(folder, diagnostics):
    with np.load(folder / checkpoint.NAME) as file:
        arrays = {name: file[name] for name in file.files}
    del arrays["diagnostics"]
    np.savez(folder / checkpoint.NAME, **arrays, **({} if diagnostics is None else {"diagnostics": diagnostics}))


def test_checkpoint_from_before_there_were_any(tmp_path):
    """It loads, and notes from there on."""
    checkpoint.save(small_run(30), tmp_path)
    rewritten(tmp_path, None)
    run = checkpoint.load(tmp_path)
    assert len(run.points) == 0
    run.advance(60)
    whole = small_run(60)
    assert run.points.tobytes() == whole.points[10:].tobytes()
    assert run.losses.tobytes() == whole.losses.tobytes()


def changed(name, value):
    points = small_run(30).points.copy()
    points[name][3] = value
    return points


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros(3), "its diagnostics are float64(3,)"),
        (np.zeros((2, 2), diagnostics.POINT), "its diagnostics are "),
        (changed("step", 6), "its diagnostics are of other steps than it has made"),
        (changed("step", -1), "its diagnostics are of other steps than it has made"),
        (small_run(40).points, "its diagnostics are of other steps than it has made"),
        (changed("rate", np.nan), "its diagnostics hold nan or inf"),
        (changed("weight_std", np.inf), "its diagnostics hold nan or inf"),
        (changed("gradient_std", np.nan), "its diagnostics hold nan or inf"),
    ],
)
def test_diagnostics_that_can_not_be(tmp_path, points, message):
    checkpoint.save(small_run(30), tmp_path)
    rewritten(tmp_path, points)
    with pytest.raises(MakemoreError) as caught:
        checkpoint.load(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / checkpoint.NAME}: is damaged: {message}")
    assert "\n" not in str(caught.value)


def test_damaged_bytes(tmp_path):
    """A changed byte anywhere in them is noticed by its checksum."""
    path = checkpoint.save(small_run(30), tmp_path)
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo("diagnostics.npy")
    begin = content.index(b"\x93NUMPY", entry.header_offset)
    for place in np.linspace(begin, begin + entry.file_size - 1, 150).astype(int).tolist():
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(MakemoreError, match=r"checkpoint.npz: is damaged, or no makemore checkpoint$"):
            checkpoint.load(tmp_path)
