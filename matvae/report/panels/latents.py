"""Structures by their latents and by their PCA scores, and what changes along each latent component."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..page import embed_figure
from ..panel import Figure, Panel, csv_data
from ..parts import ReportParts
from ..plots import load_matplotlib
from ..scatter import plot_latents
from ..strips import plot_strip
from ..words import label_text

# Properties that get a picture of their own; all are in the table to be saved.
MOST_PROPERTIES = 4


def latents_panel(parts: ReportParts) -> Panel:
    """Latents, PCA scores beside, coloured by material and by properties."""
    order = parts.traversal.components
    pair = (int(order[0]), int(order[min(1, len(order) - 1)]))
    colourings: list[tuple[str, dict[str, Any]]] = []
    if parts.materials is not None:
        colourings.append(("material", {"kinds": parts.materials}))
    for name in list(parts.properties)[:MOST_PROPERTIES]:
        label = label_text(name, parts.units.get(name))
        colourings.append((name, {"values": parts.properties[name], "value_name": label}))
    colourings = colourings or [("structures", {})]
    left_out = len(parts.properties) - MOST_PROPERTIES
    names = [f"latent_{i}" for i in range(parts.latents.shape[1])] + [f"pc_{i}" for i in range(parts.scores.shape[1])]
    numbers = np.column_stack([parts.latents, parts.scores, *parts.properties.values()])
    return Panel(
        "latents",
        "Where structures lie",
        "structures that are alike lie together, and a property changes steadily from one side of the cloud to the "
        "other; then it can be learned from latents. Separate islands are separate kinds of structures, and what lies "
        "between them has no examples.",
        text=(f"The {MOST_PROPERTIES} first properties are drawn; the table has all of them." if left_out > 0 else "",)
        if left_out > 0
        else (),
        figures=[
            Figure(
                f"latents-{place}",
                embed_figure(_clouds(parts, pair, options)),
                f"Two scatter plots coloured by {name}: left the two latent components that vary most, right the two "
                "first principal component scores.",
                f"By {name}." if name != "structures" else "All structures.",
                "Left: the two latent components that vary most. Right: the first two scores of PCA of 2-point "
                "statistics." + (" Rings are the candidates." if parts.candidates is not None else ""),
            )
            for place, (name, options) in enumerate(colourings)
        ],
        data=(
            csv_data(
                "latents.csv",
                ("sample", *names, *parts.properties, *(["material"] if parts.materials is not None else [])),
                (
                    [int(n), *map(float, row), *([] if parts.materials is None else [parts.materials[i]])]
                    for i, (n, row) in enumerate(zip(parts.numbers, numbers, strict=True))
                ),
            ),
        ),
    )


def traversal_panel(parts: ReportParts) -> Panel:
    """Structures and statistics along each component."""
    walk = parts.traversal
    rows, columns = walk.structures.shape[:2]
    _, figure_class = load_matplotlib()
    flat = parts.grid.ndim == 1
    high = (0.9 if flat else 2.9) * rows + 0.4
    figure = figure_class(figsize=(1.25 * columns + 0.8, high), dpi=100)
    # Each pair of strips stands closer together than one pair to the next.
    pairs = figure.add_gridspec(
        rows, 1, left=0.16 if flat else 0.08, right=0.99, top=1 - 0.3 / high, bottom=0.01, hspace=0.16
    )
    names = ["middle" if step == 0 else f"{step:+g} s.d." for step in walk.steps]
    for row, component in enumerate(walk.components):
        above, below = (figure.add_subplot(place) for place in pairs[row].subgridspec(2, 1, hspace=0.06))
        plot_strip(above, walk.structures[row], names, phases=parts.grid.phases if parts.grid.phases > 1 else None)
        assert walk.statistics is not None
        plot_strip(below, walk.statistics[row], [""] * columns)
        for axes, label in ((above, f"component {component + 1}"), (below, "statistics")):
            axes.set_ylabel(label, fontsize=9, **({"rotation": 0, "ha": "right", "va": "center"} if flat else {}))
    all_of_them = rows == parts.latents.shape[1]
    return Panel(
        "traversal",
        "Along each component",
        "one aspect changes steadily from left to right, such as the amount of a phase, its coarseness or its "
        "direction, and every structure still looks like the material. A row where nothing changes is a component that "
        "the model does not use.",
        figures=(
            Figure(
                "traversal",
                embed_figure(figure),
                f"Rows of pictures, two for each of {rows} latent components: structures, and their 2-point "
                "statistics, from two standard deviations below the middle of the data to two above.",
                "A walk along components.",
                "Each pair of rows changes a single component, from the middle of the data by so many standard "
                "deviations of the data's latents; the component that varies most comes first. Below each structure "
                "stand its 2-point statistics; those of a row have one scale."
                + ("" if all_of_them else f" Of {parts.latents.shape[1]} components {rows} are shown."),
            ),
        ),
    )


def _clouds(parts: ReportParts, pair: tuple[int, int], options: dict[str, Any]) -> Any:
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(9.6, 3.9), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    rings = None if parts.candidates is None else parts.candidates.latents
    plot_latents(left, parts.latents, components=pair, candidates=rings, **options)
    scores = (0, min(1, parts.scores.shape[1] - 1))
    plot_latents(right, parts.scores, components=scores, called="principal component", **options)
    return figure
