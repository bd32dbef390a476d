"""The command evaluate: errors of statistics and structures that are decoded from latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from .error_tables import ALL, show_generated, show_statistics_rows
from .models import Data, Model
from .options import Config, FigureStyle, Json, Overwrite, Quiet, Scheduler, Workers
from .terminal import number_text, show, show_table, watching

# Structures whose neighbours are shown in a terminal; JSON has all.
SHOWN = 10


def evaluate_command(
    model: Model,
    data: Data,
    train: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            metavar="TRAIN.zarr",
            help="Training structures; adds their mean and PCA to the table.",
        ),
    ] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Figure of some reconstructions.")] = None,
    figure_style: FigureStyle = "screen",
    n_components: Annotated[int | None, typer.Option(min=1, help="Components of PCA (default: the model's).")] = None,
    n_realized: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Structures to realize and to compare as a set (default 48, fewer if large)."
        ),
    ] = None,
    lines: Annotated[
        bool | None,
        typer.Option(
            "--lines/--no-lines",
            help="Count straight lines (default: if DATA holds their numbers).",
        ),
    ] = None,
    nearest: Annotated[
        int,
        typer.Option(
            min=0, metavar="K", help="Number of nearest training structures to find for each structure (default 0)."
        ),
    ] = 0,
    candidates: Annotated[
        Path | None,
        typer.Option(exists=True, metavar="DATA", help="Structures to search for these (default: TRAIN)."),
    ] = None,
    card: Annotated[bool, typer.Option("--card", help="Write the errors into the card of the model.")] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Measure what a model preserves of structures it has not seen, beside PCA and another region of the material.

    \b
    Examples:
      matvae evaluate rock.matvae test.zarr --train train.zarr
      matvae evaluate rock.matvae test.zarr --figure test.png
      matvae evaluate rock.matvae test.zarr --train train.zarr --card
      matvae evaluate lines.matvae test.zarr --nearest 3 --candidates train.zarr
    """
    with watching("evaluate", quiet=quiet) as watcher:
        result = jobs.evaluate_model(
            model,
            data,
            train=train,
            figure=figure,
            figure_style=figure_style,
            n_components=n_components,
            n_realized=n_realized,
            lines=lines,
            nearest=nearest,
            candidates=candidates,
            card=card,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(result, _show_evaluation, as_json=json)


def _show_evaluation(result: Mapping[str, Any]) -> None:
    if result["decodes"] == "statistics":
        show_statistics_rows(result)
    else:
        _show_structure_rows(result["rows"])
    if result["generated"] is not None:
        show_generated(result["generated"])
    if result["summary"]:
        typer.echo(f"summary: {result['summary']}")
    if result["lines"] is not None:
        _show_lines(result["lines"])
    if result["nearest"] is not None:
        _show_nearest(result["nearest"])
    if result["figure"]:
        typer.echo(f"figure  {result['figure']}")
    if result["card"]:
        typer.echo(f"card  written into {result['model']}")


def _show_structure_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Errors of reconstructions, and of the statistics that the baselines decode."""
    by_lag = next((row["realized"] for row in rows if row["realized"] is not None), None)
    header = ["method", "statistics error", "median", "centred error", "volume fraction difference"]
    cells = [
        [
            row["method"],
            number_text(row["relative_error"], "{:.4f}"),
            number_text(row["median_relative_error"], "{:.4f}"),
            number_text(row["centred_error"], "{:.4f}"),
            number_text(row["volume_fraction_difference"], "{:.2f} %"),
        ]
        for row in rows
    ]
    for lags in [] if by_lag is None else [lags for lags in by_lag if lags != ALL]:
        header.insert(-1, f"lags <= {lags}")
        for line, row in zip(cells, rows, strict=True):
            line.insert(-1, f"{(row['realized'] or row['decoded'])[lags]['centred']:.4f}")
    show_table(header, cells)


def _show_lines(lines: Mapping[str, Any]) -> None:
    """Percentages of structures with the right lines, for each number of lines and for all."""
    by_number = lines["by_number"]
    typer.echo()
    show_table(
        ("lines", *map(str, by_number), "all"),
        [
            ("structures", *(str(group["n"]) for group in by_number.values()), str(lines["n_samples"])),
            ("right number", *(f"{group['right']:.1f} %" for group in by_number.values()), f"{lines['number']:.1f} %"),
            ("right of each orientation", *[""] * len(by_number), f"{lines['number_each']:.1f} %"),
            ("right orientations", *[""] * len(by_number), f"{lines['orientation']:.1f} %"),
        ],
    )


def _show_nearest(records: Sequence[Mapping[str, Any]]) -> None:
    """Neighbours of each structure, with the mean squared differences of the nearest and of the reconstruction."""
    typer.echo()
    show_table(
        ("structure", "nearest by voxels", "mse", "by statistics", "mse", "reconstruction's"),
        [
            (
                str(record["sample"]),
                *(text for kind in ("by_image", "by_statistics") for text in _neighbours_text(record[kind])),
                f"{record['reconstruction']['statistics_mse']:.3g}",
            )
            for record in records[:SHOWN]
        ],
    )
    if len(records) > SHOWN:
        typer.echo(f"... and {len(records) - SHOWN} more; --json has all of them, with all neighbours")
    closer = sum(record["reconstruction"]["statistics_mse"] < record["by_statistics"][0]["mse"] for record in records)
    typer.echo(f"closer in statistics than any training structure: {closer} of {len(records)} reconstructions")


def _neighbours_text(neighbours: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    return " ".join(str(neighbour["sample"]) for neighbour in neighbours), f"{neighbours[0]['mse']:.3g}"
