"""Jobs on the card of a saved model: show or correct it, and write the errors that were measured into it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._version import __version__
from ..data import Structures
from ..errors import StoreError
from ..estimator import ModelCard, load
from ..estimator.card import MeasuredErrors
from ..estimator.card_page import card_facts
from ..estimator.pretrained import model_folder
from ..estimator.saving import model_sha256, save_card
from ..evaluate.lag_table import ALL
from ..given import given


def edit_card(
    model: str | Path,
    *,
    name: str | None = None,
    licence: str | None = None,
    citation: str | None = None,
    source: str | None = None,
    uses: str | None = None,
    limits: str | None = None,
) -> dict[str, Any]:
    """Show the card of a model, after correcting what is given.

    Parameters
    ----------
    model : path
        Saved model.
    name, licence, citation, source : str, optional
        Of the data: a name, the terms of use, the publication to cite, and where they come from.
    uses, limits : str, optional
        What the model may be used for, and what not.

    Returns
    -------
    dict
        ``model``, ``sha256`` (of the model, which changes with its card), ``card`` (see `ModelCard`) and ``facts``,
        the card in words by name.

    Raises
    ------
    InputError
        If a text is not one printable line.
    StoreError
        If the model is damaged or cannot be written.
    """
    changes = {
        "name": name,
        "licence": licence,
        "citation": citation,
        "source": source,
        "uses": uses,
        "limits": limits,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    estimator = load(model)
    if changes:
        check_writable(model)
        estimator.card_ = ModelCard.from_dict({**estimator.card_.to_dict(), **changes})
        save_card(estimator, model)
    return {
        "model": str(model),
        "sha256": model_sha256(model_folder(model)),
        "card": estimator.card_.to_dict(),
        "facts": card_facts(estimator),
    }


def check_writable(model: str | Path) -> None:
    """Refuse to change a model in a folder that cannot be written.

    Raises
    ------
    StoreError
        If it cannot.
    """
    if not os.access(model_folder(model).resolve().parent, os.W_OK):
        raise StoreError(f"The card of {model} cannot be changed: its folder is not writable. Copy the model first.")


def write_errors(
    estimator: Any,
    model: str | Path,
    data: str | Path,
    structures: Structures,
    rows: Sequence[Mapping[str, Any]],
    n_realized: int,
    summary: str,
) -> None:
    """Write errors into the card of a saved model.

    Parameters
    ----------
    estimator : StatsVAETransformer
        Loaded from `model`.
    model, data : path
    structures : Structures
        Those that were measured, from `data`.
    rows : sequence of dict
        As in the result of `evaluate_model`.
    n_realized : int
        Structures that were realized.
    summary : str
        The errors in words; empty if there are none.
    """
    of_data = ModelCard.of_data(given(structures))
    lags = [key for row in rows for key in (row["decoded"] or row["realized"] or ()) if key != ALL]
    short = lags[0] if lags else None
    measured = MeasuredErrors(
        data=of_data.name or Path(data).name,
        n_windows=len(structures),
        n_realized=n_realized,
        split=estimator.card_.split_from(of_data),
        short=short,
        rows=tuple(
            {
                "name": row["method"],
                "realize": row["realize"],
                **{
                    f"{kind}_{reach}": _centred(row[kind], key)
                    for kind in ("decoded", "realized")
                    for reach, key in (("short", short), ("all", ALL))
                },
            }
            for row in rows
        ),
        summary=summary or "see the table",
        version=__version__,
    )
    estimator.card_ = replace(estimator.card_, measured=measured)
    save_card(estimator, model)


def _centred(errors: Mapping[str, Mapping[str, float]] | None, lags: str | None) -> float | None:
    """Median centred error at some lags, if there is one."""
    return None if errors is None or lags is None or lags not in errors else errors[lags]["centred"]
