"""Candidates meet their goals and constraints, or state why they do not."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import StatsVAETransformer
from matvae.errors import InputError
from matvae.evaluate.resemblance import agreement
from matvae.optimize import Measured, between, maximize, minimize, optimize_latents, reach
from matvae.optimize.geometry import SpecificSurface, VolumeFraction
from matvae.optimize.statistics import StatisticsError

QUICK = {"n_candidates": 3, "n_starts": 8, "max_iter": 30, "random_state": 0}


def test_mean_over_realizations_reaches_the_target(model, training):
    latents = model.transform(training)
    for target in (0.35, 0.5, 0.65):
        candidates = optimize_latents(model, reach("volume_fraction", target), latents=latents, **QUICK)
        # One voxel is a volume fraction of 0.007.
        np.testing.assert_allclose(candidates.achieved["volume_fraction"], target, atol=0.01)
        assert candidates.reasons == (None,) * 3
        assert candidates.structures.shape == (3, 12, 12)
        assert (candidates.score <= 1).all()
        fresh = model.inverse_transform(candidates.latents, n_realizations=200, random_state=9).reshape(3, -1)
        np.testing.assert_allclose(fresh.mean(1), target, atol=0.015)


def test_same_seed_gives_the_same_candidates(model):
    first, repeated, other = (
        optimize_latents(model, maximize("specific_surface"), **{**QUICK, "random_state": seed}) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.latents, repeated.latents)
    assert not np.array_equal(first.latents, other.latents)


def test_unreachable_target_has_the_closest_value_and_a_reason(model):
    candidates = optimize_latents(model, reach("volume_fraction", 0.99), **QUICK)
    low, high = candidates.reachable["volume_fraction"]
    assert low < candidates.achieved["volume_fraction"][0] <= high < 0.99
    assert f"to {high:.4g}" in candidates.reasons[0]
    assert "Pass training latents" in candidates.reasons[0]


def test_constraints_are_satisfied_or_reported(model):
    candidates = optimize_latents(
        model, maximize("specific_surface"), constraints=["volume_fraction=0.45+-0.03"], **QUICK
    )
    # At a bound, fresh realizations may violate what those of the search satisfied.
    assert candidates.feasible[0]
    np.testing.assert_allclose(candidates.achieved["volume_fraction"], 0.45, atol=0.04)
    assert candidates.requested == {"volume_fraction": None, "specific_surface": None}
    candidates = optimize_latents(
        model, maximize("specific_surface"), constraints=[between("volume_fraction", 0.99)], **QUICK
    )
    assert not candidates.feasible.any()
    assert "outside 0.99" in candidates.reasons[0]


def test_several_goals_have_a_pareto_front(model):
    goals = [maximize(SpecificSurface()), minimize(VolumeFraction())]
    candidates = optimize_latents(model, goals, **{**QUICK, "n_candidates": 5})
    surface, fraction = candidates.achieved["specific_surface"], candidates.achieved["volume_fraction"]
    assert candidates.on_front.sum() >= 2
    order = np.argsort(surface[candidates.on_front])
    assert (np.diff(fraction[candidates.on_front][order]) >= 0).all()


def test_progress_ends_at_its_total(model):
    calls = []
    optimize_latents(model, reach("volume_fraction", 0.5), progress=lambda *call: calls.append(call), **QUICK)
    assert calls[-1][0] == calls[-1][1]
    assert sorted(calls) == calls


class Undefined(VolumeFraction):
    """Property that is not defined for any structure."""

    def measure(self, structures, grid):
        return Measured.of(np.full(len(structures), np.nan), "It is never defined.")


def test_invalid_input_is_refused(model, training):
    goal = reach("volume_fraction", 0.5)
    for options, message in (
        ({"n_candidates": 0}, "n_candidates"),
        ({"n_realizations": 1}, "n_realizations"),
        ({"n_candidates": 9, "n_starts": 8}, "n_starts"),
        ({"latents": np.zeros((20, 3))}, "training latents"),
        ({"constraints": ["volume_fraction<=0.4"]}, "contradicts"),
        ({"random_state": "a"}, "random_state"),
        ({"constraints": [goal]}, "A constraint, as between"),
    ):
        with pytest.raises(InputError, match=message):
            optimize_latents(model, goal, **options)
    with pytest.raises(InputError, match="never defined"):
        optimize_latents(model, maximize(Undefined()), **QUICK)
    with pytest.raises(InputError, match="phase=5"):
        optimize_latents(model, maximize("volume_fraction(phase=5)"), **QUICK)
    field = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=1, width=8).fit(training.astype(np.float32))
    with pytest.raises(InputError, match="two or more phases"):
        optimize_latents(field, goal)


def test_candidates_of_a_texture_are_measured_on_realizations_and_compared(texture_model):
    grid = texture_model.grid_
    candidates = optimize_latents(
        texture_model,
        "specific_surface=min",
        constraints=["volume_fraction=0.5+-0.05"],
        n_realizations=3,
        **QUICK,
    )
    assert candidates.method == "prediction"
    assert candidates.realizations.shape == (3, 3, 16, 16)
    np.testing.assert_array_equal(candidates.structures, candidates.realizations[:, 0])
    for label, property in (("specific_surface", SpecificSurface()), ("volume_fraction", VolumeFraction())):
        values = property.measure(candidates.realizations.reshape(-1, 16, 16), grid).values.reshape(3, 3)
        np.testing.assert_allclose(candidates.achieved[label], values.mean(1))
        np.testing.assert_allclose(candidates.spread[label], values.std(1, ddof=1), atol=1e-9)
    assert candidates.feasible[0]
    windows = texture_model.module_.statistics_decoder.examples.numpy()
    fractions = windows.mean((1, 2))
    surfaces = SpecificSurface().measure(windows, grid).values[(fractions >= 0.45) & (fractions <= 0.55)]
    np.testing.assert_allclose(candidates.comparison.ranges["specific_surface"], (surfaces.min(), surfaces.max()))
    # Little surface was asked for.
    assert candidates.achieved["specific_surface"][0] < np.median(surfaces)
    for value, reason in zip(candidates.achieved["specific_surface"], candidates.reasons, strict=True):
        assert value < surfaces.min() or "does not beat" in reason


def test_statistics_of_a_texture_are_reached_through_its_decoder(texture_model, windows):
    target = texture_model.statistics(windows[:1])[0]
    z = texture_model.transform(windows[:1])
    candidates = optimize_latents(
        texture_model, minimize(StatisticsError(target)), n_realizations=2, **{**QUICK, "n_candidates": 1}
    )
    # The encoder searches for the same latent in another metric.
    assert np.abs(candidates.latents - z).max() < 0.5


def test_realizations_of_one_latent_are_different_structures(texture_model):
    candidates = optimize_latents(
        texture_model, reach("volume_fraction", 0.5), n_realizations=3, **{**QUICK, "n_candidates": 1}
    )
    shares = agreement(candidates.realizations[0], candidates.realizations[0], phases=2)[np.triu_indices(3, 1)]
    windows = texture_model.module_.statistics_decoder.examples.numpy()
    windows = windows[np.abs(windows.mean((1, 2)) - 0.5) < 0.05][:6]
    true = agreement(windows, windows, phases=2)[np.triu_indices(6, 1)]
    assert (1 - shares).mean() > 0.5 * (1 - true).mean()


def test_training_windows_can_be_given_for_a_decoder_of_structures(model, training):
    candidates = optimize_latents(model, maximize("specific_surface"), training=training, **QUICK)
    assert candidates.method == "gradient"
    best = SpecificSurface().measure(training, model.grid_).values.max()
    assert candidates.comparison.ranges["specific_surface"][1] == best
    error = 2 * candidates.spread["specific_surface"] / 8**0.5
    np.testing.assert_array_equal(candidates.comparison.beats, candidates.achieved["specific_surface"] - error > best)
    assert "neighbourhood of the training latents" in candidates.region
