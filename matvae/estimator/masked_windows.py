"""Windows with voxels outside a mask: which of them have enough voxel pairs, and the rows computed from these.

The statistics of such a window are those of the voxel pairs inside the mask. Whole windows are computed as without a
mask, so that the other windows of a set change nothing about them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from ..stats.pair_shares import pair_shares
from ..warn import warn
from .samples import Samples, blocks_of, read

logger = logging.getLogger("matvae")
# Share of the voxel pairs of a whole window that the mask has to leave at every lag: the sampling variance of the
# statistics is then at most about twice that of a whole window.
LEAST_SHARE = 0.5


def count_in_words(shares: np.ndarray) -> str:
    """Say how many windows with these shares of voxel pairs ``(sample,)`` are whole, masked and left out."""
    is_kept, is_whole = shares >= LEAST_SHARE, shares == 1
    return (
        f"Of {len(shares)} windows, {np.count_nonzero(is_whole)} lie inside the mask entirely, "
        f"{np.count_nonzero(is_kept & ~is_whole)} partly with enough voxel pairs for masked statistics, and "
        f"{np.count_nonzero(~is_kept)} are left out"
    )


def measured_windows(estimator: Any, samples: Samples) -> tuple[Samples, Samples]:
    """Leave out windows with too few voxel pairs, and say how many are whole; the mask is read once.

    Parameters
    ----------
    estimator : StatsVAETransformer or TwoPointPCA
        With the parameters `periodic` and `cutoff`.
    samples : Samples

    Returns
    -------
    (Samples, Samples)
        The windows that remain, without a mask if all are whole, and the whole ones among them.

    Raises
    ------
    InputError
        If fewer than two windows remain.

    Warns
    -----
    UserWarning
        If windows are left out.
    """
    if samples.mask is None:
        return samples, samples
    shares = window_shares(estimator, samples.mask)
    is_kept, n_whole = shares >= LEAST_SHARE, int(np.count_nonzero(shares == 1))
    n, n_kept = len(samples), int(np.count_nonzero(is_kept))
    if n_kept < 2:
        raise InputError(
            f"At least two windows are needed that have half of the voxel pairs of a whole one at every lag, but the "
            f"mask leaves {n_kept} of {n}. Choose a smaller cutoff (command line: --cutoff), or cut smaller windows."
        )
    counts = count_in_words(shares)
    if n_kept == n:
        logger.info("%s.", counts)
    else:
        warn(
            f"{counts}, since the mask leaves less than half of the voxel pairs of a whole window at some lag. A "
            "smaller cutoff (command line: --cutoff) leaves out fewer."
        )
    whole = samples.without_mask(shares == 1)
    return whole if n_kept == n_whole else samples.select(is_kept), whole


def window_shares(estimator: Any, mask: Any) -> np.ndarray:
    """Share of the voxel pairs of a whole window ``(sample,)`` that a mask leaves at the lags of an estimator.

    Parameters
    ----------
    estimator : StatsVAETransformer or TwoPointPCA
    mask : dask.array.Array of bool ``(sample, *space)``

    Returns
    -------
    array ``(sample,)``
        As from `pair_shares`.
    """
    options = {"periodic": estimator.periodic, "cutoff": estimator.cutoff}
    return np.concatenate([pair_shares(read(mask, part), **options) for part in blocks_of(mask)])


def check_whole(whole: Samples, samples: Samples) -> None:
    """Say that structures are learned from whole windows alone.

    Raises
    ------
    InputError
        If there are fewer than two of them.

    Warns
    -----
    UserWarning
        If there are fewer than samples.
    """
    if len(whole) == len(samples):
        return
    if len(whole) < 2:
        raise InputError(
            f"Structures are learned from windows that lie inside the mask entirely, but only {len(whole)} of "
            f'{len(samples)} do. Choose decoder="statistics" (command line: --decoder statistics), or cut smaller '
            "windows."
        )
    warn(
        f"{len(samples) - len(whole)} of {len(samples)} windows lie inside the mask only partly and are left out, "
        "since structures are learned from whole windows."
    )


def rows_with_masks(
    compute: Callable[..., np.ndarray],
    block: np.ndarray,
    mask: np.ndarray | None,
    shape: tuple[int, ...],
    *,
    periodic: bool,
    cutoff: Any,
    least_share: float = LEAST_SHARE,
) -> np.ndarray:
    """Rows of a block of windows, NaN for those with too few voxel pairs.

    Parameters
    ----------
    compute : callable
        Takes windows, and for partly masked ones also their mask, to ``(sample, *shape)``.
    block : array ``(sample, ...)``
    mask : array of bool ``(sample, *space)`` or None
    shape : tuple of int
        Of one row.
    periodic, cutoff
        As in `two_point_stats`.
    least_share : float
        Windows need at least this share of the voxel pairs at every lag; 1 means whole ones.

    Returns
    -------
    array ``(sample, *shape)``

    Warns
    -----
    UserWarning
        If rows are NaN.
    """
    if mask is None:
        return compute(block)
    shares = pair_shares(mask, periodic=periodic, cutoff=cutoff)
    whole = np.flatnonzero(shares == 1)
    partial = np.flatnonzero((shares >= least_share) & (shares < 1))
    parts = [(whole, compute(block[whole]))] if len(whole) else []
    parts += [(partial, compute(block[partial], mask[partial]))] if len(partial) else []
    rows = np.full((len(block), *shape), np.nan, np.result_type(np.float32, *(values for _, values in parts)))
    for numbers, values in parts:
        rows[numbers] = values
    if len(whole) + len(partial) < len(block):
        needed = "not whole" if least_share == 1 else "without half of the voxel pairs of a whole window at every lag"
        warn(f"Windows that the mask leaves {needed} have no result here: their rows are NaN.")
    return rows


def mean_of_measured(values: np.ndarray) -> float:
    """Mean of values ``(sample,)`` that are not NaN.

    Raises
    ------
    InputError
        If all are.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        raise InputError(
            f"None of the {len(values)} windows can be measured, since the mask leaves too few voxel pairs. Cut "
            "windows that lie further inside: matvae.data.windows(structures, size, min_valid=1)."
        )
    return float(known.mean(dtype=np.float64))
