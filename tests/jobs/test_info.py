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


def test_files_are_described_with_the_command_that_imports_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("my scan.npz", a=np.eye(6, 9, dtype=np.uint8) * 9, b=np.zeros(3))
    described = describe("my scan.npz", name="a")
    assert (described["kind"], described["format"], described["shape"]) == ("file", "numpy", [6, 9])
    assert described["axes"] == "yx, by the number of axes"
    assert described["values"]["distinct"] == [0, 9]
    json.dumps(described, allow_nan=False)
    (entry,) = described["imports"]
    assert entry["command"] == "matvae import 'my scan.npz' 'my scan.zarr' --name a --phase-values 0,9"
    assert entry["grid"]["shape"] == [6, 9]
    assert entry["windows"] is None
    assert [array["name"] for array in describe("my scan.npz")["arrays"]] == ["a", "b"]


def test_advice_names_the_path_that_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("gaps.npy", np.where(np.eye(40) > 0, np.nan, np.arange(40)))
    (advice,) = describe("gaps.npy")["advice"]
    assert advice.startswith("gaps.npy ")


def test_values_that_json_lacks_are_words(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[0, np.nan]]))
    described = describe(tmp_path / "a.npy")
    assert described["values"]["distinct"] == [0, "nan"]
    json.dumps(described, allow_nan=False)


def test_figures_and_pictures_show_the_first_structure(trained, tmp_path):
    volume = np.zeros((4, 6, 8), np.uint8)
    volume[2, :, 4:] = 1
    np.save(tmp_path / "v.npy", np.stack([volume, volume]))
    described = describe(tmp_path / "v.npy", figure=tmp_path / "v.png", picture=8)
    assert (tmp_path / "v.png").read_bytes()[:4] == b"\x89PNG"
    assert described["figure"] == str(tmp_path / "v.png")
    assert described["picture"] == {"pixels": [[0.0] * 4 + [1.0] * 4] * 6, "normal": "z"}
    assert describe(trained / "test.zarr", picture=8)["picture"]["normal"] is None
    assert describe(trained / "m.matvae", picture=8)["picture"] is None
    with pytest.raises(InputError, match="cannot be drawn"):
        describe(trained / "m.matvae", figure=tmp_path / "m.png")
    with pytest.raises(InputError, match="no arrays to choose from"):
        describe(trained / "m.matvae", name="a")
    with pytest.raises(InputError, match="exists already"):
        describe(tmp_path / "v.npy", figure=tmp_path / "v.png")


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
    assert description["in_epochs"] is True
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
