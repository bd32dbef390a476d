"""Comparison of time and loss with MCRpy 0.2.0 on the same correlations; run by ``make bench-mcrpy``.

MCRpy runs in a separate environment, named by ``MATVAE_MCRPY``. Its optimization ends with grey values, which it rounds
when a structure is requested, so the errors of both are shown; matvae's structures are binary and have the requested
volume fractions.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from matvae import Grid, two_point_stats
from matvae.reconstruction import reconstruct

from ..materials import micrograph, windows

PYTHON = os.environ.get("MATVAE_MCRPY", str(Path(__file__).resolve().parents[3] / "build" / "mcrpy" / "bin" / "python"))
RUN = Path(__file__).with_name("run.py")
NAMES = ("alloy", "ceramics", "copolymer")
EACH, BATCH, SIZE = 2, 64, 64
# MCRpy's limit_to=16 keeps lags below 16.
CUTOFF = 15
GRID = Grid((SIZE, SIZE))


def mse(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Compute MCRpy's loss, the mean squared difference of the correlations within the cutoff."""
    return np.square(f.astype(np.float64) - g).mean(axis=(1, 2, 3))


def statistics(fields: np.ndarray) -> np.ndarray:
    """Compute the autocorrelation of fields ``(sample, y, x)`` with values in [0, 1]."""
    states = np.stack([1 - fields, fields], axis=-1).astype(np.float64)
    return two_point_stats(states, state_axis=-1, correlations=[(1, 1)], cutoff=CUTOFF)


@pytest.fixture(scope="module")
def originals(shared_data) -> np.ndarray:
    return np.concatenate([windows(micrograph(shared_data, name), EACH, SIZE) for name in NAMES])


@pytest.fixture(scope="module")
def theirs(originals, tmp_path_factory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("mcrpy")
    np.save(folder / "windows.npy", originals)
    completed = subprocess.run(
        [PYTHON, RUN, folder / "windows.npy", folder / "out.npz"], capture_output=True, text=True, timeout=600
    )
    assert completed.returncode == 0, completed.stderr[-2000:]
    with np.load(folder / "out.npz") as arrays:
        return dict(arrays)


def test_errors_are_those_that_mcrpy_reports(originals, theirs):
    np.testing.assert_allclose(mse(statistics(originals), statistics(theirs["grey"])), theirs["loss"], rtol=1e-3)


def test_error_and_time_compared_with_mcrpy(originals, theirs):
    f = statistics(originals)
    rounded = mse(f, statistics(np.round(theirs["grey"])))
    print(f"\n{'':<14}{'MCRpy: grey':>14}{'rounded':>12}{'ms':>8}{'matvae: binary':>18}{'ms':>8}{'faster':>8}")
    for k, target in enumerate(f):
        targets = np.repeat(target[None], BATCH, axis=0)
        tol = float(np.sqrt(theirs["loss"][k] * target.size) / np.linalg.norm(target))
        for max_iter in (40, 80, 160):
            start = perf_counter()
            result = reconstruct(targets, grid=GRID, random_state=0, tol=tol, max_iter=max_iter)
            ms = 1e3 * (perf_counter() - start) / BATCH
            own = np.median(mse(targets, two_point_stats(result.structures, cutoff=CUTOFF)))
            their_ms = 1e3 * theirs["seconds"][k]
            name = f"{NAMES[k // EACH]} {k % EACH}"
            print(
                f"{name:<14}{theirs['loss'][k]:>14.1e}{rounded[k]:>12.1e}{their_ms:>8.0f}"
                f"{own:>18.1e}{ms:>8.1f}{their_ms / ms:>7.0f}x"
            )
