"""Downloading a measured data set, checking its hash, and writing it to a store."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from ...errors import MissingExtraError, StoreError
from ...grid import Grid
from ..store import StoreWriter
from .cards import Card
from .measured import write_measured

CACHE_VARIABLE = "MATVAE_CACHE"
_TIMEOUT_S = 30


def download_dataset(card: Card, out: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the data set that `card` describes to the store `out`.

    The file is kept in the cache (see `cache_folder`), so that it is downloaded only once.

    Raises
    ------
    InputError
        If `out` exists and may not be replaced, or its parent folder does not exist.
    StoreError
        If the file cannot be downloaded, is not the expected one, or `out` cannot be written.
    MissingExtraError
        If pooch, or the library that reads the file, is not installed.
    """
    # A new writer checks the path and writes nothing: an invalid path is reported before the download.
    StoreWriter(out, Grid((1,)), n_samples=1, overwrite=overwrite)
    with TemporaryDirectory(prefix="matvae-") as folder:
        source = _unpack(fetch(card), card, Path(folder))
        write_measured(card, source, {"url": card.url}, out, overwrite=overwrite)


def fetch(card: Card) -> Path:
    """Return the path of the file in the cache, downloaded if necessary and checked in any case.

    Raises
    ------
    StoreError
        If the file cannot be downloaded or written, or is not the expected one; nothing of it remains in the cache.
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
            f"The data set {card.name!r} could not be downloaded from {card.url}: {error}. Nothing was written. "
            "Check the network connection (and the proxy settings, if you use one), and try again."
        ) from error
    except ValueError as error:
        raise StoreError(
            f"The file at {card.url} is not the one described by the card of {card.name!r} (its SHA-256 differs), so "
            "it was removed and nothing was written. Try again; if the error persists, the original file has changed."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The data set {card.name!r} could not be saved in {cache_folder()}: {error}. Free some space, or set "
            f"{CACHE_VARIABLE} to a folder in which you may write."
        ) from error
    return Path(file)


def cache_folder() -> Path:
    """Return the folder for downloads: that in MATVAE_CACHE, or the cache folder of the system."""
    import pooch

    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("matvae"))


def _unpack(file: Path, card: Card, folder: Path) -> Path:
    if card.member is None:
        # pooch puts a hash before the name, but preserves the suffix, by which readers are chosen.
        return file
    with ZipFile(file) as archive:
        if card.member not in archive.namelist():
            raise StoreError(
                f"The archive {file} does not contain {card.member!r}, which the card of {card.name!r} names; it "
                f"contains {', '.join(archive.namelist()[:10])}. Correct the card."
            )
        # extract() removes absolute paths and "..", so that nothing is written outside the folder.
        return Path(archive.extract(card.member, folder))
