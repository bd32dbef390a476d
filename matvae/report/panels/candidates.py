"""Candidates of an inverse design: what was asked for, and what was reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..page import embed_figure
from ..panel import Figure, Panel, Table, csv_data
from ..plots import load_matplotlib
from ..report_parts import Candidates, ReportParts
from ..scatter import plot_agreement
from ..strips import plot_strip
from ..words import label_text

REQUESTED, SPREAD = "requested_", "_spread"
# Structures drawn; all are in the table.
MOST, COLUMNS = 12, 6
GOOD = (
    "achieved values agree with the requested ones within their spread, and the structures still look like the "
    "material. A large spread means that structures of one latent differ in this property; make several and choose."
)


def candidates_panel(parts: ReportParts) -> Panel:
    """Requested against achieved values, and the structures."""
    found = parts.candidates
    if found is None:
        return Panel(
            "candidates",
            "Designed structures",
            GOOD,
            left_out="No candidates were given. Name a store that matvae optimize wrote with --candidates.",
        )
    names = achieved_names(found)
    figures = [_structures(parts, found)]
    wanted = [name for name in names if _comparable(found, name)]
    if wanted:
        figures.insert(0, _agreement(found, wanted))
    columns = list(found.properties)
    return Panel(
        "candidates",
        "Designed structures",
        GOOD,
        text=(f"{len(found.structures)} candidates from {found.name}.",),
        figures=figures,
        tables=(_table(found, names),),
        data=(
            csv_data(
                "candidates.csv",
                ("candidate", *(f"latent_{i}" for i in range(found.latents.shape[1])), *columns),
                (
                    [i, *map(float, found.latents[i]), *(float(found.properties[name][i]) for name in columns)]
                    for i in range(len(found.structures))
                ),
            ),
        ),
    )


def achieved_names(found: Candidates) -> list[str]:
    """Properties that were achieved: those with a spread or a target, or all where none has either."""
    known = set(found.properties)
    aimed = [name for name in found.properties if {name + SPREAD, REQUESTED + name} & known]
    return aimed or list(found.properties)


def _comparable(found: Candidates, name: str) -> bool:
    wanted = found.properties.get(REQUESTED + name)
    return wanted is not None and bool((np.isfinite(wanted) & np.isfinite(found.properties[name])).any())


def _agreement(found: Candidates, names: Sequence[str]) -> Figure:
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(4.3 * len(names), 4), dpi=100, layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        plot_agreement(
            axes, found.properties[REQUESTED + name], found.properties[name], spread=found.properties.get(name + SPREAD)
        )
        label = label_text(name, found.units.get(name))
        axes.set_xlabel(f"requested {label}")
        axes.set_ylabel(f"achieved {label}")
    return Figure(
        "requested-and-achieved",
        embed_figure(figure),
        f"Scatter plot of achieved against requested values of {', '.join(names)}; exact ones lie on the diagonal. All "
        "numbers are in the table below.",
        "Requested and achieved.",
        "Each point is a candidate; bars are the spread over structures made of its latent.",
    )


def _structures(parts: ReportParts, found: Candidates) -> Figure:
    shown = min(MOST, len(found.structures))
    rows = -(-shown // COLUMNS)
    _, figure_class = load_matplotlib()
    high = 0.7 if parts.grid.ndim == 1 else 1.8
    figure = figure_class(figsize=(1.5 * min(COLUMNS, shown) + 0.6, high * rows), dpi=110)
    for row, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        here = range(row * COLUMNS, min((row + 1) * COLUMNS, shown))
        plot_strip(
            axes,
            found.structures[here.start : here.stop],
            [f"candidate {i}" for i in here],
            phases=parts.grid.phases if parts.grid.phases > 1 else None,
        ).set_anchor("W")
    figure.tight_layout()
    return Figure(
        "candidates",
        embed_figure(figure),
        f"Pictures of {shown} candidates.",
        "Candidates.",
        f"{'All' if shown == len(found.structures) else f'The first {shown}'} candidates, one structure of each.",
    )


def _table(found: Candidates, names: Sequence[str]) -> Table:
    header: list[str] = ["candidate"]
    columns: list[Any] = []
    for name in names:
        unit = found.units.get(name)
        called = f"{name} / {unit}" if unit and unit != "1" else name
        if REQUESTED + name in found.properties:
            header.append(f"requested {called}")
            columns.append([_number(value) for value in found.properties[REQUESTED + name]])
        spread = found.properties.get(name + SPREAD)
        header.append(f"achieved {called}")
        columns.append(
            [
                _number(value) + ("" if spread is None or not np.isfinite(spread[i]) else f" ± {spread[i]:.2g}")
                for i, value in enumerate(found.properties[name])
            ]
        )
    rows = [(str(i), *(column[i] for column in columns)) for i in range(len(found.structures))]
    return Table(header, rows, "What was asked for and what was reached, with its spread.")


def _number(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "–"
