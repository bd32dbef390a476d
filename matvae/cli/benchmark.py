"""The command benchmark: published experiments, repeated from the data to a page of results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from .options import Config, Json, Quiet
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
    with watching("benchmark", quiet=quiet) as watcher:
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
