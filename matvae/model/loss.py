"""Terms of the training loss.

Equation 1 of "Toward learning latent-variable representations of microstructures by optimizing in spatial
statistics space" (ICLR 2024 tiny papers) is ``alpha * ||f(x) - f(x_recon)||_2 + beta * KL``, a sample; the
batch is averaged.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..stats import statistics_distance

LOSSES = ("relative", "absolute")
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
    size = statistics_distance(f, torch.zeros_like(f))
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
