"""Comparison of all methods on the same unseen structures, with the properties that their errors must have."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, TwoPointPCA, load, open_structures, save_structures
from matvae.errors import InputError, MissingExtraError
from matvae.estimator import pca as pca_module
from matvae.jobs import JobInterrupted, compare_methods
from matvae.jobs.compare import compare as comparison
from matvae.jobs.compare.split import random_split

QUICK = {"n_components": (1, 3), "max_epochs": 1}


def noise(n, seed):
    """Independent voxels, each structure with its own volume fraction."""
    rng = np.random.default_rng(seed)
    return (rng.random((n, 8, 8)) < rng.uniform(0.2, 0.8, (n, 1, 1))).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with train.zarr (60 structures), test.zarr (30) and m.matvae (3 components), fitted on train.zarr."""
    path = tmp_path_factory.mktemp("compare")
    for name, n, seed in (("train.zarr", 60, 0), ("test.zarr", 30, 1)):
        X = noise(n, seed)
        columns = {"fraction": X.mean((1, 2)), "nothing": np.random.default_rng(seed).normal(size=n)}
        save_structures(path / name, X, grid=Grid((8, 8)), properties=columns)
    model = StatsVAETransformer(n_components=3, decoder="dense", max_epochs=2, width=16, random_state=0)
    model.fit(open_structures(path / "train.zarr")).save(path / "m.matvae")
    return path


@pytest.fixture(scope="module")
def split(folder):
    return compare_methods(folder / "m.matvae", folder / "train.zarr", held_out=0.4, **QUICK)


@pytest.fixture(scope="module")
def apart(folder):
    return compare_methods(folder / "m.matvae", folder / "test.zarr", train=folder / "train.zarr", **QUICK)


def rows_of(result, method):
    return {row["n_components"]: row for row in result["rows"] if row["method"] == method}


def without_seconds(result):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in result["rows"]]


def test_every_method_has_a_row_at_every_size(split):
    methods = ("PCA", "PCA (lag metric)", "image-space VAE", "matvae")
    order = [("training mean", None), ("volume fraction alone", None), *((m, n) for m in methods for n in (1, 3))]
    assert [(row["method"], row["n_components"]) for row in split["rows"]] == order
    assert (split["n_train"], split["n_test"], split["n_components"]) == (36, 24, [1, 3])
    assert split["properties"] == ["fraction", "nothing"]
    assert split["model_stands_for"] is None
    assert split["settings"]["max_epochs"] == 1
    assert split["settings"]["width"] == 16
    kinds = [(row["decoder"], row["metric"]) for row in split["rows"][2::2]]
    assert kinds == [(None, "plain"), (None, "lags"), ("dense", "plain"), ("dense", "plain")]
    assert (split["decoder"], split["metric"], split["reason"]) == ("dense", "plain", None)
    assert json.loads(json.dumps(split, allow_nan=False)) == split


def test_errors_and_linkages_have_their_known_properties(split, apart):
    for result in (split, apart):
        (mean,) = rows_of(result, "training mean").values()
        # The unit of errors by lag is that of the training mean itself.
        assert [errors["centred"] for errors in mean["lags"].values()] == [1.0, 1.0, 1.0]
        (fractions,) = rows_of(result, "volume fraction alone").values()
        assert fractions["r2"]["fraction"]["polynomial"] > 0.999
        assert fractions["lags"] is fractions["centred_error"] is None
        assert mean["centred_error"] == pytest.approx(1.0, abs=0.1)
        assert mean["r2"]["fraction"]["polynomial"] == pytest.approx(0.0, abs=0.15)
        pca = rows_of(result, "PCA")
        assert pca[3]["centred_error"] < pca[1]["centred_error"] < mean["centred_error"]
        # The statistics of such structures contain hardly more than the volume fraction.
        assert pca[1]["r2"]["fraction"]["polynomial"] > 0.99
        assert pca[1]["r2"]["fraction"]["gaussian_process"] > 0.99
        for row in result["rows"]:
            assert row["r2"]["nothing"]["polynomial"] < 0.2
            assert row["r2"]["nothing"]["gaussian_process"] < 0.2
        for method in ("image-space VAE", "matvae"):
            for row in rows_of(result, method).values():
                assert row["structure_centred_error"] > 0
                assert row["volume_fraction_difference"] > 0
                assert row["seconds"] > 0


def test_pca_is_fitted_on_one_part_and_measured_on_the_other(folder, split):
    training, test = random_split(open_structures(folder / "train.zarr"), 0.4, seed=0)
    X, unseen = training.data.compute(), test.data.compute()
    pca = TwoPointPCA(3, phases=2).fit(X)
    f = pca.statistics(unseen).astype(float)
    g = pca.inverse_statistics(pca.transform(unseen)).reshape(f.shape)
    expected = np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))
    assert rows_of(split, "PCA")[3]["centred_error"] == pytest.approx(expected, abs=1e-4)


def test_the_seed_determines_the_table(folder, split):
    options = {"held_out": 0.4, "n_components": 1, "max_epochs": 1}
    again = compare_methods(folder / "m.matvae", folder / "train.zarr", **options)
    expected = [row for row in without_seconds(split) if row["n_components"] != 3]
    assert without_seconds(again) == expected
    other = compare_methods(folder / "m.matvae", folder / "train.zarr", seed=1, property="fraction", **options)
    pairs = [(a["centred_error"], b["centred_error"]) for a, b in zip(other["rows"], expected, strict=True)]
    assert all(a != b for a, b in pairs if a is not None)
    assert len([a for a, _ in pairs if a is None]) == 1


def test_the_given_model_is_measured_if_its_training_structures_are_named(folder, apart, caplog):
    assert (apart["n_train"], apart["n_test"], apart["model_stands_for"]) == (60, 30, 3)
    model, X = load(folder / "m.matvae"), open_structures(folder / "test.zarr").data.compute()
    own = rows_of(apart, "matvae")[3]
    assert own["structure_relative_error"] == pytest.approx(-model.score(X), abs=1e-5)
    assert own["seconds"] == model.history_[-1]["seconds"]
    assert (apart["settings"]["max_epochs"], apart["settings"]["loss"]) == (1, "relative")
    with caplog.at_level("INFO", logger="matvae"):
        refitted = compare_methods(
            folder / "m.matvae", folder / "test.zarr", train=folder / "train.zarr", n_components=2, max_epochs=1
        )
    assert refitted["model_stands_for"] is None
    assert "The model has 3 components" in caplog.text
    assert "Fitting matvae with 2 components (4 of 4)" in caplog.text


def test_measuring_on_training_structures_gives_a_warning(folder, caplog):
    data = folder / "test.zarr"
    compare_methods(folder / "m.matvae", data, train=data, n_components=1, max_epochs=1, property="fraction")
    assert "errors on unseen structures are larger" in caplog.text


def test_properties_can_be_chosen_or_absent(folder, tmp_path):
    selected = compare_methods(
        folder / "m.matvae", folder / "test.zarr", property="fraction", n_components=1, max_epochs=1
    )
    assert selected["properties"] == ["fraction"]
    assert set(selected["rows"][-1]["r2"]) == {"fraction"}
    save_structures(tmp_path / "bare.zarr", noise(12, 0), grid=Grid((8, 8)))
    bare = compare_methods(folder / "m.matvae", tmp_path / "bare.zarr", n_components=1, max_epochs=1)
    assert bare["properties"] == []
    assert bare["rows"][-1]["r2"] == {}
    assert bare["n_gaussian_process"] is None


def test_a_gaussian_process_on_part_of_the_structures_is_reported(folder, monkeypatch, caplog):
    monkeypatch.setattr(comparison.linkage, "GAUSSIAN_PROCESS_SAMPLES", 10)
    with caplog.at_level("INFO", logger="matvae"):
        result = compare_methods(folder / "m.matvae", folder / "test.zarr", n_components=1, max_epochs=1)
    assert result["n_gaussian_process"] == 10
    assert "fitted on 10 of the 24 training structures" in caplog.text


def test_progress_is_reported_through_all_fits(folder):
    progress, records = [], []
    compare_methods(
        folder / "m.matvae",
        folder / "test.zarr",
        n_components=1,
        max_epochs=2,
        progress=lambda done, total: progress.append(done / total),
        on_record=records.append,
    )
    assert progress == pytest.approx([1 / 4, 1 / 2, 5 / 8, 3 / 4, 3 / 4, 7 / 8, 1, 1], abs=1e-3)
    assert [record["epoch"] for record in records] == [1, 2, 1, 2]


def test_bad_input_is_refused_before_any_fit(folder, tmp_path, monkeypatch):
    def explode(*args, **kwargs):
        raise AssertionError("A model was fitted.")

    monkeypatch.setattr(pca_module.TwoPointPCA, "fit", explode)
    monkeypatch.setattr(StatsVAETransformer, "fit", explode)
    model, data = folder / "m.matvae", folder / "test.zarr"
    for wrong, message in [
        ({"n_components": (1, 40)}, "at most 24 components of 24 training structures"),
        ({"n_components": ()}, "one or more integers of at least 1, but none were given"),
        ({"n_components": 0}, "n_components must be an integer of at least 1, but 0 was given"),
        ({"n_components": 2.5}, "n_components must be an integer of at least 1, but 2.5 was given"),
        ({"n_components": (1, "2")}, "n_components must be an integer of at least 1, but '2' was given"),
        ({"property": "fractions"}, "Did you mean 'fraction'"),
        ({"held_out": 1.5}, "between 0 and 1"),
        ({"held_out": 0.01}, "at least 3 and 2 are needed"),
        ({"held_out": 0.3, "train": folder / "train.zarr"}, "either held_out or train"),
        ({"max_epochs": 0}, "max_epochs must be an integer of at least 1"),
        ({"max_time": -1.0}, "max_time must be a number above 0"),
        ({"figure": tmp_path / "a.doc"}, "Choose one of these endings"),
    ]:
        with pytest.raises(InputError, match=message):
            compare_methods(model, data, **{"n_components": 1, **wrong})
    X = noise(12, 0)
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8)), properties={"k": np.full(12, np.nan)})
    with pytest.raises(InputError, match="'k' is NaN or infinite"):
        compare_methods(model, tmp_path / "x.zarr", n_components=1)
    save_structures(tmp_path / "y.zarr", np.repeat(X, 2, axis=1), grid=Grid((16, 8)))
    with pytest.raises(InputError, match="8 x 8 voxels, but those"):
        compare_methods(model, tmp_path / "y.zarr", n_components=1)


def test_a_figure_is_drawn_and_failures_leave_no_file(folder, tmp_path, monkeypatch):
    model, data, out = folder / "m.matvae", folder / "test.zarr", tmp_path / "a.png"
    result = compare_methods(model, data, n_components=1, max_epochs=1, figure=out)
    assert result["figure"] == str(out)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert os.listdir(tmp_path) == ["a.png"]
    with pytest.raises(InputError, match="exists already"):
        compare_methods(model, data, figure=out)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="matplotlib"):
        compare_methods(model, data, figure=tmp_path / "b.png")


def test_the_job_is_public():
    from matvae import jobs

    assert callable(jobs.compare_methods)
    assert "compare_methods" in jobs.__all__


@contextmanager
def interrupted_after(most):
    """Interrupts a comparison when it measures another method after so many."""
    measured, real = [], comparison._rows

    def rows(entry, *given, **options):
        if len(measured) == most:
            raise KeyboardInterrupt
        measured.append(entry)
        return real(entry, *given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "_rows", rows)
        with pytest.raises(KeyboardInterrupt) as stopped:
            yield stopped


@pytest.mark.parametrize("most", [1, 3, 5, 7])
def test_an_interrupted_comparison_continues_and_gives_the_same_table(
    folder, split, tmp_path, monkeypatch, caplog, most
):
    monkeypatch.chdir(tmp_path)
    options = {"held_out": 0.4, "resume": True, **QUICK}
    with interrupted_after(most) as stopped:
        compare_methods(folder / "m.matvae", folder / "train.zarr", **options)
    assert stopped.type is JobInterrupted
    assert ".m-train.compare.resume. Continue with the same command and --resume" in str(stopped.value)
    assert os.listdir(tmp_path) == [".m-train.compare.resume"]
    with pytest.raises(InputError, match="has done with seed=0 instead of 1, other training structures, other held"):
        compare_methods(folder / "m.matvae", folder / "train.zarr", seed=1, **options)
    fitted = []
    real = comparison._fitted
    monkeypatch.setattr(comparison, "_fitted", lambda *given: fitted.append(given[0].method) or real(*given))
    with caplog.at_level("INFO", "matvae"):
        result = compare_methods(folder / "m.matvae", folder / "train.zarr", **options)
    assert without_seconds(result) == without_seconds(split)
    assert {**result, "rows": None} == {**split, "rows": None}
    assert len(fitted) == 8 - most
    assert "Reusing PCA with 1 component (1 of 8)." in caplog.text
    assert os.listdir(tmp_path) == []


def test_a_comparison_with_a_figure_keeps_its_rows_beside_it(folder, tmp_path):
    pytest.importorskip("matplotlib")
    given, options = (folder / "m.matvae", folder / "train.zarr"), {"n_components": 1, "max_epochs": 1}
    figure = tmp_path / "c.png"
    with interrupted_after(3):
        compare_methods(*given, figure=figure, resume=True, **options)
    assert os.listdir(tmp_path) == [".c.png.resume"]
    # It was killed after the figure was written, and before it removed what it had kept.
    figure.write_text("of this run")
    compare_methods(*given, figure=figure, resume=True, **options)
    assert os.listdir(tmp_path) == ["c.png"]
    with pytest.raises(InputError, match="exists already"):
        compare_methods(*given, figure=figure, resume=True, **options)


def test_without_resume_a_comparison_keeps_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with interrupted_after(2) as stopped:
        compare_methods(folder / "m.matvae", folder / "train.zarr", **QUICK)
    assert stopped.type is KeyboardInterrupt
    assert os.listdir(tmp_path) == []
