"""Draw the figure of the page "from PoreSpy": ``python docs/pictures_from_porespy.py``; it needs PoreSpy 3.2."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import porespy as ps
from matplotlib.figure import Figure

from matvae import open_structures
from matvae.data.datasets import make_dataset
from matvae.report import plot_structure
from matvae.report.style import DENSITY, SERIES
from matvae.stats import chord_length_distribution, chord_lengths, lag_radii, pair_correlation

IMAGES = Path(__file__).parent / "images"
LONGEST = 30


def draw(pores: np.ndarray) -> None:
    """Draw an image of pores, its correlation function and its chord lengths along x, by PoreSpy and by matvae."""
    figure = Figure(figsize=(9, 2.8), dpi=100 * DENSITY, layout="constrained")
    image, correlation, chords = figure.subplots(1, 3)
    plot_structure(image, pores.astype(np.uint8))
    image.set_title("pores (dark)", fontsize=9)

    X = pores.astype(np.uint8)[None]
    theirs = ps.metrics.two_point_correlation(pores, bins=np.arange(0, LONGEST + 1))
    ours = pair_correlation(X, periodic=False, max_radius=LONGEST, bins=LONGEST)[0, :, 0]
    radii = lag_radii(pores.shape, max_radius=LONGEST, bins=LONGEST)
    # The value of a bin belongs to the lags in it, whichever length stands for them.
    (colour, marker), (other, _) = SERIES[:2]
    correlation.plot(radii, theirs.probability_scaled, marker, color=colour, fillstyle="none", label="PoreSpy")
    correlation.plot(radii, ours, color=other, label="matvae")
    correlation.set(xlabel="distance / voxel", ylabel="2-point correlation", ylim=(0, None))

    theirs = ps.metrics.chord_length_distribution(ps.filters.apply_chords(pores, axis=1), bins=np.arange(0.5, LONGEST))
    ours = chord_length_distribution(X, axis=1, periodic=False)[0, :, 1]
    lengths = chord_lengths(pores.shape, axis=1, periodic=False)
    shown = lengths < LONGEST
    chords.plot(theirs.bin_centers, theirs.relfreq, marker, color=colour, fillstyle="none", label="PoreSpy")
    chords.plot(lengths[shown], ours[shown], color=other, label="matvae")
    chords.set(xlabel="chord length along x / voxel", ylabel="fraction of the chords", ylim=(0, None))
    for axes in (correlation, chords):
        axes.legend(fontsize=8)
    figure.savefig(IMAGES / "from-porespy.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        make_dataset("ceramics", Path(scratch) / "ceramics.zarr")
        draw(open_structures(Path(scratch) / "ceramics.zarr").data[0].compute() == 1)
