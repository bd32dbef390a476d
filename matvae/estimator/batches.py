"""From an array on disk or in memory to shuffled training batches; the place where dask and torch meet.

Samples stay as they are stored (uint8 labels) until a batch is made. The blocks of a dask array are put in an order
drawn anew for each epoch, and a buffer of some batches is read at a time, while the model computes. The buffer is
divided into as many runs of consecutive samples as a batch has samples, and every batch takes a random one of each run:
it mixes all blocks of the buffer, and of several ranks that train together each reads only the runs from which its part
of the batches comes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from torch import Tensor

from ..data.subsets import within
from ..errors import InputError
from ..model.ranks import Ranks
from ..stats.map_samples import is_dask
from .samples import Samples, blocks_of, read

BUFFER_BYTES = 64 << 20
VALIDATION_SAMPLES = 2048
VALIDATION_BYTES = 128 << 20
CALIBRATION_SAMPLES = 1024
CALIBRATION_BYTES = 32 << 20


class Batches:
    """Training, validation and calibration batches of a set of samples.

    Parameters
    ----------
    samples : Samples
        Without a mask. There may be none, for a model that is fitted to masked windows alone.
    batch_size : int
    validation_fraction : float
        Fraction of the samples held out, drawn at random; at most 2048 samples or 128 MiB.
    seed : int
        Of the split and of the order.
    ranks : Ranks
        Processes that train together. Each is given its part of the training batches, the samples held out in its part
        of the blocks, and all of the calibration batches.

    Attributes
    ----------
    n_training : int
        Number of samples not held out.
    steps_per_epoch : int
        Number of batches, whose sizes differ by at most one.
    n_constant : int
        Number of samples in which all voxels, or all lags, are equal.

    Raises
    ------
    InputError
        If any sample has values that are not allowed: everything is read once, before work starts. Also if the batches
        are too small for every rank to have a sample.
    """

    def __init__(
        self,
        samples: Samples,
        *,
        batch_size: int,
        validation_fraction: float,
        seed: int,
        ranks: Ranks = Ranks(),  # noqa: B008 - it is frozen
    ) -> None:
        self.samples, self.seed, self.ranks = samples, seed, ranks
        X = samples.array
        order = np.random.default_rng([seed, 0]).permutation(len(X))
        sample_bytes = max(1, int(np.prod(X.shape[1:])) * X.dtype.itemsize)
        n_held_out = 0
        if validation_fraction > 0:
            n_held_out = min(max(1, round(validation_fraction * len(X))), VALIDATION_SAMPLES, max(0, len(X) - 1))
            n_held_out = min(n_held_out, max(1, VALIDATION_BYTES // sample_bytes))
        self.is_training = np.ones(len(X), dtype=bool)
        self.is_training[order[:n_held_out]] = False
        n_calibration = max(16, min(CALIBRATION_SAMPLES, CALIBRATION_BYTES // sample_bytes))
        self.n_training = len(X) - n_held_out
        self.batch_size = min(batch_size, max(1, self.n_training))
        self.steps_per_epoch = -(-self.n_training // self.batch_size)
        smallest = self.n_training // max(1, self.steps_per_epoch)
        if 0 < smallest < ranks.count:
            raise InputError(
                f"A batch of {smallest} samples cannot be divided among {ranks.count} processes. Start fewer, or set a "
                "larger batch_size."
            )
        # Positions in the order of an epoch at which batches start and end.
        self._limits = np.arange(self.steps_per_epoch + 1) * self.n_training // max(1, self.steps_per_epoch)
        self._held_out, self._calibration = self._survey(
            np.sort(order[:n_held_out]), np.sort(order[n_held_out:][:n_calibration])
        )

    def _survey(self, held_out: np.ndarray, calibration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read everything once, so that bad data are refused before work starts, and keep two subsets.

        Every rank reads its part of the blocks. The samples held out remain where they were read; those for calibration
        are given to all.
        """
        X = self.samples.array
        kept: tuple[list[np.ndarray], list[np.ndarray]] = ([np.empty((0, *X.shape[1:]), X.dtype)], [])
        n_constant, largest = 0, 0.0
        blocks = blocks_of(X)
        for part in blocks[self.ranks.share(len(blocks))]:
            block = read(X, part)
            values = self.samples.layout.tensor(block)
            if values.is_floating_point():
                largest = max(largest, float(values.abs().max()))
            n_constant += self.samples.layout.count_constant(block)
            for numbers, samples in zip((held_out, calibration), kept, strict=True):
                samples.append(block[within(numbers, part.start, part.stop)])
        self.n_constant = sum(self.ranks.of_all(n_constant))
        self.largest = max(self.ranks.of_all(largest))
        return np.concatenate(kept[0]), np.concatenate([kept[0][0], *chain(*self.ranks.of_all(kept[1]))])

    @cached_property
    def calibration(self) -> list[Tensor]:
        """A few batches of training samples, with which a model is prepared before and measured after training."""
        return list(self._batches_of(self._calibration))

    def validation(self) -> Iterator[Tensor]:
        """Batches of the held-out samples that this rank has, always the same."""
        return self._batches_of(self._held_out)

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Every training sample once, in an order that depends only on the seed and `number`: this rank's part."""
        rng = np.random.default_rng([self.seed, 1, number])
        X = self.samples.array
        if not is_dask(X):
            order = rng.permutation(np.flatnonzero(self.is_training))
            for start, stop in pairwise(self._limits):
                batch = np.sort(order[start:stop])
                yield self.samples.layout.tensor(X[batch[self.ranks.share(len(batch))]])
            return
        with closing(_read_ahead(lambda: self._shuffled(rng))) as batches:
            yield from batches

    def _shuffled(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """Batches from a buffer that is filled with blocks in random order."""
        X = self.samples.array
        blocks = blocks_of(X)
        order = [np.flatnonzero(self.is_training[part]) + part.start for part in blocks]
        numbers = np.concatenate([order[k] for k in rng.permutation(len(blocks))])
        # As large as the largest block, so that no block is read more than twice.
        n_samples = max(BUFFER_BYTES // max(1, X[:1].nbytes), max(part.stop - part.start for part in blocks))
        n_batches = max(1, n_samples // self.batch_size)
        for first in range(0, self.steps_per_epoch, n_batches):
            limits = self._limits[first : first + n_batches + 1]
            yield from self._mixed(numbers[limits[0] : limits[-1]], len(limits) - 1, rng)

    def _mixed(self, numbers: np.ndarray, n_batches: int, rng: np.random.Generator) -> Iterator[Tensor]:
        """This rank's part of the batches that the samples of a buffer make up."""
        n_runs = -(-len(numbers) // n_batches)
        # Batch in which each sample of each run is; the last run may be shorter.
        batch_of = rng.permuted(np.tile(np.arange(n_batches), (n_runs, 1)), axis=1)
        own = self.ranks.share(n_runs)
        numbers = numbers[own.start * n_batches : own.stop * n_batches]
        samples = self._read(numbers)
        batch = batch_of[own].ravel()[: len(numbers)]
        for k in range(n_batches):
            yield self.samples.layout.tensor(samples[batch == k])

    def _read(self, numbers: np.ndarray) -> np.ndarray:
        """Samples by their numbers, which ascend within each block."""
        X = self.samples.array
        block_of = np.searchsorted(np.cumsum(X.chunks[0]), numbers, side="right")
        changes = np.flatnonzero(np.diff(block_of)) + 1
        parts = []
        for run in np.split(numbers, changes):
            parts.append(read(X, slice(int(run[0]), int(run[-1]) + 1))[run - run[0]])
        return np.concatenate(parts)

    def _batches_of(self, samples: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(samples), self.batch_size):
            yield self.samples.layout.tensor(samples[start : start + self.batch_size])


def _read_ahead(iterate: Callable[[], Iterator[Tensor]], depth: int = 4) -> Generator[Tensor]:
    """Run an iterator in a thread, `depth` items ahead; an error there is raised here."""
    items: queue.Queue[Tensor | BaseException | None] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(item: Tensor | BaseException | None) -> None:
        while not stop.is_set():
            try:
                items.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in iterate():
                put(item)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
            put(error)

    thread = threading.Thread(target=work, name="matvae-read-ahead", daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def seed_from(random_state: Any) -> int:
    """Draw one integer seed from anything scikit-learn accepts as ``random_state``.

    Raises
    ------
    InputError
        If it is something else.
    """
    try:
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    except ValueError as error:
        raise InputError(
            f"random_state must be None, an integer or a numpy RandomState, but {random_state!r} was given."
        ) from error
