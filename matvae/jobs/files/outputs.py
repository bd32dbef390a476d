"""Output paths: never inside an input, and overwritten only on request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import InputError, StoreError
from ...files import read_json

# Suffixes of the files that jobs write and may therefore overwrite on request.
FILE_SUFFIXES = (".npy", ".csv", ".png", ".pdf", ".svg")


def check_output(
    out: str | Path,
    inputs: Sequence[str | Path],
    *,
    overwrite: bool = False,
    replaceable: Callable[[Path], bool] | None = None,
) -> Path:
    """Check that an output can and may be written, before any work is done.

    Parameters
    ----------
    out : path
        File or store to write.
    inputs : sequence of path
        Paths that the job reads.
    overwrite : bool
        Whether an existing result may be replaced.
    replaceable : callable, optional
        Returns whether an existing path is such a result; by default `is_result`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If `out` exists and may not be replaced or was not written by matvae, if it is, contains or lies inside an
        input, or if its folder does not exist.
    StoreError
        If its folder is not writable.
    """
    target = Path(out)
    resolved = target.resolve()
    for source in (Path(path).resolve() for path in inputs):
        if resolved == source or source in resolved.parents or resolved in source.parents:
            raise InputError(
                f"The output {out} and the input {source} must not contain one another, since writing one would damage "
                "the other. Choose an output outside of the input."
            )
    if not resolved.parent.is_dir():
        raise InputError(f"The folder {resolved.parent} of the output {out} does not exist. Create it first.")
    if not os.access(resolved.parent, os.W_OK):
        raise StoreError(
            f"The folder {resolved.parent} is not writable. Choose another output, or change the permissions."
        )
    if target.exists():
        if not overwrite:
            raise InputError(f"{out} exists already. Choose another output, or pass --overwrite (overwrite=True).")
        if not (replaceable or is_result)(target):
            raise InputError(
                f"{out} exists and was not written by matvae, so it is not replaced. "
                "Remove it yourself, or choose another output."
            )
    return target


def is_result(path: Path) -> bool:
    """Return whether `path` is the result of a job: a store with matvae's attributes, or a file of results."""
    if path.is_dir():
        try:
            root = read_json(path / "zarr.json")
            return "matvae" in root["attributes"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
    return path.is_file() and path.suffix in FILE_SUFFIXES


def is_model(path: Path) -> bool:
    """Return whether `path` is a saved model."""
    return (path / "estimator.json").is_file()


def remove(path: Path) -> None:
    """Remove a file or folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
