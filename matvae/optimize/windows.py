"""Training windows with the values of properties: where a search starts, and what its candidates have to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..data.subsets import spread_indices
from ..estimator import FittedModel
from ..estimator.samples import Samples, read_samples
from ..grid import Grid
from ..shown import Shown
from .measuring import measure_all
from .stages import MEASURING, Stages
from .task import Task

# Windows whose properties are measured, spread over the training set.
MOST_WINDOWS = 2000
# How many are measured at once, for properties with and without a gradient; the latter are logged as often.
BLOCK, BATCH = 64, 16

OnBatch = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True, repr=False)
class TrainingWindows(Shown):
    """Structures on which a model was fitted.

    Parameters
    ----------
    latents : ndarray ``(window, component)``
    structures : ndarray ``(window, *space)``
        Labels.
    """

    latents: np.ndarray
    structures: np.ndarray

    @classmethod
    def of(cls, model: Any, training: Any = None) -> TrainingWindows | None:
        """Training structures that are given, in the form passed to `fit`, or else those that a model carries.

        None if there are none, or none that lies inside its mask entirely.
        """
        fitted = FittedModel.of(model)
        if training is not None:
            samples = Samples.like(model, training).whole()
            if not len(samples):
                return None
            block = read_samples(samples.array, spread_indices(len(samples), MOST_WINDOWS))
            fields = fitted.module.fields(fitted.layout.tensor(block))
            return cls(fitted.latents(block), fields.argmax(1).numpy().astype(np.uint8))
        examples = fitted.module.examples
        if not len(examples):
            return None
        latents, chosen = fitted.module.statistics_decoder.example_latents, spread_indices(len(examples), MOST_WINDOWS)
        return cls(latents.cpu().numpy()[chosen], examples.cpu().numpy()[chosen])

    def measured(
        self,
        task: Task,
        grid: Grid,
        n_expensive: int,
        *,
        evaluated: tuple[np.ndarray, np.ndarray] | None = None,
        on_batch: OnBatch | None = None,
        stages: Stages | None = None,
    ) -> MeasuredWindows:
        """Measure all properties; those without a gradient, which take long, on some windows only.

        Parameters
        ----------
        task : Task
        grid : Grid
        n_expensive : int
            Number of windows on which properties without a gradient are measured: those that meet the constraints on
            other properties, or come closest to meeting them.
        evaluated : (latents, values), optional
            Of the first of these windows, measured earlier.
        on_batch : callable, optional
            Called with latents and values of windows on which such properties were measured.
        stages : Stages, optional
            Counts the windows.
        """
        stages = stages or Stages()
        properties = list(task.properties.values())
        cheap, expensive = (
            [k for k, property in enumerate(properties) if property.differentiable == is_cheap]
            for is_cheap in (True, False)
        )
        values, reasons = np.full((len(self.latents), len(properties)), np.nan), list[str]()

        def measure(part: np.ndarray, columns: list[int]) -> None:
            measured, more = measure_all([properties[k] for k in columns], self.structures[part], grid)
            values[part[:, None], columns] = measured
            reasons.extend(more)

        n_expensive = min(n_expensive, len(values)) if expensive else 0
        stages.begin(MEASURING, (len(values) if cheap else 0) + n_expensive)
        if cheap:
            for part in _batches(np.arange(len(values)), BLOCK):
                measure(part, cheap)
                stages.step(len(part))
        if not expensive:
            return MeasuredWindows(self.latents, self.structures, values, self, reasons)
        chosen = self._nearest_to_constraints(task, values, n_expensive)
        done = 0 if evaluated is None else min(len(chosen), len(evaluated[1]))
        if evaluated is not None:
            values[chosen[:done]] = evaluated[1][:done]
            stages.step(done)
        for part in _batches(chosen[done:], BATCH):
            measure(part, expensive)
            stages.step(len(part))
            if on_batch is not None:
                on_batch(self.latents[part], values[part])
        return MeasuredWindows(self.latents[chosen], self.structures[chosen], values[chosen], self, reasons)

    def _nearest_to_constraints(self, task: Task, values: np.ndarray, n: int) -> np.ndarray:
        """Indices of windows, spread over the set among those that meet constraints equally well."""
        excess = np.zeros(len(values))
        for constraint in task.constraints:
            column = values[:, task.labels.index(constraint.label)]
            if np.isfinite(column).any():
                distance = np.maximum(constraint.low - column, column - constraint.high).clip(0)
                excess += np.nan_to_num(distance / (np.nanstd(column) or 1.0))
        order = np.argsort(excess, kind="stable")
        n_meeting = int((excess == 0).sum())
        return order[spread_indices(n_meeting, n)] if n_meeting > n else order[:n]


@dataclass(frozen=True)
class MeasuredWindows:
    """Training windows with the values of all properties.

    Parameters
    ----------
    latents : ndarray ``(window, component)``
    structures : ndarray ``(window, *space)``
    values : ndarray ``(window, property)``
        NaN where a property is not defined.
    all : TrainingWindows
        With those that were not measured.
    reasons : list of str
        Reasons for missing values.
    """

    latents: np.ndarray
    structures: np.ndarray
    values: np.ndarray
    all: TrainingWindows
    reasons: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.latents)

    def meeting(self, task: Task) -> np.ndarray:
        """Values ``(window, property)`` of the windows that have all properties and meet all constraints."""
        return self.values[task.feasible(self.values) & np.isfinite(self.values).all(1)]

    def best(self, task: Task, n: int) -> torch.Tensor:
        """Latents ``(window, component)`` of the n best windows.

        First those of the Pareto front, then others that meet the constraints, then those that come closest to it.
        """
        costs = task.cost(torch.from_numpy(self.values)).numpy()
        is_first = [task.feasible(self.values), task.pareto_front(self.values)]
        order = np.lexsort([np.where(np.isfinite(costs), costs, np.inf), *(~mask for mask in is_first)])
        usable = order[np.isfinite(costs[order])]
        return torch.from_numpy(self.latents[usable[:n]])


def _batches(numbers: np.ndarray, size: int) -> list[np.ndarray]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
