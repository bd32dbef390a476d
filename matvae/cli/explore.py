"""The command `explore`: a local page with sliders for a model's latents."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import jobs
from .models import Model
from .options import Config, Quiet
from .terminal import watching

if TYPE_CHECKING:
    from ..explore import Address


def explore_command(
    model: Model,
    data: Annotated[
        Path | None,
        typer.Argument(help="Structures for the map (default: those in the model).", metavar="[DATA]", exists=True),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 chooses a free one.")] = 8642,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any but loopback requires the token that is printed.")
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Explore a model on a local page: sliders, structures, statistics, your own images. Ctrl-C ends it.

    \b
    Examples:
      matvae explore rock.matvae
      matvae explore rock.matvae test.zarr --port 0
    """

    def ready(address: Address) -> None:
        # On stdout, so that a script can read where the page is.
        typer.echo(address.url)
        sys.stdout.flush()
        if browser and not open_browser(address.url):
            typer.echo("No browser was found on this machine: open this address in one yourself.", err=True)
        if not quiet:
            typer.echo("Ctrl-C ends the explorer.", err=True)

    with watching("explore", quiet=quiet):
        try:
            jobs.explore_model(model, data, host=host, port=port, on_ready=ready)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("The explorer has ended.") from None


def open_browser(url: str) -> bool:
    """Open a page in a graphical browser; False if there is none, as on a server.

    Browsers in a terminal would take it over, and run no scripts.
    """
    graphical = sys.platform in ("darwin", "win32") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    try:
        return graphical and webbrowser.open(url)
    except webbrowser.Error:
        return False
