"""Stages of a search: what it does at present, and how much of that is done."""

from __future__ import annotations

from collections.abc import Callable

from ..interrupt import interrupt_check

OnStage = Callable[[str, int, int], None]

MEASURING = "Measuring the training windows"
DESCENDING = "Following the gradient"
PREDICTING = "Searching on predictions"
PROPOSING = "Measuring what the search proposes"
REALIZING = "Realizing and measuring candidates"


class Stages:
    """Counts the steps of a search, and lets it end between two of them; see `matvae.interrupt`.

    Parameters
    ----------
    on_stage : callable, optional
        Called with the name of the stage, the steps done, and their total.
    """

    def __init__(self, on_stage: OnStage | None = None) -> None:
        self._on_stage = on_stage
        self._check = interrupt_check()
        self._name, self._done, self._total = "", 0, 0

    def begin(self, name: str, total: int, done: int = 0) -> None:
        """Begin a stage of so many steps; going on with the present stage leaves its steps as they are."""
        if name != self._name:
            self._name, self._done, self._total = name, done, total
        self.step(0)

    def step(self, n: int = 1) -> None:
        """Count steps that were done."""
        self._check()
        self._done += n
        if self._on_stage is not None:
            self._on_stage(self._name, self._done, self._total)
