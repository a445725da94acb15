"""Comparing the speed of functions fairly on a machine that is never quiet."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def alternate(
    candidates: Mapping[str, Callable[[], object]], seconds: float = 6.0, rounds: int = 25
) -> dict[str, list[float]]:
    """Microseconds per call of each candidate, in rounds: every round times all of them, one after the other.

    A machine that slows down does so for all; so compare within a round (see `ratio`).
    """
    calls = {}
    for name, candidate in candidates.items():
        candidate()
        start = time.perf_counter()
        candidate()
        once = time.perf_counter() - start
        calls[name] = max(1, int(seconds / rounds / len(candidates) / max(once, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            gc.collect()
            repeat = range(calls[name])
            start = time.perf_counter()
            for _ in repeat:
                candidate()
            times[name].append((time.perf_counter() - start) / calls[name] * 1e6)
    return times


def ratio(times: Mapping[str, list[float]], a: str, b: str) -> float:
    """Median over the rounds of the time of `a` in units of the time of `b`."""
    return statistics.median(x / y for x, y in zip(times[a], times[b], strict=True))


def table(title: str, times: Mapping[str, list[float]], base: str, absent: Mapping[str, str]) -> str:
    """Markdown: the median of each candidate, and its ratio to `base`."""
    rows = [f"### {title}", "", f"| | us | x {base} |", "|---|---:|---:|"]
    for name in sorted(times, key=lambda n: statistics.median(times[n])):
        rows.append(f"| {name} | {statistics.median(times[name]):.1f} | {ratio(times, name, base):.2f} |")
    rows += [f"| {name} | - | {why} |" for name, why in absent.items()]
    return "\n".join([*rows, ""])
