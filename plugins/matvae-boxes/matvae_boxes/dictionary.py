"""Kinds of boxes: what sizes the separate pieces of training structures have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from matvae.errors import InputError
from matvae.stats.labelling import label_clusters

from .code import KINDS_ALONE

MAX_KINDS = KINDS_ALONE
# Share of its bounding box that a piece fills to count as a box; crossing ones do not.
FILLED = 0.9
ROUNDS = 30
CHOICE = 4
# Difference of logarithms up to which extents are in line with a kind.
ALIKE = 0.02
# Kinds reach a little beyond the sizes seen.
REACH = 1.05


def box_extents(solids: Iterable[np.ndarray]) -> tuple[np.ndarray, int]:
    """Extents of all pieces that are boxes, and the largest number of pieces in a structure.

    Parameters
    ----------
    solids : iterable of bool arrays ``(*space)``

    Returns
    -------
    (ndarray ``(piece, axis)``, int)
        In voxels. Pieces that reach a side are left out: there they may go on.

    Raises
    ------
    InputError
        If no piece is a box.
    """
    # It takes a while to import.
    from scipy import ndimage

    extents, most, seen = [], 0, 0
    for solid in solids:
        labels, count = label_clusters(solid, solid.ndim)
        most, seen = max(most, count), seen + count
        for number, where in enumerate(ndimage.find_objects(labels), start=1):
            inside = all(s.start > 0 and s.stop < n for s, n in zip(where, solid.shape, strict=True))
            if inside and (labels[where] == number).mean() >= FILLED:
                extents.append([s.stop - s.start for s in where])
    if not extents:
        raise InputError(
            'The decoder "boxes" needs structures of separate boxes along the axes, but of '
            f"{seen} pieces of phase 1 none fills its bounding box. Choose another decoder."
        )
    return np.array(extents, float), most


def kinds_of(extents: np.ndarray, n_kinds: int, n_sizes: int) -> tuple[Tensor, Tensor]:
    """Kinds that stand for extents with the least error, and how sizes vary within a kind.

    Means of k clusters (Lloyd, IEEE Transactions on Information Theory 28, 129 (1982)), each of which may stretch
    along its first principal directions: an extent belongs to the kind that comes closest to it.

    Parameters
    ----------
    extents : ndarray ``(piece, axis)``
        In voxels; kinds are sought in their logarithms.
    n_kinds : int
        Kinds wanted.
    n_sizes : int
        Directions in which a kind varies.

    Returns
    -------
    (Tensor ``(kind, axis)``, Tensor ``(kind, axis, axis)``)
        Logarithms of the extents in the middle of each kind, and their changes along each direction from the middle
        to the end; those beyond `n_sizes` are zero.
    """
    logs = torch.from_numpy(np.log(extents))
    ndim = logs.shape[1]
    # Kinds that vary are chosen among more, as clusters cut into pieces what one kind could reach.
    clusters = n_kinds * (CHOICE if n_sizes else 1)
    middle = _spread_out(logs, clusters)
    change = torch.zeros(clusters, ndim, ndim, dtype=logs.dtype)
    for _ in range(ROUNDS):
        nearest = nearest_sizes(logs, middle, change)[0].argmin(1)
        for kind in nearest.unique():
            middle[kind], change[kind] = _stretch(logs[nearest == kind], logs, n_sizes)
    chosen = _few(nearest_sizes(logs, middle, change)[0], n_kinds)
    return middle[chosen].float(), change[chosen].float()


def _few(distance: Tensor, count: int) -> list[int]:
    """Kinds, of those with distances ``(point, kind)``, each of which lowers the least distances most."""
    least = torch.full_like(distance[:, :1], torch.inf)
    chosen: list[int] = []
    for _ in range(count):
        total = torch.minimum(least, distance).sum(0)
        total[chosen] = torch.inf
        chosen.append(int(total.argmin()))
        least = torch.minimum(least, distance[:, chosen[-1:]])
    return chosen


def _spread_out(points: Tensor, count: int) -> Tensor:
    """Points of which each is the farthest from those before (Gonzalez, Theor. Comput. Sci. 38, 293 (1985))."""
    chosen = [points[(points - points.mean(0)).square().sum(1).argmin()]]
    distance = torch.full((len(points),), torch.inf, dtype=points.dtype)
    for _ in range(count - 1):
        distance = torch.minimum(distance, (points - chosen[-1]).square().sum(1))
        chosen.append(points[distance.argmax()])
    return torch.stack(chosen)


def nearest_sizes(points: Tensor, middle: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """How far extents are from each kind, and where in it they come closest.

    Parameters
    ----------
    points : Tensor ``(point, axis)``
        Logarithms of extents.
    middle : Tensor ``(kind, axis)``
    change : Tensor ``(kind, axis, axis)``
        As `kinds_of` gives them: directions at right angles to each other.

    Returns
    -------
    (Tensor ``(point, kind)``, Tensor ``(point, kind, axis)``)
        Squared distances, and sizes from -1 to 1.
    """
    left = points.unsqueeze(1) - middle
    length = change.square().sum(-1)
    sizes = (torch.einsum("pka,kja->pkj", left, change) / length.clamp_min(1e-12)).clamp(-1, 1)
    rest = left - torch.einsum("pkj,kja->pka", sizes, change)
    # Of kinds that come as close, the one whose middle is nearer.
    return rest.square().sum(-1) + 1e-3 * left.square().sum(-1), sizes


def _stretch(own: Tensor, points: Tensor, n_sizes: int) -> tuple[Tensor, Tensor]:
    """Middle ``(axis,)`` and changes ``(direction, axis)`` of a cluster, and of all points in line with it.

    Directions are principal ones of the cluster's own points; the changes reach as far as there are points on them.
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
