"""Measure how well a model preserves structures it has not seen, beside PCA, the training mean and a true region."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import validate
from ..data import Structures
from ..data.masks import whole_only
from ..data.sample_blocks import Progress, stage
from ..data.subsets import select, spread_indices
from ..errors import InputError
from ..estimator import load
from ..estimator.masked_windows import LEAST_SHARE, count_in_words, window_shares
from ..estimator.textures import AUTO
from ..evaluate.baseline import pca_like
from ..evaluate.error_rows import MEAN, ErrorRow, ErrorTable, fit_pcas
from ..evaluate.generated_sets import compare_generated, default_number, reason_against
from ..evaluate.lag_table import DecodedErrors
from ..evaluate.measure import Measurement, decodes_statistics, measure, round_trip
from ..evaluate.phase_errors import phase_names
from ..evaluate.summary import summary
from ..given import refuse_mask
from .card import check_writable, write_errors
from .cluster import crew_of
from .files.figures import check_figure, save_figure
from .lines import NUMBERS, choose_line_errors, line_summary, true_numbers
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
    figure_style: str = "screen",
    n_components: int | None = None,
    n_realized: int | None = None,
    lines: bool | None = None,
    nearest: int = 0,
    candidates: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    card: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare structures with what a model makes of them: statistics, material measures, lines, neighbours.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saves it.
    data : path
        Held-out structures. Of those with voxels outside a mask, the decoded statistics are measured on the voxels
        inside; structures are realized and compared, and lines counted, only for those that lie inside entirely.
    train : path, optional
        Structures the model was fitted on. They add the baselines: the mean of their statistics, and PCA of these; and
        they are the true region that generated structures are compared with.
    figure : path, optional
        Picture of some structures and their reconstructions (.png, .pdf, .svg).
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        Layout of the figure: for a screen, or for one or two columns of a journal.
    n_components : int, optional
        Components of PCA; by default as many as the model has.
    n_realized : int, optional
        Structures, evenly spaced, whose latents are realized and compared as a set; 0 for none. By default 48, fewer
        where structures are large (see `default_number`).
    lines : bool, optional
        Whether to count straight lines, as in the data set `lines`. By default they are counted where the store holds
        their true numbers, in the properties ``n_horizontal`` and ``n_vertical``. With ``lines=True`` and without
        these properties, the true numbers are those counted in the originals.
    nearest : int
        Number of most similar training structures to find, for each of at most 100 structures; 0 disables the search.
    candidates : path, optional
        Structures among which to find them, in place of `train`.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that encode, decode and realize structures; see
        `matvae.jobs.cluster.crew_of`.
    card : bool
        Whether to write the errors, and how the structures and the training windows lie to each other, into the card
        of the model. This changes its hash.
    overwrite : bool
        Whether an existing figure may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total, candidates included.

    Returns
    -------
    dict
        ``rows``, one per method: ``method``; ``n_components``, ``metric`` and ``realize`` where it has them;
        ``decoded`` and ``realized``, errors by lag (see `ErrorRow`), None where there are none or the training mean is
        not known; ``relative_error``, ``median_relative_error``, ``centred_error`` (see `StatisticsError`) of the
        structures of matvae and of the decoded statistics of others; and ``volume_fraction_difference`` (mean, percent)
        of decoders of structures. ``decodes`` (``"statistics"`` or ``"structures"``), ``decoder``, ``metric`` and
        ``reason``, why that decoder was chosen; ``summary``, a model of statistics beside PCA in words; ``n_samples``,
        ``n_realized``, ``n_empty`` (originals of phase 0 only) and ``figure``; ``generated``, see
        `GeneratedSet.to_dict`, or None and the reason in ``generated_left_out``; ``lines``, the summary of
        `matvae.evaluate.LineErrors`, or None and the reason in ``lines_left_out``; ``nearest``, one dictionary per
        structure (see `nearest_structures`), or None; ``card``, whether the errors are now in the card of the model.

    Raises
    ------
    InputError, StoreError
        If the structures do not fit the model, the figure cannot be written, lines are asked for but cannot be counted,
        neighbours are asked for without candidates, or the card cannot be written.
    """
    source = check_nearest(nearest, candidates, train)
    picture = check_figure(figure, [model, data, train, candidates], overwrite=overwrite, style=figure_style)
    if n_components is not None:
        validate.integer("n_components", n_components, 1)
        if train is None:
            raise InputError(
                "n_components sets the components of PCA, which needs training structures. Give them with --train."
            )
    if n_realized is not None:
        validate.integer("n_realized", n_realized, 0)
    estimator = load(model)
    if card:
        check_writable(model)
    structures = open_fitting(data, estimator, model, masked=source is None)
    training = None if train is None else open_fitting(train, estimator, model, masked=True)
    searched = None if source is None else open_fitting(source, estimator, model)
    if searched is not None:
        check_enough(nearest, searched, source)
    whole = whole_only(structures)
    whole_training = None if training is None else whole_only(training)
    if whole_training is not None and not len(whole_training):
        whole_training = None
    if picture is not None and not len(whole):
        raise InputError(
            f"The figure shows structures that lie inside the mask entirely, but none in {data} does. Leave it out, or "
            "cut smaller windows."
        )
    counter, reason = choose_line_errors(whole, lines, data)
    if reason is not None and any(name in structures.properties for name in NUMBERS):
        # Of a texture, which has no lines, nobody expects any.
        logger.info("Lines are not counted: %s.", reason.rstrip("."))
    names = phase_names(structures, estimator.grid_.phases)
    if counter is not None or not decodes_statistics(estimator):
        if not len(whole):
            refuse_mask(structures.mask, data, "a comparison of structures")
        if training is not None and whole_training is None:
            refuse_mask(training.mask, train, "a comparison of structures")
        structures, training = whole, whole_training
    else:
        structures = _measurable(structures, estimator, data)
    n_sets = min(len(whole), default_number(whole) if n_realized is None else n_realized)
    left_out = reason_against(whole, n_sets)
    if len(whole) < 2 <= len(structures):
        left_out = "fewer than two structures lie inside the mask entirely"
    if left_out is not None:
        logger.info("No sets of structures are compared: %s.", left_out)
    n_baseline = n_components or estimator.n_components
    # The floor needs a pair of structures, even if none are realized.
    chosen = spread_indices(len(whole), n_sets or max(2, default_number(whole)))
    originals = select(whole, chosen).data.compute()
    lined = [] if counter is None else [counter.observer(true_numbers(structures))]
    searched_total = 0 if searched is None else len(searched)
    with crew_of(workers, scheduler, [data, train, candidates]) as crew:
        if decodes_statistics(estimator):
            table = ErrorTable(estimator, [] if training is None else fit_pcas(estimator, training, n_baseline), crew)
            n_steps = table.n_steps if left_out is None else 0
            first = len(structures) + n_steps * len(chosen)
            total = first + searched_total
            measurement = measure(
                estimator,
                structures,
                *lined,
                *table.observers,
                reconstruct=counter is not None,
                progress=stage(progress, 0, total),
                crew=crew,
            )
            say = _steps(progress, len(structures), len(chosen), total)
            error_rows, realizations = table.rows(measurement, originals, realize=left_out is None, step=say)
            rows = [_row(row) for row in error_rows]
            sentence = summary(error_rows, decodes_statistics=True)
        else:
            first, sentence = len(structures), ""
            total = first + searched_total
            baselines = [] if training is None else _baselines(estimator, training, n_baseline)
            observers = [errors for _, errors in baselines]
            measurement = measure(
                estimator, structures, *lined, *observers, decode=False, progress=stage(progress, 0, total), crew=crew
            )
            rows = _structure_rows(estimator, baselines, measurement)
            realizations = None
            if left_out is None:
                realizations = round_trip(estimator, originals, decode=False, crew=crew).reconstructions
        if measurement.n_empty:
            logger.warning(
                "%d structures consist of phase 0 only and are left out of the volume fraction difference.",
                measurement.n_empty,
            )
        generated = None
        if realizations is not None:
            axes = structures.grid.axes or ()
            generated = compare_generated(
                estimator, realizations, originals, whole_training, names=names, axes=axes
            ).to_dict()
        neighbours = None
        if searched is not None:
            neighbours = nearest_structures(
                estimator, structures, searched, nearest, stage(progress, first, total), crew
            )
            warn_of_copies(neighbours, data, source)
    if picture is not None:
        _draw(picture, whole, estimator, figure_style)
    n_done = 0 if realizations is None else len(realizations)
    if card:
        write_errors(estimator, model, data, structures, rows, n_done, sentence)
    spec = estimator.module_.spec
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "candidates": None if source is None else str(source),
        "decodes": "statistics" if decodes_statistics(estimator) else "structures",
        "decoder": spec.decoder,
        "metric": spec.metric,
        "reason": spec.reason or None,
        "n_samples": len(structures),
        "n_realized": n_done,
        "n_empty": measurement.n_empty,
        "rows": rows,
        "summary": sentence or None,
        "generated": generated,
        "generated_left_out": left_out,
        "lines": None if counter is None else line_summary(counter, data),
        "lines_left_out": reason,
        "nearest": neighbours,
        "figure": None if picture is None else str(picture),
        "card": card,
    }


def _measurable(structures: Structures, estimator: Any, data: str | Path) -> Structures:
    """Leave out structures of which a mask leaves too few voxel pairs; the log says how many."""
    if structures.mask is None:
        return structures
    shares = window_shares(estimator, structures.mask)
    is_kept = shares >= LEAST_SHARE
    if not is_kept.any():
        raise InputError(
            f"None of the {len(structures)} structures in {data} has half of the voxel pairs of a whole one inside the "
            "mask at every lag of the model. Cut windows that lie further inside: matvae import FILE OUT.zarr --window "
            "N --min-valid 1."
        )
    logger.info("%s: %s.", data, count_in_words(shares))
    return select(structures, np.flatnonzero(is_kept))


def _baselines(estimator: Any, training: Structures, n_components: int) -> list[tuple[ErrorRow, DecodedErrors]]:
    """Observers of the training mean, of PCA, and of the model's structures, each with what is known of its row."""
    pca = pca_like(estimator, n_components).fit(training.data)
    return [
        (ErrorRow(MEAN), DecodedErrors.of_mean(pca.mean_)),
        (ErrorRow("PCA", n_components), DecodedErrors.of_pca(pca)),
        (ErrorRow("matvae", estimator.n_components), DecodedErrors.of_reconstructions(pca.mean_)),
    ]


def _structure_rows(
    estimator: Any, baselines: list[tuple[ErrorRow, DecodedErrors]], measurement: Measurement
) -> list[dict[str, Any]]:
    """Rows of a decoder of structures, which are all reconstructed; without baselines, that of the model alone."""
    rows = [
        _row(replace(row, decoded=errors.by_lag.summary(), pooled=errors.pooled.summary(measurement.scatter)))
        for row, errors in baselines[:2]
    ]
    by_lag = baselines[-1][1].by_lag.summary() if baselines else None
    own = ErrorRow("matvae", estimator.n_components, realized=by_lag, pooled=measurement.reconstructed)
    return [*rows, _row(own, measurement.volume_fraction_difference)]


def _row(row: ErrorRow, volume_fraction_difference: float | None = None) -> dict[str, Any]:
    values = row.to_dict()
    pooled = values.pop("pooled") or dict.fromkeys(("relative_error", "median_relative_error", "centred_error"))
    return {**values, "method": row.name, **pooled, "volume_fraction_difference": volume_fraction_difference}


def _steps(progress: Progress | None, first: int, size: int, total: int) -> Callable[[], None] | None:
    """Function that reports one more set of realizations, each of `size` structures, after `first` samples."""
    if progress is None:
        return None
    done = itertools.count(first + size, size)
    return lambda: progress(next(done), total)


def _draw(picture: Path, structures: Structures, estimator: Any, style: str) -> None:
    from ..report import plot_reconstructions
    from ..stats import resolve_correlations

    indices = spread_indices(len(structures), FIGURE_ROWS)
    trip = round_trip(estimator, select(structures, indices).data.compute(), decode=False, realize=AUTO)
    figure = plot_reconstructions(
        trip.structures,
        trip.reconstructions,
        trip.statistics,
        trip.reconstructed_statistics,
        names=indices.tolist(),
        grid=structures.grid,
        correlations=resolve_correlations(estimator.correlations, estimator.grid_.phases),
        figure_style=style,
    )
    save_figure(figure, picture)
