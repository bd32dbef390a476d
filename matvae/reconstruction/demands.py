"""Reading what a user wants beside 2-point statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..grid import Grid
from ..stats import get_statistic
from ..stats.exact_counts import whole_counts
from .constraints import read_fixed, read_percolates
from .objective import Demands, Term, Wanted
from .target import Target, as_float32


def read_demands(
    target: Target,
    *,
    also: Sequence[Wanted] = (),
    mask: Any = None,
    smoothing: float = 0.0,
    fixed: Any = None,
    percolates: Any = None,
) -> Demands:
    """Check everything that is wanted beside 2-point statistics.

    Parameters
    ----------
    target : Target
        The 2-point part; without any correlations if there is none.
    also, mask, smoothing, fixed, percolates
        As `reconstruct` takes them.

    Raises
    ------
    InputError
        If anything does not fit the grid or the number of samples.
    """
    check_also(also)
    if not isinstance(smoothing, int | float) or not math.isfinite(smoothing) or smoothing < 0:
        raise InputError(f"smoothing must be a weight of at least 0, such as 0.001, but {smoothing!r} was given.")
    terms = [read_term(one, target.grid, len(target), target.counts.device) for one in also]
    if mask is not None:
        if not target.pairs:
            raise InputError("A mask belongs to 2-point statistics, but none were given. Put it into Wanted's options.")
        options = {"mask": mask, "correlations": target.pairs, "cutoff": target.cutoff}
        masked = Wanted("two_point", target.statistics, options=options)
        terms.insert(0, read_term(masked, target.grid, len(target), target.counts.device))
    if not terms and not target.pairs:
        raise InputError("Statistics are expected: 2-point statistics, others in also, or both; none were given.")
    held = read_fixed(fixed, target.grid, target.counts)
    return Demands(
        tuple(terms),
        two_point=bool(target.pairs) and mask is None,
        smoothing=float(smoothing),
        fixed=held,
        percolates=read_percolates(percolates, target.grid, target.counts, held),
    )


def read_term(wanted: Wanted, grid: Grid, n: int, device: torch.device) -> Term:
    """Check one further statistic for `n` samples.

    Raises
    ------
    InputError
        If its options, the shape of its values, or the values themselves are not those of the statistic.
    PluginError
        If there is no such statistic.
    """
    statistic = get_statistic(wanted.statistic)
    options = {"periodic": grid.periodic, **wanted.options}
    for name in ("state_axis", "phases"):
        if name in options:
            raise InputError(f"{name} follows from the grid, but was given as an option of {wanted.statistic!r}.")
    statistic.check_options(options)
    weight = wanted.weight
    if not isinstance(weight, int | float) or not math.isfinite(weight) or weight <= 0:
        raise InputError(f"The weight of {wanted.statistic!r} must be positive, but {weight!r} was given.")
    values = as_float32(wanted.values, device)
    # What the statistic gives for any structure tells shape and faulty options before the work begins.
    probe = statistic(torch.zeros(1, *grid.shape, dtype=torch.uint8), phases=grid.phases, **_of_one(options, grid))
    shape = tuple(probe.shape[1:])
    if tuple(values.shape[1:]) != shape or values.shape[0] not in (1, n):
        raise InputError(
            f"Values of shape {(n, *shape)} are expected for {wanted.statistic!r} of structures of shape {grid.shape}, "
            f"but {tuple(values.shape)} were given. Compute them with the same options, and give these in Wanted."
        )
    if not bool(torch.isfinite(values).all()):
        raise InputError(f"{wanted.statistic!r} needs finite values, but NaN or infinity was found.")
    mask = options.pop("mask", None)
    if mask is not None:
        if tuple(mask.shape) not in (grid.shape, (n, *grid.shape)):
            raise InputError(
                f"A mask of shape {grid.shape} or {(n, *grid.shape)} is expected for {wanted.statistic!r}, but "
                f"{tuple(mask.shape)} was given."
            )
        mask = as_float32(mask, device).expand(n, *grid.shape)
    return Term(statistic, values.expand(n, *shape), float(weight), options, mask)


def check_also(also: Any) -> int:
    """Number of samples that values of further statistics are given for; one where there are none.

    Raises
    ------
    InputError
        If these are not a list of `Wanted` with values for samples.
    """
    listed = isinstance(also, list | tuple)
    if not listed or not all(isinstance(one, Wanted) and np.ndim(one.values) > 0 for one in also):
        raise InputError(
            "also must be a list of matvae.reconstruction.Wanted with values (sample, *coordinate, column), but "
            f"{also if not listed else [type(one).__name__ for one in also]} was given."
        )
    return max((np.shape(one.values)[0] for one in also), default=1)


def without_two_point(grid: Grid, fractions: Any, n: int, device: torch.device) -> Target:
    """A target that says nothing but the volume fractions ``(phase,)`` or ``(sample, phase)``.

    Raises
    ------
    InputError
        If these are not shares of all phases that add up to one.
    """
    given = np.asarray(fractions, dtype=np.float64) if fractions is not None else np.empty(0)
    if given.shape not in ((grid.phases,), (n, grid.phases)) or not (given >= 0).all():
        raise InputError(
            f"Without 2-point statistics, volume_fractions must hold the share of each of the {grid.phases} phases, "
            f"(phase,) or (sample, phase), none negative, but {fractions!r} was given."
        )
    if not np.allclose(given.sum(-1), 1, atol=1e-3):
        raise InputError(f"volume_fractions must add up to one, but {given.sum(-1)} was found.")
    shares = torch.from_numpy(given / given.sum(-1, keepdims=True)).expand(n, grid.phases).to(device)
    empty = torch.zeros(n, *[1] * grid.ndim, 0, device=device)
    counts = whole_counts(shares * grid.n_voxels, grid.n_voxels)
    return Target(grid, (), (0,) * grid.ndim, empty, counts, torch.ones((), device=device))


def _of_one(options: dict[str, Any], grid: Grid) -> dict[str, Any]:
    """The options for a single structure: the first of the masks."""
    mask = options.get("mask")
    if mask is None or np.ndim(mask) == grid.ndim:
        return options
    return {**options, "mask": mask[:1]}
