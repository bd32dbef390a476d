"""PNG: one image, or a folder in which each image is a sample (or a slice of one volume)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from ...errors import InputError, MissingExtraError
from ..blocks import Blocks, Box, block_chunks
from .source import Source, natural_order
from .stack import stack_images

# Pillow's modes with one value a pixel; "P" holds palette indices, which are labels.
_MODES = {"1": np.bool_, "L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}


class PngReader:
    """Reader of PNG files and of folders of them."""

    def matches(self, path: Path) -> bool:
        """Whether this is a PNG file, or a folder that holds some."""
        return path.suffix.lower() == ".png" if path.is_file() else bool(_files(path))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the image or images; PNG has no names, so `name` must be None."""
        if name is not None:
            raise InputError(f"PNG images have no names, but name={name!r} was given for {path}. Leave it out.")
        if path.is_dir():
            return Source(stack_images(path, _files(path), _describe, _read))
        shape, dtype = _describe(path)
        return Source(Blocks(str(path), shape, dtype, block_chunks(shape, dtype, whole=(0, 1)), partial(_read, path)))


def _files(folder: Path) -> list[Path]:
    return sorted((file for file in folder.iterdir() if file.suffix.lower() == ".png"), key=natural_order)


def _describe(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    with _pillow().open(path) as image:
        if image.mode not in _MODES:
            raise InputError(
                f"{path} should hold one value a pixel, but is a colour or transparent image (mode "
                f"{image.mode}). Make it a grey image, or segment it, first."
            )
        return (image.height, image.width), np.dtype(_MODES[image.mode])


def _read(path: Path, box: Box) -> np.ndarray:
    with _pillow().open(path) as image:
        # Pillow's own bool arrays hold bytes of 255, which numpy takes for True but does not count as 1.
        values = np.array(image.convert("L")) > 0 if image.mode == "1" else np.array(image)
        return values[box]


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("Reading PNG needs Pillow; install it with: pip install 'matvae[png]'") from error
    return Image


reader = PngReader()
