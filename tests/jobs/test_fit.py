"""Training from a store: saved models, refused input, and continuation of interrupted runs."""

from __future__ import annotations

import logging
import os

import numpy as np
import pytest

from matvae import Grid, load, open_structures, save_structures
from matvae.errors import InputError, StoreError
from matvae.jobs import FitInterrupted, fit_model

from ..structures import blobs

SMALL = {"n_components": 2, "decoder": "dense", "max_epochs": 2, "width": 16, "seed": 0}


def test_the_saved_model_is_the_estimator_fitted_on_the_store(trained, tmp_path):
    records, seen = [], []
    result = fit_model(
        trained / "train.zarr",
        tmp_path / "m.matvae",
        progress=lambda done, total: seen.append(done / total),
        on_record=records.append,
        **SMALL,
    )
    model = load(tmp_path / "m.matvae")
    assert (model.n_components, model.max_epochs, model.random_state) == (2, 2, 0)
    assert model.checkpoint is None
    assert model.grid_.voxel_size == (0.5, 0.5)
    assert result["records"] == len(records) == len(model.history_) == 2
    assert result["last"]["loss"] == records[-1]["loss"]
    assert seen == sorted(seen)
    assert seen[-1] == 1
    fit_model(trained / "train.zarr", tmp_path / "again.matvae", **SMALL)
    X = open_structures(trained / "test.zarr").data.compute()
    np.testing.assert_array_equal(model.transform(X), load(tmp_path / "again.matvae").transform(X))
    assert sorted(os.listdir(tmp_path)) == ["again.matvae", "m.matvae"]


@pytest.mark.parametrize(
    ("stored", "requested", "expected"), [(True, None, True), (False, None, False), (False, True, True)]
)
def test_periodicity_is_that_of_the_store_unless_requested(trained, tmp_path, caplog, stored, requested, expected):
    X = open_structures(trained / "train.zarr").data.compute()
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8), periodic=stored))
    with caplog.at_level(logging.INFO, logger="matvae"):
        result = fit_model(tmp_path / "x.zarr", tmp_path / "m.matvae", periodic=requested, **SMALL)
    assert result["periodic"] is expected
    assert load(tmp_path / "m.matvae").periodic is expected
    assert f"treated as {'periodic' if expected else 'not periodic'}" in caplog.text
    assert ("as the data state" in caplog.text) == (requested is None)


def test_the_error_is_compared_with_the_sampling_error_of_a_window(trained, tmp_path):
    windows = blobs(60, (24, 24), volume_fraction=np.random.default_rng(0).normal(0.4, 0.03, 60))
    save_structures(tmp_path / "x.zarr", windows, grid=Grid((24, 24)))
    result = fit_model(tmp_path / "x.zarr", tmp_path / "m.matvae", n_components=2, seed=0)
    model, sampling = load(tmp_path / "m.matvae"), result["sampling"]
    assert (sampling["n_windows"], sampling["n_independent"], result["sampling_left_out"]) == (60, 60, None)
    f = model.statistics(windows)
    g = np.reshape(model.inverse_statistics(model.transform(windows)), f.shape)
    error, scatter = np.square(f - g).sum(), np.square(f - f.mean(axis=0)).sum()
    assert sampling["ratio"] == pytest.approx(np.sqrt(error / scatter * 59 / 60), rel=1e-3)
    assert sampling["ratio"] < 0.9
    again = fit_model(trained / "train.zarr", tmp_path / "n.matvae", **SMALL)
    assert again["sampling"] is None
    assert "layouts" in again["sampling_left_out"]


def test_an_interrupted_run_continues_to_the_same_model(trained, tmp_path):
    options = {**SMALL, "max_epochs": 4}
    fit_model(trained / "train.zarr", tmp_path / "whole.matvae", **options)

    def stop(record):
        if record["epoch"] >= 2:
            raise KeyboardInterrupt

    out = tmp_path / "m.matvae"
    with pytest.raises(FitInterrupted, match=r"m\.matvae\.checkpoint\. Continue with the same command and --resume\."):
        fit_model(trained / "train.zarr", out, on_record=stop, **options)
    assert sorted(os.listdir(tmp_path)) == ["m.matvae.checkpoint", "whole.matvae"]
    with pytest.raises(InputError, match=r"--resume.*--overwrite"):
        fit_model(trained / "train.zarr", out, **options)
    epochs = []
    fit_model(trained / "train.zarr", out, resume=True, on_record=lambda r: epochs.append(r["epoch"]), **options)
    assert len(epochs) < 4
    X = open_structures(trained / "test.zarr").data.compute()
    np.testing.assert_allclose(
        load(out).transform(X), load(tmp_path / "whole.matvae").transform(X), rtol=1e-5, atol=1e-6
    )
    assert sorted(os.listdir(tmp_path)) == ["m.matvae", "whole.matvae"]


def test_a_checkpoint_of_another_run_is_kept_and_refused(trained, tmp_path):
    def stop(record):
        raise KeyboardInterrupt

    out = tmp_path / "m.matvae"
    with pytest.raises(FitInterrupted):
        fit_model(trained / "train.zarr", out, on_record=stop, **SMALL)
    with pytest.raises(InputError, match="belongs to a training run on other data or with other parameters"):
        fit_model(trained / "train.zarr", out, resume=True, **{**SMALL, "n_components": 3})
    assert (tmp_path / "m.matvae.checkpoint").exists()
    fit_model(trained / "train.zarr", out, overwrite=True, **{**SMALL, "n_components": 3})
    assert load(out).n_components == 3
    assert os.listdir(tmp_path) == ["m.matvae"]


def test_an_existing_model_is_replaced_only_on_request_and_after_training(trained, tmp_path, caplog):
    out = tmp_path / "m.matvae"
    with caplog.at_level(logging.INFO, logger="matvae"):
        fit_model(trained / "train.zarr", out, resume=True, **SMALL)
    assert "starts from the beginning" in caplog.text
    with pytest.raises(InputError, match="exists already"):
        fit_model(trained / "train.zarr", out, **SMALL)

    def stop(record):
        raise KeyboardInterrupt

    other = {**SMALL, "n_components": 4}
    with pytest.raises(FitInterrupted, match="--resume --overwrite"):
        fit_model(trained / "train.zarr", out, overwrite=True, on_record=stop, **other)
    assert load(out).n_components == 2
    fit_model(trained / "train.zarr", out, overwrite=True, resume=True, **other)
    assert load(out).n_components == 4


def test_a_folder_that_is_not_a_model_is_never_replaced(trained, tmp_path):
    (tmp_path / "m.matvae").mkdir()
    (tmp_path / "m.matvae" / "thesis.tex").write_text("chapter")
    with pytest.raises(InputError, match="was not written by matvae"):
        fit_model(trained / "train.zarr", tmp_path / "m.matvae", overwrite=True, **SMALL)
    with pytest.raises(InputError, match="must not contain one another"):
        fit_model(trained / "train.zarr", trained / "train.zarr", overwrite=True, **SMALL)


def test_invalid_parameters_leave_no_files(trained, tmp_path):
    with pytest.raises(InputError):
        fit_model(trained / "train.zarr", tmp_path / "m.matvae", n_components=0)
    assert os.listdir(tmp_path) == []


def test_a_model_that_cannot_be_written_costs_no_training(trained, tmp_path, monkeypatch):
    out = tmp_path / "m.matvae"

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("matvae.estimator.saving.save_file", full)
        with pytest.raises(StoreError, match=r"No space left.*training is complete.*same command and --resume"):
            fit_model(trained / "train.zarr", out, **SMALL)
    assert os.listdir(tmp_path) == ["m.matvae.checkpoint"]
    epochs = []
    fit_model(trained / "train.zarr", out, resume=True, on_record=epochs.append, **SMALL)
    assert epochs == []
    assert os.listdir(tmp_path) == ["m.matvae"]


def test_training_does_not_begin_without_room_for_the_model(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("matvae.room._largest_file", lambda: 1000)
    for decoder in ("dense", "statistics"):
        with pytest.raises(InputError, match=r"needs a file of about .* beyond 1 kB"):
            fit_model(trained / "train.zarr", tmp_path / "m.matvae", **{**SMALL, "decoder": decoder})
    assert os.listdir(tmp_path) == []


def test_a_checkpoint_that_cannot_be_written_is_a_warning(trained, tmp_path, monkeypatch):
    def full(*arguments):
        raise StoreError("There is no room.")

    monkeypatch.setattr("matvae.model.train.save_checkpoint", full)
    with pytest.warns(UserWarning, match=r"no room\. No state has been saved yet, and training is not affected"):
        fit_model(trained / "train.zarr", tmp_path / "m.matvae", **SMALL)
    assert os.listdir(tmp_path) == ["m.matvae"]


def test_an_interrupt_after_the_model_says_that_it_is_complete(trained, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("matvae.jobs.fit.sampling_floor", interrupted)
    with pytest.raises(FitInterrupted, match=r"m\.matvae is complete"):
        fit_model(trained / "train.zarr", tmp_path / "m.matvae", **SMALL)
    assert os.listdir(tmp_path) == ["m.matvae"]
