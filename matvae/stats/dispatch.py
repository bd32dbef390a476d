"""Functions of blocks of structures, run over numpy, dask and torch arrays: the basis that all statistics share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..validate import integer
from .form import LABELS, Form, check_meaning, check_values
from .map_samples import BlockFunction, kind_of, map_samples
from .masks import Mask

# Blocks whose spectra fit into the caches of a typical core, and are large enough to outweigh the cost of their calls.
BLOCK_VOXELS = 1 << 19
# Accelerators need large blocks; the spectra of one take about a gigabyte.
DEVICE_BLOCK_VOXELS = 1 << 26

NO_MASK = Mask(None, per_sample=False, binary=True)

_chosen_block_voxels: ContextVar[int | None] = ContextVar("chosen_block_voxels", default=None)


@contextmanager
def block_size(voxels: int) -> Iterator[None]:
    """Set the block size of statistics computed in this context; the results do not depend on it.

    Statistics are computed for blocks of samples. Smaller blocks need less memory. The default is about 500 000 voxels
    on the CPU and 67 million on an accelerator. A dask array takes the block size of the context in which the statistic
    is called, not of the one in which it is computed.

    Parameters
    ----------
    voxels : int
        Approximate number of voxels per block. A block holds at least one sample.

    Raises
    ------
    InputError
        If `voxels` is not a positive integer.
    """
    token = _chosen_block_voxels.set(integer("voxels", voxels, 1))
    try:
        yield
    finally:
        _chosen_block_voxels.reset(token)


def block_voxels(on_accelerator: bool = False) -> int:
    """Return the number of voxels per block: as set by `block_size`, or the default of the device."""
    return _chosen_block_voxels.get() or (DEVICE_BLOCK_VOXELS if on_accelerator else BLOCK_VOXELS)


def _on_accelerator(X: Any) -> bool:
    return isinstance(X, Tensor) and X.device.type != "cpu"


def result_dtype(X: Any, form: Form | None = None) -> torch.dtype:
    """Return the type of the statistics of X: float64 if X is float64 and does not hold labels, otherwise float32."""
    double = kind_of(X) == "f" and X.dtype.itemsize >= 8
    return torch.float64 if double and (form is None or form.kind != LABELS) else torch.float32


def map_structures(
    X: Any,
    form: Form,
    phases: int | str,
    run: Callable[..., Tensor],
    shape: tuple[int, ...],
    voxels: int,
    weights: Mask = NO_MASK,
    in_place: bool = False,
) -> Any:
    """Apply a function to the samples of X in blocks of suitable size.

    Parameters
    ----------
    X, form, phases
        Structures, the way the array holds them, and the number of phases as passed by the user.
    run : callable
        Takes a block of X and its mask, or None; returns ``(sample, *shape)``.
    shape : tuple of int
        Shape of the result of one sample.
    voxels : int
        Number of values that `run` holds per sample.
    weights : Mask
        Output of `read_mask`.
    in_place : bool
        As in `BlockFunction`.

    Returns
    -------
    array ``(sample, *shape)``
        Of the same kind as X.
    """

    def check(blocks: Iterable[Tensor]) -> None:
        if isinstance(phases, str):
            check_meaning(blocks, form)

    on_accelerator = _on_accelerator(X)
    limit = block_voxels(on_accelerator)
    dtype = np.dtype(np.float64 if result_dtype(X, form) == torch.float64 else np.float32)
    parallel = not on_accelerator and voxels <= limit
    samples = max(1, limit // voxels)
    function = BlockFunction(run, check, shape, dtype, samples, parallel=parallel, in_place=in_place)
    return map_samples(X, function, weights.values, mask_per_sample=weights.per_sample, state_axis=form.state_axis)


def map_phases(
    X: Any,
    form: Form,
    phases: int | str,
    statistic: Callable[[Tensor, Tensor | None], Tensor],
    shape: tuple[int, ...],
    weights: Mask = NO_MASK,
) -> Any:
    """Apply a function of a single field to every phase of the samples of X.

    Parameters
    ----------
    X, form, phases, weights
        As in `map_structures`.
    statistic : callable
        Takes fields ``(field, *space)``, each of one phase of a sample, and the mask ``(field or 1, *space)``, or None;
        returns ``(field, *shape)``.
    shape : tuple of int
        Shape of its result for one sample.

    Returns
    -------
    array ``(sample, *shape, phase)``
        Of the same kind as X.
    """
    limit = block_voxels(_on_accelerator(X))

    def run(block: Tensor, mask: Tensor | None) -> Tensor:
        check_values(block, form)
        # All phases at once take H times the memory of one, but a call for each takes longer where blocks are small.
        n_voxels = len(block) * math.prod(form.space) * form.phases
        at_once = form.phases if n_voxels <= limit else 1
        if mask is not None:
            mask = mask.repeat_interleave(at_once, 0) if weights.per_sample else mask.unsqueeze(0)
        results = []
        for first in range(0, form.phases, at_once):
            fields = form.fields(block, range(first, first + at_once))
            results.append(statistic(fields.flatten(0, 1), mask).unflatten(0, (len(block), at_once)))
        return torch.cat(results, dim=1).movedim(1, -1).contiguous()

    return map_structures(X, form, phases, run, (*shape, form.phases), math.prod(form.space), weights)
