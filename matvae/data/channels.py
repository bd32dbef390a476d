"""Channels: a grey image that was saved in colour has several equal ones, and perhaps an opaque alpha; one is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..errors import InputError
from .lazy_array import Box, LazyArray

#: What can be done with an image that has several values per pixel.
ADVICE = (
    "Convert it to a grey image (ImageJ: Image > Type > 8-bit; Python: "
    'PIL.Image.open(file).convert("L").save("grey.png")), or segment it, first.'
)
# Numbers of channels of which the last one may be alpha: grey and alpha, or red, green, blue and alpha.
_WITH_ALPHA = (2, 4)
# Voxels along each axis of an image on which channels are compared at first; those of most colour images differ soon.
_PROBED = (256, 4096)


def redundant_channels(values: np.ndarray) -> str | None:
    """Say why all channels of an image but the first can be left out.

    Parameters
    ----------
    values : ndarray ``(..., channel)``

    Returns
    -------
    str or None
        Such as ``"its 3 channels are equal, and its alpha is opaque: one channel is taken"``; None if the channels
        differ, or alpha is not opaque everywhere.
    """
    n = values.shape[-1]
    has_alpha = n in _WITH_ALPHA
    n -= has_alpha
    opaque = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1
    if (has_alpha and not (values[..., n] == opaque).all()) or not (values[..., 1:n] == values[..., :1]).all():
        return None
    words = [f"its {n} channels are equal"] * (n > 1) + ["its alpha is opaque"] * has_alpha
    return f"{', and '.join(words)}: {'one channel' if n > 1 else 'only grey'} is taken"


def one_channel(array: LazyArray, axis: int) -> tuple[LazyArray, str] | None:
    """Leave out all channels but the first, if they can be; the axis then has the length one.

    They are compared in the middle of the first image at once, and everywhere else as voxels are read.

    Parameters
    ----------
    array : LazyArray
    axis : int
        That of the channels.

    Returns
    -------
    (LazyArray, str) or None
        The array, and what `redundant_channels` says of it; None if the channels differ.
    """
    words = ""
    for length in _PROBED:
        found = redundant_channels(np.moveaxis(array[_middle(array.shape, axis, length)], axis, -1))
        if found is None:
            return None
        words = found
    read = partial(_read_one, array.read, axis, array.shape[axis], array.source)
    shape, chunks = list(array.shape), list(array.chunks)
    shape[axis], chunks[axis] = 1, (1,)
    return replace(array, shape=tuple(shape), chunks=tuple(chunks), read=read), words


def _middle(shape: tuple[int, ...], axis: int, length: int) -> Box:
    """Box of all channels in the middle of the first image, of at most that length."""
    box = [slice(0, 1)] * len(shape)
    box[axis] = slice(0, shape[axis])
    for k in [k for k in range(len(shape)) if k != axis][-2:]:
        start = max(0, shape[k] - length) // 2
        box[k] = slice(start, min(start + length, shape[k]))
    return tuple(box)


def _read_one(read: Callable[[Box], np.ndarray], axis: int, n: int, source: str, box: Box) -> np.ndarray:
    values = np.moveaxis(read((*box[:axis], slice(0, n), *box[axis + 1 :])), axis, -1)
    if redundant_channels(values) is None:
        raise InputError(
            f"{source} should have one value per voxel, but its {n} channels or colours differ in part of it. {ADVICE}"
        )
    return np.moveaxis(values[..., :1], -1, axis)
