"""How well a model reconstructs structures it has not seen, beside the mean and PCA."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Structures, open_structures
from ..data.sample_blocks import Progress, sample_blocks
from ..errors import InputError
from ..estimator import load
from ..evaluate import Scatter, StatisticsError, VolumeFractionError
from .files.outputs import atomic_output, check_output
from .lines import choose_line_errors, line_summary, true_numbers
from .measure import block_size, pca_like
from .models import check_fits
from .nearest import check_enough, check_nearest, nearest_structures, spread, warn_of_copies

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
    lines: bool | None = None,
    nearest: int = 0,
    candidates: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare structures with what a model makes of their latents: statistics, volume fraction, lines, neighbours.

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
    lines : bool, optional
        Whether to count straight lines, as in the data set `lines`. By default where the store says how many there
        are, by the properties ``n_horizontal`` and ``n_vertical``. Where they are absent the originals are counted.
    nearest : int
        Find so many most similar training structures of each of at most 100 structures.
    candidates : path, optional
        Structures among which to find them, in place of `train`.
    overwrite : bool
        Whether an existing figure may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total, candidates included.

    Returns
    -------
    dict
        ``rows``, one a method: ``method``, ``relative_error``, ``median_relative_error``, ``centred_error``
        (see `StatisticsError`) and ``volume_fraction_difference`` (mean, percent; None for the baselines,
        of which only the statistics are measured); ``n_samples``, ``n_empty`` (originals of phase 0 alone) and
        ``figure``; ``lines``, the summary of `matvae.evaluate.LineErrors`, or None and the reason in
        ``lines_left_out``; ``nearest``, one dictionary a structure (see `nearest_structures`), or None.

    Raises
    ------
    InputError, StoreError
        If the structures do not fit the model, the figure cannot be written, lines are wanted where none can be
        counted, or neighbours where there are no candidates.
    """
    source = check_nearest(nearest, candidates, train)
    inputs = [path for path in (model, data, train, candidates) if path is not None]
    picture = None if figure is None else check_output(figure, inputs, overwrite=overwrite)
    if picture is not None:
        from ..report import check_figure_format

        check_figure_format(picture)
    if n_components is not None and train is None:
        raise InputError(
            "n_components sets the components of PCA, which needs training structures. Give them with --train."
        )
    estimator = load(model)
    structures = _opened(data, estimator, model)
    training = None if train is None else _opened(train, estimator, model)
    searched = None if source is None else _opened(source, estimator, model)
    if searched is not None:
        check_enough(nearest, searched, source)
    counter, left_out = choose_line_errors(structures, lines, data)
    numbers = None if counter is None else true_numbers(structures)
    if left_out is not None:
        logger.info("Lines are not counted: %s.", left_out.rstrip("."))
    baselines = {} if training is None else _baselines(estimator, training, n_components or estimator.n_components)
    name = f"matvae ({estimator.n_components})"
    errors = {method: StatisticsError() for method in (*baselines, name)}
    scatter, fractions = Scatter(), VolumeFractionError()
    shown = spread(len(structures), FIGURE_ROWS)
    seen: list[tuple[Any, ...]] = []
    size = block_size(estimator, structures)
    total = len(structures) + (0 if searched is None else len(searched))

    def report(done: int) -> None:
        if progress is not None:
            progress(done, total)

    for start, block in sample_blocks(structures.data, size):
        stop = start + len(block)
        f = np.asarray(estimator.statistics(block))
        scatter.add(f)
        reconstructions = np.asarray(estimator.inverse_transform(estimator.transform(block)))
        g = np.asarray(estimator.statistics(reconstructions))
        errors[name].add(f, g)
        for method, approximate in baselines.items():
            errors[method].add(f, approximate(block, f))
        if structures.grid.phases > 1:
            fractions.add(block, reconstructions)
        if counter is not None:
            counter.add(block, reconstructions, None if numbers is None else numbers[start:stop])
        if picture is not None:
            inside = shown[(shown >= start) & (shown < stop)]
            seen.extend((int(i), *(array[i - start] for array in (block, reconstructions, f, g))) for i in inside)
        report(stop)
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
    found = None
    if searched is not None:
        found = nearest_structures(
            estimator, structures, searched, nearest, size, lambda done, n: report(len(structures) + done)
        )
        warn_of_copies(found, data, source)
    if picture is not None:
        _draw(picture, seen, structures, estimator)
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "candidates": None if source is None else str(source),
        "n_samples": len(structures),
        "n_empty": fractions.n_empty,
        "rows": rows,
        "lines": None if counter is None else line_summary(counter, data),
        "lines_left_out": left_out,
        "nearest": found,
        "figure": None if picture is None else str(picture),
    }


def _opened(path: str | Path, estimator: Any, model: str | Path) -> Structures:
    structures = open_structures(path)
    check_fits(estimator, structures, model, path)
    return structures


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
