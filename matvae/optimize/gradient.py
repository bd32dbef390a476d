"""Search by gradient through decoder and property, from many starts at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .measuring import Decoder, mean_and_spread, measure_all
from .region import Region
from .task import Task

LEARNING_RATE = 0.1
# Steps for which the difference of measured and soft values is taken to be what it was.
REFRESH = 10


@dataclass(frozen=True)
class GradientSearch:
    """Descends the cost of latents' soft structures, corrected to that of their thresholded ones.

    A soft structure has not quite the properties of the thresholded one. Its gradient shows the way all the same; the
    value is the soft one plus the difference, which is measured every few steps.

    Parameters
    ----------
    decoder : Decoder
    task : Task
        With its scale.
    region : Region
    """

    decoder: Decoder
    task: Task
    region: Region

    def soft(self, z: Tensor) -> Tensor:
        """Soft values ``(sample, property)`` of latents."""
        fractions = self.decoder.soft(z)
        return torch.stack([one.soft(fractions, self.decoder.grid) for one in self.task.properties.values()], dim=-1)

    def sharp(self, z: Tensor) -> np.ndarray:
        """Values ``(sample, property)`` of the thresholded structures."""
        return measure_all(list(self.task.properties.values()), self.decoder.structures(z), self.decoder.grid)[0]

    def realized(self, z: Tensor, n: int, seed: int) -> np.ndarray:
        """Mean values ``(sample, property)`` of realizations."""
        made = self.decoder.realizations(z, n, seed)
        return mean_and_spread(list(self.task.properties.values()), made, self.decoder.grid)[0]

    def run(
        self,
        starts: Tensor,
        weights: Tensor,
        n_steps: int,
        *,
        value: Callable[[Tensor], np.ndarray] | None = None,
        rate: float = LEARNING_RATE,
        on_step: Callable[[int], None] | None = None,
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """Improve starts ``(start, component)``.

        Parameters
        ----------
        starts : Tensor ``(start, component)``
        weights : Tensor ``(start, goal)``
        n_steps : int
        value : callable, optional
            Gives the values ``(start, property)`` that count; by default `sharp`.
        rate : float
            Largest step, in units of the region.
        on_step : callable, optional
            Called with the number of starts times steps done.

        Returns
        -------
        Tensor ``(start, component)``, ndarray ``(start, property)``, ndarray ``(start,)``
            The best latent that each start passed, with its values and cost.
        """
        step = self.decoder.at_once()
        parts = [
            self._run(starts[i : i + step], weights[i : i + step], n_steps, value or self.sharp, rate, on_step)
            for i in range(0, len(starts), step)
        ]
        z, values, costs = zip(*parts, strict=True)
        return torch.cat(z), np.concatenate(values), np.concatenate(costs)

    def _run(
        self,
        starts: Tensor,
        weights: Tensor,
        n_steps: int,
        value: Callable[[Tensor], np.ndarray],
        rate: float,
        on_step: Callable[[int], None] | None,
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        unit = self.region.unit
        u = (starts / unit).detach().requires_grad_()
        optimizer = torch.optim.Adam([u], lr=rate)
        best, best_values = starts.clone(), np.full((len(starts), len(self.task.labels)), np.nan)
        best_costs = np.full(len(starts), np.inf)
        offset = torch.zeros(best_values.shape)
        for step in range(n_steps + 1):
            if step % REFRESH == 0 or step == n_steps:
                z = (u * unit).detach()
                found = value(z)
                costs = self.costs(found, weights)
                better = costs < best_costs
                best[torch.from_numpy(better)] = z[torch.from_numpy(better)]
                best_values[better], best_costs[better] = found[better], costs[better]
                with torch.no_grad():
                    difference = torch.from_numpy(found) - self.soft(z).cpu()
                # Where nothing could be measured the soft value has to do.
                offset = torch.where(difference.isfinite(), difference, 0.0)
            if step == n_steps:
                break
            optimizer.param_groups[0]["lr"] = rate * (0.02 + 0.98 * (1 + math.cos(math.pi * step / n_steps)) / 2)
            values = self.soft(u * unit).cpu() + offset
            (u.grad,) = torch.autograd.grad(self.task.cost(values, weights).sum(), u)
            u.grad.nan_to_num_(0.0)
            optimizer.step()
            with torch.no_grad():
                u.copy_(self.region.project(u * unit) / unit)
            if on_step is not None:
                on_step(len(starts))
        return best, best_values, best_costs

    def costs(self, values: np.ndarray, weights: Tensor | None = None) -> np.ndarray:
        """Costs ``(sample,)`` of values ``(sample, property)``; infinite where one is missing."""
        costs = self.task.cost(torch.from_numpy(values), weights).numpy()
        return np.where(np.isfinite(costs), costs, np.inf)
