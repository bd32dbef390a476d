from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets import voronoi
from matvae.data.datasets.voronoi import Voronoi, nearest_seed
from matvae.errors import InputError


@pytest.mark.parametrize("shape", [(40,), (24, 17), (8, 11, 9)])
def test_every_voxel_is_in_the_grain_of_its_nearest_periodic_seed(shape, monkeypatch):
    monkeypatch.setattr(voronoi, "_BLOCK", 50)  # several blocks, the last one smaller
    seeds = np.random.default_rng(2).random((13, len(shape))) * shape
    voxels = np.stack(np.indices(shape), axis=-1)[..., None, :]
    distances = np.abs(voxels - seeds)
    squared = (np.minimum(distances, np.array(shape) - distances) ** 2).sum(axis=-1)
    grains = nearest_seed(seeds, shape)
    np.testing.assert_allclose(np.take_along_axis(squared, grains[..., None], -1)[..., 0], squared.min(axis=-1))


def test_shifting_the_seeds_shifts_the_grains():
    seeds = np.random.default_rng(3).random((20, 2)) * 32
    shifted = nearest_seed(np.add(seeds, (5, 9)) % 32, (32, 32))
    assert (shifted == np.roll(nearest_seed(seeds, (32, 32)), (5, 9), axis=(0, 1))).all()


def test_phases_are_equally_frequent_and_grains_are_counted():
    generator = Voronoi((48, 48), n_grains=(10, 30), phases=5)
    samples = [generator.sample(np.random.default_rng([1, index])) for index in range(60)]
    labels = np.stack([image for image, _ in samples])
    counts = np.array([properties["n_grains"] for _, properties in samples])
    assert labels.dtype == np.uint8
    assert np.bincount(labels.ravel()) / labels.size == pytest.approx([0.2] * 5, abs=0.05)
    assert 10 <= counts.min() < 14
    assert 26 < counts.max() <= 30


def test_a_grain_without_a_voxel_is_not_counted():
    labels, properties = Voronoi((5,), n_grains=5, phases=200).sample(np.random.default_rng(0))
    assert properties["n_grains"] < 5
    assert np.unique(labels).size == properties["n_grains"]


@pytest.mark.parametrize(
    ("shape", "parameters", "message"),
    [
        ((4, 4), {"n_grains": 17}, "17 grains need at least as many voxels"),
        ((64, 64), {"n_grains": 0}, "n_grains must be an integer of at least 1"),
        ((64, 64), {"phases": 1}, "phases must be an integer from 2 to 255, but 1"),
        ((64, 64), {"phases": 300}, "from 2 to 255, but 300"),
    ],
)
def test_invalid_parameters_are_refused_at_once(shape, parameters, message):
    with pytest.raises(InputError, match=message):
        Voronoi(shape, **parameters)
