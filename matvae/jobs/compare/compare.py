"""PCA, an image-space VAE and matvae side by side: what they preserve of statistics and of properties."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from ... import validate
from ...crew import Crew
from ...data import Structures
from ...data.sample_blocks import Progress, sample_blocks
from ...errors import InputError
from ...estimator import FittedModel, load
from ...estimator.parameters import check_parameters
from ...evaluate import linkage
from ...evaluate.lag_table import DecodedErrors
from ...evaluate.measure import Measurement, block_size, latents_of, measure, volume_fractions
from ...forecast import announce, has_listener, listening
from ..cluster import crew_of
from ..files.figures import check_figure, save_figure
from ..files.kept import Request, digest_of_model, digest_of_structures, is_begun, kept_results
from ..metadata import training_parameters
from ..models import open_fitting
from ..plan import duration
from .contenders import Contender, contenders
from .forecast import forecast_comparison
from .split import check_sizes, linked_properties, properties_of, random_split

logger = logging.getLogger("matvae")
HELD_OUT = 0.2
PROGRESS_STEPS = 1000
MEAN, FRACTIONS = "training mean", "volume fraction alone"
KINDS = ("relative_error", "median_relative_error", "centred_error")
# Entries of a row that a method without statistics lacks.
ERRORS = (*KINDS, *(f"structure_{kind}" for kind in KINDS), "volume_fraction_difference", "lags")
# Training parameters that differ from row to row.
VARIED = {"n_components", "random_state"}

Record = Callable[[Mapping[str, Any]], None]


def compare_methods(
    model: str | Path,
    data: str | Path,
    *,
    n_components: int | Sequence[int] = (1, 2, 3, 5, 9),
    property: str | Sequence[str] | None = None,
    train: str | Path | None = None,
    held_out: float | None = None,
    max_epochs: int | None = None,
    max_time: float | None = None,
    seed: int = 0,
    figure: str | Path | None = None,
    figure_style: str = "screen",
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    on_record: Record | None = None,
) -> dict[str, Any]:
    """Compare PCA, an image-space VAE and matvae on structures that none of them was fitted on.

    Every method is fitted on the same structures at each number of components. The model is the recipe for both VAEs;
    without `train` it is not used itself, since it may have seen all of `data`.

    Parameters
    ----------
    model : path
        Fitted model: encoder, decoder, statistics and training of matvae.
    data : path
        Structures; without `train`, a part of them is held out and the rest is used for the fits.
    n_components : int or sequence of int
        Sizes of the latent.
    property : str or sequence of str, optional
        Properties of `data` to predict from latents; by default all.
    train : path, optional
        Structures for the fits. All of `data` is then held out, and at its own number of components the model itself
        stands for matvae. It should have been fitted on these structures.
    held_out : float, optional
        Fraction of `data` that is held out, 0.2 by default; not to be combined with `train`.
    max_epochs, max_time : optional
        Budget of each fit, in passes and in seconds; by default the model's own.
    seed : int
        Of the split and of every fit.
    figure : path, optional
        Picture of errors and R^2 against the number of components (.png, .pdf, .svg).
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        Layout of the figure: for a screen, or for one or two columns of a journal.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that encode, decode and reconstruct
        structures; see `matvae.jobs.cluster.crew_of`. This process fits.
    overwrite : bool
        Whether an existing figure may be replaced.
    resume : bool
        Keep the rows of every method at every size, and take over those that an interrupted run of the same data and
        options has kept: in a folder beside the figure, or without one in the current folder.
    progress : callable, optional
        Called with the steps done and their total.
    on_record : callable, optional
        Called with every training record.

    Returns
    -------
    dict
        ``rows``, one per method and number of components: ``method``, ``n_components`` (None for the training mean and
        for the volume fraction alone, which has linkages only); ``decoder`` and ``metric`` where it has them; ``lags``,
        median errors of decoded statistics at all lags and at short ones (see `LagErrors`);
        ``relative_error``, ``median_relative_error`` and ``centred_error`` (see `StatisticsError`) of decoded
        statistics; the same prefixed with ``structure_``, of the statistics of reconstructions, and
        ``volume_fraction_difference`` (mean, percent), which are None for a method without reconstructions; ``r2``
        (maps each property to ``polynomial`` and ``gaussian_process``) and ``seconds`` of fitting. ``n_train``,
        ``n_test``, ``properties``, ``n_gaussian_process`` (training samples it was fitted on), ``model_stands_for``
        (components at which the model itself was taken, or None), ``decoder``, ``metric`` and ``reason`` (why that
        decoder was chosen) of the model, ``settings`` and ``figure``.

    Raises
    ------
    InputError, StoreError
        If data, properties, numbers of components or the location of the figure do not fit, or what an interrupted run
        has kept belongs to other data or options; before any fit.
    JobInterrupted
        On Ctrl-C, if something is kept.
    """
    # Only a figure of the run that is resumed was written by it.
    is_own = resume and figure is not None and is_begun(Path(figure))
    picture = check_figure(figure, [model, data, train], overwrite=overwrite or is_own, style=figure_style)
    estimator = load(model)
    training, test = _parts(estimator, model, data, train, held_out, seed)
    names = linked_properties(training, test, property, data if train is None else train, data)
    sizes = _sizes(n_components)
    check_sizes(sizes, len(training), len(test), math.prod(FittedModel.of(estimator).statistics_shape))
    entries = contenders(
        estimator, sizes, keep_model=train is not None, seed=seed, max_epochs=max_epochs, max_time=max_time
    )
    n_pcas = 2 * len(sizes)
    for entry in entries[n_pcas:]:
        check_parameters(entry.estimator)
    logger.info("All methods are fitted on %d structures and measured on %d others.", len(training), len(test))
    if train is not None and estimator.n_components not in sizes:
        logger.info(
            "The model has %d components, which are not among those compared: matvae is fitted anew at each.",
            estimator.n_components,
        )
    budgets = [entry.estimator.max_time for entry in entries[n_pcas:] if not entry.fitted]
    if budgets and None not in budgets:
        logger.info("Training %d networks takes at most %s.", len(budgets), duration(sum(budgets)))
    n_gaussian = min(len(training), linkage.GAUSSIAN_PROCESS_SAMPLES)
    if names and n_gaussian < len(training):
        logger.info("Gaussian processes are fitted on %d of the %d training structures.", n_gaussian, len(training))
    settings = {
        "job": "compare",
        "n_components": sizes,
        "properties": names,
        "held_out": held_out,
        "max_epochs": max_epochs,
        "max_time": max_time,
        "seed": seed,
    }
    if has_listener():
        with crew_of(workers, scheduler, [data, train]) as crew:
            announce(forecast_comparison(entries, training, test, names, crew))
    inputs = _digests(model, training, test) if resume else {}
    name = picture or Path(f"{Path(model).stem}-{Path(data).stem}.compare")
    rows: list[dict[str, Any]] = []
    with (
        # The single fits say nothing of the whole.
        listening(None),
        crew_of(workers, scheduler, [data, train]) as crew,
        kept_results(name, Request(settings, inputs), resume=resume, overwrite=overwrite) as kept,
    ):
        mean = (kept.arrays(MEAN) or {}).get("values")
        for number, entry in enumerate(entries):
            say = _steps(number, len(entries), progress, on_record)
            own = None if mean is None else kept.values(str(number))
            if own is not None:
                logger.info("Reusing %s (%d of %d).", _name(entry), number + 1, len(entries))
            else:
                with warnings.catch_warnings():
                    # The first network has warned of everything that concerns the data.
                    if number > n_pcas:
                        warnings.simplefilter("ignore", UserWarning)
                    fitted, seconds = _fitted(entry, training, f"{number + 1} of {len(entries)}", say)
                if mean is None:
                    # The first entry is a PCA, which knows the training mean.
                    mean = fitted.mean_
                    kept.keep_arrays(MEAN, {"values": mean})
                own = _rows(entry, fitted, seconds, mean, training, test, names, seed, crew, is_first=number == 0)
                kept.keep_values(str(number), own)
            rows += own
            say({"progress": 1.0})
        if picture is not None:
            from ...report import plot_comparison

            save_figure(plot_comparison(rows, figure_style=figure_style), picture)
    # The settings are those of a fit made here: the model itself may have had another budget.
    of_fits = {
        **training_parameters(entries[n_pcas].estimator),
        "encoder": estimator.encoder,
        "loss": estimator.loss,
        "decoder": estimator.decoder,
        "metric": estimator.metric,
    }
    spec = estimator.module_.spec
    taken = [entry.n_components for entry in entries if entry.fitted]
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "n_train": len(training),
        "n_test": len(test),
        "n_components": sizes,
        "properties": names,
        "n_gaussian_process": n_gaussian if names else None,
        "model_stands_for": taken[0] if taken else None,
        "seed": seed,
        "decoder": spec.decoder,
        "metric": spec.metric,
        "reason": spec.reason or None,
        "settings": {name: value for name, value in of_fits.items() if name not in VARIED},
        "rows": rows,
        "figure": None if picture is None else str(picture),
    }


def _sizes(n_components: int | Sequence[int]) -> list[int]:
    """Numbers of components, each once, in ascending order."""
    sizes = list(n_components) if isinstance(n_components, Iterable) else [n_components]
    if not sizes:
        raise InputError("n_components must be one or more integers of at least 1, but none were given.")
    return sorted({validate.integer("n_components", n, 1) for n in sizes})


def _parts(
    estimator: Any,
    model: str | Path,
    data: str | Path,
    train: str | Path | None,
    held_out: float | None,
    seed: int,
) -> tuple[Structures, Structures]:
    """Structures for the fits, and those held out."""
    structures = open_fitting(data, estimator, model)
    if train is None:
        return random_split(structures, HELD_OUT if held_out is None else held_out, seed)
    if held_out is not None:
        raise InputError(
            f"held_out={held_out} holds out a part of {data}, but with training structures in {train} all of it is "
            "held out. Give either held_out or train."
        )
    if Path(train).resolve() == Path(data).resolve():
        logger.warning("All methods are also fitted on %s: errors on unseen structures are larger.", data)
    return open_fitting(train, estimator, model), structures


def _steps(number: int, n_fits: int, progress: Progress | None, on_record: Record | None) -> Record:
    """Function that reports each record of one of several fits."""

    def say(record: Mapping[str, Any]) -> None:
        if progress is not None:
            done = round(PROGRESS_STEPS * (number + float(record["progress"])))
            progress(done, PROGRESS_STEPS * n_fits)
        if on_record is not None and "epoch" in record:
            on_record(record)

    return say


def _name(entry: Contender) -> str:
    return f"{entry.method} with {entry.n_components} component{'s' if entry.n_components > 1 else ''}"


def _digests(model: str | Path, training: Structures, test: Structures) -> dict[str, str]:
    """Hashes of everything that is compared, by what it is."""
    return {
        "model": digest_of_model(model),
        "training structures": digest_of_structures(training),
        "held-out structures": digest_of_structures(test),
    }


def _fitted(entry: Contender, training: Structures, position: str, say: Record) -> tuple[Any, float | None]:
    """Fitted estimator of an entry, and the seconds its fit took."""
    name = _name(entry)
    if entry.fitted:
        logger.info("Using the given model itself: %s (%s).", name, position)
        history = entry.estimator.history_
        return entry.estimator, history[-1]["seconds"] if history else None
    logger.info("Fitting %s (%s).", name, position)
    estimator = clone(entry.estimator)
    if "verbose" in estimator.get_params():
        estimator.set_params(verbose=say)
    started = time.monotonic()
    estimator.fit(training)
    seconds = time.monotonic() - started
    if "verbose" in estimator.get_params():
        # A function of this process cannot be sent to another.
        estimator.set_params(verbose=entry.estimator.verbose)
    return estimator, seconds


def _rows(
    entry: Contender,
    fitted: Any,
    seconds: float | None,
    mean: np.ndarray,
    training: Structures,
    test: Structures,
    names: list[str],
    seed: int,
    crew: Crew,
    *,
    is_first: bool,
) -> list[dict[str, Any]]:
    """Row of a fitted entry; the first is preceded by those that need no method."""
    of_mean, decoded = DecodedErrors.of_mean(mean), DecodedErrors.of_model(mean)
    measurement = measure(fitted, test, decoded, *([of_mean] if is_first else []), crew=crew)
    rows = []
    if is_first:
        rows.append(_mean_row(of_mean, measurement, training, test, names))
        if names and test.grid.phases > 1:
            rows.append(_fractions_row(fitted, training, test, names, seed))
    r2 = _linkages(latents_of(fitted, training, crew), measurement.latents, training, test, names, seed)
    errors = {**_errors(measurement), "lags": decoded.by_lag.summary()}
    return [*rows, _row(entry.method, entry.n_components, errors, r2, seconds, **_kind(fitted))]


def _row(
    method: str,
    n_components: int | None,
    errors: Mapping[str, Any],
    r2: Mapping[str, Mapping[str, float]],
    seconds: float | None,
    decoder: str | None = None,
    metric: str | None = None,
) -> dict[str, Any]:
    fitted = {"decoder": decoder, "metric": metric}
    return {"method": method, "n_components": n_components, **fitted, **errors, "r2": r2, "seconds": seconds}


def _kind(estimator: Any) -> dict[str, str]:
    """Decoder and metric of a fitted estimator: ``"auto"`` is decided anew in every fit."""
    if hasattr(estimator, "module_"):
        return {"decoder": estimator.module_.spec.decoder, "metric": estimator.module_.spec.metric}
    return {"metric": estimator.metric}


def _errors(measurement: Measurement) -> dict[str, Any]:
    return {
        **measurement.decoded,
        **{f"structure_{name}": value for name, value in measurement.reconstructed.items()},
        "volume_fraction_difference": measurement.volume_fraction_difference,
    }


def _mean_row(
    of_mean: DecodedErrors, measurement: Measurement, training: Structures, test: Structures, names: list[str]
) -> dict[str, Any]:
    # The mean is decoded statistics without structures.
    errors = {**dict.fromkeys(_errors(measurement)), **of_mean.pooled.summary(measurement.scatter)}
    r2 = linkage.mean_scores(properties_of(training, names), properties_of(test, names))
    return _row(MEAN, None, {**errors, "lags": of_mean.by_lag.summary()}, r2, None)


def _fractions_row(
    estimator: Any, training: Structures, test: Structures, names: list[str], seed: int
) -> dict[str, Any]:
    """R^2 of every property from the volume fractions of all phases but the first, which follows from the others."""
    size, phases = block_size(estimator), max(training.grid.phases, test.grid.phases)
    known, unseen = (
        np.concatenate([volume_fractions(block, phases) for _, block in sample_blocks(part.data, size)])
        for part in (training, test)
    )
    errors = dict.fromkeys(ERRORS)
    return _row(FRACTIONS, None, errors, _linkages(known, unseen, training, test, names, seed), None)


def _linkages(
    latents: np.ndarray,
    unseen_latents: np.ndarray,
    training: Structures,
    test: Structures,
    names: list[str],
    seed: int,
) -> dict[str, dict[str, float]]:
    """R^2 of every property, from the latents of the training structures to those held out."""
    if not names:
        return {}
    return linkage.linkage_scores(
        latents, properties_of(training, names), unseen_latents, properties_of(test, names), seed=seed
    )
