"""How many of the voxel pairs of a whole structure a mask leaves, at the lag where it leaves the fewest."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .correlate import masked_pair_counts, pair_counts, transform_shape
from .dispatch import block_voxels
from .lags import Cutoff


def pair_shares(mask: np.ndarray, *, periodic: bool, cutoff: Cutoff) -> np.ndarray:
    """Smallest share, over the lags, of the voxel pairs of a whole structure that lie inside a mask.

    Statistics at a lag of which a share p of the pairs is left have about 1/p times the sampling variance.

    Parameters
    ----------
    mask : array of bool ``(sample, *space)``
    periodic, cutoff
        As in `two_point_stats`.

    Returns
    -------
    array ``(sample,)``
        From 0, if some lag has no pair, to 1, for a whole structure only.
    """
    shares = np.ones(len(mask))
    space = mask.shape[1:]
    partial = np.flatnonzero(~mask.reshape(len(mask), -1).all(1))
    whole = pair_counts(space, periodic=periodic, cutoff=cutoff)
    step = max(1, block_voxels() // math.prod(transform_shape(space, periodic, cutoff)))
    for start in range(0, len(partial), step):
        some = partial[start : start + step]
        shares[some] = _smallest(torch.from_numpy(mask[some]), whole, periodic, cutoff).numpy()
    return shares


def _smallest(mask: Tensor, whole: Tensor, periodic: bool, cutoff: Cutoff) -> Tensor:
    # Rounded, so that a lag without pairs has none.
    counts = masked_pair_counts(mask, periodic=periodic, cutoff=cutoff).round()
    return (counts / whole).flatten(1).amin(1)
