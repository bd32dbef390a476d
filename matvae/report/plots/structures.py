"""Plots of structures: one on its own axes, several in a strip, and sections of a volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ...grid import Grid
from ..style import COLOUR_MAP, INK, annotate_slice, extent_text, spatial_axes, structure_colours

# Gap between two images of a strip, and height of a 1-D structure, relative to the width of an image.
GAP, BAND = 0.08, 0.2


def plot_structure(axes: Any, structure: np.ndarray, *, grid: Grid | None = None) -> Any:
    """Draw one structure: a line in 1-D, an image in 2-D, the central slice in 3-D.

    Parameters
    ----------
    axes : matplotlib Axes
    structure : array ``(*space)``
        Labels, or a continuous field.
    grid : Grid, optional
        Provides phases, axis names, voxel size and unit.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.
    """
    grid = grid or grid_of(structure)
    names, sizes, unit = spatial_axes(grid)
    if grid.ndim == 1:
        x = (np.arange(grid.shape[0]) + 0.5) * sizes[0]
        axes.step(x, structure, where="mid", color=INK, linewidth=1)
        axes.set_xlabel(f"{names[0]} / {unit}")
        axes.set_ylabel("value" if grid.phases == 1 else "phase")
        if grid.phases > 1:
            axes.set_ylim(-0.1, grid.phases - 0.9)
            axes.yaxis.get_major_locator().set_params(integer=True)
        return axes
    if grid.ndim == 3:
        annotate_slice(axes, f"{names[0]} = {grid.shape[0] // 2 * sizes[0]:g} {unit}")
    image = _central_slice(structure)
    height, width = image.shape
    axes.imshow(
        image,
        extent=(0, width * sizes[-1], height * sizes[-2], 0),
        interpolation="nearest",
        **structure_colours(grid.phases),
    )
    axes.set_xlabel(f"{names[-1]} / {unit}")
    axes.set_ylabel(f"{names[-2]} / {unit}")
    return axes


def plot_strip(
    axes: Any,
    pictures: Sequence[np.ndarray] | np.ndarray,
    names: Sequence[Any],
    *,
    phases: int | None = None,
    limits: tuple[float, float] | None = None,
    grid: Grid | None = None,
) -> Any:
    """Draw structures or statistics side by side on a common colour scale, with their names in place of axes.

    Parameters
    ----------
    axes : matplotlib Axes
    pictures : array ``(picture, *space)`` or ``(picture, *lag)``
        In 1-D each is drawn as a band, in 3-D as its central slice.
    names : sequence
        Text above each picture.
    phases : int, optional
        Number of phases if the pictures are labels; by default, or for 1, values are mapped to a continuous scale.
    limits : (float, float), optional
        Limits of that scale; by default the smallest and largest value of all pictures.
    grid : Grid, optional
        Of one structure; the size of a picture is then written below the strip.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        If there are no pictures, or if the numbers of pictures and names differ.
    """
    if len(pictures) == 0 or len(pictures) != len(names):
        raise InputError(
            f"At least one picture and one name per picture are expected, but there are {len(pictures)} pictures and "
            f"{len(names)} names."
        )
    images = [_image(np.asarray(picture)) for picture in pictures]
    height, width = images[0].shape
    pitch = width + max(1, round(GAP * width))
    canvas = np.full((height, len(images) * pitch - (pitch - width)), np.nan)
    for i, image in enumerate(images):
        canvas[:, i * pitch : i * pitch + width] = image
    if phases is None or phases == 1:
        low, high = limits or (float(np.nanmin(canvas)), float(np.nanmax(canvas)))
        colours: dict[str, Any] = {"cmap": COLOUR_MAP, "vmin": low, "vmax": high}
    else:
        colours = structure_colours(phases)
    axes.imshow(np.ma.masked_invalid(canvas), interpolation="nearest", aspect="equal", **colours)
    centres = [i * pitch + (width - 1) / 2 for i in range(len(images))]
    axes.set_xticks(centres, labels=[str(name) for name in names], fontsize=8)
    axes.set_yticks([])
    axes.tick_params(length=0, bottom=False, top=False, labelbottom=False, labeltop=True, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if grid is not None:
        axes.set_xlabel(f"{'central slices of' if grid.ndim == 3 else 'each'} {extent_text(grid)}", fontsize=8)
    return axes


def plot_sections(axes: Sequence[Any], structure: np.ndarray, *, grid: Grid | None = None) -> Sequence[Any]:
    """Draw the three orthogonal central sections of a volume.

    Parameters
    ----------
    axes : sequence of three matplotlib Axes
    structure : array ``(z, y, x)``
        Labels, or a continuous field.
    grid : Grid, optional
        Provides phases, axis names, voxel size and unit.

    Returns
    -------
    sequence of matplotlib Axes

    Raises
    ------
    InputError
        If the structure is not a volume, or the number of axes is not three.
    """
    if structure.ndim != 3 or len(axes) != 3:
        raise InputError(
            f"A volume (z, y, x) and three axes are expected, but the shape is {structure.shape} and there are "
            f"{len(axes)} axes."
        )
    grid = grid or grid_of(structure)
    names = grid.axes or ()
    for normal, section_axes in enumerate(axes):
        in_plane = [axis for axis in range(3) if axis != normal]
        section_grid = Grid(
            tuple(grid.shape[axis] for axis in in_plane),
            phases=grid.phases,
            axes=tuple(names[axis] for axis in in_plane),
            voxel_size=None if grid.voxel_size is None else tuple(grid.voxel_size[axis] for axis in in_plane),
            unit=grid.unit,
        )
        plot_structure(section_axes, structure.take(grid.shape[normal] // 2, axis=normal), grid=section_grid)
        section_axes.set_title(f"central section normal to {names[normal]}", fontsize=9)
    return axes


def grid_of(structure: np.ndarray) -> Grid:
    """Grid of a structure of which nothing else is known."""
    is_field = structure.dtype.kind == "f"
    return Grid(structure.shape, phases=1 if is_field else max(2, int(structure.max()) + 1))


def _image(picture: np.ndarray) -> np.ndarray:
    """Image ``(y, x)`` that stands for a picture in a strip."""
    if picture.ndim == 1:
        return np.broadcast_to(picture, (max(1, round(BAND * len(picture))), len(picture)))
    return _central_slice(picture)


def _central_slice(array: np.ndarray) -> np.ndarray:
    return array[len(array) // 2] if array.ndim == 3 else array
