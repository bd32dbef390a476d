"""Job that reads everything in a result, names what is damaged, and removes it where it can be made again alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..data.layout import further_attributes, is_store
from ..data.sample_blocks import Progress
from ..data.verify import Damage, verify_group
from ..errors import InputError, StoreError
from ..files import read_json, unfinished
from .files.outputs import is_model

# Kinds of results of which a job makes missing files again with --resume.
REDONE_BY = {"statistics": "matvae stats", "latents": "matvae transform", "data set": "matvae dataset make"}


def verify(path: str | Path, *, repair: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Read every file of a store, of statistics, latents or a model.

    Parameters
    ----------
    path : path
        What matvae wrote.
    repair : bool
        Remove damaged files, so that the job that made them makes them again with ``resume``. This is done for
        statistics, latents and generated data sets only: of other results, a damaged file may hold samples that are
        sound and exist nowhere else.
    progress : callable, optional
        Called with the number of files that are done and their total.

    Returns
    -------
    dict
        ``path``, ``kind``, ``files`` (their number), ``damaged`` (a list of ``array``, ``file``, ``samples`` and
        ``reason``), ``removed`` (a list of files) and ``advice`` (what to do next; None if nothing is damaged).

    Raises
    ------
    InputError
        If there is nothing at `path` that matvae wrote.
    StoreError
        If a model or metadata are damaged, which leaves nothing to be repaired.
    """
    folder = Path(path)
    if is_model(folder):
        from ..estimator import load
        from ..estimator.saving import ESTIMATOR

        load(folder)
        return _result(path, "model", len(read_json(folder / ESTIMATOR)["sha256"]), [], [], None)
    if not is_store(folder):
        raise InputError(
            f"{path} was not written by matvae, so there are no checksums to verify. Give a store, statistics, latents "
            "(.zarr) or a model."
        )
    kind = _kind(folder)
    n_files, damaged = verify_group(folder, progress)
    command = REDONE_BY.get(kind)
    removed: list[Path] = []
    if damaged and repair and command is not None:
        with unfinished(folder):
            removed = [each.file for each in damaged if each.file.exists()]
            for file in removed:
                file.unlink()
    return _result(path, kind, n_files, damaged, removed, _advice(folder, command, repair) if damaged else None)


def _kind(folder: Path) -> str:
    """Kind of a result: one of those in `REDONE_BY`, or structures."""
    for kind, array in (("statistics", "statistics"), ("latents", "latent")):
        if (folder / array / "zarr.json").is_file():
            return kind
    try:
        attributes = further_attributes(read_json(folder / "zarr.json")["attributes"]["matvae"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StoreError(f"The metadata of {folder} are damaged ({error}). Restore it from a copy.") from error
    # What is made from a data set states more than its record, and only of generated ones is there a seed.
    record = attributes.pop("dataset", None)
    return "data set" if isinstance(record, dict) and "seed" in record and not attributes else "structures"


def _advice(folder: Path, command: str | None, repair: bool) -> str:
    if command is None:
        return (
            f"The job that wrote {folder} cannot make single files again, so nothing is removed: restore it from a "
            "copy, or run that job again with --overwrite."
        )
    if not repair:
        return f"Remove these files with --repair; `{command} ... --resume` then makes only them again."
    return f"Make them again: the command that wrote {folder} ({command}), with the same arguments and --resume."


def _result(
    path: str | Path, kind: str, n_files: int, damaged: list[Damage], removed: list[Path], advice: str | None
) -> dict[str, Any]:
    return {
        "path": str(path),
        "kind": kind,
        "files": n_files,
        "damaged": [
            {"array": each.array, "file": str(each.file), "samples": list(each.samples), "reason": each.reason}
            for each in damaged
        ],
        "removed": [str(file) for file in removed],
        "advice": advice,
    }
