"""Kinds of boxes: the sizes of separate pieces in training structures, clustered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from matvae.errors import InputError
from matvae.stats.labelling import label_clusters

from .code import KINDS_ALONE

MAX_KINDS = KINDS_ALONE
# Fraction of its bounding box that a piece must fill to count as a box; crossing boxes do not.
FILLED = 0.9
ROUNDS = 30
CHOICE = 4
# Maximum distance, in logarithms, between extents and the line of a kind.
ALIKE = 0.02
# Kinds extend slightly beyond the observed sizes.
REACH = 1.05


def box_extents(solids: Iterable[np.ndarray]) -> tuple[np.ndarray, int]:
    """Extents of all pieces that are boxes, and the largest number of pieces in a structure.

    Parameters
    ----------
    solids : iterable of bool arrays ``(*space)``

    Returns
    -------
    (ndarray ``(piece, axis)``, int)
        In voxels. Pieces that touch a side are excluded, since they may continue there.

    Raises
    ------
    InputError
        If no piece is a box.
    """
    # Slow to import.
    from scipy import ndimage

    extents, most, n_pieces = [], 0, 0
    for solid in solids:
        labels, count = label_clusters(solid, solid.ndim)
        most, n_pieces = max(most, count), n_pieces + count
        for number, region in enumerate(ndimage.find_objects(labels), start=1):
            inside = all(s.start > 0 and s.stop < n for s, n in zip(region, solid.shape, strict=True))
            if inside and (labels[region] == number).mean() >= FILLED:
                extents.append([s.stop - s.start for s in region])
    if not extents:
        raise InputError(
            'The decoder "boxes" needs structures of separate boxes along the axes, but none of the '
            f"{n_pieces} pieces of phase 1 fills its bounding box. Choose another decoder."
        )
    return np.array(extents, float), most


def kinds_of(extents: np.ndarray, n_kinds: int, n_sizes: int) -> tuple[Tensor, Tensor]:
    """Kinds that represent extents with the smallest error, and the variation of sizes within a kind.

    Means of k clusters (Lloyd, IEEE Transactions on Information Theory 28, 129 (1982)), each of which may extend
    along its first principal directions: an extent belongs to the nearest kind.

    Parameters
    ----------
    extents : ndarray ``(piece, axis)``
        In voxels; clustered in their logarithms.
    n_kinds : int
        Number of kinds.
    n_sizes : int
        Number of directions in which a kind varies.

    Returns
    -------
    (Tensor ``(kind, axis)``, Tensor ``(kind, axis, axis)``)
        Logarithms of the extents at the centre of each kind, and their changes along each direction from the centre to
        the end; those beyond `n_sizes` are zero.
    """
    logs = torch.from_numpy(np.log(extents))
    ndim = logs.shape[1]
    # Kinds that vary are selected from more clusters, since clusters divide what one kind could cover.
    clusters = n_kinds * (CHOICE if n_sizes else 1)
    middle = _farthest_points(logs, clusters)
    change = torch.zeros(clusters, ndim, ndim, dtype=logs.dtype)
    for _ in range(ROUNDS):
        nearest = nearest_sizes(logs, middle, change)[0].argmin(1)
        for kind in nearest.unique():
            middle[kind], change[kind] = _stretch(logs[nearest == kind], logs, n_sizes)
    chosen = _select_kinds(nearest_sizes(logs, middle, change)[0], n_kinds)
    return middle[chosen].float(), change[chosen].float()


def _select_kinds(distance: Tensor, count: int) -> list[int]:
    """Kinds selected greedily from distances ``(point, kind)``: each lowers the smallest distances most."""
    least = torch.full_like(distance[:, :1], torch.inf)
    chosen: list[int] = []
    for _ in range(count):
        total = torch.minimum(least, distance).sum(0)
        total[chosen] = torch.inf
        chosen.append(int(total.argmin()))
        least = torch.minimum(least, distance[:, chosen[-1:]])
    return chosen


def _farthest_points(points: Tensor, count: int) -> Tensor:
    """Points, each the farthest from those before (Gonzalez, Theor. Comput. Sci. 38, 293 (1985))."""
    chosen = [points[(points - points.mean(0)).square().sum(1).argmin()]]
    distance = torch.full((len(points),), torch.inf, dtype=points.dtype)
    for _ in range(count - 1):
        distance = torch.minimum(distance, (points - chosen[-1]).square().sum(1))
        chosen.append(points[distance.argmax()])
    return torch.stack(chosen)


def nearest_sizes(points: Tensor, middle: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """Distances of extents to each kind, and the closest sizes within it.

    Parameters
    ----------
    points : Tensor ``(point, axis)``
        Logarithms of extents.
    middle : Tensor ``(kind, axis)``
    change : Tensor ``(kind, axis, axis)``
        As returned by `kinds_of`: orthogonal directions.

    Returns
    -------
    (Tensor ``(point, kind)``, Tensor ``(point, kind, axis)``)
        Squared distances, and sizes from -1 to 1.
    """
    left = points.unsqueeze(1) - middle
    length = change.square().sum(-1)
    sizes = (torch.einsum("pka,kja->pkj", left, change) / length.clamp_min(1e-12)).clamp(-1, 1)
    rest = left - torch.einsum("pkj,kja->pka", sizes, change)
    # Among equally close kinds, the one with the nearer centre.
    return rest.square().sum(-1) + 1e-3 * left.square().sum(-1), sizes


def _stretch(own: Tensor, points: Tensor, n_sizes: int) -> tuple[Tensor, Tensor]:
    """Centre ``(axis,)`` and changes ``(direction, axis)`` of a cluster and of all points on its line.

    Directions are the principal ones of the cluster's own points; the changes extend as far as there are points.
    """
    middle = own.mean(0)
    change = torch.zeros(own.shape[1], own.shape[1], dtype=own.dtype)
    if n_sizes == 0:
        return middle, change
    directions = torch.linalg.svd(own - middle, full_matrices=True).Vh[:n_sizes]
    along = (points - middle) @ directions.T
    off = (points - middle - along @ directions).square().sum(1).sqrt()
    reached = torch.cat([along[off <= ALIKE], (own - middle) @ directions.T])
    low, high = reached.amin(0), reached.amax(0)
    middle = middle + ((low + high) / 2) @ directions
    change[:n_sizes] = REACH * ((high - low) / 2).unsqueeze(1) * directions
    return middle, change
