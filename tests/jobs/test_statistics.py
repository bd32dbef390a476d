"""Streamed statistics, compared with those of whole arrays, and their metadata."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray

from matvae import Grid, memory, two_point_stats
from matvae.data import sample_blocks as blocks_module
from matvae.data import save_structures
from matvae.errors import InputError
from matvae.jobs import compute_statistics
from matvae.jobs import statistics as statistics_module
from matvae.jobs.files import arrays
from matvae.jobs.files.kept import JobInterrupted
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
    "options",
    [
        {},
        {"periodic": True},
        {"cutoff": 2, "correlations": [(1, 1)]},
        {"correlations": [(0, 1), (2, 2)], "periodic": True},
    ],
)
def test_streamed_statistics_equal_those_of_the_whole_array(store, tmp_path, monkeypatch, options):
    path, X = store
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 20_000)
    reports = []
    compute_statistics(path, tmp_path / "s.zarr", progress=lambda done, total: reports.append((done, total)), **options)
    expected = two_point_stats(X, spatial_dims=X.ndim - 1, phases=3, **{"periodic": False, **options})
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as stored:
        np.testing.assert_allclose(stored["statistics"].values, expected, atol=1e-6)
        assert stored["statistics"].dtype == np.float32
        np.testing.assert_array_equal(stored["k"].values, np.arange(11.0))
        # The autocorrelation at the coordinate of zero lag is the volume fraction.
        lags = [dim for dim in stored["statistics"].dims if dim.startswith("lag_")]
        zero = stored["statistics"].sel(dict.fromkeys(lags, 0))
        pairs = stored.attrs["matvae"]["correlations"]
        for column, (i, j) in enumerate(pairs):
            fraction = (i == X).reshape(len(X), -1).mean(axis=1) if i == j else np.zeros(len(X))
            np.testing.assert_allclose(zero.values[:, column], fraction, atol=1e-6)
    assert reports[-1] == (11, 11)
    assert [done for done, _ in reports] == sorted({done for done, _ in reports})


@pytest.mark.parametrize("name", STATISTICS.builtin)
def test_every_statistic_is_streamed_with_its_coordinates(name, store, tmp_path, monkeypatch):
    path, X = store
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 20_000)
    statistic = get_statistic(name)
    result = compute_statistics(path, tmp_path / "s.zarr", statistic=name)
    sized = {"voxel_size": 0.5} if statistic.uses_voxel_size else {}
    expected = statistic(X, spatial_dims=X.ndim - 1, phases=3, periodic=False, **sized)
    coordinates = statistic.coordinates(X.shape[1:], ("z", "y", "x")[-(X.ndim - 1) :], periodic=False, **sized)
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as stored:
        np.testing.assert_allclose(stored["statistics"].values, expected, rtol=1e-6, atol=1e-6)
        assert stored["statistics"].dims == ("sample", *coordinates, statistic.column) == tuple(result["dimensions"])
        for axis, values in coordinates.items():
            np.testing.assert_array_equal(stored[axis].values, values)
            assert stored[axis].attrs["unit"] == ("micrometer" if sized else "voxel")
        if statistic.column == "phase":
            assert stored["phase"].values.tolist() == [0, 1, 2]
        assert stored["statistics"].attrs.get("unit") == ("micrometer^-1" if name == "surface_area" else None)
        assert stored.attrs["matvae"]["statistic"] == name
        np.testing.assert_array_equal(stored["k"].values, np.arange(11.0))


def test_options_reach_the_statistic(store, tmp_path):
    path, X = store
    result = compute_statistics(
        path, tmp_path / "s.zarr", statistic="lineal_path", cutoff=2, periodic=True, options={"axis": 0}
    )
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as stored:
        expected = lineal_path(X, spatial_dims=X.ndim - 1, phases=3, cutoff=2, axis=0)
        np.testing.assert_allclose(stored["statistics"].values, expected, atol=1e-6)
        assert result["options"] == {"axis": 0, "voxel_size": (0.5,) * (X.ndim - 1)}
        assert stored.attrs["matvae"]["options"] == {"axis": 0, "voxel_size": [0.5] * (X.ndim - 1)}
    own = compute_statistics(path, tmp_path / "a.zarr", statistic="surface_area", options={"voxel_size": 1})
    assert own["options"] == {"voxel_size": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistic": "lineal_path", "correlations": [(1, 1)]}, "'correlations' was given"),
        ({"statistic": "surface_area", "cutoff": 3}, "'cutoff' was given"),
        ({"statistic": "lineal_path", "options": {"axes": 1}}, "Did you mean 'axis'"),
        ({"statistic": "lineal_path", "options": {"periodic": True}}, "a parameter of its own"),
        ({"statistic": "pair_correlation", "options": {"bins": "many"}}, "ascending order"),
    ],
)
def test_invalid_options_are_refused(store, tmp_path, options, message):
    path, _ = store
    with pytest.raises(InputError, match=message):
        compute_statistics(path, tmp_path / "s.zarr", **options)
    assert os.listdir(tmp_path) == ["x.zarr"]


def test_attributes_describe_the_statistics(store, tmp_path):
    path, X = store
    result = compute_statistics(path, tmp_path / "s.zarr", cutoff=1)
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as stored:
        metadata = stored.attrs["matvae"]
    assert metadata["schema"] == 1
    assert metadata["correlations"] == [[1, 1], [1, 2], [2, 2]]
    assert metadata["periodic"] is False
    assert metadata["cutoff"] == 1
    assert Grid.from_dict(metadata["grid"]).voxel_size == (0.5,) * (X.ndim - 1)
    assert result["shape"] == [11, *[3] * (X.ndim - 1), 3]
    assert result["dimensions"][0] == "sample"
    assert result["dimensions"][-1] == "correlation"


def test_no_files_remain_when_computing_fails(store, tmp_path):
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


def test_chord_lengths_are_in_the_unit_of_voxels_that_are_not_cubes(tmp_path):
    stripes = np.tile(np.repeat([0, 1], 4), (8, 2))[None].astype(np.uint8)
    save_structures(tmp_path / "x.zarr", stripes, grid=Grid((8, 16), voxel_size=(2.0, 0.5), unit="micrometer"))
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr", statistic="chord_length")
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as stored:
        p = stored["statistics"].sel(sample=0, phase=1) if "sample" in stored.coords else stored["statistics"][0, :, 1]
        # Four voxels of half a micrometre.
        assert float(p.sel(length=2.0)) == 1
        assert float(p.sum()) == 1
        assert stored["length"].attrs["unit"] == "micrometer"


@pytest.mark.parametrize("periodic", [True, False])
def test_large_structures_are_computed_by_blocks(tmp_path, monkeypatch, periodic):
    monkeypatch.setattr(statistics_module, "LARGE", 1000)
    X = np.random.default_rng(0).integers(0, 3, (2, 12, 13, 14)).astype(np.uint8)
    save_structures(tmp_path / "x.zarr", X, grid=Grid((12, 13, 14), phases=3, periodic=periodic))
    calls = []
    by_blocks = statistics_module.two_point_stats_by_blocks

    def counted(structure, **options):
        calls.append(structure.shape)
        return by_blocks(structure, **options, max_bytes=10**6)

    monkeypatch.setattr(statistics_module, "two_point_stats_by_blocks", counted)
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr", cutoff=(2, 3, 1))
    assert calls == [(12, 13, 14)] * 2
    expected = two_point_stats(X, phases=3, periodic=periodic, cutoff=(2, 3, 1))
    with xarray.open_zarr(tmp_path / "s.zarr", consolidated=False) as stored:
        np.testing.assert_allclose(stored["statistics"].values, expected, atol=1e-6)


def test_all_lags_of_structures_too_large_for_memory_need_a_cutoff(tmp_path, monkeypatch):
    monkeypatch.setattr(statistics_module, "LARGE", 1000)
    monkeypatch.setattr(memory, "free_memory", lambda device: 10_000)
    save_structures(tmp_path / "x.zarr", np.zeros((1, 40, 40), np.uint8), grid=Grid((40, 40)))
    with pytest.raises(InputError, match=r"40 x 40 voxels at all lags needs about .* Pass a cutoff \(--cutoff 32\)"):
        compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr")
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr", cutoff=8)


def test_an_interrupted_run_continues_where_it_stopped(store, tmp_path, monkeypatch):
    path, _ = store
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 1)
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 1)
    compute_statistics(path, tmp_path / "whole.zarr", cutoff=1)
    seen: list[int] = []

    def stop_at(number: int):
        def progress(done: int, total: int) -> None:
            seen.append(done)
            if done >= number:
                raise KeyboardInterrupt

        return progress

    out = tmp_path / "s.zarr"
    with pytest.raises(JobInterrupted, match="What is done is kept"):
        compute_statistics(path, out, cutoff=1, resume=True, progress=stop_at(6))
    assert not out.exists()
    with pytest.raises(InputError, match="cutoff=1 instead of 2"):
        compute_statistics(path, out, cutoff=2, resume=True)
    seen.clear()
    compute_statistics(path, out, cutoff=1, resume=True, progress=stop_at(99))
    assert min(seen) >= 6
    assert seen[-1] == 11
    assert files_of(out) == files_of(tmp_path / "whole.zarr")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
