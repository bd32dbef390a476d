"""PNG, BMP and JPEG: one image, or a folder of images that are samples or the slices of one volume."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import InputError, MissingExtraError
from ...warn import warn
from ..channels import ADVICE, redundant_channels
from ..lazy_array import Box, LazyArray
from .palette import grey_levels, named_colours
from .source import DEFLATE_RATIO, Source, check_declared_size, visible_files
from .stack import stack_images

_LOSSY = (".jpg", ".jpeg")
_SUFFIXES = (".png", ".bmp", *_LOSSY)
# Pillow's modes with one value per pixel. The values of "P" are the numbers of palette entries.
_MODES = {"1": np.bool_, "L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}
_COLOUR_MODES = ("RGB", "RGBA", "LA")
_BITS = {"1": 1, "P": 1, "I;16": 16, "I": 16}
# Images of at most this many colours may be segmented ones, in which each colour is a phase.
_MOST_COLOURS = 16
_OPAQUE = 255


class PngReader:
    """Reader of PNG, BMP and JPEG files, and of folders of them."""

    def matches(self, path: Path) -> bool:
        """Return whether this is such a file, or a folder that contains some."""
        return path.suffix.lower() in _SUFFIXES if path.is_file() else bool(visible_files(path, _SUFFIXES))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the image or images; `name` must be None, since these formats have no names."""
        if name is not None:
            raise InputError(f"PNG images have no names, but name={name!r} was given for {path}. Omit name.")
        files = visible_files(path, _SUFFIXES) if path.is_dir() else [path]
        if lossy := [file.name for file in files if file.suffix.lower() in _LOSSY]:
            which = f"JPEG, {lossy[0]}" if path.is_dir() else "JPEG"
            warn(
                f"{path} is compressed with loss ({which}): values near edges are not those that were "
                "measured. Use the original image if there is one, saved as PNG or TIFF."
            )
        notes: tuple[str, ...] = ()
        channels = ""

        def describe(file: Path) -> tuple[tuple[int, ...], np.dtype]:
            nonlocal notes, channels
            shape, dtype, own_notes, own_channels = _describe(file)
            channels = channels or own_channels
            if file != files[0] and own_notes != notes:
                raise InputError(
                    f"All images in {path} should show their values alike, but {files[0].name} and {file.name} have "
                    "different palettes. Convert them to grey images first."
                )
            notes = own_notes
            return shape, dtype

        if path.is_dir():
            array = stack_images(path, files, describe, _read)
        else:
            shape, dtype = describe(path)
            # An image is decoded as a whole.
            array = LazyArray(str(path), shape, dtype, tuple((length,) for length in shape), partial(_read, path))
        return Source(array, axes="qyx"[-array.ndim :], notes=notes, channels=channels)


def _describe(path: Path) -> tuple[tuple[int, int], np.dtype, tuple[str, ...], str]:
    with _pillow().open(path) as image:
        shape = (image.height, image.width)
        if image.format == "PNG":
            n_bits = image.height * image.width * _BITS.get(image.mode, 8)
            check_declared_size(str(path), n_bits // 8, path.stat().st_size, DEFLATE_RATIO)
        if image.mode in _MODES:
            palette = _palette(image)
            notes: tuple[str, ...] = ()
            if palette is not None and grey_levels(palette) is None:
                notes = (f"values are the numbers of palette entries, not grey levels: {named_colours(palette)}",)
            return shape, np.dtype(_MODES[image.mode]), notes, ""
        # How pixels are stored is forgotten once they are decoded.
        has_16_bits = image.format == "PNG" and ";16" in str(image.tile)
        channels = redundant_channels(np.asarray(image)) if image.mode in _COLOUR_MODES else None
        if channels is not None:
            if has_16_bits:
                warn(f"{path} has 16 bits per channel, of which 8 are read. Save it as a grey image to keep them all.")
            return shape, np.dtype(np.uint8), (), channels
        colours = _few_colours(image)
        if colours is None:
            raise InputError(
                f"{path} should have one value per pixel, but is a colour or transparent image (mode {image.mode}). "
                f"{ADVICE}"
            )
        return shape, np.dtype(np.int32), ("values are colours, 65536 red + 256 green + blue each",), ""


def _few_colours(image: Any) -> list[tuple[int, int, int]] | None:
    """Return the colours of an image that has few and is opaque everywhere, else None."""
    if image.mode not in _COLOUR_MODES:
        return None
    counted = image.convert("RGBA").getcolors(_MOST_COLOURS)
    if counted is None or any(colour[3] != _OPAQUE for _, colour in counted):
        return None
    return [colour[:3] for _, colour in counted]


def _palette(image: Any) -> list[tuple[int, int, int]] | None:
    if image.mode != "P":
        return None
    entries = image.getpalette("RGB")
    return [tuple(entries[i : i + 3]) for i in range(0, len(entries), 3)]


def _read(path: Path, box: Box) -> np.ndarray:
    with _pillow().open(path) as image:
        if image.mode == "1":
            # Pillow's boolean arrays hold bytes of 255, which are True in numpy but not equal to 1.
            return (np.array(image.convert("L")) > 0)[box]
        if image.mode not in _MODES:
            return _colour_values(image)[box]
        values = np.array(image)[box]
        palette = _palette(image)
        levels = None if palette is None else grey_levels(palette)
        return values if levels is None else levels[values]


def _colour_values(image: Any) -> np.ndarray:
    """Return grey levels ``(y, x)`` of a grey image saved in colour, and numbers of colours of another."""
    channels = np.asarray(image)
    if redundant_channels(channels) is not None:
        return channels[..., 0].copy()
    colours = np.asarray(image.convert("RGB"))
    return colours.astype(np.int32) @ np.array([65536, 256, 1], np.int32)


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(
            "Reading PNG, BMP and JPEG needs Pillow; install it with: pip install 'matvae[png]'"
        ) from error
    return Image


reader = PngReader()
