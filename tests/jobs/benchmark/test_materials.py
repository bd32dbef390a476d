"""The benchmark of materials from end to end on small stand-ins, and which runs are computed again."""

from __future__ import annotations

import csv
import json
import os

import numpy as np
import pytest

from matvae.errors import InputError, StoreError
from matvae.jobs import BenchmarkInterrupted, benchmark_materials
from matvae.jobs.benchmark import materials as module
from matvae.jobs.benchmark import materials_windows

from .standins import SMALL, field

QUICK = {"quick": True, "n_components": (2,), "n_realized": 2}
FILES = ["benchmark.json", "decoded.csv", "realized.csv", "report.html", "result.json", "runs"]


@pytest.fixture(scope="module", autouse=True)
def _small_windows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(materials_windows.MATERIALS, "alloy", SMALL)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "micrographs").mkdir()
    np.save(folder / "micrographs" / "alloy.npy", field((96, 96)))
    return folder


@pytest.fixture(scope="module")
def completed(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("benchmark") / "b"
    progress = []
    result = benchmark_materials(data, out, seeds=(0, 1), progress=lambda *done: progress.append(done), **QUICK)
    return out, result, progress


def test_the_folder_holds_everything(completed):
    out, result, progress = completed
    assert sorted(os.listdir(out)) == FILES
    assert sorted(os.listdir(out / "runs")) == ["alloy-0.json", "alloy-0.npz", "alloy-1.json", "alloy-1.npz"]
    assert json.loads((out / "result.json").read_text()) == json.loads(json.dumps(result))
    assert progress == [(1, 2), (2, 2)]
    assert result["command"] in (out / "report.html").read_text().replace("&#39;", "'")
    rows = list(csv.DictReader((out / "decoded.csv").open()))
    assert [row["method"] for row in rows] == ["another true window", "PCA", "PCA, lag metric", "matvae"]
    assert float(rows[1]["centred_all"]) == pytest.approx(result["decoded"][1]["centred_all"], rel=1e-5)


def test_figures_are_means_over_the_seeds(completed):
    _, result, _ = completed
    errors = [run["decoded"][3]["centred_all"] for run in result["runs"]]
    row = result["decoded"][3]
    assert (row["method"], row["n_seeds"]) == ("matvae", 2)
    assert row["centred_all"] == pytest.approx(np.mean(errors))
    assert row["centred_all_spread"] == pytest.approx(np.std(errors, ddof=1))
    assert [run["held_out"] for run in result["runs"]] == ["end of x", "start of x"]


def test_warnings_that_differ_in_numbers_are_given_once_per_material():
    messages = (("alloy", ["12 windows", "Too small."]), ("alloy", ["13 windows"]), ("nmc", ["9 windows"]))
    runs = [{"material": material, "warnings": warnings} for material, warnings in messages]
    assert module._warnings(runs) == ["alloy: 12 windows", "alloy: Too small.", "nmc: 9 windows"]


def test_finished_runs_are_not_computed_again(completed, data, monkeypatch):
    out, result, _ = completed
    monkeypatch.setattr(module, "run_material", None)
    again = benchmark_materials(data, out, seeds=(0, 1), **QUICK)
    assert again["decoded"] == result["decoded"]
    one = benchmark_materials(data, out, seeds=(1,), **QUICK)
    assert one["decoded"][3]["centred_all"] == result["runs"][1]["decoded"][3]["centred_all"]


def test_runs_of_other_settings_are_not_mixed(completed, data):
    out, _, _ = completed
    with pytest.raises(InputError, match=r"with n_components=\[2\], but \[3\] was given.*another folder"):
        benchmark_materials(data, out, **{**QUICK, "n_components": (3,)})
    with pytest.raises(InputError, match="with n_realized=2, but 0 was given"):
        benchmark_materials(data, out, **{**QUICK, "n_realized": 0})


def test_an_interrupted_benchmark_keeps_finished_runs(data, tmp_path, monkeypatch):
    def run(material, picture, seed, effort, path, *, resume):
        if seed == 1:
            raise KeyboardInterrupt
        path.write_text("{}")

    monkeypatch.setattr(module, "run_material", run)
    with pytest.raises(BenchmarkInterrupted, match=r"1 finished runs are in .*same command continues"):
        benchmark_materials(data, tmp_path / "b", seeds=(0, 1), **QUICK)
    assert os.listdir(tmp_path / "b" / "runs") == ["alloy-0.json"]


def test_a_damaged_run_is_named(data, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "runs").mkdir()
    (tmp_path / "b" / "benchmark.json").write_text('{"benchmark": "paper"}')
    with pytest.raises(InputError, match="was not written by matvae"):
        benchmark_materials(data, tmp_path / "b", **QUICK)
    (tmp_path / "b" / "benchmark.json").write_text("{")
    with pytest.raises(StoreError, match=r"benchmark\.json is damaged"):
        benchmark_materials(data, tmp_path / "b", **QUICK)


def test_other_folders_are_not_touched(data, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years")
    with pytest.raises(InputError, match="was not written by matvae"):
        benchmark_materials(data, tmp_path / "thesis", **QUICK)
    assert os.listdir(tmp_path / "thesis") == ["thesis.tex"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_components": ()}, "n_components must be one or more integers"),
        ({"n_components": (0,)}, "n_components must be an integer of at least 1"),
        ({"n_realized": 1}, "n_realized must be 0, or at least 2"),
        ({"image_vae": -1}, "image_vae must be a number at least 0"),
        ({"seeds": (-1,)}, "seeds must be an integer of at least 0"),
        ({"seeds": ()}, "seeds must be one or more integers"),
        ({"materials": ()}, "but none was given"),
        ({"materials": ("gold",)}, "materials must be some of"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(data, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        benchmark_materials(data, tmp_path / "b", **{**QUICK, **changes})
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("resume", [False, True])
def test_an_unfinished_run_is_continued_if_its_parts_are_kept(data, tmp_path, monkeypatch, resume):
    resumed = []

    def run(material, picture, seed, effort, path, *, resume):
        resumed.append(resume)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_material", run)
    for _ in range(2):
        with pytest.raises(BenchmarkInterrupted):
            benchmark_materials(data, tmp_path / "b", seeds=(0,), resume=resume, **QUICK)
        (tmp_path / "b" / "runs" / ".alloy-0.json.resume").mkdir(exist_ok=True)
    # Even without `resume`, what is kept is not lost.
    assert resumed == [resume, True]
