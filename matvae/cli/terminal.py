"""Terminal output: results on stdout, progress and notes on stderr."""

from __future__ import annotations

import json
import logging
import math
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import typer

from ..warn import kind_of
from .wording import reworded

if TYPE_CHECKING:
    from ..forecast import Forecast
    from ..jobs.plan import Meter, Plan

# A job that takes no longer than that after its first blocks says nothing about it.
LONG_SECONDS = 15.0
# The `progress` of a job that is only rehearsed.
_rehearsal: ContextVar[Callable[[int, int], None] | None] = ContextVar("rehearsal", default=None)


class Watcher:
    """Progress of a job, as a bar if stderr is a terminal and otherwise not at all; and its plan, once it is known.

    Parameters
    ----------
    bar : rich.progress.Progress
    meter : Meter, optional
        Measures the first blocks. What a long job will take is then said.
    """

    def __init__(self, bar: Any, meter: Meter | None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self._meter = meter

    def progress(self, done: int, total: int) -> None:
        """Update the progress bar."""
        self._bar.update(self._task, completed=done, total=total)
        self._say(None if self._meter is None else self._meter.measure(done, total))

    def announced(self, forecast: Forecast) -> None:
        """Take over what the job announces of itself."""
        self._say(None if self._meter is None else self._meter.announced(forecast))

    def _say(self, plan: Plan | None) -> None:
        if plan is not None:
            self._meter = None
            if plan.seconds is not None and plan.seconds - plan.measured_seconds >= LONG_SECONDS:
                logging.getLogger("matvae").info("%s", plan.sentence())

    def record(self, values: Mapping[str, Any]) -> None:
        """Show the loss and the validation error of a training record."""
        numbers = [
            f"{key.replace('_', ' ')} {values[key]:.4g}"
            for key in ("loss", "validation_error")
            if isinstance(values.get(key), int | float)
        ]
        self._bar.update(self._task, description="  ".join([f"epoch {values.get('epoch', '')}", *numbers]))


class Rehearsing(Watcher):
    """Watcher of a job that is only begun: nothing is shown.

    Parameters
    ----------
    progress : callable
        Takes the progress of the job, and ends it.
    """

    def __init__(self, progress: Callable[[int, int], None]) -> None:
        self._progress = progress

    def progress(self, done: int, total: int) -> None:
        """Pass the progress on."""
        self._progress(done, total)

    def record(self, values: Mapping[str, Any]) -> None:
        """Show nothing."""


@contextmanager
def rehearsing(progress: Callable[[int, int], None]) -> Iterator[None]:
    """Let the command in the block report its progress to this function alone."""
    token = _rehearsal.set(progress)
    try:
        yield
    finally:
        _rehearsal.reset(token)


@contextmanager
def watching(label: str, *, quiet: bool, uniform: bool = True, announces: bool = False) -> Iterator[Watcher]:
    """Show the progress and the notes of a job; an interrupt reports what remains on disk and exits with code 130.

    A job that takes long says so after its first blocks: time, memory and room on the disk.

    Parameters
    ----------
    label : str
        Text next to the bar, for example ``"fit"``.
    quiet : bool
        Show only errors: neither progress, nor notes, nor warnings.
    uniform : bool
        Whether equal progress takes equal time, so that the first blocks tell how long the others will take.
    announces : bool
        Whether the job measures first how long it will take, since its blocks do not tell.
    """
    progress = _rehearsal.get()
    if progress is not None:
        with warnings_as_notes():
            yield Rehearsing(progress)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from ..forecast import listening
    from ..jobs.plan import Meter

    console = Console(stderr=True)
    columns = (
        TextColumn(label),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    hidden = quiet or not console.is_terminal
    handler = _NoteHandler(console)
    logger = logging.getLogger("matvae")
    previous_level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR if quiet else logging.INFO)
    try:
        with warnings_as_notes(quiet=quiet), Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            watcher = Watcher(bar, Meter() if uniform else None)
            with listening(watcher.announced if announces else None):
                yield watcher
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "Interrupted; no unfinished output remains.", file=sys.stderr)
        raise typer.Exit(130) from None
    finally:
        logger.removeHandler(handler)
        logger.setLevel(previous_level)


@contextmanager
def warnings_as_notes(*, quiet: bool = False) -> Iterator[None]:
    """Show warnings for the user on stderr without a line of code, which would mean nothing on the command line.

    Those that differ only in their numbers, as of one block of structures after the other, are shown once, and counted.

    Parameters
    ----------
    quiet : bool
        Show no warnings, those of libraries neither.
    """
    with warnings.catch_warnings():
        otherwise = warnings.showwarning
        numbers_of_kinds: Counter[str] = Counter()
        first_of_kinds: dict[str, str] = {}

        def show_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if category is not UserWarning:
                otherwise(message, category, *where, **more)
                return
            kind = kind_of(str(message))
            numbers_of_kinds[kind] += 1
            if numbers_of_kinds[kind] == 1:
                first_of_kinds[kind] = reworded(str(message))
                print(f"warning: {first_of_kinds[kind]}", file=sys.stderr)

        warnings.showwarning = show_warning
        if quiet:
            warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for kind, number in numbers_of_kinds.items():
                if number > 1:
                    words = " ".join(first_of_kinds[kind].split()[:8])
                    print(f'The warning "{words} ..." came up {number} times, with different numbers.', file=sys.stderr)


class _NoteHandler(logging.Handler):
    """Prints log records above a running bar."""

    def __init__(self, console: Any) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        self._console.print(prefix + reworded(record.getMessage()), markup=False, highlight=False, soft_wrap=True)


def show(result: Any, render: Callable[[Any], None], *, as_json: bool) -> None:
    """Print a result on stdout: as JSON, or with `render`."""
    if as_json:
        typer.echo(json.dumps(_plain(result), allow_nan=False))
    else:
        render(result)


def _plain(value: Any) -> Any:
    """Convert to what JSON can represent: numpy scalars to Python numbers, numbers that are not finite to null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def show_values(values: Mapping[str, Any]) -> None:
    """Print ``name  value`` lines, omitting None; floats have six significant digits."""
    texts = {
        name: f"{value:.6g}" if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }
    width = max(map(len, texts), default=0)
    for name, value in texts.items():
        typer.echo(f"{name:<{width}}  {value}")


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, with the first column aligned left and the others, which hold numbers, aligned right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        typer.echo("  ".join([first, *others]).rstrip())


def number_text(value: float | None, template: str) -> str:
    """Format a number, or return a dash for None."""
    return "-" if value is None else template.format(value)


def grid_text(grid: Mapping[str, Any]) -> str:
    """Describe the grid of a result in one line."""
    from ..grid import Grid

    return Grid.from_dict(grid).describe()
