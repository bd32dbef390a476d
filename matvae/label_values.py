"""The labels that occur in an array, and the number of phases that follows: labels are 0 to H-1 without gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import InputError
from .given import looks_like_colours, one_channel
from .grid import MAX_PHASES

# Different labels that are told apart; more are none of phases.
LIMIT = MAX_PHASES + 1
# Voxels of a numpy array that are looked at together: the first ones usually hold every label.
BLOCK_VOXELS = 1 << 13
# Labels from which an array looks like a grey-scale image.
MANY = 64
# Labels that a message lists.
LISTED = 8


def count_phases(X: Any) -> int:
    """Return the number of phases H of integer labels 0 to H-1, at least two.

    Parameters
    ----------
    X : numpy.ndarray or dask.array.Array of int or bool
        A dask array is read once.

    Raises
    ------
    InputError
        If labels in between do not occur, some are negative, or there are more than 255 of them.
    """
    values = distinct_labels(X)
    n_labels = int(values[-1]) + 1
    # One of two phases may be absent from a set; with more of them this cannot be told from a gap.
    if values[0] >= 0 and (n_labels <= 2 or len(values) == n_labels <= MAX_PHASES):
        return max(2, n_labels)
    raise InputError(_refusal(values, X))


def distinct_labels(X: Any) -> np.ndarray:
    """Return the labels that occur, in ascending order; of more than 256, the smallest, the largest and some others.

    A numpy array is read on only until every label from the smallest to the largest has been seen.
    """
    if not isinstance(X, np.ndarray):
        # A vector of fixed length for each chunk.
        chunks = (*((1,) * n for n in X.numblocks), (LIMIT,))
        found = X.map_blocks(_padded, dtype=np.int64, chunks=chunks, new_axis=X.ndim, meta=np.empty((0,), np.int64))
        return _shortened(np.unique(found.compute()))
    least, most = int(X.min()), int(X.max())
    if most - least <= 1:
        return np.arange(least, most + 1)
    seen = np.array([least, most])
    for block in np.nditer(X, flags=["external_loop", "buffered"], buffersize=BLOCK_VOXELS):
        seen = np.union1d(seen, np.unique(block))
        if len(seen) == most - least + 1 or len(seen) > LIMIT:
            break
    return _shortened(seen)


def _padded(block: np.ndarray) -> np.ndarray:
    """The labels in a chunk, the last of them repeated."""
    values = distinct_labels(block)
    padded = np.pad(values.astype(np.int64), (0, LIMIT - len(values)), mode="edge")
    return padded.reshape((1,) * block.ndim + (LIMIT,))


def _shortened(values: np.ndarray) -> np.ndarray:
    """The smallest and the largest of many values."""
    return values if len(values) <= LIMIT else np.append(values[: LIMIT - 1], values[-1])


def _refusal(values: np.ndarray, X: Any) -> str:
    shown = ", ".join(str(value) for value in values[:LISTED]) + (", ..." if len(values) > LISTED else "")
    if not isinstance(X, np.ndarray):
        relabel = f"X.map_blocks(lambda block: numpy.searchsorted({values.tolist()}, block), dtype=int)"
    elif len(values) > LISTED:
        relabel = "numpy.unique(X, return_inverse=True)[1].reshape(X.shape)"
    else:
        relabel = f"numpy.searchsorted([{shown}], X)"
    message = f"The array should hold the phase labels 0 to H-1, but holds {shown}. "
    if len(values) > MANY:
        message += (
            f"These are {len(values)}{' or more' if len(values) == LIMIT else ''} different values, like those of a "
            "grey-scale image: segment it first, for example by a threshold, X > X.mean(). "
        )
    if len(values) <= MAX_PHASES:
        message += (
            f"If these are phases, relabel it with {relabel}" if len(values) > MANY else f"Relabel it with {relabel}"
        )
        if values[0] >= 0 and values[-1] < MAX_PHASES:
            message += f", or pass phases={values[-1] + 1} if the labels in between are phases that do not occur"
        message += "."
    if looks_like_colours(X.shape):
        message += f" If its last axis holds the colours of RGB(A) images, pass one channel: {one_channel(X.shape)}."
    return message.rstrip()
