"""Registration: structures with equal statistics may be shifted copies, and are aligned before they are compared."""

from __future__ import annotations

import numpy as np

from ..errors import InputError


def register(structures: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Shift periodic two-phase structures onto others, and invert them through a point where that fits better.

    The shift is at the peak of the cross-correlation of both; it leaves the 2-point statistics unchanged.

    Parameters
    ----------
    structures, onto : array ``(sample, *space)``
        Labels; everything other than 0 counts as the phase.

    Returns
    -------
    array of uint8 ``(sample, *space)``
        The registered structures: 1 in the phase.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if structures.shape != onto.shape:
        raise InputError(f"Structures of equal shape are expected, but {structures.shape} and {onto.shape} were given.")
    # Slow to import.
    import torch

    from ..model.alignment import align

    moving, fixed = (torch.from_numpy((labels != 0).astype(np.float32)).unsqueeze(1) for labels in (structures, onto))
    return align(moving, fixed).squeeze(1).to(torch.uint8).numpy()
