"""The command optimize: structures with wanted properties."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from .models import Model
from .options import Config, Json, Overwrite, Quiet
from .terminal import grid_text, show, show_table, show_values, watching

SEARCH = "Search"


def optimize_command(
    model: Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="New store of candidates.", metavar="OUT.zarr")],
    property: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Property of the goal, such as volume_fraction or volume_fraction(phase=2)."),
    ] = None,
    target: Annotated[float | None, typer.Option(metavar="V", help="Value that it is to have.")] = None,
    maximize: Annotated[bool, typer.Option("--maximize", help="As much of it as possible.")] = False,
    minimize: Annotated[bool, typer.Option("--minimize", help="As little of it as possible.")] = False,
    goal: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=max|min|V", help="A goal as one text; repeat it for several goals at once."),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V+-T", help="Range to stay in, or NAME<=V, NAME>=V; repeat it for several."),
    ] = None,
    linkage: Annotated[
        list[Path] | None,
        typer.Option(exists=True, metavar="FILE.skops", help="A fitted linkage, as a property; repeat it for several."),
    ] = None,
    n_candidates: Annotated[int, typer.Option("--n-candidates", "-k", min=1, help="Structures to find.")] = 10,
    train: Annotated[
        Path | None,
        typer.Option(
            exists=True, metavar="TRAIN", help="Training structures: stay where they are, instead of in the prior."
        ),
    ] = None,
    latents: Annotated[
        Path | None, typer.Option(metavar="Z", help="New .csv, .npy or .zarr of the candidates' latents.")
    ] = None,
    n_realizations: Annotated[
        int, typer.Option(min=2, help="Structures of a candidate to average over.", rich_help_panel=SEARCH)
    ] = 8,
    n_starts: Annotated[
        int | None, typer.Option(min=1, help="Starts of the search by gradient.", rich_help_panel=SEARCH)
    ] = None,
    max_iter: Annotated[int, typer.Option(min=1, help="Steps of each start.", rich_help_panel=SEARCH)] = 150,
    n_evaluations: Annotated[
        int, typer.Option(min=1, help="Structures measured in a search without gradient.", rich_help_panel=SEARCH)
    ] = 60,
    seed: Annotated[int, typer.Option(help="Start of the random numbers.", rich_help_panel=SEARCH)] = 0,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Find structures that have wanted properties.

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
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(result, _show_candidates, as_json=json)


def _goal_texts(name: str | None, target: float | None, maximize: bool, minimize: bool, goals: list[str]) -> list[str]:
    """Goals as texts, from the options that say one."""
    wanted = [
        text for asked, text in ((target is not None, f"{target!r}"), (maximize, "max"), (minimize, "min")) if asked
    ]
    if name is None and not wanted and goals:
        return goals
    if name is None or len(wanted) != 1:
        raise typer.BadParameter(
            "A goal is --property NAME with one of --target V, --maximize and --minimize, or --goal NAME=max|min|V."
        )
    return [f"{name}={wanted[0]}", *goals]


def _show_candidates(result: Mapping[str, Any]) -> None:
    units = {label: f"{label} ({unit})" if unit else label for label, unit in result["units"].items()}
    header = ["candidate"]
    for label, text in units.items():
        wanted = result["requested"][label]
        header += [text if wanted is None else f"{text} for {wanted:.4g}", "spread"]
    header += ["out of distribution", "as asked"]
    rows = [
        [
            str(row["candidate"]),
            *(f"{row[kind][label]:.4g}" for label in units for kind in ("achieved", "spread")),
            f"{row['out_of_distribution']:.2f}",
            "no" if row["reason"] else "yes",
        ]
        for row in result["rows"]
    ]
    show_table(header, rows)
    first = result["rows"][0]
    if first["reason"]:
        typer.echo(f"candidate 0: {first['reason']}")
    typer.echo(result["region"])
    failures = sum(result["failures"].values())
    show_values(
        {
            "written": result["out"],
            "latents": result["latents"],
            "each": grid_text(result["grid"]),
            "search": f"{result['method']}, {result['n_evaluations']} structures measured",
            "without value": f"{failures} structures; most often: {max(result['failures'], key=result['failures'].get)}"
            if failures
            else None,
        }
    )
