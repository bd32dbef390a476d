"""Models, linkages and stores written by version 0.1.0 still load and give the same results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import matvae
from matvae.grid import Grid
from matvae.jobs.files.stored_statistics import open_statistics
from matvae.optimize.linkage import load_linkage

WRITTEN = Path(__file__).with_name("version_0_1")
MODELS = sorted(WRITTEN.glob("models/*.matvae"))


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.stem)
def test_models_give_the_same_results(folder):
    model, expected = matvae.load(folder), np.load(folder.with_suffix(".npz"))
    latents = model.transform(expected["X"])
    # Half-precision weights and other builds of the libraries cause rounding errors.
    np.testing.assert_allclose(latents, expected["latents"], rtol=1e-3, atol=1e-3)
    structures = model.inverse_transform(expected["latents"])
    assert (structures.shape, structures.dtype) == (expected["structures"].shape, expected["structures"].dtype)
    assert np.isclose(structures, expected["structures"], atol=1e-3).mean() > 0.99
    statistics = model.inverse_statistics(expected["latents"])
    np.testing.assert_allclose(statistics, expected["statistics"], rtol=1e-3, atol=1e-4)


def test_a_model_saved_again_is_equal(tmp_path):
    model = matvae.load(WRITTEN / "models/statistics_separable.matvae")
    X = np.load(WRITTEN / "models/statistics_separable.npz")["X"]
    model.save(tmp_path / "m.matvae")
    loaded = matvae.load(tmp_path / "m.matvae")
    assert loaded.module_.spec == model.module_.spec
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))


def test_a_linkage_still_belongs_to_its_model():
    pytest.importorskip("skops")
    model = matvae.load(WRITTEN / "models/statistics_dense.matvae")
    X = np.load(WRITTEN / "models/statistics_dense.npz")["X"]
    linkage = load_linkage(WRITTEN / "models/linkage.skops", model)
    predictions = linkage.measure(X, model.grid_).values
    np.testing.assert_allclose(predictions, np.load(WRITTEN / "models/linkage.npy"), rtol=1e-3, atol=1e-3)


def test_structures_are_read_unchanged():
    store = matvae.open_structures(WRITTEN / "stores/structures.zarr")
    expected = np.load(WRITTEN / "stores/stores.npz")
    np.testing.assert_array_equal(store.data.compute(), expected["X"])
    voxels = {"voxel_size": (1.0, 0.5, 0.5), "unit": "micrometer"}
    assert store.grid == Grid((4, 5, 6), phases=3, periodic=False, **voxels)
    np.testing.assert_array_equal(store.properties["k"], np.arange(6.0))
    assert store.units == {"k": "GPa"}


def test_statistics_are_read_unchanged():
    stored = open_statistics(WRITTEN / "stores/statistics.zarr")
    expected = np.load(WRITTEN / "stores/stores.npz")
    np.testing.assert_allclose(stored.read(0, len(stored)), expected["statistics"], atol=1e-6)
