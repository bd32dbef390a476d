"""Windows taken as periodic: those whose sides do not join are told from periodic structures."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from matvae import StatsVAETransformer, Structures, TwoPointPCA, two_point_stats
from matvae.boundaries import open_axes
from matvae.grid import Grid
from matvae.stats import lineal_path


def field(shape, mode, seed=0):
    noise = np.random.default_rng(seed).standard_normal(shape)
    return gaussian_filter(noise, (0, *(2.0,) * (len(shape) - 1)), mode=mode)


PERIODIC = (field((8, 24, 24), "wrap") > 0).astype(np.uint8)
WINDOWS = (field((8, 48, 48), "wrap") > 0).astype(np.uint8)[:, :24, :24]


def test_periodic_structures_join_and_windows_do_not():
    assert open_axes(PERIODIC, 2) == []
    assert open_axes(WINDOWS, 2) == [0, 1]


def test_an_axis_that_is_not_cut_joins():
    cut_along_x = (field((8, 24, 48), "wrap") > 0).astype(np.uint8)[:, :, :24]
    assert open_axes(cut_along_x, 2) == [1]


@pytest.mark.parametrize("shape", [(8, 32), (3, 12, 16, 12)])
def test_lines_and_volumes_are_told_apart_too(shape):
    twice = (shape[0], *(2 * n for n in shape[1:]))
    cut = (slice(None), *(slice(n) for n in shape[1:]))
    ndim = len(shape) - 1
    many = (40, *shape[1:]) if ndim == 1 else shape
    assert open_axes(field(many, "wrap"), ndim) == []
    assert open_axes(field((many[0], *twice[1:]), "wrap")[cut], ndim) == list(range(ndim))


def test_local_states_and_fields_are_compared_by_their_differences():
    states = np.stack([1 - WINDOWS, WINDOWS], axis=-1).astype(float)
    assert open_axes(states, 2) == [0, 1]
    gradient = np.linspace(0, 1, 16) * np.ones((2, 16, 1))
    assert open_axes(gradient, 2) == [1]


def test_noise_stripes_and_narrow_structures_are_not_suspected():
    rng = np.random.default_rng(1)
    assert open_axes(rng.integers(0, 3, (4, 16, 16)), 2) == []
    stripes = np.broadcast_to(np.arange(18) // 3 % 2, (4, 18, 18))
    assert open_axes(stripes, 2) == []
    assert open_axes(WINDOWS[:, :6, :6], 2) == []


def warnings_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in caught if "opposite sides" in str(warning.message)]


@pytest.mark.parametrize("function", [two_point_stats, lineal_path])
def test_statistics_of_windows_say_that_they_take_them_as_periodic(function):
    (message,) = warnings_of(lambda: function(WINDOWS))
    assert "along y, x their" in message
    assert "periodic=False" in message
    assert not warnings_of(lambda: function(PERIODIC))


def test_stated_boundaries_are_not_questioned():
    grid = Grid((24, 24))
    for call in (
        lambda: two_point_stats(WINDOWS, periodic=True),
        lambda: two_point_stats(WINDOWS, periodic=False, cutoff=8),
        lambda: two_point_stats(Structures(WINDOWS, grid)),
        lambda: TwoPointPCA(2).fit(Structures(WINDOWS, grid)),
        lambda: TwoPointPCA(2, periodic=False, cutoff=8).fit(WINDOWS),
    ):
        assert not warnings_of(call)


@pytest.mark.parametrize("form", ["labels", "flat", "states"])
def test_fit_warns_of_windows_in_any_form(form):
    X, options = WINDOWS, {}
    if form == "flat":
        X, options = WINDOWS.reshape(8, -1), {"sample_shape": (24, 24)}
    elif form == "states":
        X, options = np.stack([1 - WINDOWS, WINDOWS], axis=1), {"state_axis": 1}
    (message,) = warnings_of(lambda: TwoPointPCA(2, **options).fit(X))
    assert "along y, x their" in message


def test_the_variational_autoencoder_warns_once():
    assert len(warnings_of(lambda: StatsVAETransformer(2, max_epochs=1, width=8, decoder="dense").fit(WINDOWS))) == 1


def test_large_volumes_are_thinned_and_still_told_apart(monkeypatch):
    monkeypatch.setattr("matvae.boundaries.MOST_VOXELS", 1 << 10)
    volume = field((1, 40, 32, 32), "wrap") > 0
    assert open_axes(volume, 3) == []
    assert open_axes(volume[:, :20], 3) == [0]
