"""Candidates of an inverse design: what was asked for, and what was reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..page import embed_figure
from ..panel import Figure, Panel, Table, csv_data
from ..parts import Candidates, ReportParts
from ..plots import load_matplotlib
from ..scatter import plot_agreement, plot_candidates
from ..strips import plot_strip
from ..words import label_text

REQUESTED, SPREAD, FAR = "requested_", "_spread", "out_of_distribution"
# Structures drawn; all are in the table.
MOST, COLUMNS = 12, 6
# Pictures of values in a row.
MOST_COLUMNS = 3
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
    if known := [name for name in names if np.isfinite(found.properties[name]).any()]:
        figures.insert(0, _values(found, known))
    columns = list(found.properties)
    return Panel(
        "candidates",
        "Designed structures",
        GOOD,
        text=(f"{len(found.structures)} candidates from {found.name}.", *_region(found)),
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


def _region(found: Candidates) -> list[str]:
    if FAR not in found.properties:
        return []
    where = f" {found.region}" if found.region else ""
    return [f"Out of distribution is 1 at the boundary of the region that was searched, and more beyond it.{where}"]


def achieved_names(found: Candidates) -> list[str]:
    """Properties that were achieved: those with a spread or a target, or all where none has either."""
    known = set(found.properties)
    aimed = [name for name in found.properties if {name + SPREAD, REQUESTED + name} & known]
    return aimed or list(found.properties)


def _values(found: Candidates, names: Sequence[str]) -> Figure:
    """A picture for each property: against its targets where these differ, else candidate by candidate."""
    _, figure_class = load_matplotlib()
    columns = min(MOST_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = figure_class(figsize=(4.3 * columns, 3.8 * rows), dpi=100, layout="constrained")
    table = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(table, names, strict=False):
        label, spread = label_text(name, found.units.get(name)), found.properties.get(name + SPREAD)
        achieved, wanted = found.properties[name], found.properties.get(REQUESTED + name)
        targets = [] if wanted is None else sorted(set(wanted[np.isfinite(wanted) & np.isfinite(achieved)]))
        if wanted is not None and len(targets) > 1:
            plot_agreement(axes, wanted, achieved, spread=spread).set_xlabel(f"requested {label}")
        else:
            plot_candidates(axes, achieved, spread=spread, requested=targets[0] if targets else None)
        axes.set_ylabel(f"achieved {label}")
    for axes in table[len(names) :]:
        axes.remove()
    return Figure(
        "requested-and-achieved",
        embed_figure(figure),
        f"Plots of achieved values of {', '.join(names)} beside requested ones. All numbers are in the table below.",
        "Requested and achieved.",
        "Each point is a candidate, and bars are the spread over structures made of its latent. Lines are what was "
        "requested: a dashed one a single value, a diagonal one many.",
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
    if FAR in found.properties:
        header.append("out of distribution")
        columns.append([_number(value) for value in found.properties[FAR]])
    if found.reasons:
        header.append("as asked")
        columns.append(["yes" if reason is None else reason for reason in found.reasons])
    rows = [(str(i), *(column[i] for column in columns)) for i in range(len(found.structures))]
    return Table(header, rows, "What was asked for and what was reached, with its spread.")


def _number(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "–"
