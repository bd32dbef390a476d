"""Evaluation of a model, compared with computations on whole arrays."""

from __future__ import annotations

import logging
import os

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, TwoPointPCA, load, open_structures, save_structures
from matvae.data import sample_blocks
from matvae.data.datasets import make_dataset
from matvae.errors import InputError
from matvae.evaluate import LineErrors
from matvae.jobs import evaluate_model


@pytest.fixture(scope="module")
def lined(tmp_path_factory):
    """Folder with train.zarr (30 images of lines), test.zarr (12) and m.matvae."""
    folder = tmp_path_factory.mktemp("lined")
    for seed, (name, n) in enumerate({"train.zarr": 30, "test.zarr": 12}.items()):
        make_dataset("lines", folder / name, n=n, size=16, seed=seed)
    X = open_structures(folder / "train.zarr").data.compute()
    StatsVAETransformer(n_components=3, decoder="dense", max_epochs=2, width=16, random_state=0).fit(X).save(
        folder / "m.matvae"
    )
    return folder


@pytest.fixture
def streamed(monkeypatch):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 64 * 5)


def test_the_table_equals_that_of_whole_arrays(trained, streamed):
    result = evaluate_model(trained / "m.matvae", trained / "test.zarr", train=trained / "train.zarr", n_components=2)
    model = load(trained / "m.matvae")
    train, X = (open_structures(trained / name).data.compute() for name in ("train.zarr", "test.zarr"))
    reconstructions = model.inverse_transform(model.transform(X))
    f = model.statistics(X).astype(float)
    pca = TwoPointPCA(2, phases=2).fit(train)
    approximations = {
        "training mean": np.broadcast_to(model.statistics(train).mean(0), f.shape),
        "PCA (2)": pca.inverse_statistics(pca.transform(X)).reshape(f.shape),
        "matvae (3)": model.statistics(reconstructions),
    }
    assert [row["method"] for row in result["rows"]] == list(approximations)
    for row in result["rows"]:
        g = approximations[row["method"]].astype(float)
        relative = np.linalg.norm((f - g).reshape(21, -1), axis=1) / np.linalg.norm(f.reshape(21, -1), axis=1)
        assert row["relative_error"] == pytest.approx(relative.mean(), abs=1e-4)
        assert row["median_relative_error"] == pytest.approx(np.median(relative), abs=1e-4)
        centred = np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))
        assert row["centred_error"] == pytest.approx(centred, abs=1e-4)
    n, m = (a.reshape(21, -1).sum(1).astype(float) for a in (X, reconstructions))
    assert result["rows"][-1]["volume_fraction_difference"] == pytest.approx(100 * (abs(n - m) / n).mean())
    assert [row["volume_fraction_difference"] for row in result["rows"][:-1]] == [None, None]
    assert -model.score(X) == pytest.approx(result["rows"][-1]["relative_error"], abs=1e-4)


def test_without_training_data_there_are_no_baselines(trained, streamed):
    progress = []
    result = evaluate_model(
        trained / "m.matvae", trained / "test.zarr", progress=lambda done, total: progress.append((done, total))
    )
    assert [row["method"] for row in result["rows"]] == ["matvae (3)"]
    assert progress[-1] == (21, 21)
    with pytest.raises(InputError, match="needs training structures"):
        evaluate_model(trained / "m.matvae", trained / "test.zarr", n_components=2)


def test_empty_originals_are_counted_and_excluded(trained, tmp_path, caplog):
    X = open_structures(trained / "test.zarr").data.compute()
    X[:2] = 0
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8)))
    with caplog.at_level(logging.WARNING, logger="matvae"):
        result = evaluate_model(trained / "m.matvae", tmp_path / "x.zarr")
    assert result["n_empty"] == 2
    assert np.isfinite(result["rows"][0]["volume_fraction_difference"])
    assert "2 structures consist of phase 0 only" in caplog.text


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


def test_counted_lines_are_compared_with_the_numbers_in_the_store(lined, monkeypatch):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 16 * 16 * 5)
    result = evaluate_model(lined / "m.matvae", lined / "test.zarr")
    model, structures = load(lined / "m.matvae"), open_structures(lined / "test.zarr")
    X = structures.data.compute()
    errors = LineErrors(3)
    numbers = [structures.properties[name] for name in ("n_horizontal", "n_vertical")]
    errors.add(X, model.inverse_transform(model.transform(X)), np.stack(numbers, axis=1))
    assert result["lines"] == errors.summary()
    assert result["lines"]["originals"] == 100.0
    assert result["lines_left_out"] is None


def test_the_reason_for_omitting_lines_is_reported(trained, lined, caplog):
    with caplog.at_level(logging.INFO, logger="matvae"):
        result = evaluate_model(trained / "m.matvae", trained / "test.zarr")
        assert result["lines"] is None
        assert "has no properties n_horizontal and n_vertical" in result["lines_left_out"]
        assert evaluate_model(lined / "m.matvae", lined / "test.zarr", lines=False)["lines"] is None
    assert f"Lines are not counted: {result['lines_left_out']}." in caplog.text
    assert "Lines are not counted: they were not asked for." in caplog.text


def test_lines_that_cannot_be_counted_are_refused_before_any_work(trained):
    with pytest.raises(InputError, match="at least 16 pixels"):
        evaluate_model(trained / "m.matvae", trained / "test.zarr", lines=True)


def test_neighbours_of_structures_are_found_in_the_training_set(trained, streamed):
    progress = []
    result = evaluate_model(
        trained / "m.matvae",
        trained / "test.zarr",
        train=trained / "train.zarr",
        nearest=2,
        progress=lambda done, total: progress.append((done, total)),
    )
    # Of the 21 structures, four blocks of five are compared.
    assert [record["sample"] for record in result["nearest"]] == [*range(10), *range(11, 21)]
    assert result["candidates"] == str(trained / "train.zarr")
    assert progress[-1] == (61, 61)
    assert progress == sorted(progress)
    other = evaluate_model(trained / "m.matvae", trained / "test.zarr", nearest=2, candidates=trained / "train.zarr")
    assert other["nearest"] == result["nearest"]
    assert [row["method"] for row in other["rows"]] == ["matvae (3)"]
    assert evaluate_model(trained / "m.matvae", trained / "test.zarr")["nearest"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nearest": 1}, "Name them with --train, or with --candidates"),
        ({"nearest": -1, "candidates": "train.zarr"}, "nearest must be an integer of at least 0, but -1 was given"),
        ({"candidates": "train.zarr"}, "no neighbours are asked for"),
        ({"nearest": 41, "candidates": "train.zarr"}, "holds 40 structures, but nearest=41"),
    ],
)
def test_an_impossible_search_is_refused_before_any_work(trained, options, message, monkeypatch):
    monkeypatch.chdir(trained)
    with pytest.raises(InputError, match=message):
        evaluate_model("m.matvae", "test.zarr", **options)
