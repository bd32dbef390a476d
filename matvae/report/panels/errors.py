"""Errors beside those of PCA, and volume fractions."""

from __future__ import annotations

import numpy as np

from ..comparison import plot_errors
from ..page import embed_figure
from ..panel import Figure, Panel, Table, csv_data
from ..parts import ReportParts
from ..plots import load_matplotlib
from ..scatter import plot_agreement

GOOD = (
    "the points of matvae lie below 1, which is no better than one answer for all structures, and near or below PCA "
    "with as many components. On the right, where real structures are measured, they should not lie far above those on "
    "the left."
)


def errors_panel(parts: ReportParts) -> Panel:
    """Centred errors against the number of components: PCA and the model."""
    if not parts.rows:
        return Panel("errors", "Errors beside PCA", GOOD, left_out=parts.rows_note)
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(9.6, 3.7), dpi=110, layout="constrained")
    keys = ("centred_error", "structure_centred_error")
    drawn = [key for key in keys if any(row.get(key) is not None and row["n_components"] for row in parts.rows)]
    titles = {"centred_error": "decoded statistics", "structure_centred_error": "statistics of decoded structures"}
    for axes, key in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        plot_errors(axes, [row for row in parts.rows if row.get(key) is not None], key=key).set_title(
            titles[key], fontsize=10
        )
    cells = [
        (row["method"], _number(row["n_components"]), *(_number(row.get(key)) for key in keys)) for row in parts.rows
    ]
    return Panel(
        "errors",
        "Errors beside PCA",
        GOOD,
        text=(
            "PCA of 2-point statistics is the usual way to compress structures, and the best linear one. It decodes "
            "statistics; that there is a structure which has them is not sure.",
            parts.rows_note,
        ),
        figures=(
            Figure(
                "errors-beside-pca",
                embed_figure(figure),
                "Line plots of the centred error against the number of components, for PCA and matvae; all numbers are "
                "in the table below.",
                "Centred errors.",
                "‖F − G‖ / ‖F − mean(F)‖ over the set, F the statistics of the structures and G what was made of them.",
            ),
        ),
        tables=(
            Table(
                ("method", "components", "error of decoded statistics", "error of decoded structures"),
                cells,
                "The numbers of the figure.",
            ),
        ),
        data=(
            csv_data(
                "errors-beside-pca.csv",
                ("method", "n_components", *keys),
                ([row["method"], *(row.get(key, "") for key in ("n_components", *keys))] for row in parts.rows),
            ),
        ),
    )


def fractions_panel(parts: ReportParts) -> Panel:
    """Volume fractions of what came back against those of the originals."""
    good = (
        "all points lie on the line: a structure that comes back has as much of each phase as its original, also where "
        "there is very little or very much of it."
    )
    if parts.fractions is None:
        return Panel("fractions", "Volume fractions", good, left_out="A continuous field has no volume fractions.")
    originals, made = parts.fractions
    phases = range(1, 1 + originals.shape[1])
    kinds = [f"phase {phase}" for phase in phases for _ in originals] if len(phases) > 1 else None
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(4.6, 4.4), dpi=110, layout="constrained")
    axes = plot_agreement(figure.subplots(), originals.T.ravel(), made.T.ravel(), kinds=kinds)
    axes.set_xlabel("volume fraction of the original")
    axes.set_ylabel("volume fraction of the reconstruction")
    difference = np.abs(made - originals)
    rows = [
        (f"phase {phase}", f"{difference[:, i].mean():.4f}", f"{difference[:, i].max():.4f}")
        for i, phase in enumerate(phases)
    ]
    names = [f"{what}_{phase}" for phase in phases for what in ("original", "reconstruction")]
    both = np.stack([originals, made], axis=2).reshape(len(originals), -1)
    return Panel(
        "fractions",
        "Volume fractions",
        good,
        figures=(
            Figure(
                "volume-fractions",
                embed_figure(figure),
                "Scatter plot of the volume fraction of each reconstruction against that of its original; exact ones "
                f"lie on the diagonal. The largest difference is {difference.max():.4f}.",
                "Volume fractions.",
                f"Each point is one of {len(originals)} structures.",
            ),
        ),
        tables=(Table(("phase", "mean difference", "largest difference"), rows, "Differences of volume fractions."),),
        data=(
            csv_data(
                "volume-fractions.csv",
                ("sample", *names),
                ([int(n), *map(float, row)] for n, row in zip(parts.numbers, both, strict=True)),
            ),
        ),
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:d}" if isinstance(value, int) else f"{value:.3f}"
