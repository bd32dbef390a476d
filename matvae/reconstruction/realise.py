"""Structures for targets that are understood: starts, blocks, and what was reached."""

from __future__ import annotations

import math
import operator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..stats.threads import for_each, one_torch_thread
from .labels import indicators
from .objective import Demands
from .result import Reconstruction
from .solve import solve
from .start import starting_labels
from .target import Target

METHODS = ("auto", "retrieval", "swaps")
# Voxels of all phases in a block: its fields stay in the cache of a core.
BLOCK_VOXELS = 1 << 17
DEVICE_BLOCK_VOXELS = 1 << 25


@dataclass(frozen=True)
class Settings:
    """How to search, as `reconstruct` takes it.

    Raises
    ------
    InputError
        For values that make no sense.
    """

    n_realizations: int | None = None
    init: Any = None
    method: str = "auto"
    tol: float = 1e-3
    max_iter: int = 200
    random_state: Any = None
    first_sample: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(map(repr, METHODS))}, but {self.method!r} was given.")
        if not isinstance(self.tol, int | float) or not math.isfinite(self.tol) or self.tol < 0:
            raise InputError(f"tol must be a relative error of at least 0, such as 0.001, but {self.tol!r} was given.")
        positive_integer("max_iter", self.max_iter)
        if self.n_realizations is not None:
            positive_integer("n_realizations", self.n_realizations)

    @property
    def copies(self) -> int:
        """Structures of one target."""
        return 1 if self.n_realizations is None else operator.index(self.n_realizations)


def realise(target: Target, realizable: Tensor, settings: Settings, demands: Demands | None = None) -> Reconstruction:
    """Search structures for all targets, block by block.

    Parameters
    ----------
    target : Target
    realizable : Tensor of bool ``(sample,)``
        What is known of that beforehand.
    settings : Settings
    demands : Demands, optional
        With the samples of the target.
    """
    grid, copies, where = target.grid, settings.copies, target.counts.device
    demands = demands or Demands()
    seed = _seed(settings.random_state)
    start = starting_labels(settings.init, target, copies, seed, settings.first_sample, demands.fixed)
    repeated = torch.arange(len(target), device=where).repeat_interleave(copies)
    many, wanted = target.select(repeated), demands.select(repeated)
    labels = torch.empty(len(many), *grid.shape, dtype=torch.uint8, device=where)
    each = torch.empty(len(many), len(demands.names), device=where)
    n_iter = torch.empty(len(many), dtype=torch.long, device=where)

    def work(part: slice) -> None:
        target, demands = many.select(part), wanted.select(part)
        # Splitting operations this small among torch's threads takes several times as long as one thread.
        with one_torch_thread() if where.type == "cpu" and n_voxels <= BLOCK_VOXELS else nullcontext():
            found, _, n_iter[part] = solve(
                target,
                start[part].to(where).long(),
                method=settings.method,
                tol=settings.tol,
                max_iter=int(settings.max_iter),
                demands=demands,
            )
        labels[part] = found.to(torch.uint8)
        each[part] = demands.each_error(target, indicators(found, grid.phases))

    n_voxels, threads = many.n_transformed * grid.phases, torch.get_num_threads() if where.type == "cpu" else 1
    limit = BLOCK_VOXELS if where.type == "cpu" else DEVICE_BLOCK_VOXELS
    step = max(1, limit // n_voxels)
    parts = [slice(at, at + step) for at in range(0, len(many), step)]
    for_each(parts, work, workers=min(len(parts), threads))
    shape = (len(target),) if settings.n_realizations is None else (len(target), copies)
    columns = each.cpu().numpy().reshape(*shape, -1)
    return Reconstruction(
        labels.cpu().numpy().reshape(*shape, *grid.shape),
        demands.total(each).cpu().numpy().reshape(shape),
        n_iter.cpu().numpy().reshape(shape),
        realizable.cpu().numpy(),
        {name: columns[..., k] for k, name in enumerate(demands.names)},
        grid,
    )


def positive_integer(name: str, value: Any) -> int:
    """The value, if it is an integer of at least 1.

    Raises
    ------
    InputError
        If it is not, with its name.
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise InputError(f"{name} must be an integer of at least 1, but {value!r} was given.")
    return number


def _seed(random_state: Any) -> int:
    if random_state is None or isinstance(random_state, int | np.integer):
        return int(np.random.default_rng(random_state).integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    raise InputError(
        "random_state must be None, an integer, a numpy RandomState or Generator, but "
        f"{type(random_state).__name__} was given."
    )
