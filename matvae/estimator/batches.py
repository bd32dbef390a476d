"""From an array on disk or in memory to shuffled training batches; the place where dask and torch meet.

Samples stay as they are stored (uint8 labels) until a batch is made. Of a dask array, whole blocks are read
in an order drawn anew each epoch and mixed in a buffer of a few; a thread reads ahead while the model
computes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from torch import Tensor

from ..errors import InputError
from ..stats.form import check_state_axis
from ..stats.map_samples import as_tensor, is_dask
from .sample_layout import Input

BUFFER_BYTES = 64 << 20
VALIDATION_SAMPLES = 2048
VALIDATION_BYTES = 128 << 20
CALIBRATION_SAMPLES = 1024
CALIBRATION_BYTES = 32 << 20


def blocks_of(X: Any, max_bytes: int = BUFFER_BYTES) -> list[slice]:
    """Slices along the samples that are cheap to read: a dask array's chunks, or runs of a numpy array."""
    if is_dask(X):
        ends = np.cumsum(X.chunks[0])
        return [slice(int(stop - n), int(stop)) for stop, n in zip(ends, X.chunks[0], strict=True) if n]
    step = max(1, max_bytes // max(1, X[:1].nbytes))
    return [slice(start, min(start + step, len(X))) for start in range(0, len(X), step)]


def read(X: Any, part: slice) -> np.ndarray:
    """Voxels of a slice, computed if they are lazy."""
    block = X[part]
    # One thread reads one block: the reader runs beside the model and must not take all cores from it.
    return np.asarray(block.compute(scheduler="synchronous") if is_dask(block) else block)


def check_no_state_axis(X: Any, understood: Input, phases: Any) -> None:
    """Refuse a field that looks as if its axis of local states were forgotten; ``phases=1`` says it is a field.

    Raises
    ------
    InputError
        As `stats.states.check_state_axis`, which reads on only as long as everything looks like states.
    """
    if isinstance(phases, str) and understood.form is not None:
        fields = (as_tensor(read(X, part).reshape(-1, *understood.shape)) for part in blocks_of(X))
        check_state_axis(fields, understood.form)


class Batches:
    """Training and validation batches of one array.

    Parameters
    ----------
    X : numpy.ndarray or dask.array.Array ``(sample, ...)``
        Chunked along the samples only.
    understood : Input
        How its samples are held.
    batch_size : int
    validation_fraction : float
        Share of the samples held out, drawn at random; at most 2048 samples or 128 MiB.
    seed : int
        Of the split and of the order.
    """

    def __init__(self, X: Any, understood: Input, *, batch_size: int, validation_fraction: float, seed: int) -> None:
        self.X, self.understood, self.seed = X, understood, seed
        order = np.random.default_rng([seed, 0]).permutation(len(X))
        sample_bytes = max(1, int(np.prod(X.shape[1:])) * X.dtype.itemsize)
        n_held = 0
        if validation_fraction > 0:
            n_held = min(max(1, round(validation_fraction * len(X))), VALIDATION_SAMPLES, len(X) - 1)
            n_held = min(n_held, max(1, VALIDATION_BYTES // sample_bytes))
        self.training = np.ones(len(X), dtype=bool)
        self.training[order[:n_held]] = False
        n_calibrate = max(16, min(CALIBRATION_SAMPLES, CALIBRATION_BYTES // sample_bytes))
        self._kept = {"held": np.sort(order[:n_held]), "calibrate": np.sort(order[n_held:][:n_calibrate])}
        self.n_training = len(X) - n_held
        self.batch_size = min(batch_size, self.n_training)
        self.steps_per_epoch = -(-self.n_training // self.batch_size)
        self.n_constant = 0
        self._samples = self._survey()

    def _survey(self) -> dict[str, np.ndarray]:
        """Read everything once: bad data is refused before work starts, held-out samples are kept."""
        parts: dict[str, list[np.ndarray]] = {name: [] for name in self._kept}
        for part in blocks_of(self.X):
            block = read(self.X, part)
            self.understood.tensor(block)
            self.n_constant += self.understood.count_constant(block)
            for name, chosen in self._kept.items():
                inside = chosen[(chosen >= part.start) & (chosen < part.stop)]
                parts[name].append(block[inside - part.start])
        return {name: np.concatenate(kept) for name, kept in parts.items()}

    def calibration(self) -> list[Tensor]:
        """A few batches of training samples, to prepare a model with."""
        return list(self._batches_of(self._samples["calibrate"]))

    def validation(self) -> Iterator[Tensor]:
        """Batches of the held-out samples, always the same."""
        return self._batches_of(self._samples["held"])

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Every training sample once, in an order that depends on the seed and `number` only."""
        rng = np.random.default_rng([self.seed, 1, number])
        if not is_dask(self.X):
            order = rng.permutation(np.flatnonzero(self.training))
            for start in range(0, len(order), self.batch_size):
                yield self.understood.tensor(self.X[np.sort(order[start : start + self.batch_size])])
            return
        with closing(_ahead(lambda: self._shuffled(rng))) as batches:
            yield from batches

    def _shuffled(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """Batches from a buffer of blocks read in random order; what is left over joins the next buffer."""
        parts = blocks_of(self.X)
        rest: list[np.ndarray] = []
        n_bytes = 0
        order = rng.permutation(len(parts))
        for position, k in enumerate(order):
            block = read(self.X, parts[k])[self.training[parts[k]]]
            rest.append(block)
            n_bytes += block.nbytes
            last = position == len(order) - 1
            if n_bytes < BUFFER_BYTES and not last:
                continue
            buffer = np.concatenate(rest)
            buffer = buffer[rng.permutation(len(buffer))]
            whole = len(buffer) if last else len(buffer) - len(buffer) % self.batch_size
            for start in range(0, whole, self.batch_size):
                yield self.understood.tensor(buffer[start : start + self.batch_size])
            rest = [buffer[whole:]]
            n_bytes = rest[0].nbytes

    def _batches_of(self, samples: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(samples), self.batch_size):
            yield self.understood.tensor(samples[start : start + self.batch_size])


def _ahead(make: Callable[[], Iterator[Tensor]], depth: int = 4) -> Generator[Tensor]:
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
            for item in make():
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
    """One integer seed from what scikit-learn takes as ``random_state``.

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
