"""The report of a model: what becomes of structures, measured, drawn and written as one page."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...data import Structures, open_structures
from ...data.sample_blocks import Progress
from ...errors import InputError
from ...estimator import load
from ...report import ReportParts, check_page_libraries, report_page
from ..files.outputs import atomic_output, check_output
from ..models import check_fits
from .facts import data_facts, materials_of, model_facts, setting_facts
from .gather import candidate_parts, example_parts, measure_all, rows_beside_pca, similar_parts, walk_parts
from .sample import choose, fit_pca

logger = logging.getLogger("matvae")


def report_model(
    model: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    train: str | Path | None = None,
    candidates: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a page that shows whether to trust a model: pictures, errors, neighbours, latents, candidates.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saved it.
    data : path
        Structures that the model has not seen.
    out : path
        New page (.html). It is one file, and needs no network.
    train : path, optional
        Structures the model was fitted on; PCA is then fitted on them, and neighbours are sought among them. Without
        them PCA is fitted on `data` themselves, which favours it, and there are no neighbours.
    candidates : path, optional
        Structures of an inverse design, as `matvae optimize` writes them: with properties ``NAME``, ``NAME_spread``
        and ``requested_NAME``.
    overwrite : bool
        Whether an existing page of matvae may be replaced.
    progress : callable, optional
        Called with the number of structures done and their total.

    Returns
    -------
    dict
        ``out``, ``bytes``, ``seconds``; ``n_samples``, the number of structures measured, spread over the data where
        there are more than 2000, or fewer very large ones; ``relative_error`` (mean) and ``rows``, the errors beside
        those of PCA; ``notes``.

    Raises
    ------
    InputError, StoreError
        If structures do not fit the model, or the page cannot be written; before any work.
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    started = time.monotonic()
    target = _check_target(out, [path for path in (model, data, train, candidates) if path is not None], overwrite)
    check_page_libraries()
    estimator = load(model)
    structures = _opened(data, estimator, model)
    training = None if train is None else _opened(train, estimator, model)
    designed = None if candidates is None else _opened(candidates, estimator, model)
    notes = [] if training is not None else [WITHOUT_TRAINING]
    chosen, numbers = choose(structures)
    if len(chosen) < len(structures):
        notes.append(f"Of {len(structures)} structures {len(chosen)} were looked at, spread over the set.")
    pca, n_fitted = fit_pca(estimator, chosen if training is None else training)
    total = len(chosen) + (0 if training is None else len(training))

    def report(done: int) -> None:
        if progress is not None:
            progress(done, total)

    measured = measure_all(estimator, chosen, pca, report)
    rows, rows_note = rows_beside_pca(estimator, chosen, measured, pca, n_fitted, own=training is None)
    similar, searched = similar_parts(estimator, chosen, training, lambda done: report(len(chosen) + done))
    report(total)
    parts = ReportParts(
        title=f"Report of {Path(model).name}",
        version=__version__,
        grid=chosen.grid,
        model=model_facts(estimator, model),
        data=data_facts(structures, data, train, training),
        settings=setting_facts(estimator),
        notes=notes,
        history=estimator.history_,
        pairs=measured.pairs,
        numbers=numbers,
        errors=measured.relative,
        fractions=measured.fractions,
        rows=rows,
        rows_note=rows_note,
        examples=example_parts(estimator, chosen, numbers),
        similar=similar,
        searched=searched,
        latents=measured.latents,
        scores=measured.scores,
        properties={name: values for name, values in chosen.properties.items() if name != "source"},
        units=structures.units,
        materials=materials_of(chosen),
        traversal=walk_parts(estimator, measured.latents),
        candidates=None
        if designed is None
        else candidate_parts(estimator, designed, Path(str(candidates)).name, Path(model).name),
    )
    with atomic_output(target) as temporary:
        temporary.write_text(report_page(parts), encoding="utf-8")
    return {
        "model": str(model),
        "data": str(data),
        "train": None if train is None else str(train),
        "candidates": None if candidates is None else str(candidates),
        "out": str(target),
        "bytes": target.stat().st_size,
        "seconds": time.monotonic() - started,
        "n_samples": len(chosen),
        "relative_error": float(measured.relative.mean()),
        "rows": rows,
        "notes": notes,
    }


WITHOUT_TRAINING = (
    "No training structures were given. PCA was therefore fitted on the structures that it is measured on, which "
    "favours it, and whether the model remembers its training structures cannot be seen. Name them with --train."
)


def _check_target(out: str | Path, inputs: list[str | Path], overwrite: bool) -> Path:
    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise InputError(f"A report ends in .html, but {out} was given. Choose this ending.")
    return check_output(out, inputs, overwrite=overwrite, replaceable=is_page)


def is_page(path: Path) -> bool:
    """Whether a file is a page that matvae wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'<meta name="generator" content="matvae ' in file.read(1000)


def _opened(path: str | Path, estimator: Any, model: str | Path) -> Structures:
    structures = open_structures(path)
    check_fits(estimator, structures, model, path)
    return structures
