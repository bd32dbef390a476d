"""A grid is described in one line."""

from __future__ import annotations

from matvae import Grid


def test_shape_phases_boundaries_and_voxel_size_are_described():
    assert Grid((4, 5)).describe() == "4 x 5 voxels (y x), 2 phases, periodic"
    grid = Grid((3, 4, 5), phases=1, voxel_size=(1, 2, 2), unit="nanometer", periodic=False)
    assert grid.describe() == "3 x 4 x 5 voxels (z y x), continuous field, not periodic, voxel 1 x 2 x 2 nanometer"
    assert Grid((6,), voxel_size=0.5).describe() == "6 voxels (x), 2 phases, periodic, voxel 0.5"
