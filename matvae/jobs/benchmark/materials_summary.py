"""Means and spreads over the seeds of a benchmark of materials, and its tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# What identifies a row; all other numbers are averaged.
KEYS = ("method", "n_components", "realize")


def summarise(runs: Sequence[Mapping[str, Any]], rows: str) -> list[dict[str, Any]]:
    """Average rows over the seeds of each material.

    Parameters
    ----------
    runs : sequence of dict
        One per material and seed.
    rows : ``"decoded"`` or ``"realized"``

    Returns
    -------
    list of dict
        One per material and row: its keys, ``n_seeds``, and for each number its mean and, as ``NAME_spread``, its
        standard deviation over the seeds (n-1 in the denominator; None for a single seed). ``outside`` lists the
        measures that are outside for any seed.
    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for run in runs:
        for row in run[rows]:
            identity = (run["material"], *(row.get(key) for key in KEYS))
            groups.setdefault(identity, []).append(row)
    return [
        {"material": material, **dict(zip(KEYS, keys, strict=True)), "n_seeds": len(members), **_averaged(members)}
        for (material, *keys), members in groups.items()
    ]


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV, with the columns of all of them; None is empty, lists are joined by spaces."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _averaged(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    averaged: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in rows for name in row if name not in KEYS):
        values = [row[name] for row in rows if row.get(name) is not None]
        if name == "outside":
            averaged[name] = sorted({measure for outside in values for measure in outside})
            continue
        averaged[name] = float(np.mean(values)) if values else None
        averaged[f"{name}_spread"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return averaged


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(value) if isinstance(value, list) else value
