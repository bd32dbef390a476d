"""Ranks that stop counting are named by the others."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from matvae.model import heartbeat as module
from matvae.model.heartbeat import Heartbeat


class Memory:
    """Store in memory, which can be closed."""

    def __init__(self) -> None:
        self.counts, self.closed = Counter(), False

    def add(self, key: str, amount: int) -> int:
        if self.closed:
            raise RuntimeError("closed")
        self.counts[key] += amount
        return self.counts[key]


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)


def beating(store, count=3):
    """Heartbeats of all ranks, and what each was told."""
    told = [[] for _ in range(count)]
    beats = [Heartbeat(store, number, count, told[number].append) for number in range(count)]
    for each in beats:
        each.start()
    return beats, told


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_silent_rank_is_named_by_all_others():
    beats, told = beating(Memory())
    beats[1].stop()
    assert until(lambda: told[0] and told[2])
    assert told == [[[1]], [], [[1]]]
    # The other one has ended its thread as well.
    assert beats[0].silent() == [1, 2]


def test_nobody_is_named_while_all_count_nor_after_the_end():
    beats, told = beating(Memory())
    time.sleep(3 * module.SILENT_BEATS * module.BEAT_SECONDS)
    for each in beats:
        each.stop()
    assert told == [[], [], []]
    assert "matvae-heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_a_store_that_does_not_answer_is_reported_without_names():
    store = Memory()
    beats, told = beating(store)
    store.closed = True
    assert until(lambda: all(told))
    assert told == [[[]], [[]], [[]]]
    assert beats[0].silent() == []
