"""The table of errors equals one computed on whole arrays."""

from __future__ import annotations

import logging
import os

import numpy as np
import pytest

from matvae import Grid, TwoPointPCA, load, open_structures, save_structures
from matvae.errors import InputError
from matvae.jobs import blocks, evaluate_model


@pytest.fixture
def streamed(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * 64 * 5)


def test_the_table_equals_one_of_whole_arrays(trained, streamed):
    result = evaluate_model(trained / "m.matvae", trained / "test.zarr", train=trained / "train.zarr", n_components=2)
    model = load(trained / "m.matvae")
    train, X = (open_structures(trained / name).data.compute() for name in ("train.zarr", "test.zarr"))
    made = model.inverse_transform(model.transform(X))
    f = model.statistics(X).astype(float)
    pca = TwoPointPCA(2, phases=2).fit(train)
    approximations = {
        "training mean": np.broadcast_to(model.statistics(train).mean(0), f.shape),
        "PCA (2)": pca.inverse_statistics(pca.transform(X)).reshape(f.shape),
        "matvae (3)": model.statistics(made),
    }
    assert [row["method"] for row in result["rows"]] == list(approximations)
    for row in result["rows"]:
        g = approximations[row["method"]].astype(float)
        relative = np.linalg.norm((f - g).reshape(21, -1), axis=1) / np.linalg.norm(f.reshape(21, -1), axis=1)
        assert row["relative_error"] == pytest.approx(relative.mean(), abs=1e-4)
        assert row["median_relative_error"] == pytest.approx(np.median(relative), abs=1e-4)
        centred = np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))
        assert row["centred_error"] == pytest.approx(centred, abs=1e-4)
    n, m = (a.reshape(21, -1).sum(1).astype(float) for a in (X, made))
    assert result["rows"][-1]["volume_fraction_difference"] == pytest.approx(100 * (abs(n - m) / n).mean())
    assert [row["volume_fraction_difference"] for row in result["rows"][:-1]] == [None, None]
    assert -model.score(X) == pytest.approx(result["rows"][-1]["relative_error"], abs=1e-4)


def test_without_training_data_there_are_no_baselines(trained, streamed):
    seen = []
    result = evaluate_model(
        trained / "m.matvae", trained / "test.zarr", progress=lambda done, total: seen.append((done, total))
    )
    assert [row["method"] for row in result["rows"]] == ["matvae (3)"]
    assert seen[-1] == (21, 21)
    with pytest.raises(InputError, match="needs training structures"):
        evaluate_model(trained / "m.matvae", trained / "test.zarr", n_components=2)


def test_empty_originals_are_counted_and_left_out(trained, tmp_path, caplog):
    X = open_structures(trained / "test.zarr").data.compute()
    X[:2] = 0
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8)))
    with caplog.at_level(logging.WARNING, logger="matvae"):
        result = evaluate_model(trained / "m.matvae", tmp_path / "x.zarr")
    assert result["n_empty"] == 2
    assert np.isfinite(result["rows"][0]["volume_fraction_difference"])
    assert "2 structures hold phase 0 only" in caplog.text


def test_a_figure_is_drawn(trained, tmp_path, streamed):
    out = tmp_path / "a.png"
    result = evaluate_model(trained / "m.matvae", trained / "test.zarr", figure=out)
    assert result["figure"] == str(out)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert os.listdir(tmp_path) == [out.name]
    with pytest.raises(InputError, match="exists already"):
        evaluate_model(trained / "m.matvae", trained / "test.zarr", figure=out)
    with pytest.raises(InputError, match="Choose one of these endings"):
        evaluate_model(trained / "m.matvae", trained / "test.zarr", figure=tmp_path / "a.doc")
