"""Checks of the requirements that a user sets in addition to 2-point statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .. import validate
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
    """Check all requirements other than the 2-point statistics.

    Parameters
    ----------
    target : Target
        The 2-point statistics; without correlations if none are given.
    also, mask, smoothing, fixed, percolates
        As in `reconstruct`.

    Raises
    ------
    InputError
        If a requirement is inconsistent with the grid or the number of samples.
    """
    check_also(also)
    smoothing = validate.real("smoothing", smoothing, 0)
    terms = [read_term(wanted, target.grid, len(target), target.counts.device) for wanted in also]
    if mask is not None:
        if not target.pairs:
            raise InputError(
                "mask applies to 2-point statistics, but none were given. Pass the mask in the options of Wanted."
            )
        options = {"mask": mask, "correlations": target.pairs, "cutoff": target.cutoff}
        masked = Wanted("two_point", target.statistics, options=options)
        terms.insert(0, read_term(masked, target.grid, len(target), target.counts.device))
    if not terms and not target.pairs:
        raise InputError("2-point statistics, other statistics in also, or both are required, but none were given.")
    fixed_labels = read_fixed(fixed, target.grid, target.counts)
    return Demands(
        tuple(terms),
        two_point=bool(target.pairs) and mask is None,
        smoothing=smoothing,
        fixed=fixed_labels,
        percolates=read_percolates(percolates, target.grid, target.counts, fixed_labels),
    )


def read_term(wanted: Wanted, grid: Grid, n: int, device: torch.device) -> Term:
    """Check one additional statistic for `n` samples.

    Raises
    ------
    InputError
        If its options or values, or the shape of the values, do not fit the statistic.
    PluginError
        If no statistic of that name is registered.
    """
    statistic = get_statistic(wanted.statistic)
    options = {"periodic": grid.periodic, **wanted.options}
    for name in ("spatial_dims", "state_axis", "phases"):
        if name in options:
            raise InputError(
                f"{name} is set by the grid, but was given as an option of {wanted.statistic!r}. Leave it out."
            )
    statistic.check_options(options)
    weight = validate.real(f"The weight of {wanted.statistic!r}", wanted.weight, 0, exclusive=True)
    values = as_float32(wanted.values, device)
    # Evaluate the statistic once to learn its shape and to find faulty options before the search begins.
    structure = torch.zeros(1, *grid.shape, dtype=torch.uint8)
    single = _single_sample_options(options, grid)
    probe = statistic(structure, spatial_dims=grid.ndim, phases=grid.phases, **single)
    shape = tuple(probe.shape[1:])
    if tuple(values.shape[1:]) != shape or values.shape[0] not in (1, n):
        raise InputError(
            f"Values of shape {(n, *shape)} are expected for {wanted.statistic!r} of structures of shape {grid.shape}, "
            f"but their shape is {tuple(values.shape)}. Pass the options that they were computed with to Wanted."
        )
    if not bool(torch.isfinite(values).all()):
        raise InputError(f"The values of {wanted.statistic!r} must be finite, but NaN or infinity was found.")
    mask = options.pop("mask", None)
    if mask is not None:
        if tuple(mask.shape) not in (grid.shape, (n, *grid.shape)):
            raise InputError(
                f"The mask of {wanted.statistic!r} must have shape {grid.shape} or {(n, *grid.shape)}, "
                f"but its shape is {tuple(mask.shape)}."
            )
        mask = as_float32(mask, device).expand(n, *grid.shape)
    return Term(statistic, values.expand(n, *shape), weight, options, mask)


def check_also(also: Any) -> int:
    """Return the number of samples that the values of additional statistics hold, or 1 if there are none.

    Raises
    ------
    InputError
        If `also` is not a list of `Wanted` whose values have a sample axis.
    """
    is_list = isinstance(also, list | tuple)
    if not is_list or not all(isinstance(wanted, Wanted) and np.ndim(wanted.values) > 0 for wanted in also):
        raise InputError(
            "also must be a list of matvae.reconstruction.Wanted with values (sample, *coordinate, column), but "
            f"{[type(wanted).__name__ for wanted in also] if is_list else also} was given."
        )
    return max((np.shape(wanted.values)[0] for wanted in also), default=1)


def without_two_point(grid: Grid, fractions: Any, n: int, device: torch.device) -> Target:
    """Build a target from volume fractions ``(phase,)`` or ``(sample, phase)`` alone.

    Raises
    ------
    InputError
        If the fractions are negative, do not cover all phases or do not add up to one.
    """
    array = np.asarray(fractions, dtype=np.float64) if fractions is not None else np.empty(0)
    if array.shape not in ((grid.phases,), (n, grid.phases)) or not (array >= 0).all():
        raise InputError(
            f"Without 2-point statistics, volume_fractions must hold a non-negative fraction of each of the "
            f"{grid.phases} phases, (phase,) or (sample, phase), but {fractions!r} was given."
        )
    if not np.allclose(array.sum(-1), 1, atol=1e-3):
        raise InputError(f"volume_fractions must add up to one, but their sum is {array.sum(-1)}.")
    shares = torch.from_numpy(array / array.sum(-1, keepdims=True)).expand(n, grid.phases).to(device)
    empty = torch.zeros(n, *[1] * grid.ndim, 0, device=device)
    counts = whole_counts(shares * grid.n_voxels, grid.n_voxels)
    return Target(grid, (), (0,) * grid.ndim, empty, counts, torch.ones((), device=device))


def _single_sample_options(options: dict[str, Any], grid: Grid) -> dict[str, Any]:
    """Return the options for a single structure, with the first mask if there is one per sample."""
    mask = options.get("mask")
    if mask is None or np.ndim(mask) == grid.ndim:
        return options
    return {**options, "mask": mask[:1]}
