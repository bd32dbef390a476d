"""Masks: which voxels of a structure were measured, and belong to the sample."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import dask
import dask.array as da
import numpy as np

from ..errors import InputError
from .lazy_array import Box, LazyArray
from .phase_values import PhaseValues
from .structures import Structures
from .subsets import select

NAN, MISSING = "nan", "missing"
# "nan", "missing", a path, an array, or Structures with the labels 0 (outside) and 1 (inside).
MaskSource = Any


def comes_from_values(mask: MaskSource) -> bool:
    """Return whether a mask is given by the values of the voxels themselves: NaN, or the value for missing ones."""
    return isinstance(mask, str) and mask in (NAN, MISSING)


def measured_voxels(samples: LazyArray, mask: str, missing: int | None) -> LazyArray:
    """Return which voxels were measured, by their values.

    Parameters
    ----------
    samples : LazyArray
        ``(sample, *space)`` as read from a file.
    mask : str
        ``"nan"`` or ``"missing"``.
    missing : int or None
        Value of voxels that were not measured, if the file states one.

    Raises
    ------
    InputError
        If the array cannot hold such voxels.
    """
    if mask == NAN and samples.dtype.kind != "f":
        raise InputError(
            f"{samples.source} holds integers ({samples.dtype}), none of which is NaN, but mask='nan' was given. Pass "
            "a file with the mask, mask='mask.tif' (command line: --mask mask.tif)."
        )
    if mask == MISSING and missing is None:
        raise InputError(
            f"{samples.source} does not state which voxels were not measured, as EBSD maps do, but mask='missing' was "
            "given. Pass mask='nan', or a file, mask='mask.tif' (command line: --mask nan or --mask mask.tif)."
        )
    return samples.map(partial(_is_measured, missing=None if mask == NAN else missing), np.bool_)


def _is_measured(block: np.ndarray, box: Box, *, missing: int | None) -> np.ndarray:
    return ~np.isnan(block) if missing is None else block != missing


def fill_outside(samples: LazyArray, inside: LazyArray, phase_values: PhaseValues, *, is_grey: bool) -> LazyArray:
    """Replace voxels outside a mask by a value that occurs inside, so that they do not count as a phase of their own.

    Parameters
    ----------
    samples : LazyArray
        ``(sample, *space)`` as read from a file.
    inside : LazyArray of bool
        Of the same shape.
    phase_values, is_grey
        What becomes of the values afterwards: labels of phases, or grey values.

    Raises
    ------
    InputError
        If no voxel is inside.
    """
    if is_grey or (phase_values is None and samples.dtype.kind == "f"):
        fill: float = 0
    elif phase_values is not None and not isinstance(phase_values, str):
        # Whatever is listed can be mapped; 255.5 or 300 is no value of an 8-bit image.
        listed: list[float] = [np.nan if isinstance(value, str) else value for value in phase_values]
        fill = next((value for value in listed if _can_hold(samples.dtype, value)), listed[0])
    else:
        values = _distinct_inside(samples, inside)
        if not len(values):
            raise InputError(f"{samples.source} should have voxels inside the mask, but has none. Correct the mask.")
        fill = values[0].item()
    return samples.map(partial(_filled, inside=inside, fill=fill))


def _can_hold(dtype: np.dtype, value: Any) -> bool:
    if dtype.kind == "f":
        return True
    limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    return value == value and float(value).is_integer() and limits.min <= value <= limits.max


def _distinct_inside(samples: LazyArray, inside: LazyArray) -> np.ndarray:
    blocks = samples.to_dask().to_delayed().ravel()
    masks = inside.to_dask().rechunk(samples.chunks).to_delayed().ravel()
    values = dask.compute(*(dask.delayed(_unique_inside)(*pair) for pair in zip(blocks, masks, strict=True)))
    return np.unique(np.concatenate([np.empty(0, samples.dtype), *values]))


def _unique_inside(block: np.ndarray, inside: np.ndarray) -> np.ndarray:
    # One value of each block is enough, since the others are checked when labels are made.
    return np.unique(block[inside])[:1]


def _filled(block: np.ndarray, box: Box, *, inside: LazyArray, fill: float) -> np.ndarray:
    return np.where(inside[box], block, np.asarray(fill, block.dtype))


def mask_of_labels(labels: Structures, shape: tuple[int, ...], source: str) -> da.Array:
    """Return the mask that an image states, for structures of a shape.

    Parameters
    ----------
    labels : Structures
        Image with the value 0 outside the sample and one other value inside, opened with ``phase_values="auto"``; one
        for all structures, or one for each.
    shape : tuple of int
        ``(sample, *space)`` of the structures.
    source : str
        Where the mask comes from, for messages.

    Raises
    ------
    InputError
        If it has other values, or another size.
    """
    # The values in the file, where labels were made from them.
    values = labels.attributes.get("phase_values", [0, 1])
    others = [label for label, value in enumerate(values) if value != 0]
    if len(others) != 1 or len(values) > 2:
        raise InputError(
            f"{source} should hold 0 outside the sample and one other value inside, but holds "
            f"{', '.join(map(str, values))}. Save such a mask, for example (image > 0).astype('uint8')."
        )
    if labels.grid.shape != shape[1:] or len(labels) not in (1, shape[0]):
        raise InputError(
            f"{source} should be a mask of the size of the structures, {shape[1:]}, one for all {shape[0]} or one for "
            f"each, but it has the shape {labels.data.shape}."
        )
    return da.broadcast_to(labels.data == others[0], shape)


def with_mask(structures: Structures, mask: da.Array) -> Structures:
    """Leave out voxels outside a mask ``(sample, *space)``, in addition to those that are left out already."""
    inside = mask if structures.mask is None else structures.mask & mask
    return replace(structures, data=without_outside(structures.data, inside), mask=inside)


def without_outside(data: da.Array, mask: da.Array) -> da.Array:
    """Return voxels ``(sample, *space)`` with 0 outside a mask, whatever they hold there."""
    return da.where(mask, data, data.dtype.type(0))


def valid_fractions(structures: Structures) -> np.ndarray:
    """Return the fraction of voxels inside the mask, ``(sample,)``; the mask is read once."""
    if structures.mask is None:
        return np.ones(len(structures))
    return structures.mask.mean(axis=tuple(range(1, structures.mask.ndim)), dtype=np.float64).compute()


def whole_only(structures: Structures) -> Structures:
    """Return the structures that lie inside their mask entirely, without a mask; the mask is read once."""
    if structures.mask is None:
        return structures
    return replace(select(structures, np.flatnonzero(valid_fractions(structures) == 1)), mask=None)
