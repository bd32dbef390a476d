"""Checks of voxel values: labels that are phases, numbers that are finite."""

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
    """Refuse a block ``(sample, *space)`` whose values are not phases 0 to H-1, or not finite numbers.

    Parameters
    ----------
    block : numpy.ndarray
        Labels, or real numbers when ``phases == 1``.
    phases : int
        Number of phases H; 1 means a continuous field.
    source : str
        Where the block comes from, for the message.
    first_sample : int
        Number of the block's first sample in its set.
    error : type
        Class of the error to raise: `InputError` for data that came in, `StoreError` for a store.

    Raises
    ------
    InputError or StoreError
        Naming the samples and the values.
    """
    if phases == 1:
        _check_type(block, "f", "real numbers, as phases=1 means a continuous field", source)
        if np.isfinite(block).all():
            return
        wrong, expected = ~np.isfinite(block), "finite numbers"
    else:
        _check_type(block, "iub", f"integer labels 0 to {phases - 1}", source)
        if not block.size or (block.max() < phases and (block.dtype.kind != "i" or block.min() >= 0)):
            return
        wrong, expected = (block < 0) | (block >= phases), f"labels 0 to {phases - 1}"
    samples = first_sample + np.flatnonzero(wrong.reshape(len(block), -1).any(axis=1))
    values = np.unique(block[wrong])
    raise error(
        f"{source} should hold {expected}, but {int(wrong.sum())} voxels of {_some(samples, 'sample')} hold "
        f"{_some(values)}. {_advice(error, phases)}"
    )


def _check_type(block: np.ndarray, kinds: str, expected: str, source: str) -> None:
    if block.dtype.kind not in kinds:
        raise InputError(
            f"{source} should hold {expected}, but its values are {block.dtype}. Convert labels with "
            "labels.astype('uint8'), or pass a grid with the right number of phases."
        )


def _some(values: np.ndarray, noun: str = "") -> str:
    shown = ", ".join(str(value) for value in values[:5].tolist()) + (", ..." if len(values) > 5 else "")
    return f"{noun}{'s' if noun and len(values) > 1 else ''} {shown}".strip()


def _advice(error: type[MatvaeError], phases: int) -> str:
    if error is not InputError:
        return "The store is damaged or incomplete; restore it from a copy, or make it again."
    if phases == 1:
        return "Fill or cut away these voxels first."
    return "Relabel them, or say which value is which phase with phase_values=(...)."
