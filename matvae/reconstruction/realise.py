"""The search for structures: initial labels, blocks of samples on several threads, and the result."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import validate
from ..errors import InputError
from ..stats.threads import for_each, one_torch_thread
from ..warn import warn
from .comparison import copied_share, percolating
from .from_examples import Examples, solve_with_examples
from .labels import indicators
from .objective import Demands
from .result import Reconstruction
from .solve import solve
from .start import starting_labels
from .target import Target

# Relative error of the statistics of voted fields above which examples do not fit.
FAR = 0.3
METHODS = ("auto", "retrieval", "swaps")
# Voxels times phases of a block: small enough for its fields to stay in the cache of a core.
BLOCK_VOXELS = 1 << 17
DEVICE_BLOCK_VOXELS = 1 << 25


@dataclass(frozen=True)
class Settings:
    """Options of the search, as passed to `reconstruct`.

    Raises
    ------
    InputError
        If a value is invalid.
    """

    n_realizations: int | None = None
    init: Any = None
    method: str = "auto"
    tol: float = 1e-3
    max_iter: int = 200
    random_state: Any = None
    first_sample: int = 0

    def __post_init__(self) -> None:
        validate.choice("method", self.method, METHODS)
        validate.real("tol", self.tol, 0)
        validate.integer("max_iter", self.max_iter, 1)
        if self.n_realizations is not None:
            validate.integer("n_realizations", self.n_realizations, 1)

    @property
    def copies(self) -> int:
        """Number of structures per sample."""
        return 1 if self.n_realizations is None else int(self.n_realizations)


def realise(
    target: Target,
    realizable: Tensor,
    settings: Settings,
    demands: Demands | None = None,
    examples: Examples | None = None,
) -> Reconstruction:
    """Search for structures that match all targets, block by block.

    Parameters
    ----------
    target : Target
    realizable : Tensor of bool ``(sample,)``
        Passed on to the result.
    settings : Settings
    demands : Demands, optional
        Further requirements, for the same samples as the target.
    examples : Examples, optional
        If given, structures are voted from their patches.

    Returns
    -------
    Reconstruction
    """
    grid, copies, device = target.grid, settings.copies, target.counts.device
    demands = demands or Demands()
    seed = _seed(settings.random_state)
    start = starting_labels(settings.init, target, copies, seed, settings.first_sample, demands.fixed)
    repeated = torch.arange(len(target), device=device).repeat_interleave(copies)
    all_targets, all_demands = target.select(repeated), demands.select(repeated)
    labels = torch.empty(len(all_targets), *grid.shape, dtype=torch.uint8, device=device)
    errors = torch.empty(len(all_targets), len(demands.names), device=device)
    distances = torch.zeros(len(all_targets), device=device)
    n_iter = torch.empty(len(all_targets), dtype=torch.long, device=device)
    prepared = None if examples is None else examples.prepare(seed)
    first = settings.first_sample * copies
    seeds = [(seed, number) for number in range(first, first + len(all_targets))]

    def reconstruct_block(part: slice) -> None:
        target, demands = all_targets.select(part), all_demands.select(part)
        # Operations this small take several times as long when torch splits them among its threads.
        with one_torch_thread() if device.type == "cpu" and n_voxels <= BLOCK_VOXELS else nullcontext():
            block_start, max_iter = start[part].to(device).long(), int(settings.max_iter)
            if prepared is not None:
                block_labels, distances[part], n_iter[part] = solve_with_examples(
                    target, block_start, prepared, seeds[part], tol=settings.tol, max_iter=max_iter, demands=demands
                )
            else:
                block_labels, _, n_iter[part] = solve(
                    target, block_start, method=settings.method, tol=settings.tol, max_iter=max_iter, demands=demands
                )
        labels[part] = block_labels.to(torch.uint8)
        errors[part] = demands.each_error(target, indicators(block_labels, grid.phases))

    n_voxels = all_targets.n_transformed * grid.phases
    n_threads = torch.get_num_threads() if device.type == "cpu" else 1
    limit = BLOCK_VOXELS if device.type == "cpu" else DEVICE_BLOCK_VOXELS
    # Rounding, which depends on the number of samples in a transform, may decide between two swaps or two patches.
    step = max(1, limit // n_voxels) if examples is None else 1
    parts = [slice(first, first + step) for first in range(0, len(all_targets), step)]
    for_each(parts, reconstruct_block, workers=min(len(parts), n_threads))
    shape = (len(target),) if settings.n_realizations is None else (len(target), copies)
    columns = errors.cpu().numpy().reshape(*shape, -1)
    structures = labels.cpu().numpy()
    compared = {}
    if examples is not None:
        _warn_if_far(distances)
        copied = copied_share(structures, examples.labels.cpu().numpy())
        percolation = percolating(structures, grid.phases)
        compared = {
            "voted_distance": distances.cpu().numpy().reshape(shape),
            "copied": copied.reshape(shape),
            "percolation": percolation.reshape(*shape, grid.phases, grid.ndim),
        }
    return Reconstruction(
        structures.reshape(*shape, *grid.shape),
        demands.total(errors).cpu().numpy().reshape(shape),
        n_iter.cpu().numpy().reshape(shape),
        realizable.cpu().numpy(),
        {name: columns[..., k] for k, name in enumerate(demands.names)},
        grid,
        **compared,
    )


def _warn_if_far(distances: Tensor) -> None:
    if bool((distances > FAR).any()):
        # Without numbers, so that Python shows it once for all the structures that one line of a program realizes.
        warn(
            "The patches of the examples fit the target statistics of a structure badly: what they compose has a "
            f"relative error of more than {FAR}. The examples should be of the material that the statistics are of; "
            "those of a model are its training windows. Look at the structures before you use them."
        )


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
