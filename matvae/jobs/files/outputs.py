"""Where results go: never into their own input, complete or not at all, and over nothing unasked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...errors import InputError, StoreError
from ...files import move_into_place

# Files a job writes, and so may write anew when asked to.
FILE_SUFFIXES = (".npy", ".csv", ".png", ".pdf", ".svg")


def check_output(
    out: str | Path,
    inputs: Sequence[str | Path],
    *,
    overwrite: bool = False,
    replaceable: Callable[[Path], bool] | None = None,
) -> Path:
    """Refuse an output that cannot or must not be written, before any work is done.

    Parameters
    ----------
    out : path
        File or store that is to be written.
    inputs : sequence of path
        What the job reads.
    overwrite : bool
        Whether an existing result may be replaced.
    replaceable : callable, optional
        Tells whether what is there is such a result; by default `is_result`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If `out` exists (and may not be replaced), is an input, lies inside one or contains one, is something
        matvae did not write, or if its folder does not exist.
    StoreError
        If its folder cannot be written to.
    """
    target = Path(out)
    place = target.resolve()
    for source in (Path(i).resolve() for i in inputs):
        if place == source or source in place.parents or place in source.parents:
            raise InputError(
                f"The output {out} and the input {source} lie inside one another, so writing one would "
                "damage the "
                "other. Choose an output outside of the input."
            )
    if not place.parent.is_dir():
        raise InputError(f"The folder {place.parent} of the output {out} does not exist. Create it first.")
    if not os.access(place.parent, os.W_OK):
        raise StoreError(
            f"The folder {place.parent} cannot be written to. Choose another output, or change its rights."
        )
    if target.exists():
        if not overwrite:
            raise InputError(f"{out} exists already. Choose another output, or ask for --overwrite (overwrite=True).")
        if not (replaceable or is_result)(target):
            raise InputError(
                f"{out} exists and was not written by matvae, so it is not replaced. Remove it yourself, or "
                "choose "
                "another output."
            )
    return target


def is_result(path: Path) -> bool:
    """Whether `path` is something a job writes: a store with matvae's attributes, or a file of results."""
    if path.is_dir():
        try:
            root = json.loads((path / "zarr.json").read_text())
            return "matvae" in root["attributes"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
    return path.is_file() and path.suffix in FILE_SUFFIXES


@contextmanager
def atomic_output(out: Path) -> Iterator[Path]:
    """Give a temporary path beside `out` that takes its place when the block ends without an error.

    On an error or interrupt the temporary is removed and an existing `out` stays as it was.
    """
    # The suffix stays at the end: libraries choose the format by it.
    temporary = out.with_name(f".{out.stem}.{os.getpid()}.partial{out.suffix}")
    try:
        yield temporary
        move_into_place(temporary, out)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
