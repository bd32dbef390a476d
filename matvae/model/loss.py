"""Terms of the training loss.

Equation 1 of "Toward learning latent-variable representations of microstructures by optimizing in spatial
statistics space" (ICLR 2024 tiny papers) is ``alpha * ||f(x) - f(x_recon)||_2 + beta * KL``, a sample; the
batch is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..stats import statistics_distance

VOXELS = "voxels"
LOSSES = ("relative", "absolute", VOXELS)
# Of the mean size in a batch: smaller statistics are not weighed any higher.
SMALLEST_SHARE = 0.05


def statistics_loss(f: Tensor, g: Tensor, kind: str) -> Tensor:
    """Distance of statistics a sample: ``"absolute"`` as in equation 1, or ``"relative"`` to the size of `f`.

    Parameters
    ----------
    f, g : Tensor ``(sample, *lag, correlation)``
        Statistics of the originals and of the reconstructions.

    Returns
    -------
    Tensor ``(sample,)``
    """
    distance = statistics_distance(f, g)
    if kind == "absolute":
        return distance
    return _relative(distance, statistics_distance(f, torch.zeros_like(f)))


def short_range_loss(f: Tensor, g: Tensor, reach: Sequence[int]) -> Tensor:
    """Distance of statistics at short lags, relative to how much they vary there, a sample.

    Over all lags a norm is ruled by the volume fraction, the level of f at every lag: noise with the right volume
    fraction comes close to any disordered structure. What tells them apart is the peak around lag zero, which
    holds specific surface and feature size.

    Parameters
    ----------
    f, g : Tensor ``(sample, *lag, correlation)``
        Statistics of the originals and of the reconstructions, zero lag in the middle.
    reach : sequence of int
        Largest short lag along each axis.

    Returns
    -------
    Tensor ``(sample,)``
    """
    for axis, most in enumerate(reach, start=1):
        zero = f.shape[axis] // 2
        lags = min(most, (f.shape[axis] - 1) // 2)
        f, g = (x.narrow(axis, zero - lags, 2 * lags + 1) for x in (f, g))
    level = f.mean(tuple(range(1, f.ndim - 1)), keepdim=True)
    return _relative(statistics_distance(f, g), statistics_distance(f, level.expand_as(f)))


def _relative(distance: Tensor, size: Tensor) -> Tensor:
    # A structure that is all one phase can have zero statistics: without a floor it would rule the batch.
    return distance / size.clamp_min(SMALLEST_SHARE * size.mean()).clamp_min(1e-12)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of the latent's normal distribution from the standard normal one, a sample.

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
    """Cross-entropy plus Dice loss of fractions against a registered target, a sample.

    Cross-entropy teaches where phases are; Dice (Milletari et al., "V-Net", 2016, sec. 3) keeps thin phases,
    which hardly count in a mean over voxels.

    Parameters
    ----------
    target, output : Tensor ``(sample, phase, *space)``
        Fractions that sum to one over the phases; a target beyond 0 and 1 counts as these.

    Returns
    -------
    Tensor ``(sample,)``
    """
    truth, fractions = target[:, 1:].flatten(2).clamp(0, 1), output[:, 1:].flatten(2)
    # The cross-entropy stops with an error of torch's own at NaN; Dice carries it on, to be seen in the sum.
    entropy = functional.binary_cross_entropy(fractions.nan_to_num().clamp(0, 1), truth, reduction="none")
    shared = (truth * fractions).sum(-1)
    total = (truth + fractions).sum(-1)
    dice = 1.0 - (2.0 * shared + 1.0) / (total + 1.0)
    return entropy.sum(1).mean(-1) + dice.mean(1)


def voxel_loss(target: Tensor, output: Tensor, scale: Tensor) -> Tensor:
    """Distance voxel by voxel, as an autoencoder of images has it, a sample.

    The mean over voxels of the cross-entropy between decoded fractions and the original's phases; of a continuous
    field the mean squared error over its variance. This is the reconstruction term of Kingma & Welling, "Auto-encoding
    variational Bayes" (2014), over the number of voxels, whose inverse is the `beta` of their bound.

    Parameters
    ----------
    target, output : Tensor ``(sample, phase, *space)``
        The original's states and the decoded fractions, or fields.
    scale : Tensor
        Spread of a continuous field, the unit of its error; phases have none.

    Returns
    -------
    Tensor ``(sample,)``
    """
    if target.shape[1] == 1:
        return ((output - target) / scale).square().flatten(1).mean(1)
    # A fraction that underflows costs much, but not infinitely much.
    entropy = -(target * output.clamp_min(torch.finfo(output.dtype).tiny).log()).sum(1)
    return entropy.flatten(1).mean(1)
