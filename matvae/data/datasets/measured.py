"""Writing measured data sets to stores: a file with its licence and citation, and files kept beside their cards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import StoreError
from ..open import open_structures
from ..save import save_structures
from .cards import Card, cards_folder


def write_measured(
    card: Card, source: Path, origin: Mapping[str, Any], out: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write the structures in a file to the store `out`, with its origin, licence and citation.

    Raises
    ------
    InputError, StoreError, MissingExtraError
        As in `open_structures` and `save_structures`.
    """
    record = {"name": card.name, **origin, "sha256": card.sha256}
    attributes = {"dataset": record, "licence": card.licence, "citation": card.citation}
    structures = open_structures(source, periodic=card.periodic, **card.reader)
    save_structures(out, structures, attributes=attributes, overwrite=overwrite)


def write_bundled(card: Card, out: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the data set that `card` describes to the store `out`.

    Raises
    ------
    InputError
        If `out` exists and may not be replaced, or its parent folder does not exist.
    StoreError
        If the file is missing or is not the expected one, or `out` cannot be written.
    """
    source = bundled_file(card)
    write_measured(card, source, {"file": source.name}, out, overwrite=overwrite)


def bundled_file(card: Card) -> Path:
    """Return the path of the file beside the card, after a check of its hash.

    Raises
    ------
    StoreError
        If it is missing or is not the expected one.
    """
    source = cards_folder() / card.name / str(card.file)
    if not source.is_file():
        raise StoreError(
            f"The file of the data set {card.name!r} should be {source}, but is missing. Reinstall matvae."
        )
    if hashlib.sha256(source.read_bytes()).hexdigest() != card.sha256:
        raise StoreError(
            f"The file {source} is not the one that the card of {card.name!r} describes (its SHA-256 differs). "
            "Reinstall matvae."
        )
    return source
