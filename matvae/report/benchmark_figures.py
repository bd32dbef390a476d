"""Figures of a benchmark: the method at work, the training, the latent, and what reconstructions have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .comparison import QUIET, STYLES
from .parts import BenchmarkParts, Example
from .plots import INK, MAP, PAPER, load_matplotlib, plot_structure

# Of the training records: what each is called, in order.
TERMS = {
    "loss": "loss, weighed sum",
    "statistics_loss": "distance of statistics",
    "short_range_loss": "distance at short lags",
    "aligned_loss": "distance of aligned voxels",
    "voxel_loss": "distance of voxels",
    "kl": "KL divergence",
}


def plot_method(examples: Sequence[Example]) -> Any:
    """Original, its autocorrelation, its latent, the reconstruction and its autocorrelation: one row an example."""
    matplotlib, figure_class = load_matplotlib()
    n = len(examples)
    figure = figure_class(figsize=(11.5, 2.25 * n + 0.5), dpi=110, layout="constrained")
    table = figure.subplots(n, 5, squeeze=False)
    titles = ("original", "its autocorrelation", "latent", "reconstruction", "its autocorrelation")
    most = max(1.0, *(float(np.abs(example.latent).max()) for example in examples))
    for axes, title in zip(table[0], titles, strict=True):
        axes.set_title(title, fontsize=11)
    for row, example in zip(table, examples, strict=True):
        scale = matplotlib.colors.PowerNorm(0.5, 0, float(example.statistics.max()))
        for axes, image in ((row[0], example.original), (row[3], example.reconstruction)):
            plot_structure(axes, image)
        for axes, f in ((row[1], example.statistics), (row[4], example.reconstructed_statistics)):
            axes.imshow(f, cmap=MAP, norm=scale, interpolation="nearest")
        for axes in (row[0], row[1], row[3], row[4]):
            axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
        row[2].bar(np.arange(1, len(example.latent) + 1), example.latent, color=INK)
        row[2].axhline(0, color=QUIET, linewidth=0.8)
        row[2].set_ylim(-1.05 * most, 1.05 * most)
        row[2].tick_params(labelsize=7)
        row[2].spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel(f"{example.lines} line{'s' if example.lines > 1 else ''}", fontsize=11)
    table[-1][2].set_xlabel("component", fontsize=9)
    return figure


def plot_history(history: Sequence[Mapping[str, Any]]) -> Any:
    """Terms of the loss, and the error of held-out structures, against minutes of training."""
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(10, 3.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    marks: dict[str, Any] = {"marker": "o", "markersize": 3, "linewidth": 1.4}
    for (name, called), (colour, _) in zip(TERMS.items(), [*STYLES, (QUIET, "")], strict=True):
        points = [(record["seconds"] / 60, record[name]) for record in history if record.get(name) is not None]
        if points:
            left.plot(*zip(*points, strict=True), color=colour, label=called, **marks)
    left.set_yscale("log")
    left.set_ylabel("mean over an epoch")
    if left.lines:
        left.legend(frameon=False, fontsize=8)
    held_out = [(r["seconds"] / 60, r["validation_error"]) for r in history if r.get("validation_error") is not None]
    if held_out:
        right.plot(*zip(*held_out, strict=True), color=STYLES[0][0], **marks)
        right.set_ylim(0, 1.1 * max(error for _, error in held_out))
    right.set_ylabel("error of held-out structures")
    for axes in (left, right):
        axes.set_xlim(left=0)
        axes.set_xlabel("minutes of training")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_walk(parts: BenchmarkParts) -> Any:
    """Structures along the components that vary most: one row a component."""
    _, figure_class = load_matplotlib()
    rows, columns = parts.traversal.structures.shape[:2]
    figure = figure_class(figsize=(1.45 * columns + 0.8, 1.5 * rows + 0.5), dpi=110, layout="constrained")
    table = figure.subplots(rows, columns, squeeze=False)
    for row, component in enumerate(parts.traversal.components):
        for column, step in enumerate(parts.traversal.steps):
            axes = table[row][column]
            plot_structure(axes, parts.traversal.structures[row, column])
            axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
            if row == 0:
                axes.set_title("start" if step == 0 else f"{step:+g} s.d.", fontsize=10)
        table[row][0].set_ylabel(f"component {component + 1}", fontsize=9)
    return figure


def plot_latents(parts: BenchmarkParts) -> Any:
    """Latents of held-out structures in the three components that vary most, by number of lines."""
    _, figure_class = load_matplotlib()
    order = parts.traversal.components[:3]
    pairs = [(0, 1), (0, 2)] if len(order) > 2 else [(0, len(order) - 1)]
    figure = figure_class(figsize=(5 * len(pairs), 4.2), dpi=110, layout="constrained")
    for axes, (i, j) in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        for n, colour, marker in _kinds(parts.lines):
            here = parts.lines == n
            x, y = (parts.latents[here, order[k]] for k in (i, j))
            axes.scatter(x, y, s=12, color=colour, marker=marker, alpha=0.7, linewidths=0, label=_lines(n))
        axes.set_xlabel(f"component {order[i] + 1}")
        axes.set_ylabel(f"component {order[j] + 1}")
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure


def plot_means(parts: BenchmarkParts) -> Any:
    """Mean of all originals beside those of all reconstructions, as decoded and registered, in one scale."""
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(11.4, 3.8), dpi=110, layout="constrained")
    titles = {
        "original": "originals",
        "reconstruction": "reconstructions, as decoded",
        "registered": "reconstructions, registered",
    }
    table = figure.subplots(1, len(titles))
    most = max(1e-9, *(float(image.max()) for image in parts.means.values()))
    for axes, (name, title) in zip(table, titles.items(), strict=True):
        drawn = axes.imshow(parts.means[name], cmap=MAP, vmin=0, vmax=most, interpolation="nearest")
        axes.set(xticks=[], yticks=[], title=f"mean of {title}")
    figure.colorbar(drawn, ax=list(table), label="share of structures with a line here", shrink=0.85)
    return figure


def plot_fractions(parts: BenchmarkParts) -> Any:
    """Volume fractions of reconstructions against those of originals, by number of lines."""
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(5.2, 4.8), dpi=110, layout="constrained")
    axes = figure.subplots()
    most = 105 * float(parts.fractions.max())
    axes.plot([0, most], [0, most], color=QUIET, linewidth=0.8)
    for n, colour, marker in _kinds(parts.lines):
        x, y = 100 * parts.fractions[parts.lines == n].T
        axes.scatter(x, y, s=12, color=colour, marker=marker, alpha=0.7, linewidths=0, label=_lines(n))
    axes.set(xlim=(0, most), ylim=(0, most), aspect="equal")
    axes.set_xlabel("volume fraction of the original / %")
    axes.set_ylabel("volume fraction of the reconstruction / %")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def structure_colours() -> Any:
    """Colours of a picture of labels: paper and ink."""
    matplotlib, _ = load_matplotlib()
    return matplotlib.colors.ListedColormap([PAPER, INK])


def _kinds(lines: np.ndarray) -> list[tuple[int, str, str]]:
    numbers = [int(n) for n in np.unique(lines)]
    return [(n, *STYLES[k % len(STYLES)]) for k, n in enumerate(numbers)]


def _lines(n: int) -> str:
    return f"{n} line{'s' if n > 1 else ''}"
