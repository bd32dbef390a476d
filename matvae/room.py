"""Check that there is room on the disk for a result, before hours of work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import StoreError


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
    StoreError
        If there is less room. A quota is not known before it is exceeded.
    """
    folder = Path(target).absolute().parent
    free, limit = shutil.disk_usage(folder).free, _largest_file()
    if free < total:
        raise StoreError(
            f"{what} needs about {_text(total)} in {folder}, but {_text(free)} are free. Free some space, or choose "
            "another folder."
        )
    if limit is not None and limit < largest:
        raise StoreError(
            f"{what} needs a file of about {_text(largest)}, but files may not grow beyond {_text(limit)} in this "
            "session. Raise the limit (ulimit -f), or ask your administrator to."
        )


def _largest_file() -> int | None:
    """Largest size of a file that this process may write, or None if there is no limit."""
    if os.name != "posix":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _text(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.3g} MB"
