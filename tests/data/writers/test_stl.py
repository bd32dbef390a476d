"""Surfaces, read back by pyvista: closed, outward, where the voxels are, and of their volume."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista

from matvae import Grid
from matvae.data import write

from ...structures import blobs

SIZE = (2.0, 0.5, 0.25)


def surfaces(folder, labels, phases=2, **lengths):
    written = write(labels, folder / "a.stl", grid=Grid(labels.shape, phases=phases, **lengths))
    return [pyvista.read(path) for path in written.files]


def enclosed_volume(surface):
    """Volume by the divergence theorem; positive if the triangles, by their order, face outward."""
    corners = surface.points[surface.regular_faces].astype(float) - np.mean(surface.points, axis=0)
    return float(np.einsum("ti,ti->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def test_a_block_of_voxels_is_at_its_place(tmp_path):
    labels = np.zeros((6, 8, 9), np.uint8)
    labels[1:4, 2:6, 3:8] = 1
    _, block = surfaces(tmp_path, labels, voxel_size=SIZE, origin=(10, 20, 30))
    np.testing.assert_allclose(block.bounds, (30.75, 32, 21, 23, 12, 18))


def test_surfaces_are_closed_at_the_boundary_too(tmp_path):
    # Random labels hold every way in which the eight corners of a cube can differ.
    for surface in surfaces(tmp_path, np.random.default_rng(0).integers(0, 3, (12, 14, 16)).astype(np.uint8), 3):
        assert surface.n_open_edges == 0
        assert enclosed_volume(surface) > 0


def test_the_volume_is_that_of_the_voxels(tmp_path):
    labels = blobs(1, (40, 40, 40), 2, width=5)[0]
    parts = surfaces(tmp_path, labels, voxel_size=SIZE)
    for phase, surface in enumerate(parts):
        expected = (labels == phase).sum() * np.prod(SIZE)
        assert enclosed_volume(surface) == pytest.approx(expected, rel=0.02)


def test_a_phase_that_does_not_occur_is_said_and_its_old_file_removed(tmp_path):
    surfaces(tmp_path, np.arange(60, dtype=np.uint8).reshape(3, 4, 5) % 3, 3)
    labels = np.arange(60, dtype=np.uint8).reshape(3, 4, 5) % 2 * 2
    written = write(labels, tmp_path / "a.stl", grid=Grid((3, 4, 5), phases=3, voxel_size=1.0), overwrite=True)
    assert [path.name for path in written.files] == ["a_phase0.stl", "a_phase2.stl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_phase0.stl", "a_phase2.stl"]
    assert any("no voxel has the phase 1" in note for note in written.notes)
