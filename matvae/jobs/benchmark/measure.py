"""What a benchmark measures on structures that the model has not seen, one number a structure and their means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import Progress, sample_blocks
from ...estimator import TwoPointPCA
from ...evaluate import LineErrors, Scatter, StatisticsError, VolumeFractionError, register
from ..measure import block_size

# As published, on 100 images; equations 1 to 3 and the reference are in `benchmark_paper`.
PUBLISHED = {
    "method": "paper, as published",
    "n_samples": 100,
    "orientation": 98.0,
    "number": 63.0,
    "volume_fraction_difference": 17.0,
}
# Structures from PCA's statistics take a tenth of a second each.
PCA_STRUCTURES = 100
# Numbers of lines beyond this are counted together.
MOST_LINES = 6


@dataclass(frozen=True)
class Measured:
    """Numbers of every held-out structure.

    Parameters
    ----------
    row : dict
        Errors of the set, in the form of the rows of `benchmark_paper`.
    latents : array ``(sample, component)``
    errors : array ``(sample,)``
        Relative error of the statistics of the thresholded reconstruction.
    true, found : array of int ``(sample, 2)``
        Horizontal and vertical lines of originals and reconstructions.
    fractions : array ``(sample, 2)``
        Volume fractions of originals and reconstructions.
    means : mapping of str to array ``(y, x)``
        Share of the structures that have a line there: of the ``original`` ones, of each ``reconstruction``, and of
        these ``registered``, moved onto their originals.
    """

    row: dict[str, Any]
    latents: np.ndarray
    errors: np.ndarray
    true: np.ndarray
    found: np.ndarray
    fractions: np.ndarray
    means: Mapping[str, np.ndarray]


def measure_lines(
    estimator: Any, test: Structures, *, method: str, element: int, progress: Progress | None = None
) -> Measured:
    """Take held-out structures to their latents and back, and measure what came back.

    Parameters
    ----------
    estimator : fitted estimator
        With `transform`, `inverse_transform`, `statistics` and `inverse_statistics`.
    test : Structures
        Of the data set ``lines``, with their numbers of lines.
    method : str
        What the row is called.
    element : int
        As in `matvae.evaluate.count_lines`.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    Measured
    """
    scatter, soft, sharp, volume = Scatter(), StatisticsError(), StatisticsError(), VolumeFractionError()
    lines = LineErrors(element)
    numbers = np.stack([test.properties["n_horizontal"], test.properties["n_vertical"]], axis=1)
    latents, fractions, sums = [], [], np.zeros((3, *test.grid.shape))
    for start, block in sample_blocks(test.data, block_size(estimator, test)):
        z, f = np.asarray(estimator.transform(block)), np.asarray(estimator.statistics(block))
        made = np.asarray(estimator.inverse_transform(z, random_state=0))
        scatter.add(f)
        soft.add(f, np.asarray(estimator.inverse_statistics(z)).reshape(f.shape))
        sharp.add(f, np.asarray(estimator.statistics(made)))
        volume.add(block, made)
        lines.add(block, made, numbers[start : start + len(block)])
        latents.append(z)
        fractions.append(np.stack([block.mean((1, 2)), made.mean((1, 2))], axis=1))
        sums += np.stack([images.sum(0) for images in (block, made, register(made, block))])
        if progress is not None:
            progress(start + len(block), len(test))
    true, found = lines.numbers
    counted = lines.summary()
    row = {
        "method": method,
        "n_components": int(latents[0].shape[1]),
        "n_samples": len(test),
        **{name: counted[name] for name in ("orientation", "number", "number_each")},
        "volume_fraction_difference": volume.percent,
        "decoded_error": soft.summary(scatter)["relative_error"],
        "structure_error": sharp.summary(scatter)["relative_error"],
    }
    means = dict(zip(("original", "reconstruction", "registered"), sums / len(test), strict=True))
    return Measured(row, np.concatenate(latents), sharp.relative, true, found, np.concatenate(fractions), means)


def measure_pca(pca: TwoPointPCA, test: Structures, *, element: int) -> dict[str, Any]:
    """A row for PCA: errors of its statistics on all structures, and of structures made from them on the first 100."""
    scatter, error = Scatter(), StatisticsError()
    for _, block in sample_blocks(test.data, block_size(pca, test)):
        f = np.asarray(pca.statistics(block))
        scatter.add(f)
        error.add(f, np.asarray(pca.inverse_statistics(pca.transform(block))).reshape(f.shape))
    few = test[:PCA_STRUCTURES]
    row = measure_lines(pca, few, method=f"PCA ({pca.n_components})", element=element).row
    return {**row, "decoded_error": error.summary(scatter)["relative_error"]}


def published_row() -> dict[str, Any]:
    """The row of the paper, in the form of the others; None for what it does not tell."""
    unknown = dict.fromkeys(("n_components", "number_each", "decoded_error", "structure_error"))
    return {**unknown, **PUBLISHED, "n_components": 9, "published": True}


def by_number(measured: Measured) -> list[dict[str, Any]]:
    """The same figures for structures with one line, with two, and so on.

    Returns
    -------
    list of dict
        ``lines``, ``n_samples``, and of these: ``number`` and ``orientation`` (percent right),
        ``volume_fraction_difference`` (mean, percent), ``structure_error`` (mean), and ``found``: numbers of
        reconstructions with 0, 1, ... lines, the last with six or more.
    """
    true, found = measured.true.sum(1), measured.found.sum(1)
    oriented = ((measured.true > 0) == (measured.found > 0)).all(1)
    originals, made = measured.fractions.T
    rows = []
    for n in np.unique(true):
        here = true == n
        rows.append(
            {
                "lines": int(n),
                "n_samples": int(here.sum()),
                "number": 100 * float((found == true)[here].mean()),
                "orientation": 100 * float(oriented[here].mean()),
                "volume_fraction_difference": 100 * float((np.abs(made - originals) / originals)[here].mean()),
                "structure_error": float(measured.errors[here].mean()),
                "found": np.bincount(np.minimum(found[here], MOST_LINES), minlength=MOST_LINES + 1).tolist(),
            }
        )
    return rows
