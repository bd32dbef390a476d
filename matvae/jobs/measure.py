"""What a fitted model makes of structures, measured block by block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..data import Structures
from ..data.sample_blocks import sample_blocks, samples_per_block
from ..estimator import TwoPointPCA
from ..evaluate import Scatter, StatisticsError, VolumeFractionError
from ..stats import resolve_correlations


def block_size(estimator: Any, structures: Structures) -> int:
    """Samples whose statistics fit a block: up to 2N lags an axis when not periodic, for every pair."""
    grid = structures.grid
    lags = math.prod(grid.shape) * (1 if estimator.periodic else 2**grid.ndim)
    pairs = len(resolve_correlations(estimator.correlations, estimator.grid_.phases))
    return samples_per_block(4 * lags * pairs)


def pca_like(estimator: Any, n_components: int) -> TwoPointPCA:
    """PCA, not fitted yet, of the statistics that a fitted model is about."""
    return TwoPointPCA(
        n_components,
        phases=estimator.grid_.phases,
        correlations=estimator.correlations,
        periodic=estimator.periodic,
        cutoff=estimator.cutoff,
    )


def latents_of(estimator: Any, structures: Structures, size: int) -> np.ndarray:
    """Latents ``(sample, component)`` of structures, taken `size` samples at a time."""
    return np.concatenate([estimator.transform(block) for _, block in sample_blocks(structures.data, size)])


def measure(estimator: Any, structures: Structures, size: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Take structures to their latents and back, and measure what came back.

    Parameters
    ----------
    estimator : fitted estimator
        With `statistics`, `transform` and `inverse_statistics`; where it has `inverse_transform`, the structures
        that it makes are measured, too. PCA of continuous fields has none.
    structures : Structures
    size : int
        Samples a block.

    Returns
    -------
    (array ``(sample, component)``, dict)
        The latents, and the errors in the form of `errors_row`.
    """
    scatter, soft, sharp, fractions = Scatter(), StatisticsError(), StatisticsError(), VolumeFractionError()
    labels = structures.grid.phases > 1
    reversible = hasattr(estimator, "inverse_transform")
    latents = []
    for _, block in sample_blocks(structures.data, size):
        z, f = estimator.transform(block), np.asarray(estimator.statistics(block))
        latents.append(z)
        scatter.add(f)
        soft.add(f, np.asarray(estimator.inverse_statistics(z)).reshape(f.shape))
        if reversible:
            made = np.asarray(estimator.inverse_transform(z, random_state=0))
            sharp.add(f, np.asarray(estimator.statistics(made)))
            if labels:
                fractions.add(block, made)
    return np.concatenate(latents), errors_row(scatter, soft, sharp if reversible else None, fractions)


def measure_mean(pca: TwoPointPCA, structures: Structures, size: int) -> dict[str, Any]:
    """Errors of always answering with the mean statistics of what a PCA was fitted on, as in `measure`."""
    scatter, error, fractions = Scatter(), StatisticsError(), VolumeFractionError()
    for _, block in sample_blocks(structures.data, size):
        f = np.asarray(pca.statistics(block))
        scatter.add(f)
        error.add(f, np.broadcast_to(pca.mean_, f.shape))
    return errors_row(scatter, error, None, fractions)


def errors_row(
    scatter: Scatter, soft: StatisticsError, sharp: StatisticsError | None, fractions: VolumeFractionError
) -> dict[str, Any]:
    """Errors of one method in one flat dictionary.

    Returns
    -------
    dict
        ``relative_error``, ``median_relative_error`` and ``centred_error`` (see `StatisticsError`) of decoded
        statistics; the same with ``structure_`` before, of the statistics of decoded structures, and
        ``volume_fraction_difference`` (mean, percent): None for what gives no structures.
    """
    decoded = soft.summary(scatter)
    structure = dict.fromkeys(decoded) if sharp is None else sharp.summary(scatter)
    return {
        **decoded,
        **{f"structure_{name}": value for name, value in structure.items()},
        "volume_fraction_difference": fractions.percent,
    }
