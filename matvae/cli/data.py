"""Commands on structures: dataset, import, info, stats."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from ..errors import StoreError
from ..sizes import size_text
from . import options
from .description import PICTURE_COLUMNS, shape_text, show_description, show_verification
from .options import (
    Config,
    Json,
    Overwrite,
    Quiet,
    ResumeOrComplete,
    Scheduler,
    Unit,
    VoxelSize,
    Workers,
    existing_or_pretrained,
    parsed,
)
from .plan import show_plan
from .terminal import grid_text, show, show_values, warnings_as_notes, watching

# Groups of options of `import` in its help.
Windows = partial(typer.Option, rich_help_panel="Windows")
Grey = partial(typer.Option, rich_help_panel="Grey images")
Mask = partial(typer.Option, rich_help_panel="Voxels outside the sample")
Raw = partial(typer.Option, rich_help_panel="Raw binary files")

dataset_app = typer.Typer(no_args_is_help=True, help="List data sets, or make one.")


@dataset_app.command("list")
def dataset_list(json: Json = False, config: Config = None) -> None:
    """List the data sets that can be generated or downloaded.

    \b
    Example:
      matvae dataset list
    """
    fields = ("name", "kind", "licence", "summary")

    def render(cards: list[dict[str, Any]]) -> None:
        width = max((len(card["name"]) for card in cards), default=0)
        for card in cards:
            typer.echo(f"{card['name']:<{width}}  {card['kind']:<9}  {card['summary']}")

    show([{field: card[field] for field in fields} for card in jobs.list_datasets()], render, as_json=json)


@dataset_app.command("make")
def dataset_make(
    name: Annotated[str, typer.Argument(help="Name of a data set, as listed by `matvae dataset list`.")],
    out: Annotated[Path, typer.Argument(help="New store.", metavar="OUT.zarr")],
    n: Annotated[int | None, typer.Option("--n", help="Number of structures (default 1000).")] = None,
    size: Annotated[
        Any,
        typer.Option(parser=parsed(options.size, "64 or 64,64,64"), metavar="N,N", help="Voxels along the axes."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers; the same seed gives the same structures.")] = 0,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="Parameter of the generator; can be repeated."),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: ResumeOrComplete = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Generate or download a data set into a new store.

    \b
    Examples:
      matvae dataset make lines lines.zarr --n 20000 --size 64
      matvae dataset make grf fields.zarr --size 64,64,64 --param correlation_length=6
    """
    parameters = options.parameters(param)
    others = {"n", "size", "seed", "workers", "scheduler", "overwrite", "resume", "progress", "name", "out"}
    reserved = sorted(set(parameters) & others)
    if reserved:
        raise typer.BadParameter(f"--param cannot set {', '.join(reserved)}. Use the option or argument of this name.")
    with watching("dataset", quiet=quiet) as watcher:
        result = jobs.make_dataset(
            name,
            out,
            n=n,
            size=size,
            seed=seed,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            resume=resume,
            progress=watcher.progress,
            **parameters,
        )
    show(result, _show_store, as_json=json)


def import_command(
    sources: Annotated[
        list[Path], typer.Argument(help="Images, volumes, arrays or folders.", metavar="SRC...", exists=True)
    ],
    out: Annotated[Path, typer.Argument(help="New store.", metavar="OUT.zarr")],
    axes: Annotated[
        str | None,
        typer.Option(
            metavar="zyx",
            help="What each axis of a source is: s sample, t time, c channel, z, y, x (default: as it states).",
        ),
    ] = None,
    phase_values: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.phase_values, "0,255 or auto"),
            metavar="0,255|auto",
            help="Values of phase 0, 1, ...; auto takes the values that occur, in ascending order.",
        ),
    ] = None,
    phase_values_of: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            parser=existing_or_pretrained,
            help="Give values the phases they have in this store or model.",
        ),
    ] = None,
    phase_names: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Names of phase 0, 1, ..., such as solid,pore, for reports.")
    ] = None,
    region: Annotated[
        Any,
        Windows(
            parser=parsed(options.region, "0:400,0:150"),
            metavar="A:B,A:B",
            help="Part of every source to read, in voxels; one range applies to every axis.",
        ),
    ] = None,
    window: Annotated[
        Any,
        Windows(
            parser=parsed(options.size, "64 or 64,64"),
            metavar="N,N",
            help="Cut windows of this size; one number applies to every axis.",
        ),
    ] = None,
    stride: Annotated[
        Any,
        Windows(
            parser=parsed(options.size, "32 or 32,32"),
            metavar="N,N",
            help="Voxels from one window to the next (default: the size of a window).",
        ),
    ] = None,
    voxel_size: VoxelSize = None,
    unit: Unit = None,
    spatial_dims: Annotated[
        int | None,
        Windows(min=1, max=3, help="Number of spatial axes, unless given by the window or region."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the array in a source that holds several.")] = None,
    threshold: Annotated[
        Any,
        Grey(
            parser=parsed(options.thresholds, "otsu, otsu:3, li, 100 or 60,120"),
            metavar="otsu|li|VALUE,VALUE",
            help="Make phases from grey values by thresholds, found or given; otsu:3 finds those of 3 phases.",
        ),
    ] = None,
    threshold_per: Annotated[
        str | None,
        Grey(metavar="all|image", help="Find one threshold for all images (default), or one per image."),
    ] = None,
    denoise: Annotated[
        str | None, Grey(metavar="median|bilateral", help="Filter grey values before thresholds are found.")
    ] = None,
    min_size: Annotated[
        int | None,
        Grey(min=0, metavar="N", help="Remove objects of fewer voxels after segmentation."),
    ] = None,
    figure: Annotated[
        Path | None,
        Grey(metavar="FILE.png", help="Picture of the segmentation: grey values, phases and histogram."),
    ] = None,
    mask: Annotated[
        str | None,
        Mask(
            metavar="FILE|nan|missing",
            help="Image that is 0 outside the sample; or leave out voxels that are NaN, or were not measured.",
        ),
    ] = None,
    min_valid: Annotated[
        float | None,
        Mask(metavar="F", help="Keep windows with at least this fraction of voxels inside the mask."),
    ] = None,
    shape: Annotated[
        Any,
        Raw(
            parser=parsed(options.integers, "100,200,300"),
            metavar="N,N,N",
            help="Voxels along the axes of raw binary files, in the order z,y,x; the last changes fastest.",
        ),
    ] = None,
    dtype: Annotated[
        str | None, Raw(metavar="TYPE", help="Type of a voxel in raw binary files, such as uint8 or uint16.")
    ] = None,
    byteorder: Annotated[
        str | None,
        Raw(metavar="little|big", help="Byte order in raw binary files, if a voxel takes several bytes."),
    ] = None,
    offset: Annotated[
        int | None, Raw(min=0, help="Bytes before the first voxel of raw binary files (default 0).")
    ] = None,
    periodic: Annotated[
        bool | None,
        typer.Option(
            "--periodic/--no-periodic", help="Whether structures are periodic (default: as the source states)."
        ),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Import images, volumes, EBSD maps and arrays of many formats into one store, whole or cut into windows.

    \b
    Examples:
      matvae import steel.tiff train.zarr --phase-values 0,255 --region :,0:900 --window 64,64 --stride 32
      matvae import berea.tif rock.zarr --phase-values auto --window 64,64,64 --voxel-size 2.25 --unit um
      matvae import stack.npy slices.zarr --axes syx
      matvae import scan.raw scan.zarr --shape 100,200,300 --dtype uint8 --axes zyx
      matvae import a.npy b.npy both.zarr --window 64,64
      matvae import sem.tif foam.zarr --region 0:700,: --threshold otsu --denoise median --figure preview.png
      matvae import ct.tif core.zarr --axes zyx --threshold li --mask inside.tif --window 64,64,64 --min-valid 1
    """
    with watching("import", quiet=quiet) as watcher:
        result = jobs.import_structures(
            sources,
            out,
            axes=axes,
            phase_values=phase_values,
            phase_values_of=phase_values_of,
            phase_names=None if phase_names is None else [name.strip() for name in phase_names.split(",")],
            region=region,
            window=window,
            stride=stride,
            voxel_size=voxel_size,
            unit=unit,
            spatial_dims=spatial_dims,
            periodic=periodic,
            name=name,
            raw=options.raw_layout(shape, dtype, byteorder, offset),
            segmentation=options.segmentation(threshold, threshold_per, denoise, min_size),
            mask=mask,
            min_valid=min_valid,
            figure=figure,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(result, _show_store, as_json=json)


def info_command(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(
            help="Any file or folder that matvae reads or writes, or pretrained:NAME.", parser=existing_or_pretrained
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the array in a file that holds several.")] = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Picture (.png, .pdf, .svg), a section normal to each axis of a volume."),
    ] = None,
    picture: Annotated[
        bool | None,
        typer.Option("--picture/--no-picture", help="Print a small picture (default: if stdout is a terminal)."),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every chunk, and name what is damaged.")] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Remove damaged files, so that the job that made them makes only them again."),
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar='"JOB ..."', help='Begin a job on PATH, such as "stats --cutoff 32", and print what it takes.'
        ),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Describe a store, a result, a model, or an image or volume that can be imported, with a small picture.

    With --plan: print the time, memory and room on the disk that a job will take, measured on its first blocks.

    \b
    Examples:
      matvae info scan.tif
      matvae info scan.h5 --name phases --figure scan.png
      matvae info train.zarr
      matvae info rock.matvae --json
      matvae info pretrained:alloy
      matvae info train.zarr --verify
      matvae info train.zarr --plan "transform rock.matvae"
    """
    if plan is not None:
        show_plan(context, path, plan, as_json=json)
        return
    if path is None:
        raise typer.BadParameter("Give the file or folder to describe.", param_hint="PATH")
    if verify or repair:
        with watching("verify", quiet=json) as watcher:
            found = jobs.verify(path, repair=repair, progress=watcher.progress)
        show(found, show_verification, as_json=json)
        if found["damaged"] and not found["removed"]:
            raise typer.Exit(StoreError.exit_code)
        return
    is_shown = picture if picture is not None else sys.stdout.isatty() and not json
    columns = PICTURE_COLUMNS if is_shown else None
    with warnings_as_notes():
        description = jobs.describe(path, name=name, figure=figure, picture=columns, overwrite=overwrite)
    show(description, show_description, as_json=json)


def stats_command(
    data: Annotated[Path, typer.Argument(help="Structures.", metavar="DATA", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="New zarr group.", metavar="OUT.zarr")],
    statistic: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="two_point, pair_correlation, lineal_path, chord_length, cluster, surface_area, variogram, or that of "
            "a plugin.",
        ),
    ] = "two_point",
    correlations: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.pairs, "1:1,1:2"),
            metavar="H:H,H:H",
            help="Pairs of phases (default: pairs that determine all others).",
        ),
    ] = None,
    periodic: Annotated[
        bool | None,
        typer.Option(
            "--periodic/--no-periodic",
            help="Whether structures are periodic (default: as the data state).",
        ),
    ] = None,
    cutoff: Annotated[
        Any,
        typer.Option(parser=parsed(options.size, "16 or 16,16"), metavar="C", help="Keep lags up to C voxels."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="Further option of the statistic; can be repeated."),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: ResumeOrComplete = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Compute 2-point statistics, or another statistic, of every structure.

    \b
    Examples:
      matvae stats rock.zarr -o rock-stats.zarr
      matvae stats rock.zarr -o rock-stats.zarr --correlations 1:1,1:2 --cutoff 16
      matvae stats rock.zarr -o rock-chords.zarr --statistic chord_length --param axis=0
    """
    statistic_options = options.parameters(param)
    with watching("stats", quiet=quiet) as watcher:
        result = jobs.compute_statistics(
            data,
            out,
            statistic=statistic,
            correlations=correlations,
            periodic=periodic,
            cutoff=cutoff,
            options=statistic_options,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            resume=resume,
            progress=watcher.progress,
        )
    show(result, _show_statistics, as_json=json)


def _show_store(result: Mapping[str, Any]) -> None:
    values = result.get("phase_values")
    show_values(
        {
            "written": f"{result['out']} ({size_text(result['bytes'])})",
            "structures": result["n_samples"],
            "each": grid_text(result["grid"]),
            "axes": "; ".join(result.get("axes", [])) or None,
            "channels": "; ".join(result.get("channels", [])) or None,
            "notes": "; ".join(result.get("notes", [])) or None,
            "phases": ", ".join(f"{value} -> {phase}" for phase, value in enumerate(values)) if values else None,
            **_segmentation_rows(result),
            "properties": ", ".join(result.get("properties", [])) or None,
        }
    )


def _segmentation_rows(result: Mapping[str, Any]) -> dict[str, str | None]:
    segmentation, inside = result.get("segmentation"), result.get("inside_mask")
    rows = {"mask": None if inside is None else f"{100 * inside:.3g} % of the voxels are inside"}
    if segmentation is None:
        return rows
    found = ", ".join(f"{value:.6g}" for value in segmentation["thresholds"])
    which = "" if segmentation["per"] == "all" else " in the first image, the others are properties"
    fractions = enumerate(result["volume_fractions"])
    return {
        "thresholds": f"{found}{which}",
        "fractions": ", ".join(f"{100 * fraction:.3g} % phase {phase}" for phase, fraction in fractions),
        **rows,
        "figure": result["figure"],
    }


def _show_statistics(result: Mapping[str, Any]) -> None:
    show_values(
        {
            "written": result["out"],
            "shape": shape_text(result),
            "statistic": None if result["statistic"] == "two_point" else result["statistic"],
            "correlations": ", ".join(f"({i}, {j})" for i, j in result["correlations"] or ()) or None,
            "options": ", ".join(f"{name} {value}" for name, value in result["options"].items()) or None,
            "boundaries": "periodic" if result["periodic"] else "not periodic",
        }
    )
