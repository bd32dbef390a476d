"""Results of the lines benchmark: tables and figures that correspond to those of the paper it repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..html import embed_figure, embed_picture
from ..page import Command, Definitions, Figure, Panel, Picture, PictureTable, Table
from ..parts import BenchmarkParts, Example
from ..plots import plot_agreement, plot_history, plot_latents, plot_structure
from ..style import COLOUR_MAP, GREY, INK, load_matplotlib, new_figure, remove_frame, structure_colours
from .latents import traversal_figure

RESULTS_HEADER = (
    "method",
    "structures",
    "right orientation",
    "right number of lines",
    "volume fraction difference",
    "statistics, decoded",
    "statistics, of structures",
)
FORMATS = {
    "n_samples": "{:d}",
    "orientation": "{:.1f} %",
    "number": "{:.1f} %",
    "volume_fraction_difference": "{:.4f} %",
    "decoded_error": "{:.3f}",
    "structure_error": "{:.3f}",
}
# Terms of the loss in the training records, and their labels.
LOSS_TERMS = {
    "loss": "loss, weighted sum",
    "statistics_loss": "distance of statistics",
    "short_range_loss": "distance at short lags",
    "aligned_loss": "distance of aligned voxels",
    "voxel_loss": "distance of voxels",
    "kl": "KL divergence",
}
MEASURES = {"image": "by images", "statistics": "by autocorrelations"}


def result_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells of one row of the results table, after the method; a dash for values that are unknown."""
    return tuple(_cell(row, name) for name in FORMATS)


def _cell(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None:
        return "–"
    # The paper states whole percentages.
    whole_percent = row.get("published") and "%" in FORMATS[name]
    return ("{:.0f} %" if whole_percent else FORMATS[name]).format(row[name])


def results_panel(result: Mapping[str, Any]) -> Panel:
    """The paper as published, PCA, and this run."""
    pca = result["pca"]
    return Panel(
        "results",
        "Results",
        [
            Table(
                RESULTS_HEADER,
                [(row["method"], *result_cells(row)) for row in result["rows"]],
                "Held-out structures, encoded and reconstructed.",
            ),
            Definitions(
                [
                    (
                        "Right orientation",
                        "the reconstruction has horizontal lines if and only if the original does, and likewise "
                        "vertical ones.",
                    ),
                    ("Right number of lines", "of horizontal and vertical lines together, counted automatically."),
                    (
                        "Volume fraction difference",
                        "mean of |n − n′| / n × 100 over structures, where n and n′ are the numbers of line pixels in "
                        "the original and the reconstruction (equation 2 of the paper).",
                    ),
                    (
                        "Statistics",
                        "mean of ‖f − f′‖ / ‖f‖, for the decoded autocorrelation and for that of the structure after "
                        "thresholding.",
                    ),
                    (
                        "PCA",
                        "with the same number of components, fitted to the autocorrelations of "
                        f"{pca['n_training']} training structures. It decodes statistics, for which "
                        "`matvae.reconstruct` finds structures; these were generated for the first "
                        f"{pca['n_structures']} held-out structures only, whereas the decoded statistics are measured "
                        f"on all {result['n_test']}.",
                    ),
                ]
            ),
        ],
    )


def numbers_panel(result: Mapping[str, Any], parts: BenchmarkParts) -> Panel:
    """The results of this run for each number of lines, the confusion matrix, and volume fractions."""
    rows = result["by_number"]
    columns = ("n_samples", "orientation", "number", "volume_fraction_difference", "structure_error")
    most_lines = len(rows[0]["found"]) - 1
    return Panel(
        "numbers",
        "By number of lines",
        [
            Table(
                (
                    "lines",
                    "structures",
                    "right orientation",
                    "right number",
                    "volume fraction difference",
                    "statistics error",
                ),
                [(str(row["lines"]), *(_cell(row, name) for name in columns)) for row in rows],
                "The model of this page (third row of the results), by the number of lines. Errors are those of the "
                "statistics of structures.",
            ),
            Table(
                ("lines of the original", *map(str, range(most_lines)), f"{most_lines} or more"),
                [(str(row["lines"]), *map(str, row["found"])) for row in rows],
                "Numbers of reconstructions by lines of the original (rows) and lines counted in the reconstruction "
                "(columns).",
            ),
            Figure(
                "volume-fractions",
                embed_figure(fractions_figure(parts)),
                "Scatter plot of the volume fraction of each reconstruction against that of its original, coloured by "
                "number of lines, with the diagonal on which the two agree.",
                "Volume fractions.",
                "Each point is a held-out structure; points on the diagonal are exact.",
            ),
        ],
    )


def figures_panel(parts: BenchmarkParts) -> Panel:
    """Figures 1 to 3: the method, the training, and the latent space."""
    return Panel(
        "figures",
        "Figures 1 to 3",
        [
            Figure(
                "figure-1",
                embed_figure(method_figure(parts.queries)),
                "Grid of images with one row for each number of lines: original, its autocorrelation, bar chart of its "
                "latent, reconstruction, and the autocorrelation of the reconstruction.",
                "Figure 1. The method.",
                "From left to right: a held-out structure, its autocorrelation f, the latent, the reconstruction, and "
                "the autocorrelation of the reconstruction. The two autocorrelations of a row share a colour scale, "
                "which is linear in the square root of f. One structure was drawn at random for each number of lines. "
                "Corresponds to figure 1 of the paper.",
            ),
            Figure(
                "figure-2",
                embed_figure(training_figure(parts.history)),
                "Two line plots against minutes of training: on the left the terms of the loss on a logarithmic scale, "
                "on the right the error of held-out structures.",
                "Figure 2. Training.",
                "Left: the loss, as a mean over each epoch, and its terms before weighting. Right: relative error of "
                "the statistics of thresholded reconstructions of structures held out from training, by which the best "
                "weights are selected. Corresponds to figure 2 of the paper.",
            ),
            Figure(
                "figure-3a",
                embed_figure(traversal_figure(parts.traversal, phases=2)),
                "Grid of structures: in each row one latent component changes from two standard deviations below the "
                "start to two above.",
                "Figure 3a. Latent traversal.",
                "Every row starts from the same central latent and changes a single component in multiples of the "
                "standard deviation of the held-out latents; the rows are the components with the largest variance. "
                "Corresponds to figure 3 of the paper.",
            ),
            Figure(
                "figure-3b",
                embed_figure(latents_figure(parts)),
                "Scatter plots of held-out latents in the components with the largest variance, coloured by number of "
                "lines.",
                "Figure 3b. Latent space.",
                "Each point is a held-out structure.",
            ),
        ],
    )


def means_panel(result: Mapping[str, Any], parts: BenchmarkParts) -> Panel:
    """Mean images: features that reconstructions share whatever their original."""
    peaks = {name: f"{100 * value:.0f} %" for name, value in result["mean_peak"].items()}
    return Panel(
        "common",
        "What reconstructions have in common",
        [
            Figure(
                "means",
                embed_figure(means_figure(parts.means)),
                "Three heat maps on a common scale: fraction of the originals, of the reconstructions as decoded, and "
                "of the reconstructions registered onto their originals, that have a line at each pixel.",
                "Means.",
                f"The pixel covered by a line most often is covered in {peaks['original']} of the originals, in "
                f"{peaks['reconstruction']} of the reconstructions as decoded, and in {peaks['registered']} of the "
                "reconstructions registered onto their originals. Statistics carry no information on absolute "
                "position, so a decoder trained on them chooses positions itself and may draw the largest line of "
                "every structure in the same place. A line that is present whatever the original, a weakness that the "
                "paper reports, cannot be shifted away: it would appear on the right, too, as a line of nearly 100 %.",
            )
        ],
    )


def structures_panel(parts: BenchmarkParts) -> Panel:
    """Tables 1 to 4: examples for each number of lines."""
    groups = {
        lines: [example for example in parts.examples if example.lines == lines]
        for lines in dict.fromkeys(example.lines for example in parts.examples)
    }
    n_random = len(next(iter(groups.values()))) - 2
    return Panel(
        "structures",
        "Tables 1 to 4: structures and their autocorrelations",
        [
            f"For each number of lines: the first {n_random} structures of the held-out set, which was drawn at "
            "random, followed by those of all held-out structures with the smallest and the largest error. The two "
            "autocorrelations of a row share a colour scale, from 0 to the maximum of the original; the square root is "
            "shown.",
            *(
                PictureTable(
                    f"table-{lines}",
                    (
                        "structure",
                        "original",
                        "reconstruction",
                        "autocorrelation of the original",
                        "autocorrelation of the reconstruction",
                    ),
                    [(f"number {example.number},\n{example.choice}", _example_pictures(example)) for example in group],
                    f"Table {lines}. Structures with {_lines(lines)}. Corresponds to table {lines} of the paper.",
                )
                for lines, group in groups.items()
            ),
        ],
    )


def similar_panel(result: Mapping[str, Any], parts: BenchmarkParts) -> Panel:
    """Tables 5 to 7: nearest training structures of originals and reconstructions."""
    return Panel(
        "neighbours",
        "Tables 5 to 7: most similar training structures",
        [
            "Is a reconstruction new, or a copy of a training structure? Shown are the most similar of the first "
            f"{result['searched']} of {result['n']} training structures, by the mean squared difference (MSE) of "
            "images and of autocorrelations. The MSE of images depends on position, that of autocorrelations does not.",
            _neighbour_table(parts, 5, "original", ["image"]),
            _neighbour_table(parts, 6, "original", ["statistics"]),
            _neighbour_table(parts, 7, "reconstruction", ["image", "statistics"]),
        ],
    )


def settings_panel(result: Mapping[str, Any]) -> Panel:
    """Commands, metadata and parameters of the run."""
    seconds = result["seconds"]
    metadata = [
        ("preset", result["preset"]),
        ("training structures", f"{result['n']}, seed {result['seed']}"),
        ("held-out structures", f"{result['n_test']}, seed {result['test_seed']}"),
        ("latent components", str(result["n_components"])),
        ("pretrained weights of the encoder", result["weights"] or "none"),
        ("weights of the model", f"{result['n_weights']:,}"),
        ("epochs begun", str(result["epochs"])),
        ("training steps", f"{result['steps']:,}"),
        ("training time / s", f"{seconds['training']:.0f}"),
        ("time to generate the data / s", "–" if seconds["data"] is None else f"{seconds['data']:.0f}"),
        ("measuring time / s", f"{seconds['measuring']:.0f}"),
        ("structuring element of the line counter", f"{result['element']} pixels"),
        *((f"version of {name}", version) for name, version in result["versions"].items()),
        *((name, str(value)) for name, value in result["machine"].items()),
    ]
    return Panel(
        "settings",
        "Settings",
        [
            "The command of this run:",
            Command(result["commands"]["run"]),
            "With `--resume` an interrupted run continues; after a completed run, the model is measured again and this "
            "page is regenerated, without training:",
            Command(result["commands"]["resume"]),
            "To train longer, start again. The data are kept:",
            Command(result["commands"]["longer"]),
            Table(("quantity", "value"), metadata, "This run."),
            Table(
                ("parameter", "value"),
                [
                    (name, f"{value:g}" if isinstance(value, float) else str(value))
                    for name, value in sorted(result["settings"].items())
                ],
                "Parameters of StatsVAETransformer.",
            ),
        ],
    )


def fractions_figure(parts: BenchmarkParts) -> Any:
    """Draw volume fractions of reconstructions against those of the originals, coloured by number of lines."""
    samples, kinds = _by_lines(parts)
    figure = new_figure(5.2, 4.8)
    axes = plot_agreement(figure.subplots(), *(100 * parts.fractions[samples].T), kinds=kinds)
    axes.set_xlabel("volume fraction of the original / %")
    axes.set_ylabel("volume fraction of the reconstruction / %")
    return figure


def method_figure(examples: Sequence[Example]) -> Any:
    """Draw original, autocorrelation, latent, reconstruction and its autocorrelation: one row per example."""
    matplotlib = load_matplotlib()
    n = len(examples)
    figure = new_figure(11.5, 2.25 * n + 0.5)
    table = figure.subplots(n, 5, squeeze=False)
    titles = ("original", "its autocorrelation", "latent", "reconstruction", "its autocorrelation")
    for axes, title in zip(table[0], titles, strict=True):
        axes.set_title(title, fontsize=11)
    largest = max(1.0, *(float(np.abs(example.latent).max()) for example in examples))
    for (original, left, latent, reconstruction, right), example in zip(table, examples, strict=True):
        scale = matplotlib.colors.PowerNorm(0.5, 0, float(example.statistics.max()))
        plot_structure(original, example.original)
        plot_structure(reconstruction, example.reconstruction)
        left.imshow(example.statistics, cmap=COLOUR_MAP, norm=scale, interpolation="nearest")
        right.imshow(example.reconstructed_statistics, cmap=COLOUR_MAP, norm=scale, interpolation="nearest")
        for axes in (original, left, reconstruction, right):
            axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
        latent.bar(np.arange(1, len(example.latent) + 1), example.latent, color=INK)
        latent.axhline(0, color=GREY, linewidth=0.8)
        latent.set_ylim(-1.05 * largest, 1.05 * largest)
        remove_frame(latent)
        original.set_ylabel(_lines(example.lines), fontsize=11)
    table[-1][2].set_xlabel("component", fontsize=9)
    return figure


def training_figure(history: Sequence[Mapping[str, Any]]) -> Any:
    """Draw the terms of the loss, and the error of held-out structures, against minutes of training."""
    figure = new_figure(10, 3.6)
    loss_axes, error_axes = figure.subplots(1, 2)
    plot_history(loss_axes, history, keys=LOSS_TERMS, minutes=True)
    keys = {"validation_error": "error of held-out structures"}
    plot_history(error_axes, history, keys=keys, minutes=True, scale="linear")
    return figure


def latents_figure(parts: BenchmarkParts) -> Any:
    """Draw held-out latents in the three components with the largest variance, coloured by number of lines."""
    order = [int(component) for component in parts.traversal.components[:3]]
    pairs = [(order[0], other) for other in order[1:] or order]
    samples, kinds = _by_lines(parts)
    figure = new_figure(5 * len(pairs), 4.2)
    for axes, components in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        plot_latents(axes, parts.latents[samples], components=components, kinds=kinds)
    return figure


def means_figure(means: Mapping[str, np.ndarray]) -> Any:
    """Draw the means of originals and of reconstructions, as decoded and registered, on a common scale."""
    titles = {
        "original": "mean of originals",
        "reconstruction": "mean of reconstructions, as decoded",
        "registered": "mean of reconstructions, registered",
    }
    figure = new_figure(11.4, 3.8)
    row = figure.subplots(1, len(titles))
    highest = max(1e-9, *(float(mean.max()) for mean in means.values()))
    for axes, (name, title) in zip(row, titles.items(), strict=True):
        image = axes.imshow(means[name], cmap=COLOUR_MAP, vmin=0, vmax=highest, interpolation="nearest")
        axes.set(xticks=[], yticks=[], title=title)
    figure.colorbar(image, ax=list(row), label="fraction of structures with a line here", shrink=0.85)
    return figure


def _by_lines(parts: BenchmarkParts) -> tuple[np.ndarray, list[str]]:
    """Indices of the samples sorted by number of lines, and that number as a label."""
    samples = np.argsort(parts.lines, kind="stable")
    return samples, [_lines(int(n)) for n in parts.lines[samples]]


def _example_pictures(example: Example) -> list[Picture]:
    highest = float(example.statistics.max())
    is_right = sum(example.original_lines) == sum(example.reconstruction_lines)
    original, reconstruction = _directions(example.original_lines), _directions(example.reconstruction_lines)
    return [
        Picture(_structure_uri(example.original), f"original: {original} lines", original),
        Picture(
            _structure_uri(example.reconstruction),
            f"reconstruction: {reconstruction} lines",
            f"{reconstruction}: number {'right' if is_right else 'wrong'}",
        ),
        Picture(_statistics_uri(example.statistics, highest), "autocorrelation of the original"),
        Picture(
            _statistics_uri(example.reconstructed_statistics, highest),
            "autocorrelation of the reconstruction",
            f"relative error {example.error:.3f}",
        ),
    ]


def _neighbour_table(parts: BenchmarkParts, number: int, source: str, measures: Sequence[str]) -> PictureTable:
    rows = []
    for query, example in enumerate(parts.queries):
        for measure in measures:
            neighbours = parts.neighbours[source, measure]
            structure = example.original if source == "original" else example.reconstruction
            pictures = [Picture(_structure_uri(structure), f"{source} of held-out structure {example.number}")]
            for neighbour, index, distance in zip(
                neighbours.structures[query], neighbours.numbers[query], neighbours.distances[query], strict=True
            ):
                pictures.append(
                    Picture(
                        _structure_uri(neighbour),
                        f"training structure {index}, {MEASURES[measure]}",
                        f"MSE {_mse(distance)}\nnumber {index}",
                    )
                )
            rows.append((f"{MEASURES[measure]}\nheld-out structure {example.number}", pictures))
    k = len(rows[0][1]) - 1
    return PictureTable(
        f"table-{number}",
        ("compared", source, *(f"most similar, {rank}" for rank in range(1, k + 1))),
        rows,
        f"Table {number}. Training structures most similar to {source}s, "
        f"{' and '.join(MEASURES[measure] for measure in measures)}. Corresponds to table {number} of the paper.",
    )


def _structure_uri(labels: np.ndarray) -> str:
    return embed_picture(labels, structure_colours(2)["cmap"], low=0, high=1)


def _statistics_uri(f: np.ndarray, highest: float) -> str:
    # The square root makes weak correlations visible next to the peak at zero lag.
    return embed_picture(np.sqrt(np.maximum(f, 0)), COLOUR_MAP, low=0, high=max(highest, 1e-12) ** 0.5)


def _mse(value: float) -> str:
    # Equal statistics differ by the rounding of their transforms.
    return f"{value:.2g}" if value > 1e-15 else "0"


def _directions(lines: tuple[int, int]) -> str:
    return f"{lines[0]} horizontal, {lines[1]} vertical"


def _lines(n: int) -> str:
    return f"{n} line{'s' if n > 1 else ''}"
