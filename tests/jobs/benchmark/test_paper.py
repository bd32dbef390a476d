"""The benchmark of the paper from end to end at its smallest size, including interrupted runs."""

from __future__ import annotations

import json
import logging
import os
import sys
from types import SimpleNamespace

import pytest

from matvae import load, open_structures
from matvae.errors import InputError, MissingExtraError
from matvae.jobs import BenchmarkInterrupted, benchmark_paper
from matvae.jobs.benchmark import paper as module

SMALL = {"size": 16, "n": 60, "n_test": 12, "n_components": 3, "max_time": 0.5, "device": "cpu"}
FILES = ["benchmark.json", "model.matvae", "report.html", "result.json", "test.zarr", "train.zarr"]


@pytest.fixture(scope="module")
def completed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark") / "b"
    progress = []
    return folder, benchmark_paper(folder, progress=lambda *done: progress.append(done), **SMALL), progress


def test_the_folder_holds_everything(completed):
    folder, result, progress = completed
    assert sorted(os.listdir(folder)) == FILES
    assert json.loads((folder / "result.json").read_text()) == json.loads(json.dumps(result))
    assert len(open_structures(folder / "train.zarr")) == 60
    model = load(folder / "model.matvae")
    assert (model.n_components, model.random_state, model.max_time) == (3, 0, 0.5)
    assert all(done <= total for done, total in progress)
    page = (folder / "report.html").read_text()
    assert result["commands"]["resume"] in page
    assert f"{result['rows'][-1]['number']:.1f} %" in page


def test_rows_are_the_paper_pca_and_this_run(completed):
    _, result, _ = completed
    assert [row["method"] for row in result["rows"]] == ["paper, as published", "PCA (3)", "matvae (3)"]
    assert [row["n_samples"] for row in result["rows"]] == [100, 12, 12]
    assert sum(row["n_samples"] for row in result["by_number"]) == 12
    assert sum(sum(row["found"]) for row in result["by_number"]) == 12
    right = sum(row["n_samples"] * row["number"] for row in result["by_number"]) / 12
    assert right == pytest.approx(result["rows"][-1]["number"])
    assert "Only 12 structures are held out" in result["notes"][0]


def test_held_out_structures_are_not_among_those_trained_on(completed):
    folder, result, _ = completed
    assert result["test_seed"] != result["seed"]
    train, test = (open_structures(folder / name).data.compute() for name in ("train.zarr", "test.zarr"))
    assert not any((train == image).all((1, 2)).any() for image in test)


@pytest.fixture
def quick_page(monkeypatch):
    """Skip drawing the page, which takes longer than everything else."""
    monkeypatch.setattr(module, "benchmark_page", lambda result, parts: f"page of {result['rows'][-1]['method']}")


def test_a_finished_run_is_measured_again_without_training(completed, caplog, monkeypatch, quick_page):
    folder, result, _ = completed
    with pytest.raises(InputError, match="holds a benchmark already"):
        benchmark_paper(folder, **SMALL)
    monkeypatch.setattr(module, "fit_model", None)
    with caplog.at_level(logging.INFO, logger="matvae"):
        again = benchmark_paper(folder, resume=True, **{**SMALL, "n_test": 14})
    assert "The model exists already" in caplog.text
    assert again["rows"][-1]["n_samples"] == 14
    assert again["seconds"]["training"] == result["seconds"]["training"]
    assert benchmark_paper(folder, resume=True, **SMALL)["rows"] == result["rows"]


def test_an_interrupted_run_is_resumed(tmp_path, caplog, quick_page):
    def stop(record):
        raise KeyboardInterrupt

    with pytest.raises(BenchmarkInterrupted, match="Resume it with the same command and --resume"):
        benchmark_paper(tmp_path / "b", on_record=stop, **SMALL)
    assert sorted(os.listdir(tmp_path / "b")) == [
        "benchmark.json",
        "model.matvae.checkpoint",
        "test.zarr",
        "train.zarr",
    ]
    with pytest.raises(InputError, match="holds a run with n=60, but 61 was given"):
        benchmark_paper(tmp_path / "b", resume=True, **{**SMALL, "n": 61})
    with caplog.at_level(logging.INFO, logger="matvae"):
        benchmark_paper(tmp_path / "b", resume=True, **SMALL)
    assert "60 structures exist already" in caplog.text
    assert "Training continues from" in caplog.text
    assert sorted(os.listdir(tmp_path / "b")) == FILES


def test_an_interruption_while_data_are_drawn_leaves_no_partial_data(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(BenchmarkInterrupted):
        benchmark_paper(tmp_path / "b", progress=stop, **SMALL)
    assert os.listdir(tmp_path / "b") == ["benchmark.json"]


def test_starting_again_replaces_the_model(tmp_path, quick_page):
    benchmark_paper(tmp_path / "b", **SMALL)
    first = open_structures(tmp_path / "b" / "train.zarr").data.compute()
    with pytest.raises(InputError, match="--overwrite"):
        benchmark_paper(tmp_path / "b", **{**SMALL, "n_components": 2})
    result = benchmark_paper(tmp_path / "b", overwrite=True, **{**SMALL, "n_components": 2})
    assert result["seconds"]["data"] is None
    assert load(tmp_path / "b" / "model.matvae").n_components == 2
    assert (tmp_path / "b" / "report.html").read_text() == "page of matvae (2)"
    assert (open_structures(tmp_path / "b" / "train.zarr").data.compute() == first).all()


def test_the_published_architecture_reports_that_its_encoder_is_untrained(tmp_path, monkeypatch, caplog, quick_page):
    from matvae.model.encoders.pretrained import ResNet152Encoder

    monkeypatch.setattr(ResNet152Encoder, "sizes", {"depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8})
    options = {**SMALL, "size": 36, "max_time": 1.0, "batch_size": 30}
    with caplog.at_level(logging.WARNING, logger="matvae"):
        result = benchmark_paper(tmp_path / "b", preset="paper", **options)
    assert "random weights, not from pretrained ones" in caplog.text
    assert result["rows"][-1]["method"] == "architecture of the paper, untrained encoder (3)"
    assert any("random weights" in note for note in result["notes"])
    assert result["settings"]["loss"] == "absolute"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "paper", "weights": "nowhere/at-all", "size": 64}, "No weights were found"),
        ({"n_test": 3}, "n_test must be"),
        ({"max_time": -1}, "max_time must be"),
    ],
)
def test_impossible_requests_are_refused_before_anything_is_written(tmp_path, changes, message, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=message):
        benchmark_paper(tmp_path / "b", **{**SMALL, **changes})
    assert os.listdir(tmp_path) == []


def test_nothing_is_started_if_a_library_for_the_page_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="jinja2"):
        benchmark_paper(tmp_path / "b", **SMALL)
    assert os.listdir(tmp_path) == []


def test_networks_are_incomplete_before_two_passes_but_searches_are_not():
    def trained(passes, searches=False):
        return SimpleNamespace(n_iter_=passes, module_=SimpleNamespace(encoder=SimpleNamespace(searches=searches)))

    assert module._is_incomplete(trained(1))
    assert not module._is_incomplete(trained(2))
    assert not module._is_incomplete(trained(1, searches=True))
