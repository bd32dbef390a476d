"""Draw the figures on reconstruction from statistics: ``python docs/pictures_reconstruct.py``.

Micrographs of real materials are not in the repository: ``MATVAE_SHARED_DATA`` is the folder that contains
``micrographs/`` and ``volumes/``, by default ``shared/data`` next to the checkout.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tifffile
from matplotlib.figure import Figure

from matvae import Grid, TwoPointPCA, two_point_stats
from matvae.reconstruction import Wanted, reconstruct, reconstruct_volume
from matvae.report import plot_structure
from matvae.report.style import DENSITY, add_phase_legend
from matvae.stats import lineal_path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
DATA = Path(os.environ.get("MATVAE_SHARED_DATA", ROOT.parent / "shared" / "data"))
# Percentiles of the PC scores.
PERCENTILES = (5, 25, 50, 75, 95)
# Removes isolated voxels without altering the features.
SMOOTHING = 3e-3


def windows(image: np.ndarray, n: int, size: int, seed: int = 0) -> np.ndarray:
    """Cut random square windows out of an image."""
    rng = np.random.default_rng(seed)
    corners = np.stack([rng.integers(0, extent - size + 1, n) for extent in image.shape], axis=1)
    return np.stack([image[tuple(slice(c, c + size) for c in corner)] for corner in corners])


def draw(axes, structure: np.ndarray, title: str) -> None:
    """Draw a structure without axis labels."""
    plot_structure(axes, structure)
    axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
    axes.set_title(title, fontsize=9)


def traversal() -> None:
    """Draw structures along the first two principal components of the statistics of a ceramic."""
    X = windows(np.load(DATA / "micrographs" / "ceramics.npy"), 400, 64)
    pca = TwoPointPCA(n_components=5).fit(X)
    scores = np.asarray(pca.transform(X))
    figure = Figure(figsize=(9, 4.1), dpi=100 * DENSITY, layout="constrained")
    table = figure.subplots(2, len(PERCENTILES))
    for component in range(2):
        Z = np.tile(np.median(scores, axis=0), (len(PERCENTILES), 1))
        Z[:, component] = np.percentile(scores[:, component], PERCENTILES)
        f = pca.inverse_statistics(Z)
        result = reconstruct(f, grid=Grid((64, 64)), smoothing=SMOOTHING, random_state=0)
        for axes, structure, error, percentile in zip(
            table[component], result.structures, result.error, PERCENTILES, strict=True
        ):
            draw(axes, structure, f"{percentile} %, error {error:.3f}")
        table[component][0].set_ylabel(f"component {component + 1}")
    add_phase_legend(figure, 2)
    figure.savefig(IMAGES / "walk-along-components.png")


def statistics_compared() -> None:
    """Draw micrographs, and reconstructions from lags up to 20 voxels and from all lags and the lineal path."""
    figure = Figure(figsize=(8, 8.4), dpi=90 * DENSITY, layout="constrained")
    grid = Grid((96, 96))
    for column, name in enumerate(("ceramics", "copolymer", "alloy")):
        window = np.load(DATA / "micrographs" / f"{name}.npy")[None, 64:160, 64:160]
        short_lags = reconstruct(two_point_stats(window, periodic=False, cutoff=20), grid=grid, random_state=0)
        path = Wanted("lineal_path", lineal_path(window, cutoff=32), weight=0.1, options={"cutoff": 32})
        all_lags = reconstruct(two_point_stats(window), grid=grid, also=[path], smoothing=SMOOTHING, random_state=0)
        for row, (structure, title) in enumerate(
            [
                (window[0], name),
                (short_lags.structures[0], f"within 20 voxels, error {short_lags.error[0]:.4f}"),
                (all_lags.structures[0], f"all lags and lineal path, error {all_lags.error[0]:.4f}"),
            ]
        ):
            draw(figure.add_subplot(3, 3, 3 * row + column + 1), structure, title)
    add_phase_legend(figure, 2)
    figure.savefig(IMAGES / "structures-from-statistics.png")


def volume() -> None:
    """Draw a section of sandstone, and orthogonal sections of a volume reconstructed from its statistics."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(DATA / "volumes" / "berea.zip") as archive:
        rock = (tifffile.imread(archive.extract("berea.tif", scratch)) == 0).astype(np.uint8)
    section = rock[200, 100:228, 100:228]
    f = two_point_stats(section[None], periodic=False, cutoff=20)
    result = reconstruct_volume(f, grid=Grid((96, 96, 96)), smoothing=SMOOTHING, random_state=0)
    blocks = {"sandstone": rock[100:196, 100:196, 100:196], "reconstruction": result.structures[0]}
    figure = Figure(figsize=(9, 5), dpi=100 * DENSITY, layout="constrained")
    table = figure.subplots(2, 4)
    draw(table[0][0], section, "the section")
    table[1][0].set_axis_off()
    for row, (name, block) in zip(table, blocks.items(), strict=True):
        planes = {"yx": block[48], "zx": block[:, 48], "zy": block[:, :, 48]}
        for axes, (plane, cut) in zip(row[1:], planes.items(), strict=True):
            draw(axes, cut, f"{name}, {plane}")
    add_phase_legend(figure, 2, ("grains", "pores"))
    figure.savefig(IMAGES / "volume-from-a-section.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    traversal()
    statistics_compared()
    volume()
