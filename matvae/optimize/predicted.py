"""Properties as functions of the latent, for decoders of statistics: decoded, or learned from training windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dask.array as da
import numpy as np
import torch
from torch import Tensor

from ..crew import ALONE, Crew, computed
from ..model.manifold import n_terms, regression, terms
from .measuring import LatentDecoder
from .property import Decoded, FromLatent, Property
from .windows import MeasuredWindows

# Windows per term below which a polynomial of second order follows the noise of single windows.
WINDOWS_PER_TERM = 3


@dataclass(frozen=True)
class Surrogate:
    """Polynomial of the latent that is closest to the values of training windows.

    Parameters
    ----------
    coefficients : Tensor ``(term, 1)``
    order : int
    """

    coefficients: Tensor
    order: int

    @classmethod
    def of(cls, latents: np.ndarray, values: np.ndarray) -> Surrogate:
        """Fit values ``(window,)`` of windows with latents ``(window, component)``; NaN is ignored."""
        is_finite = np.isfinite(values)
        n_components = latents.shape[1]
        order = 2 if is_finite.sum() >= WINDOWS_PER_TERM * n_terms(n_components, 2) else 1
        z, targets = (torch.tensor(array[is_finite], dtype=torch.float64) for array in (latents, values))
        return cls(regression(z, targets[:, None], order), order)

    def __call__(self, z: Tensor) -> Tensor:
        """Values ``(sample,)`` of latents."""
        return (terms(z.double(), self.order) @ self.coefficients.to(z.device))[:, 0]


@dataclass(frozen=True)
class TextureDecoder(LatentDecoder):
    """Structures that are realized from decoded statistics; values of properties are predicted without any.

    Parameters
    ----------
    model : StatsVAETransformer
        Its decoder gives statistics.
    crew : Crew
        Who realizes structures.
    surrogates : mapping of str to Surrogate
        Of the properties, by label, that the decoder does not give.
    """

    surrogates: Mapping[str, Surrogate] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: Any,
        properties: Mapping[str, Property],
        windows: MeasuredWindows | None,
        crew: Crew = ALONE,
    ) -> TextureDecoder:
        """Learn from training windows what the decoder does not give."""
        decoder = cls(model, crew)
        if windows is None:
            return decoder
        probe = torch.from_numpy(windows.latents[:1])
        return cls(
            model,
            crew,
            {
                label: Surrogate.of(windows.latents, windows.values[:, k])
                for k, (label, property) in enumerate(properties.items())
                if decoder._decoded_values(property, probe) is None
            },
        )

    def predicts(self, properties: Mapping[str, Property]) -> bool:
        """Whether every property is a function of the latent."""
        probe = torch.zeros(1, self.model.module_.spec.n_components)
        return all(
            label in self.surrogates or self._decoded_values(property, probe) is not None
            for label, property in properties.items()
        )

    def soft_values(self, properties: Mapping[str, Property], z: Tensor) -> Tensor:
        """Predicted values ``(sample, property)`` of latents, with a gradient."""
        columns = []
        for label, property in properties.items():
            surrogate = self.surrogates.get(label)
            values = self._decoded_values(property, z) if surrogate is None else surrogate(z)
            assert values is not None
            columns.append(values.double().to(z.device))
        return torch.stack(columns, dim=-1)

    def structures(self, z: Tensor) -> np.ndarray:
        """Labels ``(sample, *space)``, one realization of each latent."""
        return self.realizations(z, 1, 0)[:, 0]

    def realizations(self, z: Tensor, n: int, seed: int, on_part: Callable[[int], None] | None = None) -> np.ndarray:
        """Labels ``(sample, n, *space)`` of n different realizations of each latent, as in `LatentDecoder`."""
        # With a shape, structures are labels whatever the form of the samples.
        latents = da.from_array(z.detach().cpu().numpy(), chunks=(1, -1), name=False)
        lazy = self.model.inverse_transform(latents, n_realizations=n, random_state=seed, shape=self.grid.shape)
        return computed(lazy, self.crew, on_part)

    def shown(self, z: Tensor, realizations: np.ndarray) -> np.ndarray:
        """Structures ``(sample, *space)`` to show for latents with these realizations: the first ones."""
        return realizations[:, 0]

    def block_size(self, n_realizations: int = 1) -> int:
        """Number of latents to predict at once."""
        return 1024

    def _decoded_values(self, property: Property, z: Tensor) -> Tensor | None:
        if not isinstance(property, FromLatent):
            return None
        module = self.model.module_
        return property.from_latent(Decoded(z.to(module.field_mean), module), self.grid)
