"""Histograms of grey values over all blocks of structures, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask
import numpy as np

from ..errors import InputError
from .structures import Structures

# Whole numbers within a range of this length are counted one by one, which holds for 8-bit and 16-bit images.
_COUNTED_RANGE = 2**16
_BINS = 4096


@dataclass(frozen=True)
class Histogram:
    """Numbers of voxels by grey value.

    Parameters
    ----------
    values : numpy.ndarray ``(bin,)``
        Grey values, or centres of bins, in ascending order.
    counts : numpy.ndarray ``(bin,)``
    low, high : float
        Smallest and largest grey value.
    is_exact : bool
        Whether each bin is one grey value that occurs.
    """

    values: np.ndarray
    counts: np.ndarray
    low: float
    high: float
    is_exact: bool

    def even(self, bins: int) -> Histogram:
        """Return a histogram with at most that many bins, all of one width, some of which may be empty."""
        if self.is_exact:
            # Each bin holds equally many whole numbers.
            width = math.ceil((self.high - self.low + 1) / bins)
            edges = np.arange(self.low - 0.5, self.high + width, width)
        else:
            edges = np.linspace(self.low, self.high, bins + 1)
        counts, _ = np.histogram(self.values, edges, weights=self.counts)
        return Histogram((edges[1:] + edges[:-1]) / 2, counts, self.low, self.high, False)


@dataclass(frozen=True)
class _Tally:
    """Range of the values of a block, and if all are whole numbers in a short range, how often each occurs."""

    low: float
    high: float
    counts: np.ndarray | None


def histogram_of(parts: Sequence[Structures]) -> Histogram:
    """Count the grey values of structures, inside their masks.

    Blocks are read once if they hold whole numbers in a range of up to 65536, and twice otherwise: for their range,
    then for 4096 bins.

    Raises
    ------
    InputError
        If there are no voxels inside the masks.
    """
    tallies = [tally for tally in _over_blocks(parts, _tally) if tally is not None]
    if not tallies:
        raise InputError("Grey values should lie inside the mask, but none does. Correct the mask or the region.")
    low, high = min(tally.low for tally in tallies), max(tally.high for tally in tallies)
    if high - low < _COUNTED_RANGE and all(tally.counts is not None for tally in tallies):
        counts = np.zeros(int(high - low) + 1, dtype=np.int64)
        for tally in tallies:
            start = int(tally.low - low)
            counts[start : start + len(tally.counts)] += tally.counts
        occurring = np.flatnonzero(counts)
        return Histogram(low + occurring.astype(float), counts[occurring], low, high, True)
    counts = np.sum(_over_blocks(parts, partial(_binned, low=low, high=high)), axis=0)
    edges = np.linspace(low, high, _BINS + 1)
    return Histogram((edges[1:] + edges[:-1]) / 2, counts, low, high, False)


def _over_blocks(parts: Sequence[Structures], function: Callable[[np.ndarray], Any]) -> list[Any]:
    """Apply a function to the values inside the mask of each block."""
    tasks = []
    for part in parts:
        blocks = part.data.to_delayed().ravel()
        masks = [None] * len(blocks) if part.mask is None else part.mask.to_delayed().ravel()
        tasks += [dask.delayed(_inside)(function, *pair) for pair in zip(blocks, masks, strict=True)]
    return list(dask.compute(*tasks))


def _inside(function: Callable[[np.ndarray], Any], block: np.ndarray, mask: np.ndarray | None) -> Any:
    return function(block.ravel() if mask is None else block[mask])


def _tally(values: np.ndarray) -> _Tally | None:
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    is_counted = high - low < _COUNTED_RANGE and bool((values == np.floor(values)).all())
    counts = np.bincount((values - values.min()).astype(np.int64)) if is_counted else None
    return _Tally(low, high, counts)


def _binned(values: np.ndarray, *, low: float, high: float) -> np.ndarray:
    return np.histogram(values, _BINS, (low, high))[0]
