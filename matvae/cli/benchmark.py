"""The commands benchmark: the published experiment, and real materials, from the data to a page of results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from .options import Config, Json, Quiet, Resume, integers, names, parsed
from .terminal import show, show_table, show_values, watching

benchmark_app = typer.Typer(no_args_is_help=True, help="Experiments from the data to a page of results.")
HEADER = ("method", "structures", "orientation", "number", "volume fraction", "decoded", "structure")


@benchmark_app.command("paper")
def benchmark_paper_command(
    preset: Annotated[str, typer.Option(metavar="matvae|paper", help="matvae's networks, or as published.")] = "matvae",
    size: Annotated[int, typer.Option(help="Pixels along each side.")] = 224,
    n: Annotated[int, typer.Option("--n", help="Structures to train on.")] = 100_000,
    n_test: Annotated[int, typer.Option(help="Structures held out.")] = 1000,
    n_components: Annotated[int, typer.Option(min=1, help="Latent components per structure.")] = 9,
    max_time: Annotated[float, typer.Option(help="Seconds of training.")] = 3600.0,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 0,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|NAME",
            help="Pretrained weights of the ResNet-152: a folder, or a name on the Hugging Face hub.",
        ),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Structures per step (default: the preset's).")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 or auto.")] = "auto",
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder.", metavar="FOLDER")] = Path("paper-benchmark"),
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue an interrupted run, or rewrite the page of one that has ended."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start again in the folder of a run; its model and results are removed.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Repeat the paper's experiment: draw lines, train, measure, write FOLDER/report.html.

    \b
    Examples:
      matvae benchmark paper --size 64 --max-time 600
      matvae benchmark paper --size 64 --max-time 600 --resume
      matvae benchmark paper --preset paper --weights microsoft/resnet-152 -o published
    """
    with watching("benchmark", quiet=quiet, uniform=False) as watcher:
        result = jobs.benchmark_paper(
            out,
            preset=preset,
            size=size,
            n=n,
            n_test=n_test,
            n_components=n_components,
            max_time=max_time,
            seed=seed,
            weights=weights,
            batch_size=batch_size,
            device=device,
            resume=resume,
            overwrite=overwrite,
            progress=watcher.progress,
            on_record=watcher.record,
        )
    show(result, _show_benchmark, as_json=json)


@benchmark_app.command("materials")
def benchmark_materials_command(
    data: Annotated[Path, typer.Option("--data", help="Folder with micrographs and volumes.", metavar="FOLDER")],
    out: Annotated[Path, typer.Option("--out", "-o", help="New or existing folder.", metavar="FOLDER")] = Path(
        "materials-benchmark"
    ),
    materials: Annotated[
        Any,
        typer.Option(
            parser=parsed(names, "alloy,berea"), metavar="NAME,NAME", help="Materials (default: all in the folder)."
        ),
    ] = None,
    n_components: Annotated[
        Any,
        typer.Option(
            parser=parsed(integers, "1,2,3,5,9"),
            metavar="N,N",
            help="Latent components per structure (default: 1,2,3,5,9).",
        ),
    ] = None,
    seeds: Annotated[
        Any,
        typer.Option(
            parser=parsed(integers, "0,1,2"), metavar="N,N", help="Seeds of windows and fits (default: 0,1,2)."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: one seed, five components, few windows.")
    ] = False,
    image_vae: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Training of an image-space VAE; 0 leaves it out (default: 120, quick: 0)."
        ),
    ] = None,
    n_realized: Annotated[
        int | None,
        typer.Option(help="Structures realized per method; 0 measures statistics only (default: 16, quick: 4)."),
    ] = None,
    resume: Resume = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Compare PCA and matvae on real materials, write FOLDER/report.html; finished materials are kept.

    \b
    Examples:
      matvae benchmark materials --data data --quick -o first-look
      matvae benchmark materials --data data --materials alloy,berea --seeds 0,1,2
      matvae benchmark materials --data data --n-realized 0 --image-vae 0 -o decoded
    """
    with watching("benchmark", quiet=quiet) as watcher:
        result = jobs.benchmark_materials(
            data,
            out,
            materials=materials,
            n_components=n_components,
            seeds=seeds,
            quick=quick,
            image_vae=image_vae,
            n_realized=n_realized,
            resume=resume,
            progress=watcher.progress,
        )
    show(result, _show_materials, as_json=json)


def _show_materials(result: Mapping[str, Any]) -> None:
    from ..report import DECODED_HEADER, REALIZED_HEADER, decoded_cells, realized_cells

    show_table(("material", *DECODED_HEADER), [(row["material"], *decoded_cells(row)) for row in result["decoded"]])
    if result["realized"]:
        typer.echo()
        show_table(
            ("material", *REALIZED_HEADER), [(row["material"], *realized_cells(row)) for row in result["realized"]]
        )
    typer.echo()
    typer.echo("median centred errors of decoded statistics, and of realized structures; the page explains the columns")
    show_values({name: result[name] for name in ("page", "result", "decoded_csv", "realized_csv")})


def _show_benchmark(result: Mapping[str, Any]) -> None:
    # Imported late, like everything that parsing a command does not need.
    from ..report import result_cells

    show_table(HEADER, [(row["method"], *result_cells(row)) for row in result["rows"]])
    typer.echo()
    show_table(
        ("lines", "structures", "orientation", "number"),
        [
            (str(row["lines"]), str(row["n_samples"]), f"{row['orientation']:.1f} %", f"{row['number']:.1f} %")
            for row in result["by_number"]
        ],
    )
    typer.echo()
    typer.echo("orientation, number: percentage right; decoded, structure: relative errors of the statistics")
    show_values({"page": result["page"], "result": result["result"]})
