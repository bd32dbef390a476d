"""Commands on models: fit, transform, inverse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from . import options
from .options import Config, Json, Overwrite, Quiet, parsed
from .terminal import grid_text, show, show_values, watching

Model = Annotated[Path, typer.Argument(help="Fitted model.", metavar="MODEL.matvae", exists=True)]
Data = Annotated[Path, typer.Argument(help="Structures.", metavar="DATA", exists=True)]
TRAINING, NETWORK = "Training", "Statistics and network"


def fit_command(
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="New model.", metavar="MODEL.matvae")],
    n_components: Annotated[int | None, typer.Option(min=1, help="Latent numbers a structure (default 9).")] = None,
    max_time: Annotated[
        float | None, typer.Option(help="Seconds after which training ends well.", rich_help_panel=TRAINING)
    ] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Most passes over the data.", rich_help_panel=TRAINING)] = None,
    seed: Annotated[int | None, typer.Option(help="Start of all random numbers.", rich_help_panel=TRAINING)] = 0,
    batch_size: Annotated[int | None, typer.Option(help="Structures a step.", rich_help_panel=TRAINING)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Largest step size.", rich_help_panel=TRAINING)] = None,
    validation_fraction: Annotated[
        float | None, typer.Option(help="Part of the structures held back.", rich_help_panel=TRAINING)
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Weight of the statistics' error.", rich_help_panel=TRAINING)
    ] = None,
    beta: Annotated[float | None, typer.Option(help="Weight of the KL divergence.", rich_help_panel=TRAINING)] = None,
    patience: Annotated[
        float | None,
        typer.Option(help="Stop after this part of the training without progress.", rich_help_panel=TRAINING),
    ] = None,
    loss: Annotated[str | None, typer.Option(help="relative, absolute or voxels.", rich_help_panel=TRAINING)] = None,
    short_range: Annotated[
        float | None, typer.Option(help="Weight of the error at short lags.", rich_help_panel=TRAINING)
    ] = None,
    mixing: Annotated[
        float | None,
        typer.Option(help="Share of structures mixed with a neighbour.", rich_help_panel=TRAINING),
    ] = None,
    aligned_fraction: Annotated[
        float | None,
        typer.Option(help="Part of the training that also compares voxels.", rich_help_panel=TRAINING),
    ] = None,
    coarse_fraction: Annotated[
        float | None,
        typer.Option(help="Part of the training on coarse grids.", rich_help_panel=TRAINING),
    ] = None,
    latent_steps: Annotated[
        int | None,
        typer.Option(help="Steps in which transform improves the encoder's latent.", rich_help_panel=NETWORK),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or auto.", rich_help_panel=TRAINING)] = None,
    precision: Annotated[
        str | None, typer.Option(help="Number format of the network.", rich_help_panel=TRAINING)
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Name of the encoder.", rich_help_panel=NETWORK)] = None,
    decoder: Annotated[str | None, typer.Option(help="Name of the decoder.", rich_help_panel=NETWORK)] = None,
    width: Annotated[int | None, typer.Option(help="Hidden units a layer.", rich_help_panel=NETWORK)] = None,
    threshold: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.threshold, "volume-fraction, straight or 0.05"),
            metavar="volume-fraction|straight|T",
            help="How fractions become phases.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    correlations: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.pairs, "1:1,1:2"),
            metavar="H:H,H:H",
            help="Pairs of phases (default: those that determine all others).",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    periodic: Annotated[
        bool | None,
        typer.Option(
            "--periodic/--no-periodic",
            help="Whether structures go on at their other side (default: the data's).",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    cutoff: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.size, "16 or 16,16"),
            metavar="C",
            help="Keep lags up to C voxels.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Save weights in half precision.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted training.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Train a model on structures. Ctrl-C keeps its state; --resume goes on.

    \b
    Examples:
      matvae fit lines.zarr -o lines.matvae --max-time 120
      matvae fit rock.zarr -o rock.matvae --n-components 16 --max-epochs 50 --seed 1
      matvae fit rock.zarr -o rock.matvae --resume
    """
    given = {
        "n_components": n_components,
        "max_time": max_time,
        "max_epochs": max_epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "validation_fraction": validation_fraction,
        "patience": patience,
        "loss": loss,
        "short_range": short_range,
        "mixing": mixing,
        "aligned_fraction": aligned_fraction,
        "coarse_fraction": coarse_fraction,
        "latent_steps": latent_steps,
        "width": width,
        "threshold": threshold,
        "alpha": alpha,
        "beta": beta,
        "device": device,
        "precision": precision,
        "encoder": encoder,
        "decoder": decoder,
        "correlations": correlations,
        "cutoff": cutoff,
    }
    with watching("fit", quiet=quiet) as watcher:
        result = jobs.fit_model(
            data,
            out,
            periodic=periodic,
            seed=seed,
            resume=resume,
            half=half,
            overwrite=overwrite,
            progress=watcher.progress,
            on_record=watcher.record,
            **{name: value for name, value in given.items() if value is not None},
        )
    show(result, _show_fit, as_json=json)


def transform_command(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="New latents.", metavar="Z.zarr|Z.npy|Z.csv")],
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Turn structures into latent numbers.

    \b
    Examples:
      matvae transform rock.matvae test.zarr -o latents.csv
      matvae transform rock.matvae test.zarr -o latents.zarr
    """
    with watching("transform", quiet=quiet) as watcher:
        result = jobs.transform_structures(model, data, out, overwrite=overwrite, progress=watcher.progress)
    show(
        result,
        lambda r: show_values({"written": r["out"], "structures": r["shape"][0], "components": r["shape"][1]}),
        as_json=json,
    )


def inverse_command(
    model: Model,
    latents: Annotated[Path, typer.Argument(help="Latent numbers.", metavar="Z", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="New store.", metavar="OUT.zarr")],
    n_realizations: Annotated[int | None, typer.Option(min=1, help="Structures for each latent (default 1).")] = None,
    seed: Annotated[int, typer.Option(help="Start of the random numbers.")] = 0,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Turn latent numbers (.zarr, .npy or .csv) back into structures.

    \b
    Examples:
      matvae inverse rock.matvae latents.csv -o again.zarr
      matvae inverse rock.matvae latents.zarr -o many.zarr --n-realizations 8 --seed 1
    """
    with watching("inverse", quiet=quiet) as watcher:
        result = jobs.inverse_latents(
            model,
            latents,
            out,
            n_realizations=n_realizations,
            seed=seed,
            overwrite=overwrite,
            progress=watcher.progress,
        )
    show(
        result,
        lambda r: show_values({"written": r["out"], "structures": r["n_samples"], "each": grid_text(r["grid"])}),
        as_json=json,
    )


def _show_fit(result: Mapping[str, Any]) -> None:
    show_values(
        {
            "written": result["model"],
            "structures": result["n_samples"],
            "each": grid_text(result["grid"]),
            "components": result["n_components"],
            **{f"last {key}": value for key, value in result["last"].items()},
        }
    )
