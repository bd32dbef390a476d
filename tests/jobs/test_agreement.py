"""Evaluation, comparison, report and benchmark give equal values for the same quantity."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from matvae.jobs import benchmark_paper, compare_methods, evaluate_model, report_model
from matvae.jobs.benchmark import paper
from matvae.jobs.benchmark.folder import open_folder
from matvae.jobs.benchmark.settings import BenchmarkSettings
from matvae.jobs.report import report

pytestmark = pytest.mark.usefixtures("builtin_presets")

OPTIONS = {"size": 16, "n": 60, "n_test": 24, "n_components": 3, "max_time": 1.0, "device": "cpu"}


@pytest.fixture(scope="module")
def results(lined, tmp_path_factory):
    """Results of the four jobs for the same model and data, and the contents of the two pages."""
    folder, parts = tmp_path_factory.mktemp("agreement"), {}
    model, data, train = (lined / name for name in ("m.matvae", "test.zarr", "train.zarr"))
    settings = BenchmarkSettings(preset="matvae", seed=0, weights=None, batch_size=None, **OPTIONS)
    benchmark = open_folder(folder / "b", settings.to_dict(), resume=False, overwrite=False)
    for path in (model, data, train):
        shutil.copytree(path, benchmark.path / ("model.matvae" if path == model else path.name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "report_page", lambda contents: parts.update(report=contents) or "page")
        patch.setattr(paper, "benchmark_page", lambda result, contents: parts.update(benchmark=contents) or "page")
        # A benchmark that finds its data and model only measures them.
        patch.setattr(paper, "fit_model", None)
        return {
            "evaluate": evaluate_model(model, data, train=train, nearest=3),
            "compare": compare_methods(model, data, train=train, n_components=3, max_epochs=1),
            "report": report_model(model, data, folder / "a.html", train=train),
            "benchmark": benchmark_paper(benchmark.path, resume=True, **OPTIONS),
        }, parts


@pytest.fixture(scope="module")
def rows(results):
    """Rows of the three tables of errors, by method."""
    jobs, _ = results
    assert jobs["compare"]["model_stands_for"] == 3
    assert [row["n_samples"] for row in jobs["benchmark"]["rows"][1:]] == [24, 24]
    return {
        "evaluate": dict(zip(("mean", "PCA", "matvae"), jobs["evaluate"]["rows"], strict=True)),
        "compare": {row["method"].replace("training mean", "mean"): row for row in jobs["compare"]["rows"]},
        "benchmark": dict(zip(("published", "PCA", "matvae"), jobs["benchmark"]["rows"], strict=True)),
    }


def report_errors(jobs, method, key):
    """Return the report's error ``key`` of a method with as many components as the model."""
    chosen = [row for row in jobs["report"]["rows"] if row["method"] == method and row["n_components"] in (3, None)]
    return next(row[key] for row in chosen if row.get(key) is not None)


def test_errors_of_the_model_agree(results, rows):
    jobs, _ = results
    ours = rows["evaluate"]["matvae"]
    assert ours["relative_error"] == rows["compare"]["matvae"]["structure_relative_error"]
    assert ours["relative_error"] == rows["benchmark"]["matvae"]["structure_error"]
    assert ours["relative_error"] == jobs["report"]["relative_error"]
    assert ours["median_relative_error"] == rows["compare"]["matvae"]["structure_median_relative_error"]
    assert ours["centred_error"] == rows["compare"]["matvae"]["structure_centred_error"]
    assert ours["centred_error"] == report_errors(jobs, "matvae", "structure_centred_error")
    for job in ("compare", "benchmark"):
        assert ours["volume_fraction_difference"] == rows[job]["matvae"]["volume_fraction_difference"]
    decoded = rows["compare"]["matvae"]
    assert decoded["relative_error"] == rows["benchmark"]["matvae"]["decoded_error"]
    assert decoded["centred_error"] == report_errors(jobs, "matvae", "centred_error")


def test_errors_of_the_baselines_agree(results, rows):
    jobs, _ = results
    for method, name in (("mean", "training mean"), ("PCA", "PCA")):
        expected = rows["evaluate"][method]
        assert rows["compare"][method]["relative_error"] == pytest.approx(expected["relative_error"], rel=1e-4)
        assert rows["compare"][method]["centred_error"] == pytest.approx(expected["centred_error"], rel=1e-4)
        assert report_errors(jobs, name, "centred_error") == pytest.approx(expected["centred_error"], rel=1e-4)
    expected = rows["evaluate"]["PCA"]["relative_error"]
    assert rows["benchmark"]["PCA"]["decoded_error"] == pytest.approx(expected, rel=1e-4)


def test_reconstructions_from_pc_scores_agree(results, rows):
    jobs, _ = results
    ours = rows["compare"]["PCA"]
    assert rows["benchmark"]["PCA"]["structure_error"] == pytest.approx(ours["structure_relative_error"], rel=1e-4)
    assert rows["benchmark"]["PCA"]["volume_fraction_difference"] == ours["volume_fraction_difference"]
    assert report_errors(jobs, "PCA", "structure_centred_error") == pytest.approx(
        ours["structure_centred_error"], rel=0.02
    )


def test_numbers_of_lines_agree(results, rows):
    jobs, _ = results
    lines, row = jobs["evaluate"]["lines"], rows["benchmark"]["matvae"]
    assert lines["element"] == jobs["benchmark"]["element"]
    assert [lines[key] for key in ("orientation", "number", "number_each")] == [
        row[key] for key in ("orientation", "number", "number_each")
    ]
    assert {row["lines"]: row["number"] for row in jobs["benchmark"]["by_number"]} == {
        n: group["right"] for n, group in lines["by_number"].items()
    }


def test_neighbours_agree(results):
    jobs, parts = results
    records = jobs["evaluate"]["nearest"]
    for measure in ("image", "statistics"):
        for row, number in enumerate((0, 8, 15)):
            neighbours = parts["report"].similar[measure]
            check_neighbours(records[number], measure, neighbours, row)
            ours = records[number]["reconstruction"][f"{measure}_mse"]
            assert neighbours.reconstruction_distances[row] == pytest.approx(ours, abs=1e-9)
        for row, query in enumerate(parts["benchmark"].queries):
            check_neighbours(records[query.number], measure, parts["benchmark"].neighbours["original", measure], row)


def check_neighbours(record, measure, neighbours, row):
    assert [neighbour["sample"] for neighbour in record[f"by_{measure}"]] == neighbours.numbers[row].tolist()
    assert [neighbour["mse"] for neighbour in record[f"by_{measure}"]] == pytest.approx(
        neighbours.distances[row], abs=1e-9
    )


def test_latents_and_walks_agree(results):
    _, parts = results
    np.testing.assert_array_equal(parts["report"].latents, parts["benchmark"].latents)
    walks = [parts[page].traversal for page in ("report", "benchmark")]
    np.testing.assert_array_equal(walks[0].components, walks[1].components)
    for step in set(walks[0].steps) & set(walks[1].steps):
        ours, theirs = (walk.structures[:, walk.steps.tolist().index(step)] for walk in walks)
        np.testing.assert_array_equal(ours, theirs)
    # Volume fractions: (2, sample, phase) in the report, (sample, 2) in the benchmark.
    np.testing.assert_array_equal(parts["report"].fractions[..., 0].T, parts["benchmark"].fractions)
