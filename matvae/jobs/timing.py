"""How long parts of a job take on all data, measured on some: for jobs that consist of different parts."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

from sklearn.base import clone

from ..data import Structures
from ..forecast import Forecast, listening

# Voxels of the structures on which a fit is begun: their statistics are as many as PCA keeps in memory.
FIT_VOXELS = 1 << 27
# Structures with which a measurement begins, and how long it should take.
FIRST, SECONDS = 8, 1.0


def seconds_for_all(work: Callable[[int], object], n: int) -> float:
    """Seconds that work on `n` structures takes, from a growing number of first ones.

    Parameters
    ----------
    work : callable
        Takes the number of structures.
    n : int
    """
    some = min(n, FIRST)
    # Libraries are loaded, and files opened.
    work(some)
    while True:
        began = time.monotonic()
        work(some)
        seconds = time.monotonic() - began
        if some == n or seconds >= SECONDS:
            return seconds * n / some
        some = min(n, 4 * some)


def begin_fit(estimator: Any, structures: Structures) -> tuple[Any, float]:
    """Fit an estimator to some of the structures; networks keep the weights with which their training begins.

    Parameters
    ----------
    estimator : estimator
        It is not changed.
    structures : Structures
        For the fit.

    Returns
    -------
    (estimator, float)
        What was fitted, which takes as long to apply as after the whole fit, and the seconds that the latter takes.
    """
    some = structures[: max(2 * estimator.n_components, FIT_VOXELS // structures.grid.n_voxels)]
    share = len(structures) / len(some)
    trainings: list[Forecast] = []

    def without_training(forecast: Forecast) -> bool:
        trainings.append(forecast)
        return True

    begun = clone(estimator)
    started = time.monotonic()
    with listening(without_training), warnings.catch_warnings():
        # The job itself warns.
        warnings.simplefilter("ignore", UserWarning)
        begun.fit(some)
    seconds = time.monotonic() - started
    if not trainings:
        return begun, share * seconds
    (training,) = trainings
    seconds = share * (seconds - training.measured_seconds + training.seconds)
    return begun, seconds if estimator.max_time is None else min(seconds, estimator.max_time)
