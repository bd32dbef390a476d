"""The part of latent space that a search may not leave: where the decoder has learned what structures look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import chi2
from torch import Tensor

from ..errors import InputError
from ..stats.map_samples import as_tensor

# Share of the normal prior, or of the data, that lies within.
INSIDE = 0.95
# The nearest of so many training latents is found quickly, and more would hardly change the region.
MOST_POINTS = 2000


@dataclass(frozen=True)
class Region:
    """A bounded region of latents, with a score that is 0 in its middle and 1 at its boundary.

    Parameters
    ----------
    unit : Tensor ``(component,)``
        Length of each component in which distances are measured.
    radius : float
        Largest distance from the nearest point, in units.
    points : Tensor ``(point, component)``
        Training latents; of the prior its centre.
    kind : ``"prior"`` or ``"data"``
    """

    unit: Tensor
    radius: float
    points: Tensor
    kind: str

    @classmethod
    def of_prior(cls, n_components: int) -> Region:
        """Where 95 % of the standard normal prior lies: a ball."""
        radius = float(chi2.ppf(INSIDE, n_components) ** 0.5)
        return cls(torch.ones(n_components), radius, torch.zeros(1, n_components), "prior")

    @classmethod
    def of_data(cls, latents: np.ndarray, n_components: int, seed: int = 0) -> Region:
        """As near to a training latent as 95 % of those are to the nearest other.

        Parameters
        ----------
        latents : array ``(sample, component)``

        Raises
        ------
        InputError
            If these are no finite latents of the model, or fewer than ten.
        """
        found = np.asarray(latents, dtype=np.float32)
        if found.ndim != 2 or found.shape[1] != n_components or len(found) < 10 or not np.isfinite(found).all():
            raise InputError(
                f"Ten or more finite training latents (sample, {n_components}) are expected, but an array of shape "
                f"{found.shape} was given. Pass model.transform(X) of the training structures."
            )
        if len(found) > MOST_POINTS:
            found = found[np.random.default_rng(seed).choice(len(found), MOST_POINTS, replace=False)]
        points = as_tensor(found)
        unit = points.std(0).clamp(min=1e-6)
        distances = torch.cdist(points / unit, points / unit)
        nearest = distances.fill_diagonal_(torch.inf).amin(1)
        return cls(unit, max(float(nearest.quantile(INSIDE)), 1e-3), points, "data")

    def draw(self, n: int, rng: np.random.Generator) -> Tensor:
        """Latents ``(n, component)`` at random: of the prior, or training latents moved a little."""
        noise = torch.from_numpy(rng.standard_normal((n, self.points.shape[1])).astype(np.float32))
        if self.kind == "prior":
            return self.project(noise)
        chosen = torch.from_numpy(rng.choice(len(self.points), n, replace=n > len(self.points)))
        return self.project(self.points[chosen] + noise * self.unit * self.radius / self.points.shape[1] ** 0.5)

    def score(self, z: Tensor) -> Tensor:
        """How far out latents ``(n, component)`` are: 1 at the boundary."""
        return self._nearest(z)[1] / self.radius

    def project(self, z: Tensor) -> Tensor:
        """The latents, those outside moved to the boundary."""
        point, distance = self._nearest(z)
        # A little inside: rounding must not leave a score above one.
        share = (0.9999 * self.radius / distance.clamp(min=1e-12)).clamp(max=1)
        return point + (z - point) * share.unsqueeze(1)

    def describe(self) -> str:
        """What the region is, in a sentence."""
        if self.kind == "prior":
            return "Latents stay where 95 % of the standard normal prior lies."
        return "Latents stay as near to a training latent as 95 % of those are to the nearest other."

    def _nearest(self, z: Tensor) -> tuple[Tensor, Tensor]:
        distance, index = torch.cdist(z / self.unit, self.points / self.unit).min(1)
        return self.points[index], distance
