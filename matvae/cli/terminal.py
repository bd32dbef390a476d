"""What a user sees: results on stdout, progress and notes on stderr."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from ..grid import Grid


class Watcher:
    """Progress of one job: a bar where stderr is a terminal, else nothing."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def progress(self, done: int, total: int) -> None:
        """Show how far the job is."""
        self._bar.update(self._task, completed=done, total=total)

    def record(self, values: Mapping[str, Any]) -> None:
        """Show the numbers of a training record."""
        shown = [
            f"{key.replace('_', ' ')} {values[key]:.4g}" for key in ("loss", "validation_error") if _number(values, key)
        ]
        self._bar.update(self._task, description="  ".join([f"epoch {values.get('epoch', '')}", *shown]))


def _number(values: Mapping[str, Any], key: str) -> bool:
    return isinstance(values.get(key), int | float)


@contextmanager
def watching(what: str, *, quiet: bool) -> Iterator[Watcher]:
    """Show progress and the notes of jobs; an interrupt says what it left and exits with 130.

    Parameters
    ----------
    what : str
        Shown at the bar, for example ``"fit"``.
    quiet : bool
        Show nothing but warnings and errors.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    hidden = quiet or not console.is_terminal
    handler = _NoteHandler(console)
    logger = logging.getLogger("matvae")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            yield Watcher(bar)
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "Interrupted; nothing was written.", file=sys.stderr)
        raise typer.Exit(130) from None
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _NoteHandler(logging.Handler):
    """Notes of jobs, printed above a running bar."""

    def __init__(self, console: Any) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        self._console.print(prefix + record.getMessage(), markup=False, highlight=False, soft_wrap=True)


def show(result: Any, render: Callable[[Any], None], *, as_json: bool) -> None:
    """Print a result on stdout, as JSON or as `render` does it."""
    if as_json:
        typer.echo(json.dumps(_plain(result), allow_nan=False))
    else:
        render(result)


def _plain(value: Any) -> Any:
    """What JSON can say: numbers that are not finite become null, numpy's numbers plain ones."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def show_facts(facts: Mapping[str, Any]) -> None:
    """Print ``name  value`` lines; None is left out, and six digits of a number are enough."""
    known = {
        name: f"{value:.6g}" if isinstance(value, float) else value
        for name, value in facts.items()
        if value is not None
    }
    width = max(map(len, known), default=0)
    for name, value in known.items():
        typer.echo(f"{name:<{width}}  {value}")


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns: the first to the left, the others, being numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        typer.echo("  ".join([first, *others]).rstrip())


def number_text(value: float | None, form: str) -> str:
    """A number as `form` writes it, or a dash where there is none."""
    return "-" if value is None else form.format(value)


def size_text(n_bytes: int) -> str:
    """Bytes as people write them: ``"1.5 MB"``."""
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def grid_text(grid: Mapping[str, Any]) -> str:
    """One line that describes the grid of a result."""
    return Grid.from_dict(grid).describe()
