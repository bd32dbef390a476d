"""How well a model reconstructs structures it has not seen, beside the mean and PCA."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Structures, open_structures
from ..errors import InputError
from ..estimator import load
from ..evaluate import Scatter, StatisticsError, VolumeFractionError
from .blocks import Progress, sample_blocks
from .measure import block_size, pca_like
from .models import check_fits
from .outputs import atomic_output, check_output

logger = logging.getLogger("matvae")
FIGURE_ROWS = 4

Approximation = Callable[[np.ndarray, np.ndarray], np.ndarray]


def evaluate_model(
    model: str | Path,
    data: str | Path,
    *,
    train: str | Path | None = None,
    figure: str | Path | None = None,
    n_components: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare structures with what a model makes of their latents, in statistics and in volume fraction.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saved it.
    data : path
        Held-out structures.
    train : path, optional
        Structures the model was fitted on; with them come the baselines: their mean, and PCA of their
        statistics.
    figure : path, optional
        Picture of the first structures and their reconstructions (.png, .pdf, .svg).
    n_components : int, optional
        Of PCA; by default as many as the model has.
    overwrite : bool
        Whether an existing figure may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    dict
        ``rows``, one a method: ``method``, ``relative_error``, ``median_relative_error``, ``centred_error``
        (see `StatisticsError`) and ``volume_fraction_difference`` (mean, percent; None for the baselines,
        of which only the statistics are measured); ``n_samples``, ``n_empty`` (originals of phase 0 alone) and
        ``figure``.

    Raises
    ------
    InputError, StoreError
        If the structures do not fit the model, or the figure cannot be written.
    """
    inputs = [model, data] if train is None else [model, data, train]
    picture = None if figure is None else check_output(figure, inputs, overwrite=overwrite)
    if picture is not None:
        from ..report import check_figure_format

        check_figure_format(picture)
    if n_components is not None and train is None:
        raise InputError(
            "n_components sets the components of PCA, which needs training structures. Give them with --train."
        )
    estimator = load(model)
    structures = open_structures(data)
    check_fits(estimator, structures, model, data)
    baselines: dict[str, Approximation] = {}
    if train is not None:
        training = open_structures(train)
        check_fits(estimator, training, model, train)
        baselines = _baselines(estimator, training, n_components or estimator.n_components)
    name = f"matvae ({estimator.n_components})"
    errors = {method: StatisticsError() for method in (*baselines, name)}
    scatter, fractions = Scatter(), VolumeFractionError()
    # Spread over the set, which may be sorted by material.
    shown = np.unique(np.linspace(0, len(structures) - 1, FIGURE_ROWS).round().astype(int))
    seen: list[tuple[Any, ...]] = []
    for start, block in sample_blocks(structures.data, block_size(estimator, structures)):
        f = np.asarray(estimator.statistics(block))
        scatter.add(f)
        reconstructions = np.asarray(estimator.inverse_transform(estimator.transform(block)))
        g = np.asarray(estimator.statistics(reconstructions))
        errors[name].add(f, g)
        for method, approximate in baselines.items():
            errors[method].add(f, approximate(block, f))
        if structures.grid.phases > 1:
            fractions.add(block, reconstructions)
        if picture is not None:
            inside = shown[(shown >= start) & (shown < start + len(block))]
            seen.extend((int(i), *(array[i - start] for array in (block, reconstructions, f, g))) for i in inside)
        if progress is not None:
            progress(start + len(block), len(structures))
    rows: list[dict[str, Any]] = [
        {"method": method, **error.summary(scatter), "volume_fraction_difference": None}
        for method, error in errors.items()
    ]
    rows[-1]["volume_fraction_difference"] = fractions.percent
    if fractions.n_empty:
        logger.warning(
            "%d structures hold phase 0 only and are left out of the volume fraction difference.",
            fractions.n_empty,
        )
    if picture is not None:
        _draw(picture, seen, structures, estimator)
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "n_samples": len(structures),
        "n_empty": fractions.n_empty,
        "rows": rows,
        "figure": None if picture is None else str(picture),
    }


def _baselines(estimator: Any, training: Structures, n_components: int) -> dict[str, Approximation]:
    pca = pca_like(estimator, n_components).fit(training.data)
    return {
        "training mean": lambda block, f: np.broadcast_to(pca.mean_, f.shape),
        f"PCA ({n_components})": lambda block, f: np.asarray(pca.inverse_statistics(pca.transform(block))).reshape(
            f.shape
        ),
    }


def _draw(picture: Path, seen: list[tuple[Any, ...]], structures: Structures, estimator: Any) -> None:
    from ..report import plot_reconstructions
    from ..stats import resolve_correlations

    samples, *arrays = zip(*seen, strict=True)
    drawing = plot_reconstructions(
        *map(np.stack, arrays),
        names=samples,
        grid=structures.grid,
        correlations=resolve_correlations(estimator.correlations, estimator.grid_.phases),
    )
    with atomic_output(picture) as temporary:
        drawing.savefig(temporary)
