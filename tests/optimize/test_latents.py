"""Candidates meet their goals and constraints, or state why they do not."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import StatsVAETransformer
from matvae.errors import InputError
from matvae.optimize import Measured, between, maximize, minimize, optimize_latents, reach
from matvae.optimize.geometry import SpecificSurface, VolumeFraction

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
