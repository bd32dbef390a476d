"""The command `explore`: a local page with sliders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .models import Model
from .options import Config, Quiet
from .terminal import watching


def explore_command(
    model: Model,
    data: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            metavar="[DATA]",
            help="Structures to show on the latent map (default: the training windows that the model carries).",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen at. Any but that of this machine requires the token in the printed address.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8050,
    browse: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Explore a model on a local page: sliders, structures, statistics, a map, own images, designs, export.

    \b
    Examples:
      matvae explore rock.matvae
      matvae explore alloy.matvae windows.zarr --port 0
    """
    with watching("explore", quiet=quiet):
        from ..explore import Explorer, serve

        explorer = Explorer(model, data)
        serve(
            explorer,
            host=host,
            port=port,
            browse=browse,
            on_start=lambda address: typer.echo(f"Serving {explorer.name} at {address} until Ctrl-C."),
        )
