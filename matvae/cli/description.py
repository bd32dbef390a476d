"""Output of `matvae info`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from ..sizes import size_text
from .picture import show_picture
from .terminal import grid_text, show_table, show_values
from .wording import reworded

PICTURE_COLUMNS = 48


def show_verification(found: Mapping[str, Any]) -> None:
    """Print what `matvae.jobs.verify` returns."""
    damaged = found["damaged"]
    show_values(
        {
            "kind": found["kind"],
            "path": found["path"],
            "files": f"{found['files']}, {'of which ' if damaged else 'all are sound'}"
            + (f"{len(damaged)} {'is' if len(damaged) == 1 else 'are'} damaged" if damaged else ""),
        }
    )
    if damaged:
        show_table(
            ("file", "samples", "what is wrong"),
            [(each["file"], "{}:{}".format(*each["samples"]), each["reason"]) for each in damaged],
        )
        show_values({"removed": len(found["removed"]), "next": reworded(found["advice"])})


def show_description(description: Mapping[str, Any]) -> None:
    """Print what `matvae.jobs.describe` returns."""
    common = {"kind": description["kind"], "path": description["path"], "size": size_text(description["bytes"])}
    if description["kind"] == "file":
        _show_file(common, description)
    else:
        show_values(common)
    if description["kind"] == "model":
        show_values(
            {
                "components": description["n_components"],
                "fitted on": grid_text(description["grid"]),
                "phase values": ", ".join(map(str, description["phase_values"] or ())) or None,
                **description["parameters"],
                # What was chosen, where a parameter is "auto".
                "decoder": description["decoder"] + (f" ({description['reason']})" if description["reason"] else ""),
                "metric": description["metric"],
            }
        )
        show_values(training_text(description["history"]["last"], in_epochs=description["in_epochs"]))
        typer.echo()
        show_values({**description["card"], "sha256": description["sha256"]})
    elif description["kind"] == "structures":
        show_values(
            {
                "structures": description["n_samples"],
                "each": grid_text(description["grid"]),
                "type": description["dtype"],
                "mask": "yes, some voxels are outside" if description["mask"] else None,
            }
        )
        if description["properties"]:
            show_table(
                ("property", "min", "mean", "max", "unit"),
                [
                    (name, *(_number(summary[key]) for key in ("min", "mean", "max")), summary["unit"] or "")
                    for name, summary in description["properties"].items()
                ],
            )
        show_values(description["attributes"])
    elif description["kind"] != "file":
        show_values({"shape": shape_text(description)})
        attributes = {**description["attributes"], "grid": grid_text(description["attributes"]["grid"])}
        show_values({"properties": ", ".join(description["properties"]) or None, **attributes})
    if description["picture"]:
        typer.echo()
        show_picture(description["picture"])
    if description["figure"]:
        typer.echo(f"figure  {description['figure']}")


def _show_file(common: Mapping[str, Any], description: Mapping[str, Any]) -> None:
    values = description["values"]
    lengths = None if description["voxel_size"] is None else _lengths(description["voxel_size"], description["unit"])
    origin = None if description["origin"] is None else _lengths(description["origin"], description["unit"])
    show_values(
        {
            **common,
            "format": description["format"],
            "shape": None if description["shape"] is None else " x ".join(map(str, description["shape"])),
            "type": description["dtype"],
            "axes": description["axes"],
            "channels": description["channels"],
            "voxel size": lengths or ("unknown" if description["axes"] else None),
            "origin": origin,
            "values": None if values is None else _values_text(values),
            "notes": "; ".join(description["notes"]) or None,
        }
    )
    if description["arrays"]:
        typer.echo()
        show_table(
            ("array", "shape", "type"),
            [
                (array["name"], " x ".join(map(str, array["shape"] or ())) or "-", array["dtype"] or "-")
                for array in description["arrays"]
            ],
        )
    for advice in description["advice"]:
        typer.echo(f"\n{reworded(advice)}")
    if description["imports"]:
        typer.echo("\nto import it" if len(description["imports"]) == 1 else "\nto import it, one of")
    for choice in description["imports"]:
        n = choice["n_samples"]
        typer.echo(f"  {choice['command']}")
        typer.echo(f"    {n} structure{'s' if n > 1 else ''}, each {grid_text(choice['grid'])}")
        if choice["phase_values"] not in (None, "auto"):
            phases = enumerate(choice["phase_values"].split(","))
            typer.echo(f"    phases {', '.join(f'{value} -> {phase}' for phase, value in phases)}")
        if choice["region"] is not None:
            first, last = choice["region"].partition(",")[0].split(":")
            where = f"above row {first}" if first != "0" else f"from row {last} on"
            typer.echo(
                f"    {where}, the image looks like a data bar, which --region leaves out;\n"
                f"    look at it with matvae info {shlex.quote(description['path'])} --figure image.png"
            )
        if choice["threshold"] is not None:
            typer.echo("    grey values below a threshold (found by Otsu's method) -> 0, above -> 1")
        if choice["windows"] is not None:
            typer.echo(
                "    to fit a model, append windows several times as wide as the features, such as\n"
                "    --window {size} --stride {stride}".format(**choice["windows"])
            )


def _values_text(values: Mapping[str, Any]) -> str:
    if values["distinct"] is not None:
        text = ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values["distinct"])
    elif values["min"] is None:
        text = "none that is finite"
    else:
        text = f"{values['min']:g} to {values['max']:g}"
    if values["n_not_finite"]:
        text += f" ({values['n_not_finite']} not finite)"
    if values["n_read"] < values["n_total"]:
        text += f", in the {100 * values['n_read'] / values['n_total']:.2g} % that were read"
    return text


def _lengths(values: Sequence[float], unit: str | None) -> str:
    return f"{' x '.join(f'{value:g}' for value in values)} {unit or '(no unit)'}"


def training_text(last: Mapping[str, Any], *, in_epochs: bool) -> dict[str, Any]:
    """Name the values of the last training record. Of a closed form only time and error are shown: it has no epochs."""
    if in_epochs or not last:
        return {f"last {key.replace('_', ' ')}": value for key, value in last.items()}
    return {"seconds": round(last["seconds"], 1), "centred error": float(f"{last['loss']:.3g}")}


def shape_text(result: Mapping[str, Any]) -> str:
    """Format the dimensions of an array of results: ``sample 6, lag_y 5``."""
    return ", ".join(f"{name} {length}" for name, length in zip(result["dimensions"], result["shape"], strict=True))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
