"""Stores of small structures with models that are fitted once per session."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, open_structures, save_structures
from matvae.data.datasets import make_dataset


def stripes(n, seed, shape=(8, 8)):
    """Random horizontal and vertical stripes: labels ``(n, *shape)``, none of them constant."""
    rng = np.random.default_rng(seed)
    period = rng.choice([2, 4], size=n)
    axis = rng.integers(0, len(shape), size=n)
    positions = np.indices(shape)
    return np.stack([(positions[a] // (p // 2) % 2) for p, a in zip(period, axis, strict=True)]).astype(np.uint8)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder with train.zarr (40 structures), test.zarr (21) and m.matvae (3 components)."""
    folder = tmp_path_factory.mktemp("trained")
    grid = Grid((8, 8), voxel_size=0.5, unit="micrometer")
    save_structures(folder / "train.zarr", stripes(40, 0), grid=grid)
    save_structures(
        folder / "test.zarr", stripes(21, 1), grid=grid, properties={"k": np.arange(21.0)}, units={"k": "GPa"}
    )
    model = StatsVAETransformer(n_components=3, decoder="dense", max_epochs=3, width=16, random_state=0)
    model.fit(stripes(40, 0)).save(folder / "m.matvae")
    return folder


@pytest.fixture(scope="session")
def lined(tmp_path_factory):
    """Folder with train.zarr (60 images of lines, 16 x 16), test.zarr (24) and a model of 3 components."""
    folder = tmp_path_factory.mktemp("lined")
    for seed, (name, n) in enumerate([("train.zarr", 60), ("test.zarr", 24)]):
        make_dataset("lines", folder / name, n=n, size=16, seed=seed)
    model = StatsVAETransformer(n_components=3, decoder="dense", max_epochs=3, width=16, random_state=0)
    model.fit(open_structures(folder / "train.zarr")).save(folder / "m.matvae")
    return folder
