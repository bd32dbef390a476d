"""What a comparison will take: one fit of each kind stands for all of its kind."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, open_structures, save_structures
from matvae.forecast import listening
from matvae.jobs import compare_methods, plan_job
from matvae.jobs.compare import forecast as forecasts


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    X = (rng.random((40, 8, 8)) < rng.uniform(0.2, 0.8, (40, 1, 1))).astype(np.uint8)
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8)), properties={"fraction": X.mean((1, 2))})
    model = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=1, width=16, random_state=0)
    model.fit(open_structures(tmp_path / "x.zarr")).save(tmp_path / "m.matvae")
    return tmp_path


def test_every_fit_and_every_measurement_is_counted(folder, monkeypatch):
    begun, begin = [], forecasts.begin_fit

    def begin_fit(estimator, structures):
        begun.append((type(estimator).__name__, estimator.n_components, len(structures)))
        return begin(estimator, structures)[0], {"TwoPointPCA": 10.0, "StatsVAETransformer": 1000.0}[begun[-1][0]]

    monkeypatch.setattr(forecasts, "begin_fit", begin_fit)
    monkeypatch.setattr(forecasts, "seconds_for_all", lambda work, n: 100_000.0 * n)
    monkeypatch.setattr(forecasts, "_linking_seconds", lambda *given: 1.0)
    plan = plan_job(compare_methods, folder / "m.matvae", folder / "x.zarr", n_components=(1, 3), held_out=0.25)
    assert begun == [("TwoPointPCA", 3, 30), ("TwoPointPCA", 3, 30)] + 2 * [("StatsVAETransformer", 3, 30)]
    # Four PCAs and four networks, measured on 10 structures and encoding 30 others.
    seconds = 4 * 10 + 4 * 1000 + 8 * 40 * 100_000 + 8
    assert plan["seconds"] == pytest.approx(seconds, abs=60)
    assert plan["work"] == "8 fits to 30 structures, each measured on 10 others"
    # A model that is taken as it is costs no fit.
    plan = plan_job(compare_methods, folder / "m.matvae", folder / "x.zarr", train=folder / "x.zarr", n_components=(2,))
    assert plan["seconds"] == pytest.approx(2 * 10 + 1000 + 4 * 80 * 100_000 + 4, abs=60)


def test_nothing_is_kept_and_a_comparison_that_is_run_is_not_measured_first(folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    options = {"n_components": (1,), "max_epochs": 1}
    plan = plan_job(compare_methods, "m.matvae", "x.zarr", figure="f.png", resume=True, **options)
    assert min(plan["seconds"], plan["measured_seconds"]) > 0
    assert (plan["disk"], plan["problems"]) == (None, [])
    assert sorted(folder.iterdir()) == before
    monkeypatch.setattr(forecasts, "forecast_comparison", None)
    assert len(compare_methods("m.matvae", "x.zarr", **options)["rows"]) == 6


def test_single_fits_do_not_speak_for_the_whole(folder):
    heard = []

    def end(forecast):
        heard.append(forecast.work)

    with listening(end):
        compare_methods(folder / "m.matvae", folder / "x.zarr", n_components=(1,), max_epochs=1)
    assert heard == ["4 fits to 32 structures, each measured on 8 others"]
