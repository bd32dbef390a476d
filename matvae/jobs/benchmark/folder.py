"""The folder of a benchmark: what lies in it, and whether a run may begin, go on or replace it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data import open_structures
from ...data.sample_blocks import Progress
from ...errors import InputError, StoreError
from ..dataset import make_dataset
from ..files.outputs import atomic_output, check_output, remove
from ..fit import checkpoint_of

logger = logging.getLogger("matvae")
SCHEMA = 1
SETTINGS = "benchmark.json"
# What may differ between a run and the one that goes on with it: they say how long, and on how many it is measured.
FREE = ("max_time", "n_test", "device")


@dataclass(frozen=True)
class BenchmarkFolder:
    """Paths of a benchmark.

    Parameters
    ----------
    path : Path
        The folder, which `open_folder` has made.
    """

    path: Path

    @property
    def train(self) -> Path:
        """Store of structures to train on."""
        return self.path / "train.zarr"

    @property
    def test(self) -> Path:
        """Store of structures held out."""
        return self.path / "test.zarr"

    @property
    def model(self) -> Path:
        """The trained model; there when training has ended."""
        return self.path / "model.matvae"

    @property
    def page(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def result(self) -> Path:
        """All figures and settings."""
        return self.path / "result.json"

    def make_data(self, path: Path, *, n: int, size: int, seed: int, progress: Progress | None) -> bool:
        """Draw lines into a store, unless it is there and as large already; whether it was drawn."""
        if path.exists():
            there = open_structures(path)
            if len(there) == n and there.grid.shape == (size, size):
                logger.info("%d structures are there already: %s.", n, path)
                return False
        logger.info("Drawing %d structures of %d x %d pixels into %s.", n, size, size, path)
        make_dataset("lines", path, n=n, size=size, seed=seed, overwrite=True, progress=progress)
        return True


def open_folder(out: str | Path, settings: Mapping[str, Any], *, resume: bool, overwrite: bool) -> BenchmarkFolder:
    """Make the folder of a new run, or check that a run may go on in one that is there.

    Parameters
    ----------
    out : path
    settings : mapping
        What identifies the run, ready for JSON.
    resume : bool
        Go on with what is there; without anything, begin.
    overwrite : bool
        Begin anew: model and results that are there are removed, data are kept where they would be drawn again alike.

    Raises
    ------
    InputError
        If the folder exists and neither is asked for (or both), was not written by this, or belongs to a run with other
        settings.
    StoreError
        If it cannot be written, or its settings are damaged.
    """
    if resume and overwrite:
        raise InputError("A run either goes on (--resume) or begins anew (--overwrite), but both were asked for.")
    folder = BenchmarkFolder(Path(out))
    if (folder.path / SETTINGS).is_file() and not (resume or overwrite):
        raise InputError(
            f"{out} holds a benchmark already. Go on with it, or make its page again, with --resume (resume=True); "
            "begin anew with --overwrite (overwrite=True); or choose another folder."
        )
    check_output(folder.path, [], overwrite=resume or overwrite, replaceable=_is_benchmark)
    if not (folder.path / SETTINGS).is_file():
        folder.path.mkdir(exist_ok=True)
    else:
        known = _read_settings(folder.path / SETTINGS)
        if resume:
            _check_same(known, settings, out)
        else:
            for old in (folder.result, folder.page, folder.model, checkpoint_of(folder.model)):
                remove(old)
            if any(known.get(name) != settings[name] for name in ("n", "size", "seed")):
                remove(folder.train)
                remove(folder.test)
    write_json(folder.path / SETTINGS, {"schema": SCHEMA, **settings})
    return folder


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write values that are ready for JSON, whole or not at all."""
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _is_benchmark(path: Path) -> bool:
    return (path / SETTINGS).is_file() or (path.is_dir() and not any(path.iterdir()))


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["schema"] != SCHEMA:
            raise ValueError(f"it has schema {known['schema']}, not {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} does not say which benchmark the folder holds ({error}). Choose another folder."
        ) from error
    return dict(known)


def _check_same(known: Mapping[str, Any], settings: Mapping[str, Any], out: str | Path) -> None:
    for name, value in settings.items():
        if name not in FREE and known.get(name) != value:
            raise InputError(
                f"{out} holds a run with {name}={known.get(name)!r}, but {value!r} is asked for now. Go on with "
                "the same settings, begin anew with --overwrite, or choose another folder."
            )
