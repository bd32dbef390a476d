"""A figure of structures, their reconstructions, and the statistics of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ...grid import Grid
from ...stats import relative_error
from ..paper import figure_style as style_of
from ..style import add_phase_legend, new_figure
from .statistics import plot_difference, plot_statistics
from .structures import grid_of, plot_structure

COLUMNS = ("original", "reconstruction", "statistics of\nthe original", "statistics of\nthe reconstruction")


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
    difference: bool = False,
    phase_names: Sequence[str] = (),
    figure_style: str = "screen",
) -> Any:
    """Draw structures, their reconstructions, and the statistics of both: one row per sample.

    Parameters
    ----------
    originals, reconstructions : array ``(sample, *space)``
        Labels, or continuous fields.
    statistics, reconstructed_statistics : array ``(sample, *lag, correlation)``
        2-point statistics of both.
    names : sequence, optional
        Names of the samples; by default 0, 1, ...
    grid : Grid, optional
        Provides phases, axis names, voxel size and unit.
    correlations : list of (int, int), optional
        Pairs of phases along the last axis, for the titles.
    correlation : int
        Index of the correlation that is drawn.
    difference : bool
        Whether to add a column with the difference, reconstruction minus original.
    phase_names : sequence of str, optional
        Of all phases, for the legend; by default their numbers.
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        As wide as its contents need, or as one or two columns of a journal, with text of 7 points; in a single column,
        statistics stand below the structures.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig``; the relative errors next to the rows include all correlations.

    Raises
    ------
    InputError
        If the four arrays do not contain the same number of samples.
    MissingExtraError
        If matplotlib is not installed.
    """
    n = len(originals)
    counts = (n, len(reconstructions), len(statistics), len(reconstructed_statistics))
    if n == 0 or len(set(counts)) > 1:
        raise InputError(
            f"Four arrays with the same number of samples, at least one, are expected, but they hold {counts} samples."
        )
    pair = "" if correlations is None else f" ({correlations[correlation][0]}, {correlations[correlation][1]})"
    titles = [title + (pair if column > 1 else "") for column, title in enumerate(COLUMNS)]
    if difference:
        titles.append("difference")
    is_line = originals.ndim == 2
    style = style_of(figure_style)
    n_columns = style.pictures if style.pictures < len(COLUMNS) else len(titles)
    n_rows = -(-len(titles) // n_columns)
    height = (1.6 if is_line else 2.1 if difference else 2.5) * n * n_rows + 1.05
    figure = new_figure(11 * n_columns / max(n_columns, len(COLUMNS)), height, layout=None)
    grid_of_axes = figure.subplots(n * n_rows, n_columns, squeeze=False)
    for axes in grid_of_axes.reshape(n, -1)[:, len(titles) :].ravel():
        axes.remove()
    table = grid_of_axes.reshape(n, -1)[:, : len(titles)]
    # A constrained layout of this many axes takes several seconds.
    wide_gap = 0.65 if n_rows > 1 else 0.3
    left = 0.09 * max(n_columns, len(COLUMNS)) / n_columns
    figure.subplots_adjust(
        left, 0.9 / height, 0.93, 1 - 0.45 / height, wspace=0.35 if is_line else 0.2, hspace=wide_gap
    )
    for axes, title in zip(table[0], titles, strict=True):
        axes.set_title(title, fontsize=8)
    errors = np.asarray(relative_error(statistics, reconstructed_statistics), dtype=float)
    for row, name, error in zip(range(n), range(n) if names is None else names, errors, strict=True):
        original, reconstruction, left, right, *others = table[row]
        f, g = statistics[row, ..., correlation], reconstructed_statistics[row, ..., correlation]
        limits = (float(min(f.min(), g.min())), float(max(f.max(), g.max())))
        plot_structure(original, originals[row], grid=grid)
        plot_structure(reconstruction, reconstructions[row], grid=grid)
        plot_statistics(left, f, grid=grid, limits=limits)
        image = plot_statistics(right, g, grid=grid, limits=limits)
        if image is not None:
            key = figure.colorbar(image, ax=[left, right], shrink=0.85)
            key.set_label("probability", fontsize=8)
            key.ax.tick_params(labelsize=7)
        for axes in others:
            plot_difference(axes, f, g, grid=grid)
        for axes in table[row]:
            axes.tick_params(labelsize=7)
            axes.xaxis.label.set_size(8)
        if not is_line:
            for axes in table[row][1:]:
                axes.set_ylabel("")
        original.set_ylabel(f"structure {name}\nerror {100 * error:.0f} %\n{original.get_ylabel()}", fontsize=9)
    phases = 1 if is_line else (grid.phases if grid is not None else grid_of(originals[0]).phases)
    add_phase_legend(figure, phases, phase_names, loc="lower center")
    return style.fit(figure)
