"""One run has every method at every number of components, and keeps the structures that a page shows."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.jobs import JobInterrupted
from matvae.jobs.benchmark import materials_run as module
from matvae.jobs.benchmark.materials_run import Effort, run_material

from .standins import SMALL, field

EFFORT = Effort((1, 2), most_training=80, most_held_out=12, n_realized=2, image_seconds=0.3)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "alloy-1.json"
    run_material(SMALL, field((144, 144), 1), 1, EFFORT, path)
    return path


def test_structures_are_realized_at_five_components_or_the_nearest():
    assert [Effort(sizes).realized_at for sizes in ((1, 2, 3, 5, 9), (1, 3), (8, 16))] == [5, 3, 8]


def test_rows_are_the_floor_and_every_method(stored):
    run = json.loads(stored.read_text())
    rows = [(row["method"], row["n_components"]) for row in run["decoded"]]
    assert rows == [
        ("another true window", None),
        ("PCA", 1),
        ("PCA, lag metric", 1),
        ("matvae", 1),
        ("PCA", 2),
        ("PCA, lag metric", 2),
        ("matvae", 2),
        ("image-space VAE", 2),
    ]
    ways = [(row["method"], row["realize"]) for row in run["realized"]]
    assert ways == [
        ("PCA", "retrieval"),
        ("PCA, lag metric", "retrieval"),
        ("matvae", "retrieval"),
        ("matvae", "examples"),
        ("image-space VAE", "decoder"),
    ]
    assert all(row["n_components"] == 2 and row["n_realized"] == 2 for row in run["realized"])
    errors = {(row["method"], row["n_components"]): row["centred_all"] for row in run["decoded"]}
    assert errors["PCA", 2] < errors["PCA", 1] < errors["another true window", None]
    surfaces = {row["method"]: row["surface_error"] for row in run["decoded"]}
    assert surfaces["matvae"] > 0
    assert surfaces["PCA"] is surfaces["image-space VAE"] is None
    assert (run["held_out"], run["n_training"], run["n_test"], run["shape"]) == ("start of x", 80, 12, [24, 24])


def test_warnings_of_fits_are_kept_once(stored):
    messages = json.loads(stored.read_text())["warnings"]
    assert len(messages) == len(set(messages))
    assert any("independent" in message for message in messages)


def test_structures_of_the_page_are_kept(stored):
    with np.load(stored.with_suffix(".npz")) as pictures:
        assert pictures["true"].shape == pictures["matvae/examples"].shape == (2, 24, 24)
        assert pictures["larger_true"].shape == (1, 48, 48)
        assert pictures["larger"].shape == (2, 48, 48)


def test_without_realizations_only_statistics_are_measured(tmp_path):
    effort = Effort((2,), most_training=40, most_held_out=6, n_realized=0, image_seconds=0)
    run_material(SMALL, field((144, 144), 1), 0, effort, tmp_path / "alloy-0.json")
    run = json.loads((tmp_path / "alloy-0.json").read_text())
    assert (len(run["decoded"]), run["realized"]) == (4, [])
    with np.load(tmp_path / "alloy-0.npz") as pictures:
        assert sorted(pictures) == ["larger_true", "true"]


def without_seconds(path):
    run = json.loads(path.read_text())
    rows = [{key: value for key, value in row.items() if "seconds" not in key} for row in run.pop("decoded")]
    realized = [{key: value for key, value in row.items() if "seconds" not in key} for row in run.pop("realized")]
    return {**run, "seconds": None}, rows, realized


@pytest.mark.parametrize("sizes", [(1, 2, 3), (3, 4)])
def test_an_interrupted_run_continues_and_gives_the_same_result(tmp_path, monkeypatch, sizes):
    effort = Effort(sizes, most_training=40, most_held_out=6, n_realized=2, image_seconds=0)
    given = (SMALL, field((144, 144), 1), 0, effort)
    run_material(*given, tmp_path / "whole.json")
    fits, real = [], module.fitted

    def fitted(estimator, windows):
        fits.append(estimator.n_components)
        if len(fits) == 3 * (len(sizes) - 1) + 2:
            raise KeyboardInterrupt
        return real(estimator, windows)

    monkeypatch.setattr(module, "fitted", fitted)
    with pytest.raises(JobInterrupted, match="--resume"):
        run_material(*given, tmp_path / "alloy-0.json", resume=True)
    assert sorted(os.listdir(tmp_path)) == [".alloy-0.json.resume", "whole.json", "whole.npz"]
    with pytest.raises(InputError, match="other picture"):
        run_material(SMALL, field((144, 144), 2), 0, effort, tmp_path / "alloy-0.json", resume=True)
    fits.clear()
    run_material(*given, tmp_path / "alloy-0.json", resume=True)
    assert fits == 3 * [sizes[-1]]
    assert without_seconds(tmp_path / "alloy-0.json") == without_seconds(tmp_path / "whole.json")
    with np.load(tmp_path / "alloy-0.npz") as pictures, np.load(tmp_path / "whole.npz") as expected:
        assert list(pictures) == list(expected)
        for name in expected:
            np.testing.assert_array_equal(pictures[name], expected[name])
    assert sorted(os.listdir(tmp_path)) == ["alloy-0.json", "alloy-0.npz", "whole.json", "whole.npz"]
