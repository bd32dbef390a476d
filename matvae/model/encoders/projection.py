"""Encoder of the decoder ``"statistics"``: the latent whose decoded statistics are closest."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from ..manifold import jacobian, search
from ..spec import ModelSpec
from .base import Encoder

if TYPE_CHECKING:
    from ..decoders.statistics import StatisticsDecoder

# Steps of the search for one latent.
STEPS = 40


class ProjectionEncoder(Encoder):
    """Projection onto the manifold of the decoder ``"statistics"``, with the width of the posterior.

    The mean is the latent whose decoded statistics are closest in the metric of the model: at first order a linear map
    of the statistics, as in PCA; at second order a linear map improved by a search. The variance is that of a Laplace
    approximation: ``1 / diag(I + J N^-1 J^T)`` with the derivatives J of the decoded PC scores and the covariance N of
    the sampling noise of a window (MacKay, Neural Computation 4, 448 (1992), for the approximation; the inverse of the
    diagonal is the factorised normal distribution closest in KL divergence). A latent may move that far before its
    statistics differ from those of the window by more than another window of the same material would.
    """

    decoder = "statistics"
    searches = True

    start: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.register_buffer(
            "start", torch.zeros(1 + int(spec.decoder_options["rank"]), spec.n_components, dtype=torch.float64)
        )
        # In a list it is not a submodule, so its weights are not those of this module.
        self._followed: list[StatisticsDecoder] = []

    def follow(self, decoder: nn.Module) -> None:
        """Invert this decoder."""
        self._followed = [cast("StatisticsDecoder", decoder)]

    @torch.no_grad()
    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``(sample, *lag, correlation)`` as mean and log-variance, each ``(sample, component)``."""
        (decoder,) = self._followed
        scores = decoder.scores(statistics)
        coefficients = decoder.coefficients.double()
        z = self.start[0].double() + scores @ self.start[1:].double()
        if decoder.order > 1:
            z = search(scores, z, coefficients, decoder.order, STEPS)
        slopes = jacobian(z, coefficients, decoder.order)
        precision = ((slopes @ decoder.noise_precision.double()) * slopes).sum(2) + 1.0
        return z.to(statistics.dtype), -precision.log().to(statistics.dtype)

    @torch.no_grad()
    def learn_start(self, scores: Tensor, z: Tensor, order: int) -> None:
        """Fit the linear map from PC scores ``(sample, score)`` to latents ``(sample, component)``."""
        n = z.shape[1]
        self.start.zero_()
        if order == 1:
            # Latents are the leading scores in units of their standard deviation.
            self.start[1 : 1 + n] = torch.diag(1 / scores[:, :n].std(0, correction=0).clamp_min(1e-12))
            return
        design = torch.cat([torch.ones_like(scores[:, :1]), scores], dim=1)
        # Faint scores are noise; this penalty is small for those with a variance above a thousandth of the first.
        penalty = torch.full((design.shape[1],), 1e-3 * len(z) * float(scores[:, 0].var()), dtype=z.dtype)
        penalty[0] = 0.0
        self.start.copy_(torch.linalg.solve(design.T @ design + torch.diag(penalty), design.T @ z))
