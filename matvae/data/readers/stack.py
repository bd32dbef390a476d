"""A folder of images of one shape, read as one array with the images along the first axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..blocks import Blocks, Box, block_chunks

# Shape and type of one image, and a function that reads a box of it.
Describe = Callable[[Path], tuple[tuple[int, ...], np.dtype]]
ReadOne = Callable[[Path, Box], np.ndarray]


def stack_images(folder: Path, files: Sequence[Path], describe: Describe, read_one: ReadOne) -> Blocks:
    """Blocks ``(file, *image)`` of the images in `files`, which must be of one shape and type.

    Raises
    ------
    InputError
        Naming the first file that differs.
    """
    shape, dtype = describe(files[0])
    for file in files[1:]:
        other = describe(file)
        if other != (shape, dtype):
            raise InputError(
                f"All images of {folder} should have one shape and type, but {files[0].name} is {shape} "
                f"{dtype} and {file.name} is {other[0]} {other[1]}. Put images of different sizes into "
                "folders of their own."
            )
    whole = range(1, len(shape) + 1)
    chunks = block_chunks((len(files), *shape), dtype, whole=whole)
    return Blocks(str(folder), (len(files), *shape), dtype, chunks, partial(_read_stack, tuple(files), read_one))


def _read_stack(files: tuple[Path, ...], read_one: ReadOne, box: Box) -> np.ndarray:
    return np.stack([read_one(file, box[1:]) for file in files[box[0]]])
