"""Plots on matplotlib axes: structures, 2-point statistics, and reconstructions beside their originals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, MissingExtraError
from ..grid import Grid
from ..stats import relative_error

FORMATS = (".png", ".pdf", ".svg")
COLUMNS = ("original", "reconstruction", "statistics of the original", "statistics of the reconstruction")
# Paper and ink read the same to every kind of colour vision; more phases come from cividis, made for that.
PAPER, INK = "#f2efe6", "#17324d"
MAP = "cividis"


def check_figure_format(path: str | Path) -> None:
    """Refuse a picture that cannot be drawn, before any work is done.

    Raises
    ------
    InputError
        If the file's ending is none of .png, .pdf and .svg.
    MissingExtraError
        If matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"A figure ends in {', '.join(FORMATS)}, but {path} was given. Choose one of these endings.")
    load_matplotlib()


def plot_structure(axes: Any, structure: np.ndarray, *, grid: Grid | None = None) -> Any:
    """Draw one structure: a line in 1-D, an image in 2-D, the middle slice in 3-D.

    Parameters
    ----------
    axes : matplotlib Axes
    structure : array ``(*space)``
        Labels, or a continuous field.
    grid : Grid, optional
        Gives phases, axis names, voxel size and unit.

    Returns
    -------
    matplotlib Axes
        The axes drawn on.
    """
    grid = grid or Grid(structure.shape, phases=max(2, int(structure.max()) + 1) if structure.dtype.kind != "f" else 1)
    names, sizes, unit = _frame(grid)
    if grid.ndim == 1:
        x = (np.arange(grid.shape[0]) + 0.5) * sizes[0]
        axes.step(x, structure, where="mid", color=INK, linewidth=1)
        axes.set_xlabel(f"{names[0]} / {unit}")
        axes.set_ylabel("value" if grid.phases == 1 else "phase")
        if grid.phases > 1:
            axes.set_ylim(-0.1, grid.phases - 0.9)
            axes.yaxis.get_major_locator().set_params(integer=True)
        return axes
    image = structure
    if grid.ndim == 3:
        middle = grid.shape[0] // 2
        image = structure[middle]
        axes.annotate(f"{names[0]} = {middle * sizes[0]:g} {unit}", (0.02, 0.97), **_NOTE)
    high, wide = image.shape
    axes.imshow(
        image,
        extent=(0, wide * sizes[-1], high * sizes[-2], 0),
        interpolation="nearest",
        **structure_colours(grid.phases),
    )
    axes.set_xlabel(f"{names[-1]} / {unit}")
    axes.set_ylabel(f"{names[-2]} / {unit}")
    return axes


def plot_statistics(
    axes: Any,
    statistics: np.ndarray,
    *,
    grid: Grid | None = None,
    limits: tuple[float, float] | None = None,
) -> Any:
    """Draw one correlation: a line in 1-D, an image in 2-D, the slice through zero lag in 3-D.

    Parameters
    ----------
    axes : matplotlib Axes
    statistics : array ``(*lag)``
        Zero lag at n//2 along each axis.
    grid : Grid, optional
        Gives axis names, voxel size and unit.
    limits : (float, float), optional
        Least and largest value of the colours, or of the y axis in 1-D.

    Returns
    -------
    matplotlib image or None
        What a colour bar belongs to; None in 1-D.
    """
    names, sizes, unit = _frame(grid or Grid(statistics.shape))
    if statistics.ndim == 1:
        lag = (np.arange(len(statistics)) - len(statistics) // 2) * sizes[0]
        axes.plot(lag, statistics, color=INK, linewidth=1)
        axes.set_xlabel(f"lag {names[0]} / {unit}")
        axes.set_ylabel("probability")
        if limits is not None:
            margin = 0.05 * (limits[1] - limits[0] or 1.0)
            axes.set_ylim(limits[0] - margin, limits[1] + margin)
        return None
    image = statistics
    if statistics.ndim == 3:
        image = statistics[len(statistics) // 2]
        axes.annotate(f"lag {names[0]} = 0", (0.02, 0.97), **_NOTE)
    (top, bottom), (left, right) = (
        ((-(n // 2) - 0.5) * size, (n - n // 2 - 0.5) * size) for n, size in zip(image.shape, sizes[-2:], strict=True)
    )
    low, high = limits or (None, None)
    drawn = axes.imshow(
        image, extent=(left, right, bottom, top), interpolation="nearest", cmap=MAP, vmin=low, vmax=high
    )
    axes.set_xlabel(f"lag {names[-1]} / {unit}")
    axes.set_ylabel(f"lag {names[-2]} / {unit}")
    return drawn


def plot_reconstructions(
    originals: np.ndarray,
    reconstructions: np.ndarray,
    statistics: np.ndarray,
    reconstructed_statistics: np.ndarray,
    *,
    names: Sequence[Any] | None = None,
    grid: Grid | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
    correlation: int = 0,
) -> Any:
    """Structures beside their reconstructions, and the statistics of both: one row a sample.

    Parameters
    ----------
    originals, reconstructions : array ``(sample, *space)``
        Labels, or continuous fields.
    statistics, reconstructed_statistics : array ``(sample, *lag, correlation)``
        2-point statistics of both.
    names : sequence, optional
        What the samples are called in the picture; by default 0, 1, ...
    grid : Grid, optional
        Gives phases, axis names, voxel size and unit.
    correlations : list of (int, int), optional
        Pairs of phases on the last axis, for the titles.
    correlation : int
        Which of them is drawn.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig``; the errors written at each row are over all correlations.

    Raises
    ------
    InputError
        If the four arrays do not hold the same number of samples.
    MissingExtraError
        If matplotlib is not installed.
    """
    n = len(originals)
    counts = (n, len(reconstructions), len(statistics), len(reconstructed_statistics))
    if n == 0 or len(set(counts)) > 1:
        raise InputError(
            f"Four arrays with the same samples are expected, at least one, but they hold {counts} samples."
        )
    _, figure_class = load_matplotlib()
    line = originals.ndim == 2
    figure = figure_class(figsize=(13.5, (2.0 if line else 3.0) * n + 0.6), dpi=120, layout="constrained")
    table = figure.subplots(n, 4, squeeze=False)
    called = range(n) if names is None else list(names)
    errors = np.asarray(relative_error(statistics, reconstructed_statistics), dtype=float)
    pair = "" if correlations is None else f" ({correlations[correlation][0]}, {correlations[correlation][1]})"
    for column, name in enumerate(COLUMNS):
        table[0][column].set_title(name + (pair if column > 1 else ""), fontsize=11, pad=10)
    for row in range(n):
        f, g = statistics[row, ..., correlation], reconstructed_statistics[row, ..., correlation]
        limits = (float(min(f.min(), g.min())), float(max(f.max(), g.max())))
        plot_structure(table[row][0], originals[row], grid=grid)
        plot_structure(table[row][1], reconstructions[row], grid=grid)
        plot_statistics(table[row][2], f, grid=grid, limits=limits)
        drawn = plot_statistics(table[row][3], g, grid=grid, limits=limits)
        if drawn is not None:
            figure.colorbar(drawn, ax=list(table[row][2:]), label="probability", shrink=0.85)
        table[row][0].set_ylabel(
            f"sample {called[row]}, error {100 * errors[row]:.0f} %\n\n" + table[row][0].get_ylabel()
        )
        for axes in table[row]:
            axes.tick_params(labelsize=8)
    return figure


_NOTE: dict[str, Any] = {
    "xycoords": "axes fraction",
    "va": "top",
    "fontsize": 7,
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
}


def _frame(grid: Grid) -> tuple[tuple[str, ...], tuple[float, ...], str]:
    """Axis names, length of a voxel along each axis, and its unit: voxels where no size is known."""
    names = grid.axes or ()
    if grid.voxel_size is None:
        return names, (1.0,) * grid.ndim, "voxel"
    return (
        names,
        grid.voxel_size,
        {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm"}.get(grid.unit or "", grid.unit or "length unit"),
    )


def structure_colours(phases: int) -> dict[str, Any]:
    """How `imshow` colours labels of so many phases, or a continuous field."""
    if phases == 1:
        return {"cmap": MAP}
    colormaps, _ = load_matplotlib()
    # From light to dark, so that phase 0 is the ground.
    colours = [PAPER, INK] if phases == 2 else colormaps.colormaps[MAP](np.linspace(1, 0, phases))
    return {"cmap": colormaps.colors.ListedColormap(colours), "vmin": -0.5, "vmax": phases - 0.5}


def load_matplotlib() -> tuple[Any, Any]:
    """The library and its figure class, without pyplot and its global state.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        import matplotlib
        import matplotlib.colors
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "Drawing a figure needs matplotlib; install it with: pip install 'matvae[plot]'"
        ) from error
    return matplotlib, Figure
