"""The command representative: how large windows of a material have to be, and how many are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from . import options
from .options import Config, FigureStyle, Json, Overwrite, Quiet, Unit, VoxelSize, parsed
from .terminal import grid_text, number_text, show, show_table, show_values, watching

VERDICTS = {True: "yes", False: "no", None: "cannot be tested"}


def representative_command(
    data: Annotated[
        Path, typer.Argument(help="Image or volume of a material, or windows of it.", metavar="DATA", exists=True)
    ],
    tolerance: Annotated[
        float, typer.Option(help="Tolerated relative error of volume fractions, with 95 % confidence (default 0.05).")
    ] = 0.05,
    phase_values: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.phase_values, "0,255 or auto"),
            metavar="0,255|auto",
            help="Values of phase 0, 1, ... in an image.",
        ),
    ] = None,
    spatial_dims: Annotated[
        int | None, typer.Option(min=1, max=3, help="Number of spatial axes; 3 for a volume in a file of slices.")
    ] = None,
    voxel_size: VoxelSize = None,
    unit: Unit = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Figure of the spread between windows against their size.")
    ] = None,
    figure_style: FigureStyle = "screen",
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Find how large windows of a material have to be, and how many are needed.

    \b
    Examples:
      matvae representative steel.tiff --phase-values 0,255
      matvae representative rock.tif --spatial-dims 3 --voxel-size 2.25 --unit micrometer --figure rock.png
    """
    with watching("representative", quiet=quiet) as watcher:
        result = jobs.find_representative_windows(
            data,
            tolerance=tolerance,
            spatial_dims=spatial_dims,
            phase_values=phase_values,
            voxel_size=voxel_size,
            unit=unit,
            figure=figure,
            figure_style=figure_style,
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(result, _show, as_json=json)


def _show(result: Mapping[str, Any]) -> None:
    recommended, percent = result["recommended"], 100 * result["tolerance"]
    n = result["n_structures"]
    show_values({"structures": n if n > 1 else None, "each" if n > 1 else "structure": grid_text(result["grid"])})
    unit, power = result["unit"], len(result["grid"]["axes"])
    surfaces = f"specific surface from lines along an axis in 1/{unit}, "
    typer.echo(
        f"\nthe whole: {surfaces if result['grid']['phases'] > 1 else ''}correlation lengths in {unit}, "
        f"integral range in {unit}{f'^{power}' if power > 1 else ''}"
    )
    _show_phases(result)
    typer.echo(f"\nstationary: {VERDICTS[result['stationary']]} (change from end to end, and its standard error)")
    _show_drift(result)
    for k, phase in enumerate(result["phases"]):
        typer.echo(
            f"\ndisjoint windows, phase {phase['phase']}: standard deviations relative to the mean, and mean lengths"
        )
        _show_sizes(result, k)
    typer.echo("\nrecommended, in voxels")
    axes, whole = " ".join(result["grid"]["axes"]), "as large as the structure, less than three cutoffs along some axis"
    show_values(
        {
            "cutoff": f"{_shape(recommended['cutoff'])} ({axes}): correlations have decayed",
            "window": f"{_shape(recommended['window'])}: {'three cutoffs' if recommended['holds'] else whole}",
            "stride": f"{_shape(recommended['stride'])}: half a window",
            "windows": f"{recommended['n_windows']} disjoint ones here; volume fractions to {percent:g} % need "
            f"{recommended['n_needed']}",
            "single": f"{_shape(recommended['rve'])} for volume fractions to {percent:g} % from one window (RVE)"
            + ("" if recommended["fits"] else ", larger than the structure"),
        }
    )
    for remark in result["remarks"]:
        typer.echo(f"note: {remark}")
    if result["figure"]:
        typer.echo(f"figure  {result['figure']}")


def _show_phases(result: Mapping[str, Any]) -> None:
    axes, has_surface = result["grid"]["axes"], result["grid"]["phases"] > 1
    header = ["phase", "volume fraction" if has_surface else "mean", "standard error"]
    header += [f"surface {axis}" for axis in axes if has_surface]
    header += [*(f"length {axis}" for axis in axes), "integral range"]
    rows = [
        [
            str(phase["phase"]),
            f"{phase['volume_fraction']:.4f}",
            f"{phase['standard_error']:.4f}",
            *(f"{value:.4g}" for value in phase["specific_surface"].values()),
            *(number_text(value, "{:.3g}") for value in phase["correlation_length"].values()),
            f"{phase['integral_range']:.3g}",
        ]
        for phase in result["phases"]
    ]
    show_table(header, rows)


def _show_drift(result: Mapping[str, Any]) -> None:
    axes = result["grid"]["axes"]
    parts = "structures" if result["n_structures"] > 1 else "blocks"
    rows = []
    for phase in result["phases"]:
        for name, test in phase["stationarity"].items():
            cells = [
                "-" if drift is None else f"{drift['change']:+.4f} ({drift['standard_error']:.4f})"
                for drift in test["drift"].values()
            ]
            ratio = number_text(test["variance_ratio"], "{:.2f}")
            p_value = number_text(test["p_value"], "{:.2g}")
            rows.append([f"{phase['phase']} {name.replace('_', ' ')}", *cells, ratio, p_value])
    show_table(["phase", *(f"along {axis}" for axis in axes), f"variance between {parts} / expected", "p"], rows)


def _show_sizes(result: Mapping[str, Any], k: int) -> None:
    axes = result["grid"]["axes"]
    surface_axes = list(result["phases"][k]["specific_surface"])
    header = [f"window ({' '.join(axes)})", "windows", "volume fraction", "expected"]
    header += [*(f"surface {axis}" for axis in surface_axes), *(f"length {axis}" for axis in axes), "2-point error"]
    rows = []
    for size in result["sizes"]:
        phase = size["phases"][k]
        fraction, mark = phase["volume_fraction"], " *" if size["window"] == result["recommended"]["window"] else ""
        rows.append(
            [
                _shape(size["window"]) + mark,
                str(size["n_windows"]),
                _relative(fraction["sd"], fraction["mean"]),
                _relative(fraction["expected_sd"] or None, fraction["mean"]),
                *(_relative(spread["sd"], spread["mean"]) for spread in phase["specific_surface"].values()),
                *(number_text(spread["mean"], "{:.3g}") for spread in phase["correlation_length"].values()),
                _relative(phase["statistics_error"], 1.0),
            ]
        )
    show_table(header, rows)


def _relative(value: float | None, mean: float | None) -> str:
    return "-" if value is None or not mean else f"{100 * value / mean:.1f} %"


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
