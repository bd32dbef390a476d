"""2-point statistics of one large structure, block by block within a cutoff: exact, and in bounded memory.

Every voxel pair begins in one block and ends, at lags up to the cutoff, in the block or in the halo around it. The sums
over pairs of the structure are therefore the sums of those of each block with its neighbourhood, which is the block and
its halo:

    s[r] = sum_B sum_{x in B} a[x] b[x + r],    |r_a| <= c_a.

A block padded with zeros and its neighbourhood are transformed, and since the transform is linear, their products are
added up before a single inverse transform. The number of voxel pairs of labels is an integer and is rounded to it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from ..crew import ALONE, Crew
from ..errors import InputError
from ..sizes import size_text
from ..validate import integer
from .correlate import pair_counts
from .correlations import Pairs, resolve_correlations
from .form import LABELS, Form, check_phases, check_values, find_form
from .lags import Cutoff, resolve_cutoff
from .map_samples import as_tensor
from .pair_sums import lags_of

MAX_BYTES = 1 << 30
# Blocks that are added up before their inverse transform, of which there are this many at least where they suffice.
MOST_IN_GROUP, LEAST_GROUPS = 8, 16
Ranges = tuple[tuple[int, int], ...]


def two_point_stats_by_blocks(
    structure: Any,
    *,
    phases: int | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool = True,
    cutoff: Cutoff,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
    crew: Crew = ALONE,
) -> np.ndarray:
    """2-point statistics of one structure that need not fit into memory, exact up to a cutoff.

    Parameters
    ----------
    structure : array-like ``(*space)``
        A single structure in one to three dimensions, without a sample axis: a numpy array or memory map, a dask array,
        or an array in zarr or HDF5; anything with a shape and a type that gives an array when sliced. Integers are
        phase labels, floating point values a continuous field.
    phases : int
        Number of phases H of labels. It is not looked up, as this would read everything once more.
    correlations, periodic
        As in `two_point_stats`.
    cutoff : int or sequence of int
        Keep the lags from -c to c along each axis, in voxels.
    max_bytes : int
        Memory that the computation may take, besides that of reading a block; about a gigabyte by default. Smaller
        blocks have relatively larger halos and take longer.
    progress : callable, optional
        Called with the number of blocks done and their total.
    crew : Crew
        Who does the work; each worker takes `max_bytes`.

    Returns
    -------
    ndarray ``(*lag, correlation)`` of float64
        Zero lag at index c along each axis. For labels, numbers of voxel pairs are exact.

    Raises
    ------
    InputError
        As in `two_point_stats`, or if there is no cutoff, the number of phases of labels is not given, or the smallest
        sensible blocks do not fit into `max_bytes`.
    """
    form = _form(structure, phases)
    pairs = resolve_correlations(correlations, form.phases)
    cutoffs = resolve_cutoff(form.space, periodic, cutoff)
    if cutoffs is None:
        raise InputError(
            "A structure is read by blocks only up to a cutoff, but cutoff=None was given. Pass the longest lag in "
            "voxels, such as cutoff=32, or use two_point_stats for all lags of a structure that fits into memory."
        )
    plan = plan_blocks(form.space, cutoffs, _states(pairs), len(pairs), integer("max_bytes", max_bytes, 1))
    blocks = list(plan.blocks())
    # Groups depend on the structure alone, and their sums are added in order: so no digit depends on the crew.
    size = max(1, min(MOST_IN_GROUP, len(blocks) // LEAST_GROUPS))
    groups = [blocks[first : first + size] for first in range(0, len(blocks), size)]
    work = _Work(structure, form, pairs, cutoffs, plan.transform, periodic)
    totals, done = [torch.zeros(()) for _ in pairs], 0
    for group, sums in zip(groups, crew.in_order(_sums_of, ((group,) for group in groups), work), strict=True):
        totals = [total + part for total, part in zip(totals, sums, strict=True)]
        done += len(group)
        if progress is not None:
            progress(done, len(blocks))
    counts = pair_counts(form.space, periodic=periodic, cutoff=cutoffs)
    return np.stack([(total / counts).numpy() for total in totals], axis=-1)


@dataclass(frozen=True)
class _Work:
    """What the sums over pairs of all groups of blocks share."""

    structure: Any
    form: Form
    pairs: Pairs
    cutoffs: tuple[int, ...]
    transform: tuple[int, ...]
    periodic: bool


def _sums_of(work: _Work, group: Sequence[Ranges]) -> list[Tensor]:
    """Sums over voxel pairs ``(*lag)`` that begin in a group of blocks, one per pair of states."""
    sums = _SumsOfBlocks(work.form, work.pairs, work.cutoffs, work.transform)
    for block in group:
        sums.add(work.structure, block, work.periodic)
    return list(sums.totals())


@dataclass(frozen=True)
class BlockPlan:
    """Blocks of a structure.

    Parameters
    ----------
    space, block, transform : tuple of int
        Shapes of the structure, of the largest block, and of the Fourier transform of a block with its halo.
    n_bytes : int
        Memory that they take.
    """

    space: tuple[int, ...]
    block: tuple[int, ...]
    transform: tuple[int, ...]
    n_bytes: int

    def blocks(self) -> Iterator[tuple[tuple[int, int], ...]]:
        """Ranges (start, stop) of every block along each axis."""
        ranges = [
            [(start, min(start + edge, n)) for start in range(0, n, edge)]
            for n, edge in zip(self.space, self.block, strict=True)
        ]
        return itertools.product(*ranges)


def plan_blocks(
    space: Sequence[int], cutoffs: Sequence[int], n_states: int, n_pairs: int, max_bytes: int = MAX_BYTES
) -> BlockPlan:
    """Choose the largest blocks that fit into memory, of nearly equal size.

    Raises
    ------
    InputError
        If not even blocks of the size of the halo fit.
    """
    # In double precision: padded fields of a block and of its neighbourhood, the spectra of both for every state, sums
    # of products for every pair, and two temporary spectra.
    per_voxel = 8 * (2 + 2 * n_states + n_pairs + 2)
    # Blocks smaller than the halo would read, and transform, almost nothing but halo.
    least = [max(1, min(n, c)) for n, c in zip(space, cutoffs, strict=True)]
    best: BlockPlan | None = None
    for edge in _edges(max(space)):
        block = tuple(_balanced(n, max(edge, low)) for n, low in zip(space, least, strict=True))
        transform = tuple(int(next_fast_len(b + 2 * c, real=True)) for b, c in zip(block, cutoffs, strict=True))
        plan = BlockPlan(tuple(space), block, transform, per_voxel * math.prod(transform))
        if best is not None and plan.n_bytes > max_bytes:
            break
        best = plan
    assert best is not None
    if best.n_bytes > max_bytes:
        raise InputError(
            f"Blocks for cutoff={tuple(cutoffs)} take at least {size_text(best.n_bytes)}, but max_bytes={max_bytes} "
            "was given. Allow more memory, or choose a smaller cutoff or fewer correlations."
        )
    return best


def _edges(longest: int) -> list[int]:
    """Edges of blocks to choose from, ascending in steps of about a tenth."""
    edges = [1]
    while edges[-1] < longest:
        edges.append(min(longest, max(edges[-1] + 1, int(1.1 * edges[-1]))))
    return edges


def _balanced(n: int, edge: int) -> int:
    """Return the edge of equal blocks, at most as long as `edge`, that cover n voxels."""
    return math.ceil(n / math.ceil(n / min(n, edge)))


class _SumsOfBlocks:
    """Spectra of the sums over voxel pairs, to which blocks are added."""

    def __init__(self, form: Form, pairs: Pairs, cutoffs: tuple[int, ...], size: tuple[int, ...]) -> None:
        self.form = form
        self.states = sorted({state for pair in pairs for state in pair})
        self.pairs = tuple((self.states.index(i), self.states.index(j)) for i, j in pairs)
        self.cutoffs = cutoffs
        self.size = size
        self.spectra: list[Tensor | None] = [None] * len(pairs)

    def add(self, structure: Any, block: Ranges, periodic: bool) -> None:
        """Add the pairs that begin in a block."""
        parts = list(_neighbourhood(block, self.form.space, self.cutoffs, periodic))
        values = []
        for source, target in parts:
            part = as_tensor(np.asarray(structure[source]))
            check_values(part[None], self.form)
            values.append((part, target))
        inner = tuple(slice(c, c + stop - start) for c, (start, stop) in zip(self.cutoffs, block, strict=True))
        firsts, seconds = [], []
        for state in self.states:
            around = torch.zeros(self.size, dtype=torch.float64)
            for part, target in values:
                around[target] = (part == state).double() if self.form.kind == LABELS else part.double()
            seconds.append(torch.fft.rfftn(around))
            alone = torch.zeros(self.size, dtype=torch.float64)
            own = around[inner]
            alone[tuple(slice(0, n) for n in own.shape)] = own
            firsts.append(torch.fft.rfftn(alone).conj())
            del around, alone
        for k, (i, j) in enumerate(self.pairs):
            total = self.spectra[k]
            if total is None:
                self.spectra[k] = firsts[i] * seconds[j]
            else:
                total.addcmul_(firsts[i], seconds[j])

    def totals(self) -> Iterator[Tensor]:
        """Sums over voxel pairs ``(*lag)`` of each pair of states."""
        # The neighbourhood begins a cutoff before its block: lag r is at index r + c.
        ranges = tuple((0, 2 * c + 1) for c in self.cutoffs)
        for spectrum in self.spectra:
            assert spectrum is not None
            sums = lags_of(spectrum[None], self.size, ranges)[0]
            yield sums.round() if self.form.kind == LABELS else sums


def _neighbourhood(
    block: tuple[tuple[int, int], ...], space: Sequence[int], cutoffs: Sequence[int], periodic: bool
) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Parts of the structure that make up a block with its halo, and their places in it."""
    per_axis = []
    for (start, stop), n, c in zip(block, space, cutoffs, strict=True):
        first, last = start - c, stop + c
        pieces = []
        for shift in (-n, 0, n) if periodic else (0,):
            low, high = max(first, shift), min(last, n + shift)
            if low < high:
                pieces.append((slice(low - shift, high - shift), slice(low - first, high - first)))
        per_axis.append(pieces)
    for choice in itertools.product(*per_axis):
        yield tuple(source for source, _ in choice), tuple(target for _, target in choice)


def _states(pairs: Pairs) -> int:
    return len({state for pair in pairs for state in pair})


def _form(structure: Any, phases: int | None) -> Form:
    dtype = np.dtype(structure.dtype)
    if dtype.kind not in "biuf":
        raise InputError(
            f"Integer labels or real numbers are expected, but the array has the type {dtype}. Convert it first."
        )
    if dtype.kind != "f" and phases is None:
        raise InputError("The number of phases of labels is needed: pass phases=2 for labels 0 and 1.")
    form = find_form(
        (1, *structure.shape),
        dtype.kind != "f",
        phases=None if phases is None else check_phases(phases),
        state_axis=None,
    )
    if min(form.space) < 1:
        raise InputError(f"A structure is expected, but an empty array of shape {form.space} was given.")
    return form
