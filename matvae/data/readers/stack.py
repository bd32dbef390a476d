"""Folders of images of one shape, read as one array whose first axis is that of the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...errors import DamagedFileError, InputError, MatvaeError, StoreError
from ...shortage import raise_shortage
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import File

F = TypeVar("F", bound=File)


def stack_images(
    source: str | Path,
    files: Sequence[F],
    describe: Callable[[F], tuple[tuple[int, ...], np.dtype]],
    read_one: Callable[[F, Box], np.ndarray],
) -> LazyArray:
    """Stack images, which must have one shape and type, to ``(file, *image)``.

    Parameters
    ----------
    source : str or Path
        Where the files are, for messages.
    files : sequence of File
        Files, in order.
    describe : callable
        Returns the shape and type of the image in a file.
    read_one : callable
        Reads a box of the image in a file.

    Raises
    ------
    InputError
        If a file cannot be opened or differs from the first; the message names it.
    """
    source = str(source)
    shape, dtype = _described(source, files[0], describe)
    for file in files[1:]:
        other = _described(source, file, describe)
        if other != (shape, dtype):
            raise InputError(
                f"All images in {source} should have one shape and type, but {files[0].name} is {shape} {dtype} and "
                f"{file.name} is {other[0]} {other[1]}. Put images of different sizes into separate folders."
            )
    whole = range(1, len(shape) + 1)
    chunks = choose_chunks((len(files), *shape), dtype, whole=whole)
    return LazyArray(source, (len(files), *shape), dtype, chunks, partial(_read_stack, source, tuple(files), read_one))


def _described(
    source: str, file: F, describe: Callable[[F], tuple[tuple[int, ...], np.dtype]]
) -> tuple[tuple[int, ...], np.dtype]:
    try:
        return describe(file)
    except MatvaeError:
        raise
    except Exception as error:
        raise_shortage(error)
        raise DamagedFileError(
            f"{file.name} in {source} cannot be opened: {type(error).__name__}: {error}. The file is damaged, or not "
            "of the format that its name suggests: restore it, or take it out of the folder."
        ) from error


def _read_stack(source: str, files: tuple[F, ...], read_one: Callable[[F, Box], np.ndarray], box: Box) -> np.ndarray:
    images = []
    for file in files[box[0]]:
        try:
            images.append(read_one(file, box[1:]))
        except MatvaeError:
            raise
        except Exception as error:
            raise_shortage(error)
            raise StoreError(
                f"{file.name} in {source} cannot be read: {type(error).__name__}: {error}. The file is damaged, "
                "incomplete or missing; restore it from a copy."
            ) from error
    return np.stack(images)
