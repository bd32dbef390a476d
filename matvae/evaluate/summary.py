"""A sentence on how good a model is beside PCA and the floor."""

from __future__ import annotations

from collections.abc import Sequence

from .error_rows import FLOOR, METRIC_NAMES, ErrorRow
from .lag_table import ALL

# Medians over some tens of structures that differ by less than this share are called equal.
EQUAL = 0.1
KINDS = {True: ("decoded", "decodes statistics"), False: ("realized", "makes structures whose statistics agree")}


def summary(rows: Sequence[ErrorRow], *, decodes_statistics: bool) -> str:
    """State the median centred errors of a model, of PCA with as many components and of another true window.

    Parameters
    ----------
    rows : sequence of ErrorRow
        See `ErrorTable.rows`.
    decodes_statistics : bool
        Whether the model is judged by the statistics it decodes, as PCA is, or by those of its structures.

    Returns
    -------
    str
        Without PCA, the errors alone; empty if the model has no errors by lag.
    """
    kind, verb = KINDS[decodes_statistics]
    own = next((row for row in rows if row.method == "matvae"), None)
    errors = None if own is None else getattr(own, kind)
    if own is None or errors is None:
        return ""
    pcas = [row for row in rows if row.method == "PCA"]
    # Where no structures are realized from PC scores, what PCA decodes is all that there is to compare with.
    pca_kind = kind if all(getattr(row, kind) is not None for row in pcas) else "decoded"
    references = {f"PCA in the {METRIC_NAMES[row.metric or '']}": getattr(row, pca_kind) for row in pcas}
    floor = next((row.realized for row in rows if row.method == FLOOR), None)
    shortest = next((lags for lags in errors if lags != ALL), None)
    lags_shown = [ALL] if shortest is None else [shortest, ALL]
    places = [f"at lags up to {shortest} voxels, where interfaces and features show,"] * (shortest is not None)
    places.append("at all lags")
    compared = {"matvae": errors, **references, **({} if floor is None else {"another true window": floor})}
    figures = [
        " and ".join(f"{values[lags]['centred']:.2f}" for lags in lags_shown) + f" for {name}"
        for name, values in compared.items()
    ]
    listed = f"{'; '.join([*figures, 'always predicting the training mean has 1'])}."
    if not references:
        return f"Median centred errors {' and '.join(places)} are {listed}"
    judged = [
        f"{_judgement(errors[lags]['centred'], [values[lags]['centred'] for values in references.values()])} {place}"
        for lags, place in zip(lags_shown, places, strict=True)
    ]
    decoded_only = "" if pca_kind == kind else " (by the statistics that PCA decodes)"
    return (
        f"Beside the better of two PCAs with {pcas[0].n_components} components{decoded_only}, matvae {verb} "
        f"{' and '.join(judged)}. Median centred errors there: {listed}"
    )


def _judgement(error: float, others: Sequence[float]) -> str:
    best = min(others)
    if error < (1 - EQUAL) * best:
        return "better"
    return "about as well" if error <= (1 + EQUAL) * best else "worse"
