"""Result of a search: candidates with requested and achieved values, and reasons for goals that were missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from ..grid import Grid
from ..pictured import FEW, MOST, Picture, Pictured, pictures_of
from ..shown import short_text
from ..validate import integer
from .comparison import Comparison
from .region import Region
from .task import Task

# A target counts as reached within this fraction of the property's range in the region.
TARGET_TOLERANCE = 0.02


@dataclass(frozen=True, repr=False)
class Candidates(Pictured):
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
    seed : int or None
        Random seed of `realizations`.
    samples : ndarray ``(candidate,)`` of int, or None
        Number of each candidate among the latents that were realized with this seed: latents in that order, passed to
        `inverse_transform`, lead to the same realizations.
    predictive_spread : dict of str to ndarray ``(candidate,)``
        Standard deviation of the prediction of each property that is a linkage with a predictive distribution.
    comparison : Comparison or None
        With the training windows, if they are known.
    grid : Grid or None
        Of one structure.
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
    seed: int | None = None
    samples: np.ndarray | None = None
    predictive_spread: dict[str, np.ndarray] = field(default_factory=dict)
    comparison: Comparison | None = None
    grid: Grid | None = None

    def __len__(self) -> int:
        return len(self.latents)

    def shown_rows(self) -> dict[str, str]:
        """What matters of the search: the values of the best candidate beside the goals, and what was missed."""
        n = len(self)
        rows = {"candidates": f"{n}, by {self.method} from {self.n_evaluations} measured latents and windows"}
        rows |= {name: self._property_text(name) for name in self.achieved if n}
        n_met = sum(reason is None for reason in self.reasons)
        rows["as requested"] = f"{n_met} of {n}"
        if n_met < n:
            rows["first reason against"] = short_text(next(reason for reason in self.reasons if reason is not None))
        if self.comparison is not None and self.comparison.summary:
            rows["beside training windows"] = self.comparison.summary
        if self.failures:
            rows["not measured"] = short_text(self.failures)
        return {**rows, "region": self.region}

    def pictures(self, n: int, *, all_sections: bool = False) -> list[Picture]:
        """Return pictures of the first, and best, `n` candidates, with the values that they achieve."""
        n = min(n, len(self))
        names = [f"candidate {i}: " + ", ".join(self._value_text(name, i) for name in self.achieved) for i in range(n)]
        grid = self.grid or Grid(self.structures.shape[1:], phases=max(2, int(self.structures.max(initial=1)) + 1))
        return pictures_of(self.structures, grid, names, all_sections=all_sections)

    def plot(self, n: int = FEW, *, figure_style: str = "screen") -> Any:
        """Draw structures of the best candidates, and what all candidates achieve beside what was requested.

        Parameters
        ----------
        n : int
            Number of candidates whose structures are drawn.
        figure_style : ``"screen"``, ``"single"`` or ``"double"``
            As wide as its contents need, or as one or two columns of a journal, with text of 7 points.

        Returns
        -------
        matplotlib.figure.Figure
            Notebooks show it; save it with ``figure.savefig``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        return import_module("matvae.notebook").plot_candidates(self, integer("n", n, 1, MOST), figure_style)

    def _value_text(self, name: str, i: int) -> str:
        unit = self.units[name]
        return f"{name} {self.achieved[name][i]:.4g}{'' if unit in ('', '1') else f' {unit}'}"

    def _property_text(self, name: str) -> str:
        target, unit = self.requested[name], self.units[name]
        best = f"{self.achieved[name][0]:.4g} ± {self.spread[name][0]:.2g}"
        low, high = self.reachable[name]
        requested = "" if target is None else f"{target:.4g} requested, "
        in_unit = "" if unit in ("", "1") else f" ({unit})"
        return f"{requested}{best} by the best candidate, {low:.4g} to {high:.4g} found in the search{in_unit}"


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
