"""The latent space: samples by their latents and PC scores, and traversals along single components."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...grid import Grid
from ..html import embed_figure
from ..page import Block, Figure, Panel, csv_download
from ..parts import ReportParts, Traversal
from ..plots import plot_latents, plot_strip
from ..style import add_phase_legend, extent_text, label_text, new_figure

# Properties that have a figure; the CSV file has all of them.
MOST_PROPERTIES = 4


def latents_panel(parts: ReportParts) -> Panel:
    """Latents and PC scores, coloured by material and by properties."""
    colourings: list[tuple[str, str, dict[str, Any]]] = []
    if parts.materials is not None:
        colourings.append(("coloured by material", "By material.", {"kinds": parts.materials}))
    for name in list(parts.properties)[:MOST_PROPERTIES]:
        label = label_text(name, parts.units.get(name))
        options = {"values": parts.properties[name], "value_name": label}
        colourings.append((f"coloured by {name}", f"By {name}.", options))
    rings = "" if parts.candidates is None else " Rings are the candidates."
    content: list[Block] = [
        Figure(
            f"figure-latents-{i}",
            embed_figure(_clouds(parts, options)),
            f"Two scatter plots, {description}: on the left the two latent components with the largest variance, on "
            "the right the first two PC scores.",
            title,
            "Left: the two latent components with the largest variance. Right: the first two scores of PCA of 2-point "
            f"statistics.{rings}",
        )
        for i, (description, title, options) in enumerate(colourings or [("all alike", "All structures.", {})])
    ]
    if len(parts.properties) > MOST_PROPERTIES:
        content.insert(0, f"The first {MOST_PROPERTIES} properties are drawn; the CSV file has all of them.")
    columns = [f"latent_{i}" for i in range(parts.latents.shape[1])] + [f"pc_{i}" for i in range(parts.scores.shape[1])]
    numbers = np.column_stack([parts.latents, parts.scores, *parts.properties.values()])
    materials = [] if parts.materials is None else [parts.materials]
    content.append(
        csv_download(
            "latents.csv",
            ("sample", *columns, *parts.properties, *(["material"] if materials else [])),
            (
                [int(n), *map(float, row), *others]
                for n, row, *others in zip(parts.numbers, numbers, *materials, strict=True)
            ),
        )
    )
    return Panel(
        "latents",
        "Latent space",
        content,
        good="similar structures lie close together, and a property varies steadily from one side of the cloud to the "
        "other; it can then be predicted from the latents. Separate clusters are different kinds of structures, and "
        "the region between them has no examples.",
    )


def traversal_panel(parts: ReportParts) -> Panel:
    """Structures and statistics along each component."""
    n_shown, n_components = len(parts.traversal.components), parts.latents.shape[1]
    selection = "" if n_shown == n_components else f" {n_shown} of {n_components} components are shown."
    return Panel(
        "traversal",
        "Latent traversal",
        [
            Figure(
                "figure-traversal",
                embed_figure(traversal_figure(parts.traversal, phases=parts.grid.phases, grid=parts.grid)),
                f"Two rows of images for each of {n_shown} latent components: structures, and their 2-point "
                "statistics, from two standard deviations below a central structure of the data to two above.",
                "Traversal along single components.",
                "In each pair of rows a single component is changed in multiples of its standard deviation, starting "
                "from the structure of the data whose latent is nearest to the median; the component with the largest "
                "variance comes first. Below each structure are its 2-point statistics; those in a row share a colour "
                f"scale.{selection}",
            )
        ],
        good="one feature changes steadily from left to right, such as the volume fraction of a phase, its coarseness "
        "or its orientation, and every structure still looks like the material. A row in which nothing changes is a "
        "component that the model does not use.",
    )


def traversal_figure(traversal: Traversal, *, phases: int, grid: Grid | None = None) -> Any:
    """Draw one strip of structures per component and, where known, a strip of their statistics below it."""
    n_rows, n_columns = traversal.structures.shape[:2]
    is_line = traversal.structures.ndim == 3
    n_strips = 1 if traversal.statistics is None else 2
    height = (0.45 if is_line else 1.45) * n_strips * n_rows + 0.9
    figure = new_figure(1.25 * n_columns + 0.8, height, dpi=100, layout=None)
    # The strips of a component are closer together than those of different components.
    groups = figure.add_gridspec(
        n_rows, 1, left=0.16 if is_line else 0.08, right=0.99, top=1 - 0.3 / height, bottom=0.5 / height, hspace=0.16
    )
    label_style = {"rotation": 0, "ha": "right", "va": "center"} if is_line else {}
    names = ["start" if step == 0 else f"{step:+g} s.d." for step in traversal.steps]
    for row, component in enumerate(traversal.components):
        strips = [figure.add_subplot(cell) for cell in groups[row].subgridspec(n_strips, 1, hspace=0.06)]
        plot_strip(strips[0], traversal.structures[row], names, phases=phases)
        strips[0].set_ylabel(f"component {component + 1}", fontsize=9, **label_style)
        if traversal.statistics is not None:
            plot_strip(strips[1], traversal.statistics[row], [""] * n_columns)
            strips[1].set_ylabel("statistics", fontsize=9, **label_style)
    if grid is not None:
        strips[-1].set_xlabel(f"each {extent_text(grid)}", fontsize=8)
    add_phase_legend(figure, phases, loc="lower center")
    return figure


def _clouds(parts: ReportParts, options: dict[str, Any]) -> Any:
    figure = new_figure(9.6, 3.9, dpi=100)
    left, right = figure.subplots(1, 2)
    order = parts.traversal.components
    components = (int(order[0]), int(order[min(1, len(order) - 1)]))
    candidates = None if parts.candidates is None else parts.candidates.latents
    plot_latents(left, parts.latents, components=components, candidates=candidates, **options)
    scores = (0, min(1, parts.scores.shape[1] - 1))
    plot_latents(right, parts.scores, components=scores, called="principal component", **options)
    return figure
