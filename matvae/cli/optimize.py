"""The optimize command: inverse design of structures with requested properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from .models import Model
from .options import Config, Json, Overwrite, Quiet, Scheduler, Workers
from .terminal import grid_text, show, show_table, show_values, watching

SEARCH = "Search"


def optimize_command(
    model: Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="New store for the candidates.", metavar="OUT.zarr")],
    property: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Property to optimise, such as volume_fraction or volume_fraction(phase=2)."),
    ] = None,
    target: Annotated[float | None, typer.Option(metavar="V", help="Target value of the property.")] = None,
    maximize: Annotated[bool, typer.Option("--maximize", help="Maximise the property.")] = False,
    minimize: Annotated[bool, typer.Option("--minimize", help="Minimise the property.")] = False,
    goal: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=max|min|V", help="A goal in one string; may be repeated."),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V+-T", help="Range of a property, also NAME<=V or NAME>=V; may be repeated."),
    ] = None,
    linkage: Annotated[
        list[Path] | None,
        typer.Option(exists=True, metavar="FILE.skops", help="A fitted linkage, used as a property; may be repeated."),
    ] = None,
    n_candidates: Annotated[
        int, typer.Option("--n-candidates", "-k", min=1, help="Number of structures to find.")
    ] = 10,
    train: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            metavar="TRAIN",
            help="Training structures, to search near them and to compare with; models of textures contain some.",
        ),
    ] = None,
    latents: Annotated[
        Path | None, typer.Option(metavar="Z", help="New .csv, .npy or .zarr with the latents of the candidates.")
    ] = None,
    n_realizations: Annotated[
        int, typer.Option(min=2, help="Realizations per candidate to average over.", rich_help_panel=SEARCH)
    ] = 8,
    n_starts: Annotated[
        int | None, typer.Option(min=1, help="Starts of the gradient search.", rich_help_panel=SEARCH)
    ] = None,
    max_iter: Annotated[int, typer.Option(min=1, help="Steps per start.", rich_help_panel=SEARCH)] = 150,
    n_evaluations: Annotated[
        int, typer.Option(min=1, help="Structures measured for a property without a gradient.", rich_help_panel=SEARCH)
    ] = 60,
    seed: Annotated[int, typer.Option(help="Random seed.", rich_help_panel=SEARCH)] = 0,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Find structures with requested properties.

    \b
    Examples:
      matvae optimize rock.matvae --property volume_fraction --target 0.3 -o dense.zarr
      matvae optimize rock.matvae --property specific_surface --maximize \\
          --constraint "volume_fraction=0.30+-0.01" --train rock.zarr -o fine.zarr
      matvae optimize rock.matvae --goal specific_surface=max --goal volume_fraction=min -o front.zarr
    """
    goals = _goal_texts(property, target, maximize, minimize, goal or [])
    with watching("optimize", quiet=quiet) as watcher:
        result = jobs.optimize_structures(
            model,
            out,
            objective=goals,
            constraints=constraint or [],
            linkages=linkage or [],
            n_candidates=n_candidates,
            train=train,
            latents=latents,
            n_realizations=n_realizations,
            n_starts=n_starts,
            max_iter=max_iter,
            n_evaluations=n_evaluations,
            seed=seed,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(result, _show_candidates, as_json=json)


def _goal_texts(name: str | None, target: float | None, maximize: bool, minimize: bool, goals: list[str]) -> list[str]:
    """Goals as text, from --goal and from --property with its sense."""
    options = ((target is not None, f"{target!r}"), (maximize, "max"), (minimize, "min"))
    senses = [text for is_given, text in options if is_given]
    if name is None and not senses and goals:
        return goals
    if name is None or len(senses) != 1:
        raise typer.BadParameter(
            "A goal is --property NAME with one of --target V, --maximize and --minimize, or --goal NAME=max|min|V."
        )
    return [f"{name}={senses[0]}", *goals]


def _show_candidates(result: Mapping[str, Any]) -> None:
    labels, training = list(result["units"]), result["training"]
    header = ["candidate"]
    for label, unit in result["units"].items():
        column, target = f"{label} ({unit})" if unit else label, result["requested"][label]
        header += [column if target is None else f"{column}, target {target:.4g}", "std"]
    measures = list(training["texture_ranges"]) if training else []
    header += [*(name.replace("_", " ") for name in measures), "differing", "out of distribution", "as requested"]
    rows = [
        [
            str(row["candidate"]),
            *(f"{row[kind][label]:.4g}" for label in labels for kind in ("achieved", "spread")),
            *(f"{row['texture'][name]:.3g}" for name in measures),
            f"{row['differing']:.2f}",
            f"{row['out_of_distribution']:.2f}",
            "no" if row["reason"] else "yes",
        ]
        for row in result["rows"]
    ]
    if training:
        ranges = [text for label in labels for text in (_range_text(training["ranges"].get(label)), "")]
        textures = [_range_text(training["texture_ranges"][name]) for name in measures]
        rows.append(["training", *ranges, *textures, f"{training['differing']:.2f}", "", ""])
    show_table(header, rows)
    reason = result["rows"][0]["reason"]
    if reason:
        typer.echo(f"candidate 0: {reason}")
    if training and training["summary"]:
        typer.echo(training["summary"])
    typer.echo(result["region"])
    failures = result["failures"]
    n_failures, most_frequent = sum(failures.values()), max(failures, key=failures.get, default="")
    show_values(
        {
            "written": result["out"],
            "latents": result["latents"],
            "each": grid_text(result["grid"]),
            "search": f"{result['method']}, {result['n_evaluations']} measurements",
            "training": f"{training['n_meeting']} of {training['n_windows']} windows meet the constraints"
            if training
            else None,
            "without value": f"{n_failures} structures; most often: {most_frequent}" if failures else None,
        }
    )


def _range_text(limits: Sequence[float] | None) -> str:
    return "-" if limits is None else f"{limits[0]:.4g} to {limits[1]:.4g}"
