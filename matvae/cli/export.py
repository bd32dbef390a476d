"""The command export: structures for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from ..sizes import size_text
from . import options
from .options import Config, Json, Overwrite, Quiet, Unit, VoxelSize, parsed
from .terminal import grid_text, show, show_values, watching


def export_command(
    store: Annotated[Path, typer.Argument(help="Structures.", metavar="STORE", exists=True)],
    out: Annotated[Path, typer.Argument(help="New file; its ending chooses the format.", metavar="OUT")],
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="vti, damask, tiff (ImageJ), ome-tiff, npy, raw, ome-zarr, abaqus, stl, or that of a plugin.",
        ),
    ] = None,
    sample: Annotated[int | None, typer.Option(metavar="K", help="Index of the sample to write, from 0.")] = None,
    samples: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.samples, "0:10 or all"), metavar="A:B|all", help="Samples to write: A to B-1, or all."
        ),
    ] = None,
    voxel_size: VoxelSize = None,
    unit: Unit = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Write structures for ParaView, ImageJ, DAMASK, Abaqus and other programs.

    \b
    Examples:
      matvae export rock.zarr rock.vti --sample 3
      matvae export rock.zarr rock.vti --format damask --samples 0:10
      matvae export rock.zarr rock.inp --sample 0
      matvae export rock.zarr rock.ome.tif
    """
    if sample is not None and samples is not None:
        raise typer.BadParameter("--sample and --samples exclude each other. Pass one of them.")
    with watching("export", quiet=quiet) as watcher:
        result = jobs.export_structures(
            store,
            out,
            format=format,
            samples=samples if sample is None else sample,
            voxel_size=voxel_size,
            unit=unit,
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(result, _show_export, as_json=json)


def _show_export(result: Mapping[str, Any]) -> None:
    files = result["files"]
    listed = ", ".join(files) if len(files) <= 3 else f"{files[0]}, ..., {files[-1]} ({len(files)} files)"
    samples = result["samples"]
    show_values(
        {
            "written": f"{listed} ({size_text(result['bytes'])})",
            "format": result["format"],
            "samples": str(samples[0]) if len(samples) == 1 else f"{samples[0]} to {samples[-1]}",
            "each": grid_text(result["grid"]),
        }
    )
