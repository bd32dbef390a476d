"""The training structures most similar to the examples: does the model generalise, or does it memorise?"""

from __future__ import annotations

from ..html import embed_figure
from ..page import Figure, Panel, Remark, csv_download
from ..parts import Neighbours, ReportParts
from ..plots import plot_strip
from ..style import add_phase_legend, new_figure

GOOD = (
    "the reconstruction is closer to its original in statistics than any training structure is. Otherwise, looking up "
    "the most similar training structure would do just as well. If the original itself is found at distance 0, the "
    "model was trained on it, and this report says little."
)
MEASURES = {"image": "voxels", "statistics": "statistics"}


def neighbours_panel(parts: ReportParts) -> Panel:
    """Nearest training structures of the first examples, by voxels and by statistics."""
    name, title = "similar", "Most similar training structures"
    if not parts.similar:
        return Panel(name, title, [Remark(parts.searched)], good=GOOD)
    n, k = next(iter(parts.similar.values())).numbers.shape
    height = 0.8 if parts.grid.ndim == 1 else 1.9
    figure = new_figure(1.5 * (k + 2) + 1, height * n * len(parts.similar))
    strips = iter(figure.subplots(n * len(parts.similar), 1, squeeze=False)[:, 0])
    rows: list[list[object]] = []
    for query in range(n):
        number = int(parts.examples.numbers[query])
        for measure, neighbours in parts.similar.items():
            own = float(neighbours.reconstruction_distances[query])
            axes = next(strips)
            plot_strip(
                axes,
                [
                    parts.examples.originals[query],
                    parts.examples.reconstructions[query],
                    *neighbours.structures[query],
                ],
                ["original", f"reconstruction\n{own:.2g}", *_names(neighbours, query)],
                phases=parts.grid.phases,
                grid=parts.grid if len(rows) == k * (n * len(parts.similar) - 1) else None,
            )
            axes.set_ylabel(f"{number}, by\n{MEASURES[measure]}", fontsize=9)
            rows += [
                [number, measure, int(neighbour), float(distance), own]
                for neighbour, distance in zip(neighbours.numbers[query], neighbours.distances[query], strict=True)
            ]
    add_phase_legend(figure, parts.grid.phases, parts.phase_names)
    return Panel(
        name,
        title,
        [
            parts.searched,
            Figure(
                "figure-most-similar",
                embed_figure(figure),
                f"Rows of images: an original, its reconstruction, and the {k} training structures most similar to "
                "the original.",
                "Neighbours.",
                "Above each image are the index of the training structure and the mean squared difference from the "
                "original: of voxels, which depends on position, or of 2-point statistics, which do not.",
            ),
            csv_download("most-similar.csv", ("sample", "by", "training_structure", "mse", "reconstruction_mse"), rows),
        ],
        good=GOOD,
    )


def _names(neighbours: Neighbours, query: int) -> list[str]:
    return [
        f"number {number}\n{distance:.2g}"
        for number, distance in zip(neighbours.numbers[query], neighbours.distances[query], strict=True)
    ]
