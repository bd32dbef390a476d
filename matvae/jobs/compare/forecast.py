"""What a comparison will take, measured on one fit of each kind."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence

import numpy as np

from ...crew import Crew
from ...data import Structures
from ...evaluate.lag_table import DecodedErrors
from ...evaluate.linkage import linkage_scores
from ...evaluate.measure import latents_of, measure
from ...forecast import Forecast
from ..timing import begin_fit, seconds_for_all
from .contenders import Contender
from .split import properties_of


def forecast_comparison(
    entries: Sequence[Contender], training: Structures, test: Structures, names: Sequence[str], crew: Crew
) -> Forecast:
    """Begin one fit of each method, the one with most components, and measure it on some structures.

    Parameters
    ----------
    entries : sequence of Contender
        All that are compared.
    training, test : Structures
    names : sequence of str
        Properties that are predicted.
    crew : Crew
        Who encodes, decodes and reconstructs.
    """
    began = time.monotonic()
    seconds, mean = 0.0, None
    for method in dict.fromkeys(entry.method for entry in entries):
        of_method = [entry for entry in entries if entry.method == method]
        to_fit = [entry for entry in of_method if not entry.fitted]
        if to_fit:
            fitted, fit_seconds = begin_fit(to_fit[-1].estimator, training)
            seconds += len(to_fit) * fit_seconds
        else:
            fitted = of_method[-1].estimator
        # The first method is PCA, which knows the training mean.
        mean = fitted.mean_ if mean is None else mean
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            seconds += len(of_method) * _measuring_seconds(fitted, mean, training, test, crew)
    if names:
        seconds += len(entries) * _linking_seconds(entries[-1].n_components, training, test, names)
    work = f"{len(entries)} fits to {len(training)} structures, each measured on {len(test)} others"
    return Forecast(seconds, work, time.monotonic() - began, is_limit=True)


def _measuring_seconds(fitted: object, mean: np.ndarray, training: Structures, test: Structures, crew: Crew) -> float:
    def measure_some(n: int) -> None:
        measure(fitted, test[:n], DecodedErrors.of_model(mean), crew=crew)

    def encode_some(n: int) -> None:
        latents_of(fitted, training[:n], crew)

    return seconds_for_all(measure_some, len(test)) + seconds_for_all(encode_some, len(training))


def _linking_seconds(n_components: int, training: Structures, test: Structures, names: Sequence[str]) -> float:
    """Seconds of predicting all properties from latents, here random ones."""
    rng = np.random.default_rng(0)
    known, unseen = (rng.standard_normal((len(part), n_components)) for part in (training, test))
    began = time.monotonic()
    linkage_scores(known, properties_of(training, names), unseen, properties_of(test, names), seed=0)
    return time.monotonic() - began
