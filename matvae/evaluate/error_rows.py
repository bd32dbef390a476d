"""Errors of a model beside those of PCA in both metrics, the training mean and the floor: another true window.

Decoded statistics are measured on all structures; structures are realized for some of them, since that takes a tenth of
a second or more each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..crew import ALONE, Crew
from ..data import Structures
from ..errors import InputError
from ..estimator import FittedModel, TwoPointPCA
from ..estimator.pca import fit_variants
from ..estimator.textures import RETRIEVAL
from ..shown import Shown
from ..stats.metric import LAGS, METRICS, PLAIN
from .baseline import pca_like
from .errors import Scatter, StatisticsError
from .generated_sets import realization_method
from .lag_table import DecodedErrors, LagErrors, Summary, another_window
from .measure import Measurement, Observer, RoundTrip, decodes_statistics, round_trip

logger = logging.getLogger("matvae")
MEAN, FLOOR = "training mean", "another true window"
METRIC_NAMES = {PLAIN: "plain metric", LAGS: "lag metric"}
Step = Callable[[], None]


@dataclass(frozen=True, repr=False)
class ErrorRow(Shown):
    """Errors of one method.

    Parameters
    ----------
    method : str
        ``"training mean"``, ``"PCA"``, ``"matvae"`` or ``"another true window"``.
    n_components : int or None
    metric : str or None
        In which lags are weighted in the fit.
    realize : str or None
        How the structures of `realized` came about.
    decoded, realized : dict or None
        Errors of decoded statistics on all structures, and of the statistics of structures on some, as from
        `LagErrors.summary`; None where there are none.
    pooled : dict
        As from `StatisticsError.summary`: of matvae's structures where there are any, else of decoded statistics.
    """

    method: str
    n_components: int | None = None
    metric: str | None = None
    realize: str | None = None
    decoded: Summary | None = None
    realized: Summary | None = None
    pooled: dict[str, float | None] | None = None

    @property
    def name(self) -> str:
        """Method with components, metric and way to structures, as in a table."""
        parts = [self.method if self.n_components is None else f"{self.method} ({self.n_components})"]
        parts += [] if self.metric is None else [METRIC_NAMES[self.metric]]
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the values in a form that JSON can hold."""
        return asdict(self)


def fit_pcas(estimator: Any, training: Structures, n_components: int) -> list[TwoPointPCA]:
    """PCA in every metric, fitted on training structures."""
    return fit_variants(pca_like(estimator, n_components), training, [{"metric": metric} for metric in METRICS])


def training_mean(estimator: Any) -> np.ndarray:
    """Mean training statistics ``(*lag, correlation)`` that a model with a decoder of statistics holds."""
    model = FittedModel.of(estimator)
    return model.module.statistics_decoder.mean.cpu().numpy().reshape(model.statistics_shape)


class ErrorTable:
    """Collects the rows: first the observers see all structures, then some are realized.

    Parameters
    ----------
    estimator : StatsVAETransformer
        Fitted.
    pcas : sequence of TwoPointPCA
        Fitted, see `fit_pcas`; may be empty if the decoder gives statistics, so that it knows the training mean.
    crew : Crew
        Who realizes structures.

    Attributes
    ----------
    structures_of_pca : dict of str to dict
        Once there are rows: errors of the structures realized from PC scores, by metric, as from
        `StatisticsError.summary`.
    refusal : str
        Why no structures could be realized from PC scores; empty if they could.
    """

    def __init__(self, estimator: Any, pcas: list[TwoPointPCA], crew: Crew = ALONE) -> None:
        self.estimator = estimator
        self.crew = crew
        self.pcas = pcas
        self.mean = pcas[0].mean_ if pcas else training_mean(estimator)
        self.of_mean = DecodedErrors.of_mean(self.mean)
        self.of_model = DecodedErrors.of_model(self.mean)
        self.of_pcas = [DecodedErrors.of_pca(pca) for pca in pcas]
        self.structures_of_pca: dict[str, dict[str, float | None]] = {}
        self.refusal = ""

    @property
    def observers(self) -> list[Observer]:
        """Observers for `measure`, which has to decode."""
        return [self.of_mean, *self.of_pcas, self.of_model]

    @property
    def methods(self) -> list[str]:
        """Ways to structures: phase retrieval of decoded statistics, as with PCA, and the model's own if another."""
        own = realization_method(self.estimator)
        return list(dict.fromkeys([RETRIEVAL, own])) if decodes_statistics(self.estimator) else [own]

    @property
    def n_steps(self) -> int:
        """Number of times that `rows` calls `step`."""
        return len(self.pcas) + len(self.methods)

    def rows(
        self,
        measurement: Measurement,
        structures: np.ndarray,
        *,
        measured: RoundTrip | None = None,
        realize: bool = True,
        random_state: int = 0,
        step: Step | None = None,
    ) -> tuple[list[ErrorRow], np.ndarray | None]:
        """Realize structures, and put everything together.

        Parameters
        ----------
        measurement : Measurement
            Of all structures, seen by the observers.
        structures : array ``(sample, *space)``
            Some of them, for realizations and for the floor.
        measured : RoundTrip, optional
            Of `structures`, as `measure` reconstructed them (see `Kept`): the first of `methods`, which then is not
            done again.
        realize : bool
            Whether structures are realized.
        random_state : int
            Of the random starts of realizations.
        step : callable, optional
            Called whenever a method is done.

        Returns
        -------
        (list of ErrorRow, array ``(sample, *space)`` or None)
            The rows, and the realizations by the model's default method.
        """
        scatter = measurement.scatter
        rows = [ErrorRow(MEAN, decoded=self.of_mean.by_lag.summary(), pooled=self.of_mean.pooled.summary(scatter))]
        for pca, decoded in zip(self.pcas, self.of_pcas, strict=True):
            errors = self._realized_by_pca(pca, structures, random_state, step) if realize else None
            way = None if errors is None else RETRIEVAL
            pooled = decoded.pooled.summary(scatter)
            rows.append(ErrorRow("PCA", pca.n_components, pca.metric, way, decoded.by_lag.summary(), errors, pooled))
        n, metric = self.estimator.n_components, self.estimator.module_.spec.metric
        decoded_by_model = self.of_model.by_lag.summary()
        realizations = None
        for method in self.methods if realize else []:
            known = measured if method == self.methods[0] else None
            realizations, errors, pooled = self._realized(self.estimator, structures, method, random_state, step, known)
            rows.append(ErrorRow("matvae", n, metric, method, decoded_by_model, errors, pooled))
        if not realize:
            pooled = self.of_model.pooled.summary(scatter)
            rows.append(ErrorRow("matvae", n, metric, None, decoded_by_model, None, pooled))
        has_pairs = len(structures) > 1
        floor = another_window(np.asarray(self.estimator.statistics(structures)), self.mean) if has_pairs else None
        rows.append(ErrorRow(FLOOR, realized=floor))
        return rows, realizations

    def _realized_by_pca(
        self, pca: TwoPointPCA, structures: np.ndarray, random_state: int, step: Step | None
    ) -> Summary | None:
        """Errors of structures realized from PC scores; None, with a warning, where their statistics allow none."""
        try:
            _, errors, pooled = self._realized(pca, structures, RETRIEVAL, random_state, step)
        except InputError as error:
            logger.warning("No structures could be realized from PC scores: %s", error)
            self.refusal = str(error)
            return None
        self.structures_of_pca[pca.metric] = pooled
        return errors

    def _realized(
        self,
        estimator: Any,
        structures: np.ndarray,
        method: str,
        random_state: int,
        step: Step | None,
        known: RoundTrip | None = None,
    ) -> tuple[np.ndarray, Summary | None, dict[str, float | None]]:
        """Realizations of structures, and errors of their statistics, by lag and pooled."""
        name = "PCA" if isinstance(estimator, TwoPointPCA) else "matvae"
        trip = known
        if trip is None:
            logger.info("Realizing %d structures from latents of %s by %s.", len(structures), name, method)
            trip = round_trip(
                estimator, structures, decode=False, realize=method, random_state=random_state, crew=self.crew
            )
        by_lag, pooled = LagErrors(self.mean), StatisticsError()
        by_lag.add(trip.statistics, trip.reconstructed_statistics)
        pooled.add(trip.statistics, trip.reconstructed_statistics)
        if step is not None:
            step()
        return trip.reconstructions, by_lag.summary(), pooled.summary(_scatter(trip.statistics))


def _scatter(statistics: np.ndarray) -> Scatter:
    scatter = Scatter()
    scatter.add(statistics)
    return scatter
