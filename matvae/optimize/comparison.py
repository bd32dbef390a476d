"""Comparison of candidates with the training windows: do they beat the best of them, and do they look like them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..grid import Grid
from ..shown import Shown
from .believability import MEASURES, texture_of
from .goal import MAXIMIZE, Goal
from .task import Task
from .windows import MeasuredWindows, TrainingWindows

# A candidate beats a window if its mean does so by this many standard errors.
STANDARD_ERRORS = 2.0


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Candidates beside the training windows.

    Parameters
    ----------
    windows : TrainingWindows
    n_windows, n_meeting : int
        Numbers of those that were measured, and that meet the constraints.
    ranges : dict of str to (float, float)
        Least and largest value of each property over the windows that meet the constraints; empty if none does.
    beats : ndarray ``(candidate,)`` of bool, or None
        Whether a candidate beats the best of these windows: whether none of them is as good in all properties that are
        maximised or minimised. Two standard errors of a candidate's mean count against it. None if there is no such
        goal, or no such window.
    texture : dict of str to ndarray ``(candidate,)``
        ``"pieces"`` per 1000 voxels and ``"total_surface"``, means over realizations.
    texture_ranges : dict of str to (float, float)
        Ranges of the same over all training windows, whether they meet the constraints or not.
    believable : ndarray ``(candidate,)`` of bool
        Whether all of these means lie within their ranges.
    reasons : tuple of (str or None)
        Per candidate, why it does not beat the windows or is not believable.
    """

    windows: TrainingWindows
    n_windows: int
    n_meeting: int
    ranges: dict[str, tuple[float, float]]
    beats: np.ndarray | None
    texture: dict[str, np.ndarray]
    texture_ranges: dict[str, tuple[float, float]]
    believable: np.ndarray
    reasons: tuple[str | None, ...]

    @property
    def summary(self) -> str:
        """State in one or two sentences whether candidates beat the training windows, and how many are unlike them."""
        sentences = []
        if not self.n_meeting:
            sentences.append(
                f"None of {self.n_windows} training windows meets the constraints, so that there is none to beat."
            )
        elif self.beats is not None:
            best = f"the best of {self.n_meeting} training windows that qualify"
            n = int(self.beats.sum())
            sentences.append(
                f"{n} of {len(self.beats)} candidates beat {best}." if n else f"No candidate beats {best}."
            )
        n_outside = int((~self.believable).sum())
        if n_outside:
            sentences.append(
                f"{n_outside} of {len(self.believable)} candidates are outside the range of training windows in pieces "
                "or surface."
            )
        return " ".join(sentences)


def compare(
    task: Task, mean: np.ndarray, std: np.ndarray, realizations: np.ndarray, windows: MeasuredWindows, grid: Grid
) -> Comparison:
    """Compare candidates with training windows.

    Parameters
    ----------
    task : Task
        With its scale.
    mean, std : ndarray ``(candidate, property)``
        Over realizations.
    realizations : ndarray ``(candidate, realization, *space)``
        Labels.
    windows : MeasuredWindows
    grid : Grid
    """
    meeting = windows.meeting(task)
    error = STANDARD_ERRORS * np.nan_to_num(std) / realizations.shape[1] ** 0.5
    texture = texture_of(realizations.reshape(-1, *grid.shape), grid)
    texture = texture.reshape(*realizations.shape[:2], -1).mean(1)
    known = texture_of(windows.all.structures, grid)
    low, high = known.min(0), known.max(0)
    extremes = [goal for goal in task.goals if goal.target is None]
    beats = _beats(task, extremes, mean, error, meeting) if extremes and len(meeting) else None
    reasons = []
    for k in range(len(mean)):
        sentences = []
        if beats is not None and not beats[k]:
            sentences.append(_not_better(task, extremes, mean[k], error[k], meeting))
        sentences += [
            f"{name} is {texture[k, m]:.3g}, outside the {low[m]:.3g} to {high[m]:.3g} of training windows."
            for m, name in enumerate(MEASURES)
            if not low[m] <= texture[k, m] <= high[m]
        ]
        reasons.append(" ".join(sentences) or None)
    ranges = zip(task.labels, meeting.min(0), meeting.max(0), strict=True) if len(meeting) else ()
    return Comparison(
        windows=windows.all,
        n_windows=len(windows),
        n_meeting=len(meeting),
        ranges={label: (float(least), float(largest)) for label, least, largest in ranges},
        beats=beats,
        texture=dict(zip(MEASURES, texture.T, strict=True)),
        texture_ranges={name: (float(low[m]), float(high[m])) for m, name in enumerate(MEASURES)},
        believable=((texture >= low) & (texture <= high)).all(1),
        reasons=tuple(reasons),
    )


def _beats(task: Task, goals: list[Goal], mean: np.ndarray, error: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Whether no window ``(window, property)`` is as good in all goals as a candidate, less its error."""
    as_good = np.ones((len(mean), len(windows)), bool)
    for goal in goals:
        k = task.labels.index(goal.label)
        sign = 1 if goal.sense == MAXIMIZE else -1
        as_good &= sign * windows[:, k] >= (sign * mean[:, k] - error[:, k])[:, None]
    return ~as_good.any(1) & np.isfinite(mean).all(1)


def _not_better(task: Task, goals: list[Goal], mean: np.ndarray, error: np.ndarray, windows: np.ndarray) -> str:
    if len(goals) > 1:
        return f"A training window that qualifies is as good in {' and '.join(goal.label for goal in goals)}."
    k = task.labels.index(goals[0].label)
    best = windows[:, k].max() if goals[0].sense == MAXIMIZE else windows[:, k].min()
    return (
        f"{goals[0].label}, {mean[k]:.4g} with an error of {error[k]:.2g}, does not beat the best training window that "
        f"qualifies, {best:.4g}."
    )
