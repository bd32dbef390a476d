"""Models, linkages and stores written by version 0.1.0 still load and give what they gave then."""

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
def test_models_give_what_they_gave(folder):
    model, then = matvae.load(folder), np.load(folder.with_suffix(".npz"))
    latents = model.transform(then["X"])
    # Half-precision weights and another build of the libraries leave rounding.
    np.testing.assert_allclose(latents, then["latents"], rtol=1e-3, atol=1e-3)
    structures = model.inverse_transform(then["latents"])
    assert (structures.shape, structures.dtype) == (then["structures"].shape, then["structures"].dtype)
    assert np.isclose(structures, then["structures"], atol=1e-3).mean() > 0.99
    np.testing.assert_allclose(model.inverse_statistics(then["latents"]), then["statistics"], rtol=1e-3, atol=1e-4)


def test_a_model_saved_again_is_the_same(tmp_path):
    model = matvae.load(WRITTEN / "models/statistics_separable.matvae")
    then = np.load(WRITTEN / "models/statistics_separable.npz")
    model.save(tmp_path / "again.matvae")
    again = matvae.load(tmp_path / "again.matvae")
    assert again.module_.spec == model.module_.spec
    np.testing.assert_array_equal(again.transform(then["X"]), model.transform(then["X"]))


def test_a_linkage_still_belongs_to_its_model():
    pytest.importorskip("skops")
    model = matvae.load(WRITTEN / "models/statistics_dense.matvae")
    then = np.load(WRITTEN / "models/statistics_dense.npz")
    linkage = load_linkage(WRITTEN / "models/linkage.skops", model)
    predictions = linkage.measure(then["X"], model.grid_).values
    np.testing.assert_allclose(predictions, np.load(WRITTEN / "models/linkage.npy"), rtol=1e-3, atol=1e-3)


def test_structures():
    store, then = matvae.open_structures(WRITTEN / "stores/structures.zarr"), np.load(WRITTEN / "stores/stores.npz")
    np.testing.assert_array_equal(store.data.compute(), then["X"])
    voxels = {"voxel_size": (1.0, 0.5, 0.5), "unit": "micrometer"}
    assert store.grid == Grid((4, 5, 6), phases=3, periodic=False, **voxels)
    np.testing.assert_array_equal(store.properties["k"], np.arange(6.0))
    assert store.units == {"k": "GPa"}


def test_statistics():
    stored, then = open_statistics(WRITTEN / "stores/statistics.zarr"), np.load(WRITTEN / "stores/stores.npz")
    np.testing.assert_allclose(stored.read(0, len(stored)), then["statistics"], atol=1e-6)
