"""The training structures most similar to some structures: has the model learned, or does it remember?"""

from __future__ import annotations

from ..page import embed_figure
from ..panel import Figure, Panel, csv_data
from ..parts import Neighbours, ReportParts
from ..plots import load_matplotlib
from ..strips import plot_strip

GOOD = (
    "the reconstruction is nearer to its original in statistics than any training structure is. If it is not, looking "
    "the structure up among the training structures would do as well; if the original itself is found at distance 0, "
    "the model was trained on it, and this report says little."
)
CALLED = {"image": "voxels", "statistics": "statistics"}


def similar_panel(parts: ReportParts) -> Panel:
    """Neighbours of the first examples by voxels and by statistics."""
    title = "The most similar training structures"
    if not parts.similar:
        return Panel("similar", title, GOOD, left_out=parts.searched)
    first = next(iter(parts.similar.values()))
    n, k = first.numbers.shape
    _, figure_class = load_matplotlib()
    high = 0.8 if parts.grid.ndim == 1 else 1.9
    figure = figure_class(figsize=(1.5 * (k + 2) + 1, high * n * len(parts.similar)), dpi=110)
    table = iter(figure.subplots(n * len(parts.similar), 1, squeeze=False)[:, 0])
    for query in range(n):
        for by, found in parts.similar.items():
            axes = next(table)
            pictures = [parts.examples.originals[query], parts.examples.reconstructions[query]]
            names = ["original", f"reconstruction\n{found.reconstruction_distances[query]:.2g}", *_names(found, query)]
            plot_strip(
                axes,
                [*pictures, *found.structures[query]],
                names,
                phases=parts.grid.phases if parts.grid.phases > 1 else None,
            )
            axes.set_ylabel(f"{parts.examples.numbers[query]}, by\n{CALLED[by]}", fontsize=9)
    figure.tight_layout()
    rows = [
        [
            int(parts.examples.numbers[query]),
            by,
            int(number),
            float(distance),
            float(found.reconstruction_distances[query]),
        ]
        for query in range(n)
        for by, found in parts.similar.items()
        for own in [found.reconstruction_distances[query]]
        for number, distance in zip(found.numbers[query], found.distances[query], strict=True)
    ]
    return Panel(
        "similar",
        title,
        GOOD,
        text=(parts.searched,),
        figures=(
            Figure(
                "most-similar",
                embed_figure(figure),
                f"Rows of pictures: an original, its reconstruction, and the {k} training structures most similar to "
                "the original.",
                "Neighbours.",
                "Above each picture stands the mean squared difference from the original (of voxels, which compares "
                "places, or of 2-point statistics, which do not depend on place) and the number of the training "
                "structure.",
            ),
        ),
        data=(csv_data("most-similar.csv", ("sample", "by", "training_structure", "mse", "reconstruction_mse"), rows),),
    )


def _names(found: Neighbours, query: int) -> list[str]:
    return [
        f"number {number}\n{distance:.2g}"
        for number, distance in zip(found.numbers[query], found.distances[query], strict=True)
    ]
