"""Batches contain every training sample once per epoch and no held-out sample, in a reproducible order."""

from __future__ import annotations

import threading

import dask.array as da
import numpy as np
import pytest

from matvae.errors import InputError
from matvae.estimator import batches as module
from matvae.estimator.batches import Batches, seed_from
from matvae.estimator.sample_layout import layout_of_structures
from matvae.estimator.samples import Samples
from matvae.grid import Grid
from matvae.model.ranks import Ranks


def numbered(n: int) -> np.ndarray:
    """Fields in which every value but one is the number of the sample."""
    X = np.repeat(np.arange(n, dtype=np.float64)[:, None], 4, axis=1)
    X[:, 3] += 0.5
    return X


def make(X, **settings) -> Batches:
    layout = layout_of_structures(X, phases="auto", sample_shape=None, state_axis=None)
    samples = Samples(X, layout, Grid((4,), phases=1))
    return Batches(samples, **{"batch_size": 8, "validation_fraction": 0.2, "seed": 0, **settings})


def samples(batches) -> list[int]:
    return [int(v) for batch in batches for v in batch[:, 0]]


KINDS = {
    "numpy": lambda X: X,
    "dask": lambda X: da.from_array(X, chunks=(7, 4)),
    "one block": lambda X: da.from_array(X, chunks=(len(X), 4)),
    "single samples": lambda X: da.from_array(X, chunks=(1, 4)),
    "empty block": lambda X: da.concatenate([da.from_array(X[:9], chunks=(9, 4)), da.zeros((0, 4)), X[9:]]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("buffer", [1, 300, 1 << 20])
def test_an_epoch_contains_every_training_sample_once(monkeypatch, kind: str, buffer: int) -> None:
    monkeypatch.setattr(module, "BUFFER_BYTES", buffer)
    batches = make(KINDS[kind](numbered(53)))
    held = samples(batches.validation())
    assert len(held) == 11
    first, second = samples(batches.epoch(0)), samples(batches.epoch(1))
    assert sorted(first) == sorted(second) == sorted(set(range(53)) - set(held))
    assert first != second
    assert first == samples(batches.epoch(0))
    assert first == samples(make(KINDS[kind](numbered(53))).epoch(0))
    other = make(KINDS[kind](numbered(53)), seed=1)
    assert samples(other.validation()) != held
    sizes = [len(batch) for batch in batches.epoch(0)]
    assert len(sizes) == batches.steps_per_epoch == 6
    assert sizes == [7] * 6
    assert set(samples(batches.calibration)).isdisjoint(held)


def test_the_split_is_the_same_for_numpy_and_dask() -> None:
    X = numbered(53)
    splits = [samples(make(KINDS[kind](X)).validation()) for kind in ("numpy", "dask")]
    assert splits[0] == splits[1]


def test_samples_of_different_blocks_are_mixed() -> None:
    batches = make(KINDS["dask"](numbered(60)), validation_fraction=0.0)
    first = samples(batches.epoch(0))[:8]
    assert len({number // 7 for number in first}) > 2


@pytest.mark.parametrize(("n", "fraction", "held"), [(1, 0.5, 0), (2, 0.9, 1), (10, 0.0, 0), (10, 0.01, 1)])
def test_at_least_one_sample_is_left_for_training(n: int, fraction: float, held: int) -> None:
    batches = make(numbered(n), validation_fraction=fraction)
    assert len(samples(batches.validation())) == held
    assert len(samples(batches.epoch(0))) == n - held == batches.n_training


class Alone(Ranks):
    """A rank that does not wait for what the others read."""

    def of_all(self, value):
        return [value]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("buffer", [1, 300, 1 << 20])
@pytest.mark.parametrize("count", [2, 3])
def test_the_batches_of_ranks_make_up_those_of_one_process(monkeypatch, kind: str, buffer: int, count: int) -> None:
    monkeypatch.setattr(module, "BUFFER_BYTES", buffer)
    X = KINDS[kind](numbered(53))
    one, ranks = make(X), [make(X, ranks=Alone(number, count)) for number in range(count)]
    for whole, *parts in zip(one.epoch(2), *[rank.epoch(2) for rank in ranks], strict=True):
        assert samples([whole]) == samples(parts)
        sizes = [len(part) for part in parts]
        assert min(sizes) > 0
        assert max(sizes) - min(sizes) <= 1 + (kind != "numpy")
    assert sorted(samples(one.validation())) == sorted(
        number for rank in ranks for number in samples(rank.validation())
    )
    assert samples(one.calibration) == [number for rank in ranks for number in samples(rank.calibration)]


def test_a_rank_reads_its_own_part_of_the_data() -> None:
    reads: list[int] = []

    def note(block: np.ndarray) -> np.ndarray:
        reads.append(len(block))
        return block

    X = da.from_array(numbered(120), chunks=(4, 4)).map_blocks(note, meta=np.empty((0, 4)))
    for number in range(2):
        reads.clear()
        rank = make(X, validation_fraction=0.0, ranks=Alone(number, 2))
        assert sum(reads) == 60
        reads.clear()
        assert sum(map(len, rank.epoch(0))) == 60
        # The block in the middle, and no other, is read by both.
        assert sum(reads) <= 64


def test_batches_that_are_too_small_for_all_ranks_are_refused() -> None:
    with pytest.raises(InputError, match=r"A batch of 2 samples cannot be divided among 3 processes"):
        make(numbered(20), batch_size=2, ranks=Alone(0, 3))


def test_at_least_one_large_sample_is_held_out(monkeypatch) -> None:
    monkeypatch.setattr(module, "VALIDATION_BYTES", 1)
    assert len(samples(make(numbered(20)).validation())) == 1


def test_constant_samples_are_counted() -> None:
    X = numbered(6)
    X[:2] = 1.0
    assert make(X).n_constant == 2


def test_invalid_values_are_detected_in_any_block() -> None:
    X = numbered(30)
    X[29, 3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        make(da.from_array(X, chunks=(7, 4)))


def test_an_error_while_reading_ahead_is_raised_during_training() -> None:
    calls = {"n": 0}

    def fails_later(block: np.ndarray) -> np.ndarray:
        calls["n"] += 1
        if calls["n"] > 6:
            raise OSError("the disk is gone")
        return block

    X = da.from_array(numbered(35), chunks=(7, 4)).map_blocks(fails_later, meta=np.empty((0, 4)))
    batches = make(X)
    with pytest.raises(OSError, match="disk is gone"):
        samples(batches.epoch(0))


def test_an_abandoned_epoch_leaves_no_thread_behind() -> None:
    epoch = make(KINDS["single samples"](numbered(60)), batch_size=1).epoch(0)
    next(epoch)
    epoch.close()
    assert "matvae-read-ahead" not in {thread.name for thread in threading.enumerate()}


def test_seeds_are_accepted_in_the_forms_of_scikit_learn() -> None:
    assert seed_from(4) == seed_from(4) == seed_from(np.random.RandomState(4)) != seed_from(5)
    with pytest.raises(InputError, match="random_state must be None"):
        seed_from("four")
