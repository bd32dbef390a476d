"""From soft phase fractions to labels: true to the volume fractions, or by a fixed threshold."""

from __future__ import annotations

import torch
from torch import Tensor

from ..stats.exact_counts import largest, whole_counts


def volume_fraction_labels(fractions: Tensor) -> Tensor:
    """Label voxels so that every phase has as many as its fractions add up to.

    A soft structure carries its volume fractions in its mean, which a threshold at a fixed value changes.
    Phases 1 to H-1 in turn take, of the voxels not yet taken, those in which they have the largest share of
    what they and the phases still to come, phase 0 among them, have there.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
        Non-negative, summing to one over the phases.

    Returns
    -------
    Tensor ``(sample, *space)``
        Labels 0..H-1 of type uint8. The count of a phase is the sum of its fractions to within one voxel, for
        two phases that sum rounded; the earlier voxel wins a tie.
    """
    flat = fractions.flatten(2)
    labels = torch.zeros(flat.shape[0], flat.shape[2], dtype=torch.uint8, device=flat.device)
    counts = whole_counts(flat.double().sum(-1), flat.shape[-1])
    # Summed up, not one minus the phases before: rounding must not make a share of next to nothing large.
    remaining = flat[:, :1] + flat[:, 1:].flip(1).cumsum(1).flip(1)
    free = torch.ones_like(labels, dtype=torch.bool)
    for phase in range(1, flat.shape[1]):
        share = flat[:, phase] / remaining[:, phase - 1].clamp_min(1e-12)
        chosen = largest(share.masked_fill(~free, -1.0), counts[:, phase])
        labels[chosen] = phase
        free &= ~chosen
    return labels.view(fractions.shape[0], *fractions.shape[2:])


def fixed_threshold_labels(fractions: Tensor, threshold: float) -> Tensor:
    """Label a voxel with a phase other than 0 where those phases together exceed `threshold`.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
    threshold : float
        0.05 in equation 3 of "Toward learning latent-variable representations of microstructures by
        optimizing in spatial statistics space" (ICLR 2024 tiny papers).

    Returns
    -------
    Tensor ``(sample, *space)``
        Labels of type uint8; of several phases the most probable one.
    """
    solid = fractions[:, 1:].sum(1) > threshold
    return (solid * (1 + fractions[:, 1:].argmax(1))).to(torch.uint8)
