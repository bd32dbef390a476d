"""From soft phase fractions to labels: true to the volume fractions, along straight pieces, or by a fixed threshold."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..stats.exact_counts import largest, whole_counts

# A straight piece is this share of the side long.
PIECE_SHARE = 8


def volume_fraction_labels(fractions: Tensor, places: Tensor | None = None) -> Tensor:
    """Label voxels so that every phase has as many as its fractions add up to.

    A soft structure carries its volume fractions in its mean, which a threshold at a fixed value changes.
    Phases 1 to H-1 in turn take, of the voxels not yet taken, those in which they have the largest share of
    what they and the phases still to come, phase 0 among them, have there.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
        Non-negative, summing to one over the phases.
    places : Tensor ``(sample, phase, *space)``, optional
        Shares by which voxels are chosen, where these are not the fractions.

    Returns
    -------
    Tensor ``(sample, *space)``
        Labels 0..H-1 of type uint8. The count of a phase is the sum of its fractions to within one voxel, for
        two phases that sum rounded; the earlier voxel wins a tie.
    """
    flat = fractions.flatten(2)
    labels = torch.zeros(flat.shape[0], flat.shape[2], dtype=torch.uint8, device=flat.device)
    counts = whole_counts(flat.double().sum(-1), flat.shape[-1])
    flat = flat if places is None else places.flatten(2)
    # Summed up, not one minus the phases before: rounding must not make a share of next to nothing large.
    remaining = flat[:, :1] + flat[:, 1:].flip(1).cumsum(1).flip(1)
    free = torch.ones_like(labels, dtype=torch.bool)
    for phase in range(1, flat.shape[1]):
        share = flat[:, phase] / remaining[:, phase - 1].clamp_min(1e-12)
        chosen = largest(share.masked_fill(~free, -1.0), counts[:, phase])
        labels[chosen] = phase
        free &= ~chosen
    return labels.view(fractions.shape[0], *fractions.shape[2:])


def straight_shares(fractions: Tensor, *, periodic: bool) -> Tensor:
    """Shares of phases 1 to H-1 that are large where a fraction is, and is so along a straight piece as well.

    Where a decoder is unsure, fractions are low and uneven, and the largest of them make spots and lines with gaps.
    What is long and straight is found again by the mean over a piece along each axis, an eighth of the side, of which
    the larger counts; the fraction itself tells where it ends.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
    periodic : bool
        Whether pieces go on at the other side; else they end there.

    Returns
    -------
    Tensor ``(sample, phase, *space)``
        Of each phase but the first the square root of its fraction times the larger mean; of the first, what is left.
    """
    found = fractions[:, 1:]
    means = [_means_along(found, axis, periodic) for axis in range(2, found.ndim)]
    shares = found.sqrt() * torch.stack(means).amax(0)
    return torch.cat([(1 - shares.sum(1, keepdim=True)).clamp_min(0), shares], dim=1)


def _means_along(fields: Tensor, axis: int, periodic: bool) -> Tensor:
    """Means over pieces along an axis, of an odd number of voxels around each."""
    lines = fields.movedim(axis, -1)
    reach = lines.shape[-1] // (2 * PIECE_SHARE)
    flat = lines.flatten(1, -2)
    if periodic:
        means = functional.avg_pool1d(functional.pad(flat, (reach, reach), mode="circular"), 2 * reach + 1, stride=1)
    else:
        means = functional.avg_pool1d(flat, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    return means.view(lines.shape).movedim(-1, axis)


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
