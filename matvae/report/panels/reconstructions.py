"""Structures, what comes back of them, and the statistics of both."""

from __future__ import annotations

from typing import Any

from ..page import embed_figure
from ..panel import Figure, Panel, csv_data
from ..parts import ReportParts
from ..plots import load_matplotlib, plot_statistics, plot_structure
from ..strips import plot_difference, plot_strip

TITLES = ("original", "reconstruction", "its statistics", "of the reconstruction", "difference")


def reconstructions_panel(parts: ReportParts) -> Panel:
    """Original, reconstruction, both statistics and their difference: one row a structure."""
    shown = parts.examples
    numbers = ", ".join(map(str, shown.numbers))
    return Panel(
        "reconstructions",
        "What comes back",
        "the two statistics of a row look alike, with peaks of the same width and the same waves around them, and the "
        "difference has colours of a small scale. Voxels need not agree: a structure that was moved has the same "
        "statistics.",
        figures=(
            Figure(
                "reconstructions",
                embed_figure(_figure(parts)),
                f"Grid of pictures, a row for each of the structures {numbers}: original, reconstruction, 2-point "
                "statistics of both, and their difference.",
                "Originals and reconstructions.",
                f"Structures {numbers} of the data, spread over the set, and the correlation of the phases "
                f"{_pair(parts)}. At the left stands the relative error of the statistics. Both statistics of a row "
                "have one scale; the difference is that of the reconstruction less that of the original.",
            ),
        ),
        data=(
            csv_data(
                "errors.csv",
                ("sample", "relative_error"),
                zip(map(int, parts.numbers), map(float, parts.errors), strict=True),
            ),
        ),
    )


def realizations_panel(parts: ReportParts) -> Panel:
    """Several structures of one latent."""
    shown = parts.examples
    _, figure_class = load_matplotlib()
    n, k = shown.realizations.shape[:2]
    figure = figure_class(figsize=(1.5 * (k + 1) + 1, (0.7 if parts.grid.ndim == 1 else 1.7) * n), dpi=110)
    for row, axes in enumerate(figure.subplots(n, 1, squeeze=False)[:, 0]):
        errors = [f"error {100 * error:.0f} %" for error in shown.realization_errors[row]]
        plot_strip(
            axes,
            [shown.originals[row], *shown.realizations[row]],
            ["original", *errors],
            phases=_phases(parts),
        )
        axes.set_ylabel(f"structure {shown.numbers[row]}", fontsize=9)
    figure.tight_layout()
    return Panel(
        "realizations",
        "Several structures of one latent",
        "the structures of a row are plainly of one kind, and their errors are about equal. Where a material is "
        "disordered they should differ in their details; where they are all the same, the model knows one answer only.",
        figures=(
            Figure(
                "realizations",
                embed_figure(figure),
                f"Rows of pictures: an original, and {k} structures made of its latent.",
                "Realizations.",
                f"An original at the left, then {k} structures of its latent, each made of a latent that was moved as "
                "far as the model is unsure about it. Above each stands the relative error of its statistics.",
            ),
        ),
    )


def _figure(parts: ReportParts) -> Any:
    shown, grid = parts.examples, parts.grid
    _, figure_class = load_matplotlib()
    n = len(shown.numbers)
    high = (2.0 if grid.ndim == 1 else 2.6) * n + 0.3
    figure = figure_class(figsize=(14, high), dpi=100)
    # matplotlib's own layout of so many axes takes longer than all the rest of the page.
    table = figure.subplots(n, len(TITLES), squeeze=False)
    figure.subplots_adjust(0.05, 0.45 / high, 0.97, 1 - 0.3 / high, wspace=0.2, hspace=0.3)
    for axes, title in zip(table[0], TITLES, strict=True):
        axes.set_title(title, fontsize=10)
    for row in range(n):
        f, g = shown.statistics[row, ..., 0], shown.reconstructed_statistics[row, ..., 0]
        limits = (float(min(f.min(), g.min())), float(max(f.max(), g.max())))
        plot_structure(table[row][0], shown.originals[row], grid=grid)
        plot_structure(table[row][1], shown.reconstructions[row], grid=grid)
        plot_statistics(table[row][2], f, grid=grid, limits=limits)
        drawn = plot_statistics(table[row][3], g, grid=grid, limits=limits)
        if drawn is not None:
            figure.colorbar(drawn, ax=list(table[row][2:4]), shrink=0.85)
        plot_difference(table[row][4], f, g, grid=grid)
        table[row][0].set_ylabel(f"structure {shown.numbers[row]}\nerror {100 * shown.errors[row]:.0f} %", fontsize=9)
        for axes in table[row]:
            axes.tick_params(labelsize=7)
        for axes in table[row][1:]:
            axes.set_ylabel("")
    return figure


def _pair(parts: ReportParts) -> str:
    one, other = parts.pairs[0]
    return f"{one} and {other}"


def _phases(parts: ReportParts) -> int | None:
    return parts.grid.phases if parts.grid.phases > 1 else None
