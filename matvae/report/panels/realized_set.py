"""Realizations as a set: do they look like the material, and do they have its measures?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..html import embed_figure
from ..page import Figure, Panel, Remark, Table, csv_download
from ..parts import RealizedSet, ReportParts
from ..plots import plot_strip
from ..style import add_phase_legend, new_figure

GOOD = (
    "realizations are of the same kind as the true structures, to the eye and in every measure: means within one "
    "standard deviation, or as near as another true region, and equal standard deviations. Realizations that agree "
    "with a training structure more than true ones do are copies; a diversity far below 1 means that all are alike."
)
CSV_HEADER = (
    "measure",
    "phase",
    "axis",
    "z",
    "floor_z",
    "energy_distance",
    "low",
    "high",
    "floor",
    "spread",
    "verdict",
)
PHASE_HEADER = (
    "phase",
    "volume fraction",
    "bias",
    "largest difference",
    "surface",
    "surface, realized",
    "median error",
    "pieces",
    "pieces, realized",
)
ABSENT = "absent from both"
IN_A_ROW = 6


def realized_set_panel(parts: ReportParts) -> Panel:
    """Pictures of both sets, errors per phase, distributions of all measures, copying and diversity."""
    name, title = "realized-set", "Realizations as a set"
    if parts.realized_set is None:
        return Panel(name, title, [Remark(f"No sets were compared: {parts.realized_set_note}.")], good=GOOD)
    generated = parts.realized_set.generated
    rows = [row for row in generated["rows"] if row["verdict"] != ABSENT]
    return Panel(
        name,
        title,
        [
            _sets(generated),
            f"{generated['verdict'][0].upper()}{generated['verdict'][1:]}",
            _pictures(parts.realized_set, parts),
            _phase_table(generated["phases"]),
            Table(
                ("measure", "phase", "true", "realized", "difference", "z", "z of the floor", "verdict"),
                [_cells(row) for row in rows],
                "Mean (standard deviation) over the structures; a dash for curves. z is the difference of the means in "
                "standard deviations of the true structures, and the floor is the other true region.",
            ),
            Table(
                ("measure", "phase", "energy distance", "95 % interval", "floor", "spread"),
                [_distance_cells(row) for row in rows],
                "Energy distances between the distributions, their bootstrap intervals, and the distance of the other "
                "true region. The spread is the standard deviation of the realizations over that of the true "
                "structures.",
                folded=True,
            ),
            *_resemblance(generated),
            csv_download(
                "material-measures.csv",
                CSV_HEADER,
                [_csv_row(row) for row in rows],
            ),
        ],
        good=GOOD,
    )


def _sets(generated: Mapping[str, Any]) -> str:
    n, independent, other = generated["n_true"], generated["n_independent"], generated["other_true"]
    region = f"The floor is that of {generated['n_other']} {other}." if other else "No other true region is known."
    return (
        f"{generated['n_generated']} realizations (method `{generated['method']}`) are compared with the {n} "
        f"structures whose latents they realize. These show as much material as about {independent:.0f} independent "
        f"ones, but the intervals take all as independent. {region}"
    )


def _pictures(realized: RealizedSet, parts: ReportParts) -> Figure:
    n = min(IN_A_ROW, len(realized.originals))
    figure = new_figure(1.6 * n + 1, 1.6 if parts.grid.ndim == 1 else 3.9)
    for axes, labels, name in zip(
        figure.subplots(2, 1), (realized.originals[:n], realized.realizations[:n]), ("true", "realized"), strict=True
    ):
        size = parts.grid if name == "realized" else None
        plot_strip(axes, list(labels), [""] * n, phases=parts.grid.phases, grid=size)
        axes.set_ylabel(name, fontsize=9)
    add_phase_legend(figure, parts.grid.phases, parts.phase_names)
    return Figure(
        "figure-realized-set",
        embed_figure(figure),
        f"Two rows of {n} images: true structures, and below each a realization of its latent.",
        "True and realized.",
        "Structures that the model has not seen, and below each a realization of its latent by the model's default "
        "method. They need not agree voxel by voxel, but should show the same material.",
    )


def _phase_table(phases: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        PHASE_HEADER,
        [
            (
                phase["name"],
                f"{phase['volume_fraction']:.4f}",
                f"{phase['volume_fraction_bias']:+.4f}",
                f"{phase['largest_volume_fraction_difference']:.4f}",
                f"{phase['specific_surface']:.4f}",
                f"{phase['generated_specific_surface']:.4f}",
                "–" if phase["surface_error"] is None else f"{100 * phase['surface_error']:.1f} %",
                f"{phase['pieces']:.2f}",
                f"{phase['generated_pieces']:.2f}",
            )
            for phase in phases
        ],
        "Errors per phase. Specific surface in 1/voxel, pieces (clusters) per 1000 voxels.",
    )


def _resemblance(generated: Mapping[str, Any]) -> list[str]:
    likeness = generated["resemblance"]
    if likeness is None:
        return ["No training structures are known, so that copying and diversity were not measured."]
    diversity = likeness["diversity"]
    value = "not defined, since true structures are equal" if diversity is None else f"{diversity:.2f}"
    return [
        f"Copying: at the best shift, {100 * likeness['copying_mean']:.1f} % of the voxels of a realization agree with "
        f"the most similar of {generated['n_searched']} training structures, and "
        f"{100 * likeness['copying_true_mean']:.1f} % of those of a true structure; {likeness['n_copies']} "
        "realizations agree more than any true one does. Diversity (share of voxels in which two realizations differ, "
        f"over that of two true structures): {value}."
    ]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _measure(row),
        row["phase_name"],
        _mean(row["true_mean"], row["true_std"]),
        _mean(row["generated_mean"], row["generated_std"]),
        "–" if row["percent"] is None else f"{round(row['percent']):+d} %",
        _number(row["z"]),
        _number(row["other_z"]),
        row["verdict"],
    )


def _distance_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    distance, floor = row["energy_distance"], row["floor"]
    interval = None if distance is None else distance["interval"]
    return (
        _measure(row),
        row["phase_name"],
        "–" if distance is None else f"{distance['value']:.2g}",
        "–" if interval is None else f"{interval[0]:.2g} to {interval[1]:.2g}",
        "–" if floor is None else f"{floor['value']:.2g}",
        _number(row["spread"]),
    )


def _csv_row(row: Mapping[str, Any]) -> list[Any]:
    distance, floor = row["energy_distance"] or {}, row["floor"] or {}
    low, high = distance.get("interval") or (None, None)
    numbers = [row["z"], row["other_z"], distance.get("value"), low, high, floor.get("value"), row["spread"]]
    filled = ["" if number is None else float(number) for number in numbers]
    return [row["measure"], row["phase_name"], row["axis_name"] or "", *filled, row["verdict"]]


def _measure(row: Mapping[str, Any]) -> str:
    return row["measure"].replace("_", " ") + (f", {row['axis_name']}" if row["axis_name"] else "")


def _mean(mean: Sequence[float], std: Sequence[float]) -> str:
    return f"{mean[0]:.3g} ({std[0]:.2g})" if len(mean) == len(std) == 1 else "–"


def _number(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value:.2f}"
