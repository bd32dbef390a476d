"""Structures, their reconstructions, and realizations of their latents."""

from __future__ import annotations

from ..html import embed_figure
from ..page import Figure, Panel, csv_download
from ..parts import ReportParts
from ..plots import plot_reconstructions, plot_strip
from ..style import add_phase_legend, new_figure


def reconstructions_panel(parts: ReportParts) -> Panel:
    """Originals, reconstructions, the statistics of both and their difference: one row per structure."""
    examples = parts.examples
    numbers = ", ".join(map(str, examples.numbers))
    first, second = parts.pairs[0]
    figure = plot_reconstructions(
        examples.originals,
        examples.reconstructions,
        examples.statistics,
        examples.reconstructed_statistics,
        names=list(examples.numbers),
        grid=parts.grid,
        correlations=parts.pairs,
        difference=True,
        phase_names=parts.phase_names,
    )
    return Panel(
        "reconstructions",
        "Reconstructions",
        [
            Figure(
                "figure-reconstructions",
                embed_figure(figure),
                f"Grid of images with one row for each of structures {numbers}: original, reconstruction, 2-point "
                "statistics of both, and their difference.",
                "Originals and reconstructions.",
                f"Structures {numbers} of the data, evenly spaced through the set, and the correlation of phases "
                f"{first} and {second}. The relative error of the statistics is given on the left. The two statistics "
                "of a row share a colour scale; the difference is reconstruction minus original.",
            ),
            csv_download(
                "errors.csv",
                ("sample", "relative_error"),
                zip(map(int, parts.numbers), map(float, parts.errors), strict=True),
            ),
        ],
        good="the two statistics in a row look alike, with peaks of the same width and the same ripples around them, "
        "and the colour scale of the difference is narrow. Individual voxels need not agree: a translated structure "
        "has the same statistics.",
    )


def realizations_panel(parts: ReportParts) -> Panel:
    """Several structures decoded from the same latent."""
    examples = parts.examples
    n, k = examples.realizations.shape[:2]
    figure = new_figure(1.5 * (k + 1) + 1, (0.7 if parts.grid.ndim == 1 else 1.7) * n)
    for row, axes in enumerate(figure.subplots(n, 1, squeeze=False)[:, 0]):
        errors = [f"error {100 * error:.0f} %" for error in examples.realization_errors[row]]
        plot_strip(
            axes,
            [examples.originals[row], *examples.realizations[row]],
            ["original", *errors],
            phases=parts.grid.phases,
            grid=parts.grid if row == n - 1 else None,
        )
        axes.set_ylabel(f"structure {examples.numbers[row]}", fontsize=9)
    add_phase_legend(figure, parts.grid.phases, parts.phase_names)
    return Panel(
        "realizations",
        "Realizations",
        [
            Figure(
                "figure-realizations",
                embed_figure(figure),
                f"Rows of images: an original, and {k} realizations of its latent.",
                "Realizations.",
                f"An original on the left, then {k} structures of its latent: each from another random start where "
                "they are realized from decoded statistics, or else decoded after a perturbation as large as the "
                "uncertainty of the model about the latent. The relative error of the statistics is given above each.",
            )
        ],
        good="the structures in a row are clearly of the same kind, and their errors are similar. For a disordered "
        "material they should differ in detail; if they are all identical, the model knows only one answer.",
    )
