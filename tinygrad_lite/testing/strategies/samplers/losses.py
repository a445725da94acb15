"""Arguments for the operations of ops/losses.py and class_losses.py."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import DTypeLike, NDArray

from ....op import REAL, Interval, Op
from ..arguments import inputs, sampler
from ..arrays import Shape, layouts, narrowings, numbers, shapes
from .indexing import classes

POSITIVE = Interval(0.0)
REDUCTIONS = ("none", "mean", "sum")


@st.composite
def _of_domain(draw: DrawFn, shape: Shape, domain: Interval, dtype: DTypeLike) -> NDArray[Any]:
    (array,) = draw(numbers([shape], [domain], False))
    return draw(layouts(array.astype(dtype), broadcast=True))


@st.composite
def _of_classes(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    """What is (..., C), classes of which at least one counts, weights or None, the class that is ignored."""
    shape = draw(shapes(min_dims=1, min_side=1))
    logits, targets = draw(inputs(op, [shape], dtype))[0], draw(classes(shape[:-1], shape[-1]))
    weight = draw(st.one_of(st.none(), _of_domain(shape[-1:], POSITIVE, dtype)))
    ignored = draw(st.sampled_from([-100, int(targets.flat[-1]), 0]))
    if ignored < 0 and targets.size > 1 and targets.dtype.kind == "i":
        targets = targets.copy()
        targets.flat[0] = ignored
    return logits, targets, weight, ignored if (targets != ignored).any() else -100


@sampler("cross_entropy")
def _cross_entropy(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    logits, targets, weight, ignored = draw(_of_classes(op, dtype))
    kind = draw(st.sampled_from(["usual", "classes", "probabilities", "probabilities"]))
    if kind == "usual":
        return logits, np.where(targets < 0, 0, targets), None, -100, "mean", 0.0
    if kind == "probabilities":
        targets, ignored = draw(_of_domain(logits.shape, POSITIVE, dtype)), -100
    return logits, targets, weight, ignored, draw(st.sampled_from(REDUCTIONS)), draw(st.sampled_from([0.0, 0.1]))


@sampler("nll_loss")
def _nll_loss(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    return *draw(_of_classes(op, dtype)), draw(st.sampled_from(REDUCTIONS))


@sampler("softmax_focal_loss", "focal_loss")
def _focal_loss(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape = draw(shapes(min_dims=1, min_side=1))
    gamma = draw(st.sampled_from([0.0, 1.0, 2.0, 0.5] if shape[-1] > 1 else [0.0, 1.0, 2.0]))
    targets = draw(classes(shape[:-1], shape[-1]))
    return *draw(inputs(op, [shape], dtype)), targets, draw(st.sampled_from([1.0, 0.25])), gamma


@st.composite
def _reduced(draw: DrawFn, batchmean: bool = False) -> tuple[Shape, str]:
    """A shape, and a reduction that is defined for it."""
    shape = draw(shapes())
    size = prod(shape)
    allowed = REDUCTIONS if size else ("none", "sum")
    return shape, draw(st.sampled_from((*allowed, "batchmean") if batchmean and shape and size else allowed))


@sampler("mse_loss", "l1_loss")
def _distance(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, reduction = draw(_reduced())
    return *draw(inputs(op, [shape, shape], dtype)), reduction


@st.composite
def _apart(draw: DrawFn, shape: Shape, by: float, dtype: DTypeLike) -> list[NDArray[Any]]:
    """Two arrays whose elements are not just so far apart."""
    x, apart = draw(numbers([shape, shape], [REAL, Interval(kinks=(by, -by))], False))
    return [draw(layouts(each.astype(dtype))) for each in (x, x - apart)]


@sampler("huber_loss")
def _huber(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    (shape, reduction), delta = draw(_reduced()), draw(st.sampled_from([1.0, 0.5, 2.0]))
    return *draw(_apart(shape, delta, dtype)), reduction, delta


@sampler("margin_ranking_loss")
def _margin_ranking(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    (shape, reduction), margin = draw(_reduced()), draw(st.sampled_from([0.0, 1.0]))
    signs = np.where(draw(classes(shape, 2)) == 1, 1.0, -1.0)
    return *draw(_apart(shape, margin, dtype)), draw(layouts(signs.astype(dtype))), margin, reduction


@sampler("binary_cross_entropy_with_logits")
def _bce(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    shape, reduction = draw(_reduced())
    pair = draw(inputs(op, [shape, shape], dtype))
    weights = [draw(st.one_of(st.none(), _of_domain(draw(narrowings(shape)), POSITIVE, dtype))) for _ in range(2)]
    return *pair, weights[0], reduction, weights[1]


@sampler("kl_div")
def _kl_div(draw: DrawFn, op: Op, dtype: DTypeLike) -> tuple[Any, ...]:
    (shape, reduction), log_target = draw(_reduced(batchmean=True)), draw(st.booleans())
    target = draw(_of_domain(shape, REAL if log_target else POSITIVE, dtype))
    return draw(_of_domain(shape, REAL, dtype)), target, reduction, log_target
