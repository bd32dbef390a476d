"""The command line application: commands, global options, and error messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .._version import __version__
from ..errors import MatvaeError
from .benchmark import benchmark_app
from .compare import compare_command
from .data import dataset_app, import_command, info_command, stats_command
from .evaluate import evaluate_command
from .export import export_command
from .models import fit_command, inverse_command, transform_command
from .optimize import optimize_command
from .options import Config
from .reconstruct import reconstruct_command
from .report import report_command
from .representative import representative_command
from .wording import find_command, reworded, wording_of

app = typer.Typer(
    name="matvae",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "MATVAE", "help_option_names": ["--help", "-h"]},
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"matvae {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    config: Config = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            allow_from_autoenv=False,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Encode microstructures as a few latent numbers and decode them, preserving their 2-point statistics.

    \b
    A first run:
      matvae dataset make lines lines.zarr --n 2000 --size 64
      matvae fit lines.zarr -o lines.matvae --max-time 120
      matvae transform lines.matvae lines.zarr -o latents.csv
      matvae inverse lines.matvae latents.csv -o again.zarr

    \b
    Settings, in order of increasing precedence:
      --config FILE.toml           configuration file, one table per command: \\[fit] n_components = 9
      MATVAE_FIT_N_COMPONENTS=9    environment variables
      --n-components 9             options

    \b
    Exit codes:
      0 success, 2 usage error, 3 invalid data, 4 damaged store or model, 130 interrupted
    """


app.add_typer(dataset_app, name="dataset")
app.command("import")(import_command)
app.command("export")(export_command)
app.command("info")(info_command)
app.command("representative")(representative_command)
app.command("stats")(stats_command)
app.command("fit")(fit_command)
app.command("transform")(transform_command)
app.command("inverse")(inverse_command)
app.command("reconstruct")(reconstruct_command)
app.command("evaluate")(evaluate_command)
app.command("compare")(compare_command)
app.command("optimize")(optimize_command)
app.command("report")(report_command)
app.add_typer(benchmark_app, name="benchmark")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process with its exit code.

    Expected errors are printed on stderr as one paragraph; with MATVAE_DEBUG=1 they keep their traceback.
    """
    command = typer.main.get_command(app)
    words = sys.argv[1:] if arguments is None else list(arguments)
    # Options of a model, which messages of other commands name as well, are those of fit.
    with wording_of(find_command(command, words), find_command(command, ["fit"])):
        try:
            command(args=words, prog_name="matvae")
        except MatvaeError as error:
            if _debugging():
                raise
            _fail(reworded(str(error)), error.exit_code)
        except OSError as error:
            if _debugging():
                raise
            _fail(f"A file could not be read or written: {error}.", 4)


def _debugging() -> bool:
    return os.environ.get("MATVAE_DEBUG", "") not in ("", "0")


def _fail(message: str, code: int) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
