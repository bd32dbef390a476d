"""Accuracy and run time of reconstruction from statistics, compared with their targets, on real materials and lines."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

import numpy as np
import pytest

from matvae import Grid, TwoPointPCA, two_point_stats
from matvae.data.datasets.lines import Lines
from matvae.evaluate import Scatter, StatisticsError, count_lines
from matvae.reconstruction import Reconstruction, reconstruct

from .materials import MATERIALS, berea, halves, micrograph, windows

# Iterations of phase retrieval for the two budgets.
QUICK, THOROUGH = 80, 480
GIB = 2**30


def row(quantity: str, figures: str, target: str) -> None:
    print(f"\n{quantity:<58} {figures:<34} target {target}", end="")


def timed(f: np.ndarray, grid: Grid, **options) -> tuple[Reconstruction, float]:
    """Return the reconstruction, and its milliseconds per structure."""
    reconstruct(f[:2], grid=grid, random_state=1, max_iter=2)
    start = perf_counter()
    result = reconstruct(f, grid=grid, random_state=0, **options)
    return result, 1e3 * (perf_counter() - start) / len(f)


@pytest.mark.parametrize("name", MATERIALS)
def test_windows_of_micrographs(shared_data, name):
    X = windows(micrograph(shared_data, name), n=32, size=64)
    f = two_point_stats(X)
    for max_iter, target in ((QUICK, "<= 0.02 in 60 ms"), (THOROUGH, "<= 0.01 in 250 ms")):
        result, ms = timed(f, Grid((64, 64)), max_iter=max_iter)
        error = result.error.mean()
        row(f"{name}, 64 x 64, {max_iter} iterations", f"error {error:.4f} in {ms:6.1f} ms", target)
        assert np.array_equal(result.structures.sum((1, 2)), X.sum((1, 2), dtype=np.int64))


def test_volumes_of_sandstone(shared_data, tmp_path):
    X = windows(berea(shared_data, tmp_path), n=8, size=32)
    result, ms = timed(two_point_stats(X), Grid((32, 32, 32)), max_iter=QUICK)
    row(f"berea, 32^3, {QUICK} iterations", f"error {result.error.mean():.4f} in {ms:6.1f} ms", "<= 0.05 in 1000 ms")


def test_lines():
    generator = Lines((224, 224))
    images = np.stack([generator.sample(np.random.default_rng([0, k]))[0] for k in range(100)])
    element = generator.thickness[1] + 1
    result, ms = timed(two_point_stats(images), Grid((224, 224)), max_iter=400)
    right = (count_lines(result.structures, element=element) == count_lines(images, element=element)).all(axis=1)
    figures = f"{100 * right.mean():.0f} % of {len(images)} in {ms:6.1f} ms"
    row("lines, 224 x 224: number and orientation exact", figures, ">= 97 %")


@pytest.mark.parametrize("name", MATERIALS)
def test_statistics_decoded_by_principal_components(shared_data, name):
    """Compare centred errors of the statistics that PCA decodes and of structures reconstructed from them."""
    train, unseen = (
        windows(half, n, 64) for half, n in zip(halves(micrograph(shared_data, name)), (400, 32), strict=True)
    )
    pca = TwoPointPCA(n_components=9).fit(train)
    f = two_point_stats(unseen)
    decoded = np.asarray(pca.inverse_statistics(pca.transform(unseen)))
    result, ms = timed(decoded, Grid((64, 64)), max_iter=THOROUGH)
    scatter, own, realised = Scatter(), StatisticsError(), StatisticsError()
    scatter.add(f)
    own.add(f, decoded)
    realised.add(f, two_point_stats(result.structures))
    before, after = (error.summary(scatter)["centred_error"] for error in (own, realised))
    figures = f"{after:.3f} / {before:.3f} = {after / before:.3f} in {ms:6.1f} ms"
    row(f"{name}, 64 x 64: structures of PCA(9) / PCA's own error", figures, "<= 1.1")


def test_memory_of_a_large_volume():
    """Run two iterations and two rounds of swaps, which need as much memory as any number of them."""
    program = """
import numpy as np
from pathlib import Path
from matvae import Grid, two_point_stats
from matvae.reconstruction import reconstruct, solve
solve.ROUNDS = 2
X = (np.random.default_rng(0).random((1, 256, 256, 256), dtype=np.float32) < 0.3).astype(np.uint8)
f = two_point_stats(X)
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if "VmHWM" in line).split()[1])
before = peak()
reconstruct(f, grid=Grid((256, 256, 256)), random_state=0, max_iter=2)
print(before, peak())
"""
    completed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, after = (int(kib) * 1024 / GIB for kib in completed.stdout.split())
    row("memory, 256^3 (before: after its statistics)", f"peak {after:.2f} GiB (before {before:.2f})", "< 3 GB")
