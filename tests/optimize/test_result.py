"""Reasons name what is missing, what is violated, and where the region ends."""

from __future__ import annotations

import numpy as np

from matvae.optimize.goal import between, reach
from matvae.optimize.region import Region
from matvae.optimize.result import why_not
from matvae.optimize.task import Task

SEEN = np.array([[0.1, 1.0], [0.6, 3.0], [np.nan, 2.0]])
TASK = Task.of([reach("volume_fraction", 0.9)], [between("specific_surface", high=2.0)])


def test_each_candidate_has_its_own_reason():
    assert TASK.labels == ["specific_surface", "volume_fraction"]
    values = np.array([[1.0, 0.9], [1.0, 0.6], [2.5, 0.9], [1.0, np.nan]])
    met, short, violating, missing = why_not(TASK, values, SEEN[:, ::-1], Region.of_prior(2))
    assert met is None
    assert short == (
        "volume_fraction 0.9 was not reached. Structures of the region have 0.1 to 0.6, and 0.6 is the closest. "
        "Training latents (latents=, --train) allow the region of the data."
    )
    assert violating == "specific_surface is 2.5, outside of -inf to 2; structures of the region have 1 to 3."
    assert missing == "No realization has volume_fraction."


def test_within_the_range_the_rest_is_the_cause():
    task = Task.of([reach("volume_fraction", 0.4)], [])
    (alone,) = why_not(task, np.array([[0.2]]), SEEN[:, :1], Region.of_prior(2))
    assert "realizations differ" in alone
    task = Task.of([reach("volume_fraction", 0.4)], [between("specific_surface", high=2.0)])
    (together,) = why_not(task, np.array([[1.0, 0.2]]), SEEN[:, ::-1], Region.of_prior(2))
    assert "not together with the rest" in together
