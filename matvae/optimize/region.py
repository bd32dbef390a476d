"""Region of latent space to which a search is confined, because the decoder is reliable only near its training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import chi2
from torch import Tensor

from ..errors import InputError
from ..stats.map_samples import as_tensor

# Fraction of the normal prior, or of the training latents, that lies inside.
COVERAGE = 0.95
# The nearest of this many training latents is found quickly; more would hardly change the region.
MAX_POINTS = 2000


@dataclass(frozen=True)
class Region:
    """Bounded region of latent space, with a score that is 0 at its centre and 1 at its boundary.

    Parameters
    ----------
    scale : Tensor ``(component,)``
        Length by which each component is divided before distances are computed.
    radius : float
        Largest scaled distance from the nearest point.
    points : Tensor ``(point, component)``
        Training latents, or the centre of the prior.
    kind : ``"prior"`` or ``"data"``
    """

    scale: Tensor
    radius: float
    points: Tensor
    kind: str

    @classmethod
    def of_prior(cls, n_components: int) -> Region:
        """Ball that holds 95 % of the standard normal prior."""
        radius = float(chi2.ppf(COVERAGE, n_components) ** 0.5)
        return cls(torch.ones(n_components), radius, torch.zeros(1, n_components), "prior")

    @classmethod
    def of_data(cls, latents: np.ndarray, n_components: int, seed: int = 0) -> Region:
        """Neighbourhood of training latents, as wide as 95 % of their nearest-neighbour distances.

        Parameters
        ----------
        latents : array ``(sample, component)``

        Raises
        ------
        InputError
            If the array does not hold ten or more finite latents of the model.
        """
        latents = np.asarray(latents, dtype=np.float32)
        has_shape = latents.ndim == 2 and latents.shape[1] == n_components and len(latents) >= 10
        if not has_shape or not np.isfinite(latents).all():
            raise InputError(
                f"Ten or more finite training latents (sample, {n_components}) are expected, but an array of shape "
                f"{latents.shape} was given. Pass model.transform(X) of the training structures."
            )
        if len(latents) > MAX_POINTS:
            latents = latents[np.random.default_rng(seed).choice(len(latents), MAX_POINTS, replace=False)]
        points = as_tensor(latents)
        scale = points.std(0).clamp(min=1e-6)
        distances = torch.cdist(points / scale, points / scale)
        nearest = distances.fill_diagonal_(torch.inf).amin(1)
        return cls(scale, max(float(nearest.quantile(COVERAGE)), 1e-3), points, "data")

    def draw(self, n: int, rng: np.random.Generator) -> Tensor:
        """Random latents ``(n, component)``: samples of the prior, or perturbed training latents."""
        noise = torch.from_numpy(rng.standard_normal((n, self.points.shape[1])).astype(np.float32))
        if self.kind == "prior":
            return self.project(noise)
        indices = torch.from_numpy(rng.choice(len(self.points), n, replace=n > len(self.points)))
        return self.project(self.points[indices] + noise * self.scale * self.radius / self.points.shape[1] ** 0.5)

    def score(self, z: Tensor) -> Tensor:
        """Distance of latents ``(n, component)`` from the nearest point, relative to that of the boundary."""
        return self._nearest(z)[1] / self.radius

    def project(self, z: Tensor) -> Tensor:
        """Move latents that lie outside onto the boundary."""
        point, distance = self._nearest(z)
        # Slightly inside, so that rounding never leaves a score above 1.
        shrinkage = (0.9999 * self.radius / distance.clamp(min=1e-12)).clamp(max=1)
        return point + (z - point) * shrinkage.unsqueeze(1)

    def describe(self) -> str:
        """Describe the region in one sentence."""
        if self.kind == "prior":
            return "Latents are confined to the region that holds 95 % of the standard normal prior."
        return (
            "Latents are confined to the neighbourhood of the training latents, within the distance of 95 % of those "
            "to their nearest neighbour."
        )

    def _nearest(self, z: Tensor) -> tuple[Tensor, Tensor]:
        distance, index = torch.cdist(z / self.scale, self.points / self.scale).min(1)
        return self.points[index], distance
