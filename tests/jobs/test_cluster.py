"""Computation of blocks in order, locally or on a cluster, with a bounded number of blocks in memory."""

from __future__ import annotations

import sys
import threading
import time

import distributed
import numpy as np
import pytest

from matvae.errors import InputError, MissingExtraError
from matvae.jobs import cluster
from matvae.jobs.cluster import in_order


@pytest.fixture(scope="module")
def address():
    """A cluster of two workers in this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, scheduler_port=0
    ) as local:
        yield local.scheduler_address


def numbered(n, taken):
    for number in range(n):
        taken.append(number)
        yield np.full((2, 3), number), {"number": number}


def add(array, number):
    # Every third block takes longer, so that blocks finish out of order.
    time.sleep(0.01 * (number % 3 == 0))
    return float(array.sum()) + number, threading.get_ident()


@pytest.mark.parametrize("where", ["local", "cluster"])
def test_results_are_in_order_and_blocks_taken_as_needed(where, request):
    chosen = None if where == "local" else request.getfixturevalue("address")
    taken, sums, threads = [], [], set()
    for result, thread in in_order(add, numbered(20, taken), chosen):
        sums.append(result)
        threads.add(thread)
        assert len(taken) - len(sums) <= (0 if chosen is None else 2 * cluster.BLOCKS_AHEAD)
    assert sums == [7.0 * number for number in range(20)]
    assert (threading.get_ident() in threads) == (chosen is None)
    assert list(in_order(add, iter(()), chosen)) == []


def fail(array, number):
    if number == 3:
        raise InputError("Block 3 is bad.")
    return number


def test_errors_of_blocks_are_raised_in_this_process(address):
    for chosen in (None, address):
        with pytest.raises(InputError, match="Block 3 is bad"):
            list(in_order(fail, numbered(9, []), chosen))


def test_a_cluster_that_cannot_be_used_is_reported(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:9", "nowhere://x"):
        with pytest.raises(InputError, match=f"no dask scheduler at {address}"):
            list(in_order(add, numbered(1, []), address))
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        pytest.raises(InputError, match="has no workers"),
    ):
        list(in_order(add, numbered(1, []), empty.scheduler_address))


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[cluster\]"):
        list(in_order(add, numbered(1, []), "tcp://127.0.0.1:9"))
