"""Reasons name missing values, violated constraints and the reachable range."""

from __future__ import annotations

import numpy as np

from matvae.optimize.goal import between, reach
from matvae.optimize.region import Region
from matvae.optimize.result import explain_misses
from matvae.optimize.task import Task

SEARCHED = np.array([[0.1, 1.0], [0.6, 3.0], [np.nan, 2.0]])
TASK = Task.of([reach("volume_fraction", 0.9)], [between("specific_surface", high=2.0)])


def test_each_candidate_has_its_own_reason():
    assert TASK.labels == ["specific_surface", "volume_fraction"]
    values = np.array([[1.0, 0.9], [1.0, 0.6], [2.5, 0.9], [1.0, np.nan]])
    met, short, violating, missing = explain_misses(TASK, values, SEARCHED[:, ::-1], Region.of_prior(2))
    assert met is None
    assert short == (
        "volume_fraction 0.9 was not reached. Structures of the region range from 0.1 to 0.6, and 0.6 is the closest "
        "value. Pass training latents (latents=, --train) to search the region of the data."
    )
    assert violating == "specific_surface is 2.5, outside -inf to 2; structures of the region range from 1 to 3."
    assert missing == "No realization has a value of volume_fraction."


def test_target_within_the_range_is_missed_for_another_reason():
    task = Task.of([reach("volume_fraction", 0.4)], [])
    (alone,) = explain_misses(task, np.array([[0.2]]), SEARCHED[:, :1], Region.of_prior(2))
    assert "their realizations scatter" in alone
    task = Task.of([reach("volume_fraction", 0.4)], [between("specific_surface", high=2.0)])
    (together,) = explain_misses(task, np.array([[1.0, 0.2]]), SEARCHED[:, ::-1], Region.of_prior(2))
    assert "none that meets the other goals and constraints" in together
