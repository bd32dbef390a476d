"""Comparison of run times; functions alternate, so that other load on the machine affects them equally."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any


def interleaved(work: Mapping[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """Return the median wall time of each function in seconds; a first round is discarded."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for round_number in range(rounds + 1):
        for name, function in work.items():
            start = perf_counter()
            function()
            if round_number:
                times[name].append(perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def report(name: str, ratio: float, target: str) -> None:
    """Print one line with the name of the comparison, the ratio of the two times, and its target."""
    print(f"\n{name:<76} {ratio:6.2f}   target {target}", end="")
