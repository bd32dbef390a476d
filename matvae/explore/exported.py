"""Structures as files to download, in every format that has a writer."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from ..data import Structures, write
from ..data.writers import WRITERS
from ..errors import InputError


def formats() -> list[dict[str, str]]:
    """Name and ending of every format."""
    return [{"name": name, "ending": WRITERS.get(name).suffixes[0]} for name in WRITERS.names()]


def export(structures: Structures, format: str, name: str) -> tuple[str, bytes, list[str]]:
    """Write structures as one file to download.

    Parameters
    ----------
    structures : Structures
    format : str
        Name of a writer.
    name : str
        Of the file, without ending.

    Returns
    -------
    (str, bytes, list of str)
        Name of the file, its content, and what its reader should know. Several files, and folders, become a zip.

    Raises
    ------
    InputError, MissingExtraError
        As `matvae.data.write`.
    """
    if format not in WRITERS.names():
        raise InputError(f"format must be one of {', '.join(WRITERS.names())}, but {format!r:.100} was given.")
    with tempfile.TemporaryDirectory(prefix="matvae-") as folder:
        target = Path(folder) / f"{name}{WRITERS.get(format).suffixes[0]}"
        written = write(structures, target, format, samples="all")
        files = written.files
        notes = list(written.notes)
        if len(files) == 1 and files[0].is_file():
            return files[0].name, files[0].read_bytes(), notes
        return f"{name}-{format}.zip", _zipped(Path(folder)), notes


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return content.getvalue()
