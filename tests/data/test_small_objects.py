from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from matvae.data import small_objects
from matvae.data.small_objects import without_small_objects
from matvae.errors import InputError


def one_by_one(labels, inside, min_size):
    """Remove small objects of one structure voxel by voxel."""
    cleaned, stays = labels.copy(), np.zeros(labels.shape, bool)
    for phase in np.unique(labels):
        objects, n_objects = ndimage.label((labels == phase) & inside)
        for number in range(1, n_objects + 1):
            stays |= (objects == number) & ((objects == number).sum() >= min_size)
    places = np.argwhere(stays)
    for place in np.argwhere(inside & ~stays):
        distances = ((places - place) ** 2).sum(axis=1)
        cleaned[tuple(place)] = labels[tuple(places[distances == distances.min()].T)].min()
    return cleaned


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("min_size", [2, 5, 7])
@pytest.mark.parametrize(("shape", "edge", "reach"), [((300,), 30, 120), ((40, 50), 8, 12), ((17, 12, 32), 5, 6)])
def test_blocks_are_cleaned_like_whole_structures(monkeypatch, shape, edge, reach, min_size, masked):
    rng = np.random.default_rng(1)
    space = range(1, len(shape) + 1)
    field = ndimage.gaussian_filter(rng.normal(size=(2, *shape)), 1.3, axes=space)
    field += 0.2 * field.std() * rng.normal(size=field.shape)
    labels = np.digitize(field, np.quantile(field, [0.4, 0.7])).astype(np.uint8)
    inside = np.ones(labels.shape, bool)
    if masked:
        inside = ndimage.gaussian_filter(rng.normal(size=labels.shape), 3, axes=space) > -0.05
    expected = np.stack([one_by_one(*pair, min_size) for pair in zip(labels, inside, strict=True)])
    assert (expected != labels)[inside].sum() > 5
    lazy = da.from_array(labels, chunks=(2, *(7,) * len(shape)))
    mask = da.from_array(inside, chunks=lazy.chunks) if masked else None
    monkeypatch.setattr(small_objects, "_REACH", {len(shape): reach})
    for block_edge in (edge, 1000):
        monkeypatch.setattr(small_objects, "_EDGE", {len(shape): block_edge})
        cleaned = without_small_objects(lazy, mask, min_size)
        assert (cleaned.numblocks[-1] > 1) == (block_edge == edge)
        np.testing.assert_array_equal(cleaned.compute()[inside], expected[inside])


def test_a_snake_through_many_blocks_is_as_large_as_it_is(monkeypatch):
    monkeypatch.setattr(small_objects, "_EDGE", {2: 4})
    monkeypatch.setattr(small_objects, "_REACH", {2: 4})
    labels = np.zeros((1, 40, 60), np.uint8)
    labels[0, 20, 10:50] = 1
    lazy = da.from_array(labels)
    np.testing.assert_array_equal(without_small_objects(lazy, None, 40).compute(), labels)
    assert not without_small_objects(lazy, None, 41).compute().any()


def test_noise_far_from_any_object_is_refused_and_so_are_structures_without_one(monkeypatch):
    monkeypatch.setattr(small_objects, "_EDGE", {2: 8})
    monkeypatch.setattr(small_objects, "_REACH", {2: 4})
    labels = np.indices((60, 60)).sum(axis=0)[None] % 2
    labels[:, :20] = 1
    lazy = da.from_array(labels.astype(np.uint8))
    with pytest.raises(InputError, match=r"within 4 voxels have fewer than min_size=3 .*--denoise median"):
        without_small_objects(lazy, None, 3).compute()
    with pytest.raises(InputError, match="none would remain"):
        without_small_objects(lazy[:, 40:50, :8], None, 3).compute()


def test_blocks_that_do_not_fit_into_memory_are_refused_before_work():
    labels = da.zeros((1, 3000, 3000, 3000), np.uint8, chunks=(1, 256, 256, 256))
    with pytest.raises(InputError, match=r"removal of small objects needs about .* GB .*Lower min_size"):
        without_small_objects(labels, None, 2000)
