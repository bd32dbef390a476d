"""Progress of dask computations."""

from __future__ import annotations

import dask.array as da

from matvae.jobs.watch import watch_blocks


def test_progress_covers_several_computations_and_ends_at_the_total():
    seen = []
    data = da.ones((8, 4), chunks=(2, 4)) + 1
    with watch_blocks(lambda done, total: seen.append((done, total)), 4):
        data[:4].compute()
        data[4:].compute()
    assert seen[-1][0] == seen[-1][1]
    assert all(0 < done <= total for done, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_progress_is_optional():
    with watch_blocks(None, 1):
        assert da.ones(3, chunks=1).sum().compute() == 3
