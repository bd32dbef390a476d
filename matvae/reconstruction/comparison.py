"""What structures have in common with the examples they were made from: copied voxels, and phases that percolate."""

from __future__ import annotations

import numpy as np

from .paths import crosses


def copied_share(structures: np.ndarray, examples: np.ndarray) -> np.ndarray:
    """Share ``(structure,)`` of the voxels of the middle of structures that equal an example at the best of all shifts.

    Parameters
    ----------
    structures : ndarray of uint8 ``(structure, *space)``
    examples : ndarray of uint8 ``(example, *space)``
        Of any size; the middle is at most half as long as an example along each axis.

    Returns
    -------
    ndarray ``(structure,)``
        Between 0 and 1. It depends on the size of the middle and on the material, so only a comparison with the value
        of true structures tells whether voxels were copied.
    """
    # Slow to import.
    from scipy import fft

    space = examples.shape[1:]
    edges = [min(n, max(1, most // 2)) for n, most in zip(structures.shape[1:], space, strict=True)]
    starts = [(n - edge) // 2 for n, edge in zip(structures.shape[1:], edges, strict=True)]
    middle = tuple(slice(start, start + edge) for start, edge in zip(starts, edges, strict=True))
    inside = tuple(slice(most - edge + 1) for edge, most in zip(edges, space, strict=True))
    axes = tuple(range(1, examples.ndim))
    phases = np.unique(examples)
    spectra = [fft.rfftn(np.float32(examples == phase), axes=axes) for phase in phases]
    shares = []
    for structure in structures:
        part = structure[middle]
        # Equal voxels at every shift at which the middle lies inside the example.
        products = [
            spectrum * fft.rfftn(np.float32(part == phase), s=space).conj()
            for phase, spectrum in zip(phases, spectra, strict=True)
        ]
        matches = fft.irfftn(sum(products[1:], products[0]), s=space, axes=axes)
        shares.append(round(float(matches[(slice(None), *inside)].max())) / part.size)
    return np.array(shares)


def percolating(structures: np.ndarray, n_phases: int) -> np.ndarray:
    """Whether phases connect the two sides of each axis: bool ``(structure, phase, axis)``."""
    return np.array(
        [
            [[crosses(structure == phase, axis) for axis in range(structure.ndim)] for phase in range(n_phases)]
            for structure in structures
        ]
    )
