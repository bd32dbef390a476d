"""Generated pictures under the names of real materials."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import tifffile

from matvae.data.datasets.grf import GaussianRandomField
from matvae.data.datasets.voronoi import Voronoi
from matvae.jobs.benchmark.materials_windows import MATERIALS

# Windows of 24 x 24 pixels make everything fast.
SMALL = replace(MATERIALS["alloy"], size=24, strides=(6, 6), held_out_strides=(12, 12))


def field(shape, seed=0, fraction=0.4, length=4.0):
    """A Gaussian random field cut at a level: labels ``(*shape)``."""
    generator = GaussianRandomField(shape, volume_fractions=(1 - fraction, fraction), correlation_length=length)
    return generator.sample(np.random.default_rng(seed))[0]


def grains(shape, phases=3, seed=0):
    """Voronoi grains of several phases: labels ``(*shape)``."""
    return Voronoi(shape, n_grains=40, phases=phases).sample(np.random.default_rng(seed))[0]


def write_materials(folder, side=96):
    """Write a picture for every material into a folder, with the values that the real files have."""
    for name in ("micrographs", "volumes"):
        (folder / name).mkdir(parents=True)
    for seed, name in enumerate(("alloy", "ceramics", "copolymer")):
        np.save(folder / "micrographs" / f"{name}.npy", field((side, side), seed))
    np.save(folder / "micrographs" / "composite.npy", grains((side, side)))
    tifffile.imwrite(folder / "micrographs" / "hsla_steel.tiff", 255 * field((side, side + 20), 3))
    stack = BytesIO()
    tifffile.imwrite(stack, 255 * (1 - field((40, 48, 56), 4)), photometric="minisblack")
    with ZipFile(folder / "volumes" / "berea.zip", "w") as archive:
        archive.writestr("berea.tif", stack.getvalue())
    tifffile.imwrite(folder / "volumes" / "nmc_electrode.tif", grains((30, 34, 38)), photometric="minisblack")
