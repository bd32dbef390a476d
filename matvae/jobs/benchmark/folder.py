"""The folder of a benchmark: its files, and whether a run may start, resume or replace it."""

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
from ...files import atomic_output, read_json
from ..dataset import make_dataset
from ..files.outputs import check_output, remove

logger = logging.getLogger("matvae")
SCHEMA = 1
SETTINGS = "benchmark.json"
# Settings that may change when a run is resumed: its duration, the number of held-out structures, the device.
FREE = ("max_time", "n_test", "device")


@dataclass(frozen=True)
class BenchmarkFolder:
    """Paths of a benchmark.

    Parameters
    ----------
    path : Path
        The folder, created by `open_folder`.
    """

    path: Path

    @property
    def train(self) -> Path:
        """Store of structures to train on."""
        return self.path / "train.zarr"

    @property
    def test(self) -> Path:
        """Store of held-out structures."""
        return self.path / "test.zarr"

    @property
    def model(self) -> Path:
        """The trained model; it exists once training has ended."""
        return self.path / "model.matvae"

    def companion(self, preset: str) -> Path:
        """The trained model of a preset that is measured in addition."""
        return self.path / f"{preset}.matvae"

    @property
    def page(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def result(self) -> Path:
        """All figures and settings."""
        return self.path / "result.json"

    def make_data(self, path: Path, *, n: int, size: int, seed: int, progress: Progress | None) -> bool:
        """Draw lines into a store unless it exists with that size already; return whether it was drawn."""
        if path.exists():
            existing = open_structures(path)
            if len(existing) == n and existing.grid.shape == (size, size):
                logger.info("%d structures exist already: %s.", n, path)
                return False
        logger.info("Drawing %d structures of %d x %d pixels into %s.", n, size, size, path)
        make_dataset("lines", path, n=n, size=size, seed=seed, overwrite=True, progress=progress)
        return True


def open_folder(out: str | Path, settings: Mapping[str, Any], *, resume: bool, overwrite: bool) -> BenchmarkFolder:
    """Create the folder of a new run, or check that a run may be resumed in an existing one.

    Parameters
    ----------
    out : path
    settings : mapping
        Settings that identify the run, ready for JSON.
    resume : bool
        Continue an existing run, or start a new one if there is none.
    overwrite : bool
        Start again: the existing model and results are removed; data are kept if the same would be drawn again.

    Raises
    ------
    InputError
        If the folder exists and neither or both are asked for, or if it was not written by a benchmark or belongs to a
        run with other settings.
    StoreError
        If it cannot be written, or its settings are damaged.
    """
    if resume and overwrite:
        raise InputError("A run is either resumed (--resume) or started again (--overwrite), but both were asked for.")
    folder = BenchmarkFolder(Path(out))
    if (folder.path / SETTINGS).is_file() and not (resume or overwrite):
        raise InputError(
            f"{out} holds a benchmark already. Continue it, or rewrite its page, with --resume (resume=True); "
            "start again with --overwrite (overwrite=True); or choose another folder."
        )
    check_output(folder.path, [], overwrite=resume or overwrite, replaceable=_is_benchmark)
    if not (folder.path / SETTINGS).is_file():
        folder.path.mkdir(exist_ok=True)
    else:
        stored = _read_settings(folder.path / SETTINGS)
        if resume:
            _check_same(stored, settings, out)
        else:
            # An interrupted training leaves its state without a model.
            trained = [*folder.path.glob("*.matvae"), *folder.path.glob("*.matvae.checkpoint")]
            for old in (folder.result, folder.page, *trained):
                remove(old)
            if any(stored.get(name) != settings[name] for name in ("n", "size", "seed")):
                remove(folder.train)
                remove(folder.test)
    write_json(folder.path / SETTINGS, {"schema": SCHEMA, **settings})
    return folder


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write values that are ready for JSON, completely or not at all."""
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def is_new(path: Path) -> bool:
    """Whether a folder holds nothing, or only what a run that was killed at its very beginning has left."""
    return path.is_dir() and all(file.name.endswith(".partial") for file in path.iterdir())


def _is_benchmark(path: Path) -> bool:
    return (path / SETTINGS).is_file() or is_new(path)


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        stored = read_json(path)
        if stored["schema"] != SCHEMA:
            raise ValueError(f"it has schema {stored['schema']}, not {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} does not describe the benchmark in the folder ({error}). Choose another folder."
        ) from error
    return dict(stored)


def _check_same(stored: Mapping[str, Any], settings: Mapping[str, Any], out: str | Path) -> None:
    for name, value in settings.items():
        if name not in FREE and stored.get(name) != value:
            raise InputError(
                f"{out} holds a run with {name}={stored.get(name)!r}, but {value!r} was given. Resume with the same "
                "settings, start again with --overwrite, or choose another folder."
            )
