"""Putting what is complete in its place: the last step of every result that is written whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path


def move_into_place(complete: Path, target: Path) -> None:
    """Give a complete file or folder its name; a folder of that name comes back if this fails.

    Parameters
    ----------
    complete : Path
        On the same file system as `target`.
    target : Path
        May exist; it is then replaced.
    """
    if not target.is_dir():
        complete.replace(target)
        return
    # A folder is not renamed over one that holds files: the old one steps aside until the new one is there.
    aside = complete.with_name(f"{complete.name}.replaced")
    target.rename(aside)
    try:
        complete.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside)
