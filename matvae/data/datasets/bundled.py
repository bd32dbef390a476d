"""Writing a small measured data set, whose file is kept beside its card, to a store."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ...errors import StoreError
from ..open import open_structures
from ..save import save_structures
from .cards import Card, cards_folder


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
    record = {"name": card.name, "file": source.name, "sha256": card.sha256}
    attributes = {"dataset": record, "licence": card.licence, "citation": card.citation}
    structures = open_structures(source, periodic=card.periodic, **card.reader)
    save_structures(out, structures, attributes=attributes, overwrite=overwrite)


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
