"""The pictures of a run. Each takes what there is: a run that has hardly begun, or an alphabet of any size."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tinygrad_lite.functional as F

from ..diagnostics import BINS, MATRICES, WIDEST, ratios, watched
from ..model import EVALUATED_AT_ONCE, PARAMETERS
from ..training import Run
from ..vocabulary import shown
from .style import FAINT, INK, SERIES, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 600  # of the band that shows the losses of all steps
SMOOTHED = 1000  # steps whose mean loss is one point, or fewer in a short run
LEAST = -6  # log10 of the smallest update that is of interest
MOMENTS = (0, 0.05, 0.25, 1)  # of the run, at which distributions are shown
LETTERS = 40  # the most in a heat map that still can be read
LABELS = 120  # the most in the picture of the embedding
BIGRAMS = 50_000  # examples that the bigrams are taken from
LONGEST = 36  # letters in a legend
WIDE, NARROW = 9.0, 5.5  # inches


class Named(NamedTuple):
    """A run, and what it is called in a legend."""

    name: str
    run: Run


# Curves, of one run or of several over each other.


def loss(runs: Sequence[Named]) -> Figure:
    """The loss of every step, smoothed, and on the dev words; below, the learning rate."""
    drawn = figure(WIDE, 5.4)
    axes, below = drawn.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    several = len(runs) > 1
    for i, (name, run) in enumerate(runs):
        colour = SERIES[i]
        losses = run.losses[: run.step]
        window = min(SMOOTHED, max(1, run.step // 50))
        names = "every step, lowest to highest", f"mean of {window:,} steps", "dev words"
        if several:
            names = "", short(name), ""
        at, low, high = band(losses)
        if run.step <= COLUMNS:
            axes.plot(at, losses, color=colour, alpha=0.4, linewidth=0.7, label=names[0].partition(",")[0])
        else:
            axes.fill_between(at, low, high, color=colour, alpha=0.12 if several else 0.2, linewidth=0, label=names[0])
        axes.plot(*smoothed(losses, window), color=colour, label=names[1])
        if run.dev_losses:
            style = {"linestyle": "--", "color": colour} if several else {"linestyle": "-", "color": SERIES[1]}
            axes.plot(*zip(*run.dev_losses, strict=True), marker="o", markersize=3.5, label=names[2], **style)
        steps, rates = learning_rates(run)
        below.step(steps, rates, where="post", color=colour)
    if not several:
        alike = np.log(len(runs[0].run.vocabulary))
        axes.axhline(alike, color=INK, linewidth=0.9, linestyle=":", label="all letters equally probable")
    largest = max(float(run.losses[: run.step].max()) for _, run in runs)
    least = min(float(run.losses[: run.step].min()) for _, run in runs)
    if largest > 30 * max(least, 0.1) and least > 0:
        by_logarithm(axes)
    axes.set_ylabel("loss (cross-entropy, nats)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3 if several else 4)
    below.set_ylabel("learning rate")
    below.set_ylim(bottom=0)
    count_steps(below)
    return drawn


def band(losses: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The lowest and the highest of each few steps, at most COLUMNS of them, and the step in their middle."""
    width = -(-len(losses) // COLUMNS)
    starts = np.arange(0, len(losses), width)
    middle = (starts + np.minimum(starts + width, len(losses)) - 1) / 2
    return middle, np.minimum.reduceat(losses, starts), np.maximum.reduceat(losses, starts)


def smoothed(losses: NDArray[np.float32], window: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The mean of each `window` steps, and the step in their middle; what is left over at the end counts no more."""
    means = losses[: len(losses) // window * window].reshape(-1, window).mean(1, dtype=np.float64)
    return np.arange(len(means)) * window + (window - 1) / 2, means


def learning_rates(run: Run) -> tuple[NDArray[Any], NDArray[Any]]:
    """Steps, and the rates from each on: as noted, or by the schedule where nothing was."""
    if len(run.points):
        steps, rates = run.points["step"], run.points["rate"]
    else:
        steps = np.unique([0, min(run.settings.steps // 2, run.step - 1)])
        rates = np.array([run.settings.rate(int(step)) for step in steps])
    return np.append(steps, run.step), np.append(rates, rates[-1])


def updates(run: Run) -> Figure:
    """How large the updates of each parameter are beside its weights, over time."""
    drawn = figure(WIDE, 4.2)
    axes = drawn.subplots()
    for i, (name, values) in enumerate(zip(PARAMETERS, of_interest(run.points).T, strict=True)):
        label = name if np.isfinite(values).any() else f"{name} (below {LEAST})"
        axes.plot(run.points["step"], values, color=SERIES[i], label=label)
    ratio_axis(axes)
    axes.set_ylabel("log10 of update : weight")
    count_steps(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return drawn


def updates_of_each(runs: Sequence[Named]) -> Figure:
    """The same of several runs, each parameter apart."""
    drawn = figure(WIDE, 5.4)
    grid = drawn.subplots(2, 4, sharex=True, sharey=True)
    for i, (parameter, axes) in enumerate(zip(PARAMETERS, grid.flat, strict=False)):
        curves = [of_interest(run.points)[:, i] for _, run in runs]
        for j, (name, run) in enumerate(runs):
            axes.plot(run.points["step"], curves[j], color=SERIES[j], label=short(name))
        if not np.isfinite(np.concatenate(curves)).any():
            axes.text(0.5, 0.5, f"below {LEAST}", transform=axes.transAxes, ha="center")
        axes.set_title(parameter)
        count_steps(axes, few=True)
    for axes in grid.flat[: len(PARAMETERS)]:
        ratio_axis(axes)
    for axes in grid[:, 0]:
        axes.set_ylabel("log10 of update : weight")
    grid[1, 3].axis("off")
    grid[1, 3].legend(*grid[0, 0].get_legend_handles_labels(), loc="center left")
    return drawn


def of_interest(points: NDArray[Any]) -> NDArray[Any]:
    """The ratios of updates to weights, (points, parameters); nan, which is not drawn, for what is tiny."""
    values = ratios(points)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(values) & (values >= LEAST), values, np.nan)


def ratio_axis(axes: Axes) -> None:
    """With the lecture's rule of thumb."""
    axes.axhline(-3, color=INK, linewidth=1, linestyle="--")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -3.5), max(high, -2.5))


def saturation(runs: Sequence[Named]) -> Figure:
    """The share of tanh activations that are saturated, over time."""
    drawn = figure(WIDE, 3.4)
    axes = drawn.subplots()
    for i, (name, run) in enumerate(runs):
        saturated(axes, run.points, SERIES[i], short(name))
    axes.set_ylim(bottom=0)
    count_steps(axes)
    axes.legend()
    return drawn


def saturated(axes: Axes, points: NDArray[Any], colour: str, name: str) -> None:
    """Draw that share."""
    with np.errstate(all="ignore"):
        shares = 100 * points["saturated"] / points["activations"].sum(1)
    axes.plot(points["step"], shares, color=colour, label=name)
    axes.set_ylabel("|tanh| above 0.97, %")


# Distributions.


def activations(run: Run) -> Figure:
    """The distribution of tanh at some moments, and the saturated share over time."""
    drawn = figure(WIDE, 3.6)
    left, right = drawn.subplots(1, 2, width_ratios=[3, 2])
    edges = np.linspace(-1, 1, BINS + 1)
    for strength, point in moments(run.points):
        outline(left, point["activations"], edges, strength, point["step"])
    number = len(watched(run.data.train.contexts, run.settings.batch_size))
    left.set_xlabel(f"tanh of the hidden layer, on {number} examples")
    left.set_ylabel("density")
    if left.get_legend_handles_labels()[0]:
        left.legend(loc="upper center")
    saturated(right, run.points, SERIES[0], "saturated")
    right.set_ylim(bottom=0)
    count_steps(right)
    return drawn


def gradients(run: Run) -> Figure:
    """The distribution of the gradient of each weight matrix at some moments."""
    drawn = figure(WIDE, 3.4)
    for i, axes in enumerate(drawn.subplots(1, len(MATRICES))):
        name = MATRICES[i]
        for strength, point in moments(run.points):
            widest = WIDEST * float(point["gradient_std"][PARAMETERS.index(name)])
            if widest > 0:
                edges = np.linspace(-widest, widest, BINS + 1)[1:-1]  # the outer bins hold all that is beyond
                outline(axes, point["gradients"][i][1:-1], edges, strength, point["step"])
        by_logarithm(axes)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.locator_params(axis="x", nbins=4)
        axes.set_title(f"{name} {run.model.parameters[name].shape}")
        axes.set_xlabel("gradient")
    drawn.axes[0].set_ylabel("density")
    if drawn.axes[0].get_legend_handles_labels()[0]:
        drawn.axes[-1].legend(fontsize=8)
    return drawn


def moments(points: NDArray[Any]) -> list[tuple[float, Any]]:
    """Some points from all over the run, each with how strongly it is to be drawn."""
    places = np.unique(np.round(np.array(MOMENTS) * (len(points) - 1)).astype(int))
    return [(strength, points[i]) for strength, i in zip(np.linspace(0.35, 1, len(places)), places, strict=True)]


def outline(axes: Axes, counts: NDArray[Any], edges: NDArray[Any], strength: float, step: int) -> None:
    """Draw a histogram as a line."""
    if counts.any():
        density = counts / counts.sum() / (edges[1] - edges[0])
        axes.stairs(density, edges, color=SERIES[0], alpha=strength, linewidth=1.4, label=f"step {step:,}")


# What has been learned.


def embedding(run: Run) -> Figure:
    """The letters where the first two principal components of their embedding put them."""
    places, shares = principal(run.model.C.data)
    low, high = places.min(0), places.max(0)
    lengths = high - low
    halves = 0.54 * (np.maximum(lengths, lengths.max() / 3) if lengths.max() else np.ones(2))
    (left, bottom), (right, top) = (low + high) / 2 - halves, (low + high) / 2 + halves
    drawn = figure(NARROW, NARROW * min(1.2, halves[1] / halves[0]))
    axes = drawn.subplots()
    letters, often = run.vocabulary.letters, most_frequent(run, LABELS)
    for i, (x, y) in enumerate(places):
        if i in often:
            colour = SERIES[1] if is_vowel(letters[i]) else SERIES[0] if i else INK
            axes.text(x, y, shown(letters[i]), color=colour, ha="center", va="center", fontsize=13 if i else 20)
    rare = [i for i in range(len(letters)) if i not in often]
    axes.plot(*places[rare].T, ".", color=FAINT)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_aspect("equal")
    axes.set_xlabel(f"first principal component, {shares[0]:.0%} of the variance")
    axes.set_ylabel(f"second, {shares[1]:.0%}")
    return drawn


def principal(weights: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rows, (N, D), in the plane in which they vary most, (N, 2), and the share of the variance along each axis."""
    centred = weights - weights.mean(0, dtype=np.float64)
    u, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    places, shares = np.zeros((len(weights), 2)), np.zeros(2)
    kept = min(2, len(lengths))
    places[:, :kept] = u[:, :kept] * lengths[:kept]
    places *= np.where(places[np.abs(places).argmax(0), [0, 1]] < 0, -1, 1)  # of either sign: the farthest is positive
    if lengths[0] > 0:
        shares[:kept] = (lengths / lengths[0])[:kept] ** 2 / ((lengths / lengths[0]) ** 2).sum()
    return places, shares


def is_vowel(letter: str) -> bool:
    """Whether it is one of a, e, i, o, u, with or without an accent."""
    return unicodedata.normalize("NFD", letter)[0] in "aeiouAEIOU"


def bigrams(run: Run) -> Figure:
    """How probable each letter is after each, in the training words and as the model says on the same contexts."""
    often = sorted(most_frequent(run, LETTERS))
    letters = [shown(run.vocabulary.letters[i]) for i in often]
    drawn = figure(WIDE, 5.6)
    both = drawn.subplots(1, 2)
    tables = [np.sqrt(table[np.ix_(often, often)]) for table in bigram_tables(run)]
    largest = max((float(np.nanmax(table)) for table in tables if np.isfinite(table).any()), default=1.0)
    size = min(9.0, 230 / len(letters))
    for axes, table, title in zip(both, tables, ("training words", "model"), strict=True):
        image = axes.imshow(table, cmap="viridis", vmin=0, vmax=largest, interpolation="none")
        axes.set_title(title)
        axes.set_xticks(range(len(letters)), letters, fontsize=size)
        axes.set_yticks(range(len(letters)), letters, fontsize=size)
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.set_xlabel("next letter")
    both[0].set_ylabel("letter")
    bar = drawn.colorbar(image, ax=both, orientation="horizontal", shrink=0.5, aspect=40)
    ticks = [p for p in (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1) if p <= largest**2]
    bar.set_ticks([p**0.5 for p in ticks], labels=[f"{p:g}" for p in ticks])
    bar.set_label("probability")
    return drawn


def bigram_tables(run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(next letter | letter) in the training examples, and the model's mean over them: (letters, letters) each.

    Rows of letters that nothing follows are nan.
    """
    contexts, targets = run.data.train
    some = np.linspace(0, len(targets) - 1, min(BIGRAMS, len(targets))).astype(np.int64)
    contexts, targets, size = contexts[some], targets[some], len(run.vocabulary)
    data, model = np.zeros((size, size)), np.zeros((size, size))
    np.add.at(data, (contexts[:, -1], targets), 1)
    for start in range(0, len(targets), EVALUATED_AT_ONCE):
        part = contexts[start : start + EVALUATED_AT_ONCE]
        np.add.at(model, part[:, -1], np.asarray(F.softmax(run.model.logits(part))))
    with np.errstate(invalid="ignore"):
        counts = data.sum(1, keepdims=True)
        return data / counts, model / counts


def most_frequent(run: Run, most: int) -> set[int]:
    """The numbers of so many letters; the boundary is always among them."""
    counts = np.bincount(run.data.train.targets, minlength=len(run.vocabulary))
    return {0, *np.argsort(-counts[1:], kind="stable")[: most - 1] + 1}


# Axes and legends.


def short(name: str) -> str:
    """A name for a legend: of a long one the end; and without a _ in front, which matplotlib would take for a sign."""
    if len(name) > LONGEST:
        return f"…{name[-LONGEST:]}"
    return f" {name}" if name.startswith("_") else name


def count_steps(axes: Axes, few: bool = False) -> None:
    """Label the steps of a run along the bottom."""
    if few:
        axes.locator_params(axis="x", nbins=2)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if abs(x) >= 1000 else f"{x:g}")
    else:
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}" if x == round(x) else f"{x:g}")
        axes.set_xlabel("step")


def by_logarithm(axes: Axes) -> None:
    """Draw what is upwards by its logarithm."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
