"""Report on a model: reconstructions measured, drawn and written as one page."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...data.sample_blocks import Progress, stage
from ...data.windows import POSITION
from ...errors import InputError
from ...estimator import load
from ...estimator.card_page import card_facts
from ...evaluate.measure import Kept, decodes_statistics, measure
from ...evaluate.phase_errors import phase_names
from ...evaluate.sampling_floor import sampling_floor
from ...evaluate.summary import summary
from ...files import atomic_output
from ...report import ReportParts, check_page_libraries, report_page
from ...stats import resolve_correlations
from ..files.outputs import check_output
from ..models import open_fitting
from .collect import (
    candidate_parts,
    choose,
    comparison_rows,
    example_parts,
    fit_baselines,
    most_measured,
    neighbour_parts,
    pca_structure_error,
    set_parts,
    set_positions,
    walk_parts,
)
from .metadata import data_metadata, materials_of, model_metadata, settings_metadata

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
    """Write a page that shows how far to trust a model: pictures, errors, neighbours, latents, candidates.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saves it.
    data : path
        Structures that the model has not seen.
    out : path
        New page (.html): one file that needs no network.
    train : path, optional
        Structures the model was fitted on. PCA is then fitted on them, and they are searched for neighbours. Without
        them PCA is fitted on `data` itself, which favours it, and there are no neighbours.
    candidates : path, optional
        Structures found by inverse design, as `matvae optimize` writes them: with properties ``NAME``,
        ``NAME_spread`` and ``requested_NAME``.
    overwrite : bool
        Whether an existing page of matvae may be replaced.
    progress : callable, optional
        Called with the number of structures done and their total.

    Returns
    -------
    dict
        ``out``, ``bytes``, ``seconds``; ``n_samples``, the number of structures measured, spread over the data: at most
        2000, fewer if they are very large; where they are realized from statistics at most 64, of 2**17 voxels
        altogether, but at least 20; ``relative_error`` (mean) and ``rows``, the errors alongside those of PCA;
        ``lag_rows``, errors at all lags and at short ones (see `ErrorRow`); ``summary``, how good the model is beside
        PCA and the floor; ``generated``, realizations as a set (see `GeneratedSet.to_dict`), or None and the reason in
        ``generated_left_out``; ``sampling``, the sampling errors of one window and the error of decoded statistics
        beside them (see `SamplingFloor`), or None and the reason in ``sampling_left_out``; ``notes``.

    Raises
    ------
    InputError, StoreError
        If structures do not fit the model, or the page cannot be written; raised before any work.
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    started = time.monotonic()
    target = _check_target(out, [path for path in (model, data, train, candidates) if path is not None], overwrite)
    check_page_libraries()
    estimator = load(model)
    structures = open_fitting(data, estimator, model)
    training = None if train is None else open_fitting(train, estimator, model)
    designed = None if candidates is None else open_fitting(candidates, estimator, model)
    notes = [] if training is not None else [WITHOUT_TRAINING]
    names = phase_names(structures, estimator.grid_.phases)
    chosen, indices = choose(structures, most_measured(estimator, structures))
    if len(chosen) < len(structures):
        notes.append(f"{len(chosen)} of {len(structures)} structures were measured, spread over the set.")
    fitted_on = chosen if training is None else training
    baseline, table, n_fitted = fit_baselines(estimator, fitted_on)
    total = len(chosen) + (0 if training is None else len(training))
    # Structures are realized once, and serve the errors, the set and the examples.
    keep = Kept(set_positions(chosen))
    measurement = measure(estimator, chosen, baseline, keep, *table.observers, progress=stage(progress, 0, total))
    kept = keep.trip
    error_rows, realized_set, reason = set_parts(estimator, chosen, training, table, measurement, kept, names)
    structure_error, structure_note = pca_structure_error(table, len(kept.structures), reason)
    rows, rows_note = comparison_rows(
        estimator, measurement, baseline, n_fitted, structure_error, same_data=training is None
    )
    realizations = None if realized_set is None else realized_set.realizations
    examples = example_parts(estimator, kept, indices[keep.numbers], realizations)
    neighbours, searched = neighbour_parts(estimator, examples, training, progress=stage(progress, len(chosen), total))
    floor, no_floor = sampling_floor(estimator, structures)
    if progress is not None:
        progress(total, total)
    parts = ReportParts(
        title=f"Report of {Path(model).name}",
        version=__version__,
        grid=chosen.grid,
        model=model_metadata(estimator, model),
        card=card_facts(estimator),
        data=data_metadata(structures, data, train, training),
        settings=settings_metadata(estimator),
        notes=notes,
        history=estimator.history_,
        closed_form=decodes_statistics(estimator),
        pairs=resolve_correlations(estimator.correlations, estimator.grid_.phases),
        numbers=indices,
        errors=measurement.errors,
        fractions=measurement.volume_fractions if chosen.grid.phases > 1 else None,
        rows=rows,
        rows_note=f"{rows_note} {structure_note}" if rows else rows_note,
        examples=examples,
        similar=neighbours,
        searched=searched,
        latents=measurement.latents,
        scores=baseline.scores,
        properties={
            name: values
            for name, values in chosen.properties.items()
            if name != "source" and not name.startswith(POSITION)
        },
        units=structures.units,
        materials=materials_of(chosen),
        traversal=walk_parts(estimator, measurement.latents),
        candidates=None
        if designed is None
        else candidate_parts(estimator, designed, Path(str(candidates)).name, Path(model).name),
        summary=summary(error_rows, decodes_statistics=decodes_statistics(estimator)),
        lag_rows=[{**row.to_dict(), "name": row.name} for row in error_rows],
        phase_names=names if chosen.grid.phases > 1 else [],
        realized_set=realized_set,
        realized_set_note=reason,
        sampling=f"No sampling error of the structures is stated: {no_floor}." if floor is None else floor.sentence,
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
        "relative_error": measurement.reconstructed["relative_error"],
        "rows": rows,
        "lag_rows": [{**row.to_dict(), "method": row.name} for row in error_rows],
        "summary": parts.summary,
        "generated": None if realized_set is None else realized_set.generated,
        "generated_left_out": reason or None,
        "sampling": None if floor is None else floor.to_dict(),
        "sampling_left_out": no_floor or None,
        "notes": notes,
    }


WITHOUT_TRAINING = (
    "No training structures were given. PCA was therefore fitted on the structures that it is measured on, which "
    "favours it, and the page cannot show whether the model memorises its training structures. Name them with --train."
)


def _check_target(out: str | Path, inputs: list[str | Path], overwrite: bool) -> Path:
    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise InputError(f"The file name of a report ends in .html, but {out} was given. Choose this ending.")
    return check_output(out, inputs, overwrite=overwrite, replaceable=is_page)


def is_page(path: Path) -> bool:
    """Return whether a file is a page that matvae wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'<meta name="generator" content="matvae ' in file.read(1000)
