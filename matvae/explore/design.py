"""Latents whose predicted measures are closest to targets: where a design starts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..estimator import FittedModel
from ..optimize.measuring import LatentDecoder
from .known import Known
from .preview import Previewer

# Starting points, of which the best known structures are half, and gradient steps from each.
STARTS, STEPS = 16, 80
RATE = 0.1


@dataclass(frozen=True)
class Design:
    """A latent found for targets.

    Attributes
    ----------
    latent : ndarray ``(component,)``
    predicted : dict of str to float
        Measures of the latent, by name.
    miss : float
        Largest difference from a target, in standard deviations over the known structures.
    command : str
        The `matvae optimize` that searches for, and verifies, the same.
    """

    latent: np.ndarray
    predicted: dict[str, float]
    miss: float
    command: str


class Designer:
    """Searches latents near those of known structures.

    Parameters
    ----------
    model : StatsVAETransformer
    known : Known
    previewer : Previewer
    location : str
        Of the model, for the command that searches for the same.
    """

    def __init__(self, model: Any, known: Known, previewer: Previewer, location: str = "MODEL") -> None:
        self.known, self.location = known, location
        self.fitted = FittedModel.of(model)
        self.decoder = previewer.predicted or LatentDecoder(model)

    def reach(self, targets: Mapping[str, float], seed: int = 0) -> Design:
        """Find the latent whose predicted measures are closest to targets, by gradient steps from several starts.

        Parameters
        ----------
        targets : mapping of str to float
            By the names of measures.
        seed : int

        Raises
        ------
        InputError
            If there are no targets, a name is unknown, or a measure cannot be predicted.
        """
        measures = {measure.name: k for k, measure in enumerate(self.known.measures)}
        if not targets or not set(targets) <= set(measures):
            raise InputError(
                f"Targets are one or more of {', '.join(measures) or 'no measures'}, but {sorted(targets)} was given. "
                "Tick a measure on the page."
            )
        properties = {name: self.known.measures[measures[name]].property for name in targets}
        wanted = torch.tensor(list(targets.values()), dtype=torch.float64)
        scale = torch.tensor([self._spread(measures[name]) for name in targets], dtype=torch.float64)

        def misses(z: torch.Tensor) -> torch.Tensor:
            return (self.decoder.soft_values(properties, z).double() - wanted) / scale

        z = self._starts(misses, np.random.default_rng(seed)).requires_grad_(True)
        optimizer = torch.optim.Adam([z], lr=RATE)
        for _ in range(STEPS):
            optimizer.zero_grad()
            misses(z).square().sum().backward()
            optimizer.step()
            with torch.no_grad():
                z.copy_(self.known.region.project(z))
        with torch.no_grad():
            final = misses(z).abs().amax(1)
            best = int(final.argmin())
            values = self.decoder.soft_values(properties, z[best : best + 1])[0].tolist()
        goals = " ".join(f"--goal '{name}={value:.4g}'" for name, value in targets.items())
        return Design(
            z[best].detach().numpy(),
            dict(zip(targets, values, strict=True)),
            float(final[best]),
            f"matvae optimize {shlex.quote(self.location)} {goals} -o design.zarr",
        )

    def _starts(self, misses: Any, rng: np.random.Generator) -> torch.Tensor:
        drawn = self.known.region.draw(STARTS // 2, rng)
        if not len(self.known):
            return drawn
        candidates = torch.from_numpy(self.known.latents.astype(np.float32))
        with torch.no_grad():
            if self.fitted.decodes_structures:
                candidates = candidates[torch.from_numpy(rng.permutation(len(candidates))[: 8 * STARTS])]
            order = misses(candidates).square().sum(1).argsort()
        return torch.cat([candidates[order[: STARTS // 2]], drawn])

    def _spread(self, k: int) -> float:
        values = self.known.values[:, k]
        return float(np.nanstd(values)) or 1.0 if len(values) and np.isfinite(values).any() else 1.0
