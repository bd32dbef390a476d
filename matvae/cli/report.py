"""The command `report`: a page that shows how far to trust a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from ..sizes import size_text
from .models import Data, Model
from .options import Config, Json, Overwrite, Quiet
from .terminal import show, show_values, watching


def report_command(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="PAGE.html", help="The page to write.")],
    train: Annotated[
        Path | None,
        typer.Option(exists=True, metavar="TRAIN.zarr", help="Training structures, for PCA and neighbours."),
    ] = None,
    candidates: Annotated[
        Path | None,
        typer.Option(exists=True, metavar="OUT.zarr", help="Designed structures, as written by matvae optimize."),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Write a page of figures and tables that shows how far to trust a model: one file that needs no network.

    \b
    Examples:
      matvae report rock.matvae test.zarr --train train.zarr -o report.html
      matvae report rock.matvae test.zarr --candidates designed.zarr -o report.html
    """
    with watching("report", quiet=quiet, uniform=False) as watcher:
        result = jobs.report_model(
            model, data, out, train=train, candidates=candidates, overwrite=overwrite, progress=watcher.progress
        )
    show(result, _show_report, as_json=json)


def _show_report(result: Mapping[str, Any]) -> None:
    show_values(
        {
            "report": result["out"],
            "size": size_text(result["bytes"]),
            "structures": result["n_samples"],
            "statistics error": result["relative_error"],
            "seconds": round(result["seconds"], 1),
        }
    )
    for note in result["notes"]:
        typer.echo(f"note: {note}")
