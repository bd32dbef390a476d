"""Fits by two processes are those of one, also when one continues what the other began."""

from __future__ import annotations

import os

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.errors import InputError
from matvae.jobs import FitInterrupted, fit_model, fit_on_ranks

SMALL = {"n_components": 2, "decoder": "dense", "max_epochs": 4, "width": 16, "seed": 0}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def curve(path):
    return [(record["loss"], record["validation_error"]) for record in load(path).history_]


def latents(path, trained):
    return load(path).transform(open_structures(trained / "test.zarr").data.compute())


@pytest.fixture(scope="module")
def whole(trained, tmp_path_factory):
    """A model that one process fitted without an interrupt."""
    path = tmp_path_factory.mktemp("whole") / "m.matvae"
    fit_model(trained / "train.zarr", path, **SMALL)
    return path


def interrupt(record):
    if record["epoch"] >= 2:
        raise KeyboardInterrupt


@pytest.mark.slow
def test_two_processes_fit_the_model_of_one(trained, whole, tmp_path):
    records, seen = [], []
    result = fit_on_ranks(
        trained / "train.zarr",
        tmp_path / "m.matvae",
        devices=2,
        progress=lambda done, total: seen.append(done / total),
        on_record=records.append,
        **SMALL,
    )
    assert result["records"] == len(records) == 4
    assert seen[-1] == 1
    assert np.allclose(curve(tmp_path / "m.matvae"), curve(whole), rtol=1e-5)
    np.testing.assert_allclose(latents(tmp_path / "m.matvae", trained), latents(whole, trained), rtol=1e-4, atol=1e-5)
    assert os.listdir(tmp_path) == ["m.matvae"]


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then"), [(2, None), (None, 2)])
def test_an_interrupted_fit_is_completed_by_another_number_of_processes(trained, tmp_path, first, then):
    # Long enough that the interrupt arrives before the end, and smooth, so that rounding errors do not grow.
    options = {**SMALL, "max_epochs": 40, "patience": None, "aligned_fraction": 0.0, "learning_rate": 1e-4}
    fit_model(trained / "train.zarr", tmp_path / "whole.matvae", **options)
    out = tmp_path / "m.matvae"
    with pytest.raises(FitInterrupted, match=r"Continue with the same command and --resume\."):
        fit_on_ranks(trained / "train.zarr", out, devices=first, on_record=interrupt, **options)
    assert sorted(os.listdir(tmp_path)) == ["m.matvae.checkpoint", "whole.matvae"]
    epochs = []
    fit_on_ranks(
        trained / "train.zarr", out, devices=then, resume=True, on_record=lambda r: epochs.append(r["epoch"]), **options
    )
    assert 2 < epochs[0] < 40
    assert np.allclose(curve(out), curve(tmp_path / "whole.matvae"), rtol=1e-5)
    np.testing.assert_allclose(latents(out, trained), latents(tmp_path / "whole.matvae", trained), rtol=1e-4, atol=1e-5)


def test_what_cannot_be_divided_is_refused(trained, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="devices must be at least 1, but 0 was given"):
        fit_on_ranks(trained / "train.zarr", tmp_path / "m.matvae", devices=0)
    with pytest.raises(InputError, match="exists already"):
        fit_on_ranks(trained / "train.zarr", trained / "m.matvae", devices=2)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "1")
    with pytest.raises(InputError, match="devices=2 starts processes, but this process has already been started"):
        fit_on_ranks(trained / "train.zarr", tmp_path / "m.matvae", devices=2)
    assert os.listdir(tmp_path) == []
