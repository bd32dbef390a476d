"""`reconstruct`: from 2-point statistics to structures that have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ..errors import InputError
from ..grid import Grid
from ..stats.device import resolve_device
from .demands import check_also, read_demands, without_two_point
from .objective import Wanted
from .realise import Settings, realise
from .result import Reconstruction
from .target import understand


def reconstruct(
    statistics: Any,
    *,
    grid: Grid,
    correlations: Sequence[Sequence[int]] | None = None,
    also: Sequence[Wanted] = (),
    volume_fractions: Any = None,
    mask: Any = None,
    fixed: Any = None,
    percolates: Any = None,
    smoothing: float = 0.0,
    n_realizations: int | None = None,
    init: Any = None,
    method: str = "auto",
    tol: float = 1e-3,
    max_iter: int = 200,
    random_state: Any = None,
    first_sample: int = 0,
    device: str = "auto",
) -> Reconstruction:
    """Structures of which the 2-point statistics, and others, are those given.

    Parameters
    ----------
    statistics : array ``(sample, *lag, correlation)``, or None
        As `two_point_stats` gives them: of every lag there is, or within a cutoff, which follows from their shape.
        numpy or torch. None if only other statistics are wanted.
    grid : Grid
        What a structure is: shape, phases, and whether it is periodic. It may be larger than the window that the
        statistics come from; lags that are not given are free.
    correlations : list of (int, int), optional
        Pairs of phases, in the order of the last axis; by default those that `two_point_stats` takes.
    also : list of Wanted
        Further statistics with the values they are to have. The swaps lower the weighted mean of all squared relative
        errors; phase retrieval knows 2-point statistics alone. One that is not differentiable decides which swaps are
        kept, but not which are tried.
    volume_fractions : array ``(phase,)`` or ``(sample, phase)``, optional
        Where there are no 2-point statistics, which tell them otherwise.
    mask : array ``(*space)`` or ``(sample, *space)``, optional
        The statistics are those of the structures under this mask: weights of voxels as in `two_point_stats`.
    fixed : array of int ``(*space)`` or ``(sample, *space)``, optional
        Labels of known voxels, such as a slice or a border, and 255 where a voxel is free.
    percolates : (phase, axis), or a list of such, optional
        Phases that are to connect the first layer along an axis to the last, by shared faces within the grid. Where
        one does not, the path that needs the fewest voxels is opened.
    smoothing : float
        What interfaces cost: weight of their area, relative to that of uncorrelated voxels, beside the squared
        relative error. Small, such as 1e-3, it removes single voxels; larger, small features.
    n_realizations : int, optional
        So many structures of each statistics, from different random starts.
    init : array ``(sample, *space)``, optional
        Labels to start from, instead of random ones. Other volume fractions than wanted are corrected.
    method : ``"auto"``, ``"retrieval"`` or ``"swaps"``
        Phase retrieval and swaps of voxels in turns, or only one of the two. Swaps alone need a good start.
    tol : float
        Relative error of the statistics at which a structure is done.
    max_iter : int
        Most iterations of phase retrieval (rounds of swaps, if the method is swaps).
    random_state : int, RandomState, Generator or None
        Of the random starts.
    first_sample : int
        Number of the first sample, which its start depends on: blocks of a set, each with its own, give what the set
        at once gives, but for rounding.
    device : str
        ``"auto"`` takes a GPU if there is one.

    Returns
    -------
    Reconstruction
        ``structures``, ``error``, ``errors``, ``n_iter`` and ``realizable``. Volume fractions are exact to a voxel.

    Raises
    ------
    InputError
        If shape or values are not those of statistics of such a grid, or constraints cannot be met. That no
        structure can have the statistics is no error, but said in ``realizable``.

    Notes
    -----
    Relaxed averaged alternating reflections: Luke, Inverse Problems 21, 37 (2005). Phase retrieval from 2-point
    statistics: Fullwood, Niezgoda & Kalidindi, Acta Materialia 56, 942 (2008). Structures are determined but for a
    shift and a point inversion, where statistics are periodic and complete.
    """
    settings = Settings(n_realizations, init, method, tol, max_iter, random_state, first_sample)
    where = resolve_device(device)
    if statistics is None:
        if method == "retrieval":
            raise InputError(
                "Phase retrieval needs 2-point statistics, but statistics=None was given. Leave method at 'auto'."
            )
        settings = replace(settings, method="swaps")
        target = without_two_point(grid, volume_fractions, check_also(also), where)
        realizable = torch.ones(len(target), dtype=torch.bool)
    elif volume_fractions is not None:
        raise InputError(
            "Volume fractions follow from 2-point statistics at zero lag, but volume_fractions was given as well. "
            "Leave it out, or pass statistics=None."
        )
    else:
        target, realizable = understand(statistics, grid, correlations, where, complete=mask is None)
    demands = read_demands(target, also=also, mask=mask, smoothing=smoothing, fixed=fixed, percolates=percolates)
    return realise(target, realizable, settings, demands)
