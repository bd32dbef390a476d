"""Every kind of thing on disk is described."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae.errors import InputError, StoreError
from matvae.jobs import compute_statistics, describe, transform_structures


def test_structures(trained):
    found = describe(trained / "test.zarr")
    assert found["kind"] == "structures"
    assert found["n_samples"] == 21
    assert found["grid"]["shape"] == [8, 8]
    assert found["properties"]["k"] == {"min": 0, "mean": 10, "max": 20, "unit": "GPa"}
    assert found["bytes"] > 0
    json.dumps(found, allow_nan=False)


def test_a_source_of_another_kind(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(6, dtype=np.uint8))
    assert describe(tmp_path / "a.npy")["grid"]["shape"] == [6, 6]


def test_results(trained, tmp_path):
    compute_statistics(trained / "test.zarr", tmp_path / "s.zarr", cutoff=2)
    found = describe(tmp_path / "s.zarr")
    assert found["kind"] == "statistics"
    assert dict(zip(found["dimensions"], found["shape"], strict=True)) == {
        "sample": 21,
        "lag_y": 5,
        "lag_x": 5,
        "correlation": 1,
    }
    assert found["properties"] == ["k"]
    transform_structures(trained / "m.matvae", trained / "test.zarr", tmp_path / "z.zarr")
    found = describe(tmp_path / "z.zarr")
    assert (found["kind"], found["shape"]) == ("latents", [21, 3])
    assert found["attributes"]["model"] == "m.matvae"


def test_a_model(trained):
    found = describe(trained / "m.matvae")
    assert found["kind"] == "model"
    assert found["n_components"] == found["parameters"]["n_components"] == 3
    assert found["history"]["records"] == 3
    assert "loss" in found["history"]["last"]
    assert found["files"]["estimator.json"] > 0
    json.dumps(found, allow_nan=False)


def test_what_is_not_there_or_damaged(trained, tmp_path):
    with pytest.raises(InputError, match="There is no file or folder"):
        describe(tmp_path / "absent")
    compute_statistics(trained / "test.zarr", tmp_path / "s.zarr")
    (tmp_path / "s.zarr" / "statistics" / "zarr.json").write_text("{")
    with pytest.raises(StoreError, match="is damaged"):
        describe(tmp_path / "s.zarr")
