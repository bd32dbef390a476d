"""Candidates that do not beat the training windows, or do not look like them, are said not to."""

from __future__ import annotations

import numpy as np

from matvae import Grid
from matvae.optimize import between, maximize, minimize, reach
from matvae.optimize.comparison import compare
from matvae.optimize.task import Task
from matvae.optimize.windows import MeasuredWindows, TrainingWindows

GRID = Grid((8, 8), periodic=False)
# Windows of half-planes: 2 pieces each, and a surface of 8 faces per 64 voxels.
STRUCTURES = np.stack([np.arange(64).reshape(8, 8) >= 8 * k for k in (3, 4, 5)]).astype(np.uint8)


def windows(values):
    known = TrainingWindows(np.zeros((len(values), 2), np.float32), STRUCTURES[: len(values)])
    return MeasuredWindows(known.latents, known.structures, np.array(values, float), known)


def compared(task, values, mean, std, realizations=None):
    if realizations is None:
        realizations = np.stack([STRUCTURES[[0, 1, 1, 2]]] * len(mean))
    return compare(task, np.array(mean), np.array(std), realizations, windows(values), GRID)


def test_only_windows_that_meet_the_constraints_are_to_be_beaten():
    task = Task.of([maximize("specific_surface")], [between("volume_fraction", 0.4, 0.6)])
    values = [[0.5, 1.0], [0.55, 2.0], [0.8, 9.0]]
    # Four realizations with a standard deviation of 0.2: two standard errors of the mean are 0.2.
    result = compared(task, values, [[0.5, 2.5], [0.5, 2.1], [0.5, 1.0]], [[0, 0.2]] * 3)
    assert (result.n_windows, result.n_meeting) == (3, 2)
    assert result.ranges == {"volume_fraction": (0.5, 0.55), "specific_surface": (1.0, 2.0)}
    np.testing.assert_array_equal(result.beats, [True, False, False])
    assert result.reasons[0] is None
    assert result.reasons[1] == (
        "specific_surface, 2.1 with an error of 0.2, does not beat the best training window that qualifies, 2."
    )
    assert result.summary == "1 of 3 candidates beat the best of 2 training windows that qualify."
    result = compared(task, values, [[0.5, 1.0]], [[0, 0.2]])
    assert result.summary == "No candidate beats the best of 2 training windows that qualify."


def test_least_values_are_beaten_from_below():
    task = Task.of([minimize("specific_surface")], [])
    result = compared(task, [[1.0], [2.0]], [[0.9], [1.1]], [[0.0], [0.0]])
    np.testing.assert_array_equal(result.beats, [True, False])


def test_with_several_goals_one_better_value_is_enough():
    task = Task.of([maximize("specific_surface"), minimize("volume_fraction")], [])
    result = compared(task, [[1.0, 0.3], [2.0, 0.6]], [[1.5, 0.4], [1.5, 0.7], [0.5, 0.3]], np.zeros((3, 2)))
    np.testing.assert_array_equal(result.beats, [True, False, False])
    assert result.reasons[1] == ("A training window that qualifies is as good in specific_surface and volume_fraction.")


def test_a_target_is_not_to_be_beaten():
    result = compared(Task.of([reach("volume_fraction", 0.5)], []), [[0.5]], [[0.5]], [[0.0]])
    assert result.beats is None
    assert result.summary == ""


def test_without_windows_that_meet_the_constraints_there_is_none_to_beat():
    task = Task.of([maximize("specific_surface")], [between("volume_fraction", 0.4, 0.6)])
    result = compared(task, [[0.8, 9.0], [np.nan, 1.0]], [[0.5, 2.5]], [[0, 0]])
    assert (result.beats, result.ranges) == (None, {})
    assert result.summary == "None of 2 training windows meets the constraints, so that there is none to beat."


def test_dust_is_outside_the_range_of_training_windows():
    task = Task.of([reach("volume_fraction", 0.5)], [])
    dust = STRUCTURES[[1, 1]].copy()
    dust[:, 1, ::2] = 1
    realizations = np.stack([STRUCTURES[[0, 2]], dust])
    result = compared(task, [[0.6], [0.5], [0.4]], [[0.5], [0.5]], [[0.0], [0.0]], realizations)
    np.testing.assert_array_equal(result.believable, [True, False])
    np.testing.assert_allclose(result.texture["pieces"], [1000 * 2 / 64, 1000 * 6 / 64])
    assert result.texture_ranges["pieces"] == (31.25, 31.25)
    assert result.reasons[0] is None
    assert "pieces is 93.8, outside the 31.2 to 31.2 of training windows." in result.reasons[1]
    assert result.summary.startswith("1 of 2 candidates are outside")
