"""Draw the general figures of the documentation: ``python docs/pictures.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import tifffile
from matplotlib.figure import Figure
from screenshots import shrink

from matvae import open_structures, two_point_stats
from matvae.data.datasets import make_dataset
from matvae.jobs import describe, find_representative_windows
from matvae.report import plot_statistics, plot_structure
from matvae.report.style import DENSITY, add_phase_legend

IMAGES = Path(__file__).parent / "images"
SIZE = 64


def structures(
    folder: Path, name: str, n: int, seed: int = 0, size: int | tuple[int, ...] = SIZE, **parameters
) -> np.ndarray:
    """Generate structures of a data set."""
    store = folder / f"{name}-{seed}.zarr"
    make_dataset(name, store, n=n, size=size, seed=seed, overwrite=True, **parameters)
    return open_structures(store).data.compute()


def two_point_statistics(folder: Path) -> None:
    """Draw three structures, with the autocorrelation of phase 1 below each."""
    examples = {
        "lines": structures(folder, "lines", n=1, seed=4),
        "interwoven phases (grf)": structures(folder, "grf", n=1, volume_fractions=[0.6, 0.4]),
        "checkerboard": structures(folder, "checkerboard", n=1),
    }
    figure = Figure(figsize=(10, 6.3), dpi=100 * DENSITY, layout="constrained")
    table = figure.subplots(2, len(examples))
    for column, (title, X) in enumerate(examples.items()):
        f = two_point_stats(X)
        plot_structure(table[0][column], X[0])
        image = plot_statistics(table[1][column], f[0, ..., 0])
        figure.colorbar(image, ax=table[1][column], shrink=0.75)
        table[0][column].set_title(f"{title}, phase 1: {100 * X.mean():.0f} %")
        table[1][column].set_title("2-point statistics of phase 1", fontsize=10)
    add_phase_legend(figure, 2)
    picture = IMAGES / "two-point-statistics.png"
    figure.savefig(picture)
    shrink(picture)


def representative(folder: Path) -> None:
    """Draw the spread between windows of a random field that is stretched along x."""
    make_dataset(
        "grf", folder / "image.zarr", n=1, size=512, seed=1, correlation_length=[4.0, 8.0], exact_fractions=False
    )
    picture = IMAGES / "representative.png"
    find_representative_windows(
        folder / "image.zarr", voxel_size=0.5, unit="micrometer", figure=picture, overwrite=True
    )
    shrink(picture)


def scanned(folder: Path) -> None:
    """Draw what `matvae info` shows of a volume of three grey values, slices further apart than pixels."""
    parameters = {"volume_fractions": [0.5, 0.2, 0.3], "correlation_length": [4.0, 8.0, 12.0]}
    (volume,) = structures(folder, "grf", n=1, size=(40, 64, 96), **parameters)
    words = {"spacing": 1.0, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(folder / "scan.tif", 100 * volume, imagej=True, resolution=(2, 2), metadata=words)
    picture = IMAGES / "scan.png"
    describe(folder / "scan.tif", figure=picture, overwrite=True)
    shrink(picture)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        two_point_statistics(Path(scratch))
        representative(Path(scratch))
        scanned(Path(scratch))
