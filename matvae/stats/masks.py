"""Masks: the weight of each voxel, shared by all samples or per sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .map_samples import as_tensor, is_dask, kind_of, whole_samples


@dataclass(frozen=True)
class Mask:
    """A checked mask.

    ``values`` is a tensor ``(*space)`` or ``(sample, *space)`` on the device of the structures, a dask array
    ``(sample, *space)`` if the structures are one, or None; ``binary`` means that all weights are 0 or 1.
    """

    values: Any
    per_sample: bool
    binary: bool


def read_mask(mask: Any, X: Any, space: tuple[int, ...]) -> Mask:
    """Check a user's mask of the structures X.

    Raises
    ------
    InputError
        If it is not an array, its shape does not fit, a value lies outside [0, 1], or a sample has no weight.
    """
    if mask is None:
        return Mask(None, per_sample=False, binary=True)
    if not (isinstance(mask, np.ndarray | Tensor) or is_dask(mask)):
        raise InputError(
            f"The mask must be a numpy, dask or torch array, but {type(mask).__name__} was given. "
            "Convert it with numpy.asarray."
        )
    shape, per_sample_shape = tuple(mask.shape), (X.shape[0], *space)
    if shape not in (space, per_sample_shape):
        raise InputError(
            f"A mask of shape {space} or {per_sample_shape} is expected, but {shape} was given. "
            "It has no axis of local states, and either one entry per sample or no sample axis."
        )
    per_sample = shape == per_sample_shape
    kind = kind_of(mask)
    if kind not in "biuf":
        raise InputError(
            f"A mask of booleans or real numbers is expected, but it has the type {mask.dtype}. "
            "Convert it with mask.astype(bool)."
        )
    binary = kind != "f"
    if per_sample and is_dask(X):
        if not is_dask(mask):
            raise InputError(
                "A mask per sample must be a dask array where the structures are one, but a mask in memory was given. "
                "Wrap it with dask.array.from_array(mask)."
            )
        meta = np.empty((0,) * mask.ndim, mask.dtype)
        return Mask(whole_samples(mask).map_blocks(_checked_block, dtype=mask.dtype, meta=meta), True, binary)
    values = as_tensor(mask if isinstance(mask, Tensor) else np.asarray(mask))
    values = values.to(X.device if isinstance(X, Tensor) else "cpu")
    check_weights(values, per_sample)
    return Mask(values, per_sample, binary)


def check_weights(mask: Tensor, per_sample: bool) -> None:
    """Refuse weights outside [0, 1] and samples without any weight.

    Raises
    ------
    InputError
        Naming the values or the sample.
    """
    least, most = (float(value) for value in torch.aminmax(mask.detach()))
    if not (least >= 0 and most <= 1):
        raise InputError(
            f"Mask values must lie in [0, 1], but values from {least:g} to {most:g} were given: "
            "0 excludes a voxel, 1 counts it in full. Scale the mask, or compare it with a threshold."
        )
    largest = mask.detach().flatten(1).amax(1) if per_sample else mask.detach().amax().unsqueeze(0)
    if not bool((largest > 0).all()):
        where = f" in sample {int(largest.argmin())}" if per_sample else ""
        raise InputError(
            f"A mask needs a voxel with weight in every sample, but it has no weight at all{where}. "
            "Leave that sample out, or correct the mask (1 counts a voxel, 0 excludes it)."
        )


def _checked_block(block: np.ndarray) -> np.ndarray:
    check_weights(as_tensor(block), per_sample=True)
    return block
