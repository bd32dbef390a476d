"""PNG: one image, or a folder of images that are samples or the slices of one volume."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from ...errors import InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import Source, natural_order
from .stack import stack_images

# Pillow's modes with one value per pixel. The values of "P" are indices of a palette, which serve as labels.
_MODES = {"1": np.bool_, "L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}


class PngReader:
    """Reader of PNG files and of folders of them."""

    def matches(self, path: Path) -> bool:
        """Return whether this is a PNG file, or a folder that contains some."""
        return path.suffix.lower() == ".png" if path.is_file() else bool(_files(path))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the image or images; `name` must be None, since PNG has no names."""
        if name is not None:
            raise InputError(f"PNG images have no names, but name={name!r} was given for {path}. Omit name.")
        if path.is_dir():
            return Source(stack_images(path, _files(path), _describe, _read))
        shape, dtype = _describe(path)
        return Source(
            LazyArray(str(path), shape, dtype, choose_chunks(shape, dtype, whole=(0, 1)), partial(_read, path))
        )


def _files(folder: Path) -> list[Path]:
    return sorted((file for file in folder.iterdir() if file.suffix.lower() == ".png"), key=natural_order)


def _describe(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    with _pillow().open(path) as image:
        if image.mode not in _MODES:
            raise InputError(
                f"{path} should have one value per pixel, but is a colour or transparent image (mode {image.mode}). "
                "Convert it to a grey image, or segment it, first."
            )
        return (image.height, image.width), np.dtype(_MODES[image.mode])


def _read(path: Path, box: Box) -> np.ndarray:
    with _pillow().open(path) as image:
        # Pillow's boolean arrays hold bytes of 255, which are True in numpy but not equal to 1.
        values = np.array(image.convert("L")) > 0 if image.mode == "1" else np.array(image)
        return values[box]


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("Reading PNG needs Pillow; install it with: pip install 'matvae[png]'") from error
    return Image


reader = PngReader()
