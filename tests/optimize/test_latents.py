"""Candidates have what was asked for, or say why they do not."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import StatsVAETransformer
from matvae.errors import InputError
from matvae.optimize import Measured, between, maximize, minimize, optimize_latents, reach
from matvae.optimize.geometry import SpecificSurface, VolumeFraction

QUICK = {"n_candidates": 3, "n_starts": 8, "max_iter": 30, "random_state": 0}


def test_targets_are_reached_in_the_mean_over_realizations(model, training):
    latents = model.transform(training)
    for target in (0.35, 0.5, 0.65):
        found = optimize_latents(model, reach("volume_fraction", target), latents=latents, **QUICK)
        # One voxel is 0.007.
        np.testing.assert_allclose(found.achieved["volume_fraction"], target, atol=0.01)
        assert found.reasons == (None,) * 3
        assert found.structures.shape == (3, 12, 12)
        assert (found.score <= 1).all()
        made = model.inverse_transform(found.latents, n_realizations=200, random_state=9).reshape(3, -1)
        np.testing.assert_allclose(made.mean(1), target, atol=0.015)


def test_the_same_seed_gives_the_same_candidates(model):
    first, again, other = (
        optimize_latents(model, maximize("specific_surface"), **{**QUICK, "random_state": seed}) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.latents, again.latents)
    assert not np.array_equal(first.latents, other.latents)


def test_a_target_out_of_reach_has_the_closest_value_and_a_reason(model):
    found = optimize_latents(model, reach("volume_fraction", 0.99), **QUICK)
    low, high = found.reachable["volume_fraction"]
    assert low < found.achieved["volume_fraction"][0] <= high < 0.99
    assert f"to {high:.4g}" in found.reasons[0]
    assert "Training latents" in found.reasons[0]


def test_constraints_are_kept_and_said_where_they_are_not(model):
    found = optimize_latents(model, maximize("specific_surface"), constraints=["volume_fraction=0.45+-0.03"], **QUICK)
    # At a bound fresh realizations differ from those of the search.
    assert found.feasible[0]
    np.testing.assert_allclose(found.achieved["volume_fraction"], 0.45, atol=0.04)
    assert found.requested == {"volume_fraction": None, "specific_surface": None}
    found = optimize_latents(
        model, maximize("specific_surface"), constraints=[between("volume_fraction", 0.99)], **QUICK
    )
    assert not found.feasible.any()
    assert "outside of 0.99" in found.reasons[0]


def test_several_goals_have_a_front(model):
    goals = [maximize(SpecificSurface()), minimize(VolumeFraction())]
    found = optimize_latents(model, goals, **{**QUICK, "n_candidates": 5})
    surface, fraction = found.achieved["specific_surface"], found.achieved["volume_fraction"]
    assert found.on_front.sum() >= 2
    order = np.argsort(surface[found.on_front])
    assert (np.diff(fraction[found.on_front][order]) >= 0).all()


def test_progress_ends_at_its_total(model):
    seen = []
    optimize_latents(model, reach("volume_fraction", 0.5), progress=lambda *done: seen.append(done), **QUICK)
    assert seen[-1][0] == seen[-1][1]
    assert sorted(seen) == seen


class Nowhere(VolumeFraction):
    """A property that no structure has."""

    def measure(self, structures, grid):
        return Measured.of(np.full(len(structures), np.nan), "It is never there.")


def test_bad_input_is_refused(model, training):
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
    with pytest.raises(InputError, match="never there"):
        optimize_latents(model, maximize(Nowhere()), **QUICK)
    with pytest.raises(InputError, match="phase=5"):
        optimize_latents(model, maximize("volume_fraction(phase=5)"), **QUICK)
    field = StatsVAETransformer(n_components=2, max_epochs=1, width=8).fit(training.astype(np.float32))
    with pytest.raises(InputError, match="two or more phases"):
        optimize_latents(field, goal)
