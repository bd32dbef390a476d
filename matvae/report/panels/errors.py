"""Errors compared with PCA, and volume fractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..html import embed_figure
from ..page import Figure, Panel, Remark, Table, csv_download
from ..parts import ReportParts
from ..plots import plot_agreement, plot_errors
from ..style import new_figure

ERRORS_GOOD = (
    "the points of matvae lie below 1, the error of a model that gives the same answer for every structure, and close "
    "to or below those of PCA with the same number of components. The errors on the right, measured on actual "
    "structures, should not be much larger than those on the left."
)
FRACTIONS_GOOD = (
    "all points lie on the diagonal: each reconstruction has as much of each phase as its original, even where there "
    "is very little or very much of it."
)
TITLES = {"centred_error": "decoded statistics", "structure_centred_error": "statistics of decoded structures"}


def errors_panel(parts: ReportParts) -> Panel:
    """Centred errors against the number of components, of PCA and of the model."""
    name, title = "errors", "Errors compared with PCA"
    if not parts.rows:
        return Panel(name, title, [Remark(parts.rows_note)], good=ERRORS_GOOD)
    keys = [key for key in TITLES if any(row.get(key) is not None and row["n_components"] for row in parts.rows)]
    figure = new_figure(9.6, 3.7)
    for axes, key in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
        plot_errors(axes, [row for row in parts.rows if row.get(key) is not None], key=key)
        axes.set_title(TITLES[key], fontsize=10)
    return Panel(
        name,
        title,
        [
            "PCA of 2-point statistics is the standard way to compress structures, and the best linear one. It decodes "
            "statistics, for which a structure does not necessarily exist.",
            parts.rows_note,
            *_lag_tables(parts),
            Figure(
                "figure-errors-beside-pca",
                embed_figure(figure),
                "Line plots of the centred error against the number of components, for PCA and matvae; all values are "
                "in the table below.",
                "Centred errors.",
                "‖F − G‖ / ‖F − mean(F)‖ over the set, where F are the statistics of the structures and G their "
                "reconstructions. PCA is that in the plain metric.",
            ),
            Table(
                ("method", "components", "error of decoded statistics", "error of decoded structures"),
                [
                    (row["method"], _number(row["n_components"]), *(_number(row.get(key)) for key in TITLES))
                    for row in parts.rows
                ],
                "The values of the figure.",
            ),
            csv_download(
                "errors-beside-pca.csv",
                ("method", "n_components", *TITLES),
                ([row["method"], *(row.get(key, "") for key in ("n_components", *TITLES))] for row in parts.rows),
            ),
        ],
        good=ERRORS_GOOD,
    )


def fractions_panel(parts: ReportParts) -> Panel:
    """Volume fractions of reconstructions against those of the originals."""
    name, title = "fractions", "Volume fractions"
    if parts.fractions is None:
        return Panel(name, title, [Remark("A continuous field has no volume fractions.")], good=FRACTIONS_GOOD)
    originals, reconstructions = parts.fractions
    phases = range(1, 1 + originals.shape[1])
    names = [*parts.phase_names] or [f"phase {phase}" for phase in (0, *phases)]
    kinds = [names[phase] for phase in phases for _ in originals] if len(phases) > 1 else None
    figure = new_figure(4.6, 4.4)
    axes = plot_agreement(figure.subplots(), originals.T.ravel(), reconstructions.T.ravel(), kinds=kinds)
    of_phase = f" of {names[1]}" if len(phases) == 1 else ""
    axes.set_xlabel(f"volume fraction{of_phase}, original")
    axes.set_ylabel(f"volume fraction{of_phase}, reconstruction")
    # The fraction of phase 0 follows from those of the others.
    differences = np.column_stack([(originals - reconstructions).sum(axis=1), reconstructions - originals])
    columns = [f"{source}_{phase}" for phase in phases for source in ("original", "reconstruction")]
    pairs = np.stack([originals, reconstructions], axis=2).reshape(len(originals), -1)
    return Panel(
        name,
        title,
        [
            Figure(
                "figure-volume-fractions",
                embed_figure(figure),
                "Scatter plot of the volume fraction of each reconstruction against that of its original, with the "
                f"diagonal on which the two agree. The largest difference is {np.abs(differences).max():.4f}.",
                "Volume fractions.",
                f"Each point is one of {len(originals)} structures.",
            ),
            Table(
                ("phase", "bias", "mean absolute difference", "largest difference"),
                [
                    (name, f"{column.mean():+.4f}", f"{np.abs(column).mean():.4f}", f"{np.abs(column).max():.4f}")
                    for name, column in zip(names, differences.T, strict=True)
                ],
                "Differences in volume fraction, reconstruction minus original; the bias is their mean.",
            ),
            csv_download(
                "volume-fractions.csv",
                ("sample", *columns),
                ([int(n), *map(float, row)] for n, row in zip(parts.numbers, pairs, strict=True)),
            ),
        ],
        good=FRACTIONS_GOOD,
    )


def _name(row: Mapping[str, Any], key: str) -> str:
    way = row.get("realize") if key == "realized" else None
    return row["name"] if way is None else f"{row['name']}, {way}"


def _lag_tables(parts: ReportParts) -> list[Table]:
    """Median errors of every method at all lags and at short ones, of decoded statistics and of structures."""
    captions = {"decoded": "Errors of decoded statistics", "realized": "Errors of the statistics of structures"}
    tables = []
    for key, caption in captions.items():
        # Every way to structures has a row, but decodes the same statistics.
        rows = list({_name(row, key): row[key] for row in parts.lag_rows if row.get(key) is not None}.items())
        if not rows:
            continue
        shorter = [lags for lags in rows[0][1] if lags != "all"]
        columns = [(kind, lags) for kind in ("centred", "relative") for lags in ("all", *shorter)]
        header = [f"{kind}, {'all lags' if lags == 'all' else f'lags ≤ {lags}'}" for kind, lags in columns]
        tables.append(
            Table(
                ("method", *header),
                [(name, *(f"{errors[lags][kind]:.3f}" for kind, lags in columns)) for name, errors in rows],
                f"{caption}: medians over the structures. A centred error of 1 is that of the training mean. Most lags "
                "are long ones; interfaces and features show at short lags.",
            )
        )
    return tables


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:d}" if isinstance(value, int) else f"{value:.3f}"
