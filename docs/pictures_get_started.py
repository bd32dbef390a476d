"""Draw the figures of the page "get started", with its own settings: ``python docs/pictures_get_started.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from matvae import StatsVAETransformer, open_structures
from matvae.data import windows
from matvae.data.datasets import make_dataset
from matvae.report import plot_reconstructions, plot_structure
from matvae.report.style import DENSITY

IMAGES = Path(__file__).parent / "images"
SHOWN = [0, 15, 23]


def draw(folder: Path) -> None:
    """Draw test windows beside their reconstructions, and a window beside a larger realization of its latent."""
    make_dataset("ceramics", folder / "ceramics.zarr")
    image = open_structures(folder / "ceramics.zarr")
    train = windows(image, 32, stride=8, region=(slice(None), slice(0, 160)))
    test = windows(image, 32, region=(slice(None), slice(160, 256))).data.compute()
    model = StatsVAETransformer(5, periodic=False, cutoff=16, random_state=0).fit(train)
    Z = model.transform(test)
    some = test[SHOWN]
    decoded = model.inverse_transform(Z[SHOWN], random_state=0)
    figure = plot_reconstructions(some, decoded, model.statistics(some), model.statistics(decoded))
    figure.savefig(IMAGES / "get-started.png", dpi=115)

    (large,) = model.inverse_transform(Z[:1], shape=(64, 96), random_state=0)
    figure = Figure(figsize=(8, 4), dpi=100 * DENSITY, layout="constrained")
    # At the same scale.
    left, right = figure.subplots(1, 2, width_ratios=(1, 3))
    plot_structure(left, test[0])
    plot_structure(right, large)
    figure.savefig(IMAGES / "get-started-large.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        draw(Path(scratch))
