"""Archives: files inside a .zip, which readers read without unpacking it to disk."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ...errors import InputError
from .source import DEFLATE_RATIO, check_declared_size, is_visible, natural_order


@dataclass(frozen=True)
class Member:
    """A file inside a .zip archive.

    Parameters
    ----------
    archive : Path
        The archive.
    name : str
        Path of the file inside it.
    """

    archive: Path
    name: str

    def __str__(self) -> str:
        return f"{self.archive} ({self.name})"

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the file for reading; going back to an earlier position decompresses it again from its start."""
        with zipfile.ZipFile(self.archive) as archive, archive.open(self.name) as file:
            yield file


def members(archive: Path, suffixes: Collection[str]) -> list[Member]:
    """List the files of an archive with one of the suffixes, in natural order, without hidden ones.

    Raises
    ------
    InputError
        If one declares more bytes than its compressed data can hold.
    """
    found = []
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            if PurePosixPath(entry.filename).suffix.lower() not in suffixes or not is_visible(entry.filename):
                continue
            if entry.flag_bits & 0x1:
                raise InputError(f"{archive} is encrypted. Unpack it with its password first.")
            member = Member(archive, entry.filename)
            if entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                ratio = 1.0 if entry.compress_type == zipfile.ZIP_STORED else DEFLATE_RATIO
                check_declared_size(str(member), entry.file_size, entry.compress_size, ratio)
            found.append(member)
    return sorted(found, key=natural_order)
