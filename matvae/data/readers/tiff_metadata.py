"""Voxel size and origin in TIFF files, as ImageJ, OME-TIFF and the tags of TIFF itself state them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..units import known_unit, length_unit

_CENTIMETRE = 3
# Resolutions for printing, per inch, which say nothing about the size of a pixel in the sample.
_PRINT = (72, 96, 100, 150, 200, 240, 300, 600, 1200, 2400)


@dataclass(frozen=True)
class Calibration:
    """Edge lengths of a voxel and position of the image, for the last axes of ``z y x``; None where unknown."""

    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None
    origin: tuple[float, ...] | None = None


def calibration(series: Any) -> Calibration:
    """Return the calibration of a series of tifffile; empty unless its unit is one of length."""
    file = series.parent
    if file.is_imagej and file.imagej_metadata:
        return _imagej(series.keyframe, file.imagej_metadata)
    if file.is_ome and series.kind == "ome":
        return _ome(file.ome_metadata, file.series.index(series))
    return _tags(series.keyframe)


def _imagej(page: Any, metadata: Mapping[str, Any]) -> Calibration:
    """ImageJ states pixels per unit in the tags of TIFF, and the rest in words of its own."""
    unit = length_unit(str(metadata.get("unit", "")))
    resolution = _resolution(page)
    # ImageJ takes over the resolution for printing of images that state it, per inch.
    if unit in (None, "inch") or resolution is None:
        return Calibration()
    # The spacing is that of the slices; a stack without it has none that could be trusted.
    lengths = tuple(1 / value for value in resolution)
    spacing = metadata.get("spacing")
    if isinstance(spacing, int | float) and spacing > 0:
        lengths = (float(spacing), *lengths)
    corner = [metadata.get(f"{axis}origin") for axis in "zyx"[-len(lengths) :]]
    # ImageJ gives its origin as the pixel at which its coordinates are zero.
    origin = None
    if any(value is not None for value in corner):
        origin = tuple(-float(value or 0) * length for value, length in zip(corner, lengths, strict=True))
    return Calibration(lengths, unit, origin)


def _ome(xml: str, index: int) -> Calibration:
    import tifffile

    images = tifffile.xml2dict(xml)["OME"].get("Image", [])
    images = images if isinstance(images, list) else [images]
    pixels = images[index]["Pixels"] if index < len(images) else {}
    found: list[tuple[float, str]] = []
    for axis in "XYZ":
        size = pixels.get(f"PhysicalSize{axis}")
        # Micrometres unless stated otherwise, by the schema of OME.
        unit = length_unit(str(pixels.get(f"PhysicalSize{axis}Unit", "µm")))
        if not isinstance(size, int | float) or size <= 0 or unit is None:
            break
        found.insert(0, (float(size), unit))
    if len(found) < 2:
        return Calibration()
    unit = found[-1][1]
    lengths = tuple(_convert(size, own, unit) for size, own in found)
    return Calibration(lengths, unit, _stage_position(pixels, len(lengths), unit))


def _stage_position(pixels: Mapping[str, Any], ndim: int, unit: str) -> tuple[float, ...] | None:
    """Return the position of the stage for the first slice, in a unit of length, if all images have the same."""
    planes = pixels.get("Plane", [])
    planes = planes if isinstance(planes, list) else [planes]
    found = {_plane_position(plane, ndim, unit) for plane in planes if not plane.get("TheZ")}
    return found.pop() if len(found) == 1 else None


def _plane_position(plane: Mapping[str, Any], ndim: int, unit: str) -> tuple[float, ...] | None:
    position = []
    for axis in "ZYX"[-ndim:]:
        value = plane.get(f"Position{axis}")
        # Without a unit, the position is in the microscope's own reference frame, by the schema of OME.
        own = length_unit(str(plane.get(f"Position{axis}Unit", "reference frame")))
        if not isinstance(value, int | float) or own is None:
            return None
        position.append(_convert(float(value), own, unit))
    return tuple(position)


def _tags(page: Any) -> Calibration:
    """Tags state pixels per centimetre; resolutions per inch, and those of printers, say nothing about the sample."""
    tag = page.tags.get("ResolutionUnit")
    resolution = _resolution(page)
    if tag is None or int(tag.value) != _CENTIMETRE or resolution is None:
        return Calibration()
    if any(math.isclose(value * 2.54, dots, rel_tol=0.01) for value in resolution for dots in _PRINT):
        return Calibration()
    return Calibration(tuple(1e4 / value for value in resolution), "micrometer")


def _resolution(page: Any) -> tuple[float, float] | None:
    """Return the pixels per unit along y and x."""
    y, x = (page.tags.get(f"{axis}Resolution") for axis in "YX")
    if y is None or x is None or 0 in (*y.value, *x.value):
        return None
    return y.value[0] / y.value[1], x.value[0] / x.value[1]


def _convert(length: float, unit: str, target: str) -> float:
    own, other = known_unit(unit), known_unit(target)
    assert own is not None
    assert other is not None
    return length if own == other else length * own.metres / other.metres
