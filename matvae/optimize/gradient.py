"""Multi-start gradient search through decoder and properties."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .measuring import LatentDecoder, mean_and_std, measure_all
from .region import Region
from .task import Task

LEARNING_RATE = 0.1
# Number of steps for which the difference between measured and soft values is taken to be constant.
REFRESH_STEPS = 10


@dataclass(frozen=True)
class GradientSearch:
    """Gradient descent on the cost of soft structures, corrected to that of the thresholded ones.

    The properties of a soft structure differ somewhat from those of the thresholded one, but its gradient still points
    in the right direction. The value used is the soft one plus the difference, which is measured every few steps.

    Parameters
    ----------
    decoder : LatentDecoder
    task : Task
        With its scale.
    region : Region
    """

    decoder: LatentDecoder
    task: Task
    region: Region

    def soft(self, z: Tensor) -> Tensor:
        """Property values ``(sample, property)`` of the soft structures of latents."""
        return self.decoder.soft_values(self.task.properties, z)

    def thresholded(self, z: Tensor) -> np.ndarray:
        """Property values ``(sample, property)`` of the thresholded structures of latents."""
        return measure_all(self.task.properties.values(), self.decoder.structures(z), self.decoder.grid)[0]

    def realized(self, z: Tensor, n: int, seed: int, on_part: Callable[[int], None] | None = None) -> np.ndarray:
        """Mean property values ``(sample, property)`` over n realizations of each latent."""
        realizations = self.decoder.realizations(z, n, seed, on_part)
        return mean_and_std(self.task.properties.values(), realizations, self.decoder.grid)[0]

    def costs(self, values: np.ndarray, weights: Tensor | None = None) -> np.ndarray:
        """Costs ``(sample,)`` of values ``(sample, property)``; infinite where a value is missing."""
        costs = self.task.cost(torch.from_numpy(values), weights).numpy()
        return np.where(np.isfinite(costs), costs, np.inf)

    def run(
        self,
        starts: Tensor,
        weights: Tensor,
        n_steps: int,
        *,
        evaluate: Callable[[Tensor], np.ndarray] | None = None,
        rate: float = LEARNING_RATE,
        on_step: Callable[[int], None] | None = None,
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """Improve starting points.

        Parameters
        ----------
        starts : Tensor ``(start, component)``
        weights : Tensor ``(start, goal)``
        n_steps : int
        evaluate : callable, optional
            Returns the values ``(start, property)`` to be improved; by default `thresholded`.
        rate : float
            Initial learning rate, in units of the region's scale.
        on_step : callable, optional
            Called after each step with the number of starts it advanced.

        Returns
        -------
        Tensor ``(start, component)``, ndarray ``(start, property)``, ndarray ``(start,)``
            Best latent found from each start, its values and its cost.
        """
        size = self.decoder.block_size()
        blocks = [
            self._run(starts[i : i + size], weights[i : i + size], n_steps, evaluate or self.thresholded, rate, on_step)
            for i in range(0, len(starts), size)
        ]
        latents, values, costs = zip(*blocks, strict=True)
        return torch.cat(latents), np.concatenate(values), np.concatenate(costs)

    def _run(
        self,
        starts: Tensor,
        weights: Tensor,
        n_steps: int,
        evaluate: Callable[[Tensor], np.ndarray],
        rate: float,
        on_step: Callable[[int], None] | None,
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        scale = self.region.scale
        u = (starts / scale).detach().requires_grad_()
        optimizer = torch.optim.Adam([u], lr=rate)
        best, best_values = starts.clone(), np.full((len(starts), len(self.task.labels)), np.nan)
        best_costs = np.full(len(starts), np.inf)
        offset = torch.zeros(best_values.shape)
        for step in range(n_steps + 1):
            if step % REFRESH_STEPS == 0 or step == n_steps:
                z = (u * scale).detach()
                values = evaluate(z)
                costs = self.costs(values, weights)
                improved = costs < best_costs
                best[torch.from_numpy(improved)] = z[torch.from_numpy(improved)]
                best_values[improved], best_costs[improved] = values[improved], costs[improved]
                with torch.no_grad():
                    difference = torch.from_numpy(values) - self.soft(z).cpu()
                # The soft value stands in where nothing could be measured.
                offset = torch.where(difference.isfinite(), difference, 0.0)
            if step == n_steps:
                break
            optimizer.param_groups[0]["lr"] = rate * (0.02 + 0.98 * (1 + math.cos(math.pi * step / n_steps)) / 2)
            corrected = self.soft(u * scale).cpu() + offset
            (u.grad,) = torch.autograd.grad(self.task.cost(corrected, weights).sum(), u)
            u.grad.nan_to_num_(0.0)
            optimizer.step()
            with torch.no_grad():
                u.copy_(self.region.project(u * scale) / scale)
            if on_step is not None:
                on_step(len(starts))
        return best, best_values, best_costs
