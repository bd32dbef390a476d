"""Structures of any shape from decoded statistics, by phase retrieval or with patches of training windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..grid import Grid
from ..memory import check_memory
from ..model import StatsVAE
from ..model.decoders.statistics import VARIOGRAM
from ..reconstruction import Wanted, reconstruct
from ..reconstruction.tiles import MOST_VOXELS, is_tiled, realize_tiles
from ..stats.metric import lag_lengths
from ..validate import is_integer

AUTO, RETRIEVAL, EXAMPLES, DECODER = "auto", "retrieval", "examples", "decoder"
METHODS = (AUTO, RETRIEVAL, EXAMPLES, DECODER)
# Voxels of the examples for one latent, and the least number of windows.
EXAMPLE_VOXELS = 1 << 18
LEAST_EXAMPLES = 8
# Working memory in bytes per voxel and phase of one structure, as measured.
WORKING_BYTES = {RETRIEVAL: 200, EXAMPLES: 1750}
# Voxels along an axis: of examples from which patches are cut, and of structures.
LEAST_EXAMPLE_SIDE = 16
LEAST_SIDE = 4


@dataclass(frozen=True)
class TextureRealizer:
    """Realizes structures with the statistics and descriptors of latents.

    Parameters
    ----------
    module : StatsVAE
    grid : Grid
        Of the structures that the model was fitted on.
    shape : tuple of int
        Of the structures to realize.
    method : ``"retrieval"`` or ``"examples"``
    n_realizations : int or None
        Structures per latent; None for one without an axis of its own.
    seed : int
        Joined by the number of each sample.
    patch : ``"auto"``, int or sequence of int
        Edge of the patches of examples, as in `reconstruct`.
    """

    module: StatsVAE
    grid: Grid
    shape: tuple[int, ...]
    method: str
    n_realizations: int | None = None
    seed: int = 0
    patch: Any = AUTO

    def of(self, latents: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Labels ``(sample[, realization], *space)`` of latents ``(sample, component)``.

        `numbers` ``(sample, 1)`` are those of the samples: each is realized by itself, so that blocks change nothing.
        """
        return np.concatenate(
            [self._realized(latents[k : k + 1], int(number)) for k, number in enumerate(numbers[:, 0])]
        )

    def _realized(self, latent: np.ndarray, number: int) -> np.ndarray:
        spec = self.module.spec
        with torch.no_grad():
            z = torch.tensor(latent).to(self.module.field_mean)
            statistics = self.module.decoded_statistics(z)
            descriptors = {} if self.module.decodes_structures else self.module.statistics_decoder.descriptors(z)
            examples = self._examples(z) if self.method == EXAMPLES else None
        if self.shape != self.grid.shape:
            statistics = for_shape(statistics, spec.pairs, self.shape, periodic=spec.periodic)
        grid = replace(self.grid, shape=self.shape, periodic=spec.periodic)
        also = []
        if VARIOGRAM in descriptors:
            weight = float(self.module.statistics_decoder.variogram_weight)
            also = [Wanted(VARIOGRAM, descriptors[VARIOGRAM].clamp_min(0), weight=weight)]
        if examples is not None and is_tiled(grid.shape, grid.periodic):
            structures = [
                realize_tiles(
                    statistics,
                    grid=grid,
                    pairs=spec.pairs,
                    examples=examples,
                    patch=self.patch,
                    seed=(self.seed, number, k),
                    also=also,
                )
                for k in range(self.n_realizations or 1)
            ]
            return np.stack(structures) if self.n_realizations is None else np.stack(structures)[None]
        return reconstruct(
            statistics,
            grid=grid,
            correlations=spec.pairs,
            also=also,
            examples=examples,
            patch=self.patch,
            n_realizations=self.n_realizations,
            random_state=self.seed,
            first_sample=number,
            device=str(self.module.field_mean.device.type),
        ).structures

    def _examples(self, z: torch.Tensor) -> torch.Tensor:
        """Training windows ``(example, *space)`` whose latents are nearest, with every phase in at least one."""
        decoder = self.module.statistics_decoder
        n = max(LEAST_EXAMPLES, EXAMPLE_VOXELS // self.grid.n_voxels)
        distances = (decoder.example_latents - z).square().sum(1)
        nearest = decoder.examples[distances.argsort()]
        chosen = [nearest[:n]]
        for phase in range(self.grid.phases):
            if not bool((chosen[0] == phase).any()):
                chosen.append(nearest[(nearest == phase).flatten(1).any(1)][:1])
        return torch.cat(chosen)


def check_room(shape: Sequence[int], phases: int, periodic: bool, method: str, n_structures: int, device: str) -> None:
    """Refuse structures that do not fit into memory.

    Parameters
    ----------
    shape : sequence of int
    phases : int
    periodic : bool
    method : ``"retrieval"`` or ``"examples"``
    n_structures : int
        Held in memory at once.
    device : str

    Raises
    ------
    InputError
        If less memory is free than they are estimated to need.
    """
    sides = " x ".join(map(str, shape))
    check_memory(
        math.prod(shape) * n_structures + working_bytes(shape, phases, periodic, method),
        device=device,
        what=f"Realizing {n_structures} structure{'s' if n_structures > 1 else ''} of {sides} voxels",
        remedy="Choose a smaller shape, realize fewer structures at once, or pass the latents as a dask array.",
    )


def working_bytes(shape: Sequence[int], phases: int, periodic: bool, method: str) -> int:
    """Memory in bytes that realizing one structure takes, as measured.

    Parameters
    ----------
    shape : sequence of int
    phases : int
    periodic : bool
    method : ``"retrieval"`` or ``"examples"``
    """
    n_voxels = math.prod(shape)
    n_working = min(n_voxels, MOST_VOXELS) if method == EXAMPLES and is_tiled(shape, periodic) else n_voxels
    return n_working * phases * WORKING_BYTES[method]


def choose_method(module: StatsVAE, realize: str, shape: Sequence[int] = ()) -> str:
    """Resolve ``"auto"``, and refuse a method that this model does not have.

    Structures and windows of fewer than 16 voxels along an axis are too small for patches.

    Raises
    ------
    InputError
        If the method does not exist, or the model lacks what it needs.
    """
    if realize not in METHODS:
        raise InputError(f"realize must be one of {', '.join(map(repr, METHODS))}, but {realize!r} was given.")
    has_examples = len(module.examples) > 0
    if realize == AUTO:
        if module.decodes_structures:
            return DECODER
        sides = (*module.spec.shape, *shape)
        return EXAMPLES if has_examples and min(sides) >= LEAST_EXAMPLE_SIDE else RETRIEVAL
    if realize == EXAMPLES and not has_examples:
        raise InputError(
            'realize="examples" needs training windows in the model, but this one has none. Fit it on structures with '
            'decoder="statistics", or choose realize="retrieval".'
        )
    if realize == DECODER and not module.decodes_structures:
        raise InputError(
            'realize="decoder" needs a decoder of structures, but this model decodes statistics. Choose '
            'realize="examples" or "retrieval".'
        )
    return realize


def for_shape(
    statistics: torch.Tensor, pairs: Sequence[tuple[int, int]], shape: Sequence[int], *, periodic: bool
) -> torch.Tensor:
    """Adapt the statistics of a window to structures of another shape.

    Lags that the shape does not have are cut off. Far lags of a single window deviate from the product of volume
    fractions by chance, which in a larger structure would repeat: they are brought to that product, in proportion to
    the squared length of the lag, so that short lags stay as they are.

    Parameters
    ----------
    statistics : Tensor ``(sample, *lag, correlation)``
        With zero lag at index n//2.
    pairs : sequence of (int, int)
        With the autocorrelation of every phase that occurs in one.
    shape : sequence of int
        Of the structures.
    periodic : bool
        Whether these are periodic.

    Returns
    -------
    Tensor ``(sample, *lag, correlation)``
        At an odd number of lags along each axis.
    """
    for axis, (n, voxels) in enumerate(zip(statistics.shape[1:-1], shape, strict=True), start=1):
        reach = min((n - 1) // 2, (voxels - 1) // 2 if periodic else voxels - 1)
        statistics = statistics.narrow(axis, n // 2 - reach, 2 * reach + 1)
    lags = statistics.shape[1:-1]
    lengths = torch.from_numpy(lag_lengths(lags)).to(statistics)
    largest = max(n // 2 for n in lags)
    far = lengths >= 0.8 * largest
    zero = statistics.flatten(1, -2)[:, int(lengths.argmin())]
    fractions = {i: zero[:, k] for k, (i, j) in enumerate(pairs) if i == j}
    ramp = (lengths / largest).square().clamp(max=1.0)
    adapted = statistics.clone()
    for k, (i, j) in enumerate(pairs):
        if i in fractions and j in fractions:
            excess = statistics[..., k][:, far].mean(1) - fractions[i] * fractions[j]
            adapted[..., k] -= excess.view(-1, *[1] * len(lags)) * ramp
    return adapted


def check_shape(shape: Any, grid: Grid) -> tuple[int, ...]:
    """Return the shape of structures to realize; one integer stands for every axis.

    Raises
    ------
    InputError
        If it has another number of axes, or is not of positive integers.
    """
    sides = (shape,) * grid.ndim if is_integer(shape) else tuple(shape)
    if len(sides) != grid.ndim or not all(is_integer(n) and n >= LEAST_SIDE for n in sides):
        raise InputError(
            f"shape must hold {grid.ndim} numbers of at least {LEAST_SIDE} voxels, one per axis of the structures, but "
            f"{shape!r} was given."
        )
    return tuple(int(n) for n in sides)
