"""Figures of results: structures with their phases and lengths, statistics with their lags, candidates and goals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..given import given, opened, refuse_masked_array, refuse_one_dimension, warn_of_axes
from ..grid import MAX_PHASES, Grid
from ..label_values import MANY, count_phases, distinct_labels
from ..pictured import FEW, MOST, Picture, Pictured, pictures_of
from ..report.paper import MM_PER_INCH, FigureStyle
from ..report.paper import figure_style as style_of
from ..report.plots import plot_candidates as plot_achieved
from ..report.plots import plot_statistics as plot_correlation
from ..report.plots import plot_structure
from ..report.style import add_phase_legend, label_text, new_figure
from ..stats.form import check_array
from ..stats.of_structures import stacked
from ..validate import integer

if TYPE_CHECKING:
    from ..optimize.result import Candidates

# Inches.
SIDE, LINE_HEIGHT, LEGEND = 2.6, 1.4, 0.3
SECTIONS = 3
# Points of a title, and characters in a line of it per inch of a picture.
TITLE_SIZE, TITLE_PER_INCH = 8, 11


def plot_pictures(pictures: Sequence[Picture], style: str = "screen") -> Any:
    """Draw structures and sections of volumes on axes with units of length, above a legend of their phases.

    Parameters
    ----------
    pictures : sequence of Picture
        Of structures on one grid, at least one.
    style : str
        See `figure_style`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is none.
    MissingExtraError
        If matplotlib is not installed.
    """
    if not pictures:
        raise InputError("The set holds no structure to draw.")
    chosen = style_of(style)
    n_columns, n_rows, height = _layout(pictures, chosen)
    figure = new_figure(SIDE * n_columns, height * n_rows + LEGEND)
    _draw_pictures(figure, pictures, n_rows, n_columns, chosen)
    return chosen.fit(figure)


def plot_structures(X: Any, n: int = FEW, *, spatial_dims: int | None = None, figure_style: str = "screen") -> Any:
    """Draw structures; of a volume, its central sections normal to each axis.

    Parameters
    ----------
    X : array ``(sample, *space)``, Structures, path, list of paths, or xarray.DataArray
        Labels, or continuous fields.
    n : int
        Number of structures, the first of the set.
    spatial_dims : int, optional
        Number of spatial axes of one structure, as in `two_point_stats`.
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        As wide as its contents need, or as one or two columns of a journal, with text of 7 points.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; save it with ``figure.savefig``.

    Raises
    ------
    InputError
        If X is no set of structures.
    MissingExtraError
        If matplotlib is not installed.
    """
    X = opened(X)
    structures = given(X, spatial_dims=spatial_dims)
    if isinstance(X, Pictured):
        # A set reads its sections alone, and knows its mask.
        return X.plot(n, figure_style=figure_style)
    array = stacked(structures.array)
    refuse_masked_array(array)
    check_array(array)
    shape = tuple(array.shape)
    if not 2 <= len(shape) <= 4 or 0 in shape:
        raise InputError(
            f"Structures (sample, *space) in one to three dimensions are expected, but the shape {shape} was given. "
            "Put the sample axis first; for a single structure pass spatial_dims."
        )
    if structures.spatial_dims is None:
        refuse_one_dimension(shape, None, one_dimensional="spatial_dims=1")
        warn_of_axes(shape, None, two_dimensional="spatial_dims=2")
    drawn = np.asarray(array[: integer("n", n, 1, MOST)])
    known = dict(structures.known)
    known.setdefault("phases", 1 if drawn.dtype.kind == "f" else _phases_to_draw(drawn))
    names = [f"structure {i}" for i in range(len(drawn))]
    return plot_pictures(pictures_of(drawn, Grid(shape[1:], **known), names, all_sections=True), figure_style)


def _phases_to_draw(labels: np.ndarray) -> int:
    """Number of phases that integers in a few structures of a set stand for, of which some may not occur in these.

    Raises
    ------
    InputError
        If they are grey values, or none that labels can have.
    """
    values = distinct_labels(labels)
    if values[0] < 0 or values[-1] >= MAX_PHASES or len(values) > MANY:
        return count_phases(labels)
    return max(2, int(values[-1]) + 1)


def plot_statistics(
    statistics: Any,
    n: int = FEW,
    *,
    grid: Grid | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
    figure_style: str = "screen",
) -> Any:
    """Draw 2-point statistics: one row per structure, one column per correlation; of volumes, the slice of lag z = 0.

    Parameters
    ----------
    statistics : array ``(sample, *lag, correlation)``
        As from `two_point_stats`, with zero lag in the middle of each axis; numpy, dask or torch.
    n : int
        Number of structures, the first of the set.
    grid : Grid, optional
        Of the structures, for the names of axes, the voxel size and the unit of the lags.
    correlations : sequence of (int, int), optional
        Pairs of phases along the last axis, for the titles.
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        As wide as its contents need, or as one or two columns of a journal, with text of 7 points.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; save it with ``figure.savefig``. The pictures of one correlation share a colour scale.

    Raises
    ------
    InputError
        If the array is not of that shape, or the grid or the pairs are of another.
    MissingExtraError
        If matplotlib is not installed.
    """
    f = np.asarray(statistics[: integer("n", n, 1, MOST)])
    ndim = f.ndim - 2
    if not 1 <= ndim <= 3 or f.size == 0 or (grid is not None and grid.ndim != ndim):
        lags = "one to three axes of lags" if grid is None else f"{grid.ndim} axes of lags, as many as the grid has,"
        raise InputError(
            f"Statistics (sample, *lag, correlation) with {lags} are expected, but the shape {f.shape} was given. Pass "
            "them as two_point_stats returns them."
        )
    n_pairs = f.shape[-1]
    if correlations is not None and len(correlations) != n_pairs:
        raise InputError(
            f"One pair of phases per correlation is expected, of which there are {n_pairs}, but {len(correlations)} "
            "were given."
        )
    figure = new_figure(0.6 + (SIDE + 0.5) * n_pairs, (LINE_HEIGHT + 0.4 if ndim == 1 else SIDE) * len(f))
    table = figure.subplots(len(f), n_pairs, squeeze=False)
    for column in range(n_pairs):
        values = f[..., column]
        limits = (float(values.min()), float(values.max()))
        title = f"correlation {column}" if correlations is None else "phases {} and {}".format(*correlations[column])
        for i, axes in enumerate(table[:, column]):
            image = plot_correlation(axes, values[i], grid=grid, limits=limits)
            axes.set_title(f"structure {i}\n{title}", fontsize=8)
        if image is not None:
            figure.colorbar(image, ax=list(table[:, column]), label="probability", shrink=0.85)
    return style_of(figure_style).fit(figure)


def plot_candidates(candidates: Candidates, n: int, style: str) -> Any:
    """Draw candidates of a search: a structure of each of the first `n`, and the values that all of them achieve.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no candidate.
    MissingExtraError
        If matplotlib is not installed.
    """
    pictures = candidates.pictures(n, all_sections=True)
    if not pictures:
        raise InputError("The search found no candidate to draw.")
    chosen = style_of(style)
    n_columns, n_rows, height = _layout(pictures, chosen)
    names = list(candidates.achieved)
    value_columns = min(chosen.pictures, len(names))
    value_rows = math.ceil(len(names) / value_columns)
    width = SIDE * max(n_columns, value_columns)
    figure = new_figure(width, height * n_rows + SIDE * value_rows + LEGEND)
    above, below = figure.subfigures(2, 1, height_ratios=(height * n_rows + LEGEND, SIDE * value_rows))
    _draw_pictures(above, pictures, n_rows, n_columns, chosen)
    table = below.subplots(value_rows, value_columns, squeeze=False).ravel()
    for axes, name in zip(table, names, strict=False):
        known = None if candidates.comparison is None else candidates.comparison.ranges.get(name)
        plot_achieved(
            axes,
            candidates.achieved[name],
            spread=candidates.spread[name],
            requested=candidates.requested[name],
            known=known,
        )
        axes.set_ylabel(label_text(name, candidates.units[name]))
    for axes in table[len(names) :]:
        axes.remove()
    return chosen.fit(figure)


def _layout(pictures: Sequence[Picture], style: FigureStyle) -> tuple[int, int, float]:
    """Columns, rows, and height of a row in inches."""
    # The sections of a volume are a row of their own.
    n_columns = min(SECTIONS if pictures[0].is_section else style.pictures, len(pictures))
    return n_columns, math.ceil(len(pictures) / n_columns), LINE_HEIGHT if pictures[0].grid.ndim == 1 else SIDE


def _draw_pictures(figure: Any, pictures: Sequence[Picture], n_rows: int, n_columns: int, style: FigureStyle) -> None:
    table = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    width = SIDE if style.width is None else style.width / MM_PER_INCH / n_columns
    characters = int(TITLE_PER_INCH * width * TITLE_SIZE / (style.text or TITLE_SIZE))
    for axes, picture in zip(table, pictures, strict=False):
        plot_structure(axes, picture.image, grid=picture.grid)
        # Only at a comma or between words, not within "z = 16".
        name = label_text(picture.name).replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        axes.set_title("\n".join(wrap(name, characters)), fontsize=TITLE_SIZE)
    for axes in table[len(pictures) :]:
        axes.remove()
    add_phase_legend(figure, pictures[0].grid.phases)
