"""The command compare: several methods at several sizes of the latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from . import options
from .error_tables import ALL
from .models import Data, Model
from .options import Config, FigureStyle, Json, Overwrite, Quiet, Resume, Scheduler, Workers, parsed
from .terminal import number_text, show, show_table, watching

# Wider tables are split, to stay readable in a terminal of this width.
WIDTH = 100
ERRORS = (
    ("statistics", "relative_error", "{:.3f}"),
    ("centred", "centred_error", "{:.3f}"),
    ("structures", "structure_relative_error", "{:.3f}"),
    ("centred", "structure_centred_error", "{:.3f}"),
    ("volume", "volume_fraction_difference", "{:.1f} %"),
    ("seconds", "seconds", "{:.1f}"),
)

Column = tuple[str, Sequence[str]]


def compare_command(
    model: Model,
    data: Data,
    n_components: Annotated[
        Any,
        typer.Option(
            parser=parsed(options.integers, "1,2,3,5,9"),
            metavar="N,N,...",
            help="Sizes of the latent (default 1,2,3,5,9).",
        ),
    ] = None,
    property: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Property to predict; repeat it for several (default: all)."),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            metavar="TRAIN.zarr",
            help="Training structures of MODEL, for all fits: all of DATA is then held out.",
        ),
    ] = None,
    held_out: Annotated[float | None, typer.Option(help="Fraction of DATA that is held out (default 0.2).")] = None,
    max_time: Annotated[float | None, typer.Option(help="Seconds per fit (default: MODEL's).")] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Most passes per fit (default: MODEL's).")] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 0,
    figure: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Figure of errors and linkages.")] = None,
    figure_style: FigureStyle = "screen",
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Compare PCA in two metrics, an image-space VAE and matvae on structures that none of them has seen.

    MODEL determines how matvae is trained; both VAEs are fitted again at each size.

    \b
    Examples:
      matvae compare rock.matvae rock.zarr
      matvae compare rock.matvae test.zarr --train train.zarr --n-components 2,4,8 --figure compared.png
      matvae compare rock.matvae rock.zarr --property modulus --max-time 60 --json
    """
    sizes = {} if n_components is None else {"n_components": n_components}
    with watching("compare", quiet=quiet, uniform=False) as watcher:
        result = jobs.compare_methods(
            model,
            data,
            property=property or None,
            train=train,
            held_out=held_out,
            max_time=max_time,
            max_epochs=max_epochs,
            seed=seed,
            figure=figure,
            figure_style=figure_style,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            resume=resume,
            progress=watcher.progress,
            on_record=watcher.record,
            **sizes,
        )
    show(result, _show_comparison, as_json=json)


def _show_comparison(result: Mapping[str, Any]) -> None:
    rows = result["rows"]
    names = [row["method"] for row in rows]
    sizes = ["-" if row["n_components"] is None else str(row["n_components"]) for row in rows]
    columns: list[Column] = [(title, [number_text(row[key], form) for row in rows]) for title, key, form in ERRORS]
    # Errors at short lags follow those at all lags.
    columns[2:2] = _short_lags(rows)
    for name in result["properties"]:
        columns.append((f"R2 {name}", [_linkage(row["r2"][name]) for row in rows]))
    first = [("method", names), ("n", sizes)]
    for number, part in enumerate(tables(first, columns, WIDTH)):
        if number:
            typer.echo()
        show_table([title for title, _ in part], list(zip(*(cells for _, cells in part), strict=True)))
    typer.echo()
    typer.echo(f"{result['n_train']} structures to fit on, {result['n_test']} held out")
    if result["properties"]:
        typer.echo("R2: polynomial / Gaussian process")
    reason = f" ({result['reason']})" if result["reason"] else ""
    typer.echo(f"the model: decoder {result['decoder']}{reason}, metric {result['metric']}")
    for method in ("image-space VAE", "matvae"):
        typer.echo(f"{method}: {_kinds([row for row in rows if row['method'] == method])}")
    if result["model_stands_for"] is not None:
        typer.echo(f"matvae with n = {result['model_stands_for']} is the given model itself")
    if result["figure"]:
        typer.echo(f"figure  {result['figure']}")


def _short_lags(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Columns of the median centred errors of decoded statistics at short lags."""
    known = next(row["lags"] for row in rows if row["lags"] is not None)
    return [
        (f"<= {lags}", ["-" if row["lags"] is None else f"{row['lags'][lags]['centred']:.3f}" for row in rows])
        for lags in known
        if lags != ALL
    ]


def _kinds(rows: Sequence[Mapping[str, Any]]) -> str:
    """Decoder and metric of each fit, or of all where they are the same."""
    kinds = {row["n_components"]: f"decoder {row['decoder']}, metric {row['metric']}" for row in rows}
    if len(set(kinds.values())) == 1:
        return next(iter(kinds.values()))
    return "; ".join(f"{kind} with n = {n}" for n, kind in kinds.items())


def _linkage(scores: Mapping[str, float]) -> str:
    return " / ".join(f"{scores[kind]:.2f}" for kind in ("polynomial", "gaussian_process"))


def tables(first: Sequence[Column], columns: Sequence[Column], width: int) -> list[list[Column]]:
    """Distribute columns over tables that are no wider than `width`, unless a single column is.

    Parameters
    ----------
    first : sequence of (title, cells)
        Columns that start every table.
    columns : sequence of (title, cells)
        The others, in order.
    width : int
        Characters.

    Returns
    -------
    list of list of (title, cells)
    """
    # No blanks follow the last column.
    start = _width(first) - 2
    parts: list[list[Column]] = [[*first]]
    used = start
    for column in columns:
        added = _width([column])
        if used + added > width and len(parts[-1]) > len(first):
            parts.append([*first])
            used = start
        parts[-1].append(column)
        used += added
    return parts


def _width(columns: Sequence[Column]) -> int:
    """Width of adjacent columns in characters, each followed by two blanks."""
    return sum(2 + max(len(title), *map(len, cells)) for title, cells in columns)
