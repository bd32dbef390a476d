"""Pieces and surface have their known values, and dust has more of both."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.optimize.believability import texture_of
from matvae.stats import surface_area

PLATES = np.repeat(np.array([0, 1, 0, 1], np.uint8), 5)[:, None].repeat(20, axis=1)


def test_plates_have_one_piece_each():
    windows = np.stack([PLATES, PLATES.T])
    # 4 plates among 400 voxels.
    np.testing.assert_allclose(texture_of(windows, Grid((20, 20), periodic=False))[:, 0], 10)
    # The last plate of phase 1 and the first of phase 0 do not touch plates of their own phase.
    np.testing.assert_allclose(texture_of(windows, Grid((20, 20)))[:, 0], 10)
    # Phase 0 now begins and ends the structure: one piece less where the two ends join.
    rolled = np.roll(windows, 2, axis=(1, 2))
    np.testing.assert_allclose(texture_of(rolled, Grid((20, 20), periodic=False))[:, 0], 12.5)
    np.testing.assert_allclose(texture_of(rolled, Grid((20, 20)))[:, 0], 10)


def test_each_interface_counts_once():
    grid = Grid((20, 20), phases=3, voxel_size=0.5, unit="micrometer")
    structures = np.random.default_rng(0).integers(0, 3, (2, 20, 20)).astype(np.uint8)
    areas = surface_area(structures, phases=3, voxel_size=0.5)
    np.testing.assert_allclose(texture_of(structures, grid)[:, 1], areas.sum(1) / 2)
    two_phases = (structures == 1).astype(np.uint8)
    grid = Grid((20, 20))
    assert texture_of(two_phases, grid)[:, 1] == pytest.approx(surface_area(two_phases, phases=2)[:, 1])


def test_dust_has_more_pieces_and_surface():
    dusty = PLATES.copy()
    dusty[2, ::4] = 1
    clean, dirty = texture_of(np.stack([PLATES, dusty]), Grid((20, 20)))
    # Five single voxels.
    assert dirty[0] - clean[0] == pytest.approx(1000 * 5 / 400)
    assert dirty[1] > clean[1]
