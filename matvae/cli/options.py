"""Options that every command has, and the values that take more than one number."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .config import read_config

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        callback=read_config,
        is_eager=True,
        exists=True,
        dir_okay=False,
        help="Settings, one table a command.",
    ),
]


def parsed(parse: Callable[[str], Any], example: str) -> Callable[[Any], Any]:
    """Make an option's parser; what it cannot parse is a usage error that shows an example."""

    def parser(text: Any) -> Any:
        # Typer hands values that are parsed already through a second time where they are defaults.
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} was given, but something like {example} is expected.") from error

    return parser


def integers(text: str) -> tuple[int, ...]:
    """Parse ``"64,64"``."""
    return tuple(int(part) for part in text.split(","))


def size(text: str) -> int | tuple[int, ...]:
    """Parse ``"64"`` (every axis) or ``"64,64,64"``."""
    values = integers(text)
    return values[0] if len(values) == 1 else values


def lengths(text: str) -> float | tuple[float, ...]:
    """Parse ``"2.25"`` (every axis) or ``"2.25,1,1"``."""
    values = tuple(float(part) for part in text.split(","))
    return values[0] if len(values) == 1 else values


def phase_values(text: str) -> str | tuple[int, ...]:
    """Parse ``"auto"`` or ``"0,255"``."""
    return text if text == "auto" else integers(text)


def threshold(text: str) -> str | float:
    """Parse ``"volume-fraction"``, ``"straight"`` or ``"0.05"``."""
    return text if text in ("volume-fraction", "straight") else float(text)


def region(text: str) -> tuple[tuple[int | None, int | None], ...]:
    """Parse ``"0:400,:150,:"``."""
    ranges = []
    for part in text.split(","):
        start, stop = part.split(":")
        ranges.append((int(start) if start.strip() else None, int(stop) if stop.strip() else None))
    return tuple(ranges)


def pairs(text: str) -> tuple[tuple[int, int], ...]:
    """Parse ``"1:1,1:2"``."""
    found = []
    for part in text.split(","):
        first, second = part.split(":")
        found.append((int(first), int(second)))
    return tuple(found)


def parameters(entries: list[str] | None) -> dict[str, Any]:
    """Parse ``["n_grains=20", "volume_fractions=0.3,0.7", "mode=rank"]``.

    Raises
    ------
    typer.BadParameter
        If an entry is not ``key=value``.
    """
    found: dict[str, Any] = {}
    for entry in entries or []:
        key, sign, value = entry.partition("=")
        if not sign or not key.strip():
            raise typer.BadParameter(f"{entry!r} was given, but --param takes key=value, such as --param n_grains=20.")
        try:
            found[key.strip().replace("-", "_")] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            found[key.strip().replace("-", "_")] = value.strip()
    return found
