"""Stages of a search are counted from their first step to the last, and a search ends between two steps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from matvae.interrupt import Interrupted, interruptible
from matvae.optimize import maximize, optimize_latents, reach
from matvae.optimize.stages import DESCENDING, MEASURING, PREDICTING, REALIZING, Stages

QUICK = {"n_candidates": 2, "n_realizations": 2, "n_starts": 4, "max_iter": 10, "random_state": 0}


def stages_of(model, goal, **options):
    calls = []
    candidates = optimize_latents(model, goal, on_stage=lambda *call: calls.append(call), **QUICK, **options)
    return {
        name: [call[1:] for call in part] for name, part in itertools.groupby(calls, lambda call: call[0])
    }, candidates


def test_stages_of_predictions_are_complete_and_the_realizations_are_counted(texture_model):
    stages, _ = stages_of(texture_model, reach("volume_fraction", 0.5))
    assert list(stages) == [MEASURING, PREDICTING, REALIZING]
    for counts in stages.values():
        assert [done for done, _ in counts] == sorted(done for done, _ in counts)
        assert counts[0][0] == 0
        assert counts[-1][0] == counts[-1][1]
        assert len({total for _, total in counts}) == 1
    # Two candidates in two rounds of corrections, and once more to verify them.
    assert stages[REALIZING][-1] == (6, 6)


def test_stages_of_a_gradient_search_are_complete(model, training):
    stages, _ = stages_of(model, maximize("specific_surface"), training=training)
    assert list(stages) == [MEASURING, DESCENDING, REALIZING]
    assert all(counts[-1][0] == counts[-1][1] for counts in stages.values())


@pytest.mark.parametrize("name", [MEASURING, PREDICTING, REALIZING])
def test_a_search_ends_at_the_next_step_of_each_stage(texture_model, name):
    calls = []
    with interruptible(lambda: any(stage == name for stage, *_ in calls)), pytest.raises(Interrupted):
        optimize_latents(
            texture_model, reach("volume_fraction", 0.5), on_stage=lambda *call: calls.append(call), **QUICK
        )
    assert calls[-1][:2] == (name, 0)


def test_a_stage_that_goes_on_keeps_its_steps():
    calls = []
    stages = Stages(lambda *call: calls.append(call))
    stages.begin("a", 5)
    stages.step(2)
    stages.begin("a", 3)
    stages.begin("b", 4, 1)
    assert calls == [("a", 0, 5), ("a", 2, 5), ("a", 2, 5), ("b", 1, 4)]


def test_the_seed_and_the_number_of_a_candidate_lead_to_its_realizations(texture_model):
    _, found = stages_of(texture_model, reach("volume_fraction", 0.5))
    assert sorted(found.samples) == [0, 1]
    for k, number in enumerate(found.samples):
        repeated = np.repeat(found.latents[k : k + 1], number + 1, axis=0)
        again = texture_model.inverse_transform(repeated, n_realizations=2, random_state=found.seed)[number]
        np.testing.assert_array_equal(again, found.realizations[k])
