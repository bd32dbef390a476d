"""Refinement of latents by gradient descent on the statistics of their reconstructions.

An encoder estimates in one pass which latent decodes to given statistics; a search that starts from this estimate
improves it in few steps (semi-amortised inference: Kim, Wiseman, Miller, Sontag & Rush, ICML 2018). Only statistics are
compared, so the refined latents are as invariant to shifts as those of the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .coarse import coarsen_statistics, levels
from .descent import descend
from .objective import sharpened, trained_distance
from .vae import StatsVAE

# Latents have a standard deviation of about one.
STEP = 0.05
# Steps on the full grid, as a share of those on the finest coarse grid, which cost a third as much.
FULL_SHARE = 0.4


def search_latents(module: StatsVAE, z: Tensor, statistics: Tensor, steps: int, *, short_range: float = 0.0) -> Tensor:
    """Refine latents so that the statistics of their reconstructions approach the target.

    Adam minimises the distance that the model was trained on, between the target and the statistics of the soft
    structure, with a step size that falls to zero along a cosine; a model with coarse grids takes most steps on the
    finest of these. A latent is left unchanged if its thresholded structure does not improve in this distance.

    Parameters
    ----------
    module : StatsVAE
    z : Tensor ``(sample, component)``
        Initial latents.
    statistics : Tensor ``(sample, *lag, correlation)``
        Target statistics.
    steps : int
    short_range : float
        Weight of the distance at short lags, as in training.

    Returns
    -------
    Tensor ``(sample, component)``
        Refined latents; each is independent of the other samples.
    """
    refined = z
    if module.spec.coarse is not None:
        factors = levels(module.spec.coarse)[-1]
        refined = _descend(module, refined, coarsen_statistics(statistics, factors), steps, factors, short_range)
        steps = math.ceil(FULL_SHARE * steps)
    refined = _descend(module, refined, statistics, steps, None, short_range)

    def thresholded(latents: Tensor) -> Tensor:
        output = sharpened(module, module.decode(latents))
        return trained_distance(module, statistics, module.statistics(output), module.spec.shape, short_range)

    with torch.no_grad():
        better = thresholded(refined) < thresholded(z)
    return torch.where(better.unsqueeze(1), refined, z)


def _descend(
    module: StatsVAE, z: Tensor, target: Tensor, steps: int, factors: Sequence[int] | None, short_range: float
) -> Tensor:
    def error_of(z: Tensor) -> Tensor:
        output = module.decode(z, factors)
        return trained_distance(module, target, module.statistics(output), output.shape[2:], short_range)

    (refined,) = descend(error_of, [z], [STEP], steps)
    return refined
