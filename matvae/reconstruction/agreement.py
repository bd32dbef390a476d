"""Similarity of realizations of one target after registration."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError

Numbers = float | np.ndarray


class Agreement(NamedTuple):
    """Fraction of voxels with the same phase in two realizations, averaged over all pairs.

    Attributes
    ----------
    share : float, or array ``(sample,)``
        Fraction after the best registration.
    chance : float, or array ``(sample,)``
        Expected fraction for independent structures of the same volume fractions, without registration: the sum of
        their products. The best of all shifts is slightly larger, and more so the larger the features are.
    """

    share: Numbers
    chance: Numbers


def mutual_agreement(structures: Any, *, periodic: bool = True) -> Agreement:
    """Compute the agreement of realizations of one target.

    2-point statistics are invariant under translation and point inversion, so the agreement is, too.

    Parameters
    ----------
    structures : array of int ``(realization, *space)``
        Labels of two or more structures.
    periodic : bool
        Whether to register by translation, too. Non-periodic windows are compared as they are and inverted only.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        If `structures` does not hold integer labels of at least two structures.
    """
    labels = np.asarray(structures)
    if labels.dtype.kind not in "biu" or not 2 <= labels.ndim <= 4 or len(labels) < 2:
        raise InputError(
            "Integer labels (realization, *space) of two or more realizations are expected, but an array of shape "
            f"{labels.shape} and type {labels.dtype} was given. Pass n_realizations to reconstruct."
        )
    matches = _matches_shifted(labels) if periodic else _matches_unshifted(labels)
    phases = np.unique(labels)
    fractions = np.stack([(labels == phase).reshape(len(labels), -1).mean(1) for phase in phases], axis=1)
    pairs = np.array(list(itertools.combinations(range(len(labels)), 2)))
    chance = (fractions[pairs[:, 0]] * fractions[pairs[:, 1]]).sum(1).mean()
    return Agreement(float(np.mean(matches)) / labels[0].size, float(chance))


def _matches_unshifted(labels: np.ndarray) -> list[int]:
    inverted = np.flip(labels, tuple(range(1, labels.ndim)))
    return [
        max(int(np.count_nonzero(labels[i] == labels[j])), int(np.count_nonzero(labels[i] == inverted[j])))
        for i, j in itertools.combinations(range(len(labels)), 2)
    ]


def _matches_shifted(labels: np.ndarray) -> list[int]:
    """Equal voxels of each pair at the best of all shifts, by the correlations of all phases."""
    # Imported here because it is slow to import.
    from scipy import fft

    space = labels.shape[1:]
    spectra = [
        np.stack([fft.rfftn(np.float32(structure == phase)) for phase in np.unique(labels)]) for structure in labels
    ]
    best = []
    for first, second in itertools.combinations(spectra, 2):
        # Inverting a structure conjugates its transform.
        products = ((first * other).sum(0) for other in (second.conj(), second))
        best.append(round(max(float(fft.irfftn(product, s=space).max()) for product in products)))
    return best
