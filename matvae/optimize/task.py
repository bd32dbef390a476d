"""Scalar cost of goals and constraints, shared by all search methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .goal import MAXIMIZE, MINIMIZE, Constraint, Goal, check_requirements
from .property import Property

# Rounds off the kink of the cost at a target, in units of the property's standard deviation.
SMOOTHING = 0.01
# Weight of a constraint violation, so large that no goal can make up for it.
PENALTY = 100.0
# Safety margin inside a constraint: a fraction of its width or, if one-sided, of the property's standard deviation.
MARGIN, ONE_SIDED_MARGIN = 0.1, 0.01


@dataclass(frozen=True)
class Task:
    """Goals and constraints of a search. Columns of property values are in the order of `labels`.

    Parameters
    ----------
    goals, constraints : tuples
    scale, minimum, maximum : ndarray ``(property,)``, optional
        Standard deviation and range of each property over structures of the region; costs are relative to them.
    """

    goals: tuple[Goal, ...]
    constraints: tuple[Constraint, ...]
    scale: np.ndarray | None = None
    minimum: np.ndarray | None = None
    maximum: np.ndarray | None = None

    @classmethod
    def of(cls, goals: Sequence[Goal], constraints: Sequence[Constraint]) -> Task:
        """Create a task from goals and constraints that are consistent with each other."""
        check_requirements(goals, constraints)
        return cls(tuple(goals), tuple(constraints))

    @property
    def properties(self) -> dict[str, Property]:
        """Properties by label, each once."""
        requirements: list[Goal | Constraint] = [*self.constraints, *self.goals]
        return {requirement.label: requirement.property for requirement in requirements}

    @property
    def labels(self) -> list[str]:
        """Names of the columns of property values."""
        return list(self.properties)

    @property
    def has_gradient(self) -> bool:
        """Whether all properties are differentiable in soft structures."""
        return all(property.differentiable for property in self.properties.values())

    def scaled_by(self, values: np.ndarray) -> Task:
        """Task relative to values ``(sample, property)`` of structures of the region; NaN is ignored."""
        columns = [column[np.isfinite(column)] for column in values.T]
        scale = [float(column.std()) or 1.0 for column in columns]
        minimum, maximum = ([float(f(column)) for column in columns] for f in (np.min, np.max))
        return Task(self.goals, self.constraints, np.array(scale), np.array(minimum), np.array(maximum))

    def cost(self, values: Tensor, weights: Tensor | None = None) -> Tensor:
        """Cost ``(...)`` of property values ``(..., property)``; lower is better.

        Several goals are combined with `weights` ``(..., goal)`` by the augmented weighted Chebyshev function, which
        reaches every part of a Pareto front (Steuer & Choo, Mathematical Programming 26, 326 (1983)).
        """
        terms = self.terms(values)
        if weights is None:
            weights = torch.ones(len(self.goals), dtype=values.dtype, device=values.device)
        weighted = terms * weights
        cost = weighted.amax(-1) + (0.05 * weighted.sum(-1) if len(self.goals) > 1 else 0.0)
        return cost + PENALTY * self._violation(values)

    def terms(self, values: Tensor) -> Tensor:
        """Cost of each goal ``(..., goal)``, in standard deviations of its property; lower is better."""
        return torch.stack([self._term(goal, values) for goal in self.goals], dim=-1)

    def feasible(self, values: np.ndarray) -> np.ndarray:
        """Whether values ``(sample, property)`` satisfy all constraints; NaN does not."""
        is_feasible = np.ones(len(values), bool)
        for constraint in self.constraints:
            column = values[:, self.labels.index(constraint.label)]
            is_feasible &= (column >= constraint.low) & (column <= constraint.high)
        return is_feasible

    def pareto_front(self, values: np.ndarray) -> np.ndarray:
        """Whether no other feasible sample ``(sample, property)`` is better in one goal and as good in all others."""
        terms = self.terms(torch.from_numpy(values)).numpy()
        is_valid = self.feasible(values) & np.isfinite(terms).all(1)
        dominates = (terms[:, None] <= terms[None]).all(2) & (terms[:, None] < terms[None]).any(2)
        return is_valid & ~(dominates & is_valid[:, None]).any(0)

    def _term(self, goal: Goal, values: Tensor) -> Tensor:
        k = self.labels.index(goal.label)
        value, scale = values[..., k], self._entry(self.scale, k, 1.0)
        if goal.sense == MAXIMIZE:
            return (self._entry(self.maximum, k, 0.0) - value) / scale
        if goal.sense == MINIMIZE:
            return (value - self._entry(self.minimum, k, 0.0)) / scale
        assert goal.target is not None
        return (((value - goal.target) / scale).square() + SMOOTHING**2).sqrt() - SMOOTHING

    def _violation(self, values: Tensor) -> Tensor:
        violation = torch.zeros_like(values[..., 0])
        for constraint in self.constraints:
            k = self.labels.index(constraint.label)
            scale = self._entry(self.scale, k, 1.0)
            width = constraint.high - constraint.low
            margin = MARGIN * width / 2 if np.isfinite(width) else ONE_SIDED_MARGIN * scale
            below = constraint.low + margin - values[..., k]
            above = values[..., k] - constraint.high + margin
            violation = violation + (below.clamp(min=0) / scale).square() + (above.clamp(min=0) / scale).square()
        return violation

    @staticmethod
    def _entry(numbers: np.ndarray | None, k: int, default: float) -> float:
        return default if numbers is None else float(numbers[k])
