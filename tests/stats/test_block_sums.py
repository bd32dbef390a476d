"""Statistics by blocks against those of the whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.stats import block_sums, two_point_stats, two_point_stats_by_blocks
from matvae.stats.block_sums import plan_blocks
from matvae.stats.correlate import pair_counts

CASES = [((37,), 5), ((23, 31), (4, 7)), ((12, 17, 11), (3, 2, 4)), ((9, 40), (4, 3))]


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("space", "cutoff"), CASES)
@pytest.mark.parametrize("phases", [2, 4])
def test_numbers_of_voxel_pairs_are_those_of_the_whole(space, cutoff, phases, periodic):
    labels = np.random.default_rng(0).integers(0, phases, space).astype(np.uint8)
    pairs = list(itertools.product(range(phases), repeat=2))
    options = {"phases": phases, "correlations": pairs, "periodic": periodic, "cutoff": cutoff}
    whole = two_point_stats(labels, spatial_dims=len(space), **options)[0]
    counts = pair_counts(space, periodic=periodic, cutoff=cutoff).numpy()[..., None]
    expected = np.rint(whole * counts)
    reports = []
    # A bound so low that there are many blocks, of uneven sizes.
    cutoffs = (cutoff,) * len(space) if isinstance(cutoff, int) else cutoff
    smallest = plan_blocks(space, cutoffs, phases, len(pairs), 10**12).n_bytes // 3
    f = two_point_stats_by_blocks(
        labels, **options, max_bytes=smallest, progress=lambda done, total: reports.append((done, total))
    )
    np.testing.assert_array_equal(np.rint(f * counts), expected)
    np.testing.assert_allclose(f * counts, expected, rtol=1e-12)
    assert len(reports) > 1
    assert reports[-1] == (len(reports), len(reports))


@pytest.mark.parametrize("periodic", [True, False])
def test_every_block_size_gives_the_same(periodic):
    labels = np.random.default_rng(1).integers(0, 2, (15, 13)).astype(np.int64)
    whole = two_point_stats(labels[None], periodic=periodic, cutoff=3)[0]
    seen = set()
    for max_bytes in (7_000, 12_000, 20_000, 10**9):
        seen.add(plan_blocks((15, 13), (3, 3), 1, 1, max_bytes).block)
        f = two_point_stats_by_blocks(labels, phases=2, periodic=periodic, cutoff=3, max_bytes=max_bytes)
        np.testing.assert_allclose(f, whole, atol=1e-7)
    assert len(seen) >= 3


def test_continuous_fields_agree_to_rounding():
    field = np.random.default_rng(2).normal(size=(20, 18)).astype(np.float64)
    whole = two_point_stats(field[None], periodic=False, cutoff=(5, 2))[0]
    f = two_point_stats_by_blocks(field, periodic=False, cutoff=(5, 2), max_bytes=30_000)
    np.testing.assert_allclose(f, whole, atol=1e-12)


def test_blocks_read_a_part_of_the_structure_at_a_time():
    labels = np.random.default_rng(3).integers(0, 2, (60, 60)).astype(np.uint8)

    class Recorder:
        shape, dtype = labels.shape, labels.dtype
        largest = 0

        def __getitem__(self, index):
            part = labels[index]
            self.largest = max(self.largest, part.size)
            return part

    lazy = Recorder()
    f = two_point_stats_by_blocks(lazy, phases=2, cutoff=4, max_bytes=50_000)
    np.testing.assert_allclose(f, two_point_stats(labels[None], cutoff=4)[0], atol=1e-7)
    assert 0 < lazy.largest < labels.size / 2


def test_the_memory_of_blocks_is_bounded_whatever_the_structure():
    for edge in (256, 512, 1500):
        plan = plan_blocks((edge,) * 3, (32,) * 3, 1, 1, 1 << 30)
        assert plan.n_bytes <= 1 << 30
        assert plan.n_bytes > 1 << 28
        assert sum(np.prod([stop - start for start, stop in block]) for block in plan.blocks()) == edge**3


def test_what_cannot_be_computed_by_blocks_is_refused():
    labels = np.zeros((20, 20), np.uint8)
    with pytest.raises(InputError, match="only up to a cutoff"):
        two_point_stats_by_blocks(labels, phases=2, cutoff=None)
    with pytest.raises(InputError, match="number of phases of labels is needed"):
        two_point_stats_by_blocks(labels, cutoff=2)
    with pytest.raises(InputError, match=r"take at least .* kB, but max_bytes=1000"):
        two_point_stats_by_blocks(labels, phases=2, cutoff=5, max_bytes=1000)
    with pytest.raises(InputError, match="labels from 3 to 3 were found"):
        two_point_stats_by_blocks(np.full((20, 20), 3), phases=2, cutoff=2)
    with pytest.raises(InputError, match="beyond the window"):
        two_point_stats_by_blocks(labels, phases=2, cutoff=10)


class Recording:
    """A crew that works from the last task to the first, as no order is promised, and records the tasks."""

    n_workers = 2

    def __init__(self) -> None:
        self.groups: list[int] = []

    def in_order(self, function, tasks, given=None, *, read=None):
        tasks = list(tasks)
        self.groups = [len(group) for (group,) in tasks]
        return iter([function(given, *task) for task in reversed(tasks)][::-1])


@pytest.mark.parametrize("kind", ["labels", "field"])
def test_a_crew_gets_groups_of_blocks_and_gives_the_same_digits(kind, monkeypatch):
    monkeypatch.setattr(block_sums, "LEAST_GROUPS", 3)
    rng, crew, reports = np.random.default_rng(3), Recording(), []
    structure = rng.integers(0, 2, (40, 30)).astype(np.uint8) if kind == "labels" else rng.normal(size=(40, 30))
    options = {"periodic": False, "cutoff": (3, 2)} | ({"phases": 2} if kind == "labels" else {})
    alone = two_point_stats_by_blocks(structure, **options, max_bytes=10_000)
    f = two_point_stats_by_blocks(
        structure, **options, max_bytes=10_000, crew=crew, progress=lambda *report: reports.append(report)
    )
    np.testing.assert_array_equal(f, alone)
    np.testing.assert_allclose(f, two_point_stats(structure[None], **options)[0], atol=1e-6)
    assert len(crew.groups) >= 3
    assert max(crew.groups) > 1
    assert reports[-1] == (sum(crew.groups), sum(crew.groups))
