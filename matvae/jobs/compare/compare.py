"""PCA, an image-space VAE and matvae side by side: what they keep of statistics, and of properties."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from ...data import Structures, open_structures
from ...data.sample_blocks import Progress
from ...errors import InputError
from ...estimator import load
from ...estimator.checks import check_parameters
from ...evaluate import linkage
from ...stats import lag_shape, resolve_correlations
from ..files.outputs import atomic_output, check_output
from ..measure import block_size, latents_of, measure, measure_mean
from ..models import check_fits
from .contenders import Contender, contenders
from .split import check_sizes, linked_properties, random_split

logger = logging.getLogger("matvae")
HELD_OUT = 0.2
PROGRESS_STEPS = 1000
MEAN = "training mean"
# Parameters of the estimator that do not say how it learns, or differ from row to row.
NOT_SETTINGS = {
    "n_components",
    "random_state",
    "input",
    "sample_shape",
    "state_axis",
    "warm_start",
    "checkpoint",
    "verbose",
}

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
    overwrite: bool = False,
    progress: Progress | None = None,
    on_record: Record | None = None,
) -> dict[str, Any]:
    """Set PCA, an image-space VAE and matvae side by side on structures that none of them was fitted on.

    Every method is fitted on the same structures at each number of components. The model is the recipe of both VAEs;
    without `train` it is not used itself, since it may have seen all of `data`.

    Parameters
    ----------
    model : path
        Fitted model: encoder, decoder, statistics and training of matvae.
    data : path
        Structures; without `train`, a part of them is held out and the rest is for the fits.
    n_components : int or sequence of int
        Sizes of the latent.
    property : str or sequence of str, optional
        Properties of `data` to link latents to; by default all.
    train : path, optional
        Structures for the fits; then all of `data` is held out, and at its own number of components the model itself
        stands for matvae. It should have been fitted on these structures.
    held_out : float, optional
        Share of `data` that is held out, 0.2 by default; without meaning beside `train`.
    max_epochs, max_time : optional
        Budget of each fit, in passes and in seconds; by default the model's own.
    seed : int
        Of the split and of every fit.
    figure : path, optional
        Picture of errors and R^2 against the number of components (.png, .pdf, .svg).
    overwrite : bool
        Whether an existing figure may be replaced.
    progress : callable, optional
        Called with the steps done and their total.
    on_record : callable, optional
        Called with every training record.

    Returns
    -------
    dict
        ``rows``, one a method and number of components: ``method``, ``n_components`` (None for the training mean),
        the errors of `measure.errors_row`, ``r2`` (property to ``polynomial`` and ``gaussian_process``) and ``seconds``
        of fitting; ``n_train``, ``n_test``, ``properties``, ``n_gaussian_process`` (training samples it was fitted on),
        ``model_stands_for`` (components at which the model itself was taken, or None), ``settings`` and ``figure``.

    Raises
    ------
    InputError, StoreError
        If something does not fit: data, properties, numbers of components, or the figure's place; before any fit.
    """
    inputs = [model, data] if train is None else [model, data, train]
    picture = None if figure is None else check_output(figure, inputs, overwrite=overwrite)
    if picture is not None:
        from ...report import check_figure_format

        check_figure_format(picture)
    estimator = load(model)
    training, test = _parts(estimator, model, data, train, held_out, seed)
    names = linked_properties(training, test, property, data if train is None else train, data)
    sizes = _sizes(n_components)
    check_sizes(sizes, len(training), len(test), _statistics_size(estimator))
    entries = contenders(
        estimator, sizes, keep_model=train is not None, seed=seed, max_epochs=max_epochs, max_time=max_time
    )
    for entry in entries[len(sizes) :]:
        check_parameters(entry.estimator)
    logger.info("All methods are fitted on %d structures and measured on %d others.", len(training), len(test))
    if train is not None and estimator.n_components not in sizes:
        logger.info(
            "The model has %d components, which are not among those compared: matvae is fitted anew at each.",
            estimator.n_components,
        )
    n_gaussian = min(len(training), linkage.GAUSSIAN_PROCESS_SAMPLES)
    if names and n_gaussian < len(training):
        logger.info("Gaussian processes are fitted on %d of the %d training structures.", n_gaussian, len(training))
    rows: list[dict[str, Any]] = []
    for number, entry in enumerate(entries):
        say = _steps(number, len(entries), progress, on_record)
        with warnings.catch_warnings():
            # The first network has said what there is to say of the data.
            if number > len(sizes):
                warnings.simplefilter("ignore", UserWarning)
            fitted, seconds = _fitted(entry, training, f"{number + 1} of {len(entries)}", say)
        if not rows:
            rows.append(_mean_row(fitted, training, test, names))
        rows.append({**_row(entry, fitted, training, test, names, seed), "seconds": seconds})
        say({"progress": 1.0})
    if picture is not None:
        _draw(picture, rows)
    # Of a fit made here: the model itself has another budget, maybe.
    recipe = {**entries[len(sizes)].estimator.get_params(), "encoder": estimator.encoder, "loss": estimator.loss}
    stands = [entry.n_components for entry in entries if entry.fitted]
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "n_train": len(training),
        "n_test": len(test),
        "n_components": sizes,
        "properties": names,
        "n_gaussian_process": n_gaussian if names else None,
        "model_stands_for": stands[0] if stands else None,
        "seed": seed,
        "settings": {name: value for name, value in recipe.items() if name not in NOT_SETTINGS},
        "rows": rows,
        "figure": None if picture is None else str(picture),
    }


def _sizes(n_components: int | Sequence[int]) -> list[int]:
    """Numbers of components, each once, from small to large."""
    sizes = np.unique(np.asarray(n_components)) if np.size(n_components) else np.empty(0)
    if not len(sizes) or sizes.dtype.kind not in "iu" or sizes[0] < 1:
        raise InputError(f"n_components must be one or more positive integers, but {n_components!r} was given.")
    return [int(n) for n in sizes]


def _parts(
    estimator: Any,
    model: str | Path,
    data: str | Path,
    train: str | Path | None,
    held_out: float | None,
    seed: int,
) -> tuple[Structures, Structures]:
    """Structures for the fits, and those held out."""
    structures = open_structures(data)
    check_fits(estimator, structures, model, data)
    if train is None:
        return random_split(structures, HELD_OUT if held_out is None else held_out, seed)
    if held_out is not None:
        raise InputError(
            f"held_out={held_out} holds out a part of {data}, but beside training structures all of it is held out. "
            "Give either held_out or train."
        )
    if Path(train).resolve() == Path(data).resolve():
        logger.warning("%s is what all methods are fitted on as well: errors of unseen structures are larger.", data)
    training = open_structures(train)
    check_fits(estimator, training, model, train)
    return training, structures


def _statistics_size(estimator: Any) -> int:
    """Numbers in the 2-point statistics of one structure."""
    pairs = resolve_correlations(estimator.correlations, estimator.grid_.phases)
    return math.prod(lag_shape(estimator.grid_.shape, estimator.periodic, estimator.cutoff)) * len(pairs)


def _steps(number: int, n_fits: int, progress: Progress | None, on_record: Record | None) -> Record:
    """What is told of each record of one of several fits."""

    def say(values: Mapping[str, Any]) -> None:
        if progress is not None:
            done = round(PROGRESS_STEPS * (number + float(values["progress"])))
            progress(done, PROGRESS_STEPS * n_fits)
        if on_record is not None and "epoch" in values:
            on_record(values)

    return say


def _fitted(entry: Contender, training: Structures, place: str, say: Record) -> tuple[Any, float | None]:
    """The estimator fitted, and the seconds it took."""
    what = f"{entry.method} with {entry.n_components} component{'s' if entry.n_components > 1 else ''}"
    if entry.fitted:
        logger.info("Taking the model as it is: %s (%s).", what, place)
        history = entry.estimator.history_
        return entry.estimator, history[-1]["seconds"] if history else None
    logger.info("Fitting %s (%s).", what, place)
    estimator = clone(entry.estimator)
    if "verbose" in estimator.get_params():
        estimator.set_params(verbose=say)
    started = time.monotonic()
    estimator.fit(training)
    return estimator, time.monotonic() - started


def _row(
    entry: Contender, estimator: Any, training: Structures, test: Structures, names: list[str], seed: int
) -> dict[str, Any]:
    size = block_size(estimator, test)
    latents, errors = measure(estimator, test, size)
    r2: dict[str, dict[str, float]] = {}
    if names:
        known, unseen = _properties(training, names), _properties(test, names)
        r2 = linkage.linkage_scores(latents_of(estimator, training, size), known, latents, unseen, seed=seed)
    return {"method": entry.method, "n_components": entry.n_components, **errors, "r2": r2}


def _mean_row(pca: Any, training: Structures, test: Structures, names: list[str]) -> dict[str, Any]:
    errors = measure_mean(pca, test, block_size(pca, test))
    r2 = linkage.mean_scores(_properties(training, names), _properties(test, names))
    return {"method": MEAN, "n_components": None, **errors, "r2": r2, "seconds": None}


def _properties(structures: Structures, names: list[str]) -> dict[str, np.ndarray]:
    return {name: structures.properties[name] for name in names}


def _draw(picture: Path, rows: list[dict[str, Any]]) -> None:
    from ...report import plot_comparison

    drawing = plot_comparison(rows)
    with atomic_output(picture) as temporary:
        drawing.savefig(temporary)
