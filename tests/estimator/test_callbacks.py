"""scikit-learn's callbacks: order of the hooks, one task per epoch, stopping, and teardown after errors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.callback import ProgressBar

from matvae import StatsVAETransformer
from matvae.errors import InputError
from matvae.estimator.callbacks import EpochTasks


class Recorder:
    """Callback that records every hook and requests a stop after `stop_after` epochs."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[tuple[str, str, int]] = []
        self.records: list[dict] = []
        self.stop_after = stop_after

    def setup(self, estimator, context) -> None:
        self.events.append(("setup", context.task_name, 0))

    def on_fit_task_begin(self, estimator, context, *, X=None) -> None:
        assert X is not None
        self.events.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, metadata=None) -> bool:
        self.events.append(("end", context.task_name, context.task_id))
        if metadata is not None:
            self.records.append(metadata)
        return self.stop_after is not None and len(self.records) >= self.stop_after

    def teardown(self, estimator, context) -> None:
        self.events.append(("teardown", context.task_name, 0))


def test_hooks_are_called_in_order_with_one_task_per_epoch(X, tiny) -> None:
    recorder = Recorder()
    model = tiny(max_epochs=2).set_callbacks(recorder).fit(X)
    assert recorder.events == [
        ("setup", "fit", 0),
        ("begin", "fit", 0),
        ("begin", "epoch", 0),
        ("end", "epoch", 0),
        ("begin", "epoch", 1),
        ("end", "epoch", 1),
        ("end", "fit", 0),
        ("teardown", "fit", 0),
    ]
    assert recorder.records == model.history_


def test_a_callback_can_stop_the_training(X, tiny) -> None:
    recorder = Recorder(stop_after=2)
    model = tiny(max_epochs=6).set_callbacks(recorder).fit(X)
    assert model.n_iter_ == 2
    assert recorder.events[-1] == ("teardown", "fit", 0)


def test_callbacks_are_torn_down_after_an_error(X, tiny) -> None:
    def fails(record: dict) -> None:
        raise RuntimeError("from the user's own function")

    recorder = Recorder()
    model = tiny(verbose=fails).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="user's own"):
        model.fit(X)
    assert recorder.events[-1] == ("teardown", "fit", 0)
    assert set(vars(model)) - set(vars(tiny())) == {"_skl_callbacks"}
    recorder.events.clear()
    model.verbose = False
    assert model.fit(X).n_iter_ == 2
    assert recorder.events[-1] == ("teardown", "fit", 0)


def test_bad_data_is_refused_before_any_callback_is_set_up(X, tiny) -> None:
    recorder = Recorder()
    with pytest.raises(InputError):
        tiny(phases=2).set_callbacks(recorder).fit(X + 2)
    assert recorder.events == []


@pytest.mark.parametrize("limit", [{"max_epochs": 2}, {"max_epochs": None, "max_time": 0.2}])
def test_the_progress_bar_of_scikit_learn_works(X, tiny, limit: dict, capsys) -> None:
    model = tiny(**limit).set_callbacks(ProgressBar()).fit(X)
    assert "StatsVAETransformer - fit" in capsys.readouterr().out
    assert model.n_iter_ >= 1


class Scores:
    """Callback that requests the estimator as if the fit had ended with this epoch."""

    def __init__(self) -> None:
        self.scores: list[float] = []

    def setup(self, estimator, context) -> None:
        pass

    def on_fit_task_begin(self, estimator, context) -> None:
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None) -> None:
        assert fitted_estimator is not estimator
        assert not fitted_estimator.module_.training
        self.scores.append(fitted_estimator.score(X))

    def teardown(self, estimator, context) -> None:
        pass


def test_callbacks_can_request_a_fitted_estimator(X, tiny, fitted) -> None:
    scores = Scores()
    model = tiny(validation_fraction=0.0).set_callbacks(scores).fit(X)
    assert len(scores.scores) == 3
    assert scores.scores[0] != scores.scores[1]
    # Without held-out samples the last weights are kept.
    assert scores.scores[1] == scores.scores[2] == model.score(X)
    np.testing.assert_array_equal(tiny().set_callbacks(Scores()).fit(X).transform(X), fitted.transform(X))


def test_a_closed_form_fit_has_one_task_per_round_each_with_a_fitted_model(make_blobs) -> None:
    structures = make_blobs(80, (12, 12))
    recorder, scores = Recorder(), Scores()
    model = StatsVAETransformer(2, decoder="statistics", random_state=0).set_callbacks(recorder, scores)
    model.fit(structures)
    tasks = [(name, number) for event, name, number in recorder.events if event == "begin"]
    assert tasks == [("fit", 0), *(("epoch", number) for number in range(len(model.history_)))]
    assert recorder.records == model.history_
    assert len(scores.scores) == len(model.history_) + 1
    assert scores.scores[0] != scores.scores[-1] == model.score(structures)


def test_a_closed_form_fit_that_is_stopped_is_a_complete_model(make_blobs) -> None:
    structures = make_blobs(80, (12, 12))
    stopped = StatsVAETransformer(2, decoder="statistics", random_state=0).set_callbacks(Recorder(stop_after=3))
    assert stopped.fit(structures).n_iter_ == 3
    z = stopped.transform(structures[:2])
    assert stopped.inverse_transform(z, random_state=0).shape == (2, 12, 12)


def test_without_callback_support_nothing_happens() -> None:
    tasks = EpochTasks(object(), 3, None, dict)
    tasks.begin()
    assert tasks.end({"epoch": 1.0}) is False
    tasks.close()
