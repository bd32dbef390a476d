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


def test_errors_at_short_lags_are_relative_to_the_training_mean(trained):
    result = evaluate_model(trained / "m.matvae", trained / "test.zarr", train=trained / "train.zarr", n_realized=0)
    mean, pca, own = result["rows"]
    assert {errors["centred"] for errors in mean["decoded"].values()} == {1.0}
    assert list(own["realized"]) == list(pca["decoded"]) == ["all", "1", "2"]
    model = load(trained / "m.matvae")
    train, X = (open_structures(trained / name).data.compute() for name in ("train.zarr", "test.zarr"))
    f, g = (model.statistics(x).reshape(21, -1) for x in (X, model.inverse_transform(model.transform(X))))
    unit = np.linalg.norm(f - model.statistics(train).mean(0).ravel(), axis=1)
    expected = np.median(np.linalg.norm(f - g, axis=1) / unit)
    assert own["realized"]["all"]["centred"] == pytest.approx(expected, rel=1e-3)
    assert result["generated"] is None
    assert "no structures were to be realized" in result["generated_left_out"]


def test_realizations_are_compared_as_a_set_by_the_names_of_the_phases(trained, tmp_path):
    X = open_structures(trained / "test.zarr").data.compute()
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8)), attributes={"phase_names": ["solid", "pore"]})
    result = evaluate_model(trained / "m.matvae", tmp_path / "x.zarr", train=trained / "train.zarr", n_realized=5)
    generated = result["generated"]
    assert (result["n_realized"], generated["n_generated"], generated["n_true"], generated["n_other"]) == (5, 5, 5, 5)
    assert (result["decodes"], result["decoder"], generated["method"]) == ("structures", "dense", "decoder")
    solid, pore = generated["phases"]
    assert (solid["name"], pore["name"]) == ("solid", "pore")
    model, chosen = load(trained / "m.matvae"), X[[0, 5, 10, 15, 20]]
    difference = (model.inverse_transform(model.transform(chosen)).mean((1, 2))) - chosen.mean((1, 2))
    assert pore["volume_fraction_bias"] == pytest.approx(difference.mean(), abs=1e-6)
    assert pore["largest_volume_fraction_difference"] == pytest.approx(abs(difference).max(), abs=1e-6)
    assert "of solid" in generated["verdict"] or "of pore" in generated["verdict"]


def test_a_model_of_statistics_is_measured_decoded_and_realized(lined):
    progress = []
    model = lined / "s.matvae"
    StatsVAETransformer(n_components=2, decoder="statistics").fit(open_structures(lined / "train.zarr")).save(model)
    result = evaluate_model(
        model,
        lined / "test.zarr",
        train=lined / "train.zarr",
        n_realized=3,
        lines=False,
        progress=lambda done, total: progress.append((done, total)),
    )
    assert (result["decodes"], result["metric"], result["n_samples"], result["n_realized"]) == (
        "statistics",
        "lags",
        12,
        3,
    )
    # Twelve structures are decoded, and three are realized in four ways.
    assert progress[-1] == (24, 24)
    assert progress == sorted(progress)
    assert [(row["method"], row["realize"]) for row in result["rows"]] == [
        ("training mean", None),
        ("PCA (2), plain metric", "retrieval"),
        ("PCA (2), lag metric", "retrieval"),
        ("matvae (2), lag metric", "retrieval"),
        ("matvae (2), lag metric", "examples"),
        ("another true window", None),
    ]
    estimator, X = load(model), open_structures(lined / "test.zarr").data.compute()
    f = estimator.statistics(X).reshape(12, -1)
    g = estimator.inverse_statistics(estimator.transform(X)).reshape(12, -1)
    relative = np.median(np.linalg.norm(f - g, axis=1) / np.linalg.norm(f, axis=1))
    assert result["rows"][3]["decoded"]["all"]["relative"] == pytest.approx(relative, rel=1e-4)
    assert result["generated"]["method"] == "examples"
    assert result["summary"].startswith("Beside the better of two PCAs with 2 components")
    # Without training structures there is no PCA, but the windows that the model carries are another true region.
    alone = evaluate_model(model, lined / "test.zarr", n_realized=3, lines=False)
    assert [row["n_components"] for row in alone["rows"]] == [None, 2, 2, None]
    assert alone["generated"]["other_true"] == "windows that the model carries as examples"


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
        assert "Lines" not in caplog.text  # Of a texture nobody expects them.
        assert evaluate_model(lined / "m.matvae", lined / "test.zarr", lines=False)["lines"] is None
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
