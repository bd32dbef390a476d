"""Decoder of statistics: from the latent to 2-point statistics and further descriptors, without a structure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..encoders.base import STATISTICS
from ..manifold import n_terms, regression, terms
from ..spec import ModelSpec
from .base import Decoder

# Leading principal components in which statistics are represented.
MAX_RANK = 100
# Names of descriptors that other parts ask for.
VOLUME_FRACTION, SURFACE_AREA, VARIOGRAM = "volume_fraction", "surface_area", "variogram"


class StatisticsDecoder(Decoder):
    """2-point statistics as a polynomial of the latent in the space of principal components.

    The components are those of the metric of the model (`lag_weights`). At first order this is PCA; at second order the
    surface bends with the data (see `manifold`). Further descriptors, such as volume fractions and specific surface,
    are polynomials of the same latent. The decoder also carries a bounded number of training windows with their
    latents, from which structures with the decoded statistics are realised, and the weight of the variogram beside the
    2-point statistics in doing so.

    ``spec.decoder_options`` holds ``rank`` (number of principal components), ``order`` (of the polynomial),
    ``descriptors`` (name to shape of one sample) and ``examples`` (number of windows).
    """

    encoder = "projection"
    decodes = STATISTICS

    mean: Tensor
    weights: Tensor
    examples: Tensor
    example_latents: Tensor
    noise_precision: Tensor
    variogram_weight: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        options = spec.decoder_options
        self.rank, self.order = int(options["rank"]), int(options["order"])
        self.descriptor_shapes = {name: tuple(shape) for name, shape in dict(options["descriptors"]).items()}
        self.lags = (*spec.lag_shape, len(spec.pairs))
        n_features = math.prod(self.lags)
        n_columns = sum(map(math.prod, self.descriptor_shapes.values()))
        n_rows = n_terms(spec.n_components, self.order)
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("weights", torch.ones(n_features))
        self.basis = _constant(torch.zeros(self.rank, n_features))
        # The search solves normal equations, which need double precision.
        self.coefficients = _constant(torch.zeros(n_rows, self.rank, dtype=torch.float64))
        self.descriptor_coefficients = _constant(torch.zeros(n_rows, n_columns, dtype=torch.float64))
        self.register_buffer("noise_precision", torch.zeros(self.rank, self.rank, dtype=torch.float64))
        n_examples = int(options["examples"])
        self.register_buffer("examples", torch.zeros(n_examples, *spec.shape, dtype=torch.uint8))
        self.register_buffer("example_latents", torch.zeros(n_examples, spec.n_components))
        self.register_buffer("variogram_weight", torch.tensor(1.0))

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode latents ``(sample, component)`` to statistics ``(sample, *lag, correlation)``."""
        scores = terms(z.double(), self.order) @ self.coefficients.double()
        return (self.mean + scores.to(self.basis.dtype) @ self.basis).view(-1, *self.lags)

    def descriptors(self, z: Tensor) -> dict[str, Tensor]:
        """Decode latents ``(sample, component)`` to descriptors by name, each ``(sample, *shape)``."""
        columns = terms(z.double(), self.order) @ self.descriptor_coefficients.double()
        widths = [math.prod(shape) for shape in self.descriptor_shapes.values()]
        parts = columns.to(self.basis.dtype).split(widths, dim=1) if widths else []
        return {
            name: part.reshape(-1, *shape)
            for (name, shape), part in zip(self.descriptor_shapes.items(), parts, strict=True)
        }

    def scores(self, statistics: Tensor) -> Tensor:
        """PC scores ``(sample, score)`` of statistics, in double precision and in units of the first one."""
        scale = (self.basis.square() * self.weights).sum(1, keepdim=True).clamp_min(1e-30)
        projection = self.basis * self.weights / scale
        return ((statistics.flatten(1).to(self.mean) - self.mean) @ projection.T).double()

    @torch.no_grad()
    def learn_components(self, mean: Tensor, components: Tensor, weights: Tensor, unit: float) -> None:
        """Take over principal components of weighted statistics.

        Parameters
        ----------
        mean : Tensor ``(feature,)``
            Of the statistics.
        components : Tensor ``(score, feature)``
            Orthonormal, of statistics times the square roots of the weights.
        weights : Tensor ``(feature,)``
            Of squared differences.
        unit : float
            Scores are in this unit.
        """
        self.mean.copy_(mean)
        self.weights.copy_(weights)
        self.basis.copy_(unit * components / weights.sqrt())

    @torch.no_grad()
    def learn_descriptors(self, z: Tensor, descriptors: Mapping[str, Tensor]) -> None:
        """Fit the polynomials of descriptors ``(sample, *shape)`` of samples with latents ``(sample, component)``.

        Each is fitted to the samples for which it is known, i.e. not NaN.
        """
        fitted = []
        for name in self.descriptor_shapes:
            values = descriptors[name].flatten(1).double()
            known = ~values.isnan().any(1)
            fitted.append(regression(z[known].double(), values[known], self.order))
        if fitted:
            self.descriptor_coefficients.copy_(torch.cat(fitted, dim=1))


def _constant(values: Tensor) -> nn.Parameter:
    """A weight that is not trained by gradient descent."""
    return nn.Parameter(values, requires_grad=False)
