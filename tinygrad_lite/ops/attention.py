"""Attention, fused."""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import primitive
from ..op import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def _scale(query: Array, scale: float | None) -> float:
    return 1 / sqrt(query.shape[-1] or 1) if scale is None else scale


def _attention_rule(
    g: tuple[Array, Array], query: Array, key: Array, value: Array, weights: Array, scale: float | None
) -> Any:
    g_out, g_weights = g
    g_value = None
    if g_out is not None:
        g_value = np.matmul(weights.mT, g_out)
        of_out = np.matmul(g_out, value.mT)
        g_weights = of_out if g_weights is None else of_out + g_weights  # given: the way of the second derivative
    g_scores = weights * (g_weights - _row_sums(g_weights * weights))
    scaled = g_scores * _scale(query, scale)
    return np.matmul(scaled, key), np.matmul(scaled.mT, query), g_value, g_scores


@primitive(
    vjp=_attention_rule,
    outputs=("out", "weights"),
    hidden=1,
    promotes=("query", "key", "value"),
    floats=True,
    wide=True,
)
def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Array:
    """softmax(query @ key.mT * scale + attn_mask) @ value; the scale is 1 / sqrt(E) if it is None.

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V). attn_mask broadcasts to (..., L, S): bools,
    True where a query sees a key, or floats that are added. is_causal: query i sees the keys 0 to i, and no mask is
    given. A query that sees no key gets zeros, as in torch. `weights`, the softmax, serves the rule.
    Raises ValueError where the shapes do not fit, TypeError where the mask is neither of bools nor of floats.
    Source: Vaswani et al., "Attention Is All You Need", 2017.
    """
    query, key, value = np.asarray(query), np.asarray(key), np.asarray(value)
    _check(query, key, value)
    scores = np.matmul(query * _scale(query, scale), key.mT)
    if is_causal:
        if attn_mask is not None:
            raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both")
        attn_mask = np.tri(*scores.shape[-2:], dtype=np.bool_)
    if attn_mask is not None:
        scores += _additive(np.asarray(attn_mask), scores)
    largest = np.maximum.reduce(scores, axis=-1, keepdims=True, initial=-inf)
    blind = largest == -inf  # queries that see no key
    largest[blind] = 0
    scores -= largest
    weights = np.exp(scores, out=scores)
    weights /= _row_sums(weights) + blind
    return np.matmul(weights, value), weights


def _row_sums(x: Array) -> Array:
    """The sums over the last axis, which stays: where it is short, a product is much the faster way."""
    return np.matmul(x, np.ones((x.shape[-1], 1), x.dtype))


def _check(query: Array, key: Array, value: Array) -> None:
    """ValueError where the three shapes do not fit together."""
    name = "scaled_dot_product_attention"
    shapes = f"query {query.shape}, key {key.shape}, value {value.shape}"
    if min(query.ndim, key.ndim, value.ndim) < 2 or key.shape[-2] != value.shape[-2]:
        raise ValueError(f"{name}: takes query (..., L, E), key (..., S, E), value (..., S, V), got {shapes}")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"{name}: query and key must have the same last axis, got {shapes}")
    try:
        np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    except ValueError:
        raise ValueError(f"{name}: leading dimensions do not broadcast: {shapes}") from None


def _additive(mask: Array, scores: Array) -> Array:
    """The mask as numbers that are added to the scores."""
    name = "scaled_dot_product_attention"
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name}: attn_mask takes bools, True where a query sees a key, or floats, got {mask.dtype}")
    try:
        fits = np.broadcast_shapes(mask.shape, scores.shape) == scores.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: attn_mask {mask.shape} does not broadcast to (..., L, S) = {scores.shape}")
    return (np.where(mask, 0.0, -inf) if mask.dtype.kind == "b" else mask).astype(scores.dtype)
