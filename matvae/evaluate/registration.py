"""Registration: structures with the same statistics may lie anywhere, and are brought together to be compared."""

from __future__ import annotations

import numpy as np

from ..errors import InputError


def register(structures: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Shift, and point-invert where that fits better, periodic two-phase structures onto others.

    The shift is at the peak of the cross-correlation of both; 2-point statistics do not change by it.

    Parameters
    ----------
    structures, onto : array ``(sample, *space)``
        Labels; what is not 0 counts as the phase.

    Returns
    -------
    array of uint8 ``(sample, *space)``
        The structures, moved: 1 where the phase is.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if structures.shape != onto.shape:
        raise InputError(f"Structures of equal shape are expected, but {structures.shape} and {onto.shape} were given.")
    # It takes a while to import.
    import torch

    from ..model.alignment import align

    moved, still = (torch.from_numpy((labels != 0).astype(np.float32)).unsqueeze(1) for labels in (structures, onto))
    return align(moved, still).squeeze(1).to(torch.uint8).numpy()
