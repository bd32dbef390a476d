"""Subsets of a set: evenly spread samples, those in a block, and structures that stay lazy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .structures import Structures


def spread_indices(n: int, most: int) -> np.ndarray:
    """At most `most` indices below `n`, spread evenly, since a set may be sorted by material."""
    return np.unique(np.linspace(0, n - 1, most).round().astype(int)) if n > most else np.arange(n)


def within(numbers: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Positions in the block of samples from `start` to `stop` of those samples, among `numbers`, that it contains."""
    return numbers[(numbers >= start) & (numbers < stop)] - start


def select(structures: Structures, indices: np.ndarray) -> Structures:
    """Structures at some indices, with their properties and masks."""
    properties = {name: values[indices] for name, values in structures.properties.items()}
    mask = None if structures.mask is None else structures.mask[indices]
    return replace(structures, data=structures.data[indices], properties=properties, mask=mask)
