"""Whether the opposite sides of structures join, as those of periodic structures do, by a look at the structures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .warn import warn

# Voxels that are looked at along each axis.
MOST_VOXELS = 1 << 20
# Fewer layers of voxels say nothing of what is usual among them.
LEAST_LAYERS = 8
# How much more than any two layers inside the first and the last one differ where they do not join.
FACTOR = 1.5


def open_axes(structures: np.ndarray, ndim: int) -> list[int]:
    """Return the spatial axes, from 0, along which the opposite sides of structures do not join.

    Layers of voxels that lie side by side differ in some share of their voxels, and in a periodic structure this holds
    for the last and the first layer, too. Where it is a window cut from something larger, these two are as unlike as
    if they had nothing to do with each other.

    Parameters
    ----------
    structures : array ``(sample, *space)`` or ``(sample, *space, state)``
        Labels, or real numbers, whose absolute differences count.
    ndim : int
        Number of spatial axes.

    Returns
    -------
    list of int
        Axes along which the last and the first layer differ by more than 1.5 times as much as any two neighbouring
        layers inside, in the mean over all structures.
    """
    return [axis for axis in range(ndim) if _is_open(np.moveaxis(structures, axis + 1, 0))]


def warn_of_open_boundaries(structures: np.ndarray, ndim: int, axes: Sequence[str], *, remedy: str) -> None:
    """Warn if structures of which nobody stated the boundaries are taken as periodic, but do not look it.

    Parameters
    ----------
    structures, ndim
        As in `open_axes`; of many, the first ones are looked at.
    axes : sequence of str
        Names of the spatial axes.
    remedy : str
        What to pass otherwise, as a sentence.

    Warns
    -----
    UserWarning
        Naming the axes.
    """
    n = max(1, MOST_VOXELS // max(1, structures[:1].size))
    found = open_axes(structures[:n], ndim)
    if found:
        named = ", ".join(axes[axis] for axis in found)
        warn(
            f"These structures are taken as periodic, but along {named} their opposite sides do not join, as in "
            f"windows cut from an image: statistics then contain pairs of voxels that do not belong together. {remedy}"
        )


def _is_open(layers: np.ndarray) -> bool:
    """Whether the last and the first of the layers ``(layer, ...)`` do not join."""
    if len(layers) < LEAST_LAYERS:
        return False
    if layers.size > MOST_VOXELS and layers.ndim > 2:
        # Axis 1 is that of the samples; every layer is thinned in the same way.
        layers = layers[:, :, :: -(-layers.size // MOST_VOXELS)]
    inside = max(_difference(layer, following) for layer, following in pairwise(layers))
    return _difference(layers[-1], layers[0]) > FACTOR * inside


def _difference(layer: np.ndarray, other: np.ndarray) -> float:
    if layer.dtype.kind == "f":
        # What is not finite is refused elsewhere; NaN joins with everything.
        with np.errstate(invalid="ignore", over="ignore"):
            return float(np.abs(layer - other, dtype=np.float64).mean())
    return float((layer != other).mean())
