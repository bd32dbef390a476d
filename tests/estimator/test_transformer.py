"""Fitting: the checks of scikit-learn, reproducibility, continuing, stopping and resuming."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from matvae import StatsVAETransformer
from matvae.errors import InputError, MatvaeError

CHECKS = """
import torch
from sklearn.utils.estimator_checks import check_estimator
from matvae import StatsVAETransformer, TwoPointPCA
torch.set_num_threads(1)
for estimator in ({estimators}):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 40, len(results)
    wrong = [(r["check_name"], r["status"], repr(r["exception"])) for r in results if r["status"] != "passed"]
    assert not wrong, wrong
"""


def test_estimators_pass_the_checks_of_scikit_learn() -> None:
    run_checks("StatsVAETransformer(max_epochs=2, random_state=0), TwoPointPCA(2)")


@pytest.mark.slow
def test_estimators_with_defaults_pass_the_checks_of_scikit_learn() -> None:
    run_checks("StatsVAETransformer(), TwoPointPCA()")


def run_checks(estimators: str) -> None:
    # SCIPY_ARRAY_API must be set before scipy is imported; without it one check is skipped.
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECKS.format(estimators=estimators)],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]


def weights(model: StatsVAETransformer) -> np.ndarray:
    return torch.cat([p.detach().flatten() for p in model.module_.parameters()]).numpy()


def untimed(history: list) -> list:
    return [{k: v for k, v in record.items() if k != "seconds"} for record in history]


def test_results_are_reproducible_and_depend_on_the_seed(X, tiny, fitted) -> None:
    again, other = tiny().fit(X), tiny(random_state=1).fit(X)
    np.testing.assert_array_equal(weights(again), weights(fitted))
    assert untimed(again.history_) == untimed(fitted.history_)
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    assert not np.allclose(other.transform(X), fitted.transform(X))


def test_the_global_random_state_is_unchanged(X, tiny) -> None:
    np.random.seed(5)
    torch.manual_seed(5)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    model = tiny(random_state=3).fit(X)
    model.partial_fit(X)
    model.inverse_transform(model.transform(X), n_realizations=2, random_state=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


def test_fit_sets_the_documented_attributes(X, fitted) -> None:
    assert fitted.grid_.shape == (8, 8)
    assert fitted.grid_.phases == 2
    assert fitted.n_features_in_ == 64
    assert fitted.n_iter_ == len(fitted.history_) == 2
    assert [record["epoch"] for record in fitted.history_] == [1, 2]
    assert {"loss", "statistics_loss", "kl", "validation_error", "learning_rate"} <= set(fitted.history_[0])
    assert fitted.latent_spread_.shape == (2,)
    assert (fitted.latent_spread_ > 0).all()
    assert not fitted.module_.training


def test_training_lowers_the_error(make_blobs, tiny) -> None:
    X = make_blobs(60)
    short, long = tiny(max_epochs=1).fit(X), tiny(max_epochs=40, width=64, learning_rate=3e-3).fit(X)
    assert long.score(X) > short.score(X)


def test_fit_transform_equals_fit_then_transform(X, tiny, fitted) -> None:
    np.testing.assert_array_equal(tiny().fit_transform(X), fitted.transform(X))


def test_clone_copies_the_parameters_and_nothing_else(fitted) -> None:
    copied = clone(fitted)
    assert copied.get_params() == fitted.get_params()
    assert not hasattr(copied, "module_")


def test_models_can_be_pickled_before_and_after_fit_and_partial_fit(X, tiny, fitted) -> None:
    fresh = pickle.loads(pickle.dumps(tiny())).fit(X)
    np.testing.assert_array_equal(fresh.transform(X), fitted.transform(X))
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))
    part = tiny().partial_fit(X)
    loaded = pickle.loads(pickle.dumps(part))
    np.testing.assert_array_equal(loaded.transform(X), part.transform(X))
    assert loaded.partial_fit(X).n_iter_ == 2


@pytest.mark.parametrize("kind", ["numpy", "dask"])
def test_pipelines_and_grid_searches_work(X, lazy, tiny, kind: str) -> None:
    data = X if kind == "numpy" else lazy
    y = X.mean((1, 2))
    pipeline = make_pipeline(tiny(), StandardScaler(), Ridge()).fit(data, y)
    assert pipeline.predict(data).shape == (40,)
    search = GridSearchCV(tiny(max_epochs=1), {"n_components": [1, 3]}, cv=2).fit(data)
    assert search.best_params_["n_components"] in (1, 3)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert (search.cv_results_["mean_test_score"] < 0).all()
    both = GridSearchCV(pipeline, {"statsvaetransformer__n_components": [1, 2]}, cv=2).fit(data, y)
    assert np.isfinite(both.cv_results_["mean_test_score"]).all()


def test_grid_search_scores_of_dask_and_numpy_agree(X, lazy, tiny) -> None:
    # Dask arrays are shuffled by blocks and numpy arrays by samples, so the scores agree only approximately.
    scores = [
        GridSearchCV(tiny(max_epochs=1, validation_fraction=0.0), {"n_components": [2]}, cv=2)
        .fit(data)
        .cv_results_["split0_test_score"]
        for data in (X, lazy)
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=0.2)


def test_set_output_gives_data_frames(X, tiny) -> None:
    model = tiny().set_output(transform="pandas").fit(X)
    frame = model.transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(model.get_feature_names_out())
    assert list(frame.columns) == ["latent_0", "latent_1"]
    assert model.inverse_transform(frame).shape == X.shape


def test_warm_start_continues_and_leaves_the_old_module_unchanged(X, tiny) -> None:
    model = tiny(warm_start=True).fit(X)
    old, before = model.module_, weights(model)
    model.fit(X)
    assert not np.allclose(weights(model), before)
    assert torch.equal(torch.cat([p.flatten() for p in old.parameters()]), torch.from_numpy(before))
    cold = tiny().fit(X)
    assert not np.allclose(weights(model), weights(cold))
    with pytest.raises(InputError, match="cannot continue with other sizes"):
        model.set_params(n_components=3).fit(X)


def test_partial_fit_counts_passes_and_learns(X, tiny) -> None:
    model = tiny().partial_fit(X)
    before = weights(model)
    model.partial_fit(X[:10]).partial_fit(X[:1])
    assert model.n_iter_ == len(model.history_) == 3
    assert not np.array_equal(weights(model), before)
    assert np.isfinite(model.transform(X)).all()


def test_partial_fit_continues_from_the_latest_fit(X, tiny) -> None:
    model = tiny(learning_rate=1e-12).partial_fit(X).fit(X)
    fresh = weights(model)
    model.partial_fit(X)
    np.testing.assert_allclose(weights(model), fresh, atol=1e-6)
    assert model.n_iter_ == 3
    other = tiny(learning_rate=1e-12, random_state=1).fit(X)
    other.random_state = 0
    start = weights(other)
    np.testing.assert_allclose(weights(other.partial_fit(X)), start, atol=1e-6)


def test_partial_fit_refuses_other_samples(X, tiny) -> None:
    model = tiny().partial_fit(X)
    with pytest.raises(InputError, match="Samples of shape \\(8, 8\\) are expected"):
        model.partial_fit(X[:, :4])
    with pytest.raises(InputError, match="labels from 0 to 7"):
        model.partial_fit(X * 7)
    assert model.n_iter_ == 1


class Interrupt:
    """Function for `verbose` that raises KeyboardInterrupt after the given epoch."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, record: dict) -> None:
        if record["epoch"] == self.after:
            raise KeyboardInterrupt


def test_an_interrupted_fit_resumes_from_its_checkpoint(X, tiny, tmp_path) -> None:
    whole = tiny(max_epochs=4).fit(X)
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        tiny(max_epochs=4, checkpoint=path, verbose=Interrupt(2)).fit(X)
    assert path.is_file()
    seen: list = []
    resumed = tiny(max_epochs=4, checkpoint=path, verbose=seen.append).fit(X)
    assert [record["epoch"] for record in seen] == [3, 4]
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert untimed(resumed.history_) == untimed(whole.history_)


def test_a_fit_without_a_seed_resumes_from_its_checkpoint(X, lazy, tiny, tmp_path) -> None:
    path = tmp_path / "state.pt"
    parameters = {"max_epochs": 3, "random_state": None}
    with pytest.raises(KeyboardInterrupt):
        tiny(**parameters, checkpoint=path, verbose=Interrupt(1)).fit(lazy)
    resumed = tiny(**parameters, checkpoint=path).fit(lazy)
    np.testing.assert_array_equal(weights(resumed), weights(tiny(max_epochs=3).fit(lazy)))


def test_a_checkpoint_of_another_training_is_refused(X, tiny, tmp_path) -> None:
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        tiny(checkpoint=path, verbose=Interrupt(1)).fit(X)
    for model, data in ((tiny(checkpoint=path), 1 - X), (tiny(checkpoint=path, beta=1.0), X)):
        with pytest.raises(InputError, match="other data or with other parameters"):
            model.fit(data)
        assert not hasattr(model, "module_")
        assert not hasattr(model, "n_features_in_")


def test_verbose_prints_one_line_per_epoch(X, tiny, capsys) -> None:
    tiny(verbose=True).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch    1   50%")
    assert "held-out error" in lines[1]


def test_a_time_limit_ends_the_training(X, tiny) -> None:
    model = tiny(max_epochs=None, max_time=0.2, patience=None).fit(X)
    assert model.history_[-1]["progress"] == 1.0


def test_all_samples_can_be_trained_on(X, tiny) -> None:
    model = tiny(validation_fraction=0.0).fit(X)
    assert "validation_error" not in model.history_[-1]
    assert np.isfinite(model.transform(X)).all()


def state_of(model: StatsVAETransformer) -> dict:
    return {name: value for name, value in vars(model).items() if name != "module_"}


@pytest.mark.parametrize("fault", ["nan", "labels", "parameter", "correlations", "cutoff"])
def test_a_failed_fit_leaves_the_estimator_unchanged(X, tiny, fault: str) -> None:
    model = tiny(phases=2).fit(X)
    Z = model.transform(X)
    bad = {
        "nan": np.full((5, 6, 6), np.nan),
        "labels": np.full((5, 6, 6), 3, dtype=np.uint8),
        "parameter": X,
        "correlations": X[:, :4],
        "cutoff": X[:, :4],
    }[fault]
    changes = {
        "parameter": {"beta": -1},
        "correlations": {"correlations": [(0, 5)]},
        "cutoff": {"cutoff": 99},
    }
    model.set_params(**changes.get(fault, {}))
    before = state_of(model)
    with pytest.raises(InputError):
        model.fit(bad)
    with pytest.raises(InputError):
        model.partial_fit(bad)
    assert state_of(model) == before
    np.testing.assert_array_equal(model.transform(X), Z)
    new = clone(model)
    with pytest.raises(InputError):
        new.fit(bad)
    assert set(vars(new)) == set(vars(clone(model)))


def test_an_interrupted_fit_keeps_the_earlier_one(X, tiny) -> None:
    model = tiny(warm_start=True).fit(X)
    Z = model.transform(X)
    model.verbose = Interrupt(1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    np.testing.assert_array_equal(model.transform(X), Z)
    assert model.n_iter_ == 2


def test_the_error_of_a_diverging_training_suggests_a_lower_learning_rate(tiny) -> None:
    X = np.random.default_rng(0).normal(size=(20, 6, 6)).astype(np.float32)
    with pytest.raises(MatvaeError, match="Lower learning_rate"):
        tiny(learning_rate=1e30).fit(X)


def test_a_large_array_is_streamed_and_never_held_in_memory(monkeypatch, make_blobs, tiny) -> None:
    monkeypatch.setattr("matvae.estimator.batches.BUFFER_BYTES", 2048)
    X = make_blobs(64)
    reads: list[int] = []

    def counted(block: np.ndarray) -> np.ndarray:
        reads.append(len(block))
        return block

    lazy = da.from_array(X, chunks=(8, 8, 8)).map_blocks(counted, dtype=X.dtype, meta=X[:0])
    tiny(phases=2, max_epochs=3).fit(lazy)
    assert max(reads) == 8
    # Eight blocks are read once to check them and once per epoch, that between the two buffers of an epoch twice.
    assert len(reads) == 8 * (1 + 3) + 3


def test_deepcopy_is_independent(X, tiny) -> None:
    model = tiny().fit(X)
    other = copy.deepcopy(model)
    model.partial_fit(X)
    assert other.n_iter_ == 2
