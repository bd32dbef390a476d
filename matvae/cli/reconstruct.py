"""The command reconstruct: structures with given 2-point statistics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from . import options
from .options import Config, Json, Overwrite, Quiet, Resume, Scheduler, Workers, parsed
from .terminal import grid_text, show, show_values, watching


def reconstruct_command(
    statistics: Annotated[
        Path,
        typer.Argument(help="2-point statistics, by `matvae stats` or .npy.", metavar="STATS", exists=True),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="New store.", metavar="OUT.zarr")],
    n_realizations: Annotated[int | None, typer.Option(min=1, help="Structures per sample (default 1).")] = None,
    size: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.size, "64 or 64,64,64"),
            metavar="N,N",
            help="Voxels along the axes (default: those of the structures behind the statistics).",
        ),
    ] = None,
    periodic: Annotated[
        bool | None,
        typer.Option(
            "--periodic/--no-periodic",
            help="Whether structures are periodic (default: as for the statistics).",
        ),
    ] = None,
    phases: Annotated[int | None, typer.Option(min=2, help="Number of phases, if STATS is .npy.")] = None,
    correlations: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.pairs, "1:1,1:2"),
            metavar="H:H,H:H",
            help="Pairs of phases, if STATS is .npy (default: those that determine all others).",
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="auto, retrieval or swaps.")] = "auto",
    examples: Annotated[
        Path | None,
        typer.Option(
            help="Structures of the material, from whose patches new ones are composed.", metavar="DATA", exists=True
        ),
    ] = None,
    patch: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.size, "7 or 7,5"),
            metavar="P",
            help="Edge of the patches, for all levels or by level (default: by feature size).",
        ),
    ] = None,
    max_iter: Annotated[int, typer.Option(min=1, help="Maximum number of iterations.")] = 200,
    tol: Annotated[float, typer.Option(help="Relative error at which a structure is finished.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 or auto.")] = "auto",
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Reconstruct structures with given 2-point statistics.

    \b
    Examples:
      matvae stats rock.zarr -o rock-stats.zarr
      matvae reconstruct rock-stats.zarr -o again.zarr
      matvae reconstruct rock-stats.zarr -o large.zarr --size 256,256 --periodic --n-realizations 4
      matvae reconstruct rock-stats.zarr -o network.zarr --examples rock.zarr
      matvae reconstruct statistics.npy -o again.zarr --size 64 --periodic --phases 2
      matvae reconstruct rock-stats.zarr -o again.zarr --scheduler tcp://10.0.0.1:8786
    """
    with watching("reconstruct", quiet=quiet) as watcher:
        result = jobs.reconstruct_statistics(
            statistics,
            out,
            n_realizations=n_realizations,
            size=size,
            periodic=periodic,
            phases=phases,
            correlations=correlations,
            method=method,
            examples=examples,
            patch="auto" if patch is None else patch,
            max_iter=max_iter,
            tol=tol,
            seed=seed,
            device=device,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            resume=resume,
            progress=watcher.progress,
        )
    show(result, _show_reconstruction, as_json=json)


def _show_reconstruction(result: Mapping[str, Any]) -> None:
    show_values(
        {
            "written": result["out"],
            "structures": result["n_samples"],
            "each": grid_text(result["grid"]),
            **{f"{name} error": value for name, value in result["error"].items()},
            "not realizable": result["n_unrealizable"] or None,
            "seconds each": result["seconds_per_structure"],
        }
    )
