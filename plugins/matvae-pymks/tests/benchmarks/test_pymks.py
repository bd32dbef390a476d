"""Speed and memory of 2-point statistics relative to PyMKS, measured in the same run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations_with_replacement
from statistics import median
from time import perf_counter
from typing import Any

import dask.array as da
import numpy as np
import pytest
import torch

from matvae import two_point_stats
from matvae_pymks.upstream import import_pymks

pymks = import_pymks()
IMAGES, VOLUMES = (256, 224, 224), (64, 64, 64, 64)
CHUNK = {IMAGES: 16, VOLUMES: 4}


def interleaved(rounds: int = 3, **work: Callable[[], Any]) -> dict[str, float]:
    """Return the median seconds of each function; functions alternate, and a first round is discarded."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for round_number in range(rounds + 1):
        for name, function in work.items():
            start = perf_counter()
            function()
            if round_number:
                times[name].append(perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def report(name: str, ratio: float, target: str) -> None:
    print(f"\n{name:<78} {ratio:7.2f}   target {target}", end="")


def cropped(statistics: np.ndarray) -> np.ndarray:
    """Crop to the lags that PyMKS keeps: 2c+1 along each axis with c = (N-1)//2."""
    return statistics[(slice(None), *(slice(n // 2 - (n - 1) // 2, n // 2 + (n - 1) // 2 + 1) for n in IMAGES[1:]))]


def label(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


@pytest.mark.parametrize("shape", [IMAGES, VOLUMES], ids=label)
def test_one_autocorrelation(shape: tuple[int, ...]) -> None:
    labels = (np.random.default_rng(0).random(shape) < 0.3).astype(np.uint8)
    field, chunks = labels.astype(float), (CHUNK[shape], *shape[1:])
    lazy_labels, lazy_field = da.from_array(labels, chunks=chunks), da.from_array(field, chunks=chunks)
    bare_field = torch.from_numpy(labels).float()
    axes = tuple(range(1, len(shape)))
    if shape == IMAGES:
        theirs = pymks.two_point_stats(field[:4], field[:4])
        np.testing.assert_allclose(cropped(two_point_stats(labels[:4])[..., 0]), theirs, atol=1e-6)
    times = interleaved(
        ours=lambda: two_point_stats(labels),
        ours_double=lambda: two_point_stats(field),
        ours_dask=lambda: two_point_stats(lazy_labels, phases=2).compute(),
        pymks=lambda: pymks.two_point_stats(field, field),
        pymks_dask=lambda: pymks.two_point_stats(lazy_field, lazy_field).compute(),
        bare=lambda: torch.fft.irfftn(torch.fft.rfftn(bare_field, dim=axes), s=shape[1:], dim=axes),
    )
    name = label(shape)
    report(f"{name}: PyMKS numpy / ours, labels", times["pymks"] / times["ours"], ">= 6")
    report(f"{name}: PyMKS numpy / ours, float64", times["pymks"] / times["ours_double"], "-")
    report(f"{name}: PyMKS dask / ours, labels", times["pymks_dask"] / times["ours"], ">= 2.5")
    report(f"{name}: PyMKS dask / ours in dask, labels", times["pymks_dask"] / times["ours_dask"], ">= 2.5")
    report(f"{name}: ours / bare pair of transforms", times["ours"] / times["bare"], "<= 1.25")


@pytest.mark.parametrize("shape", [(64, 224, 224), (64, 64, 64, 64)], ids=label)
@pytest.mark.parametrize("n_phases", [3, 4])
def test_all_correlations(shape: tuple[int, ...], n_phases: int) -> None:
    labels = np.random.default_rng(0).integers(0, n_phases, shape).astype(np.uint8)
    states = np.eye(n_phases)[labels]
    pairs = list(combinations_with_replacement(range(n_phases), 2))
    times = interleaved(
        ours=lambda: two_point_stats(labels, correlations=pairs),
        ours_states=lambda: two_point_stats(states, state_axis=-1, correlations=pairs),
        pymks=lambda: pymks.correlations_multiple(states, pairs),
    )
    name = f"{label(shape)}, all {len(pairs)} correlations of {n_phases} phases: PyMKS / ours"
    report(f"{name}, labels", times["pymks"] / times["ours"], ">= 10")
    report(f"{name}, float64 states", times["pymks"] / times["ours_states"], "-")


PEAK = """
import sys
import dask, dask.array as da
from matvae import two_point_stats
X = da.random.default_rng(0).integers(0, 2, (int(sys.argv[1]), 128, 128), chunks=(32, -1, -1), dtype="uint8")
with dask.config.set(scheduler="threads", num_workers=2):
    two_point_stats(X, phases=2).mean(axis=0).compute()
# Of this process only; the maximum of getrusage includes the parent.
print(next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_peak_memory_does_not_grow_with_the_samples() -> None:
    few, many = (
        float(subprocess.run([sys.executable, "-c", PEAK, str(n)], check=True, capture_output=True, text=True).stdout)
        for n in (256, 8192)
    )
    print(f"\npeak memory of the mean of 256 and of 8192 images' statistics, MB: {few:.0f}, {many:.0f}", end="")
    report("8192 / 256 images: peak memory", many / few, "1")
