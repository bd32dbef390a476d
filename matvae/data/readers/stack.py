"""Folders of images of one shape, read as one array whose first axis is that of the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..lazy_array import Box, LazyArray, choose_chunks

# Returns the shape and type of an image; reads a box of it.
Describe = Callable[[Path], tuple[tuple[int, ...], np.dtype]]
ReadOne = Callable[[Path, Box], np.ndarray]


def stack_images(folder: Path, files: Sequence[Path], describe: Describe, read_one: ReadOne) -> LazyArray:
    """Stack the images in `files`, which must have one shape and type, to ``(file, *image)``.

    Raises
    ------
    InputError
        If a file differs; the message names the first one.
    """
    shape, dtype = describe(files[0])
    for file in files[1:]:
        other = describe(file)
        if other != (shape, dtype):
            raise InputError(
                f"All images in {folder} should have one shape and type, but {files[0].name} is {shape} {dtype} and "
                f"{file.name} is {other[0]} {other[1]}. Put images of different sizes into separate folders."
            )
    whole = range(1, len(shape) + 1)
    chunks = choose_chunks((len(files), *shape), dtype, whole=whole)
    return LazyArray(str(folder), (len(files), *shape), dtype, chunks, partial(_read_stack, tuple(files), read_one))


def _read_stack(files: tuple[Path, ...], read_one: ReadOne, box: Box) -> np.ndarray:
    return np.stack([read_one(file, box[1:]) for file in files[box[0]]])
