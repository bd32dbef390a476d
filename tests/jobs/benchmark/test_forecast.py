"""What the benchmarks will take."""

from __future__ import annotations

import pytest

from matvae.forecast import Forecast, listening
from matvae.jobs import benchmark_paper, plan_job
from matvae.jobs.benchmark import forecast as forecasts
from matvae.jobs.benchmark.materials_run import Effort

SMALL = {"size": 16, "n": 600, "n_test": 30, "n_components": 2, "max_time": 70.0, "batch_size": 16}


def test_all_stages_of_the_paper_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(forecasts, "seconds_for_all", lambda work, n: 1000.0 * n)
    begin = forecasts.begin_fit
    monkeypatch.setattr(forecasts, "begin_fit", lambda *given: (begin(*given)[0], 256_000.0))
    plan = plan_job(benchmark_paper, tmp_path / "b", **SMALL)
    # Training; 30 structures of the model and 30 of PCA; PCA of 600 structures; neighbours among 600.
    seconds = 70 + 1000 * (30 + 30) + 1000 * 600 + 1000 * 600
    assert plan["seconds"] == pytest.approx(seconds, rel=1e-3)
    assert plan["disk_certainty"] == "about"
    assert list(tmp_path.iterdir()) == []


def test_the_disk_holds_data_and_models(tmp_path):
    plan = plan_job(benchmark_paper, tmp_path / "b", **SMALL)
    fewer = plan_job(benchmark_paper, tmp_path / "b", **{**SMALL, "n": 300})
    # The data take less than the models, and more structures take more.
    assert plan["disk"] > fewer["disk"] > 0
    assert fewer["problems"] == []


def test_every_material_is_run_with_few_windows(monkeypatch):
    runs = []

    def run_seconds(material, picture, seed, effort):
        runs.append((material.name, seed, effort))
        return 10.0 + (20.0 + 4.0 * effort.n_realized if effort.n_realized else 0.0)

    monkeypatch.setattr(forecasts, "_run_seconds", run_seconds)
    monkeypatch.setattr(forecasts, "read_picture", lambda material, folder: None)
    monkeypatch.setattr(forecasts, "_n_windows", lambda material, picture, seed, effort: effort.most_training)
    effort = Effort(n_components=(1, 5, 9), most_training=1000, most_held_out=200, n_realized=16, image_seconds=30.0)
    materials = [type("M", (), {"name": name})() for name in ("alloy", "berea")]
    forecast = forecasts.forecast_materials(materials, "data", effort, [3, 4])
    assert {name for name, *_ in runs} == {"alloy", "berea"}
    assert {each.n_components for *_, each in runs} == {(5,)}
    # The first run loads libraries.
    (_, _, first), *timed = runs
    assert (first.most_training, first.n_realized) == (50, 2)
    assert {each.most_training for *_, each in timed} == {250}
    # Three numbers of components with four times the windows, the image-space VAE, 16 structures and the larger ones.
    assert forecast.seconds == pytest.approx(4 * (3 * 4 * 10 + 30 + 20 + 16 * 4))
    assert forecast.work == "alloy, berea, each with 2 seeds"


def test_a_real_run_is_not_measured_first(tmp_path, monkeypatch):
    monkeypatch.setattr(forecasts, "SOME", 0)

    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("matvae.jobs.benchmark.paper._draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        benchmark_paper(tmp_path / "b", **SMALL)
    heard: list[Forecast] = []
    monkeypatch.undo()
    monkeypatch.setattr("matvae.jobs.benchmark.paper._draw", interrupted)
    with pytest.raises(KeyboardInterrupt), listening(heard.append):
        benchmark_paper(tmp_path / "c", **SMALL)
    assert len(heard) == 1
