"""Timing side by side: what is compared takes turns, so that a busy machine slows all of it alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any


def interleaved(work: Mapping[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """Median wall time in seconds of each function, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for counted in range(rounds + 1):
        for name, function in work.items():
            start = perf_counter()
            function()
            if counted:
                times[name].append(perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def report(name: str, ratio: float, target: str) -> None:
    """Print one line: what was compared, the ratio of the two times, and what it should be."""
    print(f"\n{name:<76} {ratio:6.2f}   target {target}", end="")
