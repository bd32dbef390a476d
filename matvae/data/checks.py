"""Checks of voxel values: labels must be those of phases, and real numbers finite."""

from __future__ import annotations

import numpy as np

from ..errors import InputError, MatvaeError


def check_values(
    block: np.ndarray,
    phases: int,
    *,
    source: str,
    first_sample: int = 0,
    error: type[MatvaeError] = InputError,
) -> None:
    """Refuse a block ``(sample, *space)`` whose values are not labels 0 to H-1, or not finite numbers.

    Parameters
    ----------
    block : numpy.ndarray
        Labels, or real numbers if ``phases == 1``.
    phases : int
        Number of phases H; 1 means a continuous field.
    source : str
        Where the block comes from, for the message.
    first_sample : int
        Index in the whole set of the first sample of the block.
    error : type
        Class of the error: `InputError` for a user's data, `StoreError` for a store.

    Raises
    ------
    InputError or StoreError
        If values are invalid; the message names the samples and the values.
    """
    if phases == 1:
        _check_type(block, "f", "real numbers, since phases=1 means a continuous field", source)
        is_invalid, expected = ~np.isfinite(block), "finite numbers"
    else:
        _check_type(block, "iub", f"integer labels 0 to {phases - 1}", source)
        if not block.size or (block.max() < phases and (block.dtype.kind != "i" or block.min() >= 0)):
            return
        is_invalid, expected = (block < 0) | (block >= phases), f"labels 0 to {phases - 1}"
    if not is_invalid.any():
        return
    samples = first_sample + np.flatnonzero(is_invalid.reshape(len(block), -1).any(axis=1))
    count = int(is_invalid.sum())
    raise error(
        f"{source} should hold {expected}, but {count} voxel{'s' if count > 1 else ''} of "
        f"{_some(samples, 'sample')} hold{'s' if count == 1 else ''} {_some(np.unique(block[is_invalid]))}. "
        f"{_advice(error, phases)}"
    )


def _check_type(block: np.ndarray, kinds: str, expected: str, source: str) -> None:
    if block.dtype.kind not in kinds:
        raise InputError(
            f"{source} should hold {expected}, but its values are {block.dtype}. Convert labels with "
            "labels.astype('uint8'), or pass a grid with the correct number of phases."
        )


def _some(values: np.ndarray, noun: str = "") -> str:
    shown = ", ".join(str(value) for value in values[:5].tolist()) + (", ..." if len(values) > 5 else "")
    return f"{noun}{'s' if noun and len(values) > 1 else ''} {shown}".strip()


def _advice(error: type[MatvaeError], phases: int) -> str:
    if error is not InputError:
        return "The store is damaged or incomplete; restore it from a copy, or create it again."
    if phases == 1:
        return (
            "Fill these voxels, crop the structures, or leave out NaN where they are opened: mask='nan' (command line: "
            "matvae import FILE OUT.zarr --mask nan)."
        )
    return "Relabel them, or open the array with open_structures(X, phase_values=(...)), the i-th of which is phase i."
