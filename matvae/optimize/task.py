"""Goals and constraints as one cost of property values, the same for every way of searching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .goal import MAXIMIZE, MINIMIZE, Constraint, Goal, check_wishes
from .property import Property

# Of the scale of a property: below it a target counts as met, so the cost has no kink there.
ROUND = 0.01
# A violated constraint outweighs what a goal can gain by it.
PENALTY = 100.0
# The search stays this share of its width inside a constraint, of its scale where it is one-sided.
MARGIN, ONE_SIDED_MARGIN = 0.1, 0.01


@dataclass(frozen=True)
class Task:
    """What is searched for; columns of values are the properties in the order of `labels`.

    Parameters
    ----------
    goals, constraints : tuples
    scale, least, most : ndarray ``(property,)``, optional
        Spread and range of each property among structures of the region; costs are relative to them.
    """

    goals: tuple[Goal, ...]
    constraints: tuple[Constraint, ...]
    scale: np.ndarray | None = None
    least: np.ndarray | None = None
    most: np.ndarray | None = None

    @classmethod
    def of(cls, goals: Sequence[Goal], constraints: Sequence[Constraint]) -> Task:
        """Goals and constraints, checked against each other."""
        check_wishes(goals, constraints)
        return cls(tuple(goals), tuple(constraints))

    @property
    def properties(self) -> dict[str, Property]:
        """Label to property, each once."""
        wishes: list[Goal | Constraint] = [*self.constraints, *self.goals]
        return {wish.label: wish.property for wish in wishes}

    @property
    def labels(self) -> list[str]:
        """Names of the columns of values."""
        return list(self.properties)

    def scaled_by(self, values: np.ndarray) -> Task:
        """The task relative to values ``(sample, property)`` of structures of the region; NaN is left out."""
        known = [column[np.isfinite(column)] for column in values.T]
        scale = [float(column.std()) or 1.0 for column in known]
        least, most = ([float(f(column)) for column in known] for f in (np.min, np.max))
        return Task(self.goals, self.constraints, np.array(scale), np.array(least), np.array(most))

    def cost(self, values: Tensor, weights: Tensor | None = None) -> Tensor:
        """How far values ``(..., property)`` are from what is wanted: ``(...)``, lower is better.

        Several goals are weighted by `weights` ``(..., goal)`` in the augmented Chebyshev way, which reaches every
        part of a Pareto front (Steuer & Choo, Mathematical Programming 26, 326 (1983)).
        """
        terms = self.terms(values)
        if weights is None:
            weights = torch.ones(len(self.goals), dtype=values.dtype, device=values.device)
        weighted = terms * weights
        cost = weighted.amax(-1) + (0.05 * weighted.sum(-1) if len(self.goals) > 1 else 0.0)
        return cost + PENALTY * self._violation(values)

    def terms(self, values: Tensor) -> Tensor:
        """One term a goal ``(..., goal)``, in units of the properties' spreads; lower is better."""
        return torch.stack([self._term(goal, values) for goal in self.goals], dim=-1)

    def feasible(self, values: np.ndarray) -> np.ndarray:
        """Whether values ``(sample, property)`` keep all constraints; NaN does not."""
        ok = np.ones(len(values), bool)
        for one in self.constraints:
            column = values[:, self.labels.index(one.label)]
            ok &= (column >= one.low) & (column <= one.high)
        return ok

    def front(self, values: np.ndarray) -> np.ndarray:
        """Whether no other feasible sample ``(sample, property)`` is better in one goal and as good in all."""
        terms = self.terms(torch.from_numpy(values)).numpy()
        ok = self.feasible(values) & np.isfinite(terms).all(1)
        better = (terms[:, None] <= terms[None]).all(2) & (terms[:, None] < terms[None]).any(2)
        return ok & ~(better & ok[:, None]).any(0)

    def _term(self, goal: Goal, values: Tensor) -> Tensor:
        k = self.labels.index(goal.label)
        value, scale = values[..., k], self._of(self.scale, k, 1.0)
        if goal.sense == MAXIMIZE:
            return (self._of(self.most, k, 0.0) - value) / scale
        if goal.sense == MINIMIZE:
            return (value - self._of(self.least, k, 0.0)) / scale
        assert goal.target is not None
        return (((value - goal.target) / scale).square() + ROUND**2).sqrt() - ROUND

    def _violation(self, values: Tensor) -> Tensor:
        total = torch.zeros_like(values[..., 0])
        for one in self.constraints:
            k = self.labels.index(one.label)
            scale = self._of(self.scale, k, 1.0)
            width = one.high - one.low
            margin = MARGIN * width / 2 if np.isfinite(width) else ONE_SIDED_MARGIN * scale
            below, above = one.low + margin - values[..., k], values[..., k] - one.high + margin
            total = total + (below.clamp(min=0) / scale).square() + (above.clamp(min=0) / scale).square()
        return total

    @staticmethod
    def _of(numbers: np.ndarray | None, k: int, default: float) -> float:
        return default if numbers is None else float(numbers[k])
