"""What a reader of a report sees first: how good the model is beside PCA and the floor, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .page import Table
from .parts import ReportParts

# Keeps a sign and its number in one line.
NO_BREAK = "\N{NO-BREAK SPACE}"
ALL, OWN, PCA = "all", "matvae", "PCA"
KINDS = {"decoded": "statistics", "realized": "structures"}
# Errors that differ by less than this share are called equal, as in the sentence on the model.
EQUAL = 0.1
# A held-out error that fell by more than this share over the last fifth of a training was still falling.
STILL_FALLING = 0.02


def headline(parts: ReportParts) -> str:
    """The sentence on the model beside PCA; its numbers are in `main_figures` where there are any."""
    if not parts.lag_rows:
        return parts.summary
    sentence, end, _ = parts.summary.partition(". ")
    return f"{sentence}." if end else sentence


def main_figures(parts: ReportParts) -> Table | None:
    """Median centred errors of every method at short and at all lags; None without any."""
    lags = [ALL]
    for row in parts.lag_rows:
        for kind in KINDS:
            if row.get(kind) is not None:
                lags = [*[each for each in row[kind] if each != ALL][:1], ALL]
                break
    columns = [
        (kind, each)
        for kind in KINDS
        for each in lags
        if any(_error(row, kind, each) is not None for row in parts.lag_rows)
    ]
    if not columns:
        return None
    header = [f"{KINDS[kind]}, {'all lags' if each == ALL else f'lags ≤{NO_BREAK}{each}'}" for kind, each in columns]
    rows = [
        (_name(row), *(_text(_error(row, kind, each)) for kind, each in columns))
        for row in parts.lag_rows
        if any(_error(row, kind, each) is not None for kind, each in columns)
    ]
    return Table(
        ("method", *header),
        rows,
        "Median errors of decoded statistics, and of the statistics of structures: 0 is exact, 1 is always predicting "
        "the training mean, and another true window is as far away as the material itself varies.",
    )


def next_steps(parts: ReportParts) -> list[str]:
    """Sentences on what to do, most urgent first."""
    steps = []
    if _is_worse_than_pca(parts.lag_rows):
        steps.append(
            "PCA with as many components is closer. Use `TwoPointPCA`, or improve the model: more training structures, "
            "more passes over them (`--max-epochs`), or more components (`--n-components`)."
        )
    if is_still_falling(parts.history):
        steps.append(
            "The error of held-out structures was still falling when the training ended: train longer "
            "(`--max-epochs` or `--max-time`)."
        )
    if parts.realized_set is not None and parts.realized_set.generated["n_outside"]:
        n = parts.realized_set.generated["n_outside"]
        steps.append(
            f"Of the measures of the realizations, {n} {'lie' if n > 1 else 'lies'} outside the range of the true "
            "structures: see “Realizations as a set” before you rely on these."
        )
    if not parts.similar:
        steps.append("Name the training structures with `--train` to see whether the model memorises them.")
    steps.append(
        "Look at the reconstructions. If they are good enough for your purpose, generate structures with "
        + "`matvae inverse`"
        + (", or design them with `matvae optimize`." if parts.candidates is None else ".")
    )
    if parts.candidates is not None:
        steps.append("Check the designed structures at the end of the page: do they still look like the material?")
    return steps


def is_still_falling(history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the held-out error was lowest at the end of a training, and fell noticeably over its last fifth."""
    errors = [record["validation_error"] for record in history if record.get("validation_error") is not None]
    before = errors[: -max(1, len(errors) // 5)]
    return len(errors) > 2 and min(errors) == errors[-1] < (1 - STILL_FALLING) * min(before)


def _is_worse_than_pca(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether, by what both decode or make, PCA is closer at short lags and at all."""
    for kind in ("realized", "decoded"):
        own = [row[kind] for row in rows if row["method"] == OWN and row.get(kind) is not None]
        pcas = [row[kind] for row in rows if row["method"] == PCA and row.get(kind) is not None]
        if own and pcas:
            return all(
                min(errors[lags]["centred"] for errors in own)
                > (1 + EQUAL) * min(errors[lags]["centred"] for errors in pcas)
                for lags in own[0]
            )
    return False


def _name(row: Mapping[str, Any]) -> str:
    return str(row["name"]) if row.get("realize") is None else f"{row['name']}, {row['realize']}"


def _error(row: Mapping[str, Any], kind: str, lags: Any) -> float | None:
    errors = row.get(kind)
    return None if errors is None or lags not in errors else errors[lags]["centred"]


def _text(error: float | None) -> str:
    return "–" if error is None else f"{error:.2f}"
