"""Tables in a terminal: errors of statistics by lag, and generated sets beside true ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from .terminal import number_text, show_table

ALL = "all"
VERDICTS = {"inside 1 z": "inside 1 z", "as near as another true region": "as near", "outside": "OUTSIDE"}


def show_statistics_rows(result: Mapping[str, Any]) -> None:
    """Errors of decoded statistics, and below them those of structures realized from these."""
    rows = result["rows"]
    decoded = [row for row in rows if row["decoded"] is not None]
    # Every way to structures has a row, but what is decoded before is the same.
    decoded = list({row["method"]: row for row in decoded}.values())
    show_lag_errors(f"decoded, {result['n_samples']} structures", [(row["method"], row["decoded"]) for row in decoded])
    realized = [row for row in rows if row["realized"] is not None and row["realize"] is not None]
    floor = [(row["method"], row["realized"]) for row in rows if row["realized"] is not None and row["realize"] is None]
    typer.echo()
    show_lag_errors(
        f"realized, {result['n_realized']} structures" if realized else "floor",
        [*((f"{row['method']}, {row['realize']}", row["realized"]) for row in realized), *floor],
    )
    reason = f" ({result['reason']})" if result["reason"] else ""
    typer.echo()
    typer.echo(f"decoder {result['decoder']}{reason}, metric {result['metric']}")
    typer.echo("medians over the structures; centred: 1 is the error of the training mean")


def show_lag_errors(title: str, rows: Sequence[tuple[str, Mapping[str, Mapping[str, float]]]]) -> None:
    """Errors at all lags and at short ones, one row per method."""
    if not rows:
        return
    shorter = [lags for lags in rows[0][1] if lags != ALL]
    limits = [f"<= {lags}" for lags in shorter]
    show_table(
        (title, "centred", *limits, "relative", *limits, "|dS2|/|S2|"),
        [
            (
                method,
                *(f"{errors[lags]['centred']:.3f}" for lags in (ALL, *shorter)),
                *(f"{errors[lags]['relative']:.3f}" for lags in (ALL, *shorter)),
                f"{errors[ALL]['mean_absolute']:.3f}",
            )
            for method, errors in rows
        ],
    )


def show_generated(generated: Mapping[str, Any]) -> None:
    """Errors per phase, distributions of all measures, copying and diversity, and the verdict."""
    typer.echo()
    show_table(
        ("phase", "fraction", "bias", "largest", "surface", "realized", "error", "pieces", "realized"),
        [
            (
                phase["name"],
                f"{phase['volume_fraction']:.4f}",
                f"{phase['volume_fraction_bias']:+.4f}",
                f"{phase['largest_volume_fraction_difference']:.4f}",
                f"{phase['specific_surface']:.4f}",
                f"{phase['generated_specific_surface']:.4f}",
                number_text(_percent(phase["surface_error"]), "{:.1f} %"),
                f"{phase['pieces']:.2f}",
                f"{phase['generated_pieces']:.2f}",
            )
            for phase in generated["phases"]
        ],
    )
    typer.echo()
    show_table(
        ("measure", "phase", "true", "realized", "diff", "z", "floor's", "energy distance", "floor's", ""),
        [_measure_cells(row) for row in generated["rows"] if row["verdict"] in VERDICTS],
    )
    typer.echo()
    likeness = generated["resemblance"]
    if likeness is not None:
        typer.echo(
            f"copying: {likeness['copying_mean']:.3f} of the voxels of a realization agree with the most similar of "
            f"{generated['n_searched']} training structures (true ones: {likeness['copying_true_mean']:.3f}); "
            f"{likeness['n_copies']} agree more than any true one"
        )
        typer.echo(
            f"diversity: {number_text(likeness['diversity'], '{:.2f}')} (1: realizations differ as true ones do)"
        )
    n, independent = generated["n_true"], generated["n_independent"]
    region = f"; floor: {generated['n_other']} {generated['other_true']}" if generated["other_true"] else "; no floor"
    typer.echo(
        f"{generated['n_generated']} realizations by {generated['method']} and the {n} structures they stand for "
        f"(as much material as about {independent:.0f} independent ones){region}"
    )
    typer.echo(f"verdict: {generated['verdict']}")


def _measure_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    axis = f" {row['axis_name']}" if row["axis_name"] else ""
    return (
        row["measure"].replace("_", " ") + axis,
        row["phase_name"],
        _mean(row["true_mean"], row["true_std"]),
        _mean(row["generated_mean"], row["generated_std"]),
        "-" if row["percent"] is None else f"{round(row['percent']):+d} %",
        number_text(row["z"], "{:.2f}"),
        number_text(row["other_z"], "{:.2f}"),
        _distance(row["energy_distance"]),
        "-" if row["floor"] is None else f"{row['floor']['value']:.2g}",
        VERDICTS[row["verdict"]],
    )


def _mean(mean: Sequence[float], std: Sequence[float]) -> str:
    """Mean and standard deviation of a number; a dash for a curve."""
    return f"{mean[0]:.3g} ({std[0]:.2g})" if len(mean) == len(std) == 1 else "-"


def _distance(distance: Mapping[str, Any] | None) -> str:
    if distance is None:
        return "-"
    interval = distance["interval"]
    return f"{distance['value']:.2g}" + ("" if interval is None else f" [{interval[0]:.1g}, {interval[1]:.1g}]")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
