"""Heartbeat: every rank counts in a shared store, and a rank that stops counting is lost.

A process that was killed closes its connections, which the others notice in their next exchange. They do not learn
which one it was, and a process that hangs, or whose machine is gone, closes nothing. Counters answer both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

BEAT_SECONDS = 1.0
# Own beats without one of another rank after which that rank is lost. Beats are counted, not seconds, so that a process
# that was suspended itself does not blame the others.
SILENT_BEATS = 20


class Store(Protocol):
    """The part of `torch.distributed.Store` that is used."""

    def add(self, key: str, amount: int, /) -> int:
        """Add to a counter and return its value."""


class Heartbeat:
    """Heartbeat of one rank, from a thread.

    Parameters
    ----------
    store : Store
        Shared by all ranks.
    number, count : int
        Of this rank, and how many there are.
    on_lost : callable
        Called once in the thread, with the numbers of the ranks that are silent; with an empty list if the store does
        not answer.
    """

    def __init__(self, store: Store, number: int, count: int, on_lost: Callable[[list[int]], None]) -> None:
        self.store, self.number, self.count, self.on_lost = store, number, count, on_lost
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="matvae-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to count, and to watch the others."""
        self._thread.start()

    def stop(self) -> None:
        """End; the others must not watch any longer."""
        self._stopped.set()
        # A store that hangs holds the thread; it is a daemon.
        self._thread.join(5 * BEAT_SECONDS)

    def silent(self) -> list[int]:
        """Numbers of the ranks that do not count for three beats; empty if the store does not answer."""
        try:
            before = self._counts()
            self._stopped.wait(3 * BEAT_SECONDS)
            after = self._counts()
        except RuntimeError:
            return []
        return [rank for rank in range(self.count) if rank != self.number and after[rank] == before[rank]]

    def _beat(self) -> None:
        counts, silence = [-1] * self.count, [0] * self.count
        while not self._stopped.wait(BEAT_SECONDS):
            try:
                self.store.add(_key(self.number), 1)
                new = self._counts()
            except RuntimeError:
                self._lost([])
                return
            silence = [n + 1 if a == b else 0 for n, a, b in zip(silence, counts, new, strict=True)]
            counts = new
            if lost := [rank for rank, n in enumerate(silence) if n >= SILENT_BEATS]:
                self._lost(lost)
                return

    def _counts(self) -> list[int]:
        return [self.store.add(_key(rank), 0) for rank in range(self.count)]

    def _lost(self, ranks: list[int]) -> None:
        # At the end the other ranks, and the store with them, may be gone before this thread has been stopped.
        if not self._stopped.is_set():
            self.on_lost(ranks)


def _key(rank: int) -> str:
    return f"matvae/heartbeat/{rank}"
