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

from ..stats import relative_error
from .coarse import coarsen_statistics, levels
from .descent import descend
from .objective import thresholded_error
from .vae import StatsVAE

# Latents have a standard deviation of about one.
STEP = 0.05
# Steps on the full grid, as a share of those on the finest coarse grid, which cost a third as much.
FULL_SHARE = 0.4


def search_latents(module: StatsVAE, z: Tensor, statistics: Tensor, steps: int) -> Tensor:
    """Refine latents so that the statistics of their reconstructions approach the target.

    Adam minimises the relative error of the soft structure's statistics, with a step size that falls to zero along a
    cosine; a model with coarse grids takes most steps on the finest of these. A latent is left unchanged if its
    thresholded structure does not improve.

    Parameters
    ----------
    module : StatsVAE
    z : Tensor ``(sample, component)``
        Initial latents.
    statistics : Tensor ``(sample, *lag, correlation)``
        Target statistics.
    steps : int

    Returns
    -------
    Tensor ``(sample, component)``
        Refined latents; each is independent of the other samples.
    """
    refined = z
    if module.spec.coarse is not None:
        factors = levels(module.spec.coarse)[-1]
        refined = _descend(module, refined, coarsen_statistics(statistics, factors), steps, factors)
        steps = math.ceil(FULL_SHARE * steps)
    refined = _descend(module, refined, statistics, steps, None)
    with torch.no_grad():
        before, after = (thresholded_error(module, statistics, module.decode(latents)) for latents in (z, refined))
    return torch.where((after < before).unsqueeze(1), refined, z)


def _descend(module: StatsVAE, z: Tensor, target: Tensor, steps: int, factors: Sequence[int] | None) -> Tensor:
    def error_of(z: Tensor) -> Tensor:
        return relative_error(target, module.statistics(module.decode(z, factors)))

    (refined,) = descend(error_of, [z], [STEP], steps)
    return refined
