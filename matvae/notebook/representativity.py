"""How measures of windows scatter, and the lengths found in them, against the size of the windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..grid import Grid
from ..report.paper import figure_style
from ..report.plots import plot_window_sizes
from ..report.style import UNIT_SYMBOLS, new_figure

if TYPE_CHECKING:
    from ..evaluate.representative import Representativity
    from ..evaluate.window_spread import Spread

N_PLOTS = 3


def plot_representativity(found: Representativity, style: str) -> Any:
    """Draw the spread of volume fractions of all phases, and other measures of the least certain one.

    Parameters
    ----------
    found : Representativity
    style : str
        See `figure_style`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    grid, sizes = found.grid, found.sizes
    unit = UNIT_SYMBOLS.get(grid.length_unit, grid.length_unit)
    edges = [_edge(grid, size.shape) for size in sizes]
    options: dict[str, Any] = {"unit": unit, "chosen": _edge(grid, found.recommended.window)}
    chosen = figure_style(style)
    n_rows = -(-N_PLOTS // chosen.plots)
    figure = new_figure(4 * chosen.plots, 3.7 * n_rows, dpi=100)
    fractions, errors, lengths, *unused = figure.subplots(n_rows, chosen.plots, squeeze=False).ravel()
    for axes in unused:
        axes.remove()
    labels = [f"phase {phase.phase}" for phase in found.phases]
    plot_window_sizes(
        fractions,
        edges,
        {label: [size.phases[k].volume_fraction.sd for size in sizes] for k, label in enumerate(labels)},
        expected={label: [size.expected[k] or None for size in sizes] for k, label in enumerate(labels)},
        log=True,
        **options,
    )
    fractions.set_title("volume fraction: windows, theory (line)", fontsize=9)
    fractions.set_ylabel("standard deviation of the volume fraction")
    shown = found.least_certain
    whole, rows = found.phases[shown], [size.phases[shown] for size in sizes]
    named_axes = list(enumerate(grid.axes or ()))
    surfaces = {
        f"specific surface, lines along {name}": [_ratio(row.specific_surface[axis]) for row in rows]
        for axis, name in named_axes
        if whole.specific_surface
    }
    series = {**surfaces, "2-point statistics": [row.statistics_error for row in rows]}
    plot_window_sizes(errors, edges, series, log=True, **options)
    errors.set_title(f"a window, phase {whole.phase}", fontsize=9)
    errors.set_ylabel("relative error")
    plot_window_sizes(
        lengths,
        edges,
        {name: [row.correlation_length[axis].mean for row in rows] for axis, name in named_axes},
        spread={name: [row.correlation_length[axis].sd for row in rows] for axis, name in named_axes},
        whole={name: whole.correlation_length[axis] for axis, name in named_axes},
        **options,
    )
    lengths.set_title(f"phase {whole.phase} (dashed: whole)", fontsize=9)
    lengths.set_ylabel(f"correlation length / {unit}")
    return chosen.fit(figure)


def _edge(grid: Grid, window: Sequence[int]) -> float:
    """Edge of the square or cube of the volume of a window, in the unit of length."""
    sizes = grid.voxel_size or (1.0,) * grid.ndim
    return float(math.prod(n * size for n, size in zip(window, sizes, strict=True)) ** (1 / grid.ndim))


def _ratio(spread: Spread) -> float | None:
    return None if not spread.mean or spread.sd is None else spread.sd / spread.mean
