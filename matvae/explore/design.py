"""Latents whose predicted measures are closest to targets: where a design starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..estimator import FittedModel
from ..optimize.measuring import LatentDecoder
from .known import Known
from .measures import Measure
from .preview import Previewer
from .state import mapping_of

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
    """

    latent: np.ndarray
    predicted: dict[str, float]
    miss: float


def read_targets(given: Any, measures: Sequence[Measure]) -> dict[str, float]:
    """Read ``targets``, finite numbers by the names of measures, from JSON.

    Raises
    ------
    InputError
        If there are none, a name is unknown, or one is not a finite number.
    """
    targets, names = mapping_of(mapping_of(given).get("targets")), [measure.name for measure in measures]
    if not targets or not set(targets) <= set(names):
        raise InputError(
            f"Targets are one or more of {', '.join(names) or 'no measures'}, but {sorted(map(str, targets))!s:.200} "
            "was given. Tick a measure on the page."
        )
    for value in targets.values():
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise InputError("Targets must be finite numbers. Move the sliders of the targets.")
    return {name: float(value) for name, value in targets.items()}


class Designer:
    """Searches latents near those of known structures.

    Parameters
    ----------
    model : StatsVAETransformer
    known : Known
    previewer : Previewer
    """

    def __init__(self, model: Any, known: Known, previewer: Previewer) -> None:
        self.known = known
        self.fitted = FittedModel.of(model)
        self.decoder = previewer.predicted or LatentDecoder(model)

    def reach(self, targets: Mapping[str, float], seed: int = 0) -> Design:
        """Find the latent whose predicted measures are closest to targets, by gradient steps from several starts.

        Parameters
        ----------
        targets : mapping of str to float
            By the names of measures.
        seed : int
        """
        measures = {measure.name: k for k, measure in enumerate(self.known.measures)}
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
        return Design(
            z[best].detach().numpy(),
            dict(zip(targets, values, strict=True)),
            float(final[best]),
        )

    def predict(self, names: Sequence[str], latents: np.ndarray) -> np.ndarray:
        """Predicted values ``(sample, name)`` of measures, by their names, of latents ``(sample, component)``."""
        properties = {measure.name: measure.property for measure in self.known.measures if measure.name in names}
        with torch.no_grad():
            found = self.decoder.soft_values({name: properties[name] for name in names}, torch.from_numpy(latents))
        return found.cpu().numpy()

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
