"""Thresholding of soft phase fractions: exact in volume fractions, along straight segments, or at a fixed value."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..stats.exact_counts import largest, whole_counts

# Length of a straight segment: the side divided by this number.
SEGMENT_SHARE = 8


def volume_fraction_labels(fractions: Tensor, places: Tensor | None = None) -> Tensor:
    """Label voxels so that the voxel count of every phase is the sum of its fractions.

    The means of a soft structure are its volume fractions, which a threshold at a fixed value would change. Phases 1 to
    H-1 are assigned in turn: of the voxels that are still free, each takes those in which its share is largest relative
    to the sum of its own and all phases that follow, including phase 0.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
        Non-negative, summing to one over the phases.
    places : Tensor ``(sample, phase, *space)``, optional
        Shares by which voxels are chosen, if these are not the fractions.

    Returns
    -------
    Tensor ``(sample, *space)``
        Labels 0 to H-1 of type uint8. The count of a phase equals the sum of its fractions to within one voxel; for two
        phases it is that sum, rounded. The earlier voxel wins a tie.
    """
    flat = fractions.flatten(2)
    labels = torch.zeros(flat.shape[0], flat.shape[2], dtype=torch.uint8, device=flat.device)
    counts = whole_counts(flat.double().sum(-1), flat.shape[-1])
    flat = flat if places is None else places.flatten(2)
    # A sum, not one minus the phases before: rounding could make a negligible share large.
    remaining = flat[:, :1] + flat[:, 1:].flip(1).cumsum(1).flip(1)
    free = torch.ones_like(labels, dtype=torch.bool)
    for phase in range(1, flat.shape[1]):
        share = flat[:, phase] / remaining[:, phase - 1].clamp_min(1e-12)
        chosen = largest(share.masked_fill(~free, -1.0), counts[:, phase])
        labels[chosen] = phase
        free &= ~chosen
    return labels.view(fractions.shape[0], *fractions.shape[2:])


def straight_shares(fractions: Tensor, *, periodic: bool) -> Tensor:
    """Shares of phases that are large where a fraction is large both in a voxel and along a straight segment.

    Where a decoder is uncertain, fractions are low and uneven, and the largest of them form spots and lines with gaps.
    Long, straight features are recovered by the mean over a segment along each axis, an eighth of the side long; the
    largest of these means counts. The fraction itself determines where a feature ends.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
    periodic : bool
        Whether segments wrap around; otherwise they end at the boundary.

    Returns
    -------
    Tensor ``(sample, phase, *space)``
        The square root of the fraction times the largest mean for phases 1 to H-1; the remainder for phase 0.
    """
    solid = fractions[:, 1:]
    means = [_means_along(solid, axis, periodic) for axis in range(2, solid.ndim)]
    shares = solid.sqrt() * torch.stack(means).amax(0)
    return torch.cat([(1 - shares.sum(1, keepdim=True)).clamp_min(0), shares], dim=1)


def _means_along(fields: Tensor, axis: int, periodic: bool) -> Tensor:
    """Means over segments along an axis, centred on each voxel."""
    lines = fields.movedim(axis, -1)
    reach = lines.shape[-1] // (2 * SEGMENT_SHARE)
    flat = lines.flatten(1, -2)
    if periodic:
        means = functional.avg_pool1d(functional.pad(flat, (reach, reach), mode="circular"), 2 * reach + 1, stride=1)
    else:
        means = functional.avg_pool1d(flat, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    return means.view(lines.shape).movedim(-1, axis)


def fixed_threshold_labels(fractions: Tensor, threshold: float) -> Tensor:
    """Label voxels in which phases 1 to H-1 together exceed `threshold` with the most probable of them.

    Parameters
    ----------
    fractions : Tensor ``(sample, phase, *space)``
    threshold : float
        0.05 in equation 3 of "Toward learning latent-variable representations of microstructures by
        optimizing in spatial statistics space" (ICLR 2024 tiny papers).

    Returns
    -------
    Tensor ``(sample, *space)``
        Labels of type uint8.
    """
    solid = fractions[:, 1:].sum(1) > threshold
    return (solid * (1 + fractions[:, 1:].argmax(1))).to(torch.uint8)
