"""Descriptions of stores, results and models."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae.errors import InputError, StoreError
from matvae.jobs import compute_statistics, describe, transform_structures


def test_structures_are_described(trained):
    description = describe(trained / "test.zarr")
    assert description["kind"] == "structures"
    assert description["n_samples"] == 21
    assert description["grid"]["shape"] == [8, 8]
    assert description["properties"]["k"] == {"min": 0, "mean": 10, "max": 20, "unit": "GPa"}
    assert description["bytes"] > 0
    json.dumps(description, allow_nan=False)


def test_sources_that_are_not_stores_are_described(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(6, dtype=np.uint8))
    assert describe(tmp_path / "a.npy")["grid"]["shape"] == [6, 6]


def test_results_are_described(trained, tmp_path):
    compute_statistics(trained / "test.zarr", tmp_path / "s.zarr", cutoff=2)
    description = describe(tmp_path / "s.zarr")
    assert description["kind"] == "statistics"
    assert dict(zip(description["dimensions"], description["shape"], strict=True)) == {
        "sample": 21,
        "lag_y": 5,
        "lag_x": 5,
        "correlation": 1,
    }
    assert description["properties"] == ["k"]
    transform_structures(trained / "m.matvae", trained / "test.zarr", tmp_path / "z.zarr")
    description = describe(tmp_path / "z.zarr")
    assert (description["kind"], description["shape"]) == ("latents", [21, 3])
    assert description["attributes"]["model"] == "m.matvae"


def test_models_are_described(trained):
    description = describe(trained / "m.matvae")
    assert description["kind"] == "model"
    assert description["n_components"] == description["parameters"]["n_components"] == 3
    assert description["history"]["records"] == 3
    assert "loss" in description["history"]["last"]
    assert description["files"]["estimator.json"] > 0
    json.dumps(description, allow_nan=False)


def test_missing_and_damaged_files_are_refused(trained, tmp_path):
    with pytest.raises(InputError, match="There is no file or folder"):
        describe(tmp_path / "absent")
    compute_statistics(trained / "test.zarr", tmp_path / "s.zarr")
    (tmp_path / "s.zarr" / "statistics" / "zarr.json").write_text("{")
    with pytest.raises(StoreError, match="are damaged"):
        describe(tmp_path / "s.zarr")
