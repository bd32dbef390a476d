"""The command line application: commands, global options, and error messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .._version import __version__
from ..errors import MatvaeError
from ..shortage import is_shortage
from .benchmark import benchmark_app
from .compare import compare_command
from .data import dataset_app, import_command, info_command, stats_command
from .evaluate import evaluate_command
from .explore import explore_command
from .export import export_command
from .help import without_repetition
from .models import fit_command, inverse_command, transform_command
from .optimize import optimize_command
from .options import Config
from .pipes import readers_may_leave
from .reconstruct import reconstruct_command
from .report import report_command
from .representative import representative_command
from .sharing import card_command, pull_command, push_command
from .wording import find_command, reworded, wording_of

LESS_MEMORY = (
    "Use smaller windows, a smaller cutoff or a smaller --batch-size, close other programs, or run it where there is "
    "more memory."
)

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
      matvae dataset make ceramics ceramics.zarr
      matvae import ceramics.zarr windows.zarr --window 32 --stride 8
      matvae fit windows.zarr -o ceramics.matvae --n-components 5
      matvae transform ceramics.matvae windows.zarr -o latents.csv
      matvae inverse ceramics.matvae latents.csv -o again.zarr

    \b
    Settings, in order of increasing precedence:
      --config FILE.toml           configuration file, one table per command: \\[fit] n_components = 9
      MATVAE_FIT_N_COMPONENTS=9    environment variables
      --n-components 9             options

    \b
    Exit codes:
      0 success, 2 usage error, 3 invalid data, 4 damaged store or model, 130 interrupted, 143 terminated
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
app.command("card")(card_command)
app.command("push")(push_command)
app.command("pull")(pull_command)
app.command("explore")(explore_command)
app.add_typer(benchmark_app, name="benchmark")


def run(words: Sequence[str]) -> None:
    """Run a command and exit with its exit code; errors are printed on stderr as one paragraph.

    Parameters
    ----------
    words : sequence of str
        The command with its arguments and options.
    """
    command = without_repetition(typer.main.get_command(app))
    if sys.stdout is None:
        # Closed by whoever started the program.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    # Options of a model, which messages of other commands name as well, are those of fit.
    with wording_of(find_command(command, words), find_command(command, ["fit"])):
        try:
            with readers_may_leave():
                command(args=words, prog_name="matvae")
        except MatvaeError as error:
            if _debugging():
                raise
            _fail(reworded(str(error)), error.exit_code)
        except (MemoryError, RuntimeError, SystemError, ImportError, OSError) as error:
            if _debugging() or not (is_shortage(error) or isinstance(error, OSError)):
                raise
            if is_shortage(error):
                _fail(f"There is too little memory for this job. {LESS_MEMORY}", 3)
            _fail(f"A file could not be read or written: {error}.", 4)


def _debugging() -> bool:
    return os.environ.get("MATVAE_DEBUG", "") not in ("", "0")


def _fail(message: str, code: int) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
