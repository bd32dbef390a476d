"""How a fit shows its progress: as one bar in a notebook, as a line per epoch elsewhere, or by a function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

Record = Mapping[str, Any]


def progress_of(verbose: bool | Callable[[dict[str, float]], Any]) -> Callable[[dict[str, float]], Any]:
    """Return what to call with the record of each epoch.

    Parameters
    ----------
    verbose : bool or callable
        As in `StatsVAETransformer`.
    """
    if callable(verbose):
        return verbose
    if not verbose:
        return lambda record: None
    return NotebookBar() if in_notebook() else lambda record: print(epoch_text(record))


def in_notebook() -> bool:
    """Return whether Python runs for a notebook, which shows HTML and can replace what it has shown."""
    # IPython has been imported wherever there is a notebook.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    # Shells of terminals have no kernel.
    return getattr(shell, "kernel", None) is not None


def epoch_text(record: Record) -> str:
    """Describe an epoch in one line of fixed columns."""
    text = (
        f"epoch {record['epoch']:4.0f}  {record['progress']:4.0%}  {record['seconds']:7.1f} s  "
        f"loss {record['loss']:.4f}"
    )
    # There is none if all samples are trained on.
    return f"{text}  held-out error {record['validation_error']:.4f}" if "validation_error" in record else text


class NotebookBar:
    """A bar below a cell, with the latest record beside it."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, record: dict[str, float]) -> None:
        """Show the record of an epoch in place of the previous one."""
        from IPython.display import display

        shown = _Bar(record)
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


class _Bar:
    def __init__(self, record: Record) -> None:
        self._share = float(record["progress"])
        self._text = epoch_text(record)

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        text = escape(" ".join(self._text.split()))
        bar = f'<progress max="1" value="{self._share:.4f}" style="width: 16em" aria-label="Training"></progress>'
        return f'<div style="font-variant-numeric: tabular-nums">{bar} {text}</div>'
