"""Moving a complete result to its final path, the last step of every atomic write."""

from __future__ import annotations

import shutil
from pathlib import Path


def move_into_place(complete: Path, target: Path) -> None:
    """Rename a complete file or folder to its final path, and restore a folder it replaces if that fails.

    Parameters
    ----------
    complete : Path
        On the same file system as `target`.
    target : Path
        Final path; whatever exists there is replaced.
    """
    if not target.is_dir():
        complete.replace(target)
        return
    # A folder cannot be renamed over one that holds files, so the old one is set aside until the new one is in place.
    aside = complete.with_name(f"{complete.name}.replaced")
    target.rename(aside)
    try:
        complete.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside)
