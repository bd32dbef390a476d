"""`reconstruct`: microstructures from their 2-point statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ..errors import InputError
from ..grid import Grid
from ..stats.device import resolve_device
from .demands import check_also, read_demands, without_two_point
from .from_examples import read_examples
from .objective import Wanted
from .read_grid import read_grid, read_statistics
from .realise import Settings, realise
from .result import Reconstruction
from .target import read_target


def reconstruct(
    statistics: Any,
    *,
    grid: Grid | int | Sequence[int],
    correlations: Sequence[Sequence[int]] | None = None,
    also: Sequence[Wanted] = (),
    volume_fractions: Any = None,
    mask: Any = None,
    fixed: Any = None,
    percolates: Any = None,
    smoothing: float = 0.0,
    n_realizations: int | None = None,
    examples: Any = None,
    patch: Any = "auto",
    init: Any = None,
    method: str = "auto",
    tol: float = 1e-3,
    max_iter: int = 200,
    random_state: Any = None,
    first_sample: int = 0,
    device: str = "auto",
) -> Reconstruction:
    """Reconstruct microstructures from 2-point statistics, other statistics, or both.

    Parameters
    ----------
    statistics : array ``(sample, *lag, correlation)``, or None
        2-point statistics as returned by `two_point_stats`, of numpy or torch, at all lags or within a cutoff, which
        is inferred from the shape. None if only other statistics are prescribed, in `also`.
    grid : Grid or sequence of int
        Shape, number of phases and periodicity of the structures, or only the shape: the structures then are periodic,
        unless the statistics have as many lags as only structures that are not periodic have, and the number of phases
        is that of the correlations, or of the volume fractions. The grid may be larger than the window that the
        statistics were computed from; lags beyond the cutoff are unconstrained.
    correlations : list of (int, int), optional
        Pairs of phases along the last axis of `statistics`; by default those of `two_point_stats`.
    also : list of Wanted
        Additional statistics with their target values. The swaps minimise the weighted mean of all squared relative
        errors, whereas phase retrieval uses the 2-point statistics only. A statistic that is not differentiable
        affects which swaps are accepted, but not which are proposed.
    volume_fractions : array ``(phase,)`` or ``(sample, phase)``, optional
        Required if `statistics` is None; otherwise they follow from the 2-point statistics and must be left out.
    mask : array ``(*space)`` or ``(sample, *space)``, optional
        Voxel weights with which the statistics were computed, as in `two_point_stats`.
    fixed : array of int ``(*space)`` or ``(sample, *space)``, optional
        Labels of prescribed voxels, such as a slice or a border, and 255 at all other voxels.
    percolates : (phase, axis), or a list of such, optional
        Phases that must percolate along an axis, from the first layer to the last through shared faces within the
        grid. Where a phase does not, it is connected along the path that changes the fewest voxels.
    smoothing : float
        Weight of the interface area, relative to that of uncorrelated voxels, which is added to the squared relative
        error. Small weights such as 1e-3 remove isolated voxels, larger ones small features.
    n_realizations : int, optional
        Number of structures per sample, from different random initial labels. If given, the structures have an axis
        for the realizations.
    examples : array of int ``(example, *space)``, `Structures` or path, optional
        Labels of structures of the material, such as training windows, of any size at least as large as the patches.
        Structures are then composed of overlapping patches of them, from coarse to fine, in turns with phase retrieval:
        2-point statistics within a cutoff preserve neither networks nor lamellae, patches do. At the end only voxels
        are swapped that leave the topology and the typical neighbourhoods as they are, so that the error may stay above
        `tol`. A phase that crosses more than 90 % of the examples, or more than half of them if the grid is at least
        1.5 times larger along each axis, crosses the structures, unless `fixed` or `percolates` is given.
    patch : ``"auto"``, int, or list of int
        Edge of these patches in voxels of their level: one for all levels, or one by level, where the voxels of each
        level are twice as wide as those of the one before. By default both follow from the size of the features.
    init : array of int ``(sample, *space)`` or ``(sample, realization, *space)``, optional
        Initial labels, random by default. They are corrected to the prescribed volume fractions. With examples only
        their means at the coarsest level matter.
    method : ``"auto"``, ``"retrieval"`` or ``"swaps"``
        Alternate phase retrieval and swaps of voxels, or use only one of them. Swaps alone need good initial labels.
        Only ``"auto"`` with examples.
    tol : float
        Relative error of the statistics at which the search stops.
    max_iter : int
        Maximum number of iterations of phase retrieval, or of rounds of swaps if the method is ``"swaps"``.
    random_state : int, RandomState, Generator or None
        Seed of the random initial labels.
    first_sample : int
        Index of the first sample in a larger set. The initial labels depend on it, so that blocks of a set give the
        same structures as the whole set at once, up to rounding.
    device : str
        ``"auto"`` uses a GPU if one is available.

    Returns
    -------
    Reconstruction
        ``structures``, ``error``, ``errors``, ``n_iter`` and ``realizable``, with examples also ``voted_distance``,
        ``copied`` and ``percolation``. Volume fractions are exact to within one voxel.

    Raises
    ------
    InputError
        If the shape or the values of the statistics do not fit the grid, or the constraints cannot be met. Statistics
        that no structure can have are not an error; they are reported in ``realizable``.

    Warns
    -----
    UserWarning
        If patches of the examples fit the statistics badly.

    Notes
    -----
    Relaxed averaged alternating reflections: Luke, Inverse Problems 21, 37 (2005). Phase retrieval from 2-point
    statistics: Fullwood, Niezgoda & Kalidindi, Acta Materialia 56, 942 (2008). Complete periodic
    statistics usually determine a structure up to a translation and a point inversion. Structures from patches without
    statistics: Kwatra, Essa, Bobick & Kwatra, ACM Transactions on Graphics 24, 795 (2005).
    """
    settings = Settings(n_realizations, init, method, tol, max_iter, random_state, first_sample)
    torch_device = resolve_device(device)
    statistics = read_statistics(statistics)
    grid = read_grid(grid, statistics, correlations, volume_fractions)
    if examples is not None and method != "auto":
        raise InputError(f"With examples the method must be 'auto', but {method!r} was given. Leave out one of them.")
    if statistics is None:
        if method == "retrieval":
            raise InputError(
                "Phase retrieval needs 2-point statistics, but statistics=None was given. Use method='auto' or 'swaps'."
            )
        settings = settings if examples is not None else replace(settings, method="swaps")
        target = without_two_point(grid, volume_fractions, check_also(also), torch_device)
        realizable = torch.ones(len(target), dtype=torch.bool)
    elif volume_fractions is not None:
        raise InputError(
            "The volume fractions follow from the 2-point statistics at zero lag, but volume_fractions was given, too. "
            "Leave it out, or pass statistics=None."
        )
    else:
        target, realizable = read_target(statistics, grid, correlations, torch_device, complete=mask is None)
    demands = read_demands(target, also=also, mask=mask, smoothing=smoothing, fixed=fixed, percolates=percolates)
    if examples is None:
        return realise(target, realizable, settings, demands)
    return realise(target, realizable, settings, demands, read_examples(examples, patch, grid, torch_device))
