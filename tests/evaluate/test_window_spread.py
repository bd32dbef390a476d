"""Measures of disjoint windows against those of windows cut one by one."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.evaluate import window_spread
from matvae.evaluate.window_spread import Spread, disjoint_windows, measure_spread, spread_windows
from matvae.stats import correlation_length, surface_area, two_point_stats

GRID = Grid((13, 17), phases=3, voxel_size=(0.5, 2.0), periodic=False)
X = np.random.default_rng(0).integers(0, 3, (2, 13, 17)).astype(np.uint8)


def test_windows_are_disjoint_pieces_of_the_structure_in_order():
    cut = disjoint_windows(X, (4, 5))
    assert cut.shape == (2, 3, 3, 4, 5)
    # 13 = 3 * 4 + 1 and 17 = 3 * 5 + 2: centred.
    np.testing.assert_array_equal(cut[1, 2, 0], X[1, 8:12, 1:6])
    np.testing.assert_array_equal(cut[0, 0, 2], X[0, 0:4, 11:16])


def test_measures_are_those_of_every_window():
    pairs = [(phase, phase) for phase in range(3)]
    options = {"phases": 3, "periodic": False}
    f = two_point_stats(X, correlations=pairs, cutoff=(2, 1), **options).mean(axis=0)
    n_windows, n_measured, spreads = measure_spread(X, GRID, (4, 5), (2, 1), f)
    assert (n_windows, n_measured, [spread.phase for spread in spreads]) == (18, 18, [0, 1, 2])
    windows = disjoint_windows(X, (4, 5)).reshape(-1, 4, 5)
    g = two_point_stats(windows, correlations=pairs, cutoff=(2, 1), **options)
    for phase, spread in enumerate(spreads):
        fractions = (windows == phase).mean(axis=(1, 2))
        assert spread.volume_fraction.mean == pytest.approx(fractions.mean())
        assert spread.volume_fraction.sd == pytest.approx(fractions.std(ddof=1))
        for axis in range(2):
            surfaces = surface_area(windows, axis=axis, voxel_size=GRID.voxel_size, **options)[:, phase]
            assert spread.specific_surface[axis].mean == pytest.approx(surfaces.mean())
            lengths = correlation_length(windows, axis=axis, voxel_size=GRID.voxel_size, **options)[:, phase]
            assert spread.correlation_length[axis] == Spread.of(lengths)
        distances = np.linalg.norm((g - f)[..., phase].reshape(18, -1), axis=1) / np.linalg.norm(f[..., phase])
        assert spread.statistics_error == pytest.approx(np.sqrt(np.mean(distances**2)), rel=1e-5)


def test_windows_that_do_not_hold_the_cutoff_have_no_error():
    f = two_point_stats(X, phases=3, correlations=[(k, k) for k in range(3)], periodic=False, cutoff=4).mean(axis=0)
    assert measure_spread(X, GRID, (4, 5), (4, 4), f)[2][0].statistics_error is None
    assert measure_spread(X, GRID, (5, 5), (4, 4), f)[2][0].statistics_error is not None


def test_many_windows_are_thinned_out_evenly(monkeypatch):
    monkeypatch.setattr(window_spread, "MOST_VOXELS", 200)
    chosen, n_windows = spread_windows(X, (4, 5))
    assert n_windows == 18
    assert len(chosen) == 10
    all_windows = disjoint_windows(X, (4, 5)).reshape(-1, 4, 5)
    np.testing.assert_array_equal(chosen[[0, -1]], all_windows[[0, -1]])


def test_means_over_few_of_the_windows_are_not_given():
    assert Spread.of(np.array([1.0, 3.0, np.nan])) == Spread(2.0, pytest.approx(2**0.5))
    assert Spread.of(np.array([1.0, 3.0, np.nan, np.nan, np.nan])) == Spread(None, None)
