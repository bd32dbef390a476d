"""Room on the disk for results: refused before hours of work where it does not suffice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError
from .sizes import size_text

EXACT, AT_MOST, ABOUT = "exactly", "at most", "about"
# Parts of a result compress differently: it is refused if its first part says that it needs so many times what is free.
CERTAIN = 1.25
# Of the results that this process is writing, in the order in which they were begun.
_expected: list[Expected] = []


@dataclass
class Expected:
    """What is known of the size of a result while it is written.

    Attributes
    ----------
    target : Path
        Where it will be.
    n_bytes : int
        Its size.
    certainty : ``"exactly"``, ``"at most"`` or ``"about"``
        Compressed results take at most the size of their values, until a part of them is written and tells more.
    """

    target: Path
    n_bytes: int
    certainty: str = AT_MOST

    def learn(self, folder: Path, share: float) -> None:
        """Estimate the size from the first part of a compressed result; further parts are not looked at.

        Parameters
        ----------
        folder : Path
            In which the part has been written.
        share : float
            Of the result that has been written, above 0.

        Raises
        ------
        InputError
            If the whole will not fit on the disk.
        """
        if self.certainty != AT_MOST:
            return
        written = size_on_disk(folder)
        self.n_bytes, self.certainty = min(self.n_bytes, round(written / share)), ABOUT
        check_room(self.target, round(self.n_bytes / CERTAIN) - written, largest=0, what=f"The rest of {self.target}")


@contextmanager
def expecting(target: Path, n_bytes: int, *, exactly: bool = False) -> Iterator[Expected]:
    """State the size of a result for as long as it is written.

    Parameters
    ----------
    target : Path
        Where it will be.
    n_bytes : int
        Its size; of a compressed one, the size of its values.
    exactly : bool
        Whether it is one file of just this size.

    Raises
    ------
    InputError
        If there is no room for a result whose size is known exactly.
    """
    if exactly:
        check_room(target, n_bytes, largest=n_bytes, what=str(target))
    result = Expected(target, n_bytes, EXACT if exactly else AT_MOST)
    _expected.append(result)
    try:
        yield result
    finally:
        # By identity: equal ones are other results.
        _expected[:] = [each for each in _expected if each is not result]


def expected_results() -> list[Expected]:
    """Return what is known of the results that this process is writing."""
    return list(_expected)


def check_room(target: str | os.PathLike[str], total: int, *, largest: int, what: str) -> None:
    """Refuse a job whose files do not fit on the disk, or exceed the largest size of a file.

    Parameters
    ----------
    target : path
        A file or folder that will be written; its parent folder exists.
    total : int
        Bytes of all files that exist at the same time.
    largest : int
        Bytes of the largest of them.
    what : str
        Name of what is written, for the message.

    Raises
    ------
    InputError
        If there is less room. A quota is not known before it is exceeded.
    """
    folder, limit = Path(target).absolute().parent, _largest_file()
    free = free_room(target)
    if free < total:
        raise InputError(
            f"{what} needs about {size_text(total)} in {folder}, but {size_text(free)} are free. "
            "Free some space, or choose another folder."
        )
    if limit is not None and limit < largest:
        raise InputError(
            f"{what} needs a file of about {size_text(largest)}, but files may not grow beyond "
            f"{size_text(limit)} in this session. Raise the limit (ulimit -f), or ask your administrator to."
        )


def free_room(target: str | os.PathLike[str]) -> int:
    """Bytes that are free on the disk of a file or folder that will be written; its parent folder exists."""
    return shutil.disk_usage(Path(target).absolute().parent).free


def size_on_disk(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, in bytes."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _largest_file() -> int | None:
    """Largest size of a file that this process may write, or None if there is no limit."""
    if os.name != "posix":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
