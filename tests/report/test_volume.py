"""Packing of volumes for the viewer: small ones voxel by voxel, large ones block by block."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.report.volume import MOST_VOXELS, SOLID_COLOUR, merge_blocks, pack_volume


def voxels(volume):
    shape = tuple(map(int, volume.shape.split(",")))
    return np.frombuffer(base64.b64decode(volume.voxels), dtype=np.uint8).reshape(shape)


def test_a_small_volume_is_unchanged():
    labels = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(np.uint8)
    packed = pack_volume(labels, "a", grid=Grid((3, 4, 5), voxel_size=(1, 2, 4), unit="nanometer"))
    np.testing.assert_array_equal(voxels(packed), labels)
    assert (packed.size, packed.colours) == ("0.25,0.5,1", (SOLID_COLOUR,))
    assert packed.note == "Phase 1 is solid."


def test_a_large_volume_is_merged_to_the_most_frequent_phases():
    labels = np.random.default_rng(0).integers(0, 3, (4, 7, 2 * MOST_VOXELS + 1)).astype(np.uint8)
    packed = pack_volume(labels, "a", grid=Grid(labels.shape, phases=3))
    assert packed.shape == f"4,7,{MOST_VOXELS // 3 * 2 + 1}"
    assert "Each block of 1 x 1 x 3 voxels is shown as one" in packed.note
    assert len(packed.colours) == 2
    for x, plane in enumerate(np.moveaxis(voxels(packed), 2, 0)):
        block = labels[..., 3 * x : 3 * x + 3]
        counts = np.stack([(block == phase).sum(2) for phase in range(3)])
        np.testing.assert_array_equal(plane, counts.argmax(0))


def test_the_last_block_may_be_smaller():
    labels = np.array([1, 1, 0, 0, 0, 1, 1], dtype=np.uint8).reshape(1, 1, 7)
    assert merge_blocks(labels, [1, 1, 3], 2).tolist() == [[[1, 0, 1]]]


def test_the_part_of_a_field_above_its_mean_is_solid():
    field = np.arange(8.0).reshape(2, 2, 2)
    packed = pack_volume(field, "a", grid=Grid((2, 2, 2), phases=1))
    np.testing.assert_array_equal(voxels(packed), field > 3.5)


def test_an_image_is_rejected():
    with pytest.raises(InputError, match="A volume"):
        pack_volume(np.zeros((2, 2), dtype=np.uint8), "a", grid=Grid((2, 2)))
