"""Ranks: the processes that train one model together, each on its part of every batch.

A batch is the parts of all ranks, one after the other. Every rank holds the same weights, draws the random numbers of
the whole batch and takes those of its own rows; means over the batch and gradients are sums over the ranks. The result
is that of one process, up to the order in which floating-point numbers are added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from ..errors import InputError, MatvaeError
from ..stats.device import resolve_device

T = TypeVar("T")
# Numbers in a tensor that is added by itself.
LARGE = 1 << 16
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class RankLostError(MatvaeError):
    """A rank was killed or no longer answers, so that the others cannot continue."""


@dataclass(frozen=True)
class Ranks:
    """All ranks of a training, seen from one of them; by default a single process.

    Parameters
    ----------
    number : int
        Of this rank, from 0.
    count : int
        Number of ranks. More than one communicate through the default process group of `torch.distributed`.
    local : int
        Number of this rank on its machine, which is that of its GPU.
    """

    number: int = 0
    count: int = 1
    local: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this rank writes files and reports progress."""
        return self.number == 0

    def share(self, n: int) -> slice:
        """This rank's part of n items: consecutive parts, whose sizes differ by at most one, make up the whole."""
        return slice(self.number * n // self.count, (self.number + 1) * n // self.count)

    def first(self, value: float) -> float:
        """The number that the first rank passes."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        _together(distributed.broadcast, shared, src=0)
        return shared.item()

    def made_by_first(self, make: Callable[[], T]) -> T:
        """The object that the first rank makes."""
        if self.count == 1:
            return make()
        shared: list[Any] = [make() if self.is_first else None]
        _together(distributed.broadcast_object_list, shared, src=0)
        return shared[0]

    def of_all(self, value: T) -> list[T]:
        """The objects that the ranks pass, in their order."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        _together(distributed.all_gather_object, values, value)
        return values

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one type, which have the same shapes on every rank, by their sums over the ranks."""
        if self.count == 1:
            return
        # Small ones travel together; copies of large ones would take longer than their way.
        small = []
        for tensor in tensors:
            if tensor.numel() >= LARGE and tensor.is_contiguous():
                _together(distributed.all_reduce, tensor)
            else:
                small.append(tensor)
        if not small:
            return
        flat = torch.cat([tensor.flatten() for tensor in small])
        _together(distributed.all_reduce, flat)
        for tensor, total in zip(small, flat.split([tensor.numel() for tensor in small]), strict=True):
            tensor.copy_(total.view(tensor.shape))

    def wait_for_all(self) -> None:
        """Return when every rank has called this."""
        self.add([torch.zeros(1)])

    def part(self, n_samples: int) -> BatchPart:
        """The batch of which this rank has `n_samples`."""
        if self.count == 1:
            return BatchPart(self, (n_samples,))
        sizes = torch.zeros(self.count, dtype=torch.int64)
        sizes[self.number] = n_samples
        self.add([sizes])
        return BatchPart(self, tuple(sizes.tolist()))

    def start_alike(self, module: nn.Module) -> None:
        """Give a module the weights it has on the first rank.

        Raises
        ------
        InputError
            If a layer normalises over the samples of a batch.
        """
        if self.count == 1:
            return
        if any(isinstance(layer, BATCH_NORMS) for layer in module.modules()):
            raise InputError(
                "The model has batch normalisation, as the encoder 'resnet152' does: what it computes for a structure "
                "depends on all others in the batch. Train it in one process, or choose another encoder."
            )
        for tensor in module.state_dict().values():
            _together(distributed.broadcast, tensor, src=0)

    def device(self, name: str) -> torch.device:
        """Device of this rank: with several ranks, a GPU of its own, or the CPU.

        Raises
        ------
        InputError
            If the device is not available, or is the same for all ranks.
        """
        if self.count == 1 or name == "cpu":
            return resolve_device(name)
        if name not in ("auto", "cuda"):
            raise InputError(
                f'Several processes train on "cpu" or, each on a GPU of its own, on "cuda", but device={name!r} was '
                "given. Select GPUs with the environment variable CUDA_VISIBLE_DEVICES."
            )
        n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if n_gpus == 0 and name == "auto":
            return torch.device("cpu")
        if self.local >= n_gpus:
            raise InputError(
                f"Every process needs a GPU of its own, but there are {n_gpus} for at least {self.local + 1} on this "
                'machine. Start fewer processes, or set device="cpu".'
            )
        torch.cuda.set_device(self.local)
        return torch.device("cuda", self.local)


@dataclass(frozen=True)
class BatchPart:
    """A rank's part of a batch.

    Parameters
    ----------
    ranks : Ranks
    sizes : tuple of int
        Number of samples of each rank.
    """

    ranks: Ranks
    sizes: tuple[int, ...]

    @property
    def n_samples(self) -> int:
        """Number of samples in the batch."""
        return sum(self.sizes)

    @property
    def rows(self) -> slice:
        """Rows of the batch that this rank has."""
        stop = list(accumulate(self.sizes))[self.ranks.number]
        return slice(stop - self.sizes[self.ranks.number], stop)

    def share_of_mean(self, values: Tensor) -> Tensor:
        """What this rank's values ``(sample,)`` contribute to their mean over the batch, the sum of all shares."""
        return values.sum() / self.n_samples

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the batch of the values ``(sample,)`` of all ranks, which no gradient passes."""
        share = self.share_of_mean(values.detach())
        self.ranks.add([share])
        return share

    def whole(self, values: Tensor) -> Tensor:
        """The batch ``(sample, ...)`` of which this rank has `values`, without a gradient."""
        if self.ranks.count == 1:
            return values
        padded = values.new_zeros(max(self.sizes), *values.shape[1:])
        padded[: len(values)] = values
        parts = [torch.empty_like(padded) for _ in self.sizes]
        _together(distributed.all_gather, parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, self.sizes, strict=True)])


_current: ContextVar[Ranks] = ContextVar("ranks", default=Ranks())  # noqa: B039 - it is frozen


def current_ranks() -> Ranks:
    """The ranks that train together in the enclosing `as_ranks`; a single process outside."""
    return _current.get()


@contextmanager
def as_ranks(ranks: Ranks) -> Iterator[None]:
    """Context in which models are trained by these ranks, each of which has to enter it."""
    token = _current.set(ranks)
    try:
        yield
    finally:
        _current.reset(token)


def _together(collective: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    try:
        collective(*arguments, **options)
    except RuntimeError as error:
        raise RankLostError(f"Another rank ended early ({str(error).splitlines()[0]}).") from error
