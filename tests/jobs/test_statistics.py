"""Streamed statistics equal those of the whole array, and say what they are."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray

from matvae import Grid, two_point_stats
from matvae.data import sample_blocks as blocks_module
from matvae.data import save_structures
from matvae.errors import InputError
from matvae.jobs import compute_statistics
from matvae.stats import STATISTICS, get_statistic, lineal_path

SHAPES = {1: (24,), 2: (12, 9), 3: (6, 5, 4)}


@pytest.fixture(params=[1, 2, 3])
def store(request, tmp_path):
    shape = SHAPES[request.param]
    X = np.random.default_rng(1).integers(0, 3, size=(11, *shape)).astype(np.uint8)
    path = tmp_path / "x.zarr"
    grid = Grid(shape, phases=3, voxel_size=0.5, unit="micrometer", periodic=False)
    save_structures(path, X, grid=grid, properties={"k": np.arange(11.0)}, units={"k": "GPa"})
    return path, X


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"periodic": True},
        {"cutoff": 2, "correlations": [(1, 1)]},
        {"correlations": [(0, 1), (2, 2)], "periodic": True},
    ],
)
def test_streamed_statistics_equal_those_of_the_whole(store, tmp_path, monkeypatch, how):
    path, X = store
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 20_000)
    seen = []
    compute_statistics(path, tmp_path / "s.zarr", progress=lambda done, total: seen.append((done, total)), **how)
    expected = two_point_stats(X, phases=3, **{"periodic": False, **how})
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as found:
        np.testing.assert_allclose(found["statistics"].values, expected, atol=1e-6)
        assert found["statistics"].dtype == np.float32
        np.testing.assert_array_equal(found["k"].values, np.arange(11.0))
        # At zero lag, by its coordinate, an autocorrelation is the volume fraction.
        lags = [dim for dim in found["statistics"].dims if dim.startswith("lag_")]
        zero = found["statistics"].sel(dict.fromkeys(lags, 0))
        pairs = found.attrs["matvae"]["correlations"]
        for column, (i, j) in enumerate(pairs):
            fraction = (i == X).reshape(len(X), -1).mean(axis=1) if i == j else np.zeros(len(X))
            np.testing.assert_allclose(zero.values[:, column], fraction, atol=1e-6)
    assert seen[-1] == (11, 11)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


@pytest.mark.parametrize("name", STATISTICS.builtin)
def test_any_statistic_is_streamed_with_its_coordinates(name, store, tmp_path, monkeypatch):
    path, X = store
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 20_000)
    statistic = get_statistic(name)
    result = compute_statistics(path, tmp_path / "s.zarr", statistic=name)
    sized = {"voxel_size": 0.5} if statistic.uses_voxel_size else {}
    expected = statistic(X, phases=3, periodic=False, **sized)
    coordinates = statistic.coordinates(X.shape[1:], ("z", "y", "x")[-(X.ndim - 1) :], periodic=False, **sized)
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as found:
        np.testing.assert_allclose(found["statistics"].values, expected, rtol=1e-6, atol=1e-6)
        assert found["statistics"].dims == ("sample", *coordinates, statistic.column) == tuple(result["dimensions"])
        for axis, values in coordinates.items():
            np.testing.assert_array_equal(found[axis].values, values)
            assert found[axis].attrs["unit"] == ("micrometer" if sized else "voxel")
        if statistic.column == "phase":
            assert found["phase"].values.tolist() == [0, 1, 2]
        assert found["statistics"].attrs.get("unit") == ("micrometer^-1" if name == "surface_area" else None)
        assert found.attrs["matvae"]["statistic"] == name
        np.testing.assert_array_equal(found["k"].values, np.arange(11.0))


def test_options_reach_the_statistic(store, tmp_path):
    path, X = store
    how = {"axis": 0}
    result = compute_statistics(
        path, tmp_path / "s.zarr", statistic="lineal_path", cutoff=2, periodic=True, options=how
    )
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as found:
        expected = lineal_path(X, phases=3, cutoff=2, axis=0)
        np.testing.assert_allclose(found["statistics"].values, expected, atol=1e-6)
        assert found.attrs["matvae"]["options"] == result["options"] == {"axis": 0}
    own = compute_statistics(path, tmp_path / "a.zarr", statistic="surface_area", options={"voxel_size": 1})
    assert own["options"] == {"voxel_size": 1}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"statistic": "lineal_path", "correlations": [(1, 1)]}, "'correlations' was given"),
        ({"statistic": "surface_area", "cutoff": 3}, "'cutoff' was given"),
        ({"statistic": "lineal_path", "options": {"axes": 1}}, "Did you mean 'axis'"),
        ({"statistic": "lineal_path", "options": {"periodic": True}}, "a parameter of its own"),
        ({"statistic": "pair_correlation", "options": {"bins": "many"}}, "ascending order"),
    ],
)
def test_options_that_do_not_belong_are_refused(store, tmp_path, how, message):
    path, _ = store
    with pytest.raises(InputError, match=message):
        compute_statistics(path, tmp_path / "s.zarr", **how)
    assert os.listdir(tmp_path) == ["x.zarr"]


def test_attributes_say_what_was_computed(store, tmp_path):
    path, X = store
    result = compute_statistics(path, tmp_path / "s.zarr", cutoff=1)
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as found:
        about = found.attrs["matvae"]
    assert about["schema"] == 1
    assert about["correlations"] == [[1, 1], [1, 2], [2, 2]]
    assert about["periodic"] is False
    assert about["cutoff"] == 1
    assert Grid.from_dict(about["grid"]).voxel_size == (0.5,) * (X.ndim - 1)
    assert result["shape"] == [11, *[3] * (X.ndim - 1), 3]
    assert result["dimensions"][0] == "sample"
    assert result["dimensions"][-1] == "correlation"


def test_nothing_remains_when_computing_fails(store, tmp_path):
    path, _ = store

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_statistics(path, tmp_path / "s.zarr", progress=stop)
    with pytest.raises(InputError, match="local states"):
        compute_statistics(path, tmp_path / "s.zarr", correlations=[(1, 7)])
    with pytest.raises(InputError, match="beyond the window"):
        compute_statistics(path, tmp_path / "s.zarr", cutoff=99)
    assert os.listdir(tmp_path) == ["x.zarr"]
