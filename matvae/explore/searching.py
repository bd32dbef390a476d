"""Thorough searches: that of `matvae optimize`, in the background, one at a time, while the page goes on.

The page holds the identifier of its search, and asks how far it is. Nothing else is remembered of a visitor.
"""

from __future__ import annotations

import logging
import secrets
import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import validate
from ..errors import InputError, MatvaeError
from ..estimator import FittedModel
from ..interrupt import Interrupted, interruptible
from ..optimize import Candidates, Goal, optimize_latents, parse_goal
from ..shortage import is_shortage
from ..warn import kept_warnings, kind_of
from .design import Designer
from .packed import finite
from .state import mapping_of

logger = logging.getLogger("matvae")

# As `matvae optimize` has them if it is not told otherwise.
SEED, N_REALIZATIONS, USUAL_CANDIDATES = 0, 8, 10
MOST_CANDIDATES = 20
# Results that are kept for pages that have not asked for them yet, or are loaded again.
MOST_FINISHED = 4
# A page asks every second or, in a tab that is not seen, every minute; one that has been silent for longer is closed.
ABANDONED_SECONDS = 300.0
CLOSING_SECONDS = 10.0

CANCELLED_TEXT = "The search was cancelled."
ABANDONED_TEXT = "The search ended, since this page had not asked for it for 5 minutes. Start it again."

RUNNING, DONE, CANCELLED, FAILED, GONE = "running", "done", "cancelled", "failed", "gone"


@dataclass(frozen=True)
class Wanted:
    """What a search looks for.

    Parameters
    ----------
    model : StatsVAETransformer
    designer : Designer
        Predicts the measures of candidates.
    targets : mapping of str to float
        By the names of measures.
    n_candidates : int
    """

    model: Any
    designer: Designer
    targets: Mapping[str, float]
    n_candidates: int

    def goals(self) -> dict[str, str]:
        """Goals by the names of measures, as `matvae optimize` takes them."""
        return {name: f"{name}={target:.4g}" for name, target in self.targets.items()}

    def command(self, location: str) -> str:
        """The same search in a terminal, of the model at this location."""
        goals = " ".join(f"--goal {shlex.quote(goal)}" for goal in self.goals().values())
        number = "" if self.n_candidates == USUAL_CANDIDATES else f" -k {self.n_candidates}"
        return f"matvae optimize {shlex.quote(location)} {goals}{number} -o design.zarr"

    def described(self, found: Candidates) -> dict[str, Any]:
        """Candidates as the page shows them, with the states in which it shows their structures."""
        goals = {name: parse_goal(goal) for name, goal in self.goals().items()}
        predicted = self.designer.predict(list(goals), found.latents)
        decodes_structures = FittedModel.of(self.model).decodes_structures
        assert found.samples is not None
        return {
            "n_realizations": found.realizations.shape[1],
            # Layouts are decoded; of textures the first realization is shown.
            "shown": "decoded structure" if decodes_structures else "first realization",
            "summary": "" if found.comparison is None else found.comparison.summary,
            "candidates": [
                {
                    "latent": found.latents[k].tolist(),
                    "seed": found.seed,
                    "sample": 0 if decodes_structures else int(found.samples[k]) * found.realizations.shape[1],
                    "values": {name: _values(found, goals[name], k, predicted[k, m]) for m, name in enumerate(goals)},
                    "reason": self._in_words(found.reasons[k], goals),
                }
                for k in range(len(found))
            ],
        }

    def _in_words(self, reason: str | None, goals: Mapping[str, Goal]) -> str | None:
        """Put the words of the page in place of the labels of goals."""
        texts = {measure.name: measure.text for measure in self.designer.known.measures}
        for name, goal in goals.items():
            reason = reason and reason.replace(goal.label, texts[name])
        return reason


def _values(found: Candidates, goal: Goal, k: int, predicted: float) -> dict[str, float | None]:
    measured, spread = float(found.achieved[goal.label][k]), float(found.spread[goal.label][k])
    return {
        "requested": goal.target,
        "predicted": finite(predicted),
        "measured": finite(measured),
        "spread": finite(spread),
    }


def read_number(given: Any) -> int:
    """Read ``n_candidates`` from JSON.

    Raises
    ------
    InputError
        If it is out of range.
    """
    number = mapping_of(given).get("n_candidates", USUAL_CANDIDATES)
    return validate.integer("n_candidates", number, 1, MOST_CANDIDATES)


class BusyError(InputError):
    """A search that cannot start, since another one is running."""


class Search:
    """A search in a thread of its own, which begins at once.

    Parameters
    ----------
    wanted : Wanted
    """

    def __init__(self, wanted: Wanted) -> None:
        self.identifier = secrets.token_urlsafe(16)
        self._wanted = wanted
        self._cancelled = threading.Event()
        self._asked = time.monotonic()
        # Replaced as a whole, so that no half of it is seen.
        self._described: dict[str, Any] = {"state": RUNNING, "stage": "Beginning", "done": 0, "total": 0}
        # The program ends without waiting for it.
        self._thread = threading.Thread(target=self._run, name="matvae-search", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    def describe(self) -> dict[str, Any]:
        """State of the search, with its stage or its candidates; it goes on as long as somebody asks."""
        self._asked = time.monotonic()
        return self._described

    def progress(self) -> str:
        """What it does at present, in words."""
        described = self._described
        return (
            f"{described['stage']}, {described['done']} of {described['total']}" if "stage" in described else "ending"
        )

    def cancel(self) -> None:
        """Let the search end at its next step."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, but not longer than that."""
        self._thread.join(seconds)

    def _shall_end(self) -> bool:
        return self._cancelled.is_set() or time.monotonic() - self._asked > ABANDONED_SECONDS

    def _report(self, stage: str, done: int, total: int) -> None:
        self._described = {"state": RUNNING, "stage": stage, "done": done, "total": total}

    def _run(self) -> None:
        started = time.monotonic()
        try:
            with interruptible(self._shall_end), kept_warnings() as notes:
                found = optimize_latents(
                    self._wanted.model,
                    list(self._wanted.goals().values()),
                    n_candidates=self._wanted.n_candidates,
                    n_realizations=N_REALIZATIONS,
                    random_state=SEED,
                    on_stage=self._report,
                )
                described = self._wanted.described(found)
            seconds = time.monotonic() - started
            self._described = {"state": DONE, **described, "notes": of_each_kind(notes), "seconds": seconds}
        except Interrupted:
            self._described = {
                "state": CANCELLED,
                "why": CANCELLED_TEXT if self._cancelled.is_set() else ABANDONED_TEXT,
            }
        # Nobody else hears of an error in this thread: the page tells it.
        except Exception as error:  # noqa: BLE001
            self._described = {"state": FAILED, "error": _told(error)}


def of_each_kind(notes: Sequence[str]) -> list[str]:
    """Return the first of the notes that differ in their numbers only, as those of one structure after the other do."""
    first: dict[str, str] = {}
    for note in notes:
        first.setdefault(kind_of(note), note)
    return list(first.values())


def _told(error: Exception) -> str:
    if isinstance(error, MatvaeError):
        return str(error)
    if is_shortage(error):
        return "There is too little memory for this search. Ask for fewer candidates, or search in a terminal."
    logger.error("The search failed.", exc_info=error)
    return "The search failed; the terminal of the server says why. Choose other targets."


class Searches:
    """The search that runs, and the last ones that ended."""

    def __init__(self) -> None:
        self._searches: OrderedDict[str, Search] = OrderedDict()
        self._starting = threading.Lock()

    def start(self, wanted: Wanted) -> str:
        """Start a search, and return its identifier, which nobody can guess.

        Raises
        ------
        BusyError
            If one is running.
        """
        with self._starting:
            for search in self._searches.values():
                if search.is_running:
                    raise BusyError(
                        f"A search is running, started from another tab or by another visitor ({search.progress()}), "
                        "and there is one at a time. Wait until it has ended, or cancel it where it was started."
                    )
            search = Search(wanted)
            self._searches[search.identifier] = search
            while len(self._searches) > MOST_FINISHED:
                self._searches.popitem(last=False)
            return search.identifier

    def describe(self, identifier: str) -> dict[str, Any]:
        """``state`` of a search with its ``stage``, ``done`` and ``total``, its ``candidates``, or its ``error``."""
        search = self._searches.get(identifier)
        return {"state": GONE} if search is None else search.describe()

    def cancel(self, identifier: str) -> dict[str, Any]:
        """Let a search end at its next step, and return its state."""
        search = self._searches.get(identifier)
        if search is not None:
            search.cancel()
        return self.describe(identifier)

    def close(self) -> None:
        """End the search that runs."""
        searches = list(self._searches.values())
        for search in searches:
            search.cancel()
        for search in searches:
            search.wait(CLOSING_SECONDS)
