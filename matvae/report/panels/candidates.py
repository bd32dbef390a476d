"""Candidates of an inverse design: requested and achieved values, and the structures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..html import embed_figure
from ..page import Block, Figure, Panel, Remark, Table, csv_download
from ..parts import Candidates, ReportParts
from ..plots import plot_agreement, plot_candidates, plot_strip
from ..style import add_phase_legend, label_text, new_figure

REQUESTED, SPREAD, OUT_OF_DISTRIBUTION = "requested_", "_spread", "out_of_distribution"
LEAST, LARGEST = "least_training_", "largest_training_"
BEATS, BELIEVABLE, DIFFERING = "beats_training", "believable", "differing"
# Structures that are drawn, in total and per row; the table lists every candidate.
MOST_STRUCTURES, STRUCTURES_PER_ROW = 12, 6
PLOTS_PER_ROW = 3
GOOD = (
    "achieved values agree with the requested ones within their spread, and the structures still look like the "
    "material. A large spread means that realizations of one latent differ in this property: generate several and "
    "choose."
)


def candidates_panel(parts: ReportParts) -> Panel:
    """Requested against achieved values, and the structures."""
    name, title = "candidates", "Designed structures"
    candidates = parts.candidates
    if candidates is None:
        reason = "No candidates were given. Pass a store that `matvae optimize` wrote with `--candidates`."
        return Panel(name, title, [Remark(reason)], good=GOOD)
    content: list[Block] = [f"{len(candidates.structures)} candidates from {candidates.name}."]
    if OUT_OF_DISTRIBUTION in candidates.properties:
        scale = "Out of distribution is 1 at the boundary of the region that was searched, and larger beyond it."
        content.append(f"{scale} {candidates.region}".rstrip())
    content += compared_with_training(candidates)
    names = achieved_names(candidates)
    if measured := [name for name in names if np.isfinite(candidates.properties[name]).any()]:
        content.append(_values(candidates, measured))
    columns = list(candidates.properties)
    content += [
        _structures(parts, candidates),
        _table(candidates, names),
        csv_download(
            "candidates.csv",
            ("candidate", *(f"latent_{i}" for i in range(candidates.latents.shape[1])), *columns),
            (
                [i, *map(float, candidates.latents[i]), *(float(candidates.properties[name][i]) for name in columns)]
                for i in range(len(candidates.structures))
            ),
        ),
    ]
    return Panel(name, title, content, good=GOOD)


def compared_with_training(candidates: Candidates) -> list[Block]:
    """State how many candidates beat the training windows and look like them, as far as the store tells."""
    n, sentences = len(candidates.structures), []
    if BEATS in candidates.properties:
        n_better = int(np.nansum(candidates.properties[BEATS]))
        beat = f"{n_better} of {n} candidates beat" if n_better else "No candidate beats"
        sentences.append(f"{beat} the best of the training windows that meet the constraints.")
    if BELIEVABLE in candidates.properties:
        n_outside = n - int(np.nansum(candidates.properties[BELIEVABLE]))
        sentences.append(
            f"{n_outside} of {n} candidates have pieces or surface outside the range of the training windows."
            if n_outside
            else "In pieces and surface, all candidates are within the range of the training windows."
        )
    return [" ".join(sentences)] if sentences else []


def training_range(candidates: Candidates, name: str) -> tuple[float, float] | None:
    """Range of a property over training windows, if the store holds one."""
    if LEAST + name not in candidates.properties:
        return None
    least, largest = (float(candidates.properties[side + name][0]) for side in (LEAST, LARGEST))
    return (least, largest) if np.isfinite([least, largest]).all() else None


def achieved_names(candidates: Candidates) -> list[str]:
    """Names of the achieved properties: those with a spread or a requested value, or all if none has either."""
    known = set(candidates.properties)
    achieved = [name for name in candidates.properties if {name + SPREAD, REQUESTED + name} & known]
    return achieved or list(candidates.properties)


def _values(candidates: Candidates, names: Sequence[str]) -> Figure:
    """One plot per property: against the requested values if these differ, otherwise against the candidates."""
    n_columns = min(PLOTS_PER_ROW, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = new_figure(4.3 * n_columns, 3.8 * n_rows, dpi=100)
    table = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes, name in zip(table, names, strict=False):
        label, spread = label_text(name, candidates.units.get(name)), candidates.properties.get(name + SPREAD)
        achieved, requested = candidates.properties[name], candidates.properties.get(REQUESTED + name)
        targets = [] if requested is None else sorted(set(requested[np.isfinite(requested) & np.isfinite(achieved)]))
        if requested is not None and len(targets) > 1:
            plot_agreement(axes, requested, achieved, spread=spread).set_xlabel(f"requested {label}")
        else:
            known = training_range(candidates, name)
            plot_candidates(axes, achieved, spread=spread, requested=targets[0] if targets else None, known=known)
        axes.set_ylabel(f"achieved {label}")
    for axes in table[len(names) :]:
        axes.remove()
    return Figure(
        "figure-requested-and-achieved",
        embed_figure(figure),
        f"Plots of achieved against requested values of {', '.join(names)}. All values are in the table below.",
        "Requested and achieved.",
        "Each point is a candidate, and error bars are the spread over realizations of its latent. A dashed line marks "
        "the value requested of all candidates; where these differ, candidates that meet theirs lie on the diagonal. A "
        "grey band is the range over the training windows that meet the constraints.",
    )


def _structures(parts: ReportParts, candidates: Candidates) -> Figure:
    n_shown = min(MOST_STRUCTURES, len(candidates.structures))
    n_rows = -(-n_shown // STRUCTURES_PER_ROW)
    height = 0.7 if parts.grid.ndim == 1 else 1.8
    figure = new_figure(1.5 * min(STRUCTURES_PER_ROW, n_shown) + 0.6, height * n_rows)
    for row, axes in enumerate(figure.subplots(n_rows, 1, squeeze=False)[:, 0]):
        indices = range(row * STRUCTURES_PER_ROW, min((row + 1) * STRUCTURES_PER_ROW, n_shown))
        plot_strip(
            axes,
            candidates.structures[indices.start : indices.stop],
            [f"candidate {i}" for i in indices],
            phases=parts.grid.phases,
            grid=parts.grid if row == n_rows - 1 else None,
        ).set_anchor("W")
    add_phase_legend(figure, parts.grid.phases, parts.phase_names)
    return Figure(
        "figure-candidates",
        embed_figure(figure),
        f"Images of {n_shown} candidates.",
        "Candidates.",
        f"{'All' if n_shown == len(candidates.structures) else f'The first {n_shown}'} candidates, with one "
        "structure each.",
    )


def _table(candidates: Candidates, names: Sequence[str]) -> Table:
    header: list[str] = ["candidate"]
    columns: list[list[str]] = [[str(i) for i in range(len(candidates.structures))]]
    for name in names:
        label = _with_unit(candidates, name)
        if REQUESTED + name in candidates.properties:
            header.append(f"requested {label}")
            columns.append([_number(value) for value in candidates.properties[REQUESTED + name]])
        spread = candidates.properties.get(name + SPREAD)
        header.append(f"achieved {label}{_range_text(candidates, name)}")
        columns.append(
            [
                _number(value) + ("" if spread is None or not np.isfinite(spread[i]) else f" ± {spread[i]:.2g}")
                for i, value in enumerate(candidates.properties[name])
            ]
        )
    textures = [name for name in candidates.properties if LEAST + name in candidates.properties and name not in names]
    for name in textures:
        header.append(f"{_with_unit(candidates, name)}{_range_text(candidates, name)}")
        columns.append([_number(value) for value in candidates.properties[name]])
    if DIFFERING in candidates.properties:
        header.append("share of voxels in which realizations differ")
        columns.append([_number(value) for value in candidates.properties[DIFFERING]])
    if OUT_OF_DISTRIBUTION in candidates.properties:
        header.append("out of distribution")
        columns.append([_number(value) for value in candidates.properties[OUT_OF_DISTRIBUTION]])
    if candidates.reasons:
        header.append("as requested")
        columns.append(["yes" if reason is None else reason for reason in candidates.reasons])
    return Table(header, list(zip(*columns, strict=True)), "Requested and achieved values, with their spread.")


def _with_unit(candidates: Candidates, name: str) -> str:
    unit = candidates.units.get(name)
    return f"{name} / {unit}" if unit and unit != "1" else name


def _range_text(candidates: Candidates, name: str) -> str:
    known = training_range(candidates, name)
    return "" if known is None else f" (training {known[0]:.3g} to {known[1]:.3g})"


def _number(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "–"
