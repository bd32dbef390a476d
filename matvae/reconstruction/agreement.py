"""How alike realizations of one target are, when they are laid upon each other as well as can be."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError

Numbers = float | np.ndarray


class Agreement(NamedTuple):
    """Share of voxels with the same phase in two realizations, mean over all pairs of them.

    Attributes
    ----------
    share : float, or array ``(sample,)``
        After the best registration.
    chance : float, or array ``(sample,)``
        Of independent structures with the same volume fractions: the sum of their products. The best of all shifts
        is a little more, the more so the larger the features are in a structure.
    """

    share: Numbers
    chance: Numbers


def mutual_agreement(structures: Any, *, periodic: bool = True) -> Agreement:
    """How much realizations of one target have in common.

    2-point statistics do not tell a structure from its shifts and its point inversion, so these count as the same.

    Parameters
    ----------
    structures : array of int ``(realization, *space)``
        Labels of two or more structures.
    periodic : bool
        Whether shifted structures are the same. Windows are only compared as they are and inverted.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        If these are not integer labels of two structures or more.
    """
    labels = np.asarray(structures)
    if labels.dtype.kind not in "biu" or not 2 <= labels.ndim <= 4 or len(labels) < 2:
        raise InputError(
            "Integer labels (realization, *space) of two or more realizations are expected, but an array of shape "
            f"{labels.shape} and type {labels.dtype} was given. Ask reconstruct for some with n_realizations."
        )
    matches = _best_shifted(labels) if periodic else _as_they_are(labels)
    phases = np.unique(labels)
    fractions = np.stack([(labels == phase).reshape(len(labels), -1).mean(1) for phase in phases], axis=1)
    pairs = np.array(list(itertools.combinations(range(len(labels)), 2)))
    chance = (fractions[pairs[:, 0]] * fractions[pairs[:, 1]]).sum(1).mean()
    return Agreement(float(np.mean(matches)) / labels[0].size, float(chance))


def _as_they_are(labels: np.ndarray) -> list[int]:
    inverted = np.flip(labels, tuple(range(1, labels.ndim)))
    return [
        max(int(np.count_nonzero(labels[i] == labels[j])), int(np.count_nonzero(labels[i] == inverted[j])))
        for i, j in itertools.combinations(range(len(labels)), 2)
    ]


def _best_shifted(labels: np.ndarray) -> list[int]:
    """Equal voxels of each pair at the best of all shifts, by the correlations of all phases."""
    # It takes a while to import.
    from scipy import fft

    space = labels.shape[1:]
    spectra = [np.stack([fft.rfftn(np.float32(one == phase)) for phase in np.unique(labels)]) for one in labels]
    best = []
    for first, second in itertools.combinations(spectra, 2):
        # Inverting a structure conjugates its transform.
        products = ((first * other).sum(0) for other in (second.conj(), second))
        best.append(round(max(float(fft.irfftn(product, s=space).max()) for product in products)))
    return best
