"""Output and files of the command `reconstruct`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import Grid, open_structures, two_point_stats
from matvae.jobs import reconstruct_statistics


@pytest.fixture
def stats(matvae, store, tmp_path):
    ran = matvae("stats", store, "-o", tmp_path / "s.zarr")
    assert ran.code == 0, ran.err
    return tmp_path / "s.zarr"


def test_statistics_become_structures(matvae, stats, store, tmp_path):
    ran = matvae("reconstruct", stats, "-o", tmp_path / "o.zarr", "--max-iter", 200, "--seed", 3)
    assert ran.code == 0, ran.err
    facts = {line[:12].strip(): line[12:].strip() for line in ran.out.splitlines()}
    assert list(facts) == ["written", "structures", "each", "mean error", "median error", "max error", "seconds each"]
    assert facts["structures"] == "6"
    assert "8 x 8 voxels" in facts["each"]
    reconstruct_statistics(stats, tmp_path / "p.zarr", seed=3)
    reconstructed, expected = (open_structures(tmp_path / f"{name}.zarr") for name in "op")
    np.testing.assert_array_equal(reconstructed.data.compute(), expected.data.compute())
    error = reconstructed.properties["reconstruction_error"]
    assert float(facts["mean error"]) == pytest.approx(error.mean(), rel=1e-3)
    np.testing.assert_array_equal(
        reconstructed.data.compute().sum((1, 2)), open_structures(store).data.compute().sum((1, 2))
    )


def test_every_option_reaches_the_job(matvae, stats, tmp_path):
    options = ("--size", "12,10", "--no-periodic", "--n-realizations", 2, "--max-iter", 3, "--tol", 0.1)
    more_options = ("--method", "swaps", "--device", "cpu", "--json")
    ran = matvae("reconstruct", stats, "-o", tmp_path / "o.zarr", *options, *more_options)
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    assert result["n_samples"] == 12
    assert result["grid"]["shape"] == [12, 10]
    assert not result["grid"]["periodic"]
    assert set(result["error"]) == {"mean", "median", "max"}
    assert "Lags up to 3, 3 voxels" in ran.err
    settings = {"size": (12, 10), "periodic": False, "n_realizations": 2, "max_iter": 3, "tol": 0.1, "method": "swaps"}
    reconstruct_statistics(stats, tmp_path / "p.zarr", **settings)
    reconstructed, expected = (open_structures(tmp_path / f"{name}.zarr") for name in "op")
    np.testing.assert_array_equal(reconstructed.data.compute(), expected.data.compute())


def test_an_array_of_statistics_is_accepted(matvae, tmp_path):
    X = (np.random.default_rng(0).random((4, 8, 8)) < 0.4).astype(np.uint8)
    np.save(tmp_path / "f.npy", two_point_stats(X, correlations=[(0, 0)]))
    options = ("--size", 8, "--periodic", "--phases", 2, "--correlations", "0:0", "--quiet")
    ran = matvae("reconstruct", tmp_path / "f.npy", "-o", tmp_path / "o.zarr", *options)
    assert ran.code == 0, ran.err
    assert ran.err == ""
    reconstructed = open_structures(tmp_path / "o.zarr")
    assert reconstructed.grid == Grid((8, 8))
    np.testing.assert_array_equal(reconstructed.data.compute().sum((1, 2)), X.sum((1, 2)))


def test_errors_have_their_exit_codes(matvae, stats, store, tmp_path):
    out = tmp_path / "o.zarr"
    assert matvae("reconstruct", stats, "-o", out, "--size", "few").code == 2
    ran = matvae("reconstruct", store, "-o", out)
    assert (ran.code, "holds no 2-point statistics" in ran.err) == (3, True)
    ran = matvae("reconstruct", stats, "-o", out, "--scheduler", "nowhere://1")
    assert (ran.code, "no dask scheduler at nowhere://1" in ran.err) == (3, True)
    chunk = next(file for file in (stats / "statistics" / "c").rglob("*") if file.is_file())
    chunk.unlink()
    assert matvae("reconstruct", stats, "-o", out).code == 4
    assert not out.exists()
