"""Result of a search: candidates with requested and achieved values, and reasons for goals that were missed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .comparison import Comparison
from .region import Region
from .task import Task

# A target counts as reached within this fraction of the property's range in the region.
TARGET_TOLERANCE = 0.02


@dataclass(frozen=True)
class Candidates:
    """Candidates of a search, best first.

    Parameters
    ----------
    latents : ndarray ``(candidate, component)``
    structures : ndarray ``(candidate, *space)``
        uint8 labels.
    requested : dict of str to (float or None)
        Target of each property; None if it was maximised, minimised or only constrained.
    achieved, spread : dict of str to ndarray ``(candidate,)``
        Mean and standard deviation of each property over thresholded realizations that the search did not use.
    measured : dict of str to ndarray ``(candidate,)``
        Fraction of the realizations on which each property is defined.
    units : dict of str to str
    feasible : ndarray ``(candidate,)``
        Whether the means satisfy all constraints.
    on_front : ndarray ``(candidate,)``
        Whether the candidate is Pareto-optimal among the candidates.
    score : ndarray ``(candidate,)``
        Distance of the latent from the centre of the region, 1 at its boundary.
    region : str
        Description of the region.
    reachable : dict of str to (float, float)
        Smallest and largest value of each property found during the search.
    reasons : tuple of (str or None)
        Per candidate, the reason why it misses a goal or constraint, does not beat the training windows or does not
        look like them; None otherwise.
    failures : dict of str to int
        Reasons why properties could not be measured during the search, with their counts.
    method : ``"gradient"``, ``"prediction"`` or ``"black box"``
    n_evaluations : int
        Number of latents and training windows that were measured during the search.
    realizations : ndarray ``(candidate, realization, *space)``
        Labels of the structures on which `achieved` was measured.
    predictive_spread : dict of str to ndarray ``(candidate,)``
        Standard deviation of the prediction of each property that is a linkage with a predictive distribution.
    comparison : Comparison or None
        With the training windows, if they are known.
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
    realizations: np.ndarray
    predictive_spread: dict[str, np.ndarray] = field(default_factory=dict)
    comparison: Comparison | None = None

    def __len__(self) -> int:
        return len(self.latents)


def explain_misses(task: Task, values: np.ndarray, searched: np.ndarray, region: Region) -> tuple[str | None, ...]:
    """Reason per candidate why it misses a goal or constraint, None if it meets all.

    Parameters
    ----------
    task : Task
    values : ndarray ``(candidate, property)``
    searched : ndarray ``(sample, property)``
        All values found during the search.
    region : Region
    """
    return tuple(" ".join(_misses(task, row, searched, region)) or None for row in values)


def _misses(task: Task, row: np.ndarray, searched: np.ndarray, region: Region) -> list[str]:
    sentences = []
    undefined = [label for label, value in zip(task.labels, row, strict=True) if not np.isfinite(value)]
    if undefined:
        sentences.append(f"No realization has a value of {', '.join(undefined)}.")
    for constraint in task.constraints:
        k = task.labels.index(constraint.label)
        if np.isfinite(row[k]) and not constraint.low <= row[k] <= constraint.high:
            low, high = np.nanmin(searched[:, k]), np.nanmax(searched[:, k])
            sentences.append(
                f"{constraint.label} is {row[k]:.4g}, outside {constraint.low:.4g} to {constraint.high:.4g}; "
                f"structures of the region range from {low:.4g} to {high:.4g}."
            )
    for goal in task.goals:
        k = task.labels.index(goal.label)
        value, column = row[k], searched[:, k][np.isfinite(searched[:, k])]
        if goal.target is None or not np.isfinite(value) or not len(column):
            continue
        low, high = float(column.min()), float(column.max())
        if abs(value - goal.target) <= TARGET_TOLERANCE * max(high - low, 1e-12):
            continue
        if not low <= goal.target <= high:
            cause = (
                f"Structures of the region range from {low:.4g} to {high:.4g}, and {value:.4g} is the closest value. "
            )
            cause += (
                "Pass training latents (latents=, --train) to search the region of the data."
                if region.kind == "prior"
                else "Fit the model on structures that have this value."
            )
        elif task.constraints or len(task.goals) > 1:
            cause = "The region contains such structures, but none that meets the other goals and constraints as well."
        else:
            cause = (
                "The region contains such structures, but their realizations scatter. More starts may find better ones."
            )
        sentences.append(f"{goal.label} {goal.target:.4g} was not reached. {cause}")
    return sentences
