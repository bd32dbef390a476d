"""Terms of the training loss.

Equation 1 of "Toward learning latent-variable representations of microstructures by optimizing in spatial
statistics space" (ICLR 2024 tiny papers) is ``alpha * ||f(x) - f(x_recon)||_2 + beta * KL`` per
sample, averaged over the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..stats import statistics_distance

VOXELS = "voxels"
LOSSES = ("relative", "absolute", VOXELS)
# Share of the mean norm in a batch below which smaller statistics gain no more weight.
SMALLEST_SHARE = 0.05


def statistics_loss(f: Tensor, g: Tensor, kind: str, mean: Callable[[Tensor], Tensor] = torch.mean) -> Tensor:
    """Distance of statistics per sample: ``"absolute"`` as in equation 1, or ``"relative"`` to the norm of `f`.

    Parameters
    ----------
    f, g : Tensor ``(sample, *lag, correlation)``
        Statistics of the originals and of the reconstructions.
    kind : str
    mean : callable
        Mean over the batch of values ``(sample,)``, if `f` is only a part of it.

    Returns
    -------
    Tensor ``(sample,)``
    """
    distance = statistics_distance(f, g)
    if kind == "absolute":
        return distance
    return _relative(distance, statistics_distance(f, torch.zeros_like(f)), mean)


def short_range_loss(
    f: Tensor, g: Tensor, reach: Sequence[int], mean: Callable[[Tensor], Tensor] = torch.mean
) -> Tensor:
    """Distance of statistics at short lags per sample, relative to their variation there.

    The norm over all lags is dominated by the volume fraction, which sets the level of f at every lag: noise with the
    right volume fraction comes close to any disordered structure. They differ in the peak around lag zero, which
    encodes specific surface and feature size.

    Parameters
    ----------
    f, g : Tensor ``(sample, *lag, correlation)``
        Statistics of the originals and of the reconstructions, with the zero lag in the centre.
    reach : sequence of int
        Largest short lag along each axis.
    mean : callable
        As in `statistics_loss`.

    Returns
    -------
    Tensor ``(sample,)``
    """
    return _relative(*short_range_distance(f, g, reach), mean)


def short_range_distance(f: Tensor, g: Tensor, reach: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Distance of statistics at short lags and variation of `f` there, ``(sample,)`` each, see `short_range_loss`."""
    for axis, longest in enumerate(reach, start=1):
        zero = f.shape[axis] // 2
        lags = min(longest, (f.shape[axis] - 1) // 2)
        f, g = (x.narrow(axis, zero - lags, 2 * lags + 1) for x in (f, g))
    level = f.mean(tuple(range(1, f.ndim - 1)), keepdim=True)
    return statistics_distance(f, g), statistics_distance(f, level.expand_as(f))


def _relative(distance: Tensor, size: Tensor, mean: Callable[[Tensor], Tensor]) -> Tensor:
    # A structure of a single phase can have zero statistics: without a floor it would dominate the batch.
    return distance / size.clamp_min(SMALLEST_SHARE * mean(size)).clamp_min(1e-12)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of the latent distribution from the standard normal distribution, per sample.

    Kingma & Welling, "Auto-encoding variational Bayes" (2014), appendix B.

    Parameters
    ----------
    mean, log_variance : Tensor ``(sample, component)``

    Returns
    -------
    Tensor ``(sample,)``
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)


def overlap_loss(target: Tensor, output: Tensor) -> Tensor:
    """Cross-entropy plus Dice loss of fractions against a registered target, per sample.

    The cross-entropy teaches the position of phases; the Dice loss (Milletari et al., "V-Net", 2016, sec. 3) preserves
    thin phases, which hardly count in a mean over voxels.

    Parameters
    ----------
    target, output : Tensor ``(sample, phase, *space)``
        Fractions that sum to one over the phases; target values outside [0, 1] are clipped.

    Returns
    -------
    Tensor ``(sample,)``
    """
    truth, fractions = target[:, 1:].flatten(2).clamp(0, 1), output[:, 1:].flatten(2)
    # torch raises an error for a cross-entropy of NaN; the Dice loss propagates it to the sum, where it is reported.
    entropy = functional.binary_cross_entropy(fractions.nan_to_num().clamp(0, 1), truth, reduction="none")
    shared = (truth * fractions).sum(-1)
    total = (truth + fractions).sum(-1)
    dice = 1.0 - (2.0 * shared + 1.0) / (total + 1.0)
    return entropy.sum(1).mean(-1) + dice.mean(1)


def voxel_loss(target: Tensor, output: Tensor, scale: Tensor) -> Tensor:
    """Voxelwise distance per sample, as in an autoencoder of images.

    The mean over voxels of the cross-entropy between decoded fractions and the phases of the original; for a continuous
    field, the mean squared error divided by its variance. This is the reconstruction term of Kingma & Welling,
    "Auto-encoding variational Bayes" (2014), divided by the number of voxels; the inverse of that number is the `beta`
    of their bound.

    Parameters
    ----------
    target, output : Tensor ``(sample, phase, *space)``
        States of the originals and decoded fractions, or fields.
    scale : Tensor
        Standard deviation of a continuous field, the unit of its error; unused for phases.

    Returns
    -------
    Tensor ``(sample,)``
    """
    if target.shape[1] == 1:
        return ((output - target) / scale).square().flatten(1).mean(1)
    # The loss of a fraction that underflows is large but finite.
    entropy = -(target * output.clamp_min(torch.finfo(output.dtype).tiny).log()).sum(1)
    return entropy.flatten(1).mean(1)
