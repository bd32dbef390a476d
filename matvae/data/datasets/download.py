"""Fetch a measured data set, check that it is the expected file, and write it as a store."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from ...errors import MissingExtraError, StoreError
from ...grid import Grid
from ..open import open_structures
from ..save import save_structures
from ..store import StoreWriter
from .cards import Card

CACHE_VARIABLE = "MATVAE_CACHE"
_TIMEOUT_S = 30


def download_dataset(card: Card, out: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the data set that `card` describes to the store `out`.

    The file is kept in the cache (see `cache_folder`), so it is fetched once.

    Raises
    ------
    InputError
        If `out` exists and may not be replaced, or lies in no folder.
    StoreError
        If the file cannot be fetched, is not the expected one, or `out` cannot be written.
    MissingExtraError
        If pooch, or the library that reads the file, is not installed.
    """
    # Making a writer checks the place and writes nothing, so a wrong one is told before the download.
    StoreWriter(out, Grid((1,)), n_samples=1, overwrite=overwrite)
    record = {"name": card.name, "url": card.url, "sha256": card.sha256}
    attributes = {"dataset": record, "licence": card.licence, "citation": card.citation}
    with TemporaryDirectory(prefix="matvae-") as folder:
        source = _unpacked(fetch(card), card, Path(folder))
        structures = open_structures(source, periodic=card.periodic, **card.reader)
        save_structures(out, structures, attributes=attributes, overwrite=overwrite)


def fetch(card: Card) -> Path:
    """Path of the card's file in the cache, downloaded if it is not there yet and checked in any case.

    Raises
    ------
    StoreError
        If it cannot be fetched or written, or is not the expected file; the cache then keeps nothing of it.
    MissingExtraError
        If pooch is not installed.
    """
    try:
        import pooch
        from requests import RequestException
    except ImportError as error:
        raise MissingExtraError(
            f"Downloading the data set {card.name!r} needs pooch; install it with: pip install 'matvae[download]'"
        ) from error
    try:
        file = pooch.retrieve(
            card.url,
            known_hash=f"sha256:{card.sha256}",
            path=cache_folder(),
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_S),
        )
    except RequestException as error:
        raise StoreError(
            f"The data set {card.name!r} could not be downloaded from {card.url}: {error}. Check the network "
            "connection (and the proxy settings, if you need one) and try again; nothing was written."
        ) from error
    except ValueError as error:
        raise StoreError(
            f"The file at {card.url} is not the one the card of {card.name!r} describes (its SHA-256 "
            "differs), so it was removed and nothing was written. Try again; if it stays so, the file "
            "was changed at its source."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The data set {card.name!r} could not be kept in {cache_folder()}: {error}. Free some space, or "
            f"set {CACHE_VARIABLE} to a folder you may write to."
        ) from error
    return Path(file)


def cache_folder() -> Path:
    """Folder that keeps downloads: what MATVAE_CACHE says, or the system's place for caches."""
    import pooch

    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("matvae"))


def _unpacked(file: Path, card: Card, folder: Path) -> Path:
    if card.member is None:
        # pooch puts a hash before the name; readers look at the ending only, which stays.
        return file
    with ZipFile(file) as archive:
        if card.member not in archive.namelist():
            raise StoreError(
                f"The archive {file} holds no {card.member!r}, which the card of {card.name!r} names; it "
                f"holds {', '.join(archive.namelist()[:10])}. Mend the card."
            )
        # extract() drops absolute paths and "..", so nothing lands outside the folder.
        return Path(archive.extract(card.member, folder))
