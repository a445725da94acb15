"""The numbers behind the pictures of the report."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from makemore.report import pictures, style
from makemore.report.pictures import Named
from makemore.words import bundled_names, read_words

from .runs import made


@given(arrays(np.float32, st.integers(1, 3000), elements=st.floats(0, 100, width=32)))
def test_no_step_is_left_out_of_the_band(losses):
    at, low, high = pictures.band(losses)
    assert len(at) <= 600
    places = np.arange(len(losses)) // -(-len(losses) // 600)
    assert (low[places] <= losses).all()
    assert (losses <= high[places]).all()
    assert (np.abs(at[places] - np.arange(len(losses))) < -(-len(losses) // 600)).all()
    assert set(low.tolist()) | set(high.tolist()) <= set(losses.tolist())


@given(arrays(np.float32, st.integers(1, 200), elements=st.floats(0, 100, width=32)), st.integers(1, 60))
def test_smoothed(losses, window):
    at, means = pictures.smoothed(losses, window)
    assert len(at) == len(means) == len(losses) // window
    for i, mean in enumerate(means):
        assert mean == pytest.approx(np.mean(losses[i * window : (i + 1) * window], dtype=float))
        assert at[i] == i * window + (window - 1) / 2


@settings(deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 6)), elements=st.floats(-9, 9, width=32)))
def test_principal_components(weights):
    """Shares of the variance as the covariance has them; in two dimensions, distances stay as they are."""
    places, shares = pictures.principal(weights)
    assert places.shape == (len(weights), 2)
    np.testing.assert_allclose(places.mean(0), 0, atol=1e-5)
    centred = weights.astype(float) - weights.astype(float).mean(0)
    variances = np.sort(np.linalg.eigvalsh(centred.T @ centred))[::-1]
    if variances[0] > 1e-6:
        expected = np.zeros(2)
        expected[: min(2, len(variances))] = (variances / variances.sum())[:2]
        np.testing.assert_allclose(shares, expected, atol=1e-6)
        np.testing.assert_allclose((places**2).sum(0), expected * variances.sum(), rtol=1e-5, atol=1e-5)
    if weights.shape[1] <= 2:
        between = np.linalg.norm(places[:, None] - places, axis=-1)
        np.testing.assert_allclose(between, np.linalg.norm(centred[:, None] - centred, axis=-1), atol=1e-4)


def test_bigrams():
    """Counted one by one, and the model's probabilities averaged one by one."""
    run = made(["anna", "nan", "an", "ana", "na", "aan", "q"] * 3, steps=20)
    data, model = pictures.bigram_tables(run)
    pairs = list(zip(run.data.train.contexts[:, -1].tolist(), run.data.train.targets.tolist(), strict=True))
    logits = run.model.logits(run.data.train.contexts).astype(float)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    for first in range(len(run.vocabulary)):
        at = [i for i, (one, _) in enumerate(pairs) if one == first]
        for second in range(len(run.vocabulary)):
            if at:
                assert data[first, second] == pytest.approx(sum(pairs[i][1] == second for i in at) / len(at))
                assert model[first, second] == pytest.approx(probabilities[at, second].mean(), rel=1e-4)
            else:
                assert np.isnan(data[first, second])


def test_learning_rate_is_what_it_was():
    """Also where a run went on with another number of steps; and by the schedule where nothing was noted."""
    run = made(steps=100)
    run.set_steps(400)
    run.advance(150)
    steps, rates = pictures.learning_rates(run)
    for step, rate in ((0, 0.1), (45, 0.1), (55, 0.01), (99, 0.01), (120, 0.1), (195, 0.1), (220, 0.01), (249, 0.01)):
        assert rates[np.searchsorted(steps, step, "right") - 1] == rate, step
    assert steps[-1] == 250
    run.points = run.points[:0]
    steps, rates = pictures.learning_rates(run)
    assert (steps.tolist(), rates.tolist()) == ([0, 200, 250], [0.1, 0.01, 0.01])


def test_the_most_frequent_letters():
    run = made(["abc", "bc", "c", "cd", "ce", "bc"] * 3, steps=1)
    letters = {run.vocabulary.letters[i] for i in pictures.most_frequent(run, 3)}
    assert letters == {".", "b", "c"}
    assert pictures.most_frequent(run, 100) == set(range(6))


@pytest.mark.parametrize(("letter", "vowel"), [("a", True), ("É", True), ("ü", True), ("y", False), ("и", False)])
def test_vowels(letter, vowel):
    assert pictures.is_vowel(letter) is vowel


def test_names_in_legends():
    assert pictures.short("run") == "run"
    assert pictures.short("_run") == " _run"  # matplotlib leaves out what begins with _
    assert pictures.short("a" * 50 + "/end").endswith("aaa/end")
    assert len(pictures.short("a" * 50)) == 37


def test_figures_have_the_run_in_them():
    """The curves that are drawn are the numbers of the run."""
    run = made(read_words(bundled_names()), steps=700, hidden=30)
    with style.drawing("test"):
        axes, below = pictures.loss([Named("run", run)]).axes
        mean, dev, _ = axes.lines
        np.testing.assert_allclose(mean.get_ydata(), run.losses.reshape(-1, 14).mean(1), rtol=1e-5)
        assert list(zip(*dev.get_data(), strict=True)) == run.dev_losses
        assert set(below.lines[0].get_ydata().tolist()) == {0.1, 0.01}
        curves = {line.get_label(): line for line in pictures.updates(run).axes[0].lines}
        expected = np.log10(run.points["rate"] * run.points["gradient_std"][:, 3] / run.points["weight_std"][:, 3])
        np.testing.assert_allclose(curves["W2"].get_ydata(), expected, rtol=1e-5)
        assert not np.isfinite(curves["b1 (below -6)"].get_ydata()).any()
        right = pictures.activations(run).axes[1]
        shares = 100 * run.points["saturated"] / (16 * 30)
        np.testing.assert_allclose(right.lines[0].get_ydata(), shares)
        c = pictures.gradients(run).axes[0]
        (drawn,) = [patch for patch in c.patches if patch.get_label() == "step 699"]
        values, edges, _ = drawn.get_data()
        counts = run.points["gradients"][-1, 0]
        np.testing.assert_allclose(values, counts[1:-1] / counts[1:-1].sum() / np.diff(edges), rtol=1e-5)
        assert edges[-1] == pytest.approx(4.8 * run.points["gradient_std"][-1, 0], rel=1e-5)


@pytest.mark.parametrize("turned", [False, True])
def test_no_curve_of_several_runs_is_cut_off(turned):
    """Whichever comes first, also where the other's loss, rate, ratios and saturation are many times as large."""
    one, other = made(steps=120), made(steps=120, learning_rate=3.0)
    other.points["saturated"] += 30
    runs = [Named("one", one), Named("other", other)]
    with style.drawing("test"):
        for draw in (pictures.loss, pictures.saturation, pictures.updates_of_each):
            for axes in draw(runs[::-1] if turned else runs).axes:
                low, high = axes.get_ylim()
                for line in axes.lines:
                    values = np.asarray(line.get_ydata(), float)
                    values = values[np.isfinite(values)]
                    assert (low <= values).all(), line
                    assert (values <= high).all(), line
