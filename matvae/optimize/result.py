"""What a search found: candidates, what was asked of them, and what they have."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .region import Region
from .task import Task

# Share of the range of a property in the region within which a target counts as reached.
REACHED = 0.02


@dataclass(frozen=True)
class Candidates:
    """Candidates of a search, best first.

    Parameters
    ----------
    latents : ndarray ``(candidate, component)``
    structures : ndarray ``(candidate, *space)``
        uint8 labels.
    requested : dict of str to (float or None)
        Property to its target, None where it was maximised, minimised or constrained only.
    achieved, spread : dict of str to ndarray ``(candidate,)``
        Property to mean and standard deviation over fresh realizations of the candidate, thresholded.
    measured : dict of str to ndarray ``(candidate,)``
        Share of the realizations that have the property at all.
    units : dict of str to str
    feasible : ndarray ``(candidate,)``
        Whether the means keep all constraints.
    on_front : ndarray ``(candidate,)``
        Whether no other candidate is better in all goals.
    score : ndarray ``(candidate,)``
        How far out of the region the latent is: 1 is its boundary.
    region : str
        Which region that is.
    reachable : dict of str to (float, float)
        Property to the least and largest value met in the whole search.
    reasons : tuple of (str or None)
        One a candidate: why it is not what was asked for.
    failures : dict of str to int
        Reasons why properties could not be measured during the search, and how often.
    method : ``"gradient"`` or ``"black box"``
    n_evaluations : int
        Latents of which thresholded structures were measured during the search.
    predictive_spread : dict of str to ndarray ``(candidate,)``
        Property to the standard deviation of its prediction, where it is predicted by a linkage that has one.
    """

    latents: np.ndarray
    structures: np.ndarray
    requested: dict[str, float | None]
    achieved: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]
    units: dict[str, str]
    feasible: np.ndarray
    on_front: np.ndarray
    score: np.ndarray
    region: str
    reachable: dict[str, tuple[float, float]]
    reasons: tuple[str | None, ...]
    failures: dict[str, int]
    method: str
    n_evaluations: int
    predictive_spread: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.latents)


def why_not(task: Task, values: np.ndarray, seen: np.ndarray, region: Region) -> tuple[str | None, ...]:
    """One reason a candidate ``(candidate, property)`` why it is not what was asked for, None where it is.

    Parameters
    ----------
    task : Task
    values : ndarray ``(candidate, property)``
    seen : ndarray ``(sample, property)``
        All values met in the search.
    region : Region
    """
    return tuple(" ".join(_complaints(task, row, seen, region)) or None for row in values)


def _complaints(task: Task, row: np.ndarray, seen: np.ndarray, region: Region) -> list[str]:
    found = []
    missing = [label for label, value in zip(task.labels, row, strict=True) if not np.isfinite(value)]
    if missing:
        found.append(f"No realization has {', '.join(missing)}.")
    for one in task.constraints:
        k = task.labels.index(one.label)
        if np.isfinite(row[k]) and not one.low <= row[k] <= one.high:
            low, high = np.nanmin(seen[:, k]), np.nanmax(seen[:, k])
            found.append(
                f"{one.label} is {row[k]:.4g}, outside of {one.low:.4g} to {one.high:.4g}; structures of the region "
                f"have {low:.4g} to {high:.4g}."
            )
    for goal in task.goals:
        k = task.labels.index(goal.label)
        value, met = row[k], seen[:, k][np.isfinite(seen[:, k])]
        if goal.target is None or not np.isfinite(value) or not len(met):
            continue
        low, high = float(met.min()), float(met.max())
        if abs(value - goal.target) <= REACHED * max(high - low, 1e-12):
            continue
        if low <= goal.target <= high:
            cause = "The region has such structures, but not together with the rest that was asked for."
            if not task.constraints and len(task.goals) == 1:
                cause = "The region has such structures, but their realizations differ. More starts may find better."
        else:
            cause = f"Structures of the region have {low:.4g} to {high:.4g}, and {value:.4g} is the closest. "
            cause += (
                "Training latents (latents=, --train) allow the region of the data."
                if region.kind == "prior"
                else "The model would have to be fitted on structures that have it."
            )
        found.append(f"{goal.label} {goal.target:.4g} was not reached. {cause}")
    return found
