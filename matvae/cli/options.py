"""Options shared by all commands, and parsers of values that consist of more than one number."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .config import read_config

if TYPE_CHECKING:
    from ..data import RawLayout, Segmentation

Json = Annotated[bool, typer.Option("--json", help="Print only the result on stdout, as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress, notes or warnings on stderr.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Number of processes to start on this machine (default: work in this one).")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers do the work: tcp://HOST:PORT."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
FigureStyle = Annotated[
    str, typer.Option(metavar="screen|single|double", help="Layout of the figure: one or two columns of a journal.")
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Keep finished parts beside the output, and continue where an interrupted run stopped."
    ),
]
ResumeOrComplete = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Keep finished parts beside the output, and continue where an interrupted run stopped; if the output "
        "exists, make only what is missing.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        callback=read_config,
        is_eager=True,
        exists=True,
        dir_okay=False,
        help="Settings, one table per command.",
    ),
]


def parsed(parse: Callable[[str], Any], example: str) -> Callable[[Any], Any]:
    """Make an option's parser; a value it cannot parse is a usage error that shows an example."""

    def parser(text: Any) -> Any:
        # Typer passes default values, which are parsed already, through the parser again.
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} was given, but something like {example} is expected.") from error

    return parser


def existing_or_pretrained(text: Any) -> Path:
    """Path of a file or folder that exists, or of the pretrained model ``pretrained:NAME``."""
    if str(text).startswith("pretrained:"):
        # Help has to appear at once, without torch.
        from ..estimator.pretrained import model_folder

        return model_folder(text)
    if not Path(text).exists():
        raise typer.BadParameter(f"Path {str(text)!r} does not exist.")
    return Path(text)


def given(context: typer.Context, except_for: Collection[str]) -> dict[str, Any]:
    """Values of a command's options that a flag, the environment or a configuration file has set.

    Options without a value keep the default of the function they are passed to; `except_for` names those not wanted.
    """
    return {name: value for name, value in context.params.items() if value is not None and name not in except_for}


def integers(text: str) -> tuple[int, ...]:
    """Parse ``"64,64"``."""
    return tuple(int(part) for part in text.split(","))


def raw_layout(
    shape: tuple[int, ...] | None, dtype: str | None, byteorder: str | None, offset: int | None
) -> RawLayout | None:
    """Return the layout of raw files that four options describe, or None if none of them is given."""
    if shape is None and dtype is None and byteorder is None and offset is None:
        return None
    # Help has to appear at once, without numpy.
    from ..data import RawLayout

    if shape is None or dtype is None:
        raise typer.BadParameter(
            "--shape, --dtype, --byteorder and --offset describe raw binary files. At least both --shape and --dtype "
            "are needed, such as --shape 100,200,300 --dtype uint8."
        )
    return RawLayout(shape, dtype, byteorder, offset or 0)


def size(text: str) -> int | tuple[int, ...]:
    """Parse ``"64"`` (every axis) or ``"64,64,64"``."""
    values = integers(text)
    return values[0] if len(values) == 1 else values


def lengths(text: str) -> float | tuple[float, ...]:
    """Parse ``"2.25"`` (every axis) or ``"2.25,1,1"``."""
    values = tuple(float(part) for part in text.split(","))
    return values[0] if len(values) == 1 else values


def phase_values(text: str) -> str | tuple[float, ...]:
    """Parse ``"auto"``, ``"0,255"``, ``"0,0.5,1"`` or ``"0,nan"``."""
    return text if text == "auto" else tuple(_number(part) for part in text.split(","))


def thresholds(text: str) -> str | tuple[float, ...]:
    """Parse ``"otsu"``, ``"otsu:3"``, ``"li"``, ``"100"`` or ``"60,120"``."""
    return text if text[:1].isalpha() else tuple(float(part) for part in text.split(","))


def segmentation(
    threshold: str | tuple[float, ...] | None, per: str | None, denoise: str | None, min_size: int | None
) -> Segmentation | None:
    """Return the segmentation that four options describe, or None if none of them is given."""
    if threshold is None and per is None and denoise is None and min_size is None:
        return None
    if threshold is None:
        raise typer.BadParameter(
            "--threshold-per, --denoise and --min-size belong to the segmentation of grey images. Add --threshold "
            "otsu, for example."
        )
    from ..data import Segmentation

    return Segmentation(threshold, per or "all", denoise, min_size or 0)


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


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


def samples(text: str) -> str | slice:
    """Parse ``"all"``, ``"0:10"`` or ``"5:"``."""
    if text == "all":
        return text
    ((start, stop),) = region(text)
    return slice(start, stop)


def names(text: str) -> tuple[str, ...]:
    """Parse ``"surface_area,lineal_path"``; ``""`` holds no names."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def pairs(text: str) -> tuple[tuple[int, int], ...]:
    """Parse ``"1:1,1:2"``."""
    return tuple((int(first), int(second)) for first, second in (part.split(":") for part in text.split(",")))


def parameters(entries: list[str] | None) -> dict[str, Any]:
    """Parse ``["n_grains=20", "volume_fractions=0.3,0.7", "mode=rank"]``.

    Raises
    ------
    typer.BadParameter
        If an entry is not ``key=value``.
    """
    values: dict[str, Any] = {}
    for entry in entries or []:
        key, sign, value = (part.strip() for part in entry.partition("="))
        if not sign or not key:
            raise typer.BadParameter(f"{entry!r} was given, but --param takes key=value, such as --param n_grains=20.")
        try:
            values[key.replace("-", "_")] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[key.replace("-", "_")] = value
    return values


# After the functions that parse them.
VoxelSize = Annotated[
    Any,
    typer.Option(
        parser=parsed(lengths, "2.25 or 2.25,1,1"),
        metavar="L",
        help="Edge length of a voxel, or one per axis (default: as the data state).",
    ),
]
Unit = Annotated[
    str | None, typer.Option(help="Unit of the voxel size, such as micrometer (default: as the data state).")
]
