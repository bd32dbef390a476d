"""Results that print as one line per field, and that notebooks show as a table with pictures.

What a result shows is its own business; how it is drawn is that of `matvae.notebook`, which is imported by its name
when something is drawn: it stands above the results, and drawing needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np

# More values than these are summarised.
MOST_VALUES, MOST_ENTRIES, LONGEST_TEXT = 6, 6, 90


class Shown:
    """Base of results: decorate dataclasses that derive from it with ``@dataclass(repr=False)``."""

    def shown_rows(self) -> dict[str, str]:
        """Name and short text of everything that is worth showing; by default all fields that are not None."""
        assert is_dataclass(self), "results that are no dataclasses state what they show"
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.repr}
        return {name: short_text(value) for name, value in values.items() if value is not None}

    def brief(self) -> str:
        """Describe the result in one line, where it is part of another."""
        return type(self).__name__

    def __repr__(self) -> str:
        rows = self.shown_rows()
        width = max(map(len, rows), default=0)
        return "\n".join([type(self).__name__, *(f"  {name:<{width}}  {text}" for name, text in rows.items())])

    def _repr_html_(self) -> str:
        return str(import_module("matvae.notebook").html_of(self))


def short_text(value: Any) -> str:
    """Describe a value in at most one line.

    Parameters
    ----------
    value : object
        Of arrays, shape and range are stated, or their values if these are few; of lists and mappings, the first
        entries.

    Returns
    -------
    str
    """
    if isinstance(value, np.ndarray):
        return _array_text(value)
    if isinstance(value, float | np.floating):
        return f"{float(value):.4g}"
    if isinstance(value, Mapping):
        return _listed([f"{name}: {short_text(entry)}" for name, entry in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) > MOST_VALUES and all(entry is None or isinstance(entry, str) for entry in value):
            return _strings_text(value)
        return _listed([short_text(entry) for entry in value])
    if isinstance(value, Shown):
        return value.brief()
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _array_text(array: np.ndarray) -> str:
    size = " x ".join(map(str, array.shape))
    what = f"{size} values" if array.ndim == 1 else f"{array.dtype} {size}"
    if array.size == 0 or array.dtype.kind not in "biuf":
        return what
    if array.ndim < 2 and array.size <= MOST_VALUES:
        return ", ".join(f"{entry:.4g}" if array.dtype.kind == "f" else str(entry) for entry in np.atleast_1d(array))
    if array.dtype.kind == "b":
        return f"True for {np.count_nonzero(array)} of {array.size}"
    finite = array[np.isfinite(array)]
    if not finite.size:
        return f"{what}, none of them finite"
    missing = f", {array.size - finite.size} not finite" if finite.size < array.size else ""
    return f"{what}, {finite.min():.4g} to {finite.max():.4g}{missing}"


def _strings_text(values: Sequence[str | None]) -> str:
    given = [text for text in values if text is not None]
    return f"{len(given)} of {len(values)} given" + (f", the first: {short_text(given[0])}" if given else "")


def _listed(entries: Sequence[str]) -> str:
    more = f", and {len(entries) - MOST_ENTRIES} more" if len(entries) > MOST_ENTRIES else ""
    return ", ".join(entries[:MOST_ENTRIES]) + more or "none"
