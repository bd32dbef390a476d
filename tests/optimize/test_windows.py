"""Training windows are those of the model, and costly properties are measured where the constraints are met."""

from __future__ import annotations

import numpy as np

from matvae import StatsVAETransformer, Structures
from matvae.optimize import Measured, maximize, reach
from matvae.optimize.geometry import SpecificSurface
from matvae.optimize.goal import between
from matvae.optimize.task import Task
from matvae.optimize.windows import TrainingWindows

from ..structures import one_hot


class Costly(SpecificSurface):
    """Specific surface without a gradient, undefined for dilute structures."""

    name = "costly"
    differentiable = False

    def measure(self, structures, grid):
        values = super().measure(structures, grid).values
        return Measured.of(np.where(structures.mean((1, 2)) < 0.45, np.nan, values), "It is too dilute.")


def test_windows_are_carried_or_given(texture_model, model, windows, training):
    carried = TrainingWindows.of(texture_model)
    np.testing.assert_array_equal(carried.structures, texture_model.module_.statistics_decoder.examples)
    assert {window.tobytes() for window in carried.structures} <= {window.tobytes() for window in windows}
    np.testing.assert_allclose(carried.latents, texture_model.transform(carried.structures), atol=1e-4)
    assert TrainingWindows.of(model) is None
    given = TrainingWindows.of(model, training)
    np.testing.assert_array_equal(given.structures, training)
    np.testing.assert_array_equal(given.latents, model.transform(training))


def test_windows_partly_outside_a_mask_are_left_out(model, training):
    mask = np.ones(training.shape, bool)
    mask[::3, 0, 0] = False
    masked = Structures(training, model.grid_, mask=mask)
    np.testing.assert_array_equal(TrainingWindows.of(model, masked).structures, training[mask.all((1, 2))])
    mask[:, 0, 0] = False
    assert TrainingWindows.of(model, Structures(training, model.grid_, mask=mask)) is None


def test_windows_of_discretised_structures_are_labels(training):
    X = one_hot(training, 2)
    model = StatsVAETransformer(
        n_components=2, decoder="dense", state_axis=-1, max_epochs=1, width=8, random_state=0
    ).fit(X)
    np.testing.assert_array_equal(TrainingWindows.of(model, X).structures, training)


def test_many_windows_are_thinned_out(model, training, monkeypatch):
    monkeypatch.setattr("matvae.optimize.windows.MOST_WINDOWS", 4)
    np.testing.assert_array_equal(TrainingWindows.of(model, training).structures, training[[0, 40, 79, 119]])


def test_best_windows_are_those_of_least_cost(texture_model, windows):
    task = Task.of([maximize("specific_surface")], [between("volume_fraction", 0.45, 0.55)])
    measured = TrainingWindows.of(texture_model, windows).measured(task, texture_model.grid_, 10)
    fractions, surfaces = measured.values.T
    np.testing.assert_allclose(fractions, windows.mean((1, 2)))
    meets = (fractions >= 0.45) & (fractions <= 0.55)
    np.testing.assert_array_equal(measured.meeting(task)[:, 1], surfaces[meets])
    Z = texture_model.transform(windows)
    best = measured.best(task.scaled_by(measured.values), 3).numpy()
    assert {z.tobytes() for z in best} <= {z.tobytes() for z in Z[meets]}
    unconstrained = Task.of([maximize("specific_surface")], [])
    measured = TrainingWindows.of(texture_model, windows).measured(unconstrained, texture_model.grid_, 10)
    order = np.argsort(-surfaces, kind="stable")
    np.testing.assert_array_equal(measured.best(unconstrained.scaled_by(measured.values), 3), Z[order[:3]])


def test_costly_properties_are_measured_where_constraints_are_met(texture_model):
    task = Task.of([maximize(Costly())], [between("volume_fraction", 0.45, 0.55)])
    known, batches = TrainingWindows.of(texture_model), []
    measured = known.measured(task, texture_model.grid_, 20, on_batch=lambda *batch: batches.append(batch))
    assert len(measured) == 20
    assert (measured.values[:, 0] >= 0.45).all()
    assert len(measured.meeting(task)) == 20
    assert [len(latents) for latents, _ in batches] == [16, 4]
    # With all windows, those that violate the constraint least come first, and undefined values keep their reason.
    everything = known.measured(task, texture_model.grid_, 10_000)
    assert len(everything) == len(known.latents)
    assert set(everything.reasons) == {"costly: It is too dilute."}


def test_measurements_are_resumed(texture_model):
    task = Task.of([reach(Costly(), 0.2)], [between("volume_fraction", 0.45, 0.55)])
    known, batches = TrainingWindows.of(texture_model), []
    first = known.measured(task, texture_model.grid_, 20, on_batch=lambda *batch: batches.append(batch))
    again = []
    second = known.measured(
        task, texture_model.grid_, 20, evaluated=batches[0], on_batch=lambda *batch: again.append(batch)
    )
    np.testing.assert_array_equal(first.values, second.values)
    assert [len(latents) for latents, _ in again] == [4]
