"""Commands on models: fit, transform, inverse."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from . import options
from .description import training_text
from .options import (
    Config,
    Json,
    Overwrite,
    Quiet,
    Resume,
    ResumeOrComplete,
    Scheduler,
    Workers,
    existing_or_pretrained,
    parsed,
)
from .terminal import grid_text, show, show_values, watching

Model = Annotated[
    Path,
    typer.Argument(help="Model, or pretrained:NAME.", metavar="MODEL.matvae", parser=existing_or_pretrained),
]
Data = Annotated[Path, typer.Argument(help="Structures.", metavar="DATA", exists=True)]
# Options of `fit`, grouped as the parameters in the docstring of `StatsVAETransformer` are.
Statistics = partial(typer.Option, rich_help_panel="Statistics")
Network = partial(typer.Option, rich_help_panel="Network")
Loss = partial(typer.Option, rich_help_panel="Loss")
Training = partial(typer.Option, rich_help_panel="Training")
Result = partial(typer.Option, rich_help_panel="Result")


def fit_command(
    context: typer.Context,
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="New model.", metavar="MODEL.matvae")],
    n_components: Annotated[
        int | None, typer.Option(min=1, show_default="9", help="Latent numbers per structure.")
    ] = None,
    correlations: Annotated[
        Any,
        Statistics(
            parser=parsed(options.pairs, "1:1,1:2"),
            metavar="H:H,H:H",
            show_default="those that determine all others",
            help="Pairs of phases.",
        ),
    ] = None,
    periodic: Annotated[
        bool | None,
        Statistics(
            "--periodic/--no-periodic", show_default="as the data state", help="Whether structures are periodic."
        ),
    ] = None,
    cutoff: Annotated[
        Any,
        Statistics(
            parser=parsed(options.size, "16 or 16,16"),
            metavar="C",
            show_default="half the window, or all if periodic",
            help="Keep lags up to C voxels.",
        ),
    ] = None,
    metric: Annotated[
        str | None, Statistics(show_default="auto", help="lags, plain or auto: how much each lag counts.")
    ] = None,
    descriptors: Annotated[
        Any,
        Statistics(
            parser=parsed(options.names, "surface_area,lineal_path"),
            metavar="NAME,NAME",
            show_default="surface_area, lineal_path, variogram",
            help="Further statistics that textures' latents predict.",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        Network(show_default="statistics", help="statistics, image, projection, resnet152, or one of a plugin."),
    ] = None,
    decoder: Annotated[
        str | None,
        Network(
            show_default="auto",
            help="statistics, separable, dense, convolutional, one of a plugin, or auto: chosen by the data.",
        ),
    ] = None,
    width: Annotated[int | None, Network(show_default="384", help="Hidden units per layer.")] = None,
    loss: Annotated[str | None, Loss(show_default="relative", help="relative, absolute or voxels.")] = None,
    alpha: Annotated[float | None, Loss(show_default="1.0", help="Weight of the statistics loss.")] = None,
    beta: Annotated[float | None, Loss(show_default="0.0001", help="Weight of the KL divergence.")] = None,
    short_range: Annotated[float | None, Loss(show_default="0.3", help="Weight of the error at short lags.")] = None,
    mixing: Annotated[
        float | None, Loss(show_default="auto", help="Fraction of the structures mixed with a neighbour.")
    ] = None,
    aligned_fraction: Annotated[
        float | None, Loss(show_default="0.5", help="Fraction of the training that also compares voxels.")
    ] = None,
    max_epochs: Annotated[
        int | None, Training(show_default="100 without --max-time", help="Maximum number of passes over the data.")
    ] = None,
    max_time: Annotated[
        float | None, Training(show_default="no limit", help="Seconds after which training ends.")
    ] = None,
    batch_size: Annotated[int | None, Training(show_default="auto", help="Structures per step.")] = None,
    learning_rate: Annotated[float | None, Training(show_default="0.001", help="Maximum learning rate.")] = None,
    coarse_fraction: Annotated[
        float | None, Training(show_default="0.75", help="Fraction of the training on coarse grids.")
    ] = None,
    patience: Annotated[
        float | None, Training(show_default="0.3", help="Stop after this fraction of the training without improvement.")
    ] = None,
    validation_fraction: Annotated[
        float | None, Training(show_default="0.1", help="Fraction of the structures held out.")
    ] = None,
    device: Annotated[str | None, Training(show_default="auto", help="cpu, cuda, cuda:1 or auto.")] = None,
    devices: Annotated[
        int | None, Training(min=1, help="Number of processes, each on a GPU of its own, or all on the CPU.")
    ] = None,
    precision: Annotated[
        str | None, Training(show_default="auto", help="float32, bfloat16 or auto: number format of the networks.")
    ] = None,
    seed: Annotated[int | None, Training(help="Seed of all random numbers.")] = 0,
    resume: Annotated[bool, Training("--resume", help="Continue an interrupted training.")] = False,
    latent_steps: Annotated[
        int | None, Result(show_default="0", help="Steps in which transform improves the encoder's latent.")
    ] = None,
    threshold: Annotated[
        Any,
        Result(
            parser=parsed(options.threshold, "volume-fraction, straight or 0.05"),
            metavar="volume-fraction|straight|T",
            show_default="volume-fraction",
            help="How fractions become phases.",
        ),
    ] = None,
    half: Annotated[bool, Result("--half", help="Save weights in half precision.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Train a model on structures. Ctrl-C keeps the training state; --resume continues.

    \b
    Examples:
      matvae fit lines.zarr -o lines.matvae --max-time 120
      matvae fit rock.zarr -o rock.matvae --n-components 16 --max-epochs 50 --seed 1
      matvae fit rock.zarr -o rock.matvae --resume
      matvae fit lines.zarr -o lines.matvae --devices 2
      torchrun --nproc-per-node 2 -m matvae fit lines.zarr -o lines.matvae
    """
    of_the_job = {"data", "out", "periodic", "seed", "resume", "half", "overwrite", "json", "quiet", "config"}
    is_first = int(os.environ.get("RANK", 0)) == 0
    with watching("fit", quiet=quiet or not is_first, announces=True) as watcher:
        result = jobs.fit_on_ranks(
            data,
            out,
            periodic=periodic,
            seed=seed,
            resume=resume,
            half=half,
            overwrite=overwrite,
            progress=watcher.progress,
            on_record=watcher.record,
            **options.given(context, except_for=of_the_job),
        )
    if is_first:
        show(result, _show_fit, as_json=json)


def transform_command(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="New latents.", metavar="Z.zarr|Z.npy|Z.csv")],
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: ResumeOrComplete = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Encode structures as latent numbers.

    \b
    Examples:
      matvae transform rock.matvae test.zarr -o latents.csv
      matvae transform rock.matvae test.zarr -o latents.zarr
    """
    with watching("transform", quiet=quiet) as watcher:
        result = jobs.transform_structures(
            model,
            data,
            out,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            resume=resume,
            progress=watcher.progress,
        )
    show(result, _show_transform, as_json=json)


def inverse_command(
    model: Model,
    latents: Annotated[Path, typer.Argument(help="Latent numbers.", metavar="Z", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="New store.", metavar="OUT.zarr")],
    n_realizations: Annotated[int | None, typer.Option(min=1, help="Structures per latent (default 1).")] = None,
    shape: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.size, "128 or 128,256"),
            metavar="N",
            help="Voxels of the structures along each axis (default: as the model was fitted).",
        ),
    ] = None,
    realize: Annotated[
        str, typer.Option(help="examples, retrieval, decoder or auto: how they are generated.")
    ] = "auto",
    patch: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.size, "7 or 7,5"),
            metavar="P",
            help="Edge of the patches of training windows, for all levels or by level (default: by feature size).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Decode latent numbers (.zarr, .npy or .csv) to structures.

    \b
    Examples:
      matvae inverse rock.matvae latents.csv -o again.zarr
      matvae inverse rock.matvae latents.zarr -o many.zarr --n-realizations 8 --seed 1
      matvae inverse rock.matvae latents.csv -o large.zarr --shape 256,256
    """
    with watching("inverse", quiet=quiet) as watcher:
        result = jobs.inverse_latents(
            model,
            latents,
            out,
            n_realizations=n_realizations,
            shape=shape,
            realize=realize,
            patch="auto" if patch is None else patch,
            seed=seed,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            resume=resume,
            progress=watcher.progress,
        )
    show(
        result,
        lambda r: show_values({"written": r["out"], "structures": r["n_samples"], "each": grid_text(r["grid"])}),
        as_json=json,
    )


def _show_transform(result: Mapping[str, Any]) -> None:
    n_structures, n_components = result["shape"]
    missing = {"without latents": result["n_missing"]} if result["n_missing"] else {}
    show_values({"written": result["out"], "structures": n_structures, **missing, "components": n_components})


def _show_fit(result: Mapping[str, Any]) -> None:
    show_values(
        {
            "written": result["model"],
            "structures": result["n_samples"],
            "each": grid_text(result["grid"]),
            "components": result["n_components"],
            **training_text(result["last"], in_epochs=result["in_epochs"]),
        }
    )
    left_out = f"No sampling error of the windows is stated: {result['sampling_left_out']}."
    typer.echo(left_out if result["sampling"] is None else result["sampling"]["sentence"])
