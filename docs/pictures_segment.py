"""Draw the figure of the page on segmentation and masks: ``python docs/pictures_segment.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from screenshots import shrink

from matvae import open_structures
from matvae.data import Segmentation
from matvae.data.datasets import make_dataset
from matvae.jobs import import_structures

IMAGES = Path(__file__).parent / "images"


def segmented(folder: Path) -> None:
    """Draw a round grey image of two phases with noise, its phases inside the mask, and the histogram."""
    make_dataset("grf", folder / "field.zarr", n=1, size=128, correlation_length=8, volume_fractions=[0.65, 0.35])
    labels = open_structures(folder / "field.zarr").data[0].compute()
    y, x = np.indices(labels.shape)
    inside = (y - 63.5) ** 2 + (x - 63.5) ** 2 < 60**2
    grey = np.random.default_rng(0).normal(np.where(labels, 150, 90), 22)
    np.save(folder / "grey.npy", np.where(inside, grey, 0).clip(0, 255).round().astype(np.uint8))
    np.save(folder / "inside.npy", inside)
    picture = IMAGES / "segmentation.png"
    import_structures(
        folder / "grey.npy",
        folder / "grey.zarr",
        segmentation=Segmentation("otsu", denoise="median", min_size=10),
        mask=folder / "inside.npy",
        figure=picture,
        overwrite=True,
    )
    shrink(picture)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        segmented(Path(scratch))
