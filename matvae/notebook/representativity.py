"""How measures of windows scatter, and the lengths found in them, against the size of the windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..grid import Grid
from ..report.plots import plot_window_sizes
from ..report.style import UNIT_SYMBOLS, new_figure

if TYPE_CHECKING:
    from ..evaluate.representative import Representativity
    from ..evaluate.window_spread import Spread


def plot_representativity(found: Representativity) -> Any:
    """Draw the spread of volume fractions of all phases, and other measures of the least certain one.

    Parameters
    ----------
    found : Representativity

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
    style: dict[str, Any] = {"unit": unit, "chosen": _edge(grid, found.recommended.window)}
    figure = new_figure(12, 3.7, dpi=100)
    fractions, errors, lengths = figure.subplots(1, 3)
    labels = [f"phase {phase.phase}" for phase in found.phases]
    plot_window_sizes(
        fractions,
        edges,
        {label: [size.phases[k].volume_fraction.sd for size in sizes] for k, label in enumerate(labels)},
        expected={label: [size.expected[k] or None for size in sizes] for k, label in enumerate(labels)},
        log=True,
        **style,
    )
    fractions.set_title("volume fraction: windows, theory (line)", fontsize=9)
    fractions.set_ylabel("standard deviation of the volume fraction")
    shown = found.least_certain
    whole, rows = found.phases[shown], [size.phases[shown] for size in sizes]
    axes = list(enumerate(grid.axes or ()))
    surfaces = {
        f"specific surface, lines along {name}": [_ratio(row.specific_surface[axis]) for row in rows]
        for axis, name in axes
        if whole.specific_surface
    }
    series = {**surfaces, "2-point statistics": [row.statistics_error for row in rows]}
    plot_window_sizes(errors, edges, series, log=True, **style)
    errors.set_title(f"a window, phase {whole.phase}", fontsize=9)
    errors.set_ylabel("relative error")
    plot_window_sizes(
        lengths,
        edges,
        {name: [row.correlation_length[axis].mean for row in rows] for axis, name in axes},
        spread={name: [row.correlation_length[axis].sd for row in rows] for axis, name in axes},
        whole={name: whole.correlation_length[axis] for axis, name in axes},
        **style,
    )
    lengths.set_title(f"phase {whole.phase} (dashed: whole)", fontsize=9)
    lengths.set_ylabel(f"correlation length / {unit}")
    return figure


def _edge(grid: Grid, window: Sequence[int]) -> float:
    """Edge of the square or cube of the volume of a window, in the unit of length."""
    sizes = grid.voxel_size or (1.0,) * grid.ndim
    return float(math.prod(n * size for n, size in zip(window, sizes, strict=True)) ** (1 / grid.ndim))


def _ratio(spread: Spread) -> float | None:
    return None if not spread.mean or spread.sd is None else spread.sd / spread.mean
