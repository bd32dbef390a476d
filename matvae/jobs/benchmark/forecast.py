"""What a benchmark will take, measured on a small part of each of its stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...data import Structures, open_structures
from ...estimator import StatsVAETransformer
from ...evaluate.baseline import pca_like
from ...evaluate.neighbours import find_neighbours
from ...forecast import Forecast, listening
from ...room import ABOUT, expecting, size_on_disk
from ..dataset import make_dataset
from ..timing import begin_fit, seconds_for_all
from .collect import SEARCHED_VOXELS
from .folder import BenchmarkFolder
from .materials_run import Effort, run_material
from .materials_windows import Material, cut, read_picture
from .measure import PCA_STRUCTURES, measure_lines
from .settings import BenchmarkSettings

# Structures of the part.
SOME = 256
# Structures whose neighbours are searched.
QUERIES = 8
# A model, and the state of its training.
MODEL_COPIES = 5
# Share of the windows of a material, and least numbers for training, validation and test.
SHARE, LEAST_TRAINING, LEAST_HELD_OUT = 0.25, 50, 10
# Windows that are realized.
REALIZED = 2


@contextmanager
def forecast_paper(folder: BenchmarkFolder, settings: BenchmarkSettings, pca_samples: int) -> Iterator[Forecast]:
    """Draw some structures, begin every training on them, and measure what comes out; state the room on the disk.

    Parameters
    ----------
    folder : BenchmarkFolder
        A part of the data is written there, and removed.
    settings : BenchmarkSettings
    pca_samples : int
        Most structures that PCA is fitted on.
    """
    began = time.monotonic()
    n_all = settings.n + settings.n_test
    n_searched = min(settings.n, max(1, SEARCHED_VOXELS // settings.size**2))
    with TemporaryDirectory(dir=folder.path, prefix=".part-") as temporary:
        path = Path(temporary) / "part.zarr"
        n_some = min(SOME, n_all)
        make_dataset("lines", path, n=n_some, size=settings.size, seed=settings.seed)
        seconds = n_all * (time.monotonic() - began) / n_some
        part, n_bytes = open_structures(path), size_on_disk(path) * n_all / n_some
        for of_model in (settings, *settings.companions.values()):
            estimator = StatsVAETransformer(**of_model.parameters, random_state=settings.seed, periodic=True)
            fitted, _ = begin_fit(estimator, part)
            n_bytes += MODEL_COPIES * sum(tensor.nbytes for tensor in fitted.module_.state_dict().values())
            # The time of a training is limited, and used up.
            seconds += of_model.max_time
            seconds += _measuring_seconds(fitted, part, settings.n_test, settings.element)
        pca, fit_seconds = begin_fit(pca_like(fitted, settings.n_components), part)
        seconds += fit_seconds * min(pca_samples, settings.n) / len(part)
        seconds += _measuring_seconds(pca, part, min(PCA_STRUCTURES, settings.n_test), settings.element)
        seconds += _searching_seconds(fitted, part, n_searched)
    work = (
        f"drawing {n_all} structures, {settings.max_time:g} s of training for each model, and measuring "
        f"{settings.n_test} structures"
    )
    with expecting(folder.train, round(n_bytes)) as expected:
        expected.certainty = ABOUT
        yield Forecast(seconds, work, time.monotonic() - began)


def forecast_materials(
    materials: Sequence[Material], data: str | Path, effort: Effort, seeds: Sequence[int]
) -> Forecast:
    """Run every material with few windows and one number of components, with and without realizing structures.

    Parameters
    ----------
    materials : sequence of Material
    data : path
    effort : Effort
        Of the whole benchmark.
    seeds : sequence of int
    """
    began = time.monotonic()
    seconds = 0.0
    least = replace(
        effort,
        n_components=(effort.realized_at,),
        most_training=LEAST_TRAINING,
        most_held_out=LEAST_HELD_OUT,
        n_realized=min(effort.n_realized, REALIZED),
        image_seconds=0.0,
    )
    # Libraries are loaded in the first run.
    _run_seconds(materials[0], read_picture(materials[0], data), seeds[0], least)
    for material in materials:
        picture = read_picture(material, data)
        some = replace(
            least,
            most_training=max(LEAST_TRAINING, round(SHARE * effort.most_training)),
            most_held_out=max(LEAST_HELD_OUT, round(SHARE * effort.most_held_out)),
            n_realized=0,
        )
        of_fits = _run_seconds(material, picture, seeds[0], some)
        share = _n_windows(material, picture, seeds[0], effort) / _n_windows(material, picture, seeds[0], some)
        per_run = len(effort.n_components) * share * of_fits + effort.image_seconds
        if effort.n_realized:
            # Larger structures are realized as well, always as many.
            few, more = (
                _run_seconds(material, picture, seeds[0], replace(some, n_realized=n)) for n in (REALIZED, 2 * REALIZED)
            )
            each = max(0.0, more - few) / REALIZED
            per_run += max(0.0, few - of_fits) + each * (effort.n_realized - REALIZED)
        seconds += len(seeds) * per_run
    names = ", ".join(material.name for material in materials)
    work = f"{names}, each with {len(seeds)} seed{'' if len(seeds) == 1 else 's'}"
    return Forecast(seconds, work, time.monotonic() - began)


def _measuring_seconds(fitted: Any, part: Structures, n_test: int, element: int) -> float:
    return _for_all(lambda n: measure_lines(fitted, part[:n], element=element), len(part), n_test)


def _searching_seconds(fitted: Any, part: Structures, n_searched: int) -> float:
    queries = part[:QUERIES].data.compute()
    return _for_all(lambda n: find_neighbours(fitted, queries, part[:n], 1), len(part), n_searched)


def _for_all(work: Callable[[int], object], n_part: int, n_all: int) -> float:
    """Seconds of work on `n_all` structures, of which there are `n_part`."""
    n = min(n_part, n_all)
    return seconds_for_all(work, n) * n_all / n


def _run_seconds(material: Material, picture: np.ndarray, seed: int, effort: Effort) -> float:
    began = time.monotonic()
    with TemporaryDirectory() as folder, listening(None):
        run_material(material, picture, seed, effort, Path(folder) / "run.json")
    return time.monotonic() - began


def _n_windows(material: Material, picture: np.ndarray, seed: int, effort: Effort) -> int:
    windows = cut(material, picture, seed, most_training=effort.most_training, most_held_out=effort.most_held_out)
    return len(windows.training) + len(windows.test)
