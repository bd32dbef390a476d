"""Latents looked for by the statistics of what they decode to, from where the encoder puts them.

An encoder answers in one pass what a search answers better: which latent decodes to these statistics? Starting where
the encoder points needs few steps (semi-amortised inference: Kim, Wiseman, Miller, Sontag & Rush, ICML 2018). Only
statistics are compared, so latents stay as blind to shifts as those of the encoder.
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

# Latents have about unit spread.
STEP = 0.05
# Of a model with coarse grids: steps on the full grid after those on the finest coarse one, which cost a third.
FULL_SHARE = 0.4


def search_latents(module: StatsVAE, z: Tensor, statistics: Tensor, steps: int) -> Tensor:
    """Move latents until the statistics of what they decode to are closer to those wanted.

    Adam on the relative error of the soft structure's statistics, with steps that fall to zero along a cosine; a
    model with coarse grids takes most of them on the finest of these. A latent whose thresholded structure got no
    better stays.

    Parameters
    ----------
    module : StatsVAE
    z : Tensor ``(sample, component)``
        Where to start.
    statistics : Tensor ``(sample, *lag, correlation)``
        Of the structures the latents stand for.
    steps : int

    Returns
    -------
    Tensor ``(sample, component)``
        Each sample's result is independent of the others'.
    """
    moved = z
    if module.spec.coarse is not None:
        factors = levels(module.spec.coarse)[-1]
        moved = _descend(module, moved, coarsen_statistics(statistics, factors), steps, factors)
        steps = math.ceil(FULL_SHARE * steps)
    moved = _descend(module, moved, statistics, steps, None)
    with torch.no_grad():
        before, after = (thresholded_error(module, statistics, module.decode(latents)) for latents in (z, moved))
    return torch.where((after < before).unsqueeze(1), moved, z)


def _descend(module: StatsVAE, z: Tensor, wanted: Tensor, steps: int, factors: Sequence[int] | None) -> Tensor:
    def error_of(z: Tensor) -> Tensor:
        return relative_error(wanted, module.statistics(module.decode(z, factors)))

    (moved,) = descend(error_of, [z], [STEP], steps)
    return moved
