"""Measure a model of lines on structures it has not seen: the rows of a benchmark's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import Progress
from ...evaluate import LineErrors, register
from ...evaluate.baseline import PCABaseline
from ...evaluate.measure import Measurement, Observer, RoundTrip, measure
from ..lines import true_numbers

# As published, on 100 images; the reference and equations 1 to 3 are in `benchmark_paper`.
PUBLISHED = {
    "method": "paper, as published",
    "n_components": 9,
    "n_samples": 100,
    "orientation": 98.0,
    "number": 63.0,
    "number_each": None,
    "volume_fraction_difference": 17.0,
    "decoded_error": None,
    "structure_error": None,
    "published": True,
}
# Reconstructing a structure from PC scores takes a tenth of a second.
PCA_STRUCTURES = 100
# Larger numbers of lines are counted together with this one.
MOST_LINES = 6


@dataclass(frozen=True)
class LineMeasurement:
    """A model of lines on held-out structures.

    Parameters
    ----------
    measurement : Measurement
    lines : LineErrors
    means : mapping of str to array ``(y, x)``
        Fraction of the structures with a line at each pixel: of the ``original`` ones, of each ``reconstruction``, and
        of the reconstructions ``registered`` onto their originals.
    """

    measurement: Measurement
    lines: LineErrors
    means: Mapping[str, np.ndarray]


class MeanImages:
    """Mean originals, reconstructions and registered reconstructions; an observer of `measure`.

    Parameters
    ----------
    shape : (int, int)
        Of one image.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._n = 0
        self._sums = np.zeros((3, *shape))

    def __call__(self, trip: RoundTrip) -> None:
        """Add a block of structures."""
        registered = register(trip.reconstructions, trip.structures)
        self._n += len(trip.structures)
        self._sums += np.stack([images.sum(axis=0) for images in (trip.structures, trip.reconstructions, registered)])

    @property
    def means(self) -> dict[str, np.ndarray]:
        """``original``, ``reconstruction`` and ``registered``, each ``(y, x)``."""
        return dict(zip(("original", "reconstruction", "registered"), self._sums / self._n, strict=True))


def measure_lines(
    estimator: Any, test: Structures, *observers: Observer, element: int, progress: Progress | None = None
) -> LineMeasurement:
    """Measure an estimator on held-out structures of the data set ``lines``.

    Parameters
    ----------
    estimator : fitted estimator
        With `inverse_transform`.
    test : Structures
        With their numbers of lines.
    *observers : callable
        As in `matvae.evaluate.measure.measure`.
    element : int
        As in `matvae.evaluate.count_lines`.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    LineMeasurement
    """
    lines, images = LineErrors(element), MeanImages(test.grid.shape)
    measurement = measure(estimator, test, lines.observer(true_numbers(test)), images, *observers, progress=progress)
    return LineMeasurement(measurement, lines, images.means)


def result_row(measured: LineMeasurement, method: str) -> dict[str, Any]:
    """Figures of one method, in the form of the rows of `benchmark_paper`."""
    measurement, lines = measured.measurement, measured.lines.summary()
    return {
        "method": method,
        "n_components": measurement.latents.shape[1],
        "n_samples": len(measurement.latents),
        **{name: lines[name] for name in ("orientation", "number", "number_each")},
        "volume_fraction_difference": measurement.volume_fraction_difference,
        "decoded_error": measurement.decoded["relative_error"],
        "structure_error": measurement.reconstructed["relative_error"],
    }


def pca_row(baseline: PCABaseline, measurement: Measurement, test: Structures, *, element: int) -> dict[str, Any]:
    """Figures of PCA: statistics of all structures, and reconstructions of the first 100.

    Parameters
    ----------
    baseline : PCABaseline
        Of all of `test`.
    measurement : Measurement
        The one that `baseline` observed.
    test : Structures
    element : int
        As in `matvae.evaluate.count_lines`.
    """
    measured = measure_lines(baseline.pca, test[:PCA_STRUCTURES], element=element)
    row = result_row(measured, f"PCA ({baseline.pca.n_components})")
    return {**row, "decoded_error": baseline.error.summary(measurement.scatter)["relative_error"]}


def by_number(measured: LineMeasurement) -> list[dict[str, Any]]:
    """Figures of the structures with one line, with two, and so on.

    Returns
    -------
    list of dict
        ``lines``, ``n_samples``, and of these: ``number`` and ``orientation`` (percent right),
        ``volume_fraction_difference`` (mean, percent), ``structure_error`` (mean), and ``found``: numbers of
        reconstructions with 0, 1, ... lines, the last with six or more.
    """
    true, counted = measured.lines.numbers
    n_true, n_counted = true.sum(axis=1), counted.sum(axis=1)
    is_oriented = ((true > 0) == (counted > 0)).all(axis=1)
    original, reconstructed = measured.measurement.volume_fractions[..., 0]
    difference = np.abs(reconstructed - original) / original
    rows = []
    for n in np.unique(n_true):
        group = n_true == n
        rows.append(
            {
                "lines": int(n),
                "n_samples": int(group.sum()),
                "number": 100 * float((n_counted == n_true)[group].mean()),
                "orientation": 100 * float(is_oriented[group].mean()),
                "volume_fraction_difference": 100 * float(difference[group].mean()),
                "structure_error": float(measured.measurement.errors[group].mean()),
                "found": np.bincount(np.minimum(n_counted[group], MOST_LINES), minlength=MOST_LINES + 1).tolist(),
            }
        )
    return rows
