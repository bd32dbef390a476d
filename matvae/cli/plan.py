"""`matvae info --plan`: what a command would take, measured by beginning it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer

from ..errors import InputError, MatvaeError
from ..sizes import size_text
from .terminal import rehearsing, show, show_values
from .wording import find_command, reworded, wording_of

# A training reports its share that is done.
TRAINING = "training"
# Jobs that can be planned, with the suffix of their output where the command has none, and what their steps are.
JOBS = {
    "dataset make": (".zarr", "structures"),
    "import": (".zarr", "parts"),
    "stats": (".zarr", "structures, or blocks of a large one"),
    "fit": (".matvae", TRAINING),
    "transform": (".zarr", "structures"),
    "inverse": (".zarr", "latents"),
    "reconstruct": (".zarr", "structures"),
    "evaluate": (None, "structures"),
    "optimize": (".zarr", "steps"),
    "compare": (None, "fits"),
    "benchmark paper": ("", "stages"),
    "benchmark materials": ("", "runs"),
}
# These consist of several fits and measurements, of each of which a part is measured.
MANY_FITS = ("compare", "benchmark paper", "benchmark materials")
MANY_FITS_SECONDS = 900.0
# Of the others, the output is an argument rather than an option.
OUT_ARGUMENT = ("dataset make", "import")
OUT = "out"


def show_plan(context: typer.Context, path: Path | None, job: str, *, as_json: bool) -> None:
    """Print what a job would take, and exit with code 3 if it does not fit.

    Parameters
    ----------
    context : typer.Context
        Of `matvae info`.
    path : Path, optional
        Data of the job, as its last input.
    job : str
        Command and options as typed, without these data; the output may be left out.
    """
    words = shlex.split(job)
    name = next((each for each in JOBS if words[: len(each.split())] == each.split()), None)
    if name is None:
        raise typer.BadParameter(
            f"{job!r} does not begin with a job that can be planned: {', '.join(JOBS)}. Give the command without "
            '"matvae", such as --plan "stats --cutoff 32".'
        )
    plan = _planned(context.find_root(), name, words[len(name.split()) :], path)
    show({"job": name, **plan}, lambda found: _show(found, JOBS[name][1]), as_json=as_json)
    if plan["problems"]:
        raise typer.Exit(InputError.exit_code)


def _planned(root: Any, name: str, words: list[str], path: Path | None) -> dict[str, Any]:
    # Reads zarr and numpy.
    from ..jobs.plan import MOST_SECONDS, check_planned, checked, scratch_beside

    command: Any = find_command(root.command, name.split())
    suffix = JOBS[name][0]
    out = None if suffix is None else f"planned{suffix}"
    inputs = [] if path is None else [*(["--data"] if name == "benchmark materials" else []), str(path)]
    if out is None:
        arguments = [*words, *inputs]
    elif name in OUT_ARGUMENT:
        arguments = [*words, *inputs, out]
    else:
        # The last one counts.
        arguments = ["--out", out, *words, *inputs]
    most = MANY_FITS_SECONDS if name in MANY_FITS else MOST_SECONDS
    with wording_of(command, find_command(root.command, ["fit"])):
        try:
            with command.make_context(name, arguments, parent=root) as context:

                def run(progress: Callable[[int, int], None]) -> None:
                    with rehearsing(progress):
                        context.invoke(command.callback, **context.params)

                if out is None:
                    return checked(run, Path.cwd() / OUT, most)
                target = context.params[OUT]
                if name not in MANY_FITS:
                    # Benchmarks continue in the folder that is there.
                    check_planned(target, overwrite=context.params["overwrite"])
                with scratch_beside(target) as scratch:
                    context.params[OUT] = scratch
                    return checked(run, scratch, most)
        except MatvaeError as error:
            raise type(error)(reworded(str(error))) from error


def _show(plan: Mapping[str, Any], steps: str) -> None:
    from ..jobs.plan import duration

    seconds, measured = plan["seconds"], duration(plan["measured_seconds"])
    show_values(
        {
            "job": plan["job"],
            "work": _work(plan, steps),
            "time": f"more than {measured}: it was given up then" if seconds is None else _time(plan),
            "memory": _of(plan["memory"], "about", plan["free_memory"]),
            "disk": _of(plan["disk"], plan["disk_certainty"], plan["free_disk"]),
            "fits": f"no. {' '.join(plan['problems'])}" if plan["problems"] else _fits(plan),
        }
    )


def _work(plan: Mapping[str, Any], steps: str) -> str | None:
    """What there is to do, and how much of it was done for the plan."""
    from ..jobs.plan import duration

    done, total, measured = plan["done"], plan["total"], duration(plan["measured_seconds"])
    if plan["work"] is not None:
        return f"{plan['work']}; parts of it were measured in {measured}"
    if not total:
        return None
    if steps == TRAINING:
        return f"training, of which {100 * done / total:.0f} % was done in {measured}"
    if done == total:
        return f"{total} {steps}, all done in {measured}"
    return f"{total} {steps}, of which {done} {'was' if done == 1 else 'were'} done in {measured}"


def _time(plan: Mapping[str, Any]) -> str:
    from ..jobs.plan import duration

    most = "at most " if plan["is_limit"] else ""
    return f"{most}about {duration(plan['seconds'])}"


def _of(n_bytes: int | None, certainty: str, free: int | None) -> str | None:
    if n_bytes is None:
        return None
    return f"{certainty} {size_text(n_bytes)}" + ("" if free is None else f"; {size_text(free)} are free")


def _fits(plan: Mapping[str, Any]) -> str:
    if plan["disk"] is not None and plan["disk"] > plan["free_disk"]:
        return "perhaps: how well the result compresses is known only when a part of it is written"
    return "yes"
