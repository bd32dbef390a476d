"""Structures of latents while a slider moves: quick, and less believable than realizations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ..estimator import FittedModel
from ..optimize.predicted import TextureDecoder
from ..optimize.windows import MeasuredWindows, TrainingWindows
from ..reconstruction import reconstruct
from .known import Known
from .measures import Measure, measured

# Of phase retrieval from the nearest window: the statistics are met within a few percent, in a few milliseconds.
ITERATIONS = 3


@dataclass(frozen=True)
class Preview:
    """Structure, statistics and predicted measures of one latent.

    Attributes
    ----------
    structure : ndarray ``(*space)``
    statistics : ndarray ``(*lag, correlation)``
        Decoded.
    values : list of float
        Of each measure; NaN where it is not defined.
    """

    structure: np.ndarray
    statistics: np.ndarray
    values: list[float]


class Previewer:
    """Previews the structures of a fitted model.

    A decoder of structures gives them itself. From decoded statistics a few iterations of phase retrieval lead from the
    known structure whose latent is nearest to one with these statistics; it starts from noise if none is known.

    Parameters
    ----------
    model : StatsVAETransformer
    known : Known
    """

    def __init__(self, model: Any, known: Known) -> None:
        self.fitted = FittedModel.of(model)
        self.known = known
        self.scale = np.maximum(known.latents.std(axis=0), 1e-12) if len(known) else 1.0
        self.predicted = None if self.fitted.decodes_structures else _decoder_of(model, known)

    def of(self, latent: np.ndarray) -> Preview:
        """Preview a latent ``(component,)``."""
        z = latent[None].astype(np.float32)
        statistics = self.fitted.decoded_statistics(z)
        measures = self.known.measures
        if self.predicted is None:
            structures = self.fitted.labels(z)
            values = measured(measures, structures, self.fitted.grid)[0]
        else:
            structures = self._retrieved(z, statistics)
            values = self._values(measures, z)
        return Preview(structures[0], statistics[0], values.tolist())

    def nearest(self, latent: np.ndarray) -> int | None:
        """Index of the known structure whose latent is nearest, in standard deviations; None if there are none."""
        if not len(self.known):
            return None
        return int(np.square((self.known.latents - latent) / self.scale).sum(1).argmin())

    def _retrieved(self, z: np.ndarray, statistics: np.ndarray) -> np.ndarray:
        spec = self.fitted.module.spec
        nearest = self.nearest(z[0])
        return reconstruct(
            statistics,
            grid=replace(self.fitted.grid, periodic=spec.periodic),
            correlations=spec.pairs,
            init=None if nearest is None else self.known.structures[nearest : nearest + 1],
            method="retrieval",
            max_iter=ITERATIONS,
            random_state=0,
            device=str(self.fitted.module.field_mean.device.type),
        ).structures

    def _values(self, measures: list[Measure], z: np.ndarray) -> np.ndarray:
        assert self.predicted is not None
        properties = {measure.name: measure.property for measure in measures}
        known = {name: property for name, property in properties.items() if self.predicted.predicts({name: property})}
        with torch.no_grad():
            found = self.predicted.soft_values(known, torch.from_numpy(z))[0].tolist() if known else []
        values = dict(zip(known, found, strict=True))
        return np.array([values.get(name, np.nan) for name in properties])


def _decoder_of(model: Any, known: Known) -> TextureDecoder:
    """Decoder of measures: those that it does not give are learned from the known structures."""
    properties = {
        measure.name: measure.property
        for k, measure in enumerate(known.measures)
        if len(known) and np.isfinite(known.values[:, k]).any()
    }
    columns = [k for k, measure in enumerate(known.measures) if measure.name in properties]
    if not columns:
        return TextureDecoder.of(model, {}, None)
    windows = TrainingWindows(known.latents, known.structures)
    measured_windows = MeasuredWindows(known.latents, known.structures, known.values[:, columns], windows)
    return TextureDecoder.of(model, properties, measured_windows)
