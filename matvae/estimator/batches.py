"""From an array on disk or in memory to shuffled training batches; the place where dask and torch meet.

Samples stay as they are stored (uint8 labels) until a batch is made. The blocks of a dask array are read whole, in an
order drawn anew for each epoch, and mixed in a buffer of a few blocks; a thread reads ahead while the model computes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from torch import Tensor

from ..data.subsets import within
from ..errors import InputError
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

    Attributes
    ----------
    n_training : int
        Number of samples not held out.
    steps_per_epoch : int
    n_constant : int
        Number of samples in which all voxels, or all lags, are equal.

    Raises
    ------
    InputError
        If any sample has values that are not allowed: everything is read once, before work starts.
    """

    def __init__(self, samples: Samples, *, batch_size: int, validation_fraction: float, seed: int) -> None:
        self.samples, self.seed = samples, seed
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
        self.n_constant = 0
        # Magnitude of values that are no labels.
        self.largest = 0.0
        self._held_out, self._calibration = self._survey(
            np.sort(order[:n_held_out]), np.sort(order[n_held_out:][:n_calibration])
        )

    def _survey(self, *subsets: np.ndarray) -> list[np.ndarray]:
        """Read everything once, so that bad data are refused before work starts, and keep some subsets."""
        X = self.samples.array
        parts: list[list[np.ndarray]] = [[np.empty((0, *X.shape[1:]), X.dtype)] for _ in subsets]
        for part in blocks_of(X):
            block = read(X, part)
            values = self.samples.layout.tensor(block)
            if values.is_floating_point():
                self.largest = max(self.largest, float(values.abs().max()))
            self.n_constant += self.samples.layout.count_constant(block)
            for numbers, kept in zip(subsets, parts, strict=True):
                kept.append(block[within(numbers, part.start, part.stop)])
        return [np.concatenate(kept) for kept in parts]

    @cached_property
    def calibration(self) -> list[Tensor]:
        """A few batches of training samples, with which a model is prepared before and measured after training."""
        return list(self._batches_of(self._calibration))

    def validation(self) -> Iterator[Tensor]:
        """Batches of the held-out samples, always the same."""
        return self._batches_of(self._held_out)

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Every training sample once, in an order that depends only on the seed and `number`."""
        rng = np.random.default_rng([self.seed, 1, number])
        X = self.samples.array
        if not is_dask(X):
            order = rng.permutation(np.flatnonzero(self.is_training))
            for start in range(0, len(order), self.batch_size):
                yield self.samples.layout.tensor(X[np.sort(order[start : start + self.batch_size])])
            return
        with closing(_read_ahead(lambda: self._shuffled(rng))) as batches:
            yield from batches

    def _shuffled(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """Batches from a buffer of blocks read in random order; what remains joins the next buffer."""
        X = self.samples.array
        parts = blocks_of(X)
        blocks: list[np.ndarray] = []
        n_bytes = 0
        order = rng.permutation(len(parts))
        for position, k in enumerate(order):
            block = read(X, parts[k])[self.is_training[parts[k]]]
            blocks.append(block)
            n_bytes += block.nbytes
            is_last = position == len(order) - 1
            if n_bytes < BUFFER_BYTES and not is_last:
                continue
            buffer = np.concatenate(blocks)
            buffer = buffer[rng.permutation(len(buffer))]
            stop = len(buffer) if is_last else len(buffer) - len(buffer) % self.batch_size
            yield from self._batches_of(buffer[:stop])
            blocks = [buffer[stop:]]
            n_bytes = blocks[0].nbytes

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
