"""Commands that describe a model for others and exchange it with the Hugging Face hub: card, push, pull."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import jobs
from ..sizes import size_text
from .models import Model
from .options import Config, Json, Overwrite, Quiet
from .terminal import show, show_values, watching

Endpoint = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Address of the hub (default: HF_ENDPOINT, or https://huggingface.co)."),
]


def card_command(
    model: Model,
    name: Annotated[str | None, typer.Option(help="Name of the data.")] = None,
    licence: Annotated[str | None, typer.Option(help="Terms of use of the data, such as 'CC BY 4.0'.")] = None,
    citation: Annotated[str | None, typer.Option(help="Publication to cite.")] = None,
    source: Annotated[str | None, typer.Option(help="Where the data come from.")] = None,
    uses: Annotated[str | None, typer.Option(help="What the model may be used for.")] = None,
    limits: Annotated[str | None, typer.Option(help="What it should not be used for.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what a model was fitted on, how exact it is and what it is for, or correct this.

    \b
    Examples:
      matvae card pretrained:alloy
      matvae card rock.matvae --licence "CC BY 4.0" --source https://doi.org/10.1000/1
    """
    result = jobs.edit_card(
        model, name=name, licence=licence, citation=citation, source=source, uses=uses, limits=limits
    )
    show(result, lambda r: show_values({**r["facts"], "sha256": r["sha256"]}), as_json=json)


def push_command(
    model: Model,
    repo: Annotated[str, typer.Argument(help="Repository on the hub.", metavar="OWNER/NAME")],
    public: Annotated[bool, typer.Option("--public", help="Let everybody see a new repository.")] = False,
    message: Annotated[str | None, typer.Option(help="Message of the commit.")] = None,
    endpoint: Endpoint = None,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Upload a model to the Hugging Face hub; a new repository is private unless --public is given.

    \b
    Example:
      matvae push rock.matvae me/rock --public
    """
    with watching("push", quiet=quiet):
        result = jobs.push_model(model, repo, public=public, message=message, endpoint=endpoint)
    show(result, _show_push, as_json=json)


def pull_command(
    repo: Annotated[str, typer.Argument(help="Repository, with a branch, tag or commit.", metavar="OWNER/NAME[@REV]")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="New model (default: NAME.matvae).", metavar="MODEL.matvae")
    ] = None,
    sha256: Annotated[str | None, typer.Option(metavar="HASH", help="Hash that the model must have.")] = None,
    most_bytes: Annotated[
        int | None, typer.Option(min=1, help="Size above which weights are not fetched (default 4 GiB).")
    ] = None,
    endpoint: Endpoint = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Download a model from the Hugging Face hub; its files are data only, and are checked before they are kept.

    \b
    Examples:
      matvae pull me/rock
      matvae pull me/rock@v1 -o rock.matvae --sha256 HASH
    """
    more = {} if most_bytes is None else {"most_bytes": most_bytes}
    with watching("pull", quiet=quiet):
        result = jobs.pull_model(repo, out, sha256=sha256, endpoint=endpoint, overwrite=overwrite, **more)
    show(result, _show_pull, as_json=json)


def _show_push(result: Mapping[str, Any]) -> None:
    show_values({"pushed": result["model"], "to": result["url"], "size": size_text(result["bytes"])})
    _show_pin(result)


def _show_pull(result: Mapping[str, Any]) -> None:
    show_values({"written": result["model"], "size": size_text(result["bytes"]), **result["card"]})
    _show_pin(result)


def _show_pin(result: Mapping[str, Any]) -> None:
    typer.echo("to get exactly this model:")
    typer.echo(f"  matvae pull {result['repo']}@{result['revision']} --sha256 {result['sha256']}")
