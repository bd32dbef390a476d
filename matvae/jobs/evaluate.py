"""Measure how well a model reconstructs structures it has not seen, alongside the training mean and PCA."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from .. import validate
from ..data import Structures
from ..data.sample_blocks import Progress, stage
from ..errors import InputError
from ..estimator import load
from ..evaluate.baseline import PCABaseline, pca_like
from ..evaluate.measure import Observer, measure, round_trip
from ..evaluate.subsets import select, spread_indices
from .files.figures import check_figure, save_figure
from .lines import choose_line_errors, line_summary, true_numbers
from .models import open_fitting
from .nearest import check_enough, check_nearest, nearest_structures, warn_of_copies

logger = logging.getLogger("matvae")
FIGURE_ROWS = 4


def evaluate_model(
    model: str | Path,
    data: str | Path,
    *,
    train: str | Path | None = None,
    figure: str | Path | None = None,
    n_components: int | None = None,
    lines: bool | None = None,
    nearest: int = 0,
    candidates: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare structures with their reconstructions: statistics, volume fraction, lines, neighbours.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saves it.
    data : path
        Held-out structures.
    train : path, optional
        Structures the model was fitted on. They add the baselines: the mean of their statistics, and PCA of these.
    figure : path, optional
        Picture of some structures and their reconstructions (.png, .pdf, .svg).
    n_components : int, optional
        Components of PCA; by default as many as the model has.
    lines : bool, optional
        Whether to count straight lines, as in the data set `lines`. By default they are counted where the store holds
        their true numbers, in the properties ``n_horizontal`` and ``n_vertical``. With ``lines=True`` and without
        these properties, the true numbers are those counted in the originals.
    nearest : int
        Number of most similar training structures to find, for each of at most 100 structures; 0 disables the search.
    candidates : path, optional
        Structures among which to find them, in place of `train`.
    overwrite : bool
        Whether an existing figure may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total, candidates included.

    Returns
    -------
    dict
        ``rows``, one per method: ``method``, ``relative_error``, ``median_relative_error``, ``centred_error``
        (see `StatisticsError`) and ``volume_fraction_difference`` (mean, percent; None for the baselines, which are
        measured by their statistics alone); ``n_samples``, ``n_empty`` (originals of phase 0 only) and ``figure``;
        ``lines``, the summary of `matvae.evaluate.LineErrors`, or None and the reason in ``lines_left_out``;
        ``nearest``, one dictionary per structure (see `nearest_structures`), or None.

    Raises
    ------
    InputError, StoreError
        If the structures do not fit the model, the figure cannot be written, lines are asked for but cannot be counted,
        or neighbours are asked for without candidates.
    """
    source = check_nearest(nearest, candidates, train)
    picture = check_figure(figure, [model, data, train, candidates], overwrite=overwrite)
    if n_components is not None:
        validate.integer("n_components", n_components, 1)
        if train is None:
            raise InputError(
                "n_components sets the components of PCA, which needs training structures. Give them with --train."
            )
    estimator = load(model)
    structures = open_fitting(data, estimator, model)
    training = None if train is None else open_fitting(train, estimator, model)
    searched = None if source is None else open_fitting(source, estimator, model)
    if searched is not None:
        check_enough(nearest, searched, source)
    counter, reason = choose_line_errors(structures, lines, data)
    if reason is not None:
        logger.info("Lines are not counted: %s.", reason.rstrip("."))
    n_baseline = n_components or estimator.n_components
    baseline = None if training is None else PCABaseline(pca_like(estimator, n_baseline).fit(training.data))
    total = len(structures) + (0 if searched is None else len(searched))
    observers: list[Observer] = []
    if baseline is not None:
        observers.append(baseline)
    if counter is not None:
        observers.append(counter.observer(true_numbers(structures)))
    measurement = measure(estimator, structures, *observers, decode=False, progress=stage(progress, 0, total))
    rows: list[dict[str, Any]] = []
    if baseline is not None:
        rows = [
            _row("training mean", baseline.mean_error.summary(measurement.scatter)),
            _row(f"PCA ({n_baseline})", baseline.error.summary(measurement.scatter)),
        ]
    name = f"matvae ({estimator.n_components})"
    rows.append(_row(name, measurement.reconstructed, measurement.volume_fraction_difference))
    if measurement.n_empty:
        logger.warning(
            "%d structures consist of phase 0 only and are left out of the volume fraction difference.",
            measurement.n_empty,
        )
    neighbours = None
    if searched is not None:
        neighbours = nearest_structures(
            estimator, structures, searched, nearest, stage(progress, len(structures), total)
        )
        warn_of_copies(neighbours, data, source)
    if picture is not None:
        _draw(picture, structures, estimator)
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "candidates": None if source is None else str(source),
        "n_samples": len(structures),
        "n_empty": measurement.n_empty,
        "rows": rows,
        "lines": None if counter is None else line_summary(counter, data),
        "lines_left_out": reason,
        "nearest": neighbours,
        "figure": None if picture is None else str(picture),
    }


def _row(method: str, errors: dict[str, float | None], volume_fraction_difference: float | None = None) -> dict:
    return {"method": method, **errors, "volume_fraction_difference": volume_fraction_difference}


def _draw(picture: Path, structures: Structures, estimator: Any) -> None:
    from ..report import plot_reconstructions
    from ..stats import resolve_correlations

    indices = spread_indices(len(structures), FIGURE_ROWS)
    trip = round_trip(estimator, select(structures, indices).data.compute(), decode=False)
    figure = plot_reconstructions(
        trip.structures,
        trip.reconstructions,
        trip.statistics,
        trip.reconstructed_statistics,
        names=indices.tolist(),
        grid=structures.grid,
        correlations=resolve_correlations(estimator.correlations, estimator.grid_.phases),
    )
    save_figure(figure, picture)
